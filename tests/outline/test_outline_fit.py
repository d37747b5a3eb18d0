"""The whole stage: strokes in, outlines out, against shapes that are known."""

import numpy as np
import pytest
from gradvec.errors import Cancelled
from gradvec.geometry.repair import crossings
from gradvec.model import StrokePatch
from gradvec.progress import Run
from gradvec.stages import outline as stage
from gradvec.stages.outline import OutlineSettings
from gradvec.stages.outline.further_paths import most_paths
from gradvec.stages.outline.importance import importance
from outline_shapes import apart, blob, coverage, ellipse, outline, overlap, patch_of, polygon

SETTINGS = OutlineSettings(segments=12)


def fit(*patches, settings=SETTINGS, run=None):
    return stage.fit(list(patches), settings, run or Run())


@pytest.fixture(scope="module")
def frame():
    """A bare picture of 200 x 200 px: strokes laid inside it are not cut off by its border."""
    return StrokePatch(np.zeros((200, 200), np.float32), np.zeros((200, 200, 3), np.float32), (0, 0))


def test_known_outlines_come_back(frame):
    shapes = [outline(blob(seed)) for seed in range(4)] + [outline(ellipse(40, 40, 30, 12))]
    settings = OutlineSettings(segments=12, accuracy=0.05)
    fitted = fit(frame, *(patch_of(shape, offset=(50, 60)) for shape in shapes), settings=settings)
    assert fitted[0] == ()
    for (found,), shape in zip(fitted[1:], shapes, strict=True):
        truth = outline(shape.loops[0] + [50, 60])
        assert apart(found, truth) < 0.45
        assert overlap(found, truth, 200, 200) > 0.985


def test_a_square_keeps_its_corners(frame):
    square = polygon((60, 70), (110, 70), (110, 120), (60, 120))
    patch = patch_of(outline(square), 200, 200)
    _, (found,) = fit(frame, patch)
    assert found.segments == 4
    assert apart(found, outline(square)) < 0.6
    assert overlap(found, outline(square), 200, 200) > 0.99


def test_a_ring_has_its_hole_and_pieces_stay_together(frame):
    ring = outline(ellipse(40, 40, 30), ellipse(40, 40, 14, hole=True))
    pieces = outline(ellipse(22, 40, 16), ellipse(60, 40, 14))
    _, (one,), (two,) = fit(frame, patch_of(ring, offset=(60, 60)), patch_of(pieces, offset=(60, 60)))
    assert len(one.loops) == len(two.loops) == 2
    assert overlap(one, outline(*(loop + 60 for loop in ring.loops)), 200, 200) > 0.97
    assert overlap(two, outline(*(loop + 60 for loop in pieces.loops)), 200, 200) > 0.97
    filled = fit(frame, patch_of(ring, offset=(60, 60)), settings=OutlineSettings(segments=12, holes=False))[1][0]
    assert len(filled.loops) == 1


def test_a_line_of_one_pixel_is_kept_and_a_dot_is_not(frame):
    line = np.zeros((40, 60), np.float32)
    line[20, 10:50] = 1
    dot = np.zeros((40, 60), np.float32)
    dot[20, 30] = 1
    color = np.zeros((40, 60, 3), np.float32)
    _, (found,), nothing = fit(frame, StrokePatch(line, color, (50, 50)), StrokePatch(dot, color, (50, 50)))
    assert nothing == ()
    assert overlap(found, outline(polygon((60, 70), (100, 70), (100, 71), (60, 71))), 200, 200) > 0.8


