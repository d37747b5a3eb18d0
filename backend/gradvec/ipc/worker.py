"""The warm worker: one process that has the numeric libraries loaded and runs one job after the other.

It reads frames from its supervisor on what was its standard input and answers on what was its standard output; both
names then lead to the log, so that a library that prints harms nothing. It ends with its supervisor.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from ..errors import Cancelled, EngineError, GradvecError
from ..progress import CancelToken, Run, notes_to
from .events import error_frame
from .messages import TRUSTED, Frame, ProtocolError
from .quiet import in_short, log, take_standard_streams
from .reports import Reports
from .stream import Stream

SMALLER = "Close other programs, or choose a smaller working size or fewer strokes, and try again."


def load_function(name: str, paths: tuple[str, ...]) -> Callable[..., Any]:
    """The function that "module:function" names, imported with ``paths`` in front.

    Raises:
        EngineError: it cannot be imported; the cause is kept.
    """
    module_name, _, attribute = name.partition(":")
    sys.path[:0] = [path for path in paths if path not in sys.path]
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except Exception as error:
        raise _incomplete(error) from error


def _incomplete(error: BaseException) -> EngineError:
    return EngineError(f"The engine's own Python environment is incomplete: {in_short(error)}.",
                       "Run `gradvec doctor`, or install gradvec again.", "engine.install")


class Worker:
    """Runs jobs on the main thread, as numeric libraries like it, while a second thread listens."""

    def __init__(self, stream: Stream, jobs: str, paths: tuple[str, ...], log_path: str) -> None:
        self._stream = stream
        self._jobs, self._paths, self._log_path = jobs, paths, log_path
        self._inbox: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._token = CancelToken()
        self._sending = threading.Lock()
        self._device: str | None = None

    def run(self) -> None:
        """Until the supervisor is gone."""
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            run_job = load_function(self._jobs, self._paths)
        except EngineError as error:
            self._send(self._told(error))
            return
        try:
            getattr(sys.modules[self._jobs.partition(":")[0]], "warm_up", lambda: None)()
        except Exception as error:  # what is really missing is told by the job that needs it
            self._log_traceback(error)
        self._send(Frame("ready"))
        while True:
            self._tell_device()
            self._run_job(run_job, self._inbox.get())
            _free_memory()

    def _listen(self) -> None:
        while True:
            try:
                frame = self._stream.receive(TRUSTED)
            except ProtocolError as error:
                log(str(error))
                frame = None
            if frame is None:
                os._exit(0)
            if frame.type == "job":
                self._token = CancelToken()
                self._inbox.put(frame)
            elif frame.type == "cancel":
                self._token.cancel()
            elif frame.type == "keep":
                self._token.stop_and_keep()
            del frame

    def _run_job(self, run_job: Callable[..., Any], frame: Frame) -> None:
        body, payloads = frame.body, frame.payloads
        del frame
        reports = Reports(self._send, float(body.get("previews") or 0.0))
        run = Run(on_progress=reports.progress, on_preview=reports.preview, token=self._token)
        try:
            told: list[str] = []
            with notes_to(told.append):
                results, info = run_job(body["kind"], body["options"], payloads, body["info"], run)
            for note in told:
                log(note)
            self._send(Frame("result", {"info": {**info, **({"notes": told} if told else {})}}, dict(results)))
        except BaseException as error:  # SystemExit out of a library ends the job, not the engine
            self._send(self._told(error))

    def _send(self, frame: Frame) -> None:
        with self._sending:
            try:
                self._stream.send(frame)
            except OSError:
                os._exit(0)

    def _told(self, error: BaseException) -> Frame:
        """The error as the user is told it; what is not our own goes to the log with its traceback."""
        if isinstance(error, GradvecError) and not isinstance(error, ProtocolError):
            if error.__cause__ is not None and not isinstance(error, Cancelled):
                self._log_traceback(error)
            return error_frame(error)
        self._log_traceback(error)
        if isinstance(error, ImportError):
            return error_frame(_incomplete(error))
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return error_frame(EngineError("There is not enough memory for this run.", SMALLER, "engine.memory"))
        return error_frame(EngineError(f"The engine met a fault that it does not know: {in_short(error)}.",
                                       f"The details are in the log: {self._log_path}", "engine.unexpected"))

    @staticmethod
    def _log_traceback(error: BaseException) -> None:
        log("".join(traceback.format_exception(type(error), error, error.__traceback__)))

    def _tell_device(self) -> None:
        """Says what the engine computes on as soon as a library that knows is loaded; never loads one for it."""
        torch = sys.modules.get("torch")
        if self._device is None and torch is not None:
            self._device = "cpu"
            with contextlib.suppress(Exception):
                if torch.cuda.is_available():
                    self._device = f"cuda ({torch.cuda.get_device_name(0)})"
            self._send(Frame("device", {"device": self._device}))


def _free_memory() -> None:
    """Gives back what the job held, on the graphics card too, where other programs may want it."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None:
        with contextlib.suppress(Exception):
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()


def _end_with_parent(parent: int) -> None:
    """On Linux the kernel ends this process with its parent, even while a library does not let Python run."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # 1 = PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


def _first_to_go() -> None:
    """When memory runs out the kernel is to end this process, not the program with the artist's unsaved work."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("700")


def main(jobs: str, paths: tuple[str, ...], parent: int, log_path: str) -> None:
    stream = take_standard_streams()
    _end_with_parent(parent)
    _first_to_go()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(Exception):
        faulthandler.enable(2)
    Worker(stream, jobs, paths, log_path).run()
    os._exit(0)
