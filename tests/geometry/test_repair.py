"""Crossings counted on known curves; repair that always ends without any."""

import numpy as np
import pytest
from gradvec.geometry import repair
from gradvec.geometry.cubics import flatten
from gradvec.geometry.repair import clean, crossings
from gradvec.geometry.trace import shoelace
from outline_shapes import apart, blob, coverage, ellipse, outline, overlap, polygon

EIGHT = polygon((0, 0), (40, 30), (40, 0), (0, 30))
SMOOTH_EIGHT = np.array([[40, 30], [50, 40], [70, 45], [70, 30], [70, 15], [50, 20],
                         [40, 30], [30, 40], [10, 45], [10, 30], [10, 15], [30, 20]], float)


@pytest.mark.parametrize(("loops", "expected"), [
    ([ellipse(40, 40, 20)], 0),
    ([blob(1)], 0),
    ([EIGHT], 1),
    ([SMOOTH_EIGHT], 1),
    ([polygon(*[(40 + 30 * np.cos(a), 40 + 30 * np.sin(a)) for a in np.arange(5) * 4 * np.pi / 5])], 5),
    ([ellipse(40, 40, 20), ellipse(60, 40, 20)], 2),
    ([ellipse(40, 40, 20), ellipse(40, 40, 10)], 0),
    ([ellipse(20, 40, 10), ellipse(60, 40, 10)], 0),
    ([], 0),
])
def test_crossings_are_counted(loops, expected):
    assert crossings(outline(*loops)) == expected


def test_a_crossing_on_corners_is_one_crossing():
    # Both lines have a corner in the very point where they cross.
    assert crossings(outline(polygon((0, 0), (20, 20), (40, 40), (40, 0), (20, 20), (0, 40)))) == 1


@pytest.mark.parametrize("noise", [0.0, 0.5, 4.0])
def test_the_way_of_those_that_need_no_repair_is_only_shorter(noise, monkeypatch):
    """Loops of both directions, specks, points, handles far out, and such as cross themselves."""
    rng = np.random.default_rng(4)
    shapes = [outline((blob(k) + rng.normal(0, noise, blob(k).shape)).astype(kind)[::way]) for k in range(12)
              for kind in (np.float32, np.float64) for way in (1, -1)]
    far, point = ellipse(40, 40, 20), ellipse(40, 40, 20)
    far[1] += 200
    point[0:4] = point[0]
    shapes += [outline(loop) for loop in (far, point, ellipse(40, 40, 0.5), far * np.nan, far[:3])]
    short = [clean(shape) for shape in shapes]
    taken = []
    monkeypatch.setattr(repair, "rounded_as_it_is", lambda *args: (taken.append(args), (False, None))[1])
    for one, shape in zip(short, shapes, strict=True):
        other = clean(shape)
        assert (one is None) == (other is None)
        if one is not None:
            assert [loop.tolist() for loop in one.loops] == [loop.tolist() for loop in other.loops]
    assert len(taken) == len(shapes)


def test_a_clean_outline_stays_as_it_is():
    shape = outline(np.round(blob(4), 2))
    again = clean(shape)
    np.testing.assert_array_equal(again.loops[0], shape.loops[0])


def test_outer_loops_turn_clockwise_and_holes_the_other_way():
    ring = outline(ellipse(40, 40, 30, hole=True), ellipse(40, 40, 15), ellipse(40, 40, 5, hole=True))
    cleaned = clean(ring)
    assert [np.sign(shoelace(flatten(loop))) for loop in cleaned.loops] == [1, -1, 1]
    np.testing.assert_allclose(coverage(cleaned, 80, 80), coverage(ring, 80, 80), atol=0.02)


def test_a_loop_that_covers_nothing_new_is_dropped():
    assert len(clean(outline(ellipse(40, 40, 30), ellipse(40, 40, 10))).loops) == 1


def test_both_halves_of_an_eight_stay():
    for eight in (EIGHT + 20, SMOOTH_EIGHT):
        cleaned = clean(outline(eight))
        assert len(cleaned.loops) == 2
        assert crossings(cleaned) == 0
        assert overlap(cleaned, outline(eight)) > 0.97


