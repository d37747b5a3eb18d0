"""Compiled kernels that are kept: found again, never trusted, and never in the way of a run."""

import ast
import os
import pickle
import re
import resource
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from gradvec.render import cpu, kernel_cache
from numba.core.caching import NullCache


def doubled(x):
    return 2 * x


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A cache of its own, still empty."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernel_cache, "faults", [])
    kernel_cache.usable_folder.cache_clear()
    yield kernel_cache.cache_folder()
    monkeypatch.undo()
    kernel_cache.usable_folder.cache_clear()


def compiled(function=doubled):
    """(kernels taken from the cache, kernels compiled) when a new process's worth of dispatcher is called once."""
    kernel = kernel_cache.njit(function)
    assert kernel(21.0) == 42.0
    return sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values())


def kept(folder):
    path, = folder.glob("*.kernel")
    return path


def test_a_kernel_is_compiled_once_for_each_type(folder):
    assert [compiled(), compiled()] == [(0, 1), (1, 0)]
    assert kernel_cache.njit(doubled)(np.float32(2)) == 4
    assert len(list(folder.iterdir())) == 2
    assert kernel_cache.faults == []


def test_the_folder_is_the_users_alone(folder):
    compiled()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    kernel_cache.usable_folder.cache_clear()
    assert kernel_cache.usable_folder() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:20], lambda data: data[:len(data) // 2], lambda data: data + b"x",
    lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:], lambda data: data[:-1] + bytes([data[-1] ^ 128]),
    lambda data: b"\0" * len(data)])
def test_a_damaged_kernel_is_compiled_anew(folder, damage):
    compiled()
    path = kept(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert compiled() == (0, 1)
    assert "damaged" in kernel_cache.faults[0]
    assert compiled() == (1, 0)


class Trap:
    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return os.unlink, (str(self.victim),)


def test_what_others_put_there_is_never_run(folder, tmp_path):
    compiled()
    victim = tmp_path / "victim"
    victim.touch()
    kept(folder).write_bytes(pickle.dumps(Trap(victim)))
    assert compiled() == (0, 1)
    assert victim.exists()


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_plain_file_is_not_read(folder, tmp_path, kind):
    compiled()
    path = kept(folder)
    path.rename(tmp_path / "elsewhere")
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert compiled() == (0, 1)
    assert kernel_cache.faults


def test_a_foreign_owner_is_refused(folder, monkeypatch):
    compiled()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: folder)
    assert compiled() == (0, 1)
    kernel_cache.usable_folder.cache_clear()
    assert kernel_cache.usable_folder() is None
    assert compiled() == (0, 1)
    assert "another user" in kernel_cache.faults[-1]


def test_a_link_in_place_of_the_folder_is_refused(folder, tmp_path):
    (tmp_path / "open").mkdir()
    folder.symlink_to(tmp_path / "open")
    assert compiled() == (0, 1)
    assert list((tmp_path / "open").iterdir()) == []


