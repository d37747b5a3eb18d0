"""Lines in files: written as strokes that Inkscape knows, read back, shown as our own engine says."""

import numpy as np
import pytest
from gradvec.io import svg
from gradvec.io.svg.path import line_data, line_node_types, parse_lines
from gradvec.model import Document, Layer, Line, Outline, Shape, SolidColor
from gradvec.render.predict import predict
from gradvec.tools.render_svg import render_svg
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

BEND = np.array([[8, 40], [14, 10], [30, 8], [34, 30], [38, 52], [50, 50], [56, 20.0]])
STRAIGHT = np.array([[6, 6], [10, 10], [14, 14], [18, 18.0]])
SQUARE = np.array([[0, 0], [20, 0], [40, 0], [60, 0], [60, 20], [60, 40], [60, 60], [40, 60], [20, 60], [0, 60],
                   [0, 40], [0, 20.0]]) + 2


def drawing():
    ground = Shape(Outline((SQUARE,)), SolidColor((0.9, 0.8, 0.6)), id="ground")
    lines = (Line(BEND, (0.2, 0.4, 0.6), 4.25, 0.6, level=1, id="a", label="first"),
             Line(STRAIGHT, (0.8, 0.0, 0.2), 3.0, cap="butt", id="b"))
    return Document(64, 64, (Layer("paper", (ground,), "paper"), Layer("pen", (), "pen", lines)))


def test_a_line_is_a_stroke_without_a_fill():
    paths = {p.get("id"): p for p in etree.fromstring(svg.write(drawing())).iter("{*}path")}
    line = paths["a"]
    assert (line.get("fill"), line.get("stroke"), line.get("stroke-width")) == ("none", "#336699", "4.25")
    assert (line.get("stroke-linecap"), line.get("stroke-linejoin"), line.get("stroke-opacity")) == (
        "round", "round", "0.6")
    assert line.get("d") == "M8 40C14 10 30 8 34 30 38 52 50 50 56 20"
    assert line.get("{http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd}nodetypes") == "csc"


@pytest.mark.parametrize("relative", [False, True])
def test_what_is_written_is_read_back(relative):
    data = svg.write(drawing(), relative)
    back = svg.read(data)
    assert [(layer.name, layer.key, len(layer.shapes), len(layer.lines)) for layer in back.layers] == [
        ("paper", "paper", 1, 0), ("pen", "pen", 0, 2)]
    for got, put in zip(back.lines, drawing().lines, strict=True):
        assert np.abs(got.points - put.points).max() < 0.006
        assert (got.width, got.opacity, got.cap, got.level, got.id, got.label) == (
            put.width, put.opacity, put.cap, put.level, put.id, put.label)
        assert got.color == pytest.approx(put.color, abs=1 / 500)
    assert svg.write(back, relative) == data


def test_viewers_show_what_our_engine_says():
    shown = render_svg(svg.write(drawing()), 64, 64).astype(float) / 255
    assert np.sqrt(np.square(shown - predict(drawing())).mean()) < 0.012
    assert np.abs(shown - predict(drawing())).max() < 0.15


@pytest.mark.parametrize("relative", [False, True])
@given(st.lists(st.tuples(*[st.floats(-5000, 5000)] * 6), min_size=1, max_size=6),
       st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)))
def test_reading_a_line_is_the_inverse_of_writing_it(relative, segments, start):
    points = np.concatenate([[start], np.array(segments).reshape(-1, 2)])
    (back,) = parse_lines(line_data(points, relative))
    assert np.abs(back - points).max() <= 0.005 + 1e-9
    assert len(line_node_types(points)) == len(segments) + 1


def test_a_drawing_is_as_large_as_it_fits_on_a_page():
    """210 x 297 mm hold a square of 210 mm; a wide drawing is as wide as the page. Coordinates stay what they are."""
    plain = etree.fromstring(svg.write(drawing()))
    on_page = etree.fromstring(svg.write(drawing(), page_mm=(210, 297)))
    assert (plain.get("width"), on_page.get("width"), on_page.get("height")) == ("64", "210mm", "210mm")
    assert plain.get("viewBox") == on_page.get("viewBox")
    assert [p.get("d") for p in plain.iter("{*}path")] == [p.get("d") for p in on_page.iter("{*}path")]
    wide = etree.fromstring(svg.write(Document(300, 100, ()), page_mm=(210, 297)))
    assert (wide.get("width"), wide.get("height")) == ("210mm", "70mm")
    read = svg.read(svg.write(drawing(), page_mm=(100, 50)))
    assert (read.width, read.height, read.layers[1].lines[0].width) == (64, 64, 4.25)


@pytest.mark.parametrize(("d", "ends"), [
    ("M1 2L5 2", [(1, 2, 5, 2)]), ("m1 2h4v3", [(1, 2, 5, 5)]), ("M1 2L5 2L5 6Z", [(1, 2, 1, 2)]),
    ("M1 2L5 2M3 3", [(1, 2, 5, 2)]), ("M1 2L5 2M3 3c1 0 2 0 3 3", [(1, 2, 5, 2), (3, 3, 6, 6)]),
    ("M1 2L5 2zL9 9", [(1, 2, 1, 2), (1, 2, 9, 9)]), ("M4 4", [])])
def test_parts_of_a_path_as_lines(d, ends):
    assert [(*curve[0], *curve[-1]) for curve in parse_lines(d)] == ends


def test_lines_of_other_programs_come_with_their_place_and_width():
    data = (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><g transform="scale(2)" fill="none">'
            b'<path d="M2 3L12 3" style="stroke:#ff0000;stroke-width:1.5;stroke-opacity:.5" opacity=".5"/>'
            b'<path d="M2 3L12 3"/></g><path d="M2 3L12 3L12 9z" stroke="#000"/></svg>')
    document = svg.read(data)
    (line,) = document.lines
    assert (line.points[0].tolist(), line.points[-1].tolist()) == ([4, 6], [24, 6])
    assert (line.width, line.opacity, line.cap, line.color) == (pytest.approx(3.0), 0.25, "butt", (1.0, 0.0, 0.0))
    assert len(document.shapes) == 1, "what is filled stays a shape, with its rim"


def test_a_shape_above_a_line_stays_above_it():
    data = (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path d="M2 32L62 32" fill="none" '
            b'stroke="#000" stroke-width="9"/><path d="M16 16H48V48H16z" fill="#fff"/></svg>')
    assert np.abs(predict(svg.read(data)) - render_svg(data, 64, 64) / 255).max() < 0.15
