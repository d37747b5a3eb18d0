"""The script as Inkscape starts it, with an engine process that answers at once."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import inkex
import pytest
from documents import HEAD, embedded
from gradvec.ipc.client import Client
from gradvec.ipc.launch import Launch
from gradvec.tools.install import install_extension, uninstall_extension
from lxml import etree
from still_engine import FAILING, GARBAGE, REFUSING, SLOW

HERE = Path(__file__).resolve().parent
SVG = "{http://www.w3.org/2000/svg}"
LABEL = "{http://www.inkscape.org/namespaces/inkscape}label"


class Script:
    """The installed extension and its private engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.installed = install_extension(folder / "extensions", sys.executable)
        self.jobs = folder / "jobs"
        extra = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DOCUMENT_PATH"},
            "PYTHONPATH": os.pathsep.join([str(Path(inkex.__file__).parent.parent), *extra]),
            "GRADVEC_STATE_DIR": str(folder / "engine"), "XDG_STATE_HOME": str(folder / "state"),
            "GRADVEC_ENGINE_JOBS": "still_engine:run_job", "GRADVEC_ENGINE_PATH": str(HERE),
            "GRADVEC_NO_WINDOW": "1", "LANGUAGE": "en", "LC_ALL": "C.UTF-8"}

    def document(self, body: str) -> Path:
        path = self.folder / "document.svg"
        path.write_text(f'{HEAD} width="400" height="400" viewBox="0 0 400 400">{body}</svg>', "utf-8")
        return path

    def start(self, body: str, *arguments: str, **environment: str) -> subprocess.Popen:
        main = str(self.installed / "inkscape_ext" / "main.py")
        return subprocess.Popen([sys.executable, main, "--command=paint", *arguments, str(self.document(body))],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**self.environment, **environment}, cwd=str(self.installed / "inkscape_ext"))

    def run(self, body: str, *arguments: str, **environment: str) -> tuple:
        """(document or None, sentences)."""
        self.jobs.write_text("")
        with self.start(body, *arguments, **environment) as process:
            out, err = process.communicate(timeout=60)
        return (etree.fromstring(out) if out else None), err.decode()


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    made = Script(tmp_path_factory.mktemp("script"))
    yield made
    with Client.connect(made.folder / "engine", warm=False) as client:
        client.stop()


def picture(name: str, address: str = "") -> str:
    return f'<image id="{name}" width="40" height="20" xlink:href="{address or embedded()}"/>'


def layers(document) -> list:
    return [e.get(LABEL) for e in document.iter(SVG + "g") if (e.get(LABEL) or "").startswith("Gradvec")]


def test_a_picture_becomes_a_layer(script):
    document, said = script.run(picture("a"), "--id=a", "--strokes=9", "--host_lock_picture=true")
    assert said == ""
    assert layers(document) == ["Gradvec: a"]
    assert len(list(document.iter(SVG + "path"))) == 2
    assert b'insensitive="true"' in etree.tostring(document)


def test_several_pictures_and_the_same_one_is_painted_once(script):
    body = picture("a") + picture("b") + picture("c", embedded("plain.jpeg"))
    document, said = script.run(body, "--id=c", "--id=a", "--id=b")
    assert (layers(document), said) == (["Gradvec: a", "Gradvec: b", "Gradvec: c"], "")
    assert [line.split()[1] for line in script.jobs.read_text().splitlines()] == ["a", "c"]


def test_another_variation_each_time(script):
    seeds = []
    for _time in range(2):
        _document, said = script.run(picture("a"), "--id=a", "--seed=5", "--host_variation=true")
        assert said == ""
        seeds.append(json.loads((script.folder / "options.json").read_text())["seed"])
    assert len({5, *seeds}) == 3
    script.run(picture("a"), "--id=a", "--seed=5")
    assert json.loads((script.folder / "options.json").read_text())["seed"] == 5


@pytest.mark.parametrize("arguments", [["--command=preview", "--look=marker"], ["--host_draft=true"]])
def test_without_a_window_there_are_no_drafts(script, arguments):
    document, said = script.run(picture("a"), "--id=a", *arguments)
    assert document is None
    assert said == ("A draft cannot be shown, because no window can be opened here. "
                    "Paint the picture without one.\n")
    assert script.jobs.read_text() == ""


def test_what_cannot_be_loaded_is_told_and_the_rest_is_painted(script):
    document, said = script.run(picture("a") + picture("b", "gone.png"), "--id=a", "--id=b")
    assert layers(document) == ["Gradvec: a"]
    assert said.startswith("The linked picture gone.png is missing")
    assert said.count("\n") == 1


def test_what_the_engine_refuses_is_told_and_the_rest_is_painted(script):
    body = picture("bad") + picture("good", embedded("plain.jpeg"))
    document, said = script.run(body, "--id=bad", "--id=good", f"--seed={REFUSING}")
    assert layers(document) == ["Gradvec: good"]
    assert said == "bad is damaged. Choose another picture.\n"


@pytest.mark.parametrize(("body", "arguments", "sentence"), [
    (picture("a"), [], "Nothing is selected."),
    ('<rect id="r"/>', ["--id=r"], "no picture, only drawn objects"),
    (picture("a", "gone.png"), ["--id=a"], "is missing"),
    (picture("a", "gone.png") + picture("b", "lost.png"), ["--id=a", "--id=b"], "lost.png is missing"),
    (picture("a"), ["--id=a", f"--seed={FAILING}"], "The still engine failed. Try another seed."),
    (picture("a"), ["--id=a", f"--seed={GARBAGE}"], "drawing cannot be read"),
    (picture("a"), ["--id=a", "--palette=many"], "Option \u201cPalette\u201d is 'many'"),
    (picture("a"), ["--id=a", "--no_such_parameter=1"], "install-extension"),
    (picture("a").replace('width="40"', 'width="0"'), ["--id=a"], "no width or height"),
])
def test_every_failure_is_a_sentence_and_no_document(script, body, arguments, sentence):
    document, said = script.run(body, *arguments)
    assert document is None
    assert sentence in said
    assert "Traceback" not in said


