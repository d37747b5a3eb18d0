"""A folder that is filled picture by picture: manifest, going on after a stop, contact sheet, exit codes."""

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import gradvec
import numpy as np
import pytest
import quick_work
from gradvec.batch.manifest import Entry, Manifest
from gradvec.batch.run import Wish, paint_all
from gradvec.batch.sheet import pages
from gradvec.cli import main
from gradvec.cli.output import replace_file
from gradvec.errors import InputError
from gradvec.io.images import png_bytes
from gradvec.options import Options
from gradvec.progress import Run
from gradvec.workers.local import LocalPool

HERE = Path(__file__).parent


class Folder:
    """Pictures that quick_work.paint takes, and what a batch makes of them."""

    def __init__(self, tmp_path, words):
        self.out = tmp_path / "out"
        self.out.mkdir()
        self.log = tmp_path / "done.log"
        self.names = []
        for n, word in enumerate(words):
            path = tmp_path / f"p{n}.txt"
            path.write_text(f"{word} {tmp_path / 'done'}")
            self.names.append(str(path))

    def paint(self, workers=1, **more):
        outputs = [f"{Path(name).stem}.svg" for name in self.names]
        notes, options = [], more.pop("options", Options())
        self.notes = notes
        return paint_all(Wish(self.names, outputs, self.out, options, **more), lambda count: LocalPool(workers),
                         replace_file, Run(), notes.append, quick_work.paint)

    def done(self):
        return sorted(self.log.read_text().split()) if self.log.exists() else []

    def lines(self):
        return [json.loads(line) for line in (self.out / "manifest.jsonl").read_text().splitlines()]


def test_a_batch_leaves_drawings_a_manifest_and_a_contact_sheet(tmp_path):
    folder = Folder(tmp_path, ["do", "fail", "do"])
    summary = folder.paint(workers=2, options=Options(strokes=7, device="cpu"))
    assert (summary.painted, summary.failed, summary.kept, summary.left, summary.exit_code) == (2, 1, 0, 0, 3)
    assert sorted(path.name for path in folder.out.iterdir()) == ["contact", "contact.html", "manifest.jsonl", "p0.svg",
                                                                  "p2.svg"]
    lines = {line["output"]: line for line in folder.lines()}
    assert set(lines) == {"p0.svg", "p1.svg", "p2.svg"}
    assert lines["p0.svg"]["settings"] == {"strokes": 7}, "what differs, and nothing about where it is painted"
    assert (lines["p0.svg"]["error"], lines["p0.svg"]["figures"]["psnr"], lines["p0.svg"]["tries"]) == (None, 30.0, 1)
    assert lines["p1.svg"]["error"] == {"code": "input", "message": "p1.txt is no picture.", "outside": False,
                                        "remedy": "Choose another."}
    assert folder.notes == [f"{folder.names[1]}: p1.txt is no picture."]


def test_nothing_is_done_twice(tmp_path):
    folder = Folder(tmp_path, ["do", "fail", "do"])
    folder.paint()
    written = (folder.out / "p0.svg").stat().st_mtime_ns
    again = folder.paint()
    assert (again.painted, again.kept, again.failed, again.exit_code) == (0, 2, 1, 3), "a bad picture stays a failure"
    assert (folder.out / "p0.svg").stat().st_mtime_ns == written
    os.utime(folder.names[0])  # touched, but the same bytes
    assert folder.paint().kept == 2
    assert folder.done() == ["p0.txt", "p2.txt"]


@pytest.mark.parametrize("change", ["picture", "options", "drawing", "again"])
def test_what_is_no_longer_what_was_done_is_done_anew(change, tmp_path):
    folder = Folder(tmp_path, ["do", "do"])
    folder.paint()
    if change == "picture":
        Path(folder.names[0]).write_text(f"other {tmp_path / 'done'}")
    if change == "drawing":
        (folder.out / "p0.svg").unlink()
    summary = folder.paint(options=Options(seed=3 if change == "options" else 0), again=change == "again")
    both = change in ("options", "again")
    assert (summary.painted, summary.kept) == ((2, 0) if both else (1, 1))
    assert folder.done() == ["p0.txt", "p0.txt", "p1.txt"] + ["p1.txt"] * both


def test_a_line_that_a_crash_cut_off_does_not_count(tmp_path):
    folder = Folder(tmp_path, ["do", "do"])
    folder.paint()
    manifest = folder.out / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert folder.paint().painted == 1
    assert sorted(line["output"] for line in map(json.loads, [
        line for line in manifest.read_text().splitlines() if line.endswith("}")])) == ["p0.svg", "p1.svg"]
    assert folder.paint().kept == 2


def test_two_runs_do_not_fill_one_folder(tmp_path):
    with Manifest(tmp_path), pytest.raises(InputError, match="Another run"):
        Manifest(tmp_path)
    with Manifest(tmp_path):
        pass


