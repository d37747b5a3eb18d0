"""The warm worker: one process that has the numeric libraries loaded and runs one job after the other.

It reads frames from its supervisor on what was its standard input and answers on what was its standard output; both
names then lead to the log, so that a library that prints harms nothing. It ends with its supervisor.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import io
import math
import os
import queue
import signal
import struct
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable
from typing import Any

from ..errors import Cancelled, EngineError, GradvecError
from ..progress import CancelToken, Progress, Run
from .messages import TRUSTED, Frame, ProtocolError, error_frame
from .stream import Stream

#: Reports are for eyes: more of them cost time and nothing is seen.
PROGRESS_SECONDS = 0.05
#: A preview may take this share of the run's time.
PREVIEW_SHARE = 0.1
PREVIEW_SIDE_MAX = 1024


class _QuietText(io.TextIOBase):
    """A text stream onto a descriptor that nothing can make fail: a full disk must not end a job."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            os.write(self._fd, text.encode("utf-8", "backslashreplace"))
        return len(text)


def take_standard_streams() -> Stream:
    """Keeps standard input and output for frames; from now on everybody else reads nothing and prints to the log."""
    stream = Stream.of_files(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = _QuietText(1)
    sys.stderr = _QuietText(2)
    return stream


def log(text: str) -> None:
    """One line with time and process into the log."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} [{os.getpid()}] {text}\n"
    with contextlib.suppress(OSError):
        os.write(2, line.encode("utf-8", "backslashreplace"))


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
        raise EngineError(f"The engine's own Python environment is incomplete: {_in_short(error)}.",
                          "Run `gradvec doctor`, or install gradvec again.", "engine.install") from error


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
            warm_up = getattr(sys.modules[self._jobs.partition(":")[0]], "warm_up", None)
            if warm_up is not None:
                warm_up()
        except Exception as error:
            self._send(self._told(error))
            return
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
        reports = _Reports(self._send, float(body.get("previews") or 0.0))
        run = Run(on_progress=reports.progress, on_preview=reports.preview, token=self._token)
        try:
            results, info = run_job(body["kind"], body["options"], payloads, body["info"], run)
            self._send(Frame("result", {"info": dict(info)}, dict(results)))
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
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return error_frame(EngineError("There is not enough memory for this run.", SMALLER, "engine.memory"))
        return error_frame(EngineError(f"The engine met a fault that it does not know: {_in_short(error)}.",
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


SMALLER = "Close other programs, or choose a smaller working size or fewer strokes, and try again."


def _in_short(error: BaseException) -> str:
    """Kind and first line of a foreign error, for one sentence."""
    lines = str(error).strip().splitlines()
    text = lines[0].rstrip(".")[:200] if lines else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _free_memory() -> None:
    """Gives back what the job held, on the graphics card too, where other programs may want it."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None:
        with contextlib.suppress(Exception):
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()


class _Reports:
    """Progress and previews of one job, not more often than somebody can see."""

    def __init__(self, send: Callable[[Frame], None], preview_seconds: float) -> None:
        self._send = send
        self._preview_seconds = preview_seconds
        self._stage = ""
        self._next_progress = 0.0
        self._next_preview = 0.0 if preview_seconds > 0 else math.inf

    def progress(self, report: Progress) -> None:
        now = time.monotonic()
        if not math.isfinite(report.fraction) or now < self._next_progress and report.stage == self._stage:
            return
        self._stage, self._next_progress = report.stage, now + PROGRESS_SECONDS
        left = report.seconds_left
        body = {"stage": report.stage, "fraction": report.fraction,
                "seconds_left": left if left is not None and math.isfinite(left) else None}
        self._send(Frame("progress", body))

    def preview(self, make: Callable[[], Any]) -> None:
        started = time.monotonic()
        if started < self._next_preview:
            return
        try:
            picture = make()
            png = picture if isinstance(picture, bytes) else encode_png(picture)
        except GradvecError:
            raise
        except Exception as error:  # a preview that fails is no reason to lose the run
            log("The previews stop, because one failed: " + _in_short(error))
            self._next_preview = math.inf
            return
        self._send(Frame("preview", {}, {"png": png}))
        spent = time.monotonic() - started
        self._next_preview = started + max(self._preview_seconds, spent / PREVIEW_SHARE)


def encode_png(picture: Any) -> bytes:
    """An (H, W, 3) uint8 array as a PNG, thinned out to at most PREVIEW_SIDE_MAX pixels a side.

    Works on anything that has ``shape``, slices and ``tobytes``, so numpy need not be imported for it.
    """
    step = -(-max(picture.shape[0], picture.shape[1]) // PREVIEW_SIDE_MAX)
    picture = picture[::step, ::step]
    height, width, channels = picture.shape
    if channels != 3 or str(picture.dtype) != "uint8":
        raise ValueError(f"a preview must be (H, W, 3) uint8, not {picture.shape} {picture.dtype}")
    data, row = picture.tobytes(), 3 * width
    lines = b"".join(b"\0" + data[start:start + row] for start in range(0, height * row, row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks)


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