def test_links_are_found_beside_the_artists_document(script, tmp_path):
    (tmp_path / "a \u00fc.png").write_bytes((HERE / "data" / "plain.png").read_bytes())
    body = picture("a", quote("a \u00fc.png"))
    assert script.run(body, "--id=a")[0] is None
    document, said = script.run(body, "--id=a", DOCUMENT_PATH=str(tmp_path / "artists.svg"))
    assert (layers(document), said) == (["Gradvec: a \u00fc.png"], "")
    absref = "{http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd}absref"
    assert [e.get(absref) for e in document.iter(SVG + "image")] == [str(tmp_path / "a \u00fc.png")]


def test_inkscapes_cancel_is_a_clean_end(script):
    script.jobs.write_text("")
    with script.start(picture("a"), "--id=a", f"--seed={SLOW}") as process:
        wait_for(lambda: script.jobs.read_text())
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=5)
    assert (out, err) == (b"", b"")


def test_when_inkscape_dies_the_script_and_the_run_end(script):
    script.jobs.write_text("")
    with script.start(picture("a"), "--id=a", f"--seed={SLOW}") as process:
        wait_for(lambda: script.jobs.read_text())
        process.stdout.close()
        process.wait(timeout=5)
    with Client.connect(script.folder / "engine") as client:
        wait_for(lambda: not client.status()["running_job"])


def test_without_a_recorded_engine(script):
    record = script.installed / "engine.json"
    kept = record.read_text()
    for text, sentence in (("", "does not know where"), ('{"python": "/gone"}', "/gone does not exist any more"),
                           ("[1]", "does not know where")):
        record.write_text(text)
        document, said = script.run(picture("a"), "--id=a")
        assert document is None
        assert sentence in said
        assert "install-extension" in said
    record.write_text(kept)


def test_in_a_sandbox_an_engine_that_runs_is_used_and_none_is_started(script, tmp_path):
    """Over its loopback port, too: a sandbox may hide the socket, but shares the network."""
    record = script.installed / "engine.json"
    kept = record.read_text()
    state = tmp_path / "engine"
    record.write_text(kept.replace('"python"', f'"state_dir": "{state}", "python"'))
    document, said = script.run(picture("a"), "--id=a", SNAP_NAME="inkscape")
    command = f"GRADVEC_STATE_DIR={state} gradvec engine serve --tcp"
    assert document is None
    assert "runs in a sandbox" in said
    assert command in said
    Client.start(replace(Launch(sys.executable, jobs="still_engine:run_job", paths=(str(HERE),), tcp=True),
                         root=json.loads(kept)["root"]), state).close()
    address = json.loads((state / "engine.json").read_text())
    Path(address["socket"]).unlink()
    document, said = script.run(picture("a"), "--id=a", SNAP_NAME="inkscape")
    assert (layers(document), said) == (["Gradvec: a"], "")
    with Client.connect(state, warm=False) as client:
        client.stop()
    record.write_text(kept)


def test_what_inkscapes_python_lacks_is_named(script, tmp_path):
    """Debian 13's inkex fails where python3-tinycss2 is not installed."""
    (tmp_path / "inkex").mkdir()
    (tmp_path / "inkex" / "__init__.py").write_text("import tinycss3\n")
    lacking = os.pathsep.join([str(tmp_path), script.environment["PYTHONPATH"]])
    document, said = script.run(picture("a"), "--id=a", PYTHONPATH=lacking)
    assert document is None
    assert said.startswith("The Python that Inkscape uses lacks tinycss3,")
    assert said.count("\n") == 1


def test_an_extension_that_is_damaged_is_told(script):
    broken = script.installed / "inkscape_ext" / "command.py"
    kept = broken.read_text()
    broken.write_text("def half(")
    document, said = script.run(picture("a"), "--id=a")
    broken.write_text(kept)
    assert document is None
    assert said.startswith("Gradvec's extension does not start;")
    assert "install-extension" in said


def test_a_full_disk_under_the_log_does_not_swallow_the_sentence(script):
    log = script.folder / "full" / "gradvec" / "inkscape.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    document, said = script.run('<rect id="r"/>', "--id=r", XDG_STATE_HOME=str(script.folder / "full"))
    assert document is None
    assert said.startswith("The selection holds no picture")
    document, said = script.run(picture("a"), "--id=a", XDG_STATE_HOME=str(script.folder / "full"))
    assert (layers(document), said) == (["Gradvec: a"], "")


def test_an_unexpected_fault_is_one_sentence_with_the_log(script):
    broken = script.installed / "inkscape_ext" / "parameters.py"
    kept = broken.read_text()
    broken.write_text(kept.replace("def run_options(", "def run_options_gone("))
    document, said = script.run(picture("a"), "--id=a")
    broken.write_text(kept)
    assert document is None
    assert "Something went wrong inside gradvec" in said
    log = script.folder / "state" / "gradvec" / "inkscape.log"
    assert str(log) in said
    assert "AttributeError" in log.read_text()


def test_installing_again_replaces_and_uninstalling_leaves_nothing(tmp_path):
    folder = tmp_path / "extensions"
    first = install_extension(folder, sys.executable)
    (first / "old.txt").write_text("from an older version")
    assert install_extension(folder, sys.executable) == first
    assert not (first / "old.txt").exists()
    assert uninstall_extension(folder) == first
    assert list(folder.iterdir()) == []
    assert uninstall_extension(folder) is None


def wait_for(what, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)
