"""The command line with its streams closed, full or left by their reader, and interrupted before it has begun."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import gradvec
import pytest
from fake_pipeline import FakePipeline
from gradvec.cli import output

SCRIPT = Path(__file__).with_name("run_with_fake_pipeline.py")
ENV = {**os.environ, "PYTHONPATH": str(Path(gradvec.__file__).parent.parent), "PYTHONUNBUFFERED": ""}
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")


def gradvec_with(shell, *arguments):
    """The command with the fake pipeline, under a shell that redirects streams as ``shell`` says."""
    words = [sys.executable, str(SCRIPT), "0", *map(str, arguments)]
    return subprocess.run(["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *words], env=ENV, capture_output=True,
                          text=True, timeout=60, check=False)


@needs_full
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [["looks"], ["looks", "--json"]])
def test_a_full_standard_output_is_told(command, unbuffered, monkeypatch):
    monkeypatch.setitem(ENV, "PYTHONUNBUFFERED", unbuffered)
    done = gradvec_with(">/dev/full", *command)
    assert done.returncode == 3
    assert done.stderr.startswith("gradvec: Standard output cannot be written: ")
    assert done.stderr.count("\n") == 1


@needs_full
def test_a_drawing_for_a_full_standard_output_is_told(picture):
    done = gradvec_with(">/dev/full", "paint", picture, "-o", "-", "--quiet")
    assert done.returncode == 3
    assert "the disk is full" in done.stderr
    assert done.stderr.count("\n") == 1


@needs_full
@pytest.mark.parametrize("how", [["--progress", "json"], ["--progress", "bar"], []])
def test_a_full_standard_error_costs_no_drawing(how, picture, tmp_path):
    out = tmp_path / "o.svg"
    done = gradvec_with("2>/dev/full", "paint", picture, "-o", out, *how)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert out.read_bytes().endswith(b"</svg>\n")


@pytest.mark.parametrize("how", [["--progress", "json"], []])
def test_closed_streams_end_in_no_file(how, picture, tmp_path):
    out = tmp_path / "o.svg"
    done = gradvec_with("<&- >&- 2>&-", "paint", picture, "-o", out, *how)
    assert done.returncode == 0
    text = out.read_text()
    assert text.startswith("<?xml")
    assert text.count("<?xml") == 1
    assert "event" not in text


def test_a_drawing_for_a_closed_standard_output_is_refused_before_it_is_painted(picture):
    done = gradvec_with(">&-", "paint", picture, "-o", "-")
    assert done.returncode == 3
    assert done.stderr == "gradvec: Standard output is closed, so the drawing cannot go there. Name a file.\n"


def test_with_standard_error_closed_the_drawing_alone_is_on_standard_output(picture):
    done = gradvec_with("2>&-", "paint", picture, "-o", "-", "--progress", "json")
    assert done.returncode == 0
    assert done.stdout.startswith("<?xml")
    assert "event" not in done.stdout


def test_ctrl_c_while_the_command_line_is_loaded_is_no_traceback():
    program = ("import sys, runpy\n"
               "class Interrupted:\n"
               "    def find_spec(self, name, path=None, target=None):\n"
               "        if name == 'gradvec.options': raise KeyboardInterrupt\n"
               "sys.meta_path.insert(0, Interrupted())\n"
               "sys.argv = ['gradvec', 'looks']\n"
               "runpy.run_module('gradvec', run_name='__main__', alter_sys=True)\n")
    done = subprocess.run([sys.executable, "-c", program], env=ENV, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_disk_that_fills_up_with_the_extras_keeps_the_drawing(picture, tmp_path, pipeline, monkeypatch, capsys):
    from gradvec.cli import main, saving

    written, replace_file = [], output._replace

    def first_one_only(path, data):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        replace_file(path, data)

    monkeypatch.setattr(saving, "painting_png", lambda *_: b"png")
    monkeypatch.setattr(output, "_replace", first_one_only)
    out, png = tmp_path / "o.svg", tmp_path / "p.png"
    assert main(["paint", str(picture), "-o", str(out), "--save-painting", str(png), "--progress", "json"]) == 3
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [e["event"] for e in events][-2:] == ["done", "error"]
    assert "the disk is full" in events[-1]["message"]
    assert out.read_bytes().endswith(b"</svg>\n")
    assert not png.exists()


def test_ctrl_c_while_strokes_are_saved_keeps_the_drawing_and_leaves_no_folder(picture, tmp_path, monkeypatch, capsys):

    from gradvec.cli import main, saving

    def pngs(*_):
        yield "0001.png", b"one"
        os.kill(os.getpid(), signal.SIGINT)
        yield "0002.png", b"two"
        yield "0003.png", b"three"

    monkeypatch.setitem(sys.modules, "gradvec.pipeline", FakePipeline())
    monkeypatch.setattr(saving, "stroke_pngs", pngs)
    out, folder = tmp_path / "o.svg", tmp_path / "strokes"
    assert main(["paint", str(picture), "-o", str(out), "--save-strokes", str(folder), "--quiet"]) == 130
    assert f"{out} is written" in capsys.readouterr().err
    assert out.read_bytes().endswith(b"</svg>\n")
    assert sorted(p.name for p in tmp_path.iterdir() if "log" not in p.name) == ["o.svg", "photo.png"]