def test_without_a_folder_kernels_are_compiled_in_memory(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc")  # nobody may write there
    assert compiled() == (0, 1)
    assert kernel_cache.usable_folder() is None
    assert len(kernel_cache.faults) == 1


@contextmanager
def full_disk():
    """Writing fails as it does where there is no room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_costs_time_only_and_leaves_nothing_behind(folder):
    assert kernel_cache.usable_folder() == folder
    with full_disk():
        assert compiled() == (0, 1)
    assert list(folder.iterdir()) == []
    assert compiled() == (0, 1)
    assert compiled() == (1, 0)


def test_a_change_beside_a_kernel_compiles_it_anew(folder, monkeypatch):
    compiled()
    monkeypatch.setattr(kernel_cache, "sources_digest", lambda place: "other")
    assert compiled() == (0, 1)


def test_no_kernel_uses_numbas_own_cache():
    """Which would unpickle what lies beside the sources, and fail every run after one damaged file."""
    package = Path(kernel_cache.__file__).parents[1]
    users = [path for path in package.rglob("*.py") if re.search(r"from numba import .*\bn?jit\b|numba\.n?jit",
                                                                 path.read_text("utf-8"))]
    assert [path.name for path in users] == ["kernel_cache.py"]


def test_kernels_share_no_function_that_is_called():
    """Copies of one function in two kernels round differently, and which of them is called depends on the cache."""
    functions = {}
    for path in (Path(cpu.__file__).parent).glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any("njit" in ast.unparse(d) for d in node.decorator_list):
                called = {c.func.id for c in ast.walk(node) if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)}
                functions[node.name] = (ast.unparse(node.decorator_list[0]), called)
    kernels = [name for name, (decorator, _) in functions.items() if "_INNER" not in decorator
               and "_SHARED" not in decorator]
    users = Counter(inner for kernel in kernels for inner in _below(kernel, functions, set()))
    shared = {name for name, count in users.items() if count > 1}

    assert "paint_rows" in shared
    assert "coverage" in kernels
    assert {name for name in shared if "_SHARED" not in functions[name][0]} == set()


def _below(name: str, functions: dict, seen: set) -> set:
    """The compiled functions that ``name`` calls, and those that they call."""
    for called in functions[name][1] & functions.keys() - seen:
        seen.add(called)
        _below(called, functions, seen)
    return seen


def scaled(x, y):
    for i in range(x.shape[0]):
        y[i] = 2 * x[i]


def test_the_compiler_is_promised_that_arrays_lie_apart(monkeypatch):
    """numba's own option for it is not open to its users: a version that has it no more compiles as before."""
    monkeypatch.setattr(kernel_cache, "KernelCache", lambda function: NullCache())  # what was kept cannot be read
    kernels = kernel_cache.njit(scaled, noalias=True), kernel_cache.njit(scaled)
    promised = []
    for kernel in kernels:
        y = np.zeros(4)
        kernel(np.arange(4.0), y)
        assert y.tolist() == [0, 2, 4, 6]
        promised.append(kernel.inspect_llvm(kernel.signatures[0]).count("noalias"))
    assert promised[0] > promised[1]


def test_without_numbas_promise_kernels_are_compiled_as_ever(folder, monkeypatch):
    monkeypatch.setattr(kernel_cache, "CPUTargetOptions", type("Options", (), {}))
    y = np.zeros(4)
    kernel_cache.njit(scaled, noalias=True)(np.arange(4.0), y)
    assert y.tolist() == [0, 2, 4, 6]


def test_what_ended_processes_left_is_removed_an_hour_later(folder):
    """Helpers are killed at the end of a run, also while they write."""
    compiled()
    path = kept(folder)
    left = [folder / ".half-written", path.with_suffix(".busy")]
    under_way = [folder / ".being-written", folder / "other.busy"]
    for one in (*left, *under_way):
        one.touch()
    for one in (*left, path):
        aged(one, days=1)
    kernel_cache.usable_folder.cache_clear()
    assert compiled() == (1, 0)
    assert sorted(folder.iterdir()) == sorted([path, *under_way])


def aged(path, days):
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def test_kernels_of_former_versions_are_removed_and_those_in_use_are_not(folder):
    compiled()
    path, former = kept(folder), folder / "kernels.of_a_former_version.0123.kernel"
    former.touch()
    aged(former, days=100)
    aged(path, days=80)
    kernel_cache.usable_folder.cache_clear()
    assert compiled() == (1, 0)
    assert list(folder.iterdir()) == [path]
    assert time.time() - path.stat().st_mtime < 3600, "it was asked for"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no system that tells which processes are stopped")
def test_a_stopped_process_is_not_waited_for(tmp_path):
    path = tmp_path / "one.kernel"
    text = "import os, signal, sys; from pathlib import Path; from gradvec.render import kernel_cache; " \
           "kernel_cache.claim(Path(sys.argv[1])); print(flush=True); os.kill(os.getpid(), signal.SIGSTOP); input()"
    other = subprocess.Popen([sys.executable, "-c", text, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        _, stopped = os.waitpid(other.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(stopped)
        start = time.monotonic()
        with kernel_cache._claimed(path):
            assert time.monotonic() - start < kernel_cache.WAIT_S / 10
        os.kill(other.pid, signal.SIGCONT)
        with pytest.raises(TimeoutError), raised_after(1.0), kernel_cache._claimed(path):
            pytest.fail("it did not wait for one that goes on")
    finally:
        other.kill()
        other.communicate()


@contextmanager
def raised_after(seconds):
    def ring(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
