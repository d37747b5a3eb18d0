"""The host's own tests once more, under the Python and with the inkex that come with the installed Inkscape."""

import importlib.metadata
import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.inkscape
ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"
#: pytest, what it imports, and what installs the extension: pure Python, so they may be borrowed from this environment,
#: and nothing else is.
BORROWED = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments", "polib")


def borrowed(folder: Path) -> Path:
    """A folder with links to pytest's own packages alone."""
    for name in BORROWED:
        origin = Path(importlib.util.find_spec(name).origin)
        place = origin.parent if origin.name == "__init__.py" else origin
        (folder / place.name).symlink_to(place)
    return folder


def test_the_host_under_inkscapes_own_python(tmp_path):
    data = subprocess.run(["inkscape", "--system-data-directory"], capture_output=True, text=True, check=True,
                          timeout=60, stdin=subprocess.DEVNULL).stdout.split()[-1]
    extensions = Path(data) / "extensions"
    packages = tmp_path / "packages"
    packages.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(borrowed(packages)), str(extensions)])
    done = subprocess.run([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
                           "--basetemp", str(tmp_path / "work"), str(ROOT / "tests" / "host")],
                          env=environment, cwd=str(ROOT), capture_output=True, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert importlib.metadata.version("pytest") in subprocess.run(
        [PYTHON, "-m", "pytest", "--version"], env=environment, capture_output=True, text=True, check=True).stdout
