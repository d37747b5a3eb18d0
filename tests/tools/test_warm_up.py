"""Kernels that helpers compile beside the first run: the table is whole, nobody waits in vain, and nobody is left."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from gradvec.errors import Cancelled
from gradvec.options import Options
from gradvec.progress import CancelToken, Run
from gradvec.render import kernel_cache
from gradvec.tools import warm_up
from gradvec.workflow import Workflow

ROOT = Path(__file__).resolve().parent.parent.parent
#: A kernel that compiles in a second.
SMALL = next(line for line in warm_up.table() if ":lay_out(" in line)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A cache of its own, still empty, also for processes that are started; memory and processors enough."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernel_cache, "faults", [])
    monkeypatch.setattr("gradvec.io.memory.free_memory", lambda unknown=0: 100 * warm_up.RUN_MEMORY)
    monkeypatch.setattr(warm_up, "_cores", lambda: 3)  # not the system's number, which numba would go by, too
    kernel_cache.usable_folder.cache_clear()
    yield kernel_cache.cache_folder()
    monkeypatch.undo()
    kernel_cache.usable_folder.cache_clear()


def doubled(x):
    return 2 * x


def place_of(kernel, *values):
    import numba

    return kernel._cache.path_of(tuple(map(numba.typeof, values)), kernel.targetctx)


def gone(pid):
    """Whether a process ends within some seconds."""
    for _ in range(200):
        state = ""
        with suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state in ("", "Z"):
            return True
        time.sleep(0.05)
    return False


def test_real_runs_call_what_is_in_the_table():
    """Else run scripts/kernel_table.py: a first run would wait for what is missing."""
    done = subprocess.run([sys.executable, ROOT / "scripts" / "kernel_table.py", "--check"], capture_output=True,
                          text=True)
    assert done.stdout.split() == []
    assert done.returncode == 0, done.stderr


def test_what_a_helper_compiled_is_loaded(folder):
    code = f"from gradvec.tools.warm_up import compile_entry as c; import sys; sys.exit(not c({SMALL!r}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert {path.name.split(".")[1] for path in folder.iterdir()} == {"lay_out", "pitch"}
    code = ("import numpy as np; from gradvec.render.cpu.kernels import lay_out as k; a = np.zeros((1, 4), np.int64); "
            "b = [np.zeros(2, np.int64) for _ in range(5)]; k(a, 16, *b); "
            "print(sum(k.stats.cache_hits.values()), sum(k.stats.cache_misses.values()))")
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["1", "0"]


def test_a_kernel_that_another_compiles_is_waited_for(folder, monkeypatch):
    other, kernel = kernel_cache.njit(doubled), kernel_cache.njit(doubled)
    path = place_of(kernel, 21.0)
    lock, free = kernel_cache.claim(path)
    assert free
    assert kernel_cache.claim(path) == (None, False)
    waited = []

    def told():
        waited.append(time.monotonic())
        if len(waited) == 3:  # the other one is done
            kernel_cache.release(path, lock)
            monkeypatch.setattr(kernel_cache, "on_compile", None)
            other(21.0)

    monkeypatch.setattr(kernel_cache, "on_compile", told)
    assert kernel(21.0) == 42.0
    assert sum(kernel.stats.cache_hits.values()) == 1
    assert list(folder.iterdir()) == [path]


def test_who_died_while_compiling_holds_nobody_up(folder):
    kernel = kernel_cache.njit(doubled)
    path = place_of(kernel, 21.0)
    code = f"from pathlib import Path; from gradvec.render.kernel_cache import claim; import os; " \
           f"print(claim(Path({str(path)!r}))); os._exit(1)"
    subprocess.run([sys.executable, "-c", code])
    assert path.with_suffix(".busy").exists()
    assert kernel(21.0) == 42.0
    assert list(folder.iterdir()) == [path]


def test_the_wait_has_an_end(folder, monkeypatch):
    monkeypatch.setattr(kernel_cache, "WAIT_S", 0.2)
    kernel = kernel_cache.njit(doubled)
    lock, _ = kernel_cache.claim(place_of(kernel, 21.0))
    assert kernel(21.0) == 42.0
    kernel_cache.release(place_of(kernel, 21.0), lock)


def test_cancelling_ends_the_wait_and_it_is_shown(folder, monkeypatch):
    kernel, seen, token = kernel_cache.njit(doubled), [], CancelToken()
    lock, _ = kernel_cache.claim(place_of(kernel, 21.0))

    def report(progress):
        seen.append(progress.stage)
        if len(seen) == 2:
            token.cancel()

    run = Run(report, token=token)
    monkeypatch.setattr(kernel_cache, "on_compile", lambda: run.aside("Compiling"))
    with pytest.raises(Cancelled):
        kernel(21.0)
    assert seen == ["Compiling"] * 2
    kernel_cache.release(place_of(kernel, 21.0), lock)
    monkeypatch.setattr(kernel_cache, "on_compile", None)
    assert kernel(21.0) == 42.0


def children():
    """Ids of the processes that this one has started, among them that which looks for them."""
    return {int(pid) for pid in subprocess.check_output(["ps", "-o", "pid=", "--ppid", str(os.getpid())]).split()}


def test_helpers_end_with_what_they_help(folder):
    others = children()
    with warm_up.ahead():
        mine = children() - others
        assert len(mine) >= 3
    assert all(gone(pid) for pid in mine)


def test_helpers_end_when_who_started_them_is_killed(folder):
    code = ("import subprocess, sys, time; from gradvec.tools import warm_up; "
            "warm_up._wanted = lambda painting=False: 2; warm_up.begin(); print('begun', flush=True); time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"begun\n"
        time.sleep(0.5)
        helpers = subprocess.check_output(["ps", "-o", "pid=", "--ppid", str(parent.pid)]).split()
        assert len(helpers) == 2
        parent.kill()
        assert all(gone(int(pid)) for pid in helpers)


def test_where_nothing_can_be_kept_nobody_helps(folder, monkeypatch):
    assert warm_up._wanted() == 3
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
    assert warm_up._wanted() == 0
    monkeypatch.undo()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc")
    kernel_cache.usable_folder.cache_clear()
    assert warm_up._wanted() == 0


def test_with_little_memory_or_all_kernels_nobody_helps(folder, monkeypatch):
    monkeypatch.setattr("gradvec.io.memory.free_memory", lambda unknown=0: warm_up.RUN_MEMORY + warm_up.MEMORY)
    assert warm_up._wanted() == 1
    warm_up._finished(kernel_cache.usable_folder(), True).touch()
    assert (warm_up._wanted(True), warm_up._wanted()) == (0, 1)


def test_types_in_words_are_the_types_again():
    import numba

    array = np.zeros((2, 3), np.float32)
    for value in (array, array.T, array[:, ::2], np.zeros(3, bool), 1, 2.5, True):
        kind = numba.typeof(value)
        words = kernel_cache.entry(doubled, (kind,)).partition("(")[2][:-1]
        assert warm_up.types_of(words) == (kind,)


def test_where_nothing_can_be_kept_compiling_is_told_and_cancelled(monkeypatch):
    """It is told before each kernel, not only where one is waited for: then each run compiles them all."""
    told = []
    monkeypatch.setattr(kernel_cache, "faults", [])
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc")
    kernel_cache.usable_folder.cache_clear()
    try:
        Workflow("paint", Options(), Run(lambda progress: told.append(progress.stage)), "")
        assert kernel_cache.njit(doubled)(21.0) == 42.0
        assert told == ["Compiling kernels, which cannot be kept"]
        token = CancelToken()
        Workflow("paint", Options(), Run(token=token), "")
        token.cancel()
        with pytest.raises(Cancelled):
            kernel_cache.njit(doubled)(21.0)
    finally:
        kernel_cache.on_compile = None
        monkeypatch.undo()
        kernel_cache.usable_folder.cache_clear()


def test_a_folder_that_cannot_be_looked_into_is_no_error(folder, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda path: (_ for _ in ()).throw(PermissionError(13, "closed")))
    assert kernel_cache.njit(doubled)(21.0) == 42.0
