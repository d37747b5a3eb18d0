"""Files that are written from a drawing: what the engine is handed, what lies in the folder, what is said."""

import inkex
import numpy as np
import pytest
from documents import DRAWING
from edited import PICTURE, SVG, find, painted
from inkex import Transform

from inkscape_ext.document import layers, pictures
from inkscape_ext.document.drawings import all_drawings, chosen_drawings
from inkscape_ext.document.placement import to_root
from inkscape_ext.engine.whole_drawing import whole_drawing


def boxes(root):
    """By path the corners of its box in root units."""
    found = {}
    for path in root.iter(SVG + "path"):
        numbers = [float(n) for n in path.get("d").replace("M", " ").replace("L", " ").replace("C", " ").replace(
            "z", " ").replace("Z", " ").replace(",", " ").split()]
        matrix = Transform(to_root(path))
        points = [tuple(matrix.apply_to_point(p)) for p in zip(numbers[::2], numbers[1::2], strict=True)]
        found[path.get("id")] = np.array([np.min(points, 0), np.max(points, 0)])
    return found


def alone(svg):
    return inkex.load_svg(whole_drawing(svg, all_drawings(svg)[0])).getroot()


def test_a_drawing_alone_lies_on_its_pictures_canvas():
    root = alone(painted())
    assert root.get("viewBox") == "0 0 80 40"
    assert boxes(root)["gv1-s1"] == pytest.approx(np.array([(0, 0), (80, 40)]), abs=0.01)
    assert not list(root.iter(SVG + "image"))
    assert {gradient.get("id") for gradient in root.iter(SVG + "linearGradient")}


def test_what_was_turned_and_scaled_with_its_picture_comes_out_straight():
    svg = painted(f'<g id="around" transform="rotate(30) scale(3) translate(7 5)">{PICTURE}</g>')
    assert boxes(alone(svg))["gv1-s1"] == pytest.approx(np.array([(0, 0), (80, 40)]), abs=0.02)


def test_where_the_canvas_is_not_known_strokes_are_the_canvas():
    svg = painted()
    holder = all_drawings(svg)[0].holder
    for name in list(holder.attrib):
        if name.endswith("}frame"):
            del holder.attrib[name]
    root = alone(svg)
    width, height = (float(n) for n in root.get("viewBox").split()[2:])
    every = np.array(list(boxes(root).values()))
    assert every[:, 0].min(0) == pytest.approx((0, 0), abs=0.01)
    assert every[:, 1].max(0) == pytest.approx((width, height), abs=0.01)


def test_the_artists_changes_come_along():
    svg = painted()
    layer = all_drawings(svg)[0].layer
    layer.set("style", "opacity:0.5")
    find(svg, "gv1-s2").set("style", "fill:#123456")
    root = alone(svg)
    assert find(root, layer.get("id")).get("style") == "opacity:0.5"
    assert find(root, "gv1-s2").get("style") == "fill:#123456"


@pytest.mark.parametrize(("ending", "loop"), [("gif", True), ("mp4", False)])
def test_a_time_lapse_is_written_and_the_document_stays(editing, tmp_path, ending, loop):
    after, said = editing.run("animate", painted(), "--id=gv1-s1", f"--host_file={tmp_path}/lapse.{ending}",
                              "--host_seconds=3", "--host_by=layer", "--host_size=640")
    assert (after, said) == (None, "")
    assert (tmp_path / f"lapse.{ending}").read_bytes() == b"what the engine made"
    asked = editing.asked()
    assert asked["kind"] == "animate"
    assert asked["info"] == {"name": "Gradvec: photo.png", "ending": f".{ending}", "by": "layer", "seconds": 3.0,
                             "hold": 2.0, "easing": "in", "reverse": False, "loop": loop, "size": 640}
    assert asked["svg"].get("viewBox") == "0 0 80 40"
    assert sorted(tmp_path.iterdir()) == [tmp_path / f"lapse.{ending}"]


def test_an_export_is_written_and_what_it_cannot_show_is_said(editing, tmp_path):
    (tmp_path / "old.svg").write_bytes(b"old")
    after, said = editing.run("export", painted(), f"--host_file={tmp_path}/old.svg", "--host_what=cut",
                              "--host_colors=4", "--host_width=90")
    assert after is None
    assert "The still editor says something." in said
    assert (tmp_path / "old.svg").read_bytes() == b"what the engine made"
    assert editing.asked()["info"] == {"name": "Gradvec: photo.png", "ending": ".svg", "profile": "cut",
                                       "width_mm": 90.0, "dpi": 300, "colors": 4, "hair_mm": 0.3, "pen_mm": 0.4}


def test_a_relative_name_lies_beside_the_document(editing, tmp_path):
    _after, said = editing.run("animate", painted(), "--host_file=lapse.svg", DOCUMENT_PATH=f"{tmp_path}/document.svg")
    assert said == ""
    assert (tmp_path / "lapse.svg").exists()


@pytest.mark.parametrize(("command", "words", "says"), [
    ("animate", ["--host_file="], "No file is named"),
    ("animate", ["--host_file=/tmp/a.avi"], "ends with none of .mp4"),
    ("export", ["--host_file=/tmp/a.pdf", "--host_what=plot"], "ends with none of .svg"),
    ("export", ["--host_file=/nowhere/at/all/a.pdf"], "cannot be written"),
    ("animate", ["--host_file=/tmp/a.svg", "--id=a2"], "no strokes that gradvec has painted")])
def test_what_cannot_be_written_is_said(editing, command, words, says):
    after, said = editing.run(command, painted(PICTURE + '<rect id="a2" width="3" height="3"/>'), *words)
    assert after is None
    assert says in said


def test_a_file_takes_one_drawing(editing, tmp_path):


    svg = painted()
    new = layers.NewDrawing(pictures.selected(svg, ["a"])[0], "b", (40, 20), DRAWING)
    layers.Placer(svg, layers.Wishes()).place(new)
    assert len(chosen_drawings(svg, ["a"])) == 2
    _after, said = editing.run("animate", svg, "--id=a", f"--host_file={tmp_path}/lapse.svg")
    assert "holds 2 drawings" in said
