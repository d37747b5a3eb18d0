"""Gradients fitted to patches that are gradients: the fit must give them back."""

from __future__ import annotations

import numpy as np
import pytest
from gradvec.errors import Cancelled
from gradvec.gradients.fills import fit
from gradvec.gradients.perceptual import colors
from gradvec.model import Fill, LinearGradient, Outline, RadialGradient, SolidColor, Stop, StrokePatch
from gradvec.progress import CancelToken, Run

RED, BLUE, GREEN = (0.9, 0.2, 0.1), (0.1, 0.3, 0.8), (0.2, 0.8, 0.3)


def places(shape: tuple[int, int], offset: tuple[int, int]) -> np.ndarray:
    """(H, W, 2) pixel centres in the picture."""
    y, x = np.mgrid[0:shape[0], 0:shape[1]]
    return np.stack([x + offset[0] + 0.5, y + offset[1] + 0.5], -1)


def painted(fill: Fill, shape: tuple[int, int] = (30, 50), offset: tuple[int, int] = (200, 120), noise: float = 0.0,
            ellipse: bool = True) -> StrokePatch:
    """A patch in which ``fill`` shows through an ellipse."""
    at = places(shape, offset)
    color = colors(fill, at.reshape(-1, 2)).reshape(*shape, 3)
    color = color + noise * np.random.default_rng(0).normal(size=color.shape)
    y, x = np.mgrid[0:shape[0], 0:shape[1]]
    radius = ((x + 0.5) / shape[1] * 2 - 1) ** 2 + ((y + 0.5) / shape[0] * 2 - 1) ** 2
    alpha = np.clip((1.02 - radius) * 8, 0, 1) if ellipse else np.ones(shape)
    return StrokePatch(alpha.astype(np.float32), color.astype(np.float32), offset)


def box(patch: StrokePatch) -> Outline:
    """The patch's rectangle as an outline."""
    (x, y), (h, w) = patch.offset, patch.alpha.shape
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], float)
    after = np.roll(corners, -1, 0)
    return Outline((np.stack([corners, corners + (after - corners) / 3, after - (after - corners) / 3],
                             1).reshape(-1, 2),))


def fitted(patch: StrokePatch, method: str = "refined") -> Fill:
    (result,) = fit([patch], [box(patch)], method, Run())
    return result


def miss(fill: Fill, patch: StrokePatch) -> float:
    """Largest difference of colour where the stroke is seen."""
    at = places(patch.alpha.shape, patch.offset)[patch.alpha > 0.02]
    return float(np.abs(colors(fill, at) - patch.color[patch.alpha > 0.02]).max())


LINEAR = {
    "along": LinearGradient(200, 135, 250, 135, (Stop(0, RED), Stop(1, BLUE))),
    "across": LinearGradient(225, 150, 225, 120, (Stop(0, RED), Stop(1, GREEN))),
    "aslant": LinearGradient(205, 122, 240, 147, (Stop(0, BLUE), Stop(1, GREEN))),
    "longer than the stroke": LinearGradient(150, 100, 320, 190, (Stop(0, RED), Stop(1, BLUE))),
    "clamped at both ends": LinearGradient(217, 130, 233, 138, (Stop(0, RED), Stop(1, BLUE))),
    "clamped at one end": LinearGradient(190, 130, 225, 138, (Stop(0, RED), Stop(1, BLUE))),
}


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_gradient_comes_back(name: str) -> None:
    patch = painted(LINEAR[name])
    fill = fitted(patch)
    assert isinstance(fill, LinearGradient)
    assert miss(fill, patch) < 1e-3


@pytest.mark.parametrize("name", LINEAR)
def test_its_ends_lie_within_the_stroke(name: str) -> None:
    patch = painted(LINEAR[name])
    fill = fitted(patch)
    left, top, right, bottom = box(patch).bounds()
    for x, y in ((fill.x1, fill.y1), (fill.x2, fill.y2)):
        assert left - 1 <= x <= right + 1
        assert top - 1 <= y <= bottom + 1


