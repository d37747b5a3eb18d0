import math
import random

import pytest
from inkex import Transform
from lxml import etree

from inkscape_ext.document import transform

SVG = "http://www.w3.org/2000/svg"
MATRICES = [(2, 0, 0, 2, 5, 7), (0.26, 0, 0, 0.26, 0, 0), (2, 0, 0, 0.5, 1, 1), (0, 3, -3, 0, 10, 0),
            (-1, 0, 0, 1, 40, 0), (1, 0.4, -0.3, 0.8, 3, 9), (0.001, 0, 0.0005, 0.002, 0, 0)]


def root(body: str):
    return etree.fromstring(f'<svg xmlns="{SVG}" viewBox="0 0 80 40">{body}</svg>')


def linear(gradient, x: float, y: float) -> float:
    """Where (x, y) lies along a linear gradient, unclamped; gradientTransform must not be there."""
    assert gradient.get("gradientTransform") is None
    x1, y1, x2, y2 = (float(gradient.get(name)) for name in ("x1", "y1", "x2", "y2"))
    dx, dy = x2 - x1, y2 - y1
    return ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy)


@pytest.mark.parametrize("numbers", MATRICES)
def test_every_point_of_a_path_is_moved(numbers):
    matrix = Transform(numbers)
    data = transform.path_data("M1 2L3.5,4C5-6 .7 8 9e0 10ZM0 0L1 1Z", matrix, 6)
    points = [(1, 2), (3.5, 4), (5, -6), (0.7, 8), (9, 10), (0, 0), (1, 1)]
    words = data.replace("M", " M ").replace("L", " L ").replace("C", " C ").replace("Z", " Z ").split()
    assert [word for word in words if word.isalpha()] == list("MLCZMLZ")
    numbers_found = [float(word) for word in words if not word.isalpha()]
    expected = [value for point in points for value in matrix.apply_to_point(point)]
    assert numbers_found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("numbers", MATRICES)
def test_a_linear_gradient_keeps_its_colours_under_any_affine_map(numbers):
    matrix = Transform(numbers)
    tree = root('<defs><linearGradient gradientUnits="userSpaceOnUse" x1="10" y1="5" x2="60" y2="30"/></defs>')
    gradient = tree[0][0]
    before = etree.fromstring(etree.tostring(gradient))
    transform.apply(tree, matrix)
    places = random.Random(1)
    for _trial in range(20):
        point = places.uniform(0, 80), places.uniform(0, 40)
        moved = matrix.apply_to_point(point)
        assert linear(gradient, *moved) == pytest.approx(linear(before, *point), abs=2e-3)


def test_a_gradient_without_length_stays_one():
    tree = root('<linearGradient gradientUnits="userSpaceOnUse" x1="10" y1="5" x2="10" y2="5"/>')
    transform.apply(tree, Transform("scale(2)"))
    assert [tree[0].get(name) for name in ("x1", "y1", "x2", "y2")] == ["20", "10", "20", "10"]


@pytest.mark.parametrize("numbers", MATRICES)
def test_a_radial_gradient_keeps_its_colours(numbers):
    matrix = Transform(numbers)
    tree = root('<radialGradient gradientUnits="userSpaceOnUse" cx="30" cy="20" r="10" fx="31" fy="22"/>')
    transform.apply(tree, matrix)
    gradient = tree[0]
    shown = Transform(gradient.get("gradientTransform"))
    even = gradient.get("gradientTransform") is None
    assert even == (numbers in MATRICES[:2] + MATRICES[3:5])
    centre = shown.apply_to_point((float(gradient.get("cx")), float(gradient.get("cy"))))
    assert tuple(centre) == pytest.approx(tuple(matrix.apply_to_point((30, 20))), abs=1e-2 * abs(matrix.a or 1))
    radius = float(gradient.get("r"))
    for angle in (0, 1, 2, 3):
        rim = matrix.apply_to_point((30 + 10 * math.cos(angle), 20 + 10 * math.sin(angle)))
        back = (-shown).apply_to_point(rim)
        distance = math.hypot(back[0] - float(gradient.get("cx")), back[1] - float(gradient.get("cy")))
        assert distance == pytest.approx(radius, rel=1e-3)


