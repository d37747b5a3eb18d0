"""Refinement: a shape that was pushed away comes back to what the patch shows."""

from itertools import pairwise

import numpy as np
import pytest
from gradvec.errors import Cancelled, EngineError
from gradvec.progress import Run
from gradvec.stages.outline.refine import _batches, refine
from outline_shapes import apart, blob, coverage, ellipse, outline, overlap, patch_of


def error(patch, shape):
    x, y = patch.offset
    moved = outline(*(loop - [x, y] for loop in shape.loops))
    h, w = patch.alpha.shape
    return float(np.square(coverage(moved, w, h) - patch.alpha).sum())


def test_pushed_outlines_come_back():
    rng = np.random.default_rng(0)
    shapes = [outline(blob(seed)) for seed in range(6)]
    patches = [patch_of(shape, offset=(seed, 2 * seed)) for seed, shape in enumerate(shapes)]
    placed = [outline(shape.loops[0] + p.offset) for shape, p in zip(shapes, patches, strict=True)]
    # Anchors and handles together, so that what was smooth stays smooth.
    pushed = [outline(shape.loops[0] + np.repeat(np.roll(rng.normal(size=(8, 2)), 1, axis=0), 3, axis=0).take(
        np.arange(1, 25) % 24, axis=0)) for shape in placed]
    refined = refine(patches, pushed, None, None, Run(), steps=80)
    for patch, before, after, truth in zip(patches, pushed, refined, placed, strict=True):
        assert error(patch, after) < 0.02 * error(patch, before)
        assert apart(after, truth) < 0.35


def test_one_batch_and_many_agree():
    patches = [patch_of(outline(blob(seed))) for seed in range(4)]
    starts = [outline(blob(seed, radius=21.0)) for seed in range(4)]
    together = refine(patches, starts, None, None, Run(), steps=15)
    alone = [refine([p], [s], None, None, Run(), steps=15)[0] for p, s in zip(patches, starts, strict=True)]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.loops[0], other.loops[0], atol=0.02)


def test_many_strokes_are_worked_in_batches():
    assert _batches([]) == []
    assert _batches([10, 20]) == [(0, 2)]
    batches = _batches([9000] * 1000)
    assert batches[0][0] == 0
    assert batches[-1][1] == 1000
    assert all(a[1] == b[0] for a, b in pairwise(batches))
    assert max(b - a for a, b in batches) * 9000 < 2_000_000


def test_a_large_stroke_is_refined_at_a_smaller_scale():
    truth = outline(ellipse(150, 150, 120, 90))
    patch = patch_of(truth, 300, 300)
    (refined,) = refine([patch], [outline(ellipse(152, 149, 116, 93))], None, None, Run(), steps=60)
    assert apart(refined, truth) < 1.5
    assert overlap(refined, truth, 300, 300) > 0.99


def test_what_does_not_show_pulls_less():
    patch = patch_of(outline(ellipse(40, 40, 25)))
    shown = (np.ones((80, 1)) * np.where(np.arange(80) < 40, 1.0, 1e-4)).astype(np.float32)
    (refined,) = refine([patch], [outline(ellipse(40, 40, 22))], [shown], None, Run(), steps=40)
    left, _, right, _ = refined.bounds()
    assert left == pytest.approx(15, abs=0.4)
    assert right < 64.0


def test_the_picture_border_holds_what_lies_on_it():
    truth = outline(np.concatenate([blob(1)]))
    patch = patch_of(truth)
    start = blob(1, radius=20.0)
    start[:, 0] = np.maximum(start[:, 0], 30.0)
    (refined,) = refine([patch], [outline(start)], None, (30.0, 0.0, 80.0, 80.0), Run(), steps=30)
    loop = refined.loops[0]
    assert loop[:, 0].min() == 30.0
    np.testing.assert_array_equal(loop[start[:, 0] == 30.0, 0], 30.0)
    assert overlap(refined, truth) > overlap(outline(start), truth)


def test_cancel_and_stop_and_keep():
    patches, starts = [patch_of(outline(blob(1)))], [outline(blob(1, radius=20.0))]
    cancelled, kept = Run(), Run()
    cancelled.token.cancel()
    with pytest.raises(Cancelled):
        refine(patches, starts, None, None, cancelled)
    kept.token.stop_and_keep()
    np.testing.assert_allclose(refine(patches, starts, None, None, kept)[0].loops[0], starts[0].loops[0], atol=1e-4)


def test_an_engine_that_is_not_there_is_an_error():
    with pytest.raises(EngineError):
        refine([patch_of(outline(blob(1)))], [outline(blob(1))], None, None, Run(), engine="no such engine")


def test_no_strokes_is_no_work():
    assert refine([], [], None, None, Run()) == []
