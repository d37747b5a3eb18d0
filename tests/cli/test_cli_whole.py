"""The command line with the real pipeline on a small photograph, judged by programs that we did not write."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.io import svg
from gradvec.io.images import load, png_bytes
from gradvec.looks import look_of
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.tools.compare import psnr, render_svg
from PIL import Image

PHOTO = Path(__file__).resolve().parents[2] / "examples" / "astronaut.jpg"
#: Without the look's texture, which the engine does not predict.
SMALL = {"strokes": 16, "size": 64, "fidelity": 0.1, "seed": 5, "texture": "none"}
#: What the command line makes of them: the look that it takes where none is named, and what is given besides.
OPTIONS = Options(**{**look_of("oil").options, **SMALL, "look": "oil"})
WORDS = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with everything that one painting can leave."""
    folder = tmp_path_factory.mktemp("painted")
    assert main(["paint", str(PHOTO), "-o", str(folder / "o.svg"), *WORDS, "--quiet",
                 "--save-painting", str(folder / "painting.png"), "--save-strokes", str(folder / "strokes"),
                 "--save-params", str(folder / "params.npz")]) == 0
    return folder


@pytest.fixture(scope="module")
def result():
    return paint_picture(PHOTO, OPTIONS)


def test_the_document_says_how_it_was_made(results):
    document = svg.read((results / "o.svg").read_bytes())
    assert (document.width, document.height) == (64, 64)
    assert {name: document.meta["options"][name] for name in SMALL} == SMALL
    assert document.meta["source_width"] == 512
    assert len({shape.id for shape in document.shapes}) == len(document.shapes)
    assert all(layer.name for layer in document.layers)


def test_the_same_seed_gives_the_same_bytes(results, result):
    assert svg.write(result.document, relative=True) == (results / "o.svg").read_bytes()


def test_it_looks_like_the_photograph(results, capsys):
    assert main(["compare", str(results / "o.svg"), str(PHOTO), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    mean_color = load(PHOTO, 64).rgb
    bar = psnr(np.rint(mean_color * 255), np.rint(mean_color.mean((0, 1), keepdims=True) * 255))
    assert figures["psnr"] > bar + 4, "better than one flat colour by far"


def test_a_viewer_shows_what_the_engine_predicted(result):
    predicted = np.rint(np.clip(result.predicted, 0, 1) * 255).astype(np.uint8)
    for relative in (False, True):
        shown = render_svg(svg.write(result.document, relative=relative), 64, 64)
        assert psnr(predicted, shown) > 38


@pytest.mark.inkscape
def test_inkscape_shows_what_the_engine_predicted(result, results, tmp_path):
    picture = tmp_path / "shown.png"
    subprocess.run(["inkscape", str(results / "o.svg"), f"--export-filename={picture}", "--export-background=white"],
                   check=True, timeout=120, capture_output=True, stdin=subprocess.DEVNULL)
    with Image.open(picture) as opened:
        shown = np.asarray(opened.convert("RGB"))
    assert psnr(np.rint(np.clip(result.predicted, 0, 1) * 255).astype(np.uint8), shown) > 38


def test_what_else_was_saved(results, result):
    with Image.open(results / "painting.png") as painting:
        assert painting.size == (64, 64)
        seen = np.asarray(painting.convert("RGB"))
    assert psnr(seen, np.rint(load(PHOTO, 64).rgb * 255)) > 12
    strokes = len(result.painting.strokes)
    assert len(list((results / "strokes").iterdir())) == strokes
    with np.load(results / "params.npz") as params:
        assert len(params["opacity"]) == strokes
        assert json.loads(str(params["options"])) == OPTIONS.to_dict()


def test_the_saved_strokes_are_strokes(results, tmp_path, capsys):
    out = tmp_path / "again.svg"
    with np.load(results / "params.npz") as params:
        ground = "#" + "".join(f"{round(float(c) * 255):02x}" for c in params["background"])
    assert main(["strokes", str(results / "strokes"), "-o", str(out), "--quiet", "--background", ground]) == 0
    assert main(["compare", str(out), str(results / "painting.png"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["psnr"] > 20, "the strokes one by one make the painting again"


@pytest.mark.parametrize("ground", ["#ffffff", "#20c060"])
def test_a_colour_under_a_transparent_picture(ground, tmp_path):
    rgba = np.zeros((40, 48, 4), np.uint8)
    rgba[10:30, 12:36] = 200, 40, 30, 255
    (tmp_path / "p.png").write_bytes(png_bytes(rgba))
    shown = {}
    for look in ("photo", "oil"):
        assert main(["paint", str(tmp_path / "p.png"), "-o", str(tmp_path / "o.svg"), "--strokes", "4", "--size", "48",
                     "--background", ground, "--look", look, "--texture", "none", "--quiet"]) == 0
        shown[look] = render_svg((tmp_path / "o.svg").read_bytes(), 48, 40, "#000000").astype(int)
    wanted = np.zeros((40, 48, 3)) + [int(ground[i:i + 2], 16) for i in (1, 3, 5)]
    # Bristle ends do not make a rectangle: of oil, the ground alone.
    assert np.abs(shown["oil"] - wanted)[[0, -1]].max() <= 1
    wanted[10:30, 12:36] = 200, 40, 30
    # Four strokes with smooth outlines have no sharp corners at 48 px; a wrong ground would be below 10 dB.
    assert psnr(wanted, shown["photo"]) > 30
