"""Whether the graphics card can be used: found out once, before the first picture, and told in a sentence.

What torch sees is not yet a card that computes: a driver may be too old, Triton may lack a C compiler or Python's
headers at its first launch, other programs may hold the memory. A tiny kernel finds that out. And a card that worked
may stop in the middle of a job: then :func:`lose` remembers it, and the processor goes on.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from typing import Any

from ..errors import EngineError

_LOG = logging.getLogger("gradvec.render")
#: A card on which less memory is free is left to the programs that hold the rest, bytes: a picture of 512 px takes a
#: tenth of this, its strokes and their derivatives as much again.
LEAST_FREE = 300_000_000
#: How long, in s, a card without memory is left alone before it is asked again.
RETRY_SECONDS = 60.0
#: Compute capability below which Triton makes no code.
OLDEST = (7, 0)
#: The first Triton whose compiler and interpreter take all kernels.
OLDEST_TRITON = (3, 3)
ABSENT, KERNELS, MEMORY, LOST = "absent", "kernels", "memory", "lost"
_GET_TORCH = "https://pytorch.org/get-started/locally/"


@dataclass(frozen=True)
class Trouble:
    """Why the card is not used. what: a sentence's end; remedy: a sentence or a command.

    kind: ABSENT, torch itself cannot compute on it; KERNELS, torch can and our kernels do not run; MEMORY, others hold
    it; LOST, it failed in the middle of a job. expected: an artist may count on this card, so a run says that it is not
    used.
    """

    what: str
    remedy: str = ""
    kind: str = ABSENT
    expected: bool = True


FULL = Trouble("its memory is full", "Close other programs that use it, or choose device cpu.", MEMORY)


class CardLost(EngineError):
    """The card failed in the middle of a job, and what it held is gone."""

    code = "engine.card"


@dataclass
class _Passing:
    """What was found last, and when (time.monotonic) to look again."""

    trouble: Trouble | None = None
    until: float = 0.0


_passing = _Passing()


def trouble() -> Trouble | None:
    """Why the cuda engine cannot compute here now; None where it can. Looked at once; memory again every minute."""
    if time.monotonic() >= _passing.until:
        _passing.trouble, _passing.until = _look(), time.monotonic() + RETRY_SECONDS
    return _passing.trouble


def kernels_fail() -> bool:
    """Whether torch computes on the card and our kernels do not."""
    found = trouble()
    return found is not None and found.kind == KERNELS


def lose(error: BaseException) -> None:
    """Remembers that the card failed with ``error``, and says so once: for a while where memory ran out, else for good.

    Only the words of the error are kept, not the tensors that its traceback holds.
    """
    import torch

    said, until = Trouble(f"it stopped working ({in_short(error)})", "`gradvec doctor` looks at it.", LOST), math.inf
    if isinstance(error, torch.cuda.OutOfMemoryError):
        said, until = replace(FULL, kind=LOST), time.monotonic() + RETRY_SECONDS
    told = _passing.trouble is not None and _passing.trouble.kind == LOST
    _passing.trouble, _passing.until = said, until
    if not told:
        _LOG.warning("The graphics card failed: %s. The processor goes on. %s", said.what, said.remedy)


def is_fault(error: BaseException) -> bool:
    """Whether an error is the card's, its driver's or its compiler's, and no mistake in what was asked of it."""
    import torch

    if isinstance(error, (CardLost, torch.cuda.OutOfMemoryError, getattr(torch, "AcceleratorError", CardLost))):
        return True
    if isinstance(error, subprocess.SubprocessError) or type(error).__module__.partition(".")[0] == "triton":
        return True
    words = ("CUDA", "cuda", "CUBLAS", "CUDNN", "NVRTC", "C compiler", "NVML")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def in_short(error: BaseException) -> str:
    """The first line of a foreign error, or its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:160] if lines else type(error).__name__


def sees_card() -> bool:
    """Whether torch can reach an NVIDIA card."""
    return _ask_torch()[0]


@cache
def triton_present() -> bool:
    """Whether a Triton is installed that is new enough for the kernels."""
    if importlib.util.find_spec("triton") is None:
        return False
    try:
        version = metadata.version("triton")
    except metadata.PackageNotFoundError:  # another project's build of it
        return True
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= OLDEST_TRITON


def interpreted() -> bool:
    """Whether Triton's interpreter plays the card: asked for by TRITON_INTERPRET=1 on a machine without one."""
    return os.environ.get("TRITON_INTERPRET") == "1" and triton_present() and not sees_card()


def _ask_torch() -> tuple[bool, str]:
    """Whether torch sees an NVIDIA card; and what it says where it does not: a driver's fault comes as a warning."""
    import torch

    if torch.version.hip is not None:
        return False, ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        seen = bool(torch.cuda.is_available())
    return seen, " ".join(str(w.message) for w in told)


