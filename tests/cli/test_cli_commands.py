"""paint and strokes from the command line, with a pipeline that is quick: arguments, outputs, messages, exit codes."""

import errno
import io
import json
import os
import re
import sys
import time
from dataclasses import fields

import numpy as np
import pytest
from fake_pipeline import FakePipeline, result_of, some_patches
from gradvec.cli import build_parser, main
from gradvec.errors import EngineError
from gradvec.io.svg import read
from gradvec.looks import look_of
from gradvec.options import JOB_OPTIONS, Options
from lxml import etree
from PIL import Image

pytestmark = pytest.mark.usefixtures("pipeline")


def run(*arguments):
    return main([str(a) for a in arguments])


def opened(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def leftovers(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_paint_writes_an_svg_and_says_so(picture, tmp_path, capsys):
    out = tmp_path / "out.svg"
    assert run("paint", picture, "-o", out) == 0
    assert len(read(out.read_bytes()).shapes) == 5
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(rf"{re.escape(str(out))}: 5 paths, 5 gradients, 25\.5 dB, \d+\.\d s, \d+ kB\n", told.err)
    assert leftovers(tmp_path) == []


def test_the_same_run_gives_the_same_bytes(picture, tmp_path):
    for name in ("a.svg", "b.svg"):
        run("paint", picture, "-o", tmp_path / name, "--quiet")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_options_reach_the_pipeline(picture, tmp_path, pipeline):
    run("paint", picture, "-o", tmp_path / "o.svg", "--strokes", "3", "--brush=marker", "--fidelity", "0.25",
        "--paths-per-stroke", "2", "--background", "#00ff7f", "--no-opaque", "--quiet")
    options = pipeline.calls[0][1]
    given = {"strokes": 3, "brush": "marker", "fidelity": 0.25, "paths_per_stroke": 2, "background": "#00ff7f",
             "opaque": False}
    assert options == Options(**{**look_of("oil").options, **given, "look": "oil"})


def test_what_is_not_asked_for_has_its_default(picture, tmp_path, pipeline):
    run("paint", picture, "-o", tmp_path / "o.svg", "--quiet")
    run("paint", picture, "-o", tmp_path / "o.svg", "--quiet", "--look", "photo")
    assert [options for _, options in pipeline.calls] == [Options(**look_of("oil").options, look="oil"), Options()]


def test_strokes_reads_a_folder(tmp_path, pipeline):
    folder = tmp_path / "strokes"
    folder.mkdir()
    assert run("strokes", folder, "-o", tmp_path / "o.svg", "--cubics", "16", "--quiet") == 0
    assert pipeline.calls == [(folder, Options(cubics=16))]
    assert set(JOB_OPTIONS["strokes"]) <= {f.name for f in fields(Options)}


def test_everything_else_that_paint_saves(picture, tmp_path, monkeypatch):
    isolate = type(sys)("gradvec.stages.isolate")
    renderers = []

    def textured(painting, scale, engine, device):
        renderers.append((engine, device))
        return np.full((round(24 * scale), round(32 * scale), 4), 0.5, np.float32)

    def patches(painting, engine, device):
        renderers.append((engine, device))
        return some_patches(4)

    isolate.textured, isolate.isolate = textured, patches
    monkeypatch.setitem(sys.modules, "gradvec.stages.isolate", isolate)
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--strokes", 4, "--save-painting", tmp_path / "p.png",
               "--save-strokes", tmp_path / "dir", "--save-params", tmp_path / "n.npz", "--quiet",
               "--engine", "reference", "--device", "cpu") == 0
    assert renderers == [("reference", "cpu")] * 2
    assert opened(tmp_path / "p.png").shape == (24, 32, 4)
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--strokes", 4, "--save-painting", tmp_path / "p.png",
               "--painting-scale", 2.5, "--quiet") == 0
    assert opened(tmp_path / "p.png").shape == (60, 80, 4)
    names = sorted(p.name for p in (tmp_path / "dir").iterdir())
    assert names == ["0001.png", "0002.png", "0003.png", "0004.png"]
    first = opened(tmp_path / "dir" / "0001.png")
    assert first.shape == (24, 32, 4)
    assert (first[..., 3] > 0).sum() == 6 * 6, "two of eight columns lie outside the picture"
    assert first[0, 0].tolist() == [128, 128, 128, 255]
    with np.load(tmp_path / "n.npz") as params:
        assert params["color1"].shape == (4, 3)
        assert (int(params["width"]), int(params["height"])) == (32, 24)
        assert json.loads(str(params["options"]))["strokes"] == 4


