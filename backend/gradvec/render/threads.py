"""How the cpu engine's threads behave beside everything else that runs on an artist's machine."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TypeVar

from ..errors import EngineError, UsageError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
#: numba's threads must not be entered by two Python threads at once on every threading layer.
ALONE = threading.Lock()
#: Threads that numba may be told to take: with none it cannot be loaded, and with very many its start fails in C.
_THREADS_MAX = 1024
_LAYERS = ("default", "safe", "forksafe", "threadsafe", "tbb", "omp", "workqueue")
#: Whether this process was forked from one that had started threads which do not survive that.
_lost_threads = False


@cache
def calm_threads() -> None:
    """Lets idle threads sleep instead of spin, and keeps torch from adding a second pool on the same cores.

    A step enters a parallel kernel a dozen times. Threads that spin between two kernels take the cores from Inkscape
    and from each other: on two cores that something else uses too, steps take twice as long. OpenMP reads the setting
    when it is loaded, that is with torch. Only for gradvec's own commands: it holds for the whole process, which is not
    a library's to decide. What the user has set in the environment stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(1)


def check_environment() -> None:
    """Raises UsageError where the environment asks numba for what ends it; to be called before it is loaded."""
    threads = os.environ.get("NUMBA_NUM_THREADS", "")
    with suppress(ValueError):  # numba passes over words
        if not 1 <= int(threads) <= _THREADS_MAX:
            raise UsageError(f"The environment's NUMBA_NUM_THREADS is {threads}; it must lie between 1 and "
                             f"{_THREADS_MAX}.", "Change it, or leave it out.")
    layer = os.environ.get("NUMBA_THREADING_LAYER") or "default"
    if layer not in _LAYERS:
        raise UsageError(f"The environment's NUMBA_THREADING_LAYER is {layer!r}; it must be one of "
                         f"{', '.join(_LAYERS)}.", "Change it, or leave it out.")
    if layer == "tbb":
        try:
            import_module("numba.np.ufunc.tbbpool")
        except ImportError as error:
            raise UsageError(f"The environment's NUMBA_THREADING_LAYER is 'tbb', which cannot be loaded ({error}).",
                             "Install it (pip install tbb), or leave the setting out.") from None


def side_by_side(function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """What ``function`` makes of each item, in their order, on as many threads as numba may use. For what lets go of
    Python's lock while it works and enters no parallel kernel (see ALONE). The first error ends it."""
    import numba

    threads = min(len(items), numba.get_num_threads())
    if threads < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(function, item) for item in items]
        try:
            return [job.result() for job in jobs]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def refuse_in_a_fork() -> None:
    """Raises EngineError in a process that would be ended at its first kernel.

    GNU's OpenMP, numba's usual threads on Linux, ends a forked process that enters it where its parent has.
    """
    if _lost_threads:
        raise EngineError("This process was forked from one that had rendered, and its threads did not come along.",
                          "Start workers with \"spawn\", for a DataLoader multiprocessing_context=\"spawn\", or set "
                          "NUMBA_THREADING_LAYER=workqueue before the first picture.")


def _after_fork() -> None:
    global _lost_threads, ALONE
    ALONE = threading.Lock()  # another thread of the parent may have held it
    numba = sys.modules.get("numba")
    if numba is not None and sys.platform == "linux":
        with suppress(ValueError):  # no kernel has run yet
            _lost_threads = numba.threading_layer() == "omp"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