def test_parts_joined_by_a_neck_that_has_crossed_itself_away_stay():
    """Its sides cross on either side of the middle: both parts run the same way round, unlike those of an eight."""
    joined = polygon((10, 10), (40, 10), (40, 28), (60, 32), (80, 28), (80, 10), (110, 10), (110, 50), (80, 50),
                     (80, 32), (60, 28), (40, 32), (40, 50), (10, 50))
    assert crossings(outline(joined)) == 2
    cleaned = clean(outline(joined))
    assert len(cleaned.loops) == 2
    assert crossings(cleaned) == 0
    assert overlap(cleaned, outline(joined)) > 0.95
    within = clean(outline(joined), most=14)
    assert within.segments <= 14
    assert overlap(within, outline(joined)) > 0.95


def test_a_curl_on_the_way_is_cut_off():
    curly = polygon((10, 10), (60, 10), (60, 60), (10, 60))
    # The upper edge makes a small loop in the middle.
    curly[1:3] = [[100, 2], [-30, 2]]
    start = outline(curly)
    assert crossings(start) == 1
    cleaned = clean(start)
    assert crossings(cleaned) == 0
    assert cleaned.segments <= 4
    assert overlap(cleaned, start) > 0.9


def test_neighbouring_segments_that_cross_lose_the_flap():
    flap = polygon((10, 10), (60, 10), (60, 60), (10, 60))
    flap[3], flap[2], flap[4] = [60, 10], [66, 14], [52, 4]
    flap = outline(flap)
    assert crossings(flap) > 0
    cleaned = clean(flap)
    assert crossings(cleaned) == 0
    assert cleaned.segments <= 4
    assert overlap(cleaned, flap) > 0.97


@pytest.mark.parametrize("segments", [2, 3, 5, 9, 16])
def test_whatever_comes_in_nothing_crosses_in_the_end(segments):
    rng = np.random.default_rng(segments)
    left = 0
    for _ in range(30):
        loops = [rng.uniform(0, 60, (3 * segments, 2)) for _ in range(rng.integers(1, 3))]
        most = int(rng.integers(3, 20))
        cleaned = clean(outline(*loops), most=most)
        if cleaned is not None:
            left += 1
            assert crossings(cleaned) == 0
            assert cleaned.segments <= most
            # What a file holds is what was checked.
            assert crossings(outline(*(np.round(loop, 2) for loop in cleaned.loops))) == 0
    assert left >= 20


@pytest.mark.parametrize("seed", range(10))
def test_a_slightly_tangled_outline_keeps_its_shape(seed):
    rng = np.random.default_rng(seed)
    tangled = outline(blob(seed, segments=12) + rng.normal(size=(36, 2)) * 2.5)
    cleaned = clean(tangled)
    assert crossings(cleaned) == 0
    assert overlap(cleaned, tangled) > 0.93


def test_specks_and_degenerate_loops_are_dropped():
    assert clean(outline(ellipse(40, 40, 0.9))) is None
    assert clean(outline(ellipse(40, 40, 1.5))) is not None
    assert clean(outline(ellipse(40, 40, 0.9)), min_size_px=1.0) is not None
    assert clean(outline(polygon((0, 0), (30, 0), (60, 0)))) is None
    assert clean(outline(np.full((12, 2), 7.0))) is None
    assert clean(outline(np.full((12, 2), np.nan))) is None
    assert clean(outline()) is None
    assert len(clean(outline(ellipse(40, 40, 20), ellipse(70, 70, 0.8))).loops) == 1


def test_doubled_points_vanish():
    square = polygon((10, 10), (40, 10), (40, 40), (10, 40))
    doubled = np.concatenate([square[:3], np.repeat(square[3:4], 3, axis=0), square[3:]])
    cleaned = clean(outline(doubled))
    assert cleaned.segments == 4
    assert apart(cleaned, outline(square)) < 0.01


def test_handles_are_kept_sane():
    wild = polygon((10, 10), (40, 10), (40, 40), (10, 40))
    wild[1] = [10, -900]
    cleaned = clean(outline(wild))
    assert cleaned.bounds()[1] > -120