def test_standard_streams(picture, pipeline, monkeypatch, capfdbinary):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"picture")))
    assert run("paint", "-", "-o", "-", "--quiet") == 0
    told = capfdbinary.readouterr()
    assert len(read(told.out).shapes) == 5
    assert told.err == b""
    assert pipeline.calls[0][0] == b"picture"


def test_progress_as_json_lines(picture, tmp_path, capsys):
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--progress", "json") == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {e["stage"] for e in events if e["event"] == "progress"} == {"painting", "outlines"}
    fractions = [e["fraction"] for e in events if e["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert events[-1]["event"] == "done"
    assert events[-1]["paths"] == 5
    assert events[-1]["bytes"] == (tmp_path / "o.svg").stat().st_size


def test_errors_as_json_lines(picture, tmp_path, capsys):
    picture.write_bytes(b"no")
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--progress=json") == 3
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert events[-1] == {"event": "error", "code": "input", "message": "'photo.png' is not a picture.",
                          "remedy": "Choose a PNG."}


@pytest.mark.parametrize(("arguments", "words"), [
    (["--strokes", "0"], "strokes is 0; it must lie between 1 and 50000"),
    (["--strokes", "10000000"], "strokes is 10000000; it must lie between"),
    (["--strokes", "6000"], "add --force"),
    (["--strokes", "many"], "strokes expects a whole number, not 'many'"),
    (["--fidelity", "-1"], "fidelity is -1.0; it must lie between"),
    (["--fidelity", "nan"], "fidelity expects a number"),
    (["--brush", "pencil"], "brush is 'pencil'; it must be one of oil"),
    (["--background", "red"], "background is 'red'; it must be"),
    (["--strange"], "Unrecognized arguments: --strange. See gradvec"),
    (["--progress", "loud"], "invalid choice: 'loud'"),
])
def test_wrong_use_is_one_sentence_and_2(arguments, words, picture, tmp_path, capsys, pipeline):
    assert run("paint", picture, "-o", tmp_path / "o.svg", *arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("gradvec: ")
    assert words in told
    assert told.count("\n") == 1
    assert pipeline.calls == []
    assert not (tmp_path / "o.svg").exists()


@pytest.mark.parametrize("arguments", [[], ["paint"], ["paint", "x.png"], ["dance"]])
def test_missing_arguments_are_wrong_use(arguments, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("gradvec: ")


def test_outputs_are_checked_before_the_long_run(picture, tmp_path, capsys, pipeline):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    (tmp_path / "empty").mkdir()
    for arguments, words in [
            (["-o", tmp_path], "is a folder"), (["-o", f"{tmp_path}/new/"], "is a folder"),
            (["-o", tmp_path / "no" / "o.svg"], "mkdir -p"), (["-o", picture], "is the input itself"),
            (["-o", picture / "o.svg"], "is not a folder"), (["-o", tmp_path / ("x" * 300)], "name is too long"),
            (["-o", tmp_path / "o.svg", "--save-painting", tmp_path / "o.svg"], "same place"),
            (["-o", tmp_path / "o.svg", "--save-params", picture], "is the input itself"),
            (["-o", tmp_path / "o.svg", "--save-strokes", tmp_path / "full"], "is not empty"),
            (["-o", tmp_path / "o.svg", "--save-strokes", picture], "is a file")]:
        assert run("paint", picture, *arguments) == 3, words
        told = capsys.readouterr().err
        assert words in told
        assert told.count("\n") == 1
    assert pipeline.calls == []
    assert picture.read_bytes() == b"picture"
    assert leftovers(tmp_path) == []


def test_missing_and_wrong_inputs(tmp_path, capsys, pipeline):
    for arguments, words in [(["paint", tmp_path / "no.png"], "There is no file"), (["paint", tmp_path], "is a folder"),
                             (["strokes", tmp_path / "no"], "does not exist"),
                             (["compare", tmp_path / "no.svg", tmp_path], "There is no file")]:
        output = [] if arguments[0] == "compare" else ["-o", tmp_path / "o.svg"]
        assert run(*arguments, *output) == 3
        assert words in capsys.readouterr().err
    assert pipeline.calls == []


def test_write_protected_places(picture, tmp_path, capsys, pipeline, monkeypatch):
    protected = tmp_path / "old.svg"
    protected.write_text("old")
    # The superuser may write anywhere, so the system's answer is given here.
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(protected))
    assert run("paint", picture, "-o", protected) == 3
    assert "write-protected" in capsys.readouterr().err
    monkeypatch.undo()
    assert protected.read_text() == "old"
    assert pipeline.calls == []


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "no permission"),
                                               (errno.EROFS, "read-only"), (errno.EIO, "cannot be written")])
