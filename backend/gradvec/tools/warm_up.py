"""Compiles the engine's kernels before they are needed: in processes beside the first run, or before the first picture.

A run on a machine that has no kernels yet begins with :func:`ahead`. Its helpers go through the table of kernels in
the order in which runs need them; each compiles what nobody has begun (render/kernel_cache.py has the locks). The run
itself loads what is there, waits for what is being compiled, and compiles what has not been begun.

``main`` prints the share that is done, one number in [0, 1] a line: the installer starts it in the engine's own Python.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

#: Written by scripts/kernel_table.py.
TABLE = Path(__file__).with_name("kernels.txt")
#: Where in it kernels begin that brush strokes do not need.
BEYOND = "# And these for everything else:\n"
#: Helpers at most, what one takes (bytes of memory), what a run wants besides, and what all kernels take on the disk.
MOST, MEMORY, RUN_MEMORY, DISK = 4, 400_000_000, 1_000_000_000, 30_000_000
#: So many kernels take far longer than all others: those with the most arguments, as it happens.
LARGE = 4
#: Small runs that together need every stage and nearly all kernels.
_WAYS: tuple[dict[str, object], ...] = (
    {"fidelity": 1.0}, {"brush": "marker", "gradient": "kmeans", "paths_per_stroke": 2})


@cache
def table(painting: bool = False) -> tuple[str, ...]:
    """Kernels, as :func:`gradvec.render.kernel_cache.entry` has them, in the order in which runs need them.

    painting: only those that brush strokes need, which come first.
    """
    text = TABLE.read_text(encoding="ascii")
    return tuple(line for line in (text.partition(BEYOND)[0] if painting else text).splitlines()
                 if line and not line.startswith("#"))


@contextlib.contextmanager
def ahead(painting: bool = False) -> Iterator[None]:
    """What runs inside finds helpers that compile what it will need, where there are no kernels yet and more than one
    processor. They end with it, however it ends: each watches a pipe that closes with this process.

    painting: see :func:`table`.
    """
    helpers = [helper for helper in (_started(number, painting) for number in range(_wanted(painting)))
               if helper is not None]
    try:
        yield
    finally:
        for helper in helpers:
            helper.kill()
        for helper in helpers:
            _awaited(helper)


def begin() -> None:
    """As :func:`ahead`, for a process that stays: helpers end when they are done, or with this process."""
    for helper in filter(None, (_started(number, False) for number in range(_wanted()))):
        threading.Thread(target=_awaited, args=(helper,), daemon=True).start()


def _awaited(helper: subprocess.Popen[bytes]) -> None:
    helper.wait()
    assert helper.stdin is not None
    helper.stdin.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _wanted(painting: bool = False) -> int:
    """How many helpers to start: none where nothing could be kept, or nothing is missing."""
    from ..io.memory import free_memory
    from ..render.kernel_cache import usable_folder

    cores = _cores()
    folder = usable_folder() if cores > 1 else None
    if folder is None or _finished(folder, painting).exists():
        return 0
    try:
        if shutil.disk_usage(folder).free < DISK:
            return 0
    except OSError:
        return 0
    return max(0, min(MOST, cores, (free_memory() - RUN_MEMORY) // MEMORY))


def _finished(folder: Path, painting: bool) -> Path:
    """A file that is there once helpers have nothing left to do for the table, or for ``painting``."""
    import numba

    from ..render.kernel_cache import sources_digest

    root = Path(__file__).resolve().parents[1]
    packages = sorted({line.partition(":")[0].rpartition(".")[0] for line in table(painting)})
    sources = [sources_digest(root.joinpath(*name.split(".")[1:])) for name in packages]
    digest = hashlib.sha256(repr((numba.__version__, sys.version, table(painting), sources)).encode())
    return folder / f"{digest.hexdigest()[:24]}.finished"


def _started(number: int, painting: bool) -> subprocess.Popen[bytes] | None:
    code = f"import sys; sys.path[:] = [{str(Path(__file__).resolve().parents[2])!r}, *filter(None, sys.path)]; " \
           f"from gradvec.tools.warm_up import help_along; help_along({number}, {painting})"
    try:
        return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
    except (OSError, ValueError):  # no more processes, or no interpreter of its own
        return None


def help_along(number: int, painting: bool) -> None:
    """Compiles what of :func:`table` nobody has begun. Runs in a process of its own until standard input closes.

    number: helpers count from 0; odd ones begin with the large kernels, which hold a run up longest.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches it, too: whoever started it decides
    threading.Thread(target=_end_with_the_pipe, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)
    from ..render import kernel_cache

    large = sorted(table(painting), key=len, reverse=True)[:LARGE] if number % 2 else []
    for wait in (False, True):  # the second time round for what others are compiling: then nothing is left
        for line in dict.fromkeys((*large, *table(painting))):
            with contextlib.suppress(Exception):  # the run that needs it will say what is wrong with it
                compile_entry(line, wait)
            if kernel_cache.faults:  # it would compile in vain
                return
    folder = kernel_cache.usable_folder()
    if folder is not None:
        with contextlib.suppress(OSError):
            _finished(folder, painting).touch()


def _end_with_the_pipe() -> None:
    with contextlib.suppress(OSError):
        os.read(0, 1)
    os._exit(0)


def compile_entry(line: str, wait: bool = False) -> bool:
    """Compiles one kernel of the table, unless it is there or another process compiles it. Whether it is there now.

    wait: where another process compiles it, until that has done so.
    """
    from ..render import kernel_cache

    name, _, arguments = line.partition("(")
    module, _, function = name.partition(":")
    kernel = getattr(importlib.import_module(module), function)
    sig = types_of(arguments[:-1])
    path = kernel._cache.path_of(sig, kernel.targetctx)
    if path is None or path.exists():
        return path is not None
    if not wait:
        lock, free = kernel_cache.claim(path)
        kernel_cache.release(path, lock)
        if not free:
            return False
    kernel.compile(sig)
    return path.exists()


def types_of(words: str) -> tuple[Any, ...]:
    """numba's types of a kernel's arguments from how the table, a file of our own, has them."""
    from numba import types

    kinds: tuple[Any, ...] = eval(f"({words},)", {**vars(types), "bool": types.boolean, "__builtins__": {}})
    return kinds


def warm_up(tell: Callable[[float], None] = lambda share: None) -> None:
    """Paints small pictures, so that all kernels are compiled and kept before the first real one.

    tell: called with the share that is done, in [0, 1], rising.
    """
    with ahead():
        import numpy as np

        from ..io.images import png_bytes
        from ..options import Options
        from ..pipeline import paint_picture
        from ..progress import Progress, Run

        picture = png_bytes(np.random.default_rng(0).random((24, 32, 3), np.float32))
        for count, way in enumerate(_WAYS):
            def report(progress: Progress, count: int = count) -> None:
                tell((count + progress.fraction) / len(_WAYS))

            paint_picture(picture, Options.from_dict({"strokes": 6, "size": 32, **way}), Run(on_progress=report))
        for line in table():
            compile_entry(line, wait=True)
    tell(1.0)


def main() -> None:
    warm_up(lambda share: print(f"{share:.4f}", flush=True))
