"""numba's compiler with a cache of compiled kernels that can do no harm: ``from ..render.kernel_cache import njit``.

numba's own cache trusts its files: a truncated or altered one fails every run or crashes it, and because the files are
pickles, whoever can write them can run code. Here

- files lie in a folder that only this user may enter (mode 0700, no link, owned by the user), and each must be the
  user's own and carry the checksum of its content; where the folder cannot be had, kernels are compiled in memory;
- a file that is damaged or cannot be loaded is removed and compiled anew;
- a disk that is full or write-protected costs the time to compile again, and nothing else;
- a kernel is compiled anew when any file beside its own changed, because kernels are compiled into each other.

Several processes may need one kernel at a time: one compiles it, under a lock that the system takes back when it dies,
and the others wait for it and load it (tools/warm_up.py has such processes).
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import pickle
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.cpu import CPUTargetOptions
from numba.core.serialize import dumps

SUFFIX = ".kernel"
_DIGEST_BYTES = 32
#: What went wrong with the cache in this process, in words, newest last. `gradvec doctor` tells it.
faults: list[str] = []
#: Kernels that Python called in this process, as :func:`entry` has them, in that order.
called: list[str] = []
#: Told, on the main thread, that a kernel is compiled or waited for; what it raises ends the wait.
on_compile: Callable[[], None] | None = None
#: How long a kernel that another process compiles is waited for, s, and how often it is looked for.
WAIT_S, LOOK_S = 120.0, 0.05
#: What has been under way for so long, s, was left by a process that is no more.
LEFT_S = 3600.0
#: A kernel that nobody has asked for in so long, s, belongs to a version that is no more; and how often, s, a file is
#: marked as asked for.
UNUSED_S, MARKED_S = 90 * 86400.0, 86400.0
_here = threading.local()


def njit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """numba.njit, kept between runs. The option ``cache`` is taken for granted.

    One option more: ``noalias``, that no two of a function's arrays overlap where one is written. numba knows it
    but offers it to its own parallel loops only; the compiler otherwise compares all arrays with all before each loop.
    """
    if function is None:
        return lambda decorated: njit(decorated, **options)
    options.pop("cache", None)
    if options.get("noalias") and not hasattr(CPUTargetOptions, "noalias"):
        mapping = getattr(CPUTargetOptions, "Mapping", None)
        if mapping is None:
            options.pop("noalias")
        else:
            CPUTargetOptions.noalias = mapping("noalias")
    dispatcher = numba.njit(**options)(function)
    dispatcher._cache = KernelCache(function)
    dispatcher.compile = partial(_compile, dispatcher)
    return dispatcher


def _compile(dispatcher: Any, sig: Any) -> Any:
    """Dispatcher.compile, and around it, where no kernel but Python calls: what other processes and the user need."""
    compile_now, kept = partial(type(dispatcher).compile, dispatcher, sig), dispatcher._cache
    if getattr(_here, "compiling", False) or not hasattr(kept, "path_of"):
        return compile_now()
    called.append(entry(dispatcher.py_func, sig))
    path = kept.path_of(sig, dispatcher.targetctx)
    with contextlib.ExitStack() as around:
        if path is None or not _is_there(path):
            _tell()
            if path is not None:
                around.enter_context(_claimed(path))
            around.enter_context(_no_collector())
        _here.compiling = True
        try:
            return compile_now()
        finally:
            _here.compiling = False


def entry(function: Callable[..., Any], sig: tuple[Any, ...]) -> str:
    """A kernel and its arguments' types in words: ``module:name(float32[:, ::1], int64)``."""
    return f"{function.__module__}:{function.__qualname__}({', '.join(map(_type_name, sig))})"


def _type_name(kind: Any) -> str:
    if not isinstance(kind, numba.types.Array):
        return str(kind)
    if kind.layout != "C" or not kind.mutable or not kind.aligned:
        return f'Array({kind.dtype}, {kind.ndim}, "{kind.layout}", readonly={not kind.mutable}, aligned={kind.aligned})'
    return f"{kind.dtype}[{', '.join([':'] * (kind.ndim - 1) + ['::1'])}]"


def _tell() -> None:
    if on_compile is not None and threading.current_thread() is threading.main_thread():
        on_compile()


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """A seventh of the time to compile goes into looking for garbage among what the compiler keeps."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Waits while another process compiles what will lie at ``path``; else none other does so inside.

    One that was stopped is not waited for: this process compiles, too, and whichever ends last keeps the same file.
    """
    until, lock = time.monotonic() + WAIT_S, None
    try:
        while lock is None and not _is_there(path) and time.monotonic() < until and not _is_stopped(path):
            lock, free = claim(path)
            if free:
                break
            _tell()
            time.sleep(LOOK_S)
        yield
    finally:
        release(path, lock)


def _is_there(path: Path) -> bool:
    """Path.exists, and False where that cannot be found out: a folder that was closed, a server that is gone."""
    try:
        return path.exists()
    except OSError:
        return False