def test_a_disk_that_fails_leaves_the_old_file(number, words, picture, tmp_path, capsys, monkeypatch):
    out = tmp_path / "o.svg"
    out.write_text("old")

    def fail(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    assert run("paint", picture, "-o", out, "--quiet") == 3
    assert words in capsys.readouterr().err
    assert out.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_full_device(picture, capsys):
    assert run("paint", picture, "-o", "/dev/full", "--quiet") == 3
    assert "the disk is full" in capsys.readouterr().err


def test_links_and_modes_survive(picture, tmp_path):
    real = tmp_path / "real.svg"
    real.write_text("old")
    real.chmod(0o640)
    (tmp_path / "link.svg").symlink_to(real)
    assert run("paint", picture, "-o", tmp_path / "link.svg", "--quiet") == 0
    assert (tmp_path / "link.svg").is_symlink()
    assert real.read_bytes().startswith(b"<?xml")
    assert real.stat().st_mode & 0o777 == 0o640
    assert run("paint", picture, "-o", tmp_path / "new.svg", "--quiet") == 0
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "new.svg").stat().st_mode & 0o777 == 0o666 & ~mask


def test_engine_failures_end_with_4_and_keep_the_old_file(picture, tmp_path, monkeypatch, capsys):
    out = tmp_path / "o.svg"
    out.write_text("old")
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", FakePipeline(fail=EngineError("It broke.", "Mend it.")))
    assert run("paint", picture, "-o", out) == 4
    assert capsys.readouterr().err.endswith("gradvec: It broke. Mend it.\n")
    assert out.read_text() == "old"


def test_unforeseen_failures_go_to_the_log(picture, tmp_path, monkeypatch, capsys):
    log = tmp_path / "logs" / "g.log"
    monkeypatch.setenv("GRADVEC_LOG", str(log))
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", FakePipeline(fail=ZeroDivisionError("by nought\nmore")))
    assert run("paint", picture, "-o", tmp_path / "o.svg") == 4
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "ZeroDivisionError by nought" in told
    assert str(log) in told
    assert "Traceback" in log.read_text()
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", FakePipeline(fail=MemoryError()))
    assert run("paint", picture, "-o", tmp_path / "o.svg") == 4
    assert "not enough memory" in capsys.readouterr().err
    lacking = ModuleNotFoundError("No module named 'numba'", name="numba")
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", FakePipeline(fail=lacking))
    assert run("paint", picture, "-o", tmp_path / "o.svg") == 4
    assert capsys.readouterr().err.endswith("gradvec: The library numba is not installed. "
                                            "`gradvec doctor` says how to get it.\n")


