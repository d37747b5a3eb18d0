"""The joint refinement: it finds shapes that are known, keeps to its dial, and drops what does nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from gradvec.errors import Cancelled
from gradvec.model import LinearGradient, Outline, Shape, SolidColor, Stop, Target
from gradvec.optimize import Refinement, refine
from gradvec.optimize.adam import Adam
from gradvec.optimize.constraints import Constraint, EvenSpacing, HeldStill, Tension
from gradvec.optimize.variables import Freedom, Variables, reach_of, with_gradient
from gradvec.optimize.visibility import visible, visible_areas
from gradvec.progress import CancelToken, Run
from gradvec.render import render
from gradvec.render.scene import scene_from_shapes

WHITE = (1.0, 1.0, 1.0, 1.0)


BLACK = SolidColor((0.0, 0.0, 0.0))


def ellipse(cx: float, cy: float, rx: float, ry: float, fill: object = BLACK, name: str = "a") -> Shape:
    k = 4 / 3 * math.tan(math.pi / 8)
    loop = []
    for n in range(4):
        a, b = n * math.pi / 2, (n + 1) * math.pi / 2
        p, q = np.array([math.cos(a), math.sin(a)]), np.array([math.cos(b), math.sin(b)])
        loop += [p, p + k * np.array([-p[1], p[0]]), q - k * np.array([-q[1], q[0]])]
    return Shape(Outline((np.array(loop) * [rx, ry] + [cx, cy],)), fill, id=name)  # type: ignore[arg-type]


def picture_of(shapes: list[Shape], size: int = 48, ground: tuple[float, ...] = WHITE) -> Target:
    rgba = render(scene_from_shapes(shapes, size, size, ground), "cpu").numpy()
    alpha = rgba[..., 3]
    return Target(rgba[..., :3] / np.maximum(alpha, 1e-6)[..., None], alpha, (size, size))


def test_finds_a_known_ellipse_and_its_gradient() -> None:
    fill = LinearGradient(10, 24, 38, 24, (Stop(0, (0.9, 0.2, 0.1)), Stop(1, (0.1, 0.2, 0.8))))
    target = picture_of([ellipse(24, 24, 14, 8, fill)])
    start = ellipse(21, 26, 10, 10, SolidColor((0.5, 0.5, 0.5)))
    work = Refinement(steps=250, freedom=Freedom(opacity=False), reseeds=0)
    found = refine([start], target, WHITE, work, Run())
    assert found.psnr > 38
    wanted, got = (render(scene_from_shapes([s], 48, 48), "cpu").numpy()[..., 3]
                   for s in (ellipse(24, 24, 14, 8), found.shapes[0]))
    assert np.minimum(wanted, got).sum() / np.maximum(wanted, got).sum() > 0.98


def test_fidelity_zero_keeps_every_outline_an_affine_image_of_its_brush() -> None:
    target = picture_of([ellipse(24, 24, 14, 8)])
    star = ellipse(24, 24, 12, 12)
    loop = star.outline.loops[0] + np.random.default_rng(0).normal(0, 1.5, (12, 2))
    brush = replace(star, outline=Outline((loop,)))
    work = Refinement(steps=60, freedom=Freedom(reach=reach_of(0.0)), reseeds=0)
    found = refine([brush], target, WHITE, work, Run()).shapes
    moved = found[0].outline.loops[0].astype(float)
    basis = np.concatenate([loop, np.ones((12, 1))], 1)
    solved, *_ = np.linalg.lstsq(basis, moved, rcond=None)
    assert np.abs(basis @ solved - moved).max() < 2e-2
    assert np.abs(moved - loop).max() > 1.0


def test_the_dial_raises_likeness_and_drift_together() -> None:
    fill = SolidColor((0.1, 0.3, 0.5))
    corners = np.array([[8, 8], [40, 8], [40, 20], [20, 20], [20, 40], [8, 40]], float)
    step = np.roll(corners, -1, 0) - corners
    corner = Shape(Outline((np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2),)), fill)
    target = picture_of([corner])
    likeness, drift = [], []
    for fidelity in (0.0, 0.3, 0.6, 1.0):
        start = with_gradient(ellipse(22, 22, 15, 15, fill))
        work = Refinement(steps=120, freedom=Freedom(reach=reach_of(fidelity), opacity=False), reseeds=0)
        found = refine([start], target, WHITE, work, Run())
        free = Variables([start], 48, 48, WHITE, Freedom())
        free.points = torch.from_numpy(found.shapes[0].outline.loops[0])
        likeness.append(found.psnr)
        drift.append(free.drift()[0])
    assert likeness == sorted(likeness)
    assert (np.diff(drift) > -1e-3).all()
    assert drift[0] < 1e-3
    assert likeness[-1] > likeness[0] + 3


def test_reach_is_zero_then_unbounded() -> None:
    assert reach_of(0.0) == 0.0
    assert reach_of(1.0) == math.inf
    assert reach_of(0.2) < reach_of(0.8)


def test_visible_area_counts_what_is_not_covered() -> None:
    below, above = ellipse(24, 24, 12, 12, name="below"), ellipse(24, 24, 6, 6, name="above")
    seen = visible_areas(Variables([below, above], 48, 48, WHITE, Freedom()), "cpu")
    assert seen[1] == pytest.approx(math.pi * 36, rel=0.01)
    assert seen[0] == pytest.approx(math.pi * (144 - 36), rel=0.01)


def test_a_hidden_shape_is_put_where_the_error_is() -> None:
    blue, red = SolidColor((0.1, 0.1, 0.6)), SolidColor((0.8, 0.1, 0.1))
    wanted = [ellipse(14, 24, 10, 10, blue, "0"), ellipse(38, 12, 6, 6, red, "1")]
    target = picture_of(wanted)
    start = [ellipse(14, 24, 4, 4, blue, "hidden"), ellipse(14, 24, 10, 10, blue, "top")]
    found = refine(start, target, WHITE, Refinement(steps=150, reseeds=2), Run())
    assert found.moved == {"hidden"}
    assert [s.id for s in found.shapes] == ["top", "hidden"]
    left, top, right, bottom = found.shapes[1].outline.bounds()
    assert left < 38 < right
    assert top < 12 < bottom
    assert found.psnr > 30


def test_transparent_parts_stay_bare() -> None:
    target = picture_of([ellipse(24, 24, 14, 8, SolidColor((0.7, 0.2, 0.2)))], ground=(0, 0, 0, 0))
    start = ellipse(24, 24, 20, 20, SolidColor((0.2, 0.2, 0.2)))
    found = refine([start], target, (0, 0, 0, 0), Refinement(steps=150, reseeds=0), Run()).shapes
    alpha = render(scene_from_shapes(found, 48, 48), "cpu").numpy()[..., 3]
    assert alpha[target.alpha < 0.01].max() < 0.25
    assert np.abs(alpha - target.alpha).mean() < 0.01


def test_same_seed_same_result() -> None:
    target = picture_of([ellipse(24, 24, 14, 8)])
    start = [ellipse(20, 20, 9, 9, name=str(n)) for n in range(4)]
    results = [refine(start, target, WHITE, Refinement(steps=30), Run()).shapes for _ in range(2)]
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a.outline.loops[0], b.outline.loops[0])
        assert a.fill == b.fill


def test_cancel_and_keep() -> None:
    target = picture_of([ellipse(24, 24, 14, 8)])
    token = CancelToken()
    token.stop_and_keep()
    kept = refine([ellipse(20, 20, 9, 9)], target, WHITE, Refinement(steps=1000), Run(token=token))
    assert len(kept.shapes) == 1
    assert kept.steps == 0
    token.cancel()
    with pytest.raises(Cancelled):
        refine([ellipse(20, 20, 9, 9)], target, WHITE, Refinement(steps=1000), Run(token=token))


def test_previews_are_pictures_of_the_working_size() -> None:
    seen = []
    run = Run(on_preview=lambda make: seen.append(make()))
    refine([ellipse(20, 20, 9, 9)], picture_of([ellipse(24, 24, 14, 8)]), WHITE, Refinement(steps=3), run)
    assert seen
    assert seen[0].shape == (48, 48, 3)
    assert seen[0].dtype == np.uint8


def test_pixels_without_weight_change_nothing() -> None:
    """Two discs are wanted; the right half of the picture does not count, so only the left one is found."""
    target = picture_of([ellipse(12, 24, 6, 6), ellipse(36, 24, 6, 6)])
    starts = [ellipse(14, 26, 4, 4, name="left"), ellipse(34, 26, 4, 4, name="right")]
    weight = np.zeros((48, 48), np.float32)
    weight[:, :24] = 1.0
    plan = Refinement(steps=80, reseeds=0, tension=0.0, evenness=0.0)
    left, right = refine(starts, target, WHITE, plan, Run(), weight).shapes
    assert left.outline.bounds() == pytest.approx((6, 18, 18, 30), abs=0.7)
    assert np.array_equal(right.outline.loops[0], starts[1].outline.loops[0].astype(np.float32))


def test_pace_slows_a_shape_down() -> None:
    """Adam's first step goes as far as the rate says, whatever the derivative."""
    target = picture_of([ellipse(12, 24, 6, 6), ellipse(36, 24, 6, 6)])
    starts = [ellipse(14, 24, 6, 6, name="fast"), ellipse(38, 24, 6, 6, name="slow")]
    plan = Refinement(steps=1, reseeds=0, tension=0.0, evenness=0.0)
    found = refine(starts, target, WHITE, plan, Run(), pace=np.array([1.0, 0.25])).shapes
    fast, slow = (np.abs(b.outline.loops[0] - a.outline.loops[0]).max() for a, b in zip(starts, found, strict=True))
    assert slow == pytest.approx(fast / 4, rel=0.02)


