"""What is next to nothing but length does not leave a refinement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gradvec.geometry.cubics import flatten
from gradvec.geometry.sizes import HAIR
from gradvec.geometry.sizes import compactness as compactness_of
from gradvec.model import LinearGradient, Outline, Shape, Stop, Target
from gradvec.optimize.freeing import without_hairs
from gradvec.options import Options
from gradvec.progress import Run
from gradvec.settings import refine_settings
from gradvec.stages.refine import refine_layers


def ellipse(x: float, y: float, a: float, b: float, segments: int = 8) -> np.ndarray:
    """A closed loop of cubics, half axes ``a`` and ``b`` px, on an ellipse to within 1e-4 of its size."""
    angle = 2 * np.pi * np.arange(segments) / segments
    reach = 4 / 3 * np.tan(np.pi / segments / 2)
    on, along = (np.stack(pair, 1) for pair in ((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    end, back = np.roll(on, -1, 0), np.roll(along, -1, 0)
    return np.stack([on, on + reach * along, end - reach * back], 1).reshape(-1, 2) * (a, b) + (x, y)


def compactness(loop: np.ndarray) -> float:
    return compactness_of([flatten(loop, 16)])


def shape(n: int, *loops: np.ndarray, color: tuple[float, float, float] = (0.1, 0.2, 0.6)) -> Shape:
    return Shape(Outline(loops), LinearGradient(0, 0, 60, 40, (Stop(0.0, color), Stop(1.0, color))), id=str(n))


@pytest.mark.parametrize(("a", "b"), [(10.0, 10.0), (20.0, 5.0), (30.0, 1.0)])
def test_compactness_is_that_of_the_ellipse(a: float, b: float) -> None:
    """Ramanujan's length of an ellipse."""
    length = np.pi * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b)))
    assert compactness(ellipse(40, 30, a, b)) == pytest.approx(4 * np.pi**2 * a * b / length**2, rel=0.01)


def test_hairs_go_and_the_rest_stays() -> None:
    round_one, long_one, hair = ellipse(30, 20, 9, 9), ellipse(30, 20, 20, 2), ellipse(30, 20, 25, 0.1)
    assert compactness(hair) < HAIR < compactness(long_one)
    left = without_hairs([shape(0, round_one), shape(1, hair), shape(2, round_one, hair), shape(3, long_one)])
    assert [s.id for s in left] == ["0", "2", "3"]
    assert [len(s.outline.loops) for s in left] == [1, 1, 1]
    only = [shape(0, hair)]
    assert without_hairs(only) is only


@pytest.mark.parametrize("angle", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("turned", [False, True])
def test_a_thin_line_becomes_wide_enough_and_stays_where_it_is(angle: float, turned: bool) -> None:
    """As wide as compactness asks for, which grows with the width: .031 before."""
    c, s = np.cos(angle), np.sin(angle)
    line = ellipse(0, 0, 40, 0.5) @ np.array([[c, s], [-s, c]]) + (60, 60)
    line = np.roll(line[::-1], 1, 0) if turned else line
    assert 0.03 < compactness(line) < HAIR
    (left,) = without_hairs([shape(0, line)])
    (wider,) = left.outline.loops
    assert HAIR <= compactness(wider) < 1.1 * HAIR
    np.testing.assert_allclose(wider.mean(0), (60, 60), atol=0.3)
    assert np.ptp(wider @ (c, s)) == pytest.approx(np.ptp(line @ (c, s)), abs=1.0)
    assert np.ptp(wider @ (-s, c)) == pytest.approx(1.0 * HAIR / compactness(line), rel=0.15)


def test_a_refinement_ends_without_hairs_unless_they_may_stay() -> None:
    """Threads of half a px, on a picture that has such threads."""
    rng = np.random.default_rng(3)
    rgb = np.full((60, 90, 3), 0.9, np.float32)
    rgb[::9] = 0.2
    shapes = [shape(n, ellipse(45, y + 0.5, 40, 0.4)) for n, y in enumerate(range(0, 60, 9))]
    shapes += [shape(9, ellipse(*rng.uniform(20, 40, 2), 12, 9), color=(0.9, 0.9, 0.9))]
    settings = refine_settings(Options(fidelity=1.0))
    settings = replace(settings, plan=replace(settings.plan, steps=12, reseeds=0), settle=4)
    target = Target(rgb, np.ones((60, 90), np.float32), (90, 60))
    for hairs in (True, False):
        done, layer, report = refine_layers(shapes, [0] * len(shapes), target, (0.9, 0.9, 0.9),
                                            replace(settings, hairs=hairs), Run())
        least = min(compactness(loop) for s in done for loop in s.outline.loops)
        assert (least < HAIR) == hairs
        assert len(layer) == len(done) == len(shapes) - report.dropped


def test_threads_of_artists_and_of_brushes_stay() -> None:
    assert refine_settings(Options(fidelity=0.5), traced=True).hairs
    assert refine_settings(Options(fidelity=0.0)).hairs
    assert not refine_settings(Options(fidelity=0.5)).hairs


def test_painted_outlines_that_leave_their_brush_move_further_a_step() -> None:
    free, kept, traced = (refine_settings(Options(fidelity=fidelity), traced=from_pictures).plan.stride
                          for fidelity, from_pictures in ((0.5, False), (0.2, False), (0.5, True)))
    assert free > kept == traced == 1.0
