"""Films from the command line and through workers: in order, cut into shots, steady, with strokes that keep ids."""

import errno
import gc
import json
import zlib

import film_work
import films
import numpy as np
import pytest
from gradvec.cli import main
from gradvec.errors import EngineError, InputError
from gradvec.film.figures import flicker, psnr
from gradvec.film.run import PaintedFrame, Shot, Summary, paint_film, shots_of
from gradvec.film.run import shown as shown_frames
from gradvec.film.shot import FrameFigures, ShotPainter
from gradvec.io import svg
from gradvec.io.images import load, png_bytes
from gradvec.io.video import film_bytes, frames_of, rate_of
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.progress import Run
from gradvec.tools.render_svg import render_svg

OPTIONS = Options.for_job("paint", {"strokes": 24, "size": 72, "texture": "none", "detail": 0.0})


def as_bytes(frames):
    return [np.rint(frame * 255).astype(np.uint8) for frame in frames]


def shown(document):
    return render_svg(svg.write(document), document.width, document.height).astype(np.float32) / 255


@pytest.fixture(scope="module")
def painted():
    """(film, documents, figures) of a picture that moves by 2 px to the left each time, and then stands still."""
    film = [load(png_bytes(frame), 72).rgb for frame in as_bytes(films.moving(3, step=(2.0, 0.0)))]
    film.append(film[-1])
    painter = ShotPainter(OPTIONS, Run())
    made = [painter.next(png_bytes(frame)) if n else painter.first(png_bytes(frame)) for n, frame in enumerate(film)]
    return film, [document for document, _ in made], [figures for _, figures in made]


def test_a_painted_film_is_steadier_than_frames_painted_alone_and_as_close(painted):
    film, documents, _ = painted
    together = [shown(document) for document in documents]
    # A shot's first frame is one that was painted alone.
    alone = [together[0], shown(paint_picture(png_bytes(film[1]), OPTIONS).document)]
    assert flicker(together[:2], film[:2]) < flicker(alone, film[:2]) / 3
    # With so few strokes one painting is up to 1.2 dB better than another of nearly the same picture.
    assert psnr(together[1:3], film[1:3]) > psnr(alone, film[:2]) - 1


def test_strokes_keep_their_ids_and_move_with_the_picture(painted):
    _, documents, figures = painted
    strokes = [{shape.id: shape for shape in document.shapes if shape.id != "underpainting"} for document in documents]
    for before, after, told in zip(strokes, strokes[1:], figures[1:], strict=False):
        assert len(before.keys() & after.keys()) > 0.8 * len(before)
        assert len(after.keys() - before.keys()) <= told.new
        assert len(before.keys() - after.keys()) == told.gone
    there = [np.mean(strokes[-1][name].outline.loops[0] - strokes[0][name].outline.loops[0], 0)
             for name in strokes[0].keys() & strokes[-1].keys()]
    assert np.median(there, 0) == pytest.approx((-4, 0), abs=0.5)


def test_nothing_moves_where_nothing_changes(painted):
    _, documents, figures = painted
    assert (figures[3].new, figures[3].gone) == (0, 0)
    assert np.abs(shown(documents[2]) - shown(documents[3])).mean() < 0.004


def test_shots_are_cut_and_come_in_order():
    film = as_bytes([*films.moving(3), *films.moving(2, seed=7), *films.moving(4)])
    assert [len(shot) for shot in shots_of(iter(film), 40)] == [3, 2, 4]
    summary = Summary()
    frames = list(paint_film(iter(film), OPTIONS, film_work.LastFirst(3), Run(), summary,
                             work=film_work.name_frames))
    assert [frame.svg.decode()[5:-6] for frame in frames] == [f"{n} of {count}" for count in (3, 2, 4)
                                                              for n in range(count)]
    assert (summary.frames, summary.shots, summary.new) == (9, 3, 9)


