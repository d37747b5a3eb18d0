"""What an artist draws over a picture arrives at the engine where it was drawn, by Inkscape's own transforms."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.inkscape
HEAD = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="210mm"'
        ' height="297mm" viewBox="0 0 210 297">')


def picture() -> np.ndarray:
    """200 x 100 px, true in a disc around (60, 50) and in a bar with round ends."""
    y, x = np.mgrid[:100, :200] + 0.5
    return ((x - 60) ** 2 + (y - 50) ** 2 < 30 ** 2) | (np.maximum(abs(x - 152.5) - 32.5, 0) ** 2 + (y - 50) ** 2 < 100)


def address() -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.uint8(255) * ~picture()).save(buffer, "png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@pytest.mark.parametrize("transform", ["rotate(35) skewX(10)", "matrix(-0.8 0.3 0.1 1.4 150 -20)"])
def test_marks_that_inkscape_has_moved_itself(inkscape, tmp_path, transform):
    """The picture and the marks on it are drawn in one group; Inkscape ungroups them and moves each by its own
    transform."""
    document, result = tmp_path / "in.svg", tmp_path / "out.svg"
    # One px of the picture is half a unit, from (10, 30) on.
    marks = ('<circle id="disc" cx="40" cy="55" r="15" style="fill:#ff0000"/>'
             '<rect id="bar" x="65" y="50" width="42.5" height="10" rx="5" style="fill:#00ff00"/>'
             '<path id="hair" d="M 20,40 C 40,30 60,70 100,75" style="fill:none;stroke:#0000ff;stroke-width:1"/>')
    document.write_text(
        f'{HEAD}<g id="outer" transform="{transform}"><image id="photo" x="10" y="30" width="100" height="50"'
        f' preserveAspectRatio="none" xlink:href="{address()}"/><g id="inner">{marks}</g></g></svg>', "utf-8")
    found = inkscape.directory / "detail-map.png"
    found.unlink(missing_ok=True)
    before = "select-by-id:outer;selection-ungroup;select-clear;select-by-id:inner;selection-ungroup"
    inkscape.run_effect(document, ["photo", "disc", "bar", "hair"], result, before=before, seed=0)
    text = result.read_text("utf-8")
    assert 'id="outer"' not in text
    assert "gradvec:detail-map=" in text
    seen = np.asarray(Image.open(found)) > 127
    black = picture()
    assert seen.shape == black.shape
    assert (seen & black).sum() / (seen | black).sum() > 0.97
    asked = json.loads((inkscape.directory / "asked.jsonl").read_text("utf-8").splitlines()[-1])
    (line,) = asked["info"]["guides"]
    points = np.array([[20, 40], [40, 30], [60, 70], [100, 75]]) - (10, 30)
    t = np.linspace(0, 1, len(line))[:, None]
    curve = ((1 - t) ** 3 * points[0] + 3 * (1 - t) ** 2 * t * points[1] + 3 * (1 - t) * t ** 2 * points[2]
             + t ** 3 * points[3]) / (100, 50)
    assert np.abs(np.array(line) - curve).max() < 0.002


def test_union_makes_even_odd_holes_plain(inkscape, tmp_path):
    """The remedy that the host names for a path that crosses itself."""
    from lxml import etree

    document, result = tmp_path / "star.svg", tmp_path / "union.svg"
    star = "M 50,0 79,90 2,35 H 98 L 21,90 Z"
    document.write_text(f'{HEAD}<path id="star" style="fill:#000000;fill-rule:evenodd" d="{star}"/></svg>', "utf-8")
    actions = f"select-by-id:star;path-union;export-filename:{result};export-do"
    inkscape._on_display(["inkscape", "--with-gui", "--batch-process", f"--actions={actions}", str(document)], 60)
    (path,) = etree.parse(str(result)).iter("{*}path")
    assert path.get("d").lower().count("z") > 1
    pictures = []
    for name in (document, result):
        inkscape.export(name, tmp_path / "seen.png")
        pictures.append(np.asarray(Image.open(tmp_path / "seen.png").convert("RGBA"))[..., 3])
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() < 1
    nonzero = tmp_path / "nonzero.svg"
    nonzero.write_text(result.read_text("utf-8").replace("evenodd", "nonzero"), "utf-8")
    inkscape.export(nonzero, tmp_path / "seen.png")
    seen = np.asarray(Image.open(tmp_path / "seen.png").convert("RGBA"))[..., 3]
    assert np.abs(pictures[0].astype(int) - seen).mean() < 1, "the loops run against each other now"