def test_a_stroke_cut_off_by_the_picture_is_clean_at_its_border():
    disc = patch_of(outline(ellipse(5, 30, 22)), 60, 60)
    corner = patch_of(outline(ellipse(60, 60, 25)), 60, 60)
    fitted = fit(disc, corner)
    for (found,), patch in zip(fitted, (disc, corner), strict=True):
        points = np.concatenate(found.loops)
        assert points.min() >= 0.0
        assert points.max() <= 60.0
        cover = coverage(found, 60, 60)
        for side in (np.s_[:, 0], np.s_[:, -1], np.s_[-1, :]):
            full = patch.alpha[side] > 0.999
            assert cover[side][full].min(initial=1.0) > 0.95
            assert np.abs(cover[side] - patch.alpha[side]).mean() < 0.02


def test_a_faint_stroke_and_a_rough_one_do_not_cross_themselves(frame):
    rng = np.random.default_rng(0)
    rough = patch_of(outline(blob(2, segments=20, roughness=0.4)), offset=(50, 50))
    noisy = np.clip(rough.alpha - 0.8 * rng.random(rough.alpha.shape), 0, 1).astype(np.float32)
    faint = patch_of(outline(blob(3)), offset=(50, 50), opacity=0.2)
    _, (one,), (two,) = fit(frame, StrokePatch(noisy, rough.color, rough.offset), faint)
    assert crossings(one) == crossings(two) == 0
    assert one.segments <= 12
    assert overlap(two, outline(blob(3) + 50), 200, 200) > 0.97


def test_hidden_strokes_get_fewer_segments():
    shape = outline(blob(4, segments=20, roughness=0.12, radius=26))
    below = patch_of(shape, color=(0.1, 0.1, 0.9))
    above = patch_of(outline(ellipse(40, 40, 39.9)), color=(0.9, 0.8, 0.1))
    hidden = fit(below, above)[0][0].segments
    shown = fit(above, below)[1][0].segments
    assert hidden < shown


def test_importance_is_visibility_times_contrast():
    red, blue = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)
    half = polygon((40, -10), (90, -10), (90, 90), (40, 90))
    ground = patch_of(outline(polygon((-10, -10), (90, -10), (90, 90), (-10, 90))), color=red)
    same, other, cover = patch_of(outline(ellipse(20, 40, 15)), color=red), patch_of(
        outline(ellipse(40, 40, 15)), color=blue), patch_of(outline(half), color=blue)
    _, like, unlike, _ = importance([ground, same, other, cover])
    assert like[40, 20] < 0.05
    assert unlike[40, 30] > 0.9
    assert unlike[40, 50] < 0.05


def test_two_colours_become_two_paths(frame):
    patch = patch_of(outline(ellipse(40, 40, 30)), color=(0.2, 0.5, 0.2), offset=(60, 60))
    patch.color[30:50, 30:50] = (0.95, 0.9, 0.3)
    one = fit(frame, patch)[1]
    two = fit(frame, patch, settings=OutlineSettings(segments=12, paths=4))[1]
    assert len(one) == 1
    assert len(two) == 2
    assert overlap(two[1], outline(polygon((90, 90), (110, 90), (110, 110), (90, 110))), 200, 200) > 0.9


def test_a_gradient_stroke_needs_no_second_path(frame):
    patch = patch_of(outline(ellipse(40, 40, 30)), offset=(60, 60))
    patch.color[:] = np.linspace(0.2, 0.8, 80, dtype=np.float32)[None, :, None]
    assert len(fit(frame, patch, settings=OutlineSettings(segments=12, paths=4))[1]) == 1


def test_what_later_strokes_hide_needs_no_path(frame):
    patch = patch_of(outline(ellipse(40, 40, 30)), color=(0.2, 0.5, 0.2), offset=(60, 60))
    patch.color[30:50, 30:50] = (0.95, 0.9, 0.3)
    above = patch_of(outline(polygon((25, 25), (55, 25), (55, 55), (25, 55))), offset=(60, 60))
    several = OutlineSettings(segments=12, paths=4)
    assert len(fit(frame, patch, above, settings=several)[1]) == 1
    assert len(fit(frame, above, patch, settings=several)[2]) == 2


