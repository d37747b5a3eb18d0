import pytest
from documents import load

from inkscape_ext.document import placement

SIZE = (40, 20)


def fit(attributes: str, size=SIZE, root: str = 'width="400" height="400" viewBox="0 0 400 400"'):
    svg = load(f'<image id="x" {attributes}/>', root)
    return placement.fit_picture(svg.getElementById("x"), size)


def box(found) -> tuple:
    return found.x, found.y, found.width, found.height


@pytest.mark.parametrize(("text", "expected"), [
    ("12", 12), (" 1.5px ", 1.5), ("-.5e1", -5), ("1in", 96), ("25.4mm", 96), ("2.54cm", 96), ("72pt", 96), ("6pc", 96),
    ("101.6q", 96), ("50%", 100), ("2em", 32), ("12MM", 12 * 96 / 25.4), ("", None), (None, None), ("auto", None),
    ("wide", None), ("3furlongs", None)])
def test_lengths(text, expected):
    found = placement.length(text, 200)
    assert found is None if expected is None else found == pytest.approx(expected)


# The numbers are those that Inkscape 1.2.2 draws (inkscape --query-all).
@pytest.mark.parametrize(("attributes", "expected"), [
    ('', (0, 0, 40, 20)),
    ('x="5" y="6"', (5, 6, 40, 20)),
    ('x="10mm" y="100mm" width="20mm" height="10mm"', (37.795, 377.953, 75.591, 37.795)),
    ('x="50%" y="50%" width="25%" height="10%" preserveAspectRatio="none"', (200, 200, 100, 40)),
    ('width="100" height="100"', (0, 25, 100, 50)),
    ('width="100"', (30, 0, 40, 20)),
    ('height="100"', (0, 40, 40, 20)),
    ('width="100" height="100" preserveAspectRatio="xMinYMin"', (0, 0, 100, 50)),
    ('width="100" height="100" preserveAspectRatio="xMaxYMax meet"', (0, 50, 100, 50)),
    ('width="100" height="10" preserveAspectRatio="xMinYMid"', (0, 0, 20, 10)),
    ('width="100" height="10" preserveAspectRatio="xMaxYMid"', (80, 0, 20, 10)),
    ('width="100" height="100" preserveAspectRatio="none"', (0, 0, 100, 100)),
    ('width="100" height="100" preserveAspectRatio="xMidYMid slice"', (-50, 0, 200, 100)),
    ('width="100" height="100" preserveAspectRatio="xMinYMid slice"', (0, 0, 200, 100)),
    ('width="100" height="100" preserveAspectRatio="defer xMaxYMid slice"', (-100, 0, 200, 100)),
    ('width="100" height="100" preserveAspectRatio="nonsense"', (0, 25, 100, 50)),
])
def test_where_the_picture_lies(attributes, expected):
    assert box(fit(attributes).picture) == pytest.approx(expected, abs=1e-3)


def test_percentages_refer_to_the_nearest_viewport():
    svg = load('<svg x="1" width="50%" height="15"><image id="x" width="50%" height="50%"'
               ' preserveAspectRatio="none"/></svg>', 'width="100mm" height="50mm"')
    found = placement.fit_picture(svg.getElementById("x"), SIZE).picture
    assert box(found) == pytest.approx((0, 0, 50 * 96 / 25.4 / 2, 7.5))


def test_what_is_visible():
    sliced = fit('width="100" height="100" preserveAspectRatio="xMidYMid slice"')
    assert sliced.sliced
    assert box(sliced.visible) == pytest.approx((0, 0, 100, 100))
    met = fit('width="100" height="100"')
    assert not met.sliced
    assert box(met.visible) == pytest.approx((0, 25, 100, 50))


def test_the_canvas_is_stretched_over_the_picture():
    matrix = fit('x="5" y="6" width="100" height="100"').from_canvas(80, 41)
    assert tuple(matrix.apply_to_point((0, 0))) == pytest.approx((5, 31))
    assert tuple(matrix.apply_to_point((80, 41))) == pytest.approx((105, 81))


@pytest.mark.parametrize(("rule", "expected"), [
    ("", (0.5, 0, 0, 0.5, 200, 115)), ("none", (0.5, 0, 0, 0.8, 200, 100)),
    ("xMidYMid slice", (0.8, 0, 0, 0.8, 185, 100))])
def test_view_boxes(rule, expected):
    """A symbol with viewBox 0 0 100 100 that a clone shows at (200, 100) in 50 x 80, as Inkscape 1.2.2 draws it."""
    from inkex import Transform

    svg = load(f'<symbol id="s" viewBox="0 0 100 100" preserveAspectRatio="{rule}"/>')
    matrix = Transform(translate=(200, 100)) @ placement.view_box_transform(svg.getElementById("s"), 50, 80)
    assert tuple(matrix.to_hexad()) == pytest.approx(expected)
