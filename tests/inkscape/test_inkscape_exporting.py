"""A time-lapse and an export written from a drawing in a real Inkscape, by the real jobs."""

import sys
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

pytestmark = pytest.mark.inkscape
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "inkscape")]

from test_inkscape_marks import HEAD, address  # noqa: E402


@pytest.fixture(scope="module")
def painted(inkscape, tmp_path_factory):
    """A document whose picture, turned and in a page of its own units, was painted in its four quarters."""
    folder = tmp_path_factory.mktemp("exporting")
    document, result = folder / "in.svg", folder / "painted.svg"
    document.write_text(f'{HEAD}<image id="photo" transform="rotate(35) translate(20 5)" x="10" y="30" width="100"'
                        f' height="50" preserveAspectRatio="none" xlink:href="{address()}"/></svg>', "utf-8")
    inkscape.run_effect(document, ["photo"], result, seed=0)
    return result


def strokes(root):
    return [path for path in root.iter("{*}path") if "gv1-s" in (path.get("id") or "")]


def test_a_time_lapse_lies_beside_the_document(inkscape, painted, tmp_path):
    from gradvec.tools.render_svg import render_svg

    inkscape.run_effect(painted, ["photo"], tmp_path / "after.svg", effect="org.gradvec.animate",
                        host_file=tmp_path / "lapse.svg", host_seconds=3, host_loop=0)
    made = (tmp_path / "lapse.svg").read_bytes()
    root = etree.fromstring(made)
    assert len(root.findall(".//{*}animate")) == len(strokes(etree.parse(str(painted)))) > 0
    shown = render_svg(made, 80, 40)
    inside = shown[2:-2, 2:-2].reshape(-1, 3)
    assert {tuple(color) for color in np.unique(inside, axis=0).tolist()} >= {(0, 0, 0), (255, 255, 255)}
    # The picture is turned in the document; in its own px its quarters are straight again.
    assert len(np.unique(shown[4:16, 4:36].reshape(-1, 3), axis=0)) == 1


def test_parts_for_a_cutter_are_as_wide_as_asked(inkscape, painted, tmp_path):
    inkscape.run_effect(painted, ["photo"], tmp_path / "after.svg", effect="org.gradvec.export",
                        host_file=tmp_path / "parts.svg", host_what="cut", host_width=90)
    root = etree.parse(str(tmp_path / "parts.svg")).getroot()
    assert root.get("width") == "90mm"
    assert len(root.findall(".//{*}path")) >= 4