def test_a_stride_is_of_control_points_alone() -> None:
    target = picture_of([ellipse(24, 24, 8, 6)])
    fill = LinearGradient(16, 24, 32, 24, (Stop(0, (0.4, 0.4, 0.4)), Stop(1, (0.4, 0.4, 0.4))))
    start = ellipse(26, 24, 8, 6, fill)
    plan = Refinement(steps=1, reseeds=0, tension=0.0, evenness=0.0)
    usual, far = (refine([start], target, WHITE, replace(plan, stride=stride), Run()).shapes[0]
                  for stride in (1.0, 1.5))
    step, longer = (np.abs(found.outline.loops[0] - start.outline.loops[0]).max() for found in (usual, far))
    assert longer == pytest.approx(1.5 * step, rel=0.02)
    assert usual.fill == far.fill != start.fill


def test_the_ground_is_trained_only_where_it_is_free() -> None:
    target = picture_of([ellipse(24, 24, 6, 6)], ground=(0.2, 0.6, 0.4, 1.0))
    for ground in (False, True):
        plan = Refinement(steps=250, reseeds=0, freedom=Freedom(ground=ground), fixed=frozenset({"a"}))
        found = refine([ellipse(24, 24, 6, 6)], target, WHITE, plan, Run())
        assert found.ground == pytest.approx((0.2, 0.6, 0.4, 1.0) if ground else WHITE, abs=0.02)


