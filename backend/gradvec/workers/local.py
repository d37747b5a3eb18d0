"""Processes on this machine. Each has a pipe of its own, so that one that dies takes nothing along but its piece."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from ..errors import GradvecError, from_wire
from ..progress import Progress, Run, notes_to
from .pool import Ended, Work, done_here, lost

#: Reports that come faster than this are left out, s.
REPORT_S = 0.2
#: How long a worker gets to end by itself, s.
END_S = 2.0


@dataclass
class _Worker:
    """One process; key: the piece that it works on, None while it is idle. fraction: how far that is."""

    process: BaseProcess
    pipe: Connection
    key: int | None = None
    fraction: float = 0.0


@dataclass
class LocalPool:
    """``count`` processes with ``threads`` engine threads each; cards: how many graphics cards they are spread over.

    on_note: takes what workers say that is no error.
    """

    count: int
    threads: int = 1
    cards: int = 0
    on_note: Callable[[str], None] = lambda text: None
    _workers: list[_Worker] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)
    _started: int = 0

    def free(self) -> int:
        return self.count - sum(worker.key is not None for worker in self._workers)

    def submit(self, key: int, work: Work, item: Any) -> None:
        while True:
            worker = next((one for one in self._workers if one.key is None), None) or self._start()
            try:
                worker.pipe.send((key, work, item))
            except OSError:  # it died while it was idle
                self._end(worker)
                continue
            worker.key, worker.fraction = key, 0.0
            return

    def wait(self, seconds: float) -> list[Ended]:
        ended = []
        by_pipe = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(by_pipe), seconds):
            assert isinstance(pipe, Connection)
            found = self._heard(by_pipe[pipe])
            ended += [found] if found is not None else []
        return ended

    def fractions(self) -> float:
        return sum(worker.fraction for worker in self._workers if worker.key is not None)

    def close(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        until = time.monotonic() + END_S
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
            worker.process.join()
            worker.process.close()
        self._workers.clear()

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> _Worker:
        # A fork would not survive the engine's threads (render.threads).
        context = multiprocessing.get_context("spawn")
        own, other = context.Pipe()
        card = self._started % self.cards if self.cards else None
        process = context.Process(target=serve, args=(other, self.threads, card), daemon=True)
        process.start()
        other.close()
        self._started += 1
        self._workers.append(_Worker(process, own))
        return self._workers[-1]

    def _heard(self, worker: _Worker) -> Ended | None:
        """What one message says; the end of a piece where it says that."""
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            return self._died(worker)
        if kind == "step":
            worker.fraction = value
        elif kind == "note" and value not in self._told:
            self._told.add(value)
            self.on_note(value)
        elif kind == "end":
            worker.key = None
            ended, wire = value
            return Ended(ended.key, ended.value, from_wire(*wire) if wire else None, ended.outside, ended.trace)
        return None

    def _died(self, worker: _Worker) -> Ended | None:
        code = self._end(worker)
        if code == -getattr(signal, "SIGKILL", 9):
            # Where the system ends processes because memory is short, one worker less may be what it takes.
            self.count = max(1, self.count - 1)
        if worker.key is None:
            return None
        why = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return Ended(worker.key, error=lost(why), outside=True)

    def _end(self, worker: _Worker) -> int | None:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(END_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        code = worker.process.exitcode
        worker.process.close()
        return code


def serve(pipe: Connection, threads: int, card: int | None) -> None:
    """A worker: takes pieces from the pipe until it is closed. Its own numeric libraries are not loaded before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the one who asked decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    if card is not None:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        os.environ["CUDA_VISIBLE_DEVICES"] = seen[card % len(seen)] if seen != [""] else str(card)
    with suppress(OSError, EOFError, KeyboardInterrupt), notes_to(lambda text: pipe.send(("note", text))):
        while True:
            key, work, item = pipe.recv()
            ended = done_here(key, work, item, Run(on_progress=_Steps(pipe)))
            error = ended.error
            wire = (error.code, error.message, error.remedy) if isinstance(error, GradvecError) else None
            pipe.send(("end", (Ended(ended.key, ended.value, None, ended.outside, ended.trace), wire)))


class _Steps:
    """Tells the other end of the pipe how far the run is; ends the process where nobody listens any more."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._next = pipe, 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REPORT_S
            try:
                self._pipe.send(("step", progress.fraction))
            except OSError:
                sys.exit(0)
