"""A whole batch: what is still to be done goes to the workers, what comes back is written and noted down."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import EXIT_DONE, EXIT_ENGINE, EXIT_INPUT, InputError
from ..options import Options
from ..progress import Progress, Run
from ..workers.pool import Outcome, Pool, Work, map_work
from . import sheet
from .manifest import Entry, Manifest
from .painting import Painted, ToPaint, paint_one

#: Options that say where a picture is painted, not how it looks.
NOWHERE_SEEN = ("device", "engine", "force")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Wish:
    """What is to be done.

    pictures: files. outputs: what becomes of each, relative to folder. job: of gradvec.jobs. payloads: what else it
    takes, by name. by_path: workers read pictures by their paths; otherwise they get the bytes. retries: for reasons
    outside. again: also what was done before. thumbs: small pictures for the contact sheet.
    """

    pictures: list[str]
    outputs: list[str]
    folder: Path
    options: Options
    job: str = "paint"
    payloads: dict[str, bytes] = field(default_factory=dict)
    by_path: bool = True
    retries: int = 2
    again: bool = False
    thumbs: bool = True

    def settings(self) -> dict[str, Any]:
        """What tells one way of painting from another, as the manifest has it."""
        given = {f.name: getattr(self.options, f.name) for f in fields(Options)
                 if f.name not in NOWHERE_SEEN and getattr(self.options, f.name) != f.default}
        return {**given, **{name: hashlib.sha256(data).hexdigest() for name, data in self.payloads.items()}}


@dataclass
class Summary:
    """painted, failed: how many. kept: done before. left: neither, because the run was stopped. exit_code: 0, or that
    of the gravest failure."""

    painted: int = 0
    kept: int = 0
    failed: int = 0
    left: int = 0
    exit_code: int = EXIT_DONE

    def count_failure(self, code: str) -> None:
        self.failed += 1
        inside = code.partition(".")[0] in ("input", "usage")
        self.exit_code = max(self.exit_code, EXIT_INPUT if inside else EXIT_ENGINE)


def paint_all(wish: Wish, pool_of: Callable[[int], AbstractContextManager[Pool]], write: Callable[[Path, bytes], None],
              run: Run, note: Callable[[str], None] = lambda text: None, work: Work = paint_one) -> Summary:
    """Paints every picture that is not done yet, and writes drawings, manifest and contact sheet into the folder.

    Args:
        pool_of: makes the workers for so many pictures. write: puts a file into its place, whole or not at all. note:
            takes a sentence for each picture that failed. work: what a worker does, from ToPaint to Painted.

    Raises:
        InputError: the folder cannot be written. EngineError: the workers are gone. Cancelled: what is finished stays.
    """
    summary = Summary()
    with Manifest(wish.folder) as manifest:
        todo = [number for number in range(len(wish.pictures)) if not _over(wish, number, manifest, summary)]
        summary.left = len(todo)
        try:
            if todo:
                with pool_of(len(todo)) as pool:
                    _work(wish, todo, pool, work, manifest, summary, write, run, note)
        finally:
            if wish.thumbs:
                for name, page in sheet.pages([manifest.entries[output] for output in wish.outputs
                                               if output in manifest.entries], wish.folder.name):
                    write(wish.folder / name, page.encode("utf-8"))
    return summary


def _work(wish: Wish, todo: list[int], pool: Pool, work: Work, manifest: Manifest, summary: Summary,
          write: Callable[[Path, bytes], None], run: Run, note: Callable[[str], None]) -> None:
    started = time.monotonic()

    def report() -> None:
        over = len(todo) - summary.left
        share = (over + pool.fractions()) / len(todo)
        left = (time.monotonic() - started) * (1 - share) / share if share > 0 else None
        if run.on_progress is not None:
            run.on_progress(Progress(f"{over} of {len(todo)}", share, left))

    for outcome in map_work(pool, work, _items(wish, todo), wish.retries, run.token, report):
        number = outcome.ended.key
        entry = _entry(wish, number, outcome)
        if entry.error is None:
            painted: Painted = outcome.ended.value
            place = wish.folder / entry.output
            _folder_of(place)
            if painted.thumb:
                small = wish.folder / sheet.thumb_name(entry.output)
                _folder_of(small)
                write(small, painted.thumb)
            write(place, painted.svg)
            summary.painted += 1
        else:
            summary.count_failure(entry.error["code"])
            note(f"{entry.picture}: {entry.error['message']}")
        manifest.add(entry)
        summary.left -= 1


def _items(wish: Wish, todo: list[int]) -> Iterator[tuple[int, ToPaint]]:
    """What workers get, made when it is asked for: never more pictures in memory than are under way."""
    options = wish.options.to_dict()
    for number in todo:
        name = wish.pictures[number]
        source: bytes | str = os.path.abspath(name)
        if not wish.by_path:
            with suppress(OSError):  # whoever paints it says what is wrong with it
                source = Path(name).read_bytes()
        yield number, ToPaint(source, os.path.basename(name), wish.job, options, wish.payloads, wish.thumbs)


def _over(wish: Wish, number: int, manifest: Manifest, summary: Summary) -> bool:
    """Whether nothing is left to do for a picture, which is then counted."""
    entry = manifest.entries.get(wish.outputs[number])
    if entry is None or wish.again or entry.settings != wish.settings() or not _unchanged(entry, wish.pictures[number]):
        return False
    if entry.error is not None:
        if entry.error.get("outside"):
            return False
        summary.count_failure(entry.error["code"])  # the same picture fails again
        return True
    if not (wish.folder / entry.output).is_file():
        return False
    summary.kept += 1
    return True


def _unchanged(entry: Entry, picture: str) -> bool:
    """Whether a picture is still what the manifest has it for: its file was not touched, or holds the same bytes."""
    size, modified = _stat(picture)
    if size < 0:
        return False
    if (entry.picture, entry.bytes, entry.modified) == (picture, size, modified):
        return True
    return entry.bytes == size and bool(entry.sha256) and entry.sha256 == _sha256(picture)


def _entry(wish: Wish, number: int, outcome: Outcome) -> Entry:
    ended, error = outcome.ended, None
    size, modified = _stat(wish.pictures[number])
    if ended.error is not None:
        error = {"code": ended.error.code, "message": ended.error.message, "remedy": ended.error.remedy,
                 "outside": ended.outside, **({"trace": ended.trace} if ended.trace else {})}
    painted: Painted | None = ended.value
    return Entry(picture=wish.pictures[number], output=wish.outputs[number],
                 sha256=painted.sha256 if painted else "", bytes=painted.size if painted else max(size, 0),
                 modified=modified, settings=wish.settings(),
                 time=datetime.now(timezone.utc).isoformat(timespec="seconds"), seconds=outcome.seconds,
                 tries=outcome.tries, figures=painted.figures if painted else {}, error=error, version=__version__)


def _stat(picture: str) -> tuple[int, int]:
    """(bytes, when it was changed in ns) of a file; (-1, 0) where there is none."""
    try:
        found = os.stat(picture)
    except OSError:
        return -1, 0
    return found.st_size, found.st_mtime_ns


def _sha256(picture: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(picture, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def _folder_of(place: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {place.parent} cannot be made: {error.strerror or error}.",
                         "Choose another name pattern or folder.") from error


def prepared_folder(name: str) -> Path:
    """The folder for all drawings, made where it is missing. Raises InputError where that cannot be."""
    folder = Path(os.path.realpath(name))
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"The output {name} is a file, but a folder is needed.", "Name another one.") from error
    except FileNotFoundError as error:
        raise InputError(f"The folder of {name} does not exist.", f"Make it first: mkdir -p {folder.parent}") from error
    except OSError as error:
        raise InputError(f"The folder {name} cannot be made: {error.strerror or error}.",
                         "Name another one.") from error
    return folder