def test_debug_shows_the_traceback(picture, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", FakePipeline(fail=ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        run("paint", picture, "-o", tmp_path / "o.svg", "--debug")
    with pytest.raises(ZeroDivisionError):
        run("--debug", "paint", picture, "-o", tmp_path / "o.svg")


def test_an_empty_folder_is_filled_whole_or_not_at_all(picture, tmp_path, monkeypatch, capsys):
    from gradvec.cli import saving

    def breaks(result, options):
        yield "0001.png", b"x"
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(saving, "stroke_pngs", breaks)
    (tmp_path / "dir").mkdir()
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--save-strokes", tmp_path / "dir", "--quiet") == 3
    assert "the disk is full" in capsys.readouterr().err
    assert list((tmp_path / "dir").iterdir()) == []
    assert leftovers(tmp_path) == []


def test_the_end_of_the_time_asks_to_keep(picture, tmp_path, monkeypatch, capsys):
    seen = []

    def paint_picture(source, options, run):
        for _ in range(100):
            time.sleep(0.02)
            if run.keep:
                break
        seen.append(run.keep)
        return result_of(2)

    fake = FakePipeline()
    fake.paint_picture = paint_picture
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", fake)
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--quiet", "--time-limit", "0.1") == 0
    assert seen == [True]
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--quiet", "--time-limit", "-3") == 2
    assert "no time between" in capsys.readouterr().err
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--quiet", "--time-limit", "soon") == 2
    assert "invalid number of seconds value" in capsys.readouterr().err


def test_a_run_without_a_painting_cannot_save_it(picture, tmp_path, monkeypatch, capsys):
    bare = FakePipeline()
    bare._run = lambda options, run: type("R", (), {**vars(result_of(2)), "painting": None})()
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", bare)
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--save-params", tmp_path / "n.npz", "--quiet") == 4
    assert "no painting" in capsys.readouterr().err


def test_a_paintings_scale_is_checked(picture, tmp_path, capsys, pipeline):
    save = ["--save-painting", tmp_path / "p.png", "--painting-scale"]
    for arguments, words in ((["--painting-scale", "2"], "Add --save-painting"), ([*save, "17"], "between 0.1 and 16"),
                             ([*save, "4", "--size", "4096"], "16384 px long is too large")):
        assert run("paint", picture, "-o", tmp_path / "o.svg", *arguments) == 2
        assert words in capsys.readouterr().err
    assert pipeline.calls == []
    assert leftovers(tmp_path) == []


def test_a_drawing_has_the_size_of_a_page(picture, tmp_path, capsys, pipeline):
    out = tmp_path / "o.svg"
    assert run("paint", picture, "-o", out, "--page-mm", "100x50", "--quiet") == 0
    root = etree.fromstring(out.read_bytes())
    assert "100mm" in (root.get("width"), root.get("height")) or "50mm" in (root.get("width"), root.get("height"))
    before = len(pipeline.calls)
    for text in ("100", "0x20", "10x20x30", "wide"):
        assert run("paint", picture, "-o", out, "--page-mm", text) == 2
        assert "page" in capsys.readouterr().err
    assert run("paint", picture, "-o", out, "--engine-process", "auto", "--page-mm", "100x50") == 2
    assert "--page-mm" in capsys.readouterr().err
    assert len(pipeline.calls) == before


def test_the_engine_process_saves_the_svg_alone(picture, tmp_path, capsys, pipeline):
    assert run("paint", picture, "-o", tmp_path / "o.svg", "--engine-process", "auto", "--save-params",
               tmp_path / "n.npz") == 2
    assert "Leave out --engine-process" in capsys.readouterr().err


def test_help_of_every_command_has_examples(capsys):
    for command in ("paint", "strokes", "vectorize", "compare", "doctor", "install-extension", "uninstall-extension",
                    "engine"):
        assert main([command, "--help"]) == 0
        assert f"gradvec {command}" in capsys.readouterr().out.split("examples:")[1]
    assert main(["--help"]) == 0
    assert "130 cancelled" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert build_parser().prog == "gradvec"


def test_the_svg_is_there_when_the_disk_fills_up_with_the_rest(picture, tmp_path, capsys):
    out = tmp_path / "out.svg"
    assert run("paint", picture, "-o", out, "--save-params", "/dev/full", "--quiet") == 3
    assert "the disk is full" in capsys.readouterr().err
    assert len(read(out.read_bytes()).shapes) == 5
