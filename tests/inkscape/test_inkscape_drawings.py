"""What Inkscape leaves of a drawing: saved, ungrouped and moved as a whole, no stroke counts as changed by hand."""

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.inkscape
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "inkscape")]

from test_inkscape_marks import HEAD, address  # noqa: E402

TRANSFORM = "rotate(35) skewX(10)"
WHOLE = {"saved": "select-clear", "ungrouped": "select-by-id:gv1-layer;selection-ungroup",
         "moved": "select-by-id:gv1-layer;transform-translate:30,20",
         "ungrouped and moved": "select-by-id:gv1-layer;transform-rotate:30;selection-ungroup"}


@pytest.fixture(scope="module")
def painted(inkscape, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawings")
    document, result = folder / "in.svg", folder / "painted.svg"
    document.write_text(f'{HEAD}<image id="photo" transform="{TRANSFORM}" x="10" y="30" width="100" height="50"'
                        f' preserveAspectRatio="none" xlink:href="{address()}"/></svg>', "utf-8")
    inkscape.run_effect(document, ["photo"], result, seed=0)
    return result


def after(inkscape, document: Path, actions: str):
    """The document as Inkscape saves it after ``actions``."""
    import inkex

    result = document.parent / "after.svg"
    inkscape._on_display(["inkscape", "--with-gui", "--batch-process",
                          f"--actions=select-clear;{actions};export-filename:{result};export-do", str(document)], 60)
    return inkex.load_svg(result.read_bytes()).getroot()


@pytest.mark.parametrize("what", WHOLE)
def test_what_happens_to_all_strokes_alike_changes_none(inkscape, painted, what):
    from inkscape_ext.document.drawings import all_drawings
    from inkscape_ext.document.replacing import changed_strokes

    svg = after(inkscape, painted, WHOLE[what])
    (drawing,) = all_drawings(svg)
    assert (drawing.layer is None) == ("ungrouped" in what)
    assert len(drawing.strokes) == 4
    changed = changed_strokes(svg, [drawing])
    assert len(changed) == (4 if what == "ungrouped and moved" else 0), "an ungrouped layer's own move is forgotten"


def test_one_stroke_that_is_moved_is_the_one_that_changed(inkscape, painted):
    from inkscape_ext.document.drawings import all_drawings
    from inkscape_ext.document.replacing import changed_strokes

    stroke = all_drawings(after(inkscape, painted, "select-clear"))[0].strokes[1].get("id")
    svg = after(inkscape, painted, f"select-by-id:{stroke};transform-translate:2,0")
    assert [path.get("id") for path in changed_strokes(svg, all_drawings(svg))] == [stroke]


def test_inkscape_has_nothing_to_say_about_our_files(inkscape, tmp_path):
    import subprocess

    from gradvec.io.svg import write
    from gradvec.model import Document, Layer

    document = tmp_path / "ours.svg"
    document.write_bytes(write(Document(10, 10, (Layer("one", ()),), {"seed": 7})))
    done = subprocess.run(["inkscape", str(document), f"--export-filename={tmp_path / 'ours.png'}"],
                          env=inkscape.environment(), capture_output=True, text=True, timeout=60, check=True,
                          stdin=subprocess.DEVNULL)
    assert "unknown type" not in done.stdout + done.stderr