def test_flat_fills_need_paths_where_a_gradient_needs_none(frame):
    patch = patch_of(outline(ellipse(40, 40, 30)), offset=(60, 60))
    patch.color[:] = np.linspace(0.2, 0.8, 80, dtype=np.float32)[None, :, None]
    several = OutlineSettings(segments=12, paths=4, flat=True)
    assert len(fit(frame, patch, settings=several)[1]) > 2


def test_larger_strokes_may_become_more_paths():
    sizes = (40, 39, 20, 19, 8, 7)
    patches = [patch_of(outline(polygon((0, 0), (n, 0), (n, n), (0, n)))) for n in sizes]
    for most, wanted in ((1, [1, 1, 1]), (2, [2, 1, 1]), (5, [5, 2, 1]), (10, [10, 5, 1])):
        settings = OutlineSettings(paths=most, by_size=True)
        assert most_paths(patches, settings).tolist() == np.repeat(wanted, 2).tolist()
        assert (most_paths(patches, OutlineSettings(paths=most)) == most).all()


def test_a_small_stroke_stays_one_path_where_size_decides(frame):
    strokes = []
    for radius, offset in ((30, (0, 0)), (16, (90, 0)), (8, (0, 90))):
        patch = patch_of(outline(ellipse(40, 40, radius)), color=(0.2, 0.5, 0.2), offset=offset)
        half = radius // 2
        patch.color[40 - half:40 + half, 40 - half:40 + half] = (0.95, 0.9, 0.3)
        strokes.append(patch)
    free = fit(frame, *strokes, settings=OutlineSettings(segments=12, paths=4))[1:]
    sized = fit(frame, *strokes, settings=OutlineSettings(segments=12, paths=4, by_size=True))[1:]
    assert [len(paths) for paths in free] == [2, 2, 2]
    assert [len(paths) for paths in sized] == [2, 2, 1]


def test_each_path_has_the_part_that_it_shows(frame):
    patch = patch_of(outline(ellipse(40, 40, 30)), color=(0.2, 0.5, 0.2), offset=(60, 60))
    patch.color[30:50, 30:50] = (0.95, 0.9, 0.3)
    settings = OutlineSettings(segments=12, paths=4)
    outlines = fit(frame, patch, settings=settings)
    (whole,), (below, above) = stage.parts([patch, patch], [outlines[1][:1], outlines[1]], settings)
    assert whole is patch
    assert below.alpha[35:45, 35:45].max() < 0.01
    assert above.alpha[35:45, 35:45].min() > 0.99
    assert below.alpha[40, 15] > 0.99
    assert above.alpha[40, 15] == 0


def test_the_same_strokes_give_the_same_outlines(frame):
    patches = [patch_of(outline(blob(seed)), offset=(40, 40)) for seed in range(3)]
    for one, other in zip(fit(frame, *patches), fit(frame, *patches), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.loops[0], b.loops[0])


def test_no_strokes_give_no_outlines():
    assert fit() == []


def test_progress_rises_and_cancel_ends_it(frame):
    patches = [frame, *(patch_of(outline(blob(seed)), offset=(40, 40)) for seed in range(3))]
    seen = []
    run = Run(on_progress=lambda p: seen.append(p.fraction))
    fit(*patches, settings=OutlineSettings(segments=8, paths=3), run=run)
    assert seen == sorted(seen)
    assert len(seen) > 20
    assert 0.9 < seen[-1] <= 1.0

    def cancel_late(progress):
        if progress.fraction > 0.5:
            late.token.cancel()

    late = Run(on_progress=cancel_late)
    with pytest.raises(Cancelled):
        fit(*patches, run=late)


def test_stop_and_keep_hands_back_what_was_traced(frame):
    run = Run()
    run.token.stop_and_keep()
    _, (found,) = fit(frame, patch_of(outline(blob(1)), offset=(40, 40)), run=run)
    assert overlap(found, outline(blob(1) + 40), 200, 200) > 0.95