def test_a_run_that_is_killed_is_gone_on_with(tmp_path):
    folder = Folder(tmp_path, ["do", "do", "wait", "do"])
    code = ("import sys; sys.path[:0] = sys.argv[1:3]\nfrom pathlib import Path\nfrom test_batch import Folder\n"
            "if __name__ == '__main__':\n"
            "    folder = object.__new__(Folder)\n"
            "    folder.out, folder.names = Path(sys.argv[3]), sys.argv[4:]\n"
            "    folder.paint()\n")
    script = tmp_path / "asks.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(Path(gradvec.__file__).parent.parent)}
    process = subprocess.Popen([sys.executable, str(script), str(HERE), str(Path(quick_work.__file__).parent),
                                str(folder.out), *folder.names], env=environment)
    quick_work.wait_for(tmp_path / "done.pid")  # the third is under way
    process.kill()
    process.wait()
    quick_work.wait_until_gone(int((tmp_path / "done.pid").read_text()))
    assert folder.done() == ["p0.txt", "p1.txt"]
    (tmp_path / "done").touch()
    summary = folder.paint()
    assert (summary.kept, summary.painted) == (2, 2)
    assert folder.done() == ["p0.txt", "p1.txt", "p2.txt", "p3.txt"], "each once"
    assert [name for name in os.listdir(folder.out) if name.startswith(".")] == []


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


def test_the_contact_sheet_shows_every_picture_and_what_failed(tmp_path):
    folder = Folder(tmp_path, ["do", "fail"])
    folder.paint()
    page = Links((folder.out / "contact.html").read_text())
    assert [link for link in page.found if not (folder.out / link).exists()] == []
    assert {"p0.svg", "contact/p0.jpg"} <= set(page.found)
    assert "p1.txt is no picture. Choose another." in page.text


def test_long_contact_sheets_have_pages(tmp_path):
    folder = Folder(tmp_path, ["do"])
    folder.paint()
    with Manifest(folder.out) as manifest:
        entry = manifest.entries["p0.svg"]
    made = dict(pages([entry] * 1001, "many & <more>"))
    assert list(made) == ["contact.html", "contact-2.html", "contact-3.html"]
    assert [page.count("<img ") for page in made.values()] == [500, 500, 1]
    assert set(made) - {"contact.html"} <= set(Links(made["contact.html"]).found)
    assert "many &amp; &lt;more&gt;" in made["contact.html"]


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    """Two pictures and a file that is none, painted by the command line."""
    folder = tmp_path_factory.mktemp("batch")
    ramp = np.linspace(0, 1, 48)
    for name, color in (("sea", (0.2, 0.4, 0.8)), ("sand", (0.9, 0.7, 0.4))):
        picture = ramp[:, None, None] * np.array(color) + (1 - ramp)[None, :, None] * 0.3
        (folder / f"{name}.png").write_bytes(png_bytes(np.clip(picture, 0, 1)))
    (folder / "bad.png").write_text("no picture")
    words = ["--strokes", "5", "--size", "48", "--look", "photo", "--quiet"]
    names = ["--name", "{folder}/{stem}", "--workers", "1"]
    code = main(["batch", str(folder), "-o", str(folder / "out"), *names, *words])
    return folder, words, code


def test_batch_paints_what_paint_paints(painted, tmp_path):
    folder, words, code = painted
    assert code == 3
    for name in ("sea", "sand"):
        assert main(["paint", str(folder / f"{name}.png"), "-o", str(tmp_path / "o.svg"), *words]) == 0
        assert (folder / "out" / folder.name / f"{name}.svg").read_bytes() == (tmp_path / "o.svg").read_bytes()
        assert (folder / "out" / "contact" / folder.name / f"{name}.jpg").read_bytes()[:2] == b"\xff\xd8"
    lines = [json.loads(line) for line in (folder / "out" / "manifest.jsonl").read_text().splitlines()]
    assert {line["error"]["code"] for line in lines if line["error"]} == {"input"}
    assert all(line["figures"]["psnr"] > 15 for line in lines if not line["error"])


def test_the_same_command_finds_nothing_to_do(painted, capsys):
    folder, words, _ = painted
    code = main(["batch", str(folder), "-o", str(folder / "out"), "--name", "{folder}/{stem}", *words[:-1]])
    assert code == 3
    assert capsys.readouterr().err == f"{folder / 'out'}: 0 painted, 2 done before, 1 failed, 0.0 s\n"


@pytest.mark.parametrize(("words", "code", "says"), [
    (["a.png", "-o", "no/such/out"], 3, "does not exist"), (["a.png", "-o", "a.png"], 3, "is a file"),
    (["-o", "out"], 2, "no picture"), (["a.png", "-o", "out", "--workers", "0"], 2, "between 1 and"),
    (["a.png", "-o", "out", "--shared"], 2, "there is none"), (["x.svg", "-o", "."], 3, "place of a picture"),
    (["a.png", "-o", "out", "--workers", "2", "--cluster", "tcp://h:1"], 2, "Leave out one")])
def test_wrong_use_is_told_before_anything_is_begun(words, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "x.svg"):
        (tmp_path / name).touch()
    assert main(["batch", *words]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out" / "manifest.jsonl").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_under_the_manifest_is_told_of_the_manifest(tmp_path):
    """Also when the file is closed, which tries once more to write the line."""
    manifest = Manifest(tmp_path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, manifest._file.fileno())
    os.close(full)
    with pytest.raises(InputError, match=r"manifest\.jsonl cannot be written: No space left"), manifest:
        manifest.add(Entry("a.png", "a.svg", "", 0, 0, {}, "", 0.0, 1))
