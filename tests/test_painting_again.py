"""Painting again from saved strokes, the whole way, through the command line and judged by resvg."""

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.io import svg
from gradvec.io.params import read_params
from gradvec.io.svg.read import stored_run
from gradvec.tools.render_svg import render_svg
from lxml import etree
from PIL import Image


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    """A folder with a picture, its painting and the painting's strokes."""
    folder = tmp_path_factory.mktemp("painted")
    y, x = np.mgrid[0:48, 0:64] / 48
    rgb = np.stack([0.3 + 0.4 * y, 0.5 + 0.2 * x, 0.9 - 0.4 * y], -1)
    rgb[np.hypot(x - 0.7, y - 0.4) < 0.25] = (0.95, 0.6, 0.1)
    Image.fromarray((rgb * 255).astype(np.uint8)).save(folder / "in.png")
    assert main(["paint", str(folder / "in.png"), "-o", str(folder / "out.svg"), "--strokes", "14", "--size", "64",
                 "--seed", "5", "--quiet", "--save-params", str(folder / "strokes.npz")]) == 0
    return folder


def run(painted, name, *words):
    path = painted / name
    code = main(["paint", "-o", str(path), "--params", str(painted / "strokes.npz"), "--quiet", *map(str, words)])
    assert code == 0
    return path.read_bytes()


def test_the_same_strokes_and_picture_give_the_same_drawing(painted):
    assert run(painted, "again.svg", painted / "in.png") == (painted / "out.svg").read_bytes()


def test_strokes_alone_are_painted_as_they_were_saved(painted):
    first, second = run(painted, "a.svg"), run(painted, "b.svg")
    assert first == second
    saved = read_params((painted / "strokes.npz").read_bytes())
    document = svg.read(first)
    names = {shape.id for shape in document.shapes} - {"underpainting"}
    assert len(names) == len(saved.painting.strokes) == 14
    assert stored_run(etree.fromstring(first))["options"]["seed"] == 5
    shown = render_svg(first, 64, 48) / 255
    picture = np.asarray(Image.open(painted / "in.png").convert("RGB")) / 255
    assert np.abs(shown - picture).mean() < 0.08


def test_another_size_shows_the_same(painted):
    small, large = run(painted, "s.svg", "--texture", "none"), run(painted, "l.svg", "--size", 256, "--texture", "none")
    assert svg.read(large).width == 256
    difference = np.abs(render_svg(small, 256, 192).astype(float) - render_svg(large, 256, 192))
    assert difference.mean() < 1  # two decimals of px that are four times as large


def test_another_brush_and_palette_are_taken(painted):
    marker = svg.read(run(painted, "m.svg", "--brush", "marker", "--palette", "#ff0000,#ffffff,#0000ff", "--gradient",
                          "flat", "--background", "#ffffff"))
    colors = {shape.fill.color for shape in marker.shapes}
    assert colors <= {(1.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)}
    assert len(colors) > 1
    assert {shape.brush for shape in marker.shapes} <= {"", "marker"}
    look = stored_run(etree.fromstring(run(painted, "w.svg", "--look", "watercolor")))["options"]
    assert (look["look"], look["brush"]) == ("watercolor", "watercolor")


@pytest.mark.parametrize(("words", "code", "says"), [
    (["-o", "o.svg"], 2, "nothing to paint"), (["-o", "o.svg", "--params", "gone.npz"], 3, "no file"),
    (["-o", "o.svg", "--params", "in.png"], 3, "no file of strokes"),
    (["-o", "o.svg", "--params", "strokes.npz", "--look", "shapes"], 2, "no brush strokes"),
    (["-o", "o.svg", "--params", "strokes.npz", "--style", "in.png"], 2, "style"),
    (["-o", "o.svg", "--params", "strokes.npz", "--detail-map", "in.png"], 2, "detail map"),
    (["wide.png", "-o", "o.svg", "--params", "strokes.npz"], 3, "other proportions")])
def test_wrong_use_is_told(words, code, says, painted, monkeypatch, capsys):
    monkeypatch.chdir(painted)
    Image.new("RGB", (64, 20), "red").save("wide.png")
    assert main(["paint", *words]) == code
    assert says in capsys.readouterr().err
    assert not (painted / "o.svg").exists()