@pytest.mark.parametrize("name", LINEAR)
def test_it_runs_from_left_to_right_with_offsets_rising(name: str) -> None:
    fill = fitted(painted(LINEAR[name]))
    assert (fill.x1, fill.y1) < (fill.x2, fill.y2)
    assert [s.offset for s in fill.stops] == [0, 1]
    assert all(0 <= c <= 1 for s in fill.stops for c in s.color)


def test_noise_averages_out() -> None:
    patch = painted(LINEAR["aslant"], noise=0.05)
    clean = painted(LINEAR["aslant"])
    assert miss(fitted(patch), clean) < 0.03


def test_it_is_no_worse_than_the_least_squares_plane() -> None:
    """Without clamping, the best gradient is the best rank-one plane: closed form by two singular values."""
    rng = np.random.default_rng(5)
    patch = painted(LINEAR["along"], ellipse=False)
    at = places(patch.alpha.shape, patch.offset).reshape(-1, 2)
    plane = np.array([[0.004, 0.001, -0.003], [0.002, -0.004, 0.001]])
    color = 0.5 + (at - at.mean(0)) @ plane + 0.02 * rng.normal(size=(len(at), 3))
    patch = StrokePatch(patch.alpha, color.reshape(*patch.alpha.shape, 3).astype(np.float32), patch.offset)
    x = at - at.mean(0)
    q, _ = np.linalg.qr(x)
    c = color - color.mean(0)
    left, values, right = np.linalg.svd(q.T @ c)
    best = ((c - q @ (values[0] * np.outer(left[:, 0], right[0]))) ** 2).sum()
    got = ((colors(fitted(patch), at) - patch.color.reshape(-1, 3)) ** 2).sum()
    assert got <= best * 1.001


def test_pixels_outside_the_outline_and_bare_ones_do_not_count() -> None:
    patch = painted(LINEAR["along"], ellipse=False)
    color, alpha = patch.color.copy(), patch.alpha.copy()
    color[:, 30:] = (0, 1, 0)
    color[10:14, :30] = np.nan
    alpha[10:14, :30] = 0
    half = painted(LINEAR["along"], shape=(30, 30), ellipse=False)
    (fill,) = fit([StrokePatch(alpha, color, patch.offset)], [box(half)], "refined", Run())
    assert miss(fill, half) < 1e-3


def test_colours_stay_in_gamut_and_the_fit_makes_the_best_of_it() -> None:
    """A ramp that saturates at white within the stroke: unbounded stops would leave [0, 1]."""
    ramp = LinearGradient(200, 135, 250, 135, (Stop(0, (0.2, 0.2, 0.2)), Stop(1, (1.5, 1.4, 1.6))))
    patch = painted(ramp)
    patch = StrokePatch(patch.alpha, np.clip(patch.color, 0, 1), patch.offset)
    fill = fitted(patch)
    assert all(0 <= c <= 1 for s in fill.stops for c in s.color)
    assert miss(fill, patch) < 0.12


# ---- the other methods -----------------------------------------------------------------------------------------------

def test_kmeans_is_the_control_points_as_published() -> None:
    from gradvec.gradients.kmeans import control_points

    patch = painted(LinearGradient(224, 135, 226, 135, (Stop(0, RED), Stop(1, BLUE))))
    fill = fitted(patch, "kmeans")
    first, last = control_points(patch)
    assert (fill.x1, fill.y1, fill.x2, fill.y2) == (first.x, first.y, last.x, last.y)
    assert [s.color for s in fill.stops] == [first.color, last.color]


def test_kmeans_of_one_colour_or_none_is_flat() -> None:
    for color in (RED, (0.5, 0.5, 0.5)):
        fill = fitted(painted(SolidColor(color)), "kmeans")
        assert isinstance(fill, SolidColor)
        np.testing.assert_allclose(fill.color, color, atol=1e-5)


def test_flat_is_the_mean_by_coverage() -> None:
    patch = painted(LINEAR["clamped at one end"])
    weight = np.where(patch.alpha > 0.02, patch.alpha, 0)[..., None]
    fill = fitted(patch, "flat")
    np.testing.assert_allclose(fill.color, (patch.color * weight).sum((0, 1)) / weight.sum(), atol=1e-3)


