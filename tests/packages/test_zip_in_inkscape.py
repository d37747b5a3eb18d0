"""The zip in a real Inkscape, unpacked as its extension manager does it: first without an engine, then with one."""

import base64
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "inkscape")]
from fake_engine import SUCCESS  # noqa: E402
from inkscape import Inkscape  # noqa: E402

pytestmark = [pytest.mark.inkscape, pytest.mark.window]
BOOT = '<inkscape version="1"><group id="options"><group id="boot" enabled="0"/></group></inkscape>\n'


@pytest.fixture(scope="module")
def folder(packages, tmp_path_factory):
    """A folder with a profile of Inkscape's in which the zip is unpacked, and a document with a picture."""
    made = tmp_path_factory.mktemp("zipped")
    with zipfile.ZipFile(packages.zip) as archive:
        archive.extractall(made / "profile" / "extensions" / "org.gradvec.paint")
    (made / "profile" / "preferences.xml").write_text(BOOT, "utf-8")
    picture = base64.b64encode((HERE.parent / "host" / "data" / "plain.png").read_bytes()).decode()
    (made / "picture.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="400" height="300"'
        f' viewBox="0 0 400 300"><image id="photo" x="20" y="30" width="360" height="180"'
        f' xlink:href="data:image/png;base64,{picture}"/></svg>', "utf-8")
    return made


@pytest.fixture(scope="module")
def told(folder):
    """What the command said in Inkscape's window while there was no engine."""
    command = ["timeout", "-k", "5", "240", "dbus-run-session", "--", "xvfb-run", "-a", "-s", "-screen 0 1280x900x24",
               "/usr/bin/python3", str(HERE / "zip_in_a_window.py"), str(folder / "profile"),
               str(folder / "picture.svg"), str(folder)]
    (folder / "runtime").mkdir(mode=0o700)  # an accessibility bus of its own
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "XDG_RUNTIME_DIR": str(folder / "runtime")})
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_inkscape_shows_all_commands_once(told):
    names = [name.rstrip(".") for name in told["commands"]]
    assert "Paint with gradient strokes" in names
    assert len(names) == len(set(names)) == 13


def test_without_an_engine_it_says_how_to_get_one(told):
    assert "needs gradvec's engine" in told["message"]
    assert '"pipx install gradvec"' in told["message"]
    assert '"gradvec install-extension"' in told["message"]
    assert not told["changed"]


def test_install_extension_gives_it_an_engine(folder, told):
    private = Inkscape(folder)
    assert private.extension == folder / "profile" / "extensions" / "org.gradvec.paint" / "gradvec"
    try:
        private.run_effect(folder / "picture.svg", ["photo"], folder / "result.svg", seed=SUCCESS)
    finally:
        private.stop_engine()
    assert (folder / "result.svg").read_text("utf-8").count("gradvec:stroke=") == 4