def test_without_steps_or_shapes_it_only_measures() -> None:
    target = picture_of([], ground=(0.5, 0.5, 0.5, 1.0))
    found = refine([], target, WHITE, Refinement(steps=100, freedom=Freedom(ground=True)), Run())
    assert (found.steps, found.shapes, found.ground) == (0, [], WHITE)
    assert found.mse == pytest.approx(0.25, abs=1e-5)
    assert found.error == pytest.approx(0.75, abs=1e-5)
    assert found.shown == pytest.approx(1.0)


def test_fixed_shapes_take_part_but_stay() -> None:
    target = picture_of([ellipse(12, 24, 6, 6), ellipse(36, 24, 6, 6)])
    starts = [ellipse(14, 26, 4, 4, name="still"), ellipse(34, 26, 4, 4, name="free")]
    still, free = refine(starts, target, WHITE, Refinement(steps=60, reseeds=0, fixed=frozenset({"still"})),
                         Run()).shapes
    assert np.array_equal(still.outline.loops[0], starts[0].outline.loops[0].astype(np.float32))
    assert isinstance(still.fill, SolidColor)
    assert free.outline.bounds() == pytest.approx((30, 18, 42, 30), abs=0.7)


class OnLine(Constraint):
    """Keeps all control points left of x = 24."""

    def after_step(self, variables: Variables, share: float) -> None:
        variables.points[:, 0].clamp_(max=24.0)


