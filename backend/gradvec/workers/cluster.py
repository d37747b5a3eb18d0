"""Workers of a dask.distributed scheduler that somebody else started: one piece at a time for each of its workers.

A worker that goes is the scheduler's to notice: it gives what the worker was doing to another one. A scheduler that
goes ends the run; what was finished is in the manifest.
"""

from __future__ import annotations

import time
import warnings
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

from ..errors import EngineError, InputError, UsageError
from ..progress import Run
from .pool import Ended, Work, done_here, lost

#: How long to wait for the scheduler, and for its first worker, s.
CONNECT_S, FIRST_WORKER_S = 10.0, 60.0
#: How often is asked which workers there are, s.
ASK_S = 1.0


class ClusterPool:
    """The workers behind ``address`` (``tcp://host:8786``, ``tls://...`` as dask's configuration has it).

    Raises:
        UsageError: dask.distributed is not installed. InputError: no scheduler answers. EngineError: it has no
        workers, or they have another gradvec.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            raise UsageError("A cluster needs dask.distributed, which is not installed.",
                             "pip install 'gradvec[cluster]'") from error
        self._address = address
        try:
            self._client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(f"No scheduler answers at {address}.",
                             "Start one with `dask scheduler`, and workers with `dask worker ADDRESS`.") from error
        self._under: dict[int, Any] = {}
        self._names: dict[int, str] = {}
        self._workers: list[str] = []
        self._asked = 0.0
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        """Waits for the first worker and looks whether all of them have our version."""
        from .. import __version__

        until = time.monotonic() + FIRST_WORKER_S
        while not self._present():
            if time.monotonic() > until:
                raise EngineError(f"The scheduler at {self._address} has no workers.",
                                  f"Start some: dask worker {self._address}")
        try:
            found = self._client.run(version_here, on_error="return")
        except OSError as error:
            raise self._gone() from error
        for worker, version in found.items():
            if version != __version__:
                has = f"gradvec {version}" if isinstance(version, str) else "no gradvec"
                raise EngineError(f"The worker {worker} has {has}; this is gradvec {__version__}.",
                                  "Install the same version for all workers.")

    def _present(self) -> list[str]:
        """Addresses of the workers there are, asked for about every :data:`ASK_S`."""
        if time.monotonic() - self._asked > ASK_S or not self._workers:
            try:
                self._workers = list(self._client.scheduler_info(n_workers=-1)["workers"])
            except (OSError, TimeoutError) as error:
                raise self._gone() from error
            self._asked = time.monotonic()
            if not self._workers:
                time.sleep(0.1)
        return self._workers

    def free(self) -> int:
        return len(self._present()) - len(self._under)

    def submit(self, key: int, work: Work, item: Any) -> None:
        busy = set(self._names.values())
        idle = [one for one in self._present() if one not in busy]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a photograph counts as large there
            # Where its worker goes, another one takes it; retries of ours count, dask's own do not.
            self._under[key] = self._client.submit(there, key, work, item, workers=idle[:1] or None,
                                                   allow_other_workers=True, pure=False, key=f"gradvec-{id(self)}-"
                                                   f"{key}-{time.monotonic_ns()}")
        self._names[key] = idle[0] if idle else ""

    def wait(self, seconds: float) -> list[Ended]:
        from distributed import wait

        if self._client.status != "running":
            raise self._gone()
        if not self._under:
            return []
        # A future that was given up raises here; what became of each is asked below.
        with suppress(TimeoutError, CancelledError), self._client.as_current():
            wait(list(self._under.values()), timeout=seconds, return_when="FIRST_COMPLETED")
        over = [key for key, future in self._under.items() if future.done()]
        if over and self._client.status != "running":
            raise self._gone()
        return [self._ended(key) for key in over]

    def _ended(self, key: int) -> Ended:
        future = self._under.pop(key)
        del self._names[key]
        if future.status == "finished":
            try:
                found: Ended = future.result()
                return found
            except Exception as error:  # between its end and the asking its worker went
                return Ended(key, error=lost(type(error).__name__), outside=True)
        if future.status in ("cancelled", "lost"):
            raise self._gone()
        failure = future.exception()
        if type(failure).__name__ == "KilledWorker":
            return Ended(key, error=lost("several workers went while they did it"), outside=True)
        return Ended(key, error=EngineError(f"A worker could not take it ({type(failure).__name__}: {failure}).",
                                            "Install the same gradvec for all workers."))

    def _gone(self) -> EngineError:
        return EngineError(f"The scheduler at {self._address} is gone.",
                           "Start it again and give the same command: what is finished is not done again.")

    def fractions(self) -> float:
        return 0.0

    def close(self) -> None:
        with suppress(Exception):  # where the scheduler is gone there is nothing to forget
            self._client.cancel(list(self._under.values()))
        with suppress(Exception):
            self._client.close(timeout=CONNECT_S)

    def __enter__(self) -> ClusterPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def there(key: int, work: Work, item: Any) -> Ended:
    """On a worker: one piece, with as many engine threads as the worker has."""
    import numba
    from distributed import get_worker

    from ..render.threads import calm_threads

    calm_threads()
    numba.set_num_threads(max(1, min(get_worker().state.nthreads, numba.get_num_threads())))
    return done_here(key, work, item, Run())


def version_here() -> str:
    """On a worker: which gradvec it has."""
    from .. import __version__

    return __version__
