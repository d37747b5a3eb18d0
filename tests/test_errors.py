"""Foreign errors that mean that memory ran out, told from others, with how much was wanted."""

import numpy as np
import pytest
import torch
from gradvec.errors import out_of_memory


def raised_by(call):
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_what_the_libraries_really_raise():
    huge = 2**46
    for call in (lambda: torch.empty(huge), lambda: np.empty(huge), lambda: bytearray(huge * 8)):
        assert out_of_memory(raised_by(call)).code == "engine.memory"
    assert "GB more were wanted" in out_of_memory(raised_by(lambda: torch.empty(huge))).message
    assert "GB more were wanted" in out_of_memory(raised_by(lambda: np.empty(huge))).message


@pytest.mark.parametrize(("error", "wanted"), [
    (RuntimeError("could not create a primitive"), ""),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
                  "to allocate 3000000000 bytes. Error code 12 (Cannot allocate memory)"), "3.0 GB"),
    (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 7.79 GiB total capacity)"), "21.0 MB"),
    (OSError(12, "Cannot allocate memory"), ""),
    (ImportError("libtorch_cpu.so: failed to map segment from shared object"), ""),
    (RuntimeError("std::bad_alloc"), "")])
def test_other_words_for_it(error, wanted):
    told = out_of_memory(error)
    assert told.code == "engine.memory"
    assert wanted in told.message
    assert ("wanted" in told.message) == bool(wanted)


def test_a_cause_counts_and_other_errors_do_not():
    error = ValueError("outer")
    error.__cause__ = MemoryError()
    assert out_of_memory(error) is not None
    for other in (ValueError("out of memory"), RuntimeError("shape mismatch"), OSError(28, "No space left on device")):
        assert out_of_memory(other) is None
