"""What the compiler makes of the cuda engine's kernels: that needs no card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")
#: A100, H100 and H200, RTX 50.
CAPABILITIES = (80, 90, 120)
#: A multiprocessor has 65,536 registers: with 128 a thread four blocks of 128 threads are at work at a time.
MOST_REGISTERS = 128
#: The first Triton that spills nothing; those from 3.3 on make the same pictures.
SPARING, VERSION = (3, 8), tuple(map(int, metadata.version("triton").split(".")[:2]))
#: Bytes a thread that may be spilled in float64, which is there for tests alone.
MOST_LOCAL_FP64 = 320


@pytest.fixture(scope="module")
def kernels() -> list[dict]:
    code = Path(__file__).with_name("compile_kernels.py")
    plain = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_DEFAULT_FP_FUSION": "1"}
    done = subprocess.run([sys.executable, str(code), *map(str, CAPABILITIES)], env=plain, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_all_compile_for_all_generations(kernels):
    names = {k["kernel"] for k in kernels}
    assert len(names) == 15
    assert {(k["kernel"], k["precision"], k["capability"]) for k in kernels} == {
        (n, p, c) for n in names for p in ("fp32", "fp64") for c in CAPABILITIES
        if p == "fp32" or not n.startswith("untangle")}


@pytest.mark.skipif(VERSION < SPARING, reason="older compilers spill a few registers")
def test_nothing_is_spilled_in_float32(kernels):
    assert not [k for k in kernels if k["precision"] == "fp32" and k["local"]]
    assert max(k["registers"] for k in kernels if k["precision"] == "fp32") <= MOST_REGISTERS
    assert max(k["local"] for k in kernels) <= MOST_LOCAL_FP64


def test_no_atomic_waits_for_memory(kernels):
    assert all(k["atomics"] >= 21 for k in kernels if k["kernel"] == "composite_backward")
    assert not [k for k in kernels if k["ordered"]]


def test_numbers_that_change_are_not_specialized():
    code = """
from gradvec.render.cuda import derivative as cuda_derivative, kernels as cuda_kernels
changing = {"capacity", "pixels", "segments", "count"}
for module in (cuda_kernels, cuda_derivative):
    for kernel in vars(module).values():
        for p in getattr(kernel, "params", ()):
            if p.name in changing and not kernel.fn.__name__.startswith("_"):
                print(kernel.fn.__name__, p.name, p.do_not_specialize)
"""
    plain = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_DEFAULT_FP_FUSION": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = sorted(line.split() for line in done.stdout.splitlines())
    assert found == [[*pair, "True"] for pair in sorted([
        ("composite", "capacity"), ("composite", "pixels"), ("composite_backward", "capacity"),
        ("composite_backward", "pixels"), ("fill_tiles", "capacity"), ("finish_geometry", "count"),
        ("flatten", "segments"), ("flatten_backward", "segments")])]
