"""Compiles every kernel of the cuda engine for compute capability 9.0 and prints the name of each that did."""

import triton
from gradvec.render import cuda_kernels
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

KERNELS = ("flatten", "outline_boxes", "fill_super_tiles", "fill_tiles", "composite", "composite_backward",
           "finish_geometry", "flatten_backward")
CONSTANTS = {"CHORDS": 8, "LANES": 8, "BLOCK": 128, "SIDE": 128, "SAVE": True, "STORE": True, "TIE": 1e-6}
NUMBERS = {"segments", "capacity", "count", "pixels"}
REALS = {"points", "chain", "geometry", "stop_offset", "stop_color", "opacity", "background", "picture", "saved",
         "d_picture", "d_chain", "d_moments", "d_stop_offset", "d_stop_color", "d_opacity", "d_ground", "moments",
         "d_geometry", "d_points"}
LONG = {"canvases", "super_start"}


def kind(name: str, real: str) -> str:
    if name in CONSTANTS:
        return "constexpr"
    if name in NUMBERS:
        return "i32"
    if name == "basis":
        return "*fp64"
    return "*" + (real if name in REALS else "i64" if name in LONG else "i32")


for real in ("fp32", "fp64"):
    for name in KERNELS:
        kernel = getattr(cuda_kernels, name)
        signature = {a: kind(a, real) for a in kernel.arg_names}
        constants = {(i,): CONSTANTS[a] for i, a in enumerate(kernel.arg_names) if a in CONSTANTS}
        triton.compile(ASTSource(kernel, signature, constants), target=GPUTarget("cuda", 90, 32))
        print(f"{name}-{real}")
