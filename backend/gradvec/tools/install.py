"""Puts the extension where Inkscape reads it, and takes it away again.

    extensions/gradvec/            one folder of our own, so that removing it leaves nothing
        gradvec.inx                the menu command
        inkscape_ext/              what runs in Inkscape's own Python
        locale/                    what the menu says in other languages
        gradvec/                   the few files it shares with the engine: errors, options, progress, ipc
        engine.json                which Python runs the engine, and where its package lies
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError, UsageError
from .places import absolute, extensions_directory, places, shared_state_dir, usual_places

FOLDER = "gradvec"
RECORD = "engine.json"
#: Where Inkscape's extension manager notes the files of a zip.
_MANAGERS_LIST = "info.json"
#: What the host imports from this package. Standard library only; a test holds them to it.
SHARED = ("__init__.py", "errors.py", "options.py", "looks.py", "progress.py", "color/__init__.py", "color/oklab.py",
          "color/spaces.py", "color/swatches.py", "ipc")
_PACKAGE = Path(__file__).resolve().parents[1]
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "ruff.toml", "*.po", "*.pot", ".*")


def install_extension(directory: Path | None = None, python: str = sys.executable) -> Path:
    """Installs the extension, over an older one if there is one, and returns its folder.

    directory: Inkscape's folder of extensions; None takes the first of :func:`places`. python: the interpreter that
    runs the engine.

    Raises:
        UsageError: ``python`` is not there, or no Inkscape is found.
        InputError: the folder cannot be written, or is taken by something else.
    """
    interpreter = _absolute_program(python)
    parent = absolute(directory or extensions_directory())
    target, *further = copies(parent) or [parent / FOLDER]
    if target.exists() and not _is_ours(target):
        raise InputError(f"{target} is there already and is not gradvec's extension.", "Rename it and try again.")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gradvec-", dir=parent) as beside:
            fresh = Path(beside) / FOLDER
            write_files(fresh)
            (fresh / RECORD).write_text(json.dumps(_record(interpreter, parent), indent=1) + "\n", "utf-8")
            for count, old in enumerate([target, *further]):
                if old.exists():
                    old.rename(Path(beside) / f"old{count}")
            fresh.rename(target)
    except OSError as error:
        raise InputError(f"The extension cannot be written to {target}: {error.strerror or error}.",
                         "Choose another folder with --dir, or change its permissions.") from error
    return target


def uninstall_extension(directory: Path | None = None) -> Path | None:
    """Removes the extension's folder and returns it; None when nothing was installed.

    directory: as for :func:`install_extension`.

    Raises:
        UsageError: no Inkscape is found.
        InputError: the folder is not ours, or cannot be removed.
    """
    parent = absolute(directory or extensions_directory())
    found = copies(parent)
    if not found and (parent / FOLDER).exists():
        raise InputError(f"{parent / FOLDER} is not gradvec's extension.", "Remove it by hand if you do not need it.")
    for target in found:
        try:
            shutil.rmtree(target)
            if target.parent != parent and {path.name for path in target.parent.iterdir()} <= {_MANAGERS_LIST}:
                shutil.rmtree(target.parent)
        except OSError as error:
            raise InputError(f"{target} cannot be removed: {error.strerror or error}.",
                             "Change its permissions.") from error
    return found[0] if found else None


def copies(parent: Path) -> list[Path]:
    """Folders of our extension in a folder of extensions, the one that is to stay first.

    Inkscape's extension manager unpacks the zip into a folder that it names after the first command, and keeps a list
    of the files there; that copy is the one to keep, since two of them would show every command twice.
    """
    managed = sorted(folder for folder in parent.glob(f"*/{FOLDER}") if _is_ours(folder))
    return [folder for folder in [*managed, parent / FOLDER] if _is_ours(folder)]


def _record(interpreter: str, parent: Path) -> dict[str, object]:
    """What the extension has to know of the engine."""
    record: dict[str, object] = {"python": interpreter, "root": str(_PACKAGE.parent), "version": __version__}
    inside = shared_state_dir(parent)
    if os.environ.get("GRADVEC_STATE_DIR"):
        record["state_dir"] = os.environ["GRADVEC_STATE_DIR"]
    elif inside is not None:
        record["state_dir"] = str(inside)
    return record


def installed(directory: Path | None = None) -> dict[str, Any] | None:
    """What the installed extension has recorded, with its own place as "folder"; None when there is none.

    Raises:
        UsageError: no Inkscape is found.
    """
    parent = absolute(directory or extensions_directory())
    target = (copies(parent) or [parent / FOLDER])[0]
    try:
        record = json.loads((target / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return {**record, "folder": str(target)} if isinstance(record, dict) else None


def leftovers() -> list[Path]:
    """All folders in which an installed extension lies, also of an Inkscape that is gone by now.

    $INKSCAPE_PROFILE_DIR stands for itself alone, as for :func:`places`.
    """
    known = usual_places()
    if os.environ.get("INKSCAPE_PROFILE_DIR"):
        known = places()
    with contextlib.suppress(UsageError):
        known = [*places(), *known]
    return [place for place in dict.fromkeys(map(absolute, known)) if (place / FOLDER).exists() or copies(place)]


def write_files(target: Path) -> None:
    """Writes all that the extension consists of, but for the record of the engine, into the new folder ``target``.

    Raises:
        InputError: this installation of gradvec lacks the extension's files.
        OSError: the folder cannot be written.
    """
    source = _source()
    target.mkdir(parents=True)
    shutil.copy(source / "gradvec.inx", target)
    shutil.copytree(source / "inkscape_ext", target / "inkscape_ext", ignore=_LEFT_OUT)
    import polib

    for language in sorted((source / "inkscape_ext" / "locale").glob("*.po")):
        catalog = polib.pofile(str(language)).to_binary()
        # Inkscape looks beside the menu file that it translates, the host's own code beside itself.
        for place in (target, target / "inkscape_ext"):
            folder = place / "locale" / language.stem / "LC_MESSAGES"
            folder.mkdir(parents=True)
            (folder / "gradvec.mo").write_bytes(catalog)
    shared = target / "gradvec"
    shared.mkdir()
    for name in SHARED:
        if (_PACKAGE / name).is_dir():
            shutil.copytree(_PACKAGE / name, shared / name, ignore=_LEFT_OUT)
        else:
            (shared / name).parent.mkdir(exist_ok=True)
            shutil.copy(_PACKAGE / name, shared / name)


def _source() -> Path:
    """Where gradvec.inx and inkscape_ext lie: inside an installed package, or at the root of a checkout."""
    for place in (_PACKAGE / "_extension", _PACKAGE.parents[1]):
        if (place / "gradvec.inx").is_file() and (place / "inkscape_ext").is_dir():
            return place
    raise InputError("This installation of gradvec lacks the files of its Inkscape extension.",
                     "Install gradvec again from a wheel or a checkout.")


def _is_ours(folder: Path) -> bool:
    return (folder / "inkscape_ext" / "main.py").is_file() and (folder / "gradvec.inx").is_file()


def _absolute_program(python: str) -> str:
    """``python`` as an absolute path; links are kept, because a virtual environment is found through its link."""
    found = shutil.which(python)
    if found is None:
        raise UsageError(f"There is no program {python} that could run the engine.",
                         "Give the Python in which gradvec is installed with --python.")
    return os.path.abspath(found)
