"""Compiles every kernel that runs on a card without one and prints, as JSON lines, what became of each.

    python tests/render/compile_kernels.py 80 90 120

Numbers are compute capabilities: 80 an A100, 90 an H100 or H200, 120 an RTX 50. A line: kernel, precision, capability,
registers a thread, local (bytes a thread that did not fit into registers), atomics, ordered (those of them that wait
for memory traffic before or after them).
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import triton
from gradvec.geometry import self_intersection_cuda
from gradvec.render.cuda import derivative as cuda_derivative
from gradvec.render.cuda import kernels as cuda_kernels
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

CONSTANTS = {"CHORDS": 8, "LANES": 8, "BLOCK": 128, "SIDE": 128, "SAVE": True, "STORE": True, "TIE": 1e-6,
             "PIECES": 8, "HOLD": True, "COLUMNS": 4}
#: Kernels as they are used, with the constants in which they differ from the above.
VARIANTS = (("flatten", {}), ("outline_boxes", {"BLOCK": 16}), ("fill_super_tiles", {}), ("fill_tiles", {}),
            ("fill_tiles", {"STORE": False}), ("composite", {}), ("composite", {"SAVE": False}),
            ("composite_backward", {}), ("finish_geometry", {}), ("flatten_backward", {}),
            ("composite", {"COLUMNS": 6}), ("composite_backward", {"COLUMNS": 6}), ("finish_geometry", {"COLUMNS": 6}),
            ("untangle", {"SIDE": 16}), ("untangle", {"SIDE": 16, "HOLD": False}))
NUMBERS = {"segments", "capacity", "count", "pixels"}
REALS = {"points", "chain", "geometry", "stop_offset", "stop_color", "opacity", "background", "picture", "saved",
         "d_picture", "d_chain", "d_moments", "d_stop_offset", "d_stop_color", "d_opacity", "d_ground", "moments",
         "d_geometry", "d_points", "before"}
LONG = {"canvases", "super_start"}
CUOBJDUMP = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"


def kind(name: str, real: str, kernel: str) -> str:
    if name in CONSTANTS:
        return "constexpr"
    if name in NUMBERS:
        return "i32"
    if name == "basis" and kernel != "untangle":
        return "*fp64"
    return "*" + (real if name in REALS | {"basis"} else "i64" if name in LONG else "i32")


def compiled(name: str, differs: dict, real: str, capability: int):
    modules = cuda_kernels, cuda_derivative, self_intersection_cuda
    kernel = next(getattr(module, name) for module in modules if hasattr(module, name))
    values = CONSTANTS | differs
    signature = {a: kind(a, real, name) for a in kernel.arg_names}
    constants = {(i,): values[a] for i, a in enumerate(kernel.arg_names) if a in values}
    # Addresses are multiples of 16 bytes, as torch allocates.
    aligned = {(i,): [["tt.divisibility", 16]] for i, a in enumerate(kernel.arg_names) if signature[a].startswith("*")}
    fusion = {"enable_fp_fusion": False} if name == "untangle" else {}
    return triton.compile(ASTSource(kernel, signature, constants, aligned), target=GPUTarget("cuda", capability, 32),
                          options=fusion)


def resources(cubin: bytes) -> tuple[int, int]:
    """(registers, bytes of local memory) a thread, as the machine code declares them."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        told = subprocess.run([CUOBJDUMP, "--dump-resource-usage", file.name], capture_output=True, text=True,
                              check=True).stdout
    found = re.search(r"REG:(\d+) STACK:(\d+) .*LOCAL:(\d+)", told)
    assert found, told
    return int(found[1]), int(found[2]) + int(found[3])


for capability in map(int, sys.argv[1:]):
    for real in ("fp32", "fp64"):
        for name, differs in VARIANTS:
            if name == "untangle" and real == "fp64":
                continue  # refinement works in float32
            asm = compiled(name, differs, real, capability).asm
            registers, local = resources(asm["cubin"])
            atomics = re.findall(r"^.*\b(?:atom|red)\..*$", asm["ptx"], re.MULTILINE)
            ordered = [line for line in atomics if re.search(r"acquire|release|acq_rel", line)]
            kernel = "-".join([name, *map(str, differs)])
            print(json.dumps({"kernel": kernel, "precision": real, "capability": capability, "registers": registers,
                              "local": local, "atomics": len(atomics), "ordered": len(ordered)}), flush=True)
