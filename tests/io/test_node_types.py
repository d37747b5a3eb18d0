"""Node types as Inkscape writes them: one letter a node, the first of a closed subpath twice."""

import numpy as np
from gradvec.io import svg
from gradvec.io.svg.path import node_types
from gradvec.model import Document, Layer, Outline, Shape, SolidColor

K = 4 / 3 * (2**0.5 - 1) * 10
CIRCLE = np.array([[10, 0], [10, K], [K, 10], [0, 10], [-K, 10], [-10, K], [-10, 0], [-10, -K], [-K, -10], [0, -10],
                   [K, -10], [10, -K]]) + 20.0


def test_a_circle_is_smooth_all_around():
    assert node_types(Outline((CIRCLE,))) == "sssss"


def test_a_drop_has_one_corner_and_each_loop_its_own_word():
    drop = CIRCLE.copy()
    drop[[-1, 1]] = [[25.0, 15.0], [25.0, 25.0]]
    assert node_types(Outline((drop, CIRCLE))) == "csssc" + "sssss"


def test_a_handle_that_lies_on_its_node_as_written_is_a_corner():
    short = CIRCLE.copy()
    short[1] = short[0] + (0.0, 0.004)
    assert node_types(Outline((short,))) == "csssc"


def test_types_follow_from_handles_and_not_from_what_a_file_says():
    shape = Shape(Outline((CIRCLE,)), SolidColor((0.2, 0.4, 0.6)), id="a")
    written = svg.write(Document(60, 60, (Layer("one", (shape,), "one"),)))
    assert written.count(b'nodetypes="sssss"') == 1
    moved = written.replace(b'nodetypes="sssss"', b'nodetypes="ccccc"')
    assert svg.write(svg.read(moved)).count(b'nodetypes="sssss"') == 1
