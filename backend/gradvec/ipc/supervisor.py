"""The supervisor: a light process that takes jobs from its clients and gives them, one by one, to a warm worker.

It never loads a numeric library, so it answers at once and survives whatever happens to the worker: a worker that
crashes, is killed, or does not obey a cancel is replaced, and the client is told in one sentence. All state lives on
the main thread; the other threads only read, write, and post what to do to its queue of events.
"""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import Cancelled, EngineError
from .launch import Launch, fingerprint
from .listener import Connection, Listener, handshake
from .protocol import PROTOCOL, Frame, ProtocolError, check_job, error_frame
from .state import Lock, State, private_dir
from .stream import Link, Stream, log, take_standard_streams
from .worker import WorkerProcess, death

CANCEL_SECONDS = 0.6
HANDSHAKE_SECONDS = 5.0
LINGER_SECONDS = 5.0
CLIENTS_MAX = 64
STRANGERS_MAX = 16
_TICK_SECONDS = 5.0
_PACKAGE = Path(__file__).resolve().parents[1]


class Job:
    """One job, waiting or running. frame is dropped once the worker has it, or its payloads would be held twice."""

    def __init__(self, client: Connection, frame: Frame) -> None:
        self.client = client
        self.frame: Frame | None = frame
        self.cancelled_at: float | None = None
        self.ahead = 0  # jobs that come first, as its client was told