def test_a_shot_that_fails_ends_the_film():
    with pytest.raises(InputError, match="This shot"):
        list(paint_film(iter(as_bytes(films.moving(film_work.FATAL))), OPTIONS, film_work.LastFirst(1), Run(),
                        Summary(), work=film_work.name_frames))


def test_a_film_goes_out_and_comes_back(tmp_path):
    pytest.importorskip("av")
    film = as_bytes(films.moving(4))
    for ending in (".mp4", ".webm"):
        path = tmp_path / f"film{ending}"
        path.write_bytes(film_bytes(iter(film), 12.5, ending))
        back = list(frames_of(path))
        assert [frame.shape for frame in back] == [frame.shape for frame in film]
        assert psnr([f / 255 for f in back], [f / 255 for f in film]) > 33
        assert rate_of(path) == pytest.approx(12.5)
    with pytest.raises(EngineError, match="no frame"):
        film_bytes(iter([]), 25, ".mp4")
    (tmp_path / "none.mp4").write_text("no film")
    with pytest.raises(InputError, match=r"none\.mp4.*cannot be read"):
        list(frames_of(tmp_path / "none.mp4"))


def test_frames_are_drawn_at_the_size_that_encoders_take():
    drawn = shown_frames(iter([PaintedFrame(zlib.compress(b"1"), FrameFigures(1, 0, 0, 30.0))]), 73, 57,
                         lambda svg, width, height: (svg, width, height))
    assert list(drawn) == [(b"1", 72, 56)]


def test_the_command_line_paints_a_film(tmp_path, capsys):
    pytest.importorskip("av")
    (tmp_path / "clip.mp4").write_bytes(film_bytes(iter(as_bytes(films.moving(2))), 10, ".mp4"))
    assert main(["film", str(tmp_path / "clip.mp4"), "-o", str(tmp_path / "svgs"), "--strokes", "4", "--size", "24",
                 "--workers", "1"]) == 0
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'svgs'}: 2 frames, 1 shot, ")
    told = json.loads((tmp_path / "svgs" / "film.json").read_text())
    assert told["fps"] == pytest.approx(10)
    assert [row["frame"] for row in told["frames"]] == ["frame-00001.svg", "frame-00002.svg"]
    drawings = [svg.read((tmp_path / "svgs" / row["frame"]).read_bytes()) for row in told["frames"]]
    assert {shape.id for shape in drawings[0].shapes} & {shape.id for shape in drawings[1].shapes}


@pytest.mark.parametrize(("words", "code", "says"), [
    (["gone.mp4", "-o", "o.mp4"], 3, "no file"), (["frames", "-o", "frames"], 3, "empty"),
    (["frames", "-o", "o.mp4", "--look", "shapes"], 2, "no brush strokes"),
    (["frames", "-o", "o.mp4", "--gradient", "kmeans"], 2, "refined gradient"),
    (["frames", "-o", "o.mp4", "--workers", "1"], 3, "one size")])
def test_wrong_use_is_told(words, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "frames").mkdir()
    for n, size in enumerate((8, 9)):
        (tmp_path / "frames" / f"{n}.png").write_bytes(png_bytes(np.zeros((size, 8, 3), np.uint8)))
    assert main(["film", *words]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "o.mp4").exists()


def test_workers_are_let_go_before_the_command_ends_where_the_disk_is_full(tmp_path, monkeypatch, capsys):
    """Else the interpreter's end does it, which finds their pipes closed and prints a traceback."""
    let_go = []

    def paint(frames, options, pool, *rest, **more):
        try:
            yield from film_work.name_frames(Shot([b"", b""], {}), Run())
        finally:
            let_go.append(True)

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(png_bytes(np.zeros((24, 24, 3), np.uint8)))
    monkeypatch.setattr("gradvec.film.run.paint_film", paint)
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    gc.disable()
    try:
        assert main(["film", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--quiet", "--workers", "1"]) == 3
        assert let_go
    finally:
        gc.enable()
    assert "the disk is full" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
