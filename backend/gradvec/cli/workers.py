"""The options of commands whose work is shared out, and the workers that they ask for."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..options import Options
from .reporting import Silent
from .running import check_input

#: Most workers and retries that anybody may ask for.
WORKERS_MAX, RETRIES_MAX = 1024, 100


def add_workers(group: Any, what: str) -> None:
    """--workers, --cluster and --retries. what: a piece of work, as ``picture``."""
    group.add_argument("--workers", metavar="N", type=_whole("workers", 1, WORKERS_MAX), default=None,
                       help="processes on this machine (default: as many as its cores and memory allow)")
    group.add_argument("--cluster", metavar="ADDRESS",
                       help="a dask.distributed scheduler whose workers paint instead, as tcp://HOST:8786")
    group.add_argument("--retries", metavar="N", type=_whole("retries", 0, RETRIES_MAX), default=2,
                       help=f"how often a {what} is tried again that failed for a reason outside: a worker lost, "
                            "memory short, a disk that did not answer (default: 2)")


def _whole(what: str, low: int, high: int) -> Any:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is no number of {what} between {low} and {high}")
        return value

    read.__name__ = f"number of {what}"
    return read


def check_workers(args: argparse.Namespace) -> None:
    """Raises UsageError where both kinds of workers are asked for."""
    if args.cluster and args.workers is not None:
        raise UsageError("--workers are processes on this machine, --cluster has its own.", "Leave out one of them.")


def contents(name: str) -> bytes:
    """The bytes of a file that the user named. Raises InputError where there is none."""
    check_input(name)
    return Path(name).read_bytes()


def pool_of(args: argparse.Namespace, options: Options, count: int, say: Silent) -> AbstractContextManager[Any]:
    """The workers for ``count`` pieces of work."""
    if args.cluster:
        from ..workers.cluster import ClusterPool

        return ClusterPool(args.cluster)
    from ..settings import SHARP_SIDE
    from ..tools.doctor import memory_gb
    from ..workers.capacity import capacity, cards, cores
    from ..workers.local import LocalPool

    room = capacity(options.size or SHARP_SIDE, count, args.workers, options.device, memory_gb()[1], cores(),
                    0 if options.device == "cpu" else cards())
    return LocalPool(room.workers, room.threads, room.cards, say.note)
