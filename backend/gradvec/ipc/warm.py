"""The supervisor's hold on its worker process: start, talk, kill, and say how it died."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ..errors import EngineError
from .launch import Launch, clean_environment, quiet_window
from .messages import Frame
from .stream import Link, Stream
from .worker import SMALLER


class WarmWorker:
    """A worker process; to be made on the supervisor's main thread, which the process then lives and dies with.

    on_frame(worker, frame) and on_gone(worker, returncode) are called from threads of this object; on_gone exactly
    once, after the last frame.
    """

    def __init__(self, launch: Launch, log_path: Path, on_frame: Callable[[WarmWorker, Frame], None],
                 on_gone: Callable[[WarmWorker, int], None]) -> None:
        self.ready = False
        self._on_gone = on_gone
        command = launch.command("worker", "--parent", str(os.getpid()), "--log", str(log_path))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                         env=clean_environment(os.environ), **quiet_window())
        self.pid = self._process.pid
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        # The link owns copies, so that Popen's own files may be closed at once.
        stream = Stream.of_files(os.dup(stdout.fileno()), os.dup(stdin.fileno()))
        stdin.close()
        stdout.close()
        self._link = Link(stream, lambda frame: on_frame(self, frame), lambda: None).start()
        threading.Thread(target=self._wait, daemon=True).start()

    def send(self, frame: Frame) -> None:
        """Queues a frame; what a dead worker is told is lost."""
        self._link.send(frame)

    def kill(self) -> None:
        """Ends the process and all that it has started, at once."""
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            elif self._process.returncode is None:
                os.killpg(self.pid, signal.SIGKILL)

    def _wait(self) -> None:
        code = self._process.wait()
        with contextlib.suppress(OSError, AttributeError):
            os.killpg(self.pid, signal.SIGKILL)  # children that it may have left behind
        self._link.reader.join(0.5)  # what it said last is in the pipe still
        self._link.close()
        self._on_gone(self, code)


def death(code: int, log_path: Path) -> EngineError:
    """What to tell about a worker that ended with ``code`` (negative: by that signal) in the middle of a run."""
    if code == -9:
        return EngineError("The system ended the engine in the middle of the run, most likely because memory ran out.",
                           SMALLER, "engine.killed")
    how = f"exit code {code}"
    if code < 0:
        try:
            how = signal.Signals(-code).name
        except ValueError:
            how = f"signal {-code}"
    return EngineError(f"The engine crashed in the middle of the run ({how}).",
                       f"Try again; if it happens again, please report it with the log: {log_path}", "engine.crashed")
