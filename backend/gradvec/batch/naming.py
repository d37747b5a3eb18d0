"""Which pictures are meant, and what their drawings are called."""

from __future__ import annotations

import os
import string
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import InputError, UsageError

#: Files of a folder that count as pictures, by their names' ends.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")
#: What a pattern may hold, with what it stands for.
FIELDS = {"stem": "the picture's name without its ending", "name": "with it", "ending": "the ending alone, without dot",
          "folder": "the folder that it lies in", "number": "1 for the first picture, 2 for the second ..."}
PATTERN = "{stem}.svg"


def pictures(names: Sequence[str], lists: Iterable[str] = ()) -> list[str]:
    """The pictures that are meant, each once, in the order in which they are named.

    Args:
        names: files, and folders for all pictures in them (not in folders inside them). lists: files with one name a
            line.

    Raises:
        InputError: a list or a folder cannot be read. UsageError: there is none at all.
    """
    found: dict[str, str] = {}
    for name in _expanded(names, lists):
        found.setdefault(os.path.abspath(name), name)
    if not found:
        raise UsageError("There is no picture to paint.", "Name picture files, or folders that hold some.")
    return list(found.values())


def _expanded(names: Sequence[str], lists: Iterable[str]) -> Iterator[str]:
    for listed in lists:
        try:
            lines = Path(listed).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The list {listed} cannot be read: {getattr(error, 'strerror', None) or error}.",
                             "A list is a text file with one picture a line.") from error
        yield from _expanded([line for line in lines if line.strip()], ())
    for name in names:
        if not os.path.isdir(name):
            yield name
            continue
        try:
            inside = sorted(entry.name for entry in os.scandir(name) if entry.is_file())
        except OSError as error:
            raise InputError(f"The folder {name} cannot be read: {error.strerror or error}.",
                             "Check that you may read it.") from error
        yield from (os.path.join(name, own) for own in inside
                    if own.lower().endswith(SUFFIXES) and not own.startswith("."))


def outputs(names: Sequence[str], pattern: str = PATTERN) -> list[str]:
    """What each picture's drawing is called, relative to the folder for all, with / between folders.

    Raises:
        UsageError: the pattern holds what it may not, leaves the folder, or gives two drawings one name.
    """
    made: dict[str, str] = {}
    result = []
    for number, name in enumerate(names, 1):
        output = _filled(pattern, Path(os.path.abspath(name)), number)
        # Some systems do not tell capitals from small letters.
        other = made.setdefault(output.lower(), name)
        if other is not name:
            raise UsageError(f"{other} and {name} would both become {output}.",
                             "Give --name a pattern that keeps them apart, as '{name}.svg' or '{number}.svg'.")
        result.append(output)
    return result


def _filled(pattern: str, path: Path, number: int) -> str:
    values = {"stem": path.stem, "name": path.name, "ending": path.suffix.lstrip("."), "folder": path.parent.name,
              "number": number}
    known = f"It may hold {', '.join('{' + name + '}' for name in FIELDS)}."
    try:
        named = [name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None]
        unknown = [name for name in named if name not in FIELDS]
        filled = pattern.format(**values)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise UsageError(f"The name pattern {pattern!r} cannot be read ({error}).", known) from error
    if unknown:
        raise UsageError(f"The name pattern {pattern!r} holds {{{unknown[0]}}}, which means nothing.", known)
    place = PurePosixPath(filled.replace(os.sep, "/"))
    if place.is_absolute() or ".." in place.parts or place.name in ("", ".svg") or "\0" in filled:
        raise UsageError(f"The name pattern {pattern!r} gives {filled!r}, which is no file inside the folder.", known)
    return str(place) if place.suffix.lower() == ".svg" else f"{place}.svg"