def test_a_further_rule_is_a_small_object() -> None:
    target = picture_of([ellipse(24, 24, 14, 8)])
    plan = Refinement(steps=60, reseeds=0, constraints=(OnLine(),))
    (found,) = refine([ellipse(16, 24, 6, 6)], target, WHITE, plan, Run()).shapes
    assert found.outline.loops[0][:, 0].max() <= 24.0
    assert found.outline.bounds()[0] == pytest.approx(10, abs=1.0)


def test_tension_adds_the_derivative_of_the_polygons_length() -> None:
    variables = Variables([ellipse(24, 24, 12, 8)], 48, 48, WHITE, Freedom())
    other = variables.points.detach().clone().requires_grad_()
    (other.roll(-1, 0) - other).norm(dim=1).sum().mul(0.5).backward()
    variables.points.grad = torch.zeros_like(variables.points)
    with torch.no_grad():
        Tension(0.5).before_step(variables)
    assert torch.allclose(variables.points.grad, other.grad, atol=1e-3)  # type: ignore[arg-type]


def test_even_spacing_moves_points_along_their_neighbours_and_evens_them_out() -> None:
    x = np.array([0, 1, 2, 3, 10, 20, 30, 30, 30, 30, 15, 2], float)
    y = np.array([0, 0, 0, 0, 0, 0, 0, 5, 8, 20, 20, 20], float)
    variables = Variables([Shape(Outline((np.stack([x, y], 1),)), BLACK, id="a")], 48, 48, WHITE, Freedom())
    before = variables.points.detach().clone()
    with torch.no_grad():
        for _ in range(40):
            EvenSpacing(0.5).after_step(variables, 1.0)
    gaps = [(p.roll(-1, 0) - p).norm(dim=1) for p in (before, variables.points.detach())]
    assert gaps[1].std() < 0.5 * gaps[0].std()
    assert torch.equal(before[1:6, 1], torch.zeros(5))


def test_held_shapes_are_found_again_after_reordering() -> None:
    shapes = [ellipse(12, 24, 6, 6, name="a"), ellipse(36, 24, 6, 6, name="b")]
    variables = Variables(shapes, 48, 48, WHITE, Freedom())
    rule = HeldStill(frozenset({"a"}))
    variables.take(np.array([1, 0]))
    rule.begin(variables)
    with torch.no_grad():
        rule.before_step(variables)
        variables.points += 1.0
        rule.after_step(variables, 1.0)
    b, a = (s.outline.loops[0] for s in variables.shapes())
    assert a == pytest.approx(shapes[0].outline.loops[0], abs=1e-5)
    assert b == pytest.approx(shapes[1].outline.loops[0] + 1, abs=1e-5)


def test_nothing_is_seen_of_nothing() -> None:
    assert visible([], 48, 48, WHITE).shape == (0,)


def test_adam_equals_torch_until_rows_move() -> None:
    rng = torch.Generator().manual_seed(1)
    ours, theirs = (torch.linspace(-1, 1, 6).requires_grad_() for _ in range(2))
    own = Adam([ours], [torch.tensor(0.1)], (0.9, 0.99))
    other = torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.99), eps=1e-12)
    for _ in range(20):
        weight = torch.rand(6, generator=rng)
        for leaf in (ours, theirs):
            (weight * leaf**2).sum().backward()
        own.step(1.0)
        other.step()
        other.zero_grad()
    assert torch.allclose(ours, theirs, atol=1e-5)