class Supervisor:
    """Jobs in, progress and results out. ``run`` returns when the engine is to end."""

    def __init__(self, launch: Launch, log_path: Path) -> None:
        self._launch = launch
        self._log_path = log_path
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._clients: set[Connection] = set()
        self._queue: deque[Job] = deque()
        self._running: Job | None = None
        self._worker: WorkerProcess | None = None
        self._device: str | None = None
        self._fingerprint = fingerprint()
        self._last_active = time.monotonic()
        self._listener: Listener | None = None
        self._retiring = self._ending = self._single = False
        self._look_at = 0.0  # when time may have brought something about

    # -- life ---------------------------------------------------------------------------------------------------

    def listen(self, state: State, lock: Lock) -> None:
        """Opens the engine to callers.

        Raises:
            EngineError: no socket could be made.
        """
        self._listener = Listener(state, lock, __version__, self._launch.tcp,
                          lambda sock: self._events.put(partial(self._admit, sock)))

    def serve_one(self, stream: Stream) -> None:
        """Serves this one client, which needs no key because it has started us, and ends with it."""
        self._single = True
        client = self._adopt(stream, handshake=None)
        self._joined(client, warm=True)

    def run(self) -> None:
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            signal.signal(number, lambda *_: self._events.put(self._stop))
        try:
            while not self._over():
                with contextlib.suppress(queue.Empty):
                    self._events.get(timeout=max(0.0, self._look_at - time.monotonic()))()
                if time.monotonic() >= self._look_at:
                    self._look_at = time.monotonic() + self._tick()
        except KeyboardInterrupt:
            pass
        except Exception:
            log("The engine ends because of a fault of its own.\n" + traceback.format_exc())
        finally:
            self._end()

    def _over(self) -> bool:
        idle = time.monotonic() - self._last_active
        if self._ending or self._running or self._queue:
            return self._ending
        if self._retiring or self._single:
            return not self._clients or (self._retiring and idle > LINGER_SECONDS)
        return not self._clients and idle > 60 * self._launch.idle_minutes

    def _tick(self) -> float:
        """What time brings about; returns in how many seconds to look again."""
        now = time.monotonic()
        wait = _TICK_SECONDS if self._clients or self._retiring else min(
            _TICK_SECONDS, max(0.02, self._last_active + 60 * self._launch.idle_minutes - now + 0.01))
        for client in [c for c in self._clients if not c.joined]:
            wait = min(wait, 1.0)
            if now - client.since > HANDSHAKE_SECONDS:
                client.close()
        job = self._running
        if job is not None and job.cancelled_at is not None:
            wait = 0.02
            if now - job.cancelled_at > CANCEL_SECONDS:
                log("The worker did not obey a cancel in time; it is replaced.")
                self._drop_worker()
                self._finish(error_frame(Cancelled()))
        if self._worker is not None and self._worker.hangs():
            log(f"The worker {self._worker.pid} gave no sign of life for too long; it is replaced.")
            self._drop_worker()
            self._finish(error_frame(EngineError("The engine stopped answering in the middle of the run.",
                                                 "Run it again; a new engine starts by itself.", "engine.hung")))
        for waiting in self._jobs():
            waiting.client.send(Frame("alive"), replace=True)
        wait = min(wait, self._launch.silence_seconds / 6, 0.5 if self._retiring else _TICK_SECONDS)
        State(self._log_path.parent).trim_log()
        if self._listener is not None and not self._listener.keep_reachable():
            self._retire()
        return wait

    def _end(self) -> None:
        """Tells who still waits, frees all that others could trip over, and leaves nothing running."""
        stopped = EngineError("The engine was stopped.", "Run it again; a new engine starts by itself.",
                              "engine.stopped")
        for job in self._jobs():
            job.client.send(error_frame(stopped))
        self._running = None
        if self._worker is not None:
            self._drop_worker()
        self._close_listener()
        for client in self._clients:
            if client.link is not None:
                client.link.finish()
        for client in self._clients:
            if client.link is not None:
                client.link.flush(0.5)

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # -- clients ------------------------------------------------------------------------------------------------

    def _admit(self, sock: socket.socket) -> None:
        """Strangers cannot lock out those who know the key: the oldest of too many strangers has to go."""
        strangers = sorted((c for c in self._clients if not c.joined), key=lambda client: client.since)
        if len(strangers) >= STRANGERS_MAX:
            self._clients.discard(strangers[0])
            strangers[0].close()
        if len(self._clients) - len(strangers) >= CLIENTS_MAX:
            sock.close()
            return
        sock.settimeout(None)
        self._look_at = 0.0
        self._adopt(Stream.of_socket(sock), self._handshake)

    def _adopt(self, stream: Stream, handshake: Callable[[Connection, Stream], bool] | None) -> Connection:
        client = Connection()
        post = self._events.put
        client.link = Link(stream, lambda frame: post(partial(self._on_frame, client, frame)),
                           lambda: post(partial(self._on_closed, client)),
                           partial(handshake, client) if handshake is not None else None)
        self._clients.add(client)
        client.link.start()
        return client

    def _handshake(self, client: Connection, stream: Stream) -> bool:
        """On the link's own thread."""
        listener = self._listener
        caller = handshake(stream, listener.key) if listener is not None else None
        if caller is None:
            return False
        client.proof = caller.proof
        self._events.put(partial(self._joined, client, caller.warm))
        return True

    def _joined(self, client: Connection, warm: bool) -> None:
        client.joined = True
        self._last_active = time.monotonic()
        client.send(self._hello(client))
        if warm and not self._retiring:
            self._need_worker()

    def _hello(self, client: Connection) -> Frame:
        return Frame("hello", {
            "protocol": PROTOCOL, "version": __version__, "python": platform.python_version(),
            "executable": sys.executable, "pid": os.getpid(), "jobs": self._launch.jobs, "log": str(self._log_path),
            "device": self._device, "stale": fingerprint() != self._fingerprint, "proof": client.proof})

    def _on_frame(self, client: Connection, frame: Frame) -> None:
        try:
            self._obey(client, frame)
        except Exception:  # what one client asks for must not end the engine for the others
            log("A client's message failed; its connection is closed.\n" + traceback.format_exc())
            client.close()

    def _obey(self, client: Connection, frame: Frame) -> None:
        self._last_active = time.monotonic()
        if frame.type == "submit":
            self._submit(client, frame)
        elif frame.type in ("cancel", "keep"):
            job = self._job_of(client)
            if job is not None:
                self._cancel(job) if frame.type == "cancel" else self._keep(job)
        elif frame.type == "status":
            client.send(Frame("status", self._status()))
        elif frame.type == "retire":
            self._retire()
            client.send(Frame("retiring"))
        elif frame.type == "stop":
            client.send(Frame("stopping"))
            self._stop()

    def _on_closed(self, client: Connection) -> None:
        self._clients.discard(client)
        self._last_active = time.monotonic()
        self._look_at = 0.0
        job = self._job_of(client)
        if job is not None:
            self._cancel(job)

    def _job_of(self, client: Connection) -> Job | None:
        return next((job for job in self._jobs() if job.client is client), None)

    def _jobs(self) -> list[Job]:
        return [*self._queue, *([self._running] if self._running else [])]

    def _status(self) -> dict[str, Any]:
        where = self._listener.address if self._listener is not None else None
        return {"pid": os.getpid(), "version": __version__, "device": self._device, "socket": where,
                "worker": self._worker.pid if self._worker else None, "running_job": self._running is not None,
                "waiting_jobs": len(self._queue), "idle_minutes": self._launch.idle_minutes}

    def _retire(self) -> None:
        """Leaves the place to a new engine; ends when the jobs that were taken are done."""
        self._retiring = True
        self._close_listener()

    def _stop(self) -> None:
        self._ending = True

    # -- jobs ---------------------------------------------------------------------------------------------------

    def _submit(self, client: Connection, frame: Frame) -> None:
        try:
            check_job(frame)
        except ProtocolError as error:
            return client.send(error_frame(error))
        if self._job_of(client) is not None:
            client.send(error_frame(EngineError("This connection has a job already.",
                                                "Wait for it, or open a second connection.", "engine.busy")))
        else:
            self._queue.append(Job(client, frame))
            self._advance()

    def _need_worker(self) -> None:
        if self._worker is not None:
            return
        post = self._events.put
        try:
            self._worker = WorkerProcess(self._launch, self._log_path,
                                      lambda worker, frame: post(partial(self._on_worker_frame, worker, frame)),
                                      lambda worker, code: post(partial(self._on_worker_gone, worker, code)))
        except OSError as error:
            log(f"No worker can be started: {error}")

    def _advance(self) -> None:
        """Hands the first waiting job to the worker if that is free, and tells the others how many are before them."""
        if self._running is None and self._queue:
            self._need_worker()
            self._running = self._queue.popleft()
            if self._worker is None:
                self._finish(error_frame(EngineError("The engine cannot start its worker process.",
                                                     f"The log says why: {self._log_path}", "engine.start")))
                return
            self._hand_over()
        for ahead, job in enumerate(self._queue, start=1):
            if job.ahead != ahead:
                job.ahead = ahead
                job.client.send(Frame("progress", {"stage": "waiting", "fraction": 0.0, "seconds_left": None,
                                                   "ahead": ahead}), replace=True)

    def _hand_over(self) -> None:
        """Gives the running job to the worker, once that has loaded what it needs."""
        job, worker = self._running, self._worker
        if job is None or worker is None or job.frame is None:
            return
        if not worker.ready:
            job.client.send(Frame("progress", {"stage": "starting the engine", "fraction": 0.0}), replace=True)
            return
        worker.send(Frame("job", job.frame.body, job.frame.payloads))
        job.frame = None

    def _cancel(self, job: Job) -> None:
        """A job that has not begun is dropped; one that runs is asked to end, and made to when it does not obey."""
        if job is not self._running:
            self._queue.remove(job)
            job.client.send(error_frame(Cancelled()))
            self._advance()
        elif job.frame is not None:  # the worker is still loading and may go on with that
            self._finish(error_frame(Cancelled()))
        elif job.cancelled_at is None and self._worker is not None:
            job.cancelled_at = time.monotonic()
            self._worker.send(Frame("cancel"))
            self._look_at = 0.0

    def _keep(self, job: Job) -> None:
        if job is self._running and job.frame is None and self._worker is not None:
            self._worker.send(Frame("keep"))
        else:  # nothing has been made that could be kept
            self._cancel(job)

    def _finish(self, frame: Frame) -> None:
        """Ends the running job with its last frame, and goes on with the next."""
        job, self._running = self._running, None
        self._last_active = time.monotonic()
        self._look_at = 0.0
        if job is not None:
            job.client.send(error_frame(Cancelled()) if job.cancelled_at is not None else frame)
        self._advance()

    # -- the worker ---------------------------------------------------------------------------------------------

    def _on_worker_frame(self, worker: WorkerProcess, frame: Frame) -> None:
        if worker is not self._worker:
            return
        if frame.type == "ready":
            worker.ready = True
            self._hand_over()
        elif frame.type == "device":
            self._device = frame.body.get("device")
            for client in self._clients:
                if client.joined:
                    client.send(self._hello(client))
        elif frame.type in ("result", "error"):
            if not worker.ready:  # it could not load what it needs, and ends
                self._worker = None
            if self._running is not None and (self._running.frame is None or not worker.ready):
                self._finish(frame)
        elif self._running is not None and self._running.frame is None:
            self._running.client.send(frame, replace=True)

    def _on_worker_gone(self, worker: WorkerProcess, code: int) -> None:
        if worker is not self._worker:
            return
        self._worker = None
        log(f"The worker {worker.pid} ended with {code}.")
        if self._running is not None:
            self._finish(error_frame(death(code, self._log_path)))

    def _drop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()


def serve(launch: Launch, state: State) -> bool:
    """Runs the engine of ``state`` until it is to end; false when another one has that place.

    Raises:
        EngineError: the directory is unusable or no socket could be made.
    """
    private_dir(state.directory)
    lock = state.patient_lock()
    if lock is None:
        return False
    supervisor = Supervisor(launch, state.log_path)
    supervisor.listen(state, lock)
    log(f"The engine {__version__} listens in {state.directory}.")
    supervisor.run()
    log("The engine ends.")
    return True


def serve_standard_streams(launch: Launch, log_path: Path) -> None:
    """One-shot: the same frames on standard input and output; ends with its caller."""
    supervisor = Supervisor(launch, log_path)
    supervisor.serve_one(take_standard_streams())
    supervisor.run()
