"""What can go wrong, as an artist is told it. Standard library only: Inkscape's Python reads this file too.

Every error carries one plain sentence (what happened, what was expected), what to do about it, and the exit code
that the command line ends with. Foreign errors are translated once, at the boundary where they enter, and stay
reachable as ``__cause__``.
"""

from __future__ import annotations

import re

EXIT_DONE = 0
EXIT_USAGE = 2
EXIT_INPUT = 3
EXIT_ENGINE = 4
EXIT_CANCELLED = 130


class GradvecError(Exception):
    """Base of all errors that are told to the user; ``code`` is a stable word for programs."""

    exit_code = EXIT_ENGINE
    code = "error"

    def __init__(self, message: str, remedy: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or type(self).code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(GradvecError):
    """An option is unknown, of the wrong type or out of its range."""

    exit_code = EXIT_USAGE
    code = "usage"


class InputError(GradvecError):
    """The picture, folder or document that was handed in cannot be worked on, or the output cannot be written."""

    exit_code = EXIT_INPUT
    code = "input"


class EngineError(GradvecError):
    """The engine failed, died, cannot be reached or lacks something that was asked of it."""

    exit_code = EXIT_ENGINE
    code = "engine"


class Cancelled(GradvecError):
    """The user cancelled; nothing was changed."""

    exit_code = EXIT_CANCELLED
    code = "cancelled"

    def __init__(self, message: str = "Cancelled; nothing was changed.", remedy: str = "", code: str = "") -> None:
        super().__init__(message, remedy, code)


#: How libraries say that memory ran out, where they raise no MemoryError: torch, oneDNN, LLVM, the C++ library, CUDA,
#: the system's loader of libraries.
_NO_MEMORY = re.compile(r"can't allocate memory|not enough memory|cannot allocate memory|unable to allocate|"
                        r"out of memory|could not create a (?:primitive|memory)|bad_alloc|alloc_failed|"
                        r"failed to map segment", re.IGNORECASE)
_WANTED = re.compile(r"allocat\w*\D{0,20}?([0-9]+(?:\.[0-9]*)?) ?(bytes|[KMGTP]i?B)", re.IGNORECASE)
SMALLER = "Close other programs, or choose a smaller working size or fewer strokes, and try again."


def out_of_memory(error: BaseException) -> EngineError | None:
    """The sentence for an error that means that memory ran out, with how much was wanted where it says so; None for
    any other error. Looks at its causes, too."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return None
        text = str(seen)[:2000]
        if isinstance(seen, MemoryError) or type(seen).__name__ == "OutOfMemoryError" or (
                isinstance(seen, (RuntimeError, OSError, ImportError, SystemError)) and _NO_MEMORY.search(text)):
            return EngineError(f"There is not enough memory for this run{_wanted(text)}.", SMALLER, "engine.memory")
        seen = seen.__cause__ or seen.__context__
    return None


def _wanted(text: str) -> str:
    found = _WANTED.search(text)
    if not found:
        return ""
    power = "bkmgtp".index(found[2][0].lower())
    megabytes = float(found[1]) * 1024**power / 1e6
    amount = f"{megabytes / 1000:.1f} GB" if megabytes >= 100 else f"{megabytes:.1f} MB"
    return f": {amount} more were wanted"


_BY_CODE: dict[str, type[GradvecError]] = {c.code: c for c in (UsageError, InputError, EngineError, Cancelled)}


def from_wire(code: str, message: str, remedy: str = "") -> GradvecError:
    """The error that travelled as (code, message, remedy); an unknown code becomes an EngineError that keeps it."""
    return _BY_CODE.get(code.partition(".")[0], EngineError)(message, remedy, code)