def claim(path: Path) -> tuple[int | None, bool]:
    """(descriptor to give to :func:`release`, True) where no other process compiles what will lie at ``path``.

    (None, True) where the system cannot say so, and (None, False) where another does.
    """
    try:
        lock = os.open(_busy(path), os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except PermissionError:  # Windows, while the other one removes it
        return None, sys.platform != "win32"
    except OSError:
        return None, True
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(OSError):  # a full disk
                os.truncate(lock, 0)
                os.write(lock, b"%d" % os.getpid())
        return lock, True
    except OSError as error:
        os.close(lock)
        return None, not isinstance(error, (BlockingIOError, PermissionError))


def _is_stopped(path: Path) -> bool:
    """Whether who compiles what will lie at ``path`` was stopped; False where the system does not tell."""
    try:
        state = Path(f"/proc/{int(_busy(path).read_bytes())}/stat").read_bytes()
    except (OSError, ValueError):  # nobody, nobody yet, or no such system
        return False
    return state.rpartition(b")")[2].split()[0] in (b"T", b"t")


def release(path: Path, lock: int | None) -> None:
    """Ends what :func:`claim` began."""
    if lock is None:
        return
    if sys.platform == "win32":  # an open file stays
        os.close(lock)
    with contextlib.suppress(OSError):
        _busy(path).unlink()
    if sys.platform != "win32":
        os.close(lock)


def _busy(path: Path) -> Path:
    return path.with_suffix(".busy")


def cache_folder() -> Path:
    """Where compiled kernels are kept: under $NUMBA_CACHE_DIR, or the user's own cache folder."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen) / f"gradvec-{os.getuid() if hasattr(os, 'getuid') else 'kernels'}"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "gradvec" / "kernels"


@cache
def usable_folder() -> Path | None:
    """:func:`cache_folder`, made where it is missing; None where there is none that is the user's alone."""
    try:
        folder = cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(folder):
            faults.append(f"{folder} is no folder or a link, or belongs to another user")
            return None
        tempfile.TemporaryFile(dir=folder).close()
        _sweep(folder)
        return folder
    except (OSError, RuntimeError) as error:  # RuntimeError: a user without a home
        faults.append(f"{getattr(error, 'filename', None) or 'the cache folder'}: "
                      f"{getattr(error, 'strerror', None) or error}")
        return None


def _sweep(folder: Path) -> None:
    """Removes what processes left that were ended while they compiled or wrote, as helpers are at the end of a run, and
    kernels of former versions."""
    for path in folder.iterdir():
        begun = path.name.startswith(".") or path.suffix == ".busy"
        if begun or path.suffix == SUFFIX:
            with contextlib.suppress(OSError):
                if abs(time.time() - path.lstat().st_mtime) > (LEFT_S if begun else UNUSED_S):
                    path.unlink()


def _private(folder: Path) -> bool:
    if sys.platform == "win32":
        return folder.is_dir()
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        return False
    if info.st_mode & 0o077:
        folder.chmod(0o700)
    return True


@cache
def sources_digest(folder: Path) -> str:
    """Changes with any Python file in ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class KernelCache(NullCache):
    """The kept machine code of one kernel, a file for each types of its arguments. For a numba dispatcher.

    Nothing here raises: what fails is noted in :data:`faults`, and the kernel is compiled.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @property
    def cache_path(self) -> str | None:
        folder = usable_folder()
        return str(folder) if folder is not None else None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel for the argument types ``sig``, or None."""
        path = None
        try:
            target_context.refresh()
            path = self._path(sig, target_context.codegen())
            payload = _read(path) if path is not None else None
            return CompileResult._rebuild(target_context, *payload) if payload is not None else None
        except Exception as error:  # whatever a damaged or foreign file makes unpickling or LLVM raise
            faults.append(f"{path}: {type(error).__name__}: {error}")
            if path is not None:
                with contextlib.suppress(OSError):
                    path.unlink()
            return None

    def path_of(self, sig: Any, target_context: Any) -> Path | None:
        """Where the kernel for the argument types ``sig`` is kept, or None where nothing is."""
        try:
            target_context.refresh()
            return self._path(sig, target_context.codegen())
        except Exception as error:
            faults.append(f"{self._function.__qualname__} cannot be kept: {type(error).__name__}: {error}")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps what was compiled for ``sig``, if it can be kept and there is room."""
        if any(not lifted.can_cache for lifted in data.lifted) or data.library.has_dynamic_globals:
            return
        try:
            path = self._path(sig, data.codegen)
            if path is not None:
                _write(path, dumps(data._reduce()))
        except Exception as error:
            faults.append(f"{self._function.__qualname__} cannot be kept: {type(error).__name__}: {error}")

    def _path(self, sig: Any, codegen: Any) -> Path | None:
        folder = usable_folder()
        if folder is None:
            return None
        source = Path(self._function.__code__.co_filename)
        key = (numba.__version__, sys.version, sig, codegen.magic_tuple(), sources_digest(source.parent))
        name = f"{source.stem}.{self._function.__qualname__}.{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}"
        return folder / f"{name}{SUFFIX}"


def _read(path: Path) -> tuple[Any, ...] | None:
    """What :func:`_write` kept at ``path``; None where nothing is kept.

    Raises:
        ValueError: it is not ours, or not what was written.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
                             | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode) or (hasattr(os, "getuid") and info.st_uid != os.getuid()):
            raise ValueError("it is no file of this user's")
        data = file.read()
        if abs(time.time() - info.st_mtime) > MARKED_S:
            with contextlib.suppress(OSError):
                os.utime(path)
    if hashlib.sha256(data[_DIGEST_BYTES:]).digest() != data[:_DIGEST_BYTES]:
        raise ValueError("it is damaged")
    kept: tuple[Any, ...] = pickle.loads(data[_DIGEST_BYTES:])
    return kept


def _write(path: Path, data: bytes) -> None:
    """Beside its place, then renamed: other processes see the whole file or none."""
    handle, beside = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
