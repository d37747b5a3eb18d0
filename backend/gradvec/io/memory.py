"""Whether this process may take the memory that the numeric libraries need. Standard library only.

Under a limit that is too low, loading them ends in no sentence: the loader of libraries aborts, or turns in circles
where no signal reaches it. So it is looked at before.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from ..errors import SMALLER, EngineError

#: What loading takes, bytes: of address space (libraries, tables and reserves), of memory that is really used, and of
#: address space for each further thread's stack. Measured: 1.00 GB and 0.33 GB with torch 2.13 on one thread.
ADDRESSES, MEMORY, STACK = 1_150_000_000, 400_000_000, 9_000_000
#: Free memory of the whole machine below which nothing is begun; the system gives back more than it calls free.
FREE = 200_000_000
_PROC = Path("/proc")


def check_to_load() -> None:
    """Raises EngineError where limits of this process or the machine's free memory do not let the libraries be loaded.

    Systems that do not tell are taken to have enough.
    """
    threads = STACK * ((os.cpu_count() or 1) - 1)
    ours = _sizes(_PROC / "self" / "status")
    for limit, used, wanted in ((_limit("RLIMIT_AS"), ours.get("VmSize", 0), ADDRESSES + threads),
                                (_limit("RLIMIT_DATA"), ours.get("VmData", 0), MEMORY + threads),
                                (_group_limit(), 0, MEMORY)):
        if limit is not None and limit - used < wanted:
            raise _too_little(wanted, max(limit - used, 0), "this process may take only {} more",
                              "Raise the limit (ulimit -v, or that of its container), and try again.")
    free = free_memory(FREE)
    if free < FREE:
        raise _too_little(MEMORY, free, "only {} are free", SMALLER)


def free_memory(unknown: int = 1 << 40) -> int:
    """What of the machine's memory is free, bytes; ``unknown`` where the system does not tell."""
    machine = _sizes(_PROC / "meminfo")
    return machine.get("MemAvailable", unknown) + machine.get("SwapFree", 0)


def _too_little(wanted: int, there: int, reason: str, remedy: str) -> EngineError:
    found = reason.format(f"{there / 1e9:.2f} GB")
    return EngineError(f"There is not enough memory to begin: {wanted / 1e9:.2f} GB are wanted, and {found}.", remedy,
                       "engine.memory")


def _limit(name: str) -> int | None:
    """A limit that the system sets to this process, bytes; None: there is none."""
    try:
        import resource

        soft: int = resource.getrlimit(getattr(resource, name))[0]
    except (ImportError, AttributeError, OSError, ValueError):
        return None
    return None if soft in (resource.RLIM_INFINITY, -1) else soft


def _group_limit() -> int | None:
    """The least limit of the control groups that this process is in, bytes; None: there is none."""
    least = None
    with contextlib.suppress(OSError, ValueError):
        group = (_PROC / "self" / "cgroup").read_text("ascii", "replace").rpartition("0::/")[2].strip()
        place = Path("/sys/fs/cgroup") / group
        for folder in (place, *place.parents):
            with contextlib.suppress(OSError, ValueError):
                limit = int((folder / "memory.max").read_text("ascii"))
                least = limit if least is None else min(least, limit)
    return least


def _sizes(path: Path) -> dict[str, int]:
    """Lines such as ``VmSize: 12 kB`` of a file of the system's, in bytes; nothing where it cannot be read."""
    try:
        text = path.read_text("ascii", "replace")
    except OSError:
        return {}
    return {name: 1024 * int(size) for name, size in re.findall(r"^(\w+):\s*(\d+) kB$", text, re.MULTILINE)}
