"""Sockets to an engine: to the one that runs, or to a child of one's own."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ..errors import EngineError
from .launch import Launch, clean_environment, quiet_window
from .state import Address, State, private_dir

AGAIN = "Run it again; a new engine starts by itself."


def wait(sock: socket.socket, what: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, what)
        return bool(selector.select(seconds))


def reach(address: Address, timeout: float) -> socket.socket:
    """A socket connected to the engine, over its Unix socket or else its loopback port."""
    ways: list[tuple[int, Any]] = []
    if address.socket and hasattr(socket, "AF_UNIX"):
        ways.append((socket.AF_UNIX, address.socket))
    if address.port:
        ways.append((socket.AF_INET, ("127.0.0.1", address.port)))
    for family, where in ways:
        sock = _connected(family, where, timeout)
        if sock is not None:
            return sock
    raise absent()


def _connected(family: int, where: Any, timeout: float) -> socket.socket | None:
    """A socket, or None when nobody listens there."""
    deadline = time.monotonic() + timeout
    while True:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
            sock.connect(where)
            return sock
        except (BlockingIOError, TimeoutError, socket.timeout):  # noqa: UP041, they differ on Python 3.9
            sock.close()
            if time.monotonic() > deadline:
                raise silent() from None
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
                                 env=clean_environment(os.environ), **quiet_window())
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


def absent() -> EngineError:
    return EngineError("No engine is running.", "It is started when it is needed.", "engine.absent")


def closed() -> EngineError:
    return EngineError("The connection to the engine is closed.", AGAIN, "engine.lost")


def not_understood() -> EngineError:
    return EngineError("The engine's greeting is not understood.",
                       "Run `gradvec install-extension` again, so that engine and extension are the same version.",
                       "engine.version")


def silent(what: str = "does not answer") -> EngineError:
    return EngineError(f"The engine {what}.", "Run `gradvec engine stop` and try again.", "engine.silent")