RADIAL = RadialGradient(222, 138, 20, (Stop(0, RED), Stop(1, BLUE)))
BENT = LinearGradient(200, 135, 250, 135, (Stop(0, RED), Stop(0.35, BLUE), Stop(1, GREEN)))


def test_auto_picks_the_right_kind() -> None:
    wanted = {"solid": (SolidColor(RED), 0), "two": (LINEAR["aslant"], 2), "three": (BENT, 3), "radial": (RADIAL, 2)}
    patches = [painted(fill, noise=0.01) for fill, _ in wanted.values()]
    fills = fit(patches, [box(p) for p in patches], "auto", Run())
    for (name, (fill, stops)), got in zip(wanted.items(), fills, strict=True):
        assert type(got) is type(fill), name
        assert len(getattr(got, "stops", ())) == stops, name


def test_a_radial_gradient_comes_back() -> None:
    patch = painted(RADIAL)
    fill = fitted(patch, "auto")
    assert isinstance(fill, RadialGradient)
    assert miss(fill, patch) < 5e-3
    assert np.hypot(fill.cx - RADIAL.cx, fill.cy - RADIAL.cy) < 0.1
    assert fill.r == pytest.approx(RADIAL.r, rel=0.01)


def test_a_third_stop_comes_back_at_its_place() -> None:
    patch = painted(BENT)
    fill = fitted(patch, "auto")
    assert len(fill.stops) == 3
    assert miss(fill, patch) < 0.02


def test_auto_drops_what_the_eye_does_not_see() -> None:
    def between(step: float) -> Fill:
        low, high = tuple(c - step / 2 for c in (0.5, 0.4, 0.3)), tuple(c + step / 2 for c in (0.5, 0.4, 0.3))
        return fitted(painted(LinearGradient(200, 135, 250, 135, (Stop(0, low), Stop(1, high)))), "auto")

    assert isinstance(between(0.02), SolidColor)
    assert isinstance(between(0.2), LinearGradient)


# ---- degenerate strokes ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["kmeans", "refined", "auto", "flat"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 9), (3, 3)])
def test_tiny_patches(method: str, shape: tuple[int, int]) -> None:
    patch = painted(SolidColor(RED), shape, ellipse=False)
    for outline in (box(patch), Outline(())):
        (fill,) = fit([patch], [outline], method, Run())
        assert miss(fill, patch) < 1e-3


@pytest.mark.parametrize("method", ["kmeans", "refined", "auto", "flat"])
def test_patches_with_nothing_on_them_and_no_patches(method: str) -> None:
    patch = StrokePatch(np.zeros((5, 5), np.float32), np.full((5, 5, 3), np.nan, np.float32), (3, 4))
    other = painted(LINEAR["along"])
    fills = fit([patch, other], [box(patch), box(other)], method, Run())
    assert isinstance(fills[0], SolidColor)
    assert all(0 <= c <= 1 for c in fills[0].color)
    assert fit([], [], method, Run()) == []


def test_many_strokes_are_fitted_as_if_each_were_alone() -> None:
    patches = [painted(fill, noise=0.02) for fill in LINEAR.values()]
    together = fit(patches, [box(p) for p in patches], "refined", Run())
    for patch, fill in zip(patches, together, strict=True):
        alone = fitted(patch)
        assert np.abs(colors(fill, places(patch.alpha.shape, patch.offset).reshape(-1, 2))
                      - colors(alone, places(patch.alpha.shape, patch.offset).reshape(-1, 2))).max() < 5e-3


def test_progress_rises_and_cancel_stops() -> None:
    patches = [painted(fill) for fill in LINEAR.values()]
    outlines = [box(p) for p in patches]
    seen: list[float] = []
    fit(patches, outlines, "auto", Run(on_progress=lambda p: seen.append(p.fraction)))
    assert seen == sorted(seen)
    assert 0.5 < seen[-1] <= 1
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        fit(patches, outlines, "refined", Run(token=token))
