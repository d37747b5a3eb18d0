"""How a long run tells where it is and learns that it should stop. Standard library only.

A stage is handed a :class:`Run`. It calls ``run.step(fraction)`` often (at least five times a second where it can):
that reports progress and raises :class:`~gradvec.errors.Cancelled` when the user cancelled. ``run.keep`` turns true
when the user said "stop and keep": a stage then ends early with the best result it has. Between two reports, in loops
over many shapes, ``run.hurry()`` says when to leave out what only makes a kept result nicer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .errors import Cancelled

#: For how long, s, work that only makes a kept result nicer goes on after "stop and keep": a small drawing is finished
#: as usual, a large one is handed out as it is.
GRACE_S = 0.3


@dataclass(frozen=True)
class Progress:
    """One report: ``stage`` in words, ``fraction`` of the whole run in [0, 1], ``seconds_left`` or None."""

    stage: str
    fraction: float
    seconds_left: float | None = None


class CancelToken:
    """Set from any thread or process reader; asked by the run. ``keep`` means: stop, but keep what there is."""

    def __init__(self) -> None:
        self._cancel = threading.Event()
        self._keep = threading.Event()
        self._kept_at = 0.0

    def cancel(self) -> None:
        self._cancel.set()

    def stop_and_keep(self) -> None:
        if not self._keep.is_set():
            self._kept_at = time.monotonic()
        self._keep.set()

    @property
    def cancelled(self) -> bool:
        return self._cancel.is_set()

    @property
    def keep(self) -> bool:
        return self._keep.is_set()

    @property
    def hurried(self) -> bool:
        """Whether "stop and keep" was said more than :data:`GRACE_S` ago."""
        return self.keep and time.monotonic() - self._kept_at > GRACE_S


@dataclass
class Run:
    """Progress, cancel and previews of one run; the default instance is silent and never cancelled.

    on_progress: called with every :class:`Progress`.
    on_preview: called with a function that makes a picture (H, W, 3 uint8 array) when the receiver wants one,
        so that a preview nobody looks at costs nothing.
    """

    on_progress: Callable[[Progress], None] | None = None
    on_preview: Callable[[Callable[[], object]], None] | None = None
    token: CancelToken = field(default_factory=CancelToken)
    _stage: str = ""
    _span: tuple[float, float] = (0.0, 1.0)
    _started: float = field(default_factory=time.monotonic)
    _reached: float = 0.0

    @property
    def keep(self) -> bool:
        return self.token.keep

    @contextmanager
    def stage(self, name: str, start: float, end: float) -> Iterator[Run]:
        """What runs inside is called ``name`` and takes the fractions from ``start`` to ``end`` of the whole run."""
        self._stage, self._span = name, (start, end)
        self.step(0.0)
        yield self
        self.step(1.0)

    @contextmanager
    def part(self, start: float, end: float) -> Iterator[None]:
        """What runs inside takes the fractions from ``start`` to ``end`` of the present stage."""
        (low, high), whole = self._span, self._span
        self._span = (low + (high - low) * start, low + (high - low) * end)
        yield
        self._span = whole

    def step(self, fraction: float) -> None:
        """Reports ``fraction`` in [0, 1] of the present stage.

        Raises:
            Cancelled: the user cancelled.
        """
        if self.token.cancelled:
            raise Cancelled()
        if self.on_progress is None:
            return
        start, end = self._span
        whole = start + (end - start) * min(max(fraction, 0.0), 1.0)
        self._reached = whole
        elapsed = time.monotonic() - self._started
        left = elapsed * (1 - whole) / whole if whole > 0.05 else None
        self.on_progress(Progress(self._stage, whole, left))

    def aside(self, name: str) -> None:
        """Reports that the present stage waits for what is called ``name``. Raises Cancelled as :meth:`step` does."""
        if self.token.cancelled:
            raise Cancelled()
        if self.on_progress is not None:
            self.on_progress(Progress(name, self._reached))

    def look(self) -> bool:
        """Between two reports: whether to end early with what there is. Raises Cancelled as :meth:`step` does."""
        if self.token.cancelled:
            raise Cancelled()
        return self.token.keep

    def hurry(self) -> bool:
        """As :meth:`look`, but true only some time after "stop and keep": for what may be left out of a kept result
        and is not where there is little of it."""
        return self.look() and self.token.hurried

    def preview(self, make: Callable[[], object]) -> None:
        """Offers a picture of how far it is; ``make`` is only called when somebody looks."""
        if self.on_preview is not None:
            self.on_preview(make)


@contextmanager
def notes_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Hands every note of what runs inside to ``tell``, each once.

    Notes are sentences for the artist that are no errors, such as that a card failed and the processor goes on: the
    warnings of the package's loggers, so that whoever uses it as a library gets them as is usual in Python.
    """
    logger, handler = logging.getLogger("gradvec"), _Teller(tell)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Teller(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell, self._told = tell, set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self._told:
            self._told.add(text)
            self._tell(text)