def _look() -> Trouble | None:
    import torch

    try:
        return _found() or _short_of_memory()
    except torch.cuda.OutOfMemoryError:
        return FULL


@cache
def _found() -> Trouble | None:
    """What is wrong with this machine's card for as long as the process lives."""
    import torch

    seen, told = _ask_torch()
    if not seen:
        return _unseen(told)
    try:
        _compute()
        capability, name = torch.cuda.get_device_capability(), torch.cuda.get_device_name()
    except torch.cuda.OutOfMemoryError:
        raise  # not to be remembered: memory comes and goes
    except Exception as error:
        return Trouble(f"torch cannot compute on it ({in_short(error)})",
                       f"Install a torch that fits the card and its driver: {_GET_TORCH}")
    if not triton_present():
        return Trouble("Triton {}.{} or a newer one is not installed".format(*OLDEST_TRITON),
                       f"{sys.executable} -m pip install 'gradvec[cuda]'  (Linux only)", KERNELS)
    if capability < OLDEST:
        return Trouble(f"{name} is too old for the kernels, which need compute capability {OLDEST[0]}.{OLDEST[1]}",
                       "Choose device cpu.", KERNELS)
    try:
        probe("cuda")
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as error:
        return _uncompiled(error)
    return None


def _compute() -> None:
    """Lets torch add a few numbers on the card."""
    import torch

    float(torch.ones(8, device="cuda").sum())


def _unseen(told: str) -> Trouble:
    """Why torch sees no card."""
    import torch

    if torch.version.hip is not None:
        return Trouble("torch is built for AMD's ROCm, on which gradvec's kernels do not run",
                       f"Nothing is lost but speed; a torch for the processor is smaller: {_GET_TORCH}", expected=False)
    if "too old" in told:
        return Trouble(f"NVIDIA's driver is too old for torch's CUDA {torch.version.cuda}",
                       "Update the driver, or install a torch for an older CUDA: "
                       "https://pytorch.org/get-started/previous-versions/")
    if told and torch.version.cuda is not None:
        return Trouble(f"torch cannot reach it ({in_short(RuntimeError(told))})",
                       "See whether `nvidia-smi` works; after an update of the driver restart the machine.")
    if shutil.which("nvidia-smi"):
        return Trouble(f"there is an NVIDIA driver, but torch {torch.__version__} cannot use it",
                       f"Install a CUDA build of torch: {_GET_TORCH}", expected=False)
    if torch.backends.mps.is_available():
        return Trouble("Apple's GPU has no Triton, which gradvec's kernels are written in", expected=False)
    return Trouble("there is no CUDA device", expected=False)


def _uncompiled(error: BaseException) -> Trouble:
    """Why a kernel of ours does not run on a card that torch can use."""
    text = str(error)
    if "C compiler" in text:
        return Trouble("Triton finds no C compiler, which it needs once for every kernel",
                       "Install one (Debian, Ubuntu: sudo apt install gcc), or set CC to its path.", KERNELS)
    if isinstance(error, subprocess.SubprocessError) or "Python.h" in text:
        return Trouble("Triton cannot compile its launcher, most likely because Python's headers are missing",
                       "Install them (Debian, Ubuntu: sudo apt install python3-dev), and gcc.", KERNELS)
    return Trouble(f"Triton's kernels do not run on it ({in_short(error)})",
                   "Update NVIDIA's driver and Triton, or choose device cpu.", KERNELS)


def _short_of_memory() -> Trouble | None:
    import torch

    try:
        free, total = torch.cuda.mem_get_info()
    except Exception as error:
        return Trouble(f"it does not answer ({in_short(error)})", "`nvidia-smi` shows whether it works.")
    if free + torch.cuda.memory_reserved() >= LEAST_FREE:
        return None
    return Trouble(f"other programs hold all but {free / 1e9:.1f} of its {total / 1e9:.1f} GB",
                   "Close them, or choose device cpu.", MEMORY)


def probe(device: Any) -> None:
    """Launches a tiny kernel; on a CPU tensor under Triton's interpreter.

    Raises whatever Triton raises where it cannot compile or launch, and EngineError where the kernel computes nonsense.
    """
    import torch

    from .cuda.probe import SIZE, double

    numbers = torch.arange(SIZE, dtype=torch.float32, device=device)
    result = torch.empty_like(numbers)
    double[(1,)](numbers, result)
    if not torch.equal(result, 2 * numbers):
        raise EngineError("A kernel of two additions gives wrong sums.", "Update NVIDIA's driver and Triton.")
