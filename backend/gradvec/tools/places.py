"""Where an Inkscape keeps its user's extensions: a package of the system, an AppImage, a Flatpak, a Snap, the Windows
installer, the Microsoft Store's package, or the bundle for macOS.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import UsageError

#: Where the system keeps Flatpaks and Snaps.
FLATPAKS = Path("/var/lib/flatpak")
SNAPS = (Path("/snap"), Path("/var/lib/snapd/snap"))
_FLATPAK = "org.inkscape.Inkscape"
_FLATPAK_PROFILE = Path(".var/app") / _FLATPAK / "config/inkscape/extensions"
_SNAP_PROFILE = Path("snap/inkscape/current/.config/inkscape/extensions")
#: The name that the Microsoft Store gives to Inkscape's package. What a program from there writes to %APPDATA% lands in
#: a folder of the package, and that is also where it looks first.
_STORE = "25415Inkscape.Inkscape_9waqn51p1ttv2"
_STORE_PROFILE = Path("Packages") / _STORE / "LocalCache" / "Roaming" / "inkscape" / "extensions"
_NAME_IT = "Give the folder with --dir: in Inkscape, Edit > Preferences > System shows it as User extensions."


def places() -> list[Path]:
    """The folders of extensions of every Inkscape that this user has, the one on the search path first.

    A Flatpak, a Snap and the Microsoft Store's package have folders of their own; an AppImage shares the usual one.
    $INKSCAPE_PROFILE_DIR, which all of them follow, stands for itself alone.

    Raises:
        UsageError: no Inkscape is found, or the one there is does not answer.
    """
    profile = os.environ.get("INKSCAPE_PROFILE_DIR")
    if profile:
        return [Path(profile) / "extensions"]
    found, silent = [], None
    program = find_inkscape()
    if program is not None:
        try:
            found.append(_told_by(program))
        except UsageError as error:
            silent = error
    if not found and usual_directory().parent.is_dir():
        found.append(usual_directory())
    found += [place for place in _sandboxes() if absolute(place) not in map(absolute, found)]
    if found:
        return found
    raise silent or UsageError("Inkscape was not found, so its folder of extensions is not known.", _NAME_IT)


def extensions_directory() -> Path:
    """The first of :func:`places`.

    Raises:
        UsageError: no Inkscape is found, or the one there is does not answer.
    """
    return places()[0]


def usual_directory() -> Path:
    """Where Inkscape keeps a user's extensions unless something else is set up."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support/org.inkscape.Inkscape/config"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "inkscape" / "extensions"


def find_inkscape() -> str | None:
    """The program ``inkscape``, on the search path or where Windows and macOS put it."""
    found = shutil.which("inkscape")
    if found:
        return found
    bundle = "Applications/Inkscape.app/Contents/MacOS/inkscape"
    windows = [Path(base) / "Inkscape" / "bin" / name  # the .com waits and answers in a terminal, the .exe may not
               for base in (os.environ.get("PROGRAMFILES", "C:/Program Files"),
                            Path(os.environ.get("LOCALAPPDATA", "C:/")) / "Programs")
               for name in ("inkscape.com", "inkscape.exe")]
    return next((str(path) for path in [Path("/") / bundle, Path.home() / bundle, *windows] if path.is_file()), None)


def _told_by(program: str) -> Path:
    """The user's folder of extensions, as Inkscape itself tells it.

    Raises:
        UsageError: it does not answer.
    """
    try:
        done = subprocess.run([program, "--user-data-directory"], capture_output=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{program} does not answer where its extensions lie.", _NAME_IT) from error
    lines = [line for line in os.fsdecode(done.stdout).splitlines() if line.strip()]
    if done.returncode or not lines:
        raise UsageError(f"{program} does not answer where its extensions lie.", _NAME_IT)
    return _current(Path(lines[-1].strip()) / "extensions")


def _current(place: Path) -> Path:
    """In a Snap, the folder that stays through its updates instead of the one of today's revision."""
    parts = place.parts
    for at in range(len(parts) - 2):
        revision = Path(*parts[:at + 3])
        current = revision.with_name("current")
        if parts[at:at + 2] == ("snap", "inkscape") and current.is_dir() and current.resolve() == revision.resolve():
            return current.joinpath(*parts[at + 3:])
    return place


def _sandboxes() -> list[Path]:
    """The folders of an Inkscape that came as a Flatpak, a Snap or from the Microsoft Store.

    A Snap that was never started has none yet, and only it can make one. The Store's package has one from its start.
    """
    if sys.platform == "win32":
        return [_store_place()] if _store_place().parents[3].is_dir() else []
    if not sys.platform.startswith("linux"):
        return []
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    found = []
    if any((base / "app" / _FLATPAK).is_dir() for base in (FLATPAKS, data / "flatpak")):
        found.append(home / _FLATPAK_PROFILE)
    if any((base / "inkscape").is_dir() for base in SNAPS) and (home / "snap/inkscape/current").is_dir():
        found.append(home / _SNAP_PROFILE)
    return found


def usual_places() -> list[Path]:
    """All folders that an Inkscape of this system may have used, whether it is there (any more) or not."""
    if sys.platform == "win32":
        return [usual_directory(), _store_place()]
    return [usual_directory(), Path.home() / _FLATPAK_PROFILE, Path.home() / _SNAP_PROFILE]


def _store_place() -> Path:
    return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / _STORE_PROFILE


def confined(parent: Path) -> bool:
    """Whether the Inkscape whose folder of extensions this is, a Flatpak or Snap, can start nothing outside of it."""
    parts = parent.parts
    return any(parts[i:i + 2] in ((".var", "app"), ("snap", "inkscape")) for i in range(len(parts)))


def shared_state_dir(parent: Path) -> Path | None:
    """Where an engine must keep its state so that this Inkscape and the user's other programs see the same; None where
    they see the same files anyway.

    Flatpak and Snap give a program a profile folder of its own, and nothing else that both sides see for certain. The
    Store's package sees other files under %LOCALAPPDATA% than everybody else.
    """
    return parent.parent / "gradvec-engine" if confined(parent) or _STORE in parent.parts else None


def absolute(place: Path) -> Path:
    """Absolute, with links kept: a Snap's folder is a link that moves on at each update."""
    return Path(os.path.abspath(place.expanduser()))