def test_stop_lists_that_others_refer_to_are_left_alone():
    tree = root('<linearGradient id="s"><stop/></linearGradient>')
    before = etree.tostring(tree)
    transform.apply(tree, Transform("scale(3)"))
    assert etree.tostring(tree) == before


@pytest.mark.parametrize(("scale", "places"), [(1, 2), (2, 2), (10, 1), (100, 0), (0.26, 3), (0.05, 4), (0.001, 5)])
def test_coordinates_keep_a_hundredth_of_a_canvas_pixel(scale, places):
    assert transform.decimals(Transform(scale=scale)) == places


@pytest.mark.parametrize(("body", "plain"), [
    ('<g><path d="M0 0L1 1C1 1 2 2 3 3Z"/></g>', True),
    ('<metadata><x xmlns="y"/></metadata><defs><rect/></defs>', True),
    ('<path d="m0 0l1 1z"/>', False), ('<path d="M0 0A1 1 0 0 0 1 1Z"/>', False), ('<rect/>', False),
    ('<g transform="scale(2)"/>', False), ('<path d="M0 0" stroke="red"/>', False)])
def test_only_plain_drawings_are_rewritten(body, plain):
    assert transform.can_apply(root(body)) is plain


def test_numbers_are_short():
    assert [transform.number(v, 3) for v in (1.0, 0.5, -0.0001, 10.0, 100, 1.23456)] == [
        "1", "0.5", "0", "10", "100", "1.235"]


@pytest.mark.parametrize("numbers", MATRICES)
def test_rims_filters_and_masks_grow_with_the_drawing(numbers):
    matrix = Transform(numbers)
    tree = root('<defs><filter id="f" filterUnits="userSpaceOnUse" x="0" y="0" width="80" height="40">'
                '<feTurbulence baseFrequency="0.2 0.1"/><feOffset dx="2" dy="2"/><feGaussianBlur stdDeviation="3"/>'
                '<feDisplacementMap scale="4"/></filter><mask id="m" maskUnits="userSpaceOnUse" x="0" y="0" width="80" '
                'height="40"><path d="M0 0L80 0L80 40Z"/></mask></defs>'
                '<g filter="url(#f)" mask="url(#m)"><path d="M1 1L5 1L5 5Z" stroke="#123456" stroke-width="1.5"/></g>')
    assert transform.can_apply(tree)
    transform.apply(tree, matrix)
    a, b, c, d, _e, _f = matrix.to_hexad()
    size = math.sqrt(abs(a * d - b * c))
    fine = transform.decimals(matrix)
    (stroke,) = [e for e in tree.iter(f"{{{SVG}}}path") if e.get("stroke")]
    assert float(stroke.get("stroke-width")) == pytest.approx(1.5 * size, abs=10**-fine)
    turbulence, offset, blur, displacement = tree[0][0]
    waves = [float(v) for v in turbulence.get("baseFrequency").split()]
    assert waves == pytest.approx([0.2 / size, 0.1 / size], rel=1e-4)
    lengths = [float(v) for v in (offset.get("dx"), blur.get("stdDeviation"), displacement.get("scale"))]
    assert lengths == pytest.approx([2 * size, 3 * size, 4 * size], rel=1e-4)
    corners = [matrix.apply_to_point(p) for p in ((0, 0), (80, 0), (80, 40), (0, 40))]
    for region in (tree[0][0], tree[0][1]):
        x, y, width, height = (float(region.get(name)) for name in ("x", "y", "width", "height"))
        assert [x, y] == pytest.approx([min(p[k] for p in corners) for k in (0, 1)], abs=10**-fine)
        far = [max(p[k] for p in corners) for k in (0, 1)]
        assert [x + width, y + height] == pytest.approx(far, abs=2 * 10**-fine)
    data = tree[0][1][0].get("d").replace("M", " ").replace("L", " ").replace("Z", "").split()
    assert [float(v) for v in data] == pytest.approx([v for p in corners[:3] for v in p], abs=10**-fine)


def test_a_line_without_a_width_is_left_under_a_scale():
    assert not transform.can_apply(root('<path d="M0 0L1 1Z" stroke="#123456"/>'))
