"""How many paths each stage adds. Standard library only: the command line asks before anything heavy is loaded."""

from __future__ import annotations

import re

from ...errors import UsageError
from ...options import JOB_DEFAULTS

#: Paths where neither a number nor a schedule is given.
PATHS: int = JOB_DEFAULTS["vectorize"]["strokes"]
_FORM = re.compile(r"[1-9][0-9]{0,5}(,[1-9][0-9]{0,5})*(,\.\.\.)?")


def stages(paths: int | None = None, schedule: str = "") -> tuple[int, ...]:
    """Numbers of paths that the stages add, each at least 1.

    Args:
        paths: how many in all; None: as many as the schedule says, or :data:`PATHS`.
        schedule: for example "1,1,2,4": where ``paths`` asks for more, the last number is repeated, or doubled on and
            on where the schedule ends in ",..."; where it asks for fewer, the schedule ends early. "" stands for
            "1,1,2,...".

    Raises:
        UsageError: the schedule is no such list, or ``paths`` is below 1.
    """
    if paths is not None and paths < 1:
        raise UsageError(f"Option paths is {paths}; it must be at least 1.")
    schedule = schedule.replace(" ", "")
    if schedule and not _FORM.fullmatch(schedule):
        raise UsageError(f"Option schedule is {schedule!r}; it must be numbers of paths such as 1,1,2,4 or 1,1,2,...")
    words = (schedule or "1,1,2,...").split(",")
    doubling = words[-1] == "..."
    numbers = [int(word) for word in words if word != "..."]
    if paths is None:
        paths = PATHS if doubling else sum(numbers)
    result: list[int] = []
    while sum(result) < paths:
        at = len(result)
        number = numbers[at] if at < len(numbers) else result[-1] * (2 if doubling else 1)
        result.append(min(number, paths - sum(result)))
    return tuple(result)
