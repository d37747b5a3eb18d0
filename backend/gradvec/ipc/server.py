"""The engine's entry points: one engine for all callers of a user, or one for a single caller.

Jobs are run by the function that ``Launch.jobs`` names, which is imported in the worker only.
"""

from __future__ import annotations

import time
from pathlib import Path

from .. import __version__
from .launch import Launch
from .quiet import log, take_standard_streams
from .state import Lock, State, private_dir
from .supervisor import Supervisor


def serve(launch: Launch, state: State) -> bool:
    """Runs the engine of ``state`` until it is to end; false when another one has that place.

    Raises:
        EngineError: the directory is unusable or no socket could be made.
    """
    private_dir(state.directory)
    lock = _patient_lock(state)
    if lock is None:
        return False
    supervisor = Supervisor(launch, state.log_path)
    supervisor.listen(state, lock)
    log(f"The engine {__version__} listens in {state.directory}.")
    supervisor.run()
    log("The engine ends.")
    return True


def _patient_lock(state: State, seconds: float = 0.5) -> Lock | None:
    """The lock, or None when an engine has it; somebody who only looks whether it is held has it for a moment."""
    deadline = time.monotonic() + seconds
    while True:
        lock = state.lock()
        if lock is not None or state.serving() or time.monotonic() > deadline:
            return lock
        time.sleep(0.02)


def serve_standard_streams(launch: Launch, log_path: Path) -> None:
    """One-shot: the same frames on standard input and output; ends with its caller."""
    supervisor = Supervisor(launch, log_path)
    supervisor.serve_one(take_standard_streams())
    supervisor.run()
