"""What ``gradvec engine serve | status | stop`` and the one-shot mode do."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import EXIT_DONE, EngineError
from .client import Client
from .launch import Launch
from .state import State, private_dir


def serve_command(idle_minutes: float = 10.0, state_dir: Path | None = None, tcp: bool = False) -> int:
    """Runs the engine in this process until it is idle, stopped or interrupted; its messages go to the log.

    tcp: also listen on a loopback port, for an Inkscape in a sandbox.

    Raises:
        EngineError: one runs already (code "engine.running"), or it cannot listen.
    """
    from .server import serve

    state = State(state_dir)
    private_dir(state.directory)
    print(f"The engine runs until it has been idle for {idle_minutes:g} minutes or you press Ctrl+C.\n"
          f"Directory: {state.directory}\nLog: {state.log_path}", flush=True)
    log, terminal = state.open_log(), os.dup(2)
    os.dup2(log, 2)
    os.close(log)
    try:
        served = serve(replace(Launch.own(), idle_minutes=idle_minutes, tcp=tcp), state)
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
    if not served:
        raise EngineError("An engine runs already.", "End it with `gradvec engine stop`.", "engine.running")
    return EXIT_DONE


def status(state_dir: Path | None = None) -> dict[str, Any]:
    """running, pid, version, device, socket; None for what is not known. An engine that runs also tells python, log,
    worker, running_job, waiting_jobs and idle_minutes. An engine that hangs is running, with answering false."""
    state = State(state_dir)
    nothing = {"running": False, "pid": None, "version": None, "device": None, "socket": None}
    try:
        with Client.connect(state_dir, warm=False) as client:
            told = client.status()
            return {**nothing, "running": True, "answering": True, **told, "python": client.hello.executable,
                    "log": client.hello.log}
    except EngineError as error:
        pid = _holder(state)
        if error.code == "engine.absent" and pid is None:
            return nothing
        address = state.address()
        return {**nothing, "running": pid is not None, "answering": False, "pid": pid,
                "version": address.version if address else None, "socket": str(address) if address else None}


def stop(state_dir: Path | None = None) -> bool:
    """Ends the engine, running jobs too, by force if it does not answer; false when none was running.

    Raises:
        EngineError: it could not be ended.
    """
    state = State(state_dir)
    try:
        with Client.connect(state_dir, warm=False) as client:
            client.stop()
            return True
    except EngineError:
        pid = _holder(state)
    if pid is None:
        return False
    # The lock is held, so the pid in it is the engine's and nobody else's.
    with contextlib.suppress(OSError):
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        if _holder(state) is None:
            return True
        time.sleep(0.05)
    raise EngineError(f"The engine (process {pid}) does not end.", "End that process by hand.", "engine.silent")


def one_shot_command(state_dir: Path | None = None) -> int:
    """Serves one caller over standard input and output, with the frames of docs/protocol.md, and ends with it."""
    from .server import serve_standard_streams

    serve_standard_streams(Launch.own(), State(state_dir).log_path)
    return EXIT_DONE


def _holder(state: State) -> int | None:
    """Pid of the engine that has the lock, None when there is none or it cannot be told."""
    with contextlib.suppress(EngineError):
        return state.holder()
    return None
