"""What the tests of the engine process share."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from gradvec.ipc.client import ErrorEvent, ProgressEvent, ResultEvent
from gradvec.ipc.state import State

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "backend" / "gradvec"


def copy_package(target: Path, version: str = "") -> Path:
    """What an engine needs of the package and no more, as it would lie elsewhere; returns the directory to import
    from. Tests run on a copy, because an engine steps aside when its files change."""
    shutil.copytree(PACKAGE / "ipc", target / "gradvec" / "ipc", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "errors.py", "progress.py"):
        shutil.copy2(PACKAGE / name, target / "gradvec" / name)
    if version:
        (target / "gradvec" / "__init__.py").write_text(f'__version__ = "{version}"\n')
    return target


#: When waiting is given up, s: far beyond what a shared and busy machine takes, so that it only ends what hangs.
PATIENCE = 90.0


def last_event(client, seconds=PATIENCE, also=None):
    """The event that ends the job; the others go to the list ``also``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        event = client.poll(0.2)
        if isinstance(event, (ResultEvent, ErrorEvent)):
            return event
        if event is not None and also is not None:
            also.append(event)
    raise AssertionError(f"the job did not end within {seconds} s")


def wait_for(condition, seconds=PATIENCE):
    """Waits until ``condition()`` is true."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"still not so after {seconds} s")


def wait_for_event(client, kind, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        event = client.poll(0.2)
        if isinstance(event, kind):
            return event
        assert not isinstance(event, (ResultEvent, ErrorEvent)), event
    raise AssertionError(f"no {kind.__name__} within {seconds} s")


def while_time_passes(seconds, meanwhile):
    """Calls ``meanwhile()`` again and again until more time has passed than ``seconds``: for what must not happen in
    that time. A slow machine only makes it longer."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        meanwhile()


def wait_until_running(client):
    """Until the worker is inside the client's job."""
    wait_for(lambda: client.status()["running_job"] and client.status()["worker"] is not None)
    worker = client.status()["worker"]
    wait_for(lambda: b"begins" in Path(client.hello.log).read_bytes())
    return worker


def wait_until_painting(client):
    """Until the job itself, not the engine that starts for it, tells how far it is."""
    while wait_for_event(client, ProgressEvent).stage != "painting":
        pass


def alive(pid):
    """Whether a process runs; one that has ended and was not waited for does not. One whose first thread has ended
    while others still hold its files and locks does."""
    return any(_state(thread) not in ("Z", "X") for thread in Path(f"/proc/{pid}/task").glob("*"))


def _state(thread):
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def log_of(state_dir):
    return State(state_dir).log_path.read_text("utf-8", "replace")


def leftovers(word):
    """Processes with ``word`` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if word in path.read_bytes() and alive(path.parent.name):
                found.append(path.parent.name)
    return found
