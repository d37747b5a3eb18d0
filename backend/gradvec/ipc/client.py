"""What a caller holds: a connection to the engine that submits jobs and hands out events, without ever blocking long.

    with Client.open(Launch(python, root)) as client:
        client.submit("paint", options.to_dict(), {"picture": data}, {"name": "photo.jpg"}, previews=0.5)
        while not isinstance(event := client.poll(0.2), (ResultEvent, ErrorEvent)):
            ...

Closing the connection cancels the job, and so does the caller's death. Not for use by several threads at once, but
``cancel`` and ``stop_and_keep`` may be called from a signal handler.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import Cancelled, EngineError, GradvecError
from .launch import AGAIN, START_SECONDS, Launch, connection_error, end_child, reach, start_engine, start_one_shot
from .protocol import (
    PROTOCOL,
    SILENCE_SECONDS,
    STRANGER,
    TRUSTED,
    ErrorEvent,
    Event,
    Frame,
    Hello,
    PreviewEvent,
    ProgressEvent,
    ProtocolError,
    ResultEvent,
    answer_challenge,
    event_of,
    same_proof,
)
from .state import State
from .stream import NonBlockingStream

__all__ = ["Client", "ErrorEvent", "Event", "Hello", "Launch", "PreviewEvent", "ProgressEvent", "ResultEvent"]

#: After this long without an answer to a cancel the caller is set free, whatever the engine does.
CANCEL_SECONDS = 2.0
HANDSHAKE_SECONDS = 10.0
SEND_SECONDS = 30.0
_LOOK_SECONDS = 0.05  # how often ``poll`` looks whether one of these is over


class Client:
    """One connection; ``hello`` says to whom."""

    def __init__(self, sock: socket.socket, log_path: Path, child: subprocess.Popen[bytes] | None = None) -> None:
        """For the class methods; takes ownership of the socket and of the child behind it."""
        self._stream = NonBlockingStream(sock, STRANGER if child is None else TRUSTED)
        self._open = True
        self._log_path = log_path
        self._child = child
        self._pending: deque[Event] = deque()
        self._requests: deque[str] = deque()
        self._sending = self._busy = False
        self._cancel_deadline: float | None = None
        self.hello = Hello(0, "", "", "", 0, "", str(log_path))

    @classmethod
    def connect(cls, state_dir: Path | None = None, *, warm: bool = True,
                timeout: float = HANDSHAKE_SECONDS) -> Client:
        """To the engine that runs in ``state_dir``. warm: it may already load what a job will need.

        Raises:
            EngineError: code "engine.absent" when none runs, "engine.silent" when it does not answer,
                "engine.refused" when it does not take the key.
        """
        state = State(state_dir)
        address = state.address()
        key = state.key(address) if address is not None else None
        if address is None or key is None:
            raise connection_error("absent")
        sock = reach(address, timeout)
        client = cls(sock, state.log_path)
        try:
            client._handshake(key, warm and address.version == __version__, timeout)
        except BaseException:
            client.close()
            raise
        return client

    @classmethod
    def start(cls, launch: Launch | None = None, state_dir: Path | None = None) -> Client:
        """Starts an engine, unless another caller does so at the same moment, and connects to it.

        Raises:
            EngineError: it does not start or answer.
        """
        state = State(state_dir)
        start_engine(launch or Launch.own(), state)
        deadline = time.monotonic() + HANDSHAKE_SECONDS
        while True:
            try:
                return cls.connect(state_dir)
            except EngineError as error:
                if error.code != "engine.absent" or time.monotonic() > deadline:
                    raise
            time.sleep(0.02)

    @classmethod
    def connect_or_start(cls, launch: Launch | None = None, state_dir: Path | None = None) -> Client:
        """To the warm engine if it is the right one, else to a new one.

        An engine of another version, with other jobs, or whose files have changed since it started is asked to end
        after the jobs that it has.

        Raises:
            EngineError: none could be started, or the new one is of another version than the caller
                (code "engine.version").
        """
        launch = launch or Launch.own()
        client: Client | None = None
        try:
            client = cls.connect(state_dir)
        except EngineError as error:
            if error.code == "engine.silent":  # it hangs, and serves no other caller either
                State(state_dir).kill_holder()
        if client is not None:
            if client._suits(launch) and not client.hello.stale:
                return client
            client._retire()
        client = cls.start(launch, state_dir)
        if not client._suits(launch):
            client.close()
            raise connection_error("version", f"The engine is gradvec {client.hello.version}, not {__version__}.")
        return client

    @classmethod
    def one_shot(cls, launch: Launch | None = None, state_dir: Path | None = None) -> Client:
        """An engine of one's own, over standard input and output; it ends with this client.

        Raises:
            EngineError: it does not start or answer.
        """
        log_path = State(state_dir).log_path
        sock, child = start_one_shot(launch or Launch.own(), state_dir)
        client = cls(sock, log_path, child)
        try:
            client._await("hello", START_SECONDS)
            if client.hello.protocol != PROTOCOL:
                raise connection_error("version")
        except EngineError as error:
            client.close()
            if error.code != "engine.absent":
                raise
            raise EngineError("The engine ended while it started.", f"The log says why: {log_path}",
                              "engine.start") from None
        return client

    @classmethod
    def open(cls, launch: Launch | None = None, state_dir: Path | None = None) -> Client:
        """``connect_or_start``, and ``one_shot`` where no warm engine can be had.

        Raises:
            EngineError: neither works, or the engine is of another version (code "engine.version").
        """
        try:
            return cls.connect_or_start(launch, state_dir)
        except EngineError as error:
            if error.code == "engine.version":
                raise
            try:
                return cls.one_shot(launch, state_dir)
            except EngineError:
                raise error from None

    def submit(self, kind: str, options: dict[str, Any], payloads: dict[str, bytes], info: dict[str, Any],
               previews: float = 0.0) -> None:
        """Hands over a job. previews: seconds between pictures of how far it is, 0 for none.

        Raises:
            EngineError: a job runs already, or the engine is gone.
        """
        if self._busy:
            raise EngineError("This connection has a job already.", "Wait for it, or open a second connection.",
                              "engine.busy")
        self._cancel_deadline = None
        self._busy = True
        self._stream.heard_at = time.monotonic()
        try:
            body = {"kind": kind, "options": options, "info": info, "previews": previews}
            self._send(Frame("submit", body, payloads))
        except EngineError:
            self._busy = False
            raise

    def poll(self, timeout: float = 0.0) -> Event | None:
        """The next event, or None when ``timeout`` seconds brought none. After ResultEvent or ErrorEvent the job is
        over. A dead engine is an ErrorEvent too.

        Raises:
            EngineError: the connection is closed.
        """
        deadline = time.monotonic() + timeout
        while True:
            if (event := self._next()) is not None:
                return event
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if self._open:
                self._stream.wait(min(left, _LOOK_SECONDS))

    def run(self, kind: str, options: dict[str, Any], payloads: dict[str, bytes], info: dict[str, Any],
            previews: float = 0.0, on_event: Callable[[Event], None] | None = None) -> ResultEvent:
        """``submit`` and wait for the result; other events go to ``on_event``.

        Raises:
            GradvecError: what the job ended with.
        """
        self.submit(kind, options, payloads, info, previews)
        while True:
            if isinstance(event := self.poll(1.0), ErrorEvent):
                raise event.error()
            if isinstance(event, ResultEvent):
                return event
            if event is not None and on_event is not None:
                on_event(event)

    def cancel(self) -> None:
        """Ends the job; its last event is an ErrorEvent with code "cancelled", within two seconds at the latest."""
        if self._busy and self._cancel_deadline is None:
            self._cancel_deadline = time.monotonic() + CANCEL_SECONDS
            self._request("cancel")
        elif not self._busy:  # the job has ended, but the caller has not been told yet
            self._pending = deque(ErrorEvent.of(Cancelled()) if isinstance(event, (ResultEvent, ErrorEvent)) else event
                                  for event in self._pending)

    def stop_and_keep(self) -> None:
        """Asks the job to end early with what it has: a ResultEvent follows, or an ErrorEvent if there is nothing."""
        if self._busy:
            self._request("keep")

    def fileno(self) -> int:
        """For select and main loops: readable when ``poll(0)`` should be called, then until it returns None.

        Raises:
            EngineError: the connection is closed.
        """
        if not self._open:
            raise connection_error("lost")
        return self._stream.sock.fileno()

    def close(self) -> None:
        """Ends the connection, and with it the job; may be called again."""
        was_open, self._open = self._open, False
        self._busy = False
        self._cancel_deadline = None
        self._pending.clear()
        if was_open:
            self._stream.close()
        child, self._child = self._child, None
        if child is not None:
            end_child(child, CANCEL_SECONDS)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self, timeout: float = HANDSHAKE_SECONDS) -> dict[str, Any]:
        """What the engine says of itself: pid, version, device, socket, worker, running_job, waiting_jobs.

        Raises:
            EngineError: it does not answer.
        """
        self._send(Frame("status"))
        return self._await("status", timeout).body

    def stop(self, timeout: float = HANDSHAKE_SECONDS) -> None:
        """Ends the engine, running jobs too, and returns when it is gone.

        Raises:
            EngineError: it does not end.
        """
        self._send(Frame("stop"))
        with contextlib.suppress(EngineError):
            self._await("nothing more", timeout)
        if not self._stream.ended:
            raise EngineError("The engine does not end.", "End its process by hand.", "engine.silent")

    def _retire(self) -> None:
        """Asks the engine to leave its place; jobs of others go on to their end."""
        with self, contextlib.suppress(EngineError):
            self._send(Frame("retire"))
            self._await("retiring", HANDSHAKE_SECONDS)

    def _suits(self, launch: Launch) -> bool:
        hello = self.hello
        return (hello.protocol, hello.version, hello.jobs) == (PROTOCOL, __version__, launch.jobs)

    def _handshake(self, key: bytes, warm: bool, timeout: float) -> None:
        """Proves that we know the key, and asks the same of the engine before it gets anything of the artist's."""
        answer = answer_challenge(self._await("challenge", timeout), key, warm)
        if answer is None:
            raise connection_error("version")
        self._send(answer[0])
        if not same_proof(self._await("hello", timeout).body.get("proof"), answer[1]):
            raise connection_error("refused")
        self._stream.limits = TRUSTED

    def _await(self, kind: str, timeout: float) -> Frame:
        """The next frame of this type; events that come before it are kept."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                frame = self._stream.receive()
            except EOFError:
                raise connection_error("absent") from None
            if frame is not None:
                self._take(frame)
                if frame.type == kind:
                    return frame
                if frame.type == "error" and not self._busy:
                    event = self._pending.pop()
                    raise event.error() if isinstance(event, ErrorEvent) else connection_error("version")
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                raise connection_error("silent")
            if not self._open:
                raise connection_error("lost")
            self._stream.wait(left)

    def _take(self, frame: Frame) -> None:
        """Turns a frame into an event to hand out."""
        event = event_of(frame)
        if event is None:
            return
        if isinstance(event, Hello):
            self.hello = event
        if isinstance(event, (ResultEvent, ErrorEvent)):
            if self._cancel_deadline is not None:  # whoever cancelled gets nothing else, however close it was
                event = ErrorEvent.of(Cancelled())
            self._busy = False
            self._cancel_deadline = None
        self._pending.append(event)

    def _next(self) -> Event | None:
        if self._pending:
            return self._pending.popleft()
        if not self._open:
            raise connection_error("lost")
        try:
            while not self._pending:
                frame = self._stream.receive()
                if frame is None:
                    break
                self._take(frame)
        except EOFError:
            self._give_up(EngineError("The connection to the engine broke: it was stopped or it crashed.",
                                      f"{AGAIN} The log may say why: {self._log_path}", "engine.lost"))
        except ProtocolError as error:
            self._give_up(error)
        if self._busy and not self._pending and time.monotonic() - self._stream.heard_at > SILENCE_SECONDS:
            self._give_up(EngineError("The engine stopped answering in the middle of the run.", AGAIN, "engine.silent"))
        if not self._pending and self._cancel_deadline is not None and time.monotonic() > self._cancel_deadline:
            self._give_up(Cancelled())
        return self._pending.popleft() if self._pending else None

    def _give_up(self, error: GradvecError) -> None:
        cancelled = self._cancel_deadline is not None
        self.close()
        self._pending.append(ErrorEvent.of(Cancelled() if cancelled else error))

    def _request(self, kind: str) -> None:
        """Sends it now, or after the frame that is being sent, when this is a signal handler in the middle of one."""
        self._requests.append(kind)
        with contextlib.suppress(EngineError):  # poll tells what happened to the engine
            self._send_requests()

    def _send_requests(self) -> None:
        while self._requests and not self._sending:
            self._send(Frame(self._requests.popleft()))

    def _send(self, frame: Frame) -> None:
        if not self._open:
            raise connection_error("lost")
        self._sending = True
        try:
            self._stream.send(frame, SEND_SECONDS)
        except TimeoutError:
            raise connection_error("silent", "The engine takes no data.") from None
        except OSError as error:
            raise connection_error("lost", "The connection to the engine broke.") from error
        finally:
            self._sending = False
        self._send_requests()
