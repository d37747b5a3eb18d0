"""The worker: one process that has the numeric libraries loaded and runs one job after the other.

It reads frames from its supervisor on what was its standard input and answers on what was its standard output; both
names then lead to the log, so that what a library prints is no part of the protocol. It ends with its supervisor.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import math
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import SMALLER, Cancelled, EngineError, GradvecError, out_of_memory
from ..progress import CancelToken, Progress, Run, notes_to
from .launch import Launch, clean_environment, own_session
from .protocol import TRUSTED, Frame, ProtocolError, encode, error_frame
from .stream import Link, Stream, in_short, log, take_standard_streams

#: Reports are for eyes: more of them cost time and nothing is seen.
PROGRESS_SECONDS = 0.05
#: A preview may take this share of the run's time.
PREVIEW_SHARE = 0.1
PREVIEW_SIDE_MAX = 1024


class Reports:
    """Progress and previews of one job, not more often than a person can see."""

    def __init__(self, send: Callable[[Frame], None], preview_seconds: float) -> None:
        self._send = send
        self._preview_seconds = preview_seconds
        self._stage = ""
        self._next_progress = 0.0
        self._next_preview = 0.0 if preview_seconds > 0 else math.inf

    def progress(self, report: Progress) -> None:
        now = time.monotonic()
        too_soon = now < self._next_progress and report.stage == self._stage
        if too_soon or not math.isfinite(report.fraction):
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
            log("The previews stop, because one failed: " + in_short(error))
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
        raise out_of_memory(error) or _incomplete(error) from error


def _incomplete(error: BaseException) -> EngineError:
    return EngineError(f"The engine's own Python environment is incomplete: {in_short(error)}.",
                       "Run `gradvec doctor`, or install gradvec again.", "engine.install")


class Worker:
    """Runs jobs on the main thread, as numeric libraries like it, while a second thread listens."""

    def __init__(self, stream: Stream, launch: Launch, log_path: str) -> None:
        self._stream = stream
        self._jobs, self._paths, self._log_path = launch.jobs, launch.paths, log_path
        self._beat_seconds = launch.silence_seconds / 6
        self._inbox: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._token = CancelToken()
        self._sending = threading.Lock()
        self._device: str | None = None
        self._job_number = 0

    def run(self) -> None:
        """Until the supervisor is gone."""
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
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

    def _beat(self) -> None:
        """Signs of life, while a library loads or computes too."""
        while True:
            self._send(Frame("alive"))
            time.sleep(self._beat_seconds)

    def _run_job(self, run_job: Callable[..., Any], frame: Frame) -> None:
        body, payloads = frame.body, frame.payloads
        del frame
        self._job_number += 1
        job, started = f"Job {self._job_number}", time.monotonic()
        log(f"{job} begins: {str(body['kind'])[:20]!r}")
        reports = Reports(self._send, float(body.get("previews") or 0.0))
        run = Run(on_progress=reports.progress, on_preview=reports.preview, token=self._token)
        try:
            notes: list[str] = []
            with notes_to(notes.append):
                results, info = run_job(body["kind"], body["options"], payloads, body["info"], run)
            for note in notes:
                log(note)
            told = Frame("result", {"info": {**info, **({"notes": notes} if notes else {})}}, dict(results))
            encode(told)  # a result that cannot be sent is a fault of the job; later it would end the worker
        except BaseException as error:  # SystemExit out of a library ends the job, not the engine
            told = self._told(error)
        log(f"{job} ends after {time.monotonic() - started:.1f} s: {told.body.get('code', 'result')}")
        self._send(told)

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
        if (short := out_of_memory(error)) is not None:
            return error_frame(short)
        if isinstance(error, ImportError):
            return error_frame(_incomplete(error))
        return error_frame(EngineError(f"The engine met a fault that it does not know: {in_short(error)}.",
                                       f"The details are in the log: {self._log_path}", "engine.unexpected"))

    @staticmethod
    def _log_traceback(error: BaseException) -> None:
        log("".join(traceback.format_exception(type(error), error, error.__traceback__)))

    def _tell_device(self) -> None:
        """Says what really computes, as the jobs' module knows it once it has computed, and whenever that changes."""
        with contextlib.suppress(Exception):
            device = getattr(sys.modules[self._jobs.partition(":")[0]], "computes_on", lambda: None)()
            if device is not None and device != self._device:
                self._device = str(device)
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


def main(launch: Launch, parent: int, log_path: str) -> None:
    stream = take_standard_streams()
    _end_with_parent(parent)
    _first_to_go()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(Exception):
        faulthandler.enable(2)
    Worker(stream, launch, log_path).run()
    os._exit(0)


class WorkerProcess:
    """A worker process; to be made on the supervisor's main thread, which the process then lives and dies with.

    on_frame(worker, frame) and on_gone(worker, returncode) are called from threads of this object; on_gone exactly
    once, after the last frame.
    """

    def __init__(self, launch: Launch, log_path: Path, on_frame: Callable[[WorkerProcess, Frame], None],
                 on_gone: Callable[[WorkerProcess, int], None]) -> None:
        self.ready = False
        self._on_frame, self._on_gone = on_frame, on_gone
        self._silence_seconds = launch.silence_seconds
        self._heard_at = self._asked_at = time.monotonic()
        command = launch.command("worker", "--parent", str(os.getpid()), "--log", str(log_path))
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                         env=clean_environment(os.environ), **own_session())
        self.pid = self._process.pid
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        # The link owns copies, so that Popen's own files may be closed at once.
        stream = Stream.of_files(os.dup(stdout.fileno()), os.dup(stdin.fileno()))
        stdin.close()
        stdout.close()
        self._link = Link(stream, self._hear, lambda: None).start()
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

    def hangs(self) -> bool:
        """Whether it has given no sign of life for too long; to be asked at least three times in that span.

        Time in which it was not asked does not count: this process was stopped then, or the computer slept.
        """
        now = time.monotonic()
        if now - self._asked_at > self._silence_seconds / 2:
            self._heard_at = now
        self._asked_at = now
        return now - self._heard_at > self._silence_seconds

    def _hear(self, frame: Frame) -> None:
        self._heard_at = time.monotonic()
        if frame.type != "alive":
            self._on_frame(self, frame)

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
