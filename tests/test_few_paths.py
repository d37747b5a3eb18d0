"""Pictures that need hardly a stroke: one colour, one px, almost nothing. Whatever the options, a run ends well."""

import json

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.cli.running import NO_PATHS, NO_SAVED_STROKES
from gradvec.io import svg
from gradvec.io.images import png_bytes
from gradvec.options import Options
from gradvec.pipeline import paint_picture, vectorize_picture
from gradvec.tools.render_svg import render_svg


def one_colored(height=32, width=40):
    return np.full((height, width, 3), (200, 30, 60), np.uint8)


def with_a_speck():
    picture = one_colored()
    picture[16:18, 20:23] = 255
    return picture


def one_visible_pixel():
    picture = np.zeros((32, 40, 4), np.uint8)
    picture[16, 20] = (255, 0, 0, 255)
    return picture


PICTURES = {"one colour": one_colored(), "a speck": with_a_speck(), "one px": one_colored(1, 1),
            "one visible px": one_visible_pixel(), "a line": one_colored(1, 40)}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("options", [
    {"paths_per_stroke": 2}, {"paths_per_stroke": 3, "gradient": "kmeans"},
    {"paths_per_stroke": 2, "gradient": "flat", "background": "none"},
    {"paths_per_stroke": 4, "paths_by_size": True, "brush": "watercolor", "gradient": "auto"},
    {"mode": "grid", "fidelity": 1.0, "paths_per_stroke": 2}, {"palette": "2", "one_color": True, "opaque": True}])
def test_every_way_ends_with_a_drawing(name, options):
    result = paint_picture(png_bytes(PICTURES[name]), Options.from_dict({"strokes": 4, "size": 40, **options}))
    document = svg.read(svg.write(result.document))
    assert (document.width, document.height) == (result.document.width, result.document.height)
    assert np.isfinite(result.predicted).all()


def test_vectorizing_ends_with_a_drawing():
    for picture in PICTURES.values():
        svg.write(vectorize_picture(png_bytes(picture), Options.from_dict({"strokes": 3, "size": 40})).document)


def test_a_result_without_paths_says_so(tmp_path, capsys):
    (tmp_path / "one.png").write_bytes(png_bytes(one_colored()))
    command = ["paint", str(tmp_path / "one.png"), "-o", str(tmp_path / "one.svg"), "--strokes=4", "--size=40"]
    assert main(command) == 0
    told = capsys.readouterr().err
    assert NO_PATHS in told
    assert "0 paths" in told
    assert main([*command, "--progress=json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {"event": "note", "message": NO_PATHS} in events


def test_strokes_that_were_saved_of_a_picture_without_any_are_read_again(tmp_path, capsys):
    (tmp_path / "one.png").write_bytes(png_bytes(one_colored()))
    saved, again = str(tmp_path / "none.npz"), str(tmp_path / "again.svg")
    assert main(["paint", str(tmp_path / "one.png"), "-o", str(tmp_path / "one.svg"), "--strokes=4", "--size=40",
                 "--look=photo", "--quiet", "--save-params", saved]) == 0
    for picture in ([], [str(tmp_path / "one.png")]):
        capsys.readouterr()
        assert main(["paint", *picture, "-o", again, "--params", saved]) == 0
        assert NO_SAVED_STROKES in capsys.readouterr().err
        shown = render_svg((tmp_path / "again.svg").read_bytes(), 40, 32)
        assert np.abs(shown.astype(int) - (200, 30, 60)).max() <= 1
