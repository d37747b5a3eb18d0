"""How processes of the engine are started and reached: which Python, arguments and environment, which socket.

    caller --> launcher --> engine (supervisor) --> worker
The launcher ends as soon as an engine answers, so the caller never owns a process that outlives it: no zombie, no
warning about a child left running, and no stream that keeps Inkscape waiting.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import EngineError, GradvecError, from_wire
from .protocol import SILENCE_SECONDS
from .state import Address, State, private_dir

DEFAULT_JOBS = "gradvec.jobs:run_job"
START_SECONDS = 20.0
#: What a disk must take for an engine's own files and log.
_PROBE_BYTES = 1 << 14
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
#: Variables that a host program (Inkscape, AppImage, Snap, another Python) sets for itself and that break a child.
_HOST_PREFIXES = ("PYTHON", "LD_", "DYLD_", "GI_", "GTK_", "GDK_", "GIO_")
_HOST_NAMES = ("DOCUMENT_PATH", "INKSCAPE_PROFILE_DIR")


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` without what a host program has set for itself, and with threads that sleep while they wait.

    OpenMP reads the latter when it is loaded, so it has to be there before the process starts (render/threads.py).
    """
    kept = {name: value for name, value in environ.items()
            if not name.upper().startswith(_HOST_PREFIXES) and name.upper() not in _HOST_NAMES}
    return {"OMP_WAIT_POLICY": "PASSIVE", **kept}


@dataclass(frozen=True)
class Launch:
    """Which engine to start.

    python: the interpreter of the engine's environment. root: directory that holds the package gradvec, or "" where
    that interpreter finds it by itself. jobs: "module:function" that runs the jobs. paths: further directories to
    import from. idle_minutes: after so long without work the engine ends. tcp: listen on a loopback port as well.
    silence_seconds: a worker that gives no sign of life for so long is replaced.
    """

    python: str
    root: str = ""
    jobs: str = DEFAULT_JOBS
    paths: tuple[str, ...] = ()
    idle_minutes: float = 10.0
    tcp: bool = False
    silence_seconds: float = SILENCE_SECONDS

    @classmethod
    def own(cls) -> Launch:
        """This very interpreter and package; $GRADVEC_ENGINE_JOBS and $GRADVEC_ENGINE_PATH put a fake in its place."""
        return cls(sys.executable, str(_PACKAGE_ROOT)).with_environment(os.environ)

    def with_environment(self, environ: Mapping[str, str]) -> Launch:
        """The same with what $GRADVEC_ENGINE_JOBS and $GRADVEC_ENGINE_PATH say, for tests and trials."""
        paths = tuple(p for p in environ.get("GRADVEC_ENGINE_PATH", "").split(os.pathsep) if p)
        return replace(self, jobs=environ.get("GRADVEC_ENGINE_JOBS") or self.jobs, paths=paths or self.paths)

    def command(self, role: str, *arguments: str) -> list[str]:
        """The command line of a process in ``role``: start, serve, one-shot or worker."""
        root = os.path.abspath(self.root)
        entry = [os.path.join(root, "gradvec", "ipc", "__main__.py")] if self.root else ["-m", "gradvec.ipc"]
        words = [self.python, "-I", *entry, role, "--jobs", self.jobs,
                 "--silence-seconds", repr(self.silence_seconds)]
        for path in self.paths:
            words += ["--path", os.path.abspath(path)]
        return words + list(arguments)


def own_session() -> dict[str, Any]:
    """Arguments to Popen for a process of its own: own session, and no console window on Windows."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def start_engine(launch: Launch, state: State) -> None:
    """Starts an engine in ``state`` and returns when one answers there, this one or another caller's.

    Raises:
        EngineError: it did not start; the message says why.
    """
    command = launch.command("start", "--state-dir", str(state.directory), "--idle-minutes", repr(launch.idle_minutes),
                             *(["--tcp"] if launch.tcp else []))
    try:
        done = subprocess.run(command, env=clean_environment(os.environ), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=2 * START_SECONDS, check=False, **own_session())
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else "it does not answer"
        raise EngineError(f"The engine could not be started with {launch.python}: {why}.", _REINSTALL,
                          "engine.start") from error
    if done.returncode:
        raise _told_by_launcher(launch, done.stdout, done.stderr)


_REINSTALL = "Run `gradvec doctor`, or install gradvec and its extension again."


def _told_by_launcher(launch: Launch, stdout: bytes, stderr: bytes) -> GradvecError:
    """The launcher's own error, or the last line that Python said before it gave up."""
    try:
        told = json.loads(stdout.decode("utf-8"))
        return from_wire(str(told["code"]), str(told["message"]), str(told["remedy"]))
    except (ValueError, KeyError, TypeError):
        lines = stderr.decode("utf-8", "replace").strip().splitlines()
        why = lines[-1][:300] if lines else "it said nothing"
        return EngineError(f"The engine could not be started with {launch.python}: {why}.", _REINSTALL, "engine.start")


def launch_and_wait(serve: list[str], state: State) -> None:
    """What the launcher does: starts ``serve`` and waits until an engine is to be found in ``state``.

    Raises:
        EngineError: the directory is unusable, or the engine ended, or it did not answer in time.
    """
    private_dir(state.directory)
    before = state.address()
    engine = _spawn(serve, state)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        address = state.address()
        if address is not None and address != before:
            return
        code = engine.poll()
        if code:
            raise _ended(code, state)
        if code == 0:  # another engine holds the lock: it listens already, or it is about to end
            if address is not None:
                return
            engine = _spawn(serve, state)
        time.sleep(0.01)
    raise EngineError(f"The engine did not start within {START_SECONDS:.0f} seconds.",
                      f"The log may say why: {state.log_path}", "engine.start")


