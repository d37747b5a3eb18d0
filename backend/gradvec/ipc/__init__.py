"""The engine as a process of its own: frames, one warm engine per user, and the client that talks to it.

Standard library only, and Python 3.8 is enough, because Inkscape's own Python imports this package. docs/protocol.md
says what travels; ``gradvec.ipc.client.Client`` is what a caller needs. Here is what ``gradvec engine serve | status |
stop | restart | logs`` do; they import what they need when they are called, because every process of the engine
imports this file.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import EXIT_DONE, EngineError


def serve_command(idle_minutes: float = 10.0, state_dir: Path | None = None, tcp: bool = False) -> int:
    """Runs the engine in this process until it is idle, stopped or interrupted; its messages go to the log.

    tcp: also listen on a loopback port, for an Inkscape in a sandbox.

    Raises:
        EngineError: one runs already (code "engine.running"), or it cannot listen.
    """
    from .launch import Launch
    from .state import State, private_dir
    from .supervisor import serve

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


def one_shot_command(state_dir: Path | None = None) -> int:
    """Serves one caller over standard input and output, with the frames of docs/protocol.md, and ends with it."""
    from .launch import Launch
    from .state import State
    from .supervisor import serve_standard_streams

    serve_standard_streams(Launch.own(), State(state_dir).log_path)
    return EXIT_DONE


def status(state_dir: Path | None = None) -> dict[str, Any]:
    """running, pid, version, device, socket; None for what is not known. An engine that runs also tells python, log,
    worker, running_job, waiting_jobs and idle_minutes. An engine that hangs is running, with answering false."""
    from .client import Client
    from .state import State

    state = State(state_dir)
    nothing = {"running": False, "pid": None, "version": None, "device": None, "socket": None}
    try:
        with Client.connect(state_dir, warm=False) as client:
            told = client.status()
            return {**nothing, "running": True, "answering": True, **told, "python": client.hello.executable,
                    "log": client.hello.log}
    except EngineError as error:
        pid = state.holder_if_known()
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
    from .client import Client
    from .state import State

    try:
        with Client.connect(state_dir, warm=False) as client:
            client.stop()
            return True
    except EngineError:
        return State(state_dir).kill_holder()


def restart(state_dir: Path | None = None) -> bool:
    """Ends the engine, as :func:`stop` does, and starts another; whether one ran before.

    Raises:
        EngineError: it could not be ended, or none starts.
    """
    from .client import Client

    ran = stop(state_dir)
    with Client.connect_or_start(state_dir=state_dir):
        return ran


def log_lines(count: int, state_dir: Path | None = None) -> str:
    """The last ``count`` lines of the engine's log, and of the one before it if that is not enough."""
    from .state import State

    lines = State(state_dir).log_tail().splitlines(keepends=True)
    return "".join(lines[-count:])
