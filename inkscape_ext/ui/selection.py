"""Selects objects in Inkscape from outside: an effect's output cannot say what is to be selected.

Where Inkscape can be reached over D-Bus (Linux), a small program of its own waits until the effect has ended and then
runs Inkscape's action ``select-by-id``. It is this file, run by itself, so it imports the standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

NAME, PATH = "org.inkscape.Inkscape", "/org/inkscape/Inkscape"
WAIT_SECONDS = 20.0
CHUNK = 500


def possible() -> bool:
    """Whether an Inkscape answers to its name on the session's bus."""
    if not shutil.which("gdbus") or not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return False
    asked = _gdbus("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", NAME)
    return asked is not None and "true" in asked


def select_later(ids: list[str]) -> None:
    """Starts the program that selects ``ids`` as soon as this process has ended."""
    program = subprocess.Popen([sys.executable, os.path.abspath(__file__), str(os.getpid())], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    assert program.stdin is not None
    program.stdin.write(json.dumps(ids).encode())
    program.stdin.close()
    program.returncode = 0  # it outlives this process on purpose; nobody is to wait for it or to warn of it


def _gdbus(destination: str, path: str, method: str, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["gdbus", "call", "--session", "--timeout", "60", "--dest", destination, "--object-path",
                               path, "--method", method, *arguments], capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _activate(action: str, argument: str | None = None) -> None:
    parameter = "[]" if argument is None else f"[<{json.dumps(argument)}>]"
    _gdbus(NAME, PATH, "org.gtk.Actions.Activate", action, parameter, "{}")


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while os.getppid() == pid and time.monotonic() < deadline:
        time.sleep(0.02)


def main() -> None:
    ids = json.loads(sys.stdin.buffer.read())
    _wait_for_end(int(sys.argv[1]))
    time.sleep(0.2)
    _activate("select-clear")
    for start in range(0, len(ids), CHUNK):
        _activate("select-by-id", ",".join(ids[start:start + CHUNK]))


if __name__ == "__main__":
    main()
