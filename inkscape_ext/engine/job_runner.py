"""Runs jobs on the engine, one after the other, while the artist waits: one progress, one cancel, one keep."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from gradvec.errors import Cancelled, GradvecError, InputError
from gradvec.ipc.client import Client, ErrorEvent, PreviewEvent, ProgressEvent, ResultEvent

from ..ui.engine_messages import in_our_words
from ..ui.messages import _, from_the_engine
from ..ui.progress_ui import ABOUT_DRAFTS, CANCEL, KEEP, ProgressUi
from .clock import Clock
from .connection import PendingConnection
from .history import Expected

PREVIEW_SECONDS = 0.5


@dataclass(frozen=True)
class Job:
    """One request to the engine. title: what the artist reads while it runs."""

    kind: str
    options: dict[str, Any]
    payloads: dict[str, bytes]
    info: dict[str, Any]
    title: str

    def same_work(self) -> str:
        """Equal for jobs that give the same result, so that a picture that is shown twice is painted once."""
        asked = sorted((name, repr(value)) for name, value in self.info.items() if name != "name")
        digest = hashlib.sha256(repr((self.kind, sorted(self.options.items()), asked)).encode())
        for name in sorted(self.payloads):
            digest.update(name.encode() + b"\0" + hashlib.sha256(self.payloads[name]).digest())
        return digest.hexdigest()


class JobRunner:
    """Jobs and their outcomes: a result, or the error that is the picture's own fault, or None where not reached."""

    def __init__(self, jobs: list[Job], waiting: ProgressUi, host_gone: Callable[[], bool], note: str = "",
                 expected: Expected = Expected()) -> None:
        """expected: how long each of the jobs is likely to take."""
        self._jobs = jobs
        self.clock = Clock(expected, len(jobs))
        self._waiting = waiting
        self._host_gone = host_gone
        self._note = note
        self._steps: Iterator[None] = iter(())
        #: Whether the artist stopped early and keeps what there is.
        self.kept = False
        self.outcomes: list[ResultEvent | GradvecError | None] = [None] * len(jobs)

    def run(self, pending: PendingConnection) -> None:
        """Returns when every job has its outcome, or earlier when the artist stopped and keeps what there is, or has
        seen enough of a draft.

        Raises:
            Cancelled: by the artist, or because Inkscape is gone.
            GradvecError: the engine cannot be reached, failed or died.
        """
        self._steps = self._all(pending)
        try:
            self._waiting.wait(self._tick)
        finally:
            pending.abandon()

    def _tick(self) -> bool:
        """One look at everything; true when the work is done."""
        if self._waiting.wish == CANCEL or self._host_gone():
            raise Cancelled()
        if self._waiting.wish in ABOUT_DRAFTS:
            return True
        for _step in self._steps:
            return False
        return True

    def _all(self, pending: PendingConnection) -> Iterator[None]:
        self._begin(self._jobs[0], self._jobs[0].title)
        self._waiting.progress(_("Starting the engine..."), 0.0, self.clock.before())
        while not pending.ready:
            yield
        client = pending.client()
        done: dict[str, ResultEvent | GradvecError] = {}
        for index, job in enumerate(self._jobs):
            key = job.same_work()
            if key not in done:
                self._begin(job, self._title(index))
                done[key] = yield from self._one(client, index)
            self.outcomes[index] = done[key]
            if self.kept:
                return

    def _begin(self, job: Job, title: str) -> None:
        self._waiting.title(title, self._note)
        if "picture" in job.payloads:
            self._waiting.original(job.payloads["picture"])

    def _title(self, index: int) -> str:
        if len(self._jobs) == 1:
            return self._jobs[0].title
        return _("{title} ({number} of {count})").format(
            title=self._jobs[index].title, number=index + 1, count=len(self._jobs))

    def _one(self, client: Client, index: int) -> Generator[None, None, ResultEvent | GradvecError]:
        """Submits a job and follows it; returns its outcome (through ``yield from``)."""
        job = self._jobs[index]
        self.clock.begin(index)
        client.submit(job.kind, job.options, job.payloads, job.info, PREVIEW_SECONDS)
        asked = False
        while True:
            if self._waiting.wish == KEEP and not asked:
                client.stop_and_keep()
                asked = self.kept = True
            event = client.poll(0.0)
            if isinstance(event, ProgressEvent):
                self._show(event, index)
            elif isinstance(event, PreviewEvent):
                self._waiting.preview(event.png)
            elif isinstance(event, ResultEvent):
                if not self.kept:
                    self.clock.end()
                return event
            elif isinstance(event, ErrorEvent):
                error = event.error()
                error = type(error)(in_our_words(error.message, str(job.info.get("name") or "")),
                                    in_our_words(error.remedy), error.code)
                if isinstance(error, InputError) and len(self._jobs) > 1:
                    return error
                raise error
            else:
                yield

    def _show(self, event: ProgressEvent, index: int) -> None:
        whole = self.clock.done(event.fraction)
        if event.ahead:
            self._waiting.progress(_("Waiting for another run to end..."), whole, None)
            return
        left = self.clock.left(event.fraction, event.seconds_left)
        self._waiting.progress(from_the_engine(event.stage), whole, left)
        self._waiting.may_keep(event.fraction > 0)
