"""The seam: a pool takes pieces of work and says what came of each; :func:`map_work` hands them out and tries again.

A pool never raises for a piece that failed. Pieces that failed for reasons outside (a worker lost, memory short, a
network folder that did not answer) are tried again, later and elsewhere; others fail again, and are not.
"""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import Cancelled, EngineError, GradvecError, out_of_memory
from ..progress import CancelToken, Run

#: Done somewhere else: a function of a module that the other side can import, its argument, and a Run that reports.
Work = Callable[[Any, Run], Any]
#: How often is looked whether somebody cancelled, s.
POLL_S = 0.2
#: Before the first further try, s; each one after waits twice as long.
PAUSE_S = 1.0
#: Codes of errors that another try may be spared.
OUTSIDE = ("engine.memory", "engine.lost")
#: The system's errors that pass: of disks, networks and too many open files.
_PASSING = {getattr(errno, name) for name in (
    "EIO", "ESTALE", "ETIMEDOUT", "ENETDOWN", "ENETUNREACH", "ENETRESET", "EHOSTDOWN", "EHOSTUNREACH", "ENOTCONN",
    "ECONNRESET", "ECONNREFUSED", "EAGAIN", "EBUSY", "EMFILE", "ENFILE", "ENOBUFS", "EREMOTEIO", "EINTR")
    if hasattr(errno, name)}


@dataclass(frozen=True)
class Ended:
    """One piece that is over. value: what the work returned, None where it failed. error: why it failed. outside:
    whether for a reason that is not its own. trace: where, if nobody foresaw the failure."""

    key: int
    value: Any = None
    error: GradvecError | None = None
    outside: bool = False
    trace: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a piece after all tries; seconds: from its last start to its end."""

    ended: Ended
    tries: int
    seconds: float


class Pool(Protocol):
    """Workers somewhere."""

    def free(self) -> int:
        """How many more pieces can be taken now."""

    def submit(self, key: int, work: Work, item: Any) -> None:
        """Takes a piece under a number of the caller's."""

    def wait(self, seconds: float) -> list[Ended]:
        """What has ended, waiting for at most so long for the first.

        Raises:
            EngineError: there are no workers any more, and none will come.
        """

    def fractions(self) -> float:
        """How far the pieces under way are, added up: half a piece twice is one."""

    def close(self) -> None:
        """Ends the workers that are the pool's own, whatever they do, and forgets what it asked of others."""


@dataclass
class _Waiting:
    """Pieces to be handed out: new ones, and those to be tried again from a moment on."""

    fresh: Iterator[tuple[int, Any]]
    again: list[tuple[float, int, Any]] = field(default_factory=list)

    def next(self, only_again: bool) -> tuple[int, Any] | None:
        now = time.monotonic()
        due = min((one for one in self.again if one[0] <= now), key=lambda one: one[0], default=None)
        if due is not None:
            self.again.remove(due)
            return due[1:]
        return None if only_again else next(self.fresh, None)


@dataclass
class _Under:
    """One piece under way."""

    item: Any
    tries: int
    since: float


def map_work(pool: Pool, work: Work, items: Iterable[tuple[int, Any]], retries: int, token: CancelToken,
             on_wait: Callable[[], None] = lambda: None) -> Iterator[Outcome]:
    """What comes of each (key, item), in the order in which they end. Items are taken as workers get free.

    Args:
        retries: how often a piece is tried again that failed for a reason outside.
        token: cancelled: raises Cancelled. keep: nothing further is handed out, what is under way comes to its end.
        on_wait: called about every :data:`POLL_S`.
    """
    waiting, under, tries = _Waiting(iter(items)), dict[int, _Under](), dict[int, int]()
    while True:
        while pool.free() > 0 and (taken := waiting.next(token.keep)) is not None:
            key, item = taken
            tries[key] = tries.get(key, 0) + 1
            under[key] = _Under(item, tries[key], time.monotonic())
            pool.submit(key, work, item)
        if not under and (not waiting.again or token.keep):
            return
        for ended in pool.wait(POLL_S):
            own = under.pop(ended.key)
            if ended.outside and own.tries <= retries and not token.keep:
                pause = PAUSE_S * 2 ** (own.tries - 1)
                waiting.again.append((time.monotonic() + pause, ended.key, own.item))
            else:
                del tries[ended.key]
                yield Outcome(ended, own.tries, round(time.monotonic() - own.since, 2))
        if not under:
            time.sleep(POLL_S)
        on_wait()
        if token.cancelled:
            raise Cancelled("Cancelled; what is finished is kept, and the same command goes on from there.")


def done_here(key: int, work: Work, item: Any, run: Run) -> Ended:
    """Does one piece in this process. Raises nothing but SystemExit."""
    try:
        return Ended(key, work(item, run))
    except GradvecError as error:
        return Ended(key, error=error, outside=from_outside(error))
    except Exception as error:
        if (short := out_of_memory(error)) is not None:
            return Ended(key, error=short, outside=True)
        reason = " ".join([type(error).__name__, *str(error).splitlines()[:1]])
        told = EngineError(f"Something failed inside gradvec ({reason}).", "Please report it with its trace.")
        return Ended(key, error=told, outside=from_outside(error), trace="".join(traceback.format_exception(error)))


def from_outside(error: BaseException) -> bool:
    """Whether the same piece may well succeed another time."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return False
        if (isinstance(seen, OSError) and seen.errno in _PASSING) or getattr(seen, "code", "") in OUTSIDE:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def lost(why: str) -> EngineError:
    """What is said of a piece whose worker went."""
    return EngineError(f"The process that worked on it ended before it was done ({why}).",
                       "Often memory has run out: use fewer --workers or a smaller --size.", "engine.lost")
