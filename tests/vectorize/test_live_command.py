"""gradvec vectorize."""

import json

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.io import images
from gradvec.io.svg import read
from live_emblems import png


@pytest.fixture
def emblem(tmp_path):
    path = tmp_path / "cross.png"
    path.write_bytes(png("cross"))
    return path


def run(*arguments):
    return main([str(a) for a in arguments])


def test_it_writes_an_svg_and_says_so(emblem, tmp_path, capsys):
    out = tmp_path / "out.svg"
    assert run("vectorize", emblem, "-o", out, "--paths", 3, "--size", 64, "--gradient", "flat") == 0
    document = read(out.read_bytes())
    assert len(document.shapes) == 4
    options = document.meta["options"]
    assert (document.meta["job"], document.meta["schedule"]) == ("vectorize", [1, 1, 1])
    assert (options["strokes"], options["cubics"], options["opaque"]) == (3, 16, True)
    assert "3 paths" in capsys.readouterr().err


def test_the_schedule_and_the_options_are_heard(emblem, tmp_path):
    out = tmp_path / "out.svg"
    assert run("vectorize", emblem, "-o", out, "--schedule", "2,...", "--paths", 3, "--size", 48, "--cubics", 8,
               "--no-opaque", "--background", "none", "--quiet") == 0
    meta = read(out.read_bytes()).meta
    assert meta["schedule"] == [2, 1]
    assert (meta["options"]["cubics"], meta["options"]["opaque"]) == (8, False)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--schedule", "1,x"], "1,1,2,4"), (["--paths", "0"], "at least 1"), (["--paths", "six"], "six"),
    (["--gradient", "none"], "gradient"), (["--paths", "6000"], "--force")])
def test_wrong_use_is_one_sentence(emblem, tmp_path, capsys, arguments, words):
    assert run("vectorize", emblem, "-o", tmp_path / "o.svg", *arguments) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not (tmp_path / "o.svg").exists()


def test_what_is_no_picture_is_refused(tmp_path, capsys):
    (tmp_path / "no.png").write_bytes(b"nothing")
    assert run("vectorize", tmp_path / "no.png", "-o", tmp_path / "o.svg") == 3
    assert run("vectorize", tmp_path / "missing.png", "-o", tmp_path / "o.svg") == 3
    assert "missing.png" in capsys.readouterr().err


def test_progress_as_json(tmp_path, capsys):
    picture = np.ones((16, 24, 3), np.float32)
    picture[4:12, 4:12] = 0
    (tmp_path / "p.png").write_bytes(images.png_bytes(picture))
    assert run("vectorize", tmp_path / "p.png", "-o", tmp_path / "o.svg", "--paths", 1, "--progress", "json") == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert events[-1]["paths"] == 1
    assert {e["stage"] for e in events if "stage" in e} >= {"Adding paths"}


def test_help_has_examples(capsys):
    assert run("vectorize", "--help") == 0
    assert "gradvec vectorize emblem.png" in capsys.readouterr().out