def _ended(code: int, state: State) -> EngineError:
    """Why an engine ended; where its disk is full its log cannot say it."""
    try:
        with tempfile.TemporaryFile(dir=str(state.directory), buffering=0) as probe:
            probe.write(bytes(_PROBE_BYTES))
    except OSError as error:
        return EngineError(f"The engine cannot write into {state.directory}: {error.strerror or error}.",
                           "Free some space, or set GRADVEC_STATE_DIR to another directory.", "engine.directory")
    return EngineError(f"The engine ended while it started (exit code {code}).",
                       f"The log says why: {state.log_path}", "engine.start")


def _spawn(serve: list[str], state: State) -> subprocess.Popen[bytes]:
    log = state.open_log()
    try:
        return subprocess.Popen(serve, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=str(state.directory),
                                **own_session())
    finally:
        os.close(log)

def fingerprint(package: Path = _PACKAGE_ROOT / "gradvec") -> str:
    """Changes when a source file of the package does: an engine must not go on with half of an upgrade."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        with contextlib.suppress(OSError):
            info = path.stat()
            digest.update(f"{path} {info.st_size} {info.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


AGAIN = "Run it again; a new engine starts by itself."


def reach(address: Address, timeout: float) -> socket.socket:
    """A socket connected to the engine, over its Unix socket or else its loopback port."""
    candidates: list[tuple[int, Any]] = []
    if address.socket and hasattr(socket, "AF_UNIX"):
        candidates.append((socket.AF_UNIX, address.socket))
    if address.port:
        candidates.append((socket.AF_INET, ("127.0.0.1", address.port)))
    for family, place in candidates:
        sock = _connected(family, place, timeout)
        if sock is not None:
            return sock
    raise connection_error("absent")


def _connected(family: int, place: Any, timeout: float) -> socket.socket | None:
    """A socket, or None when no process listens there."""
    deadline = time.monotonic() + timeout
    while True:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
            sock.connect(place)
            return sock
        except (BlockingIOError, TimeoutError, socket.timeout):  # noqa: UP041, they differ on Python 3.9
            sock.close()
            if time.monotonic() > deadline:
                raise connection_error("silent") from None
            time.sleep(0.02)  # a Unix socket whose queue is full says so at once
        except OSError:
            sock.close()
            return None


def start_one_shot(launch: Launch, state_dir: Path | None) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """A child whose standard input and output lead to the returned socket, and whose messages go to the log."""
    ours, theirs = socket.socketpair()
    state = State(state_dir)
    try:
        private_dir(state.directory)
        log = state.open_log()
    except EngineError:  # no place for a log is no reason not to work
        log = os.open(os.devnull, os.O_WRONLY)
    # Windows cannot pass sockets as standard streams: there two threads carry the bytes.
    direct = sys.platform != "win32"
    ends: Any = theirs.fileno() if direct else subprocess.PIPE
    command = launch.command("one-shot", "--state-dir", str(state.directory))
    try:
        child = subprocess.Popen(command, stdin=ends, stdout=ends, stderr=log, bufsize=0,
                                 env=clean_environment(os.environ), **own_session())
    except (OSError, ValueError) as error:
        ours.close()
        theirs.close()
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise EngineError(f"The engine could not be started with {launch.python}: {why}.",
                          "Run `gradvec doctor`, or install gradvec and its extension again.",
                          "engine.start") from error
    finally:
        os.close(log)
    if direct:
        theirs.close()
    else:
        _bridge(theirs, child)
    return ours, child


def end_child(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Waits for a one-shot engine that has lost its caller, and kills it when it stays."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _bridge(sock: socket.socket, child: subprocess.Popen[bytes]) -> None:
    """Carries bytes between a socket and a child's pipes until either ends."""
    def inwards() -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := sock.recv(1 << 20):
                view = memoryview(data)
                while view:
                    view = view[child.stdin.write(view) or 0:]  # type: ignore[union-attr]
        with contextlib.suppress(OSError):
            child.stdin.close()  # type: ignore[union-attr]

    def outwards() -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := child.stdout.read(1 << 20):  # type: ignore[union-attr]
                sock.sendall(data)
        sock.close()

    for carry in (inwards, outwards):
        threading.Thread(target=carry, daemon=True).start()


def connection_error(code: str, message: str = "") -> EngineError:
    """What a client says of its connection; ``message`` in place of the usual sentence of that code."""
    usual, remedy = _CONNECTION_ERRORS[code]
    return EngineError(message or usual, remedy, "engine." + code)


_CONNECTION_ERRORS = {
    "absent": ("No engine is running.", "It is started when it is needed."),
    "lost": ("The connection to the engine is closed.", AGAIN),
    "refused": ("What answers at the engine's address is not the engine.", AGAIN),
    "silent": ("The engine does not answer.", "Run `gradvec engine stop` and try again."),
    "version": ("The engine's greeting is not understood.",
                "Run `gradvec install-extension` again, so that engine and extension are the same version."),
}
