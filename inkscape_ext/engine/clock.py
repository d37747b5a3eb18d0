"""The one time that the artist reads: how long the rest will take, from what runs took before and how this one goes."""

from __future__ import annotations

import time
from collections.abc import Callable

from .history import TENTHS, Expected

#: From which share of a run on its own speed tells as much as the usual time of an untried computer.
OWN_SPEED = 0.25
#: Earlier shares than this tell nothing about a run's speed.
EARLY = 0.03
#: Good news comes in over this time, s, and bad news over that; more is only asked for where it is so much more.
SOONER_S, LATER_S, MORE = 2.0, 4.0, 1.25


class Clock:
    """Time left of jobs that are alike, one after the other. ``now`` in seconds."""

    def __init__(self, expected: Expected = Expected(), jobs: int = 1,
                 now: Callable[[], float] = time.monotonic) -> None:
        self._expected, self._jobs, self._now = expected, jobs, now
        self._begun: float | None = None
        self._index = 0
        self._at: list[float] = []
        self._shown: tuple[float, float] | None = None
        #: Of each job that has ended: its seconds and its pace, see Expected.
        self.took: list[tuple[float, tuple[float, ...]]] = []

    def begin(self, index: int) -> None:
        """The job of that number begins."""
        self._begun, self._index, self._at = None, index, []

    def end(self) -> None:
        """The job has ended by itself."""
        if self._begun is not None and len(self._at) == TENTHS:
            seconds = max(self._now() - self._begun, 1e-3)
            self.took.append((seconds, tuple(at / seconds for at in self._at)))

    def done(self, fraction: float) -> float:
        """The share of all jobs' time that has passed at ``fraction`` of the present one's stages."""
        return (self._index + self._expected.passed(fraction)) / self._jobs

    def before(self) -> float | None:
        """Seconds that all jobs will take, before the first begins; None where nothing is known."""
        return None if self._expected.seconds is None else self._expected.seconds * self._jobs

    def left(self, fraction: float, said: float | None = None) -> float | None:
        """Seconds that are left of all jobs. said: what the engine says about the present one."""
        now = self._now()
        if self._begun is None:
            self._begun = now
        passed = now - self._begun
        while len(self._at) < TENTHS and fraction * (TENTHS + 1) >= len(self._at) + 1:
            self._at.append(passed)
        further = self._jobs - self._index - 1
        if self._expected.seconds is None:
            if said is None:
                return None
            return self._eased(said + (said / (1 - fraction) * further if fraction < 1 else 0.0), now)
        whole = self._whole(self._expected.seconds, self._expected.passed(fraction), passed)
        return self._eased(max(whole - passed, 0.0) + whole * further, now)

    def _whole(self, usual: float, share: float, passed: float) -> float:
        """Seconds that the present job takes from its begin to its end."""
        if share < EARLY:
            return max(usual, passed)
        trust = share if self._expected.tried else min(1.0, share / OWN_SPEED)
        return usual * (1 - trust) + passed / share * trust

    def _eased(self, left: float, now: float) -> float:
        """``left`` without jumps: what was shown, less the time since, and the difference bit by bit."""
        if self._shown is not None:
            shown, at = self._shown
            due = max(shown - (now - at), 0.0)
            share = min(1.0, (now - at) / (SOONER_S if left < due else LATER_S))
            left = due if due <= left <= MORE * due else due + (left - due) * share
        self._shown = left, now
        return left
