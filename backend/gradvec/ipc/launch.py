"""How processes of the engine are started: which Python, with which arguments, in which environment.

    caller --> launcher --> engine (supervisor) --> worker
The launcher ends as soon as an engine answers, so the caller never owns a process that outlives it: no zombie, no
warning about a child left running, and no stream that keeps Inkscape waiting.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import EngineError, GradvecError, from_wire
from .state import State, private_dir

DEFAULT_JOBS = "gradvec.jobs:run_job"
START_SECONDS = 20.0
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
    """

    python: str
    root: str = ""
    jobs: str = DEFAULT_JOBS
    paths: tuple[str, ...] = ()
    idle_minutes: float = 10.0
    tcp: bool = False

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
        words = [self.python, "-I", *entry, role, "--jobs", self.jobs]
        for path in self.paths:
            words += ["--path", os.path.abspath(path)]
        return words + list(arguments)


def quiet_window() -> dict[str, Any]:
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
                              capture_output=True, timeout=2 * START_SECONDS, check=False, **quiet_window())
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
            raise EngineError(f"The engine ended while it started (exit code {code}).",
                              f"The log says why: {state.log_path}", "engine.start")
        if code == 0:  # another engine holds the lock: it listens already, or it is about to end
            if address is not None:
                return
            engine = _spawn(serve, state)
        time.sleep(0.01)
    raise EngineError(f"The engine did not start within {START_SECONDS:.0f} seconds.",
                      f"The log may say why: {state.log_path}", "engine.start")


def _spawn(serve: list[str], state: State) -> subprocess.Popen[bytes]:
    log = state.open_log()
    try:
        return subprocess.Popen(serve, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=str(state.directory),
                                **quiet_window())
    finally:
        os.close(log)
