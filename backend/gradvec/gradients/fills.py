"""Strokes as fills: two-stage K-means control points, and least-squares gradients.

    (StrokePatch, Outline) pairs -> pixels -> kmeans / gradient_fit -> perceptual -> handles -> Fill each
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..color.oklab import difference
from ..model import Fill, LinearGradient, Outline, SolidColor, Stop, StrokePatch
from ..progress import Run
from .gradient_fit import (
    Ramps,
    along,
    bend_gain,
    best_stops,
    bowl_gain,
    colors_at,
    linear_start,
    radial_start,
    refined,
    spanning,
    squared_error,
)
from .handles import linear_fill, radial_fill
from .kmeans import ControlPoint, control_points
from .perceptual import NOTICEABLE, UNSEEN_SHARE
from .pixels import Pixels, gather

#: Share of the squared error that a third stop, or a radial gradient, has to save.
THIRD_STOP_GAIN, RADIAL_GAIN = 0.10, 0.25
#: Radial gradients are tried where a bowl explains so much of what planes leave; third stops where a parabola along the
#: gradient explains so much of what a line leaves.
BOWL_GAIN, BEND_GAIN = 0.15, 0.02
#: Control points that leave so many times the error of the closed form's optimum are no start.
HOPELESS = 2.0
_MIDDLES = (0.2, 0.4, 0.6, 0.8)


def fit(patches: Sequence[StrokePatch], outlines: Sequence[Outline], method: str, run: Run) -> list[Fill]:
    """One fill for each stroke patch under its outline (two lists of equal length), by ``method``.

    - kmeans: the control points of the two-stage K-means are the gradient, as published; one colour where they are
      one point or none.
    - refined: the best linear gradient of two stops in the least-squares sense, started from the control points and
      from the closed form.
    - auto: refined, but one colour where the eye sees no gain, three stops or a radial gradient where that pays.
    - flat: the mean colour.

    Pixels count by the patch's opacity, and only those within the outline. Colours lie in [0, 1]; ends of linear
    gradients lie within the outline's extent along them.

    Raises:
        Cancelled: the run was cancelled.
    """
    if not patches:
        return []
    pixels = gather(patches, outlines)
    run.step(0.1)
    if method == "flat":
        return [SolidColor(_color(color)) for color in _means(pixels)]
    points = _all_points(patches, run)
    if method == "kmeans":
        return [_published(found, mean) for found, mean in zip(points, _means(pixels), strict=True)]
    linear = _best_linear(pixels, points, _stepper(run, 0.4, 0.7 if method == "auto" else 0.9))
    if method == "auto":
        return _chosen(pixels, linear, outlines, run)
    return [linear_fill(pixels, linear, k, outline) for k, outline in enumerate(outlines)]


def _means(pixels: Pixels) -> np.ndarray:
    """(N, 3) mean colours, weighted by coverage."""
    return pixels.total(pixels.color * pixels.weight[:, None]) / pixels.total(pixels.weight)[:, None]


def _all_points(patches: Sequence[StrokePatch], run: Run) -> list[list[ControlPoint]]:
    found: dict[int, list[ControlPoint]] = {}  # several outlines may share a patch
    for k, patch in enumerate(patches):
        if id(patch) not in found:
            found[id(patch)] = control_points(patch)
        if k % 16 == 0:
            run.step(0.1 + 0.3 * k / len(patches))
    return [found[id(patch)] for patch in patches]


def _published(points: list[ControlPoint], mean: np.ndarray) -> Fill:
    if not points:
        return SolidColor(_color(mean))
    first, last = points[0], points[-1]
    if (first.x, first.y) == (last.x, last.y):
        return SolidColor(first.color)
    return LinearGradient(first.x, first.y, last.x, last.y, (Stop(0.0, first.color), Stop(1.0, last.color)))


def _stepper(run: Run, start: float, end: float) -> Callable[[], None]:
    """Reports a little further on every call, from ``start`` towards ``end`` of the stage."""
    done = [0]

    def step() -> None:
        done[0] += 1
        run.step(end - (end - start) * 0.93 ** done[0])

    return step


def _best_linear(pixels: Pixels, points: list[list[ControlPoint]], step: Callable[[], None]) -> Ramps:
    """The better of two local optima, from the closed form and from the control points; colours in [0, 1].

    Control points that leave more than :data:`HOPELESS` times the error of the first optimum are not followed up.
    """
    best = refined(pixels, linear_start(pixels), step=step)
    start, known = _start_at_points(pixels, points)
    _, error = best_stops(pixels, along(pixels, start, False)[0], best.offsets)
    known &= error < HOPELESS * best.error
    if known.any():
        own, other = best.take(known), refined(pixels.take(known), start[known], step=step)
        best = best.put(known, own.where(other.error < own.error, other))
    return _in_gamut(pixels, best, step)


def _start_at_points(pixels: Pixels, points: list[list[ControlPoint]]) -> tuple[np.ndarray, np.ndarray]:
    """((N, 3) linear geometry from the first control point to the last, (N,) where there are two places)."""
    geometry, known = np.zeros((pixels.count, 3)), np.zeros(pixels.count, bool)
    for k, found in enumerate(points):
        if len(found) < 2 or (found[0].x, found[0].y) == (found[-1].x, found[-1].y):
            continue
        first, last = ((np.array([p.x, p.y]) - pixels.middle[k]) / pixels.size[k] for p in (found[0], found[-1]))
        axis = (last - first) / ((last - first) @ (last - first))
        geometry[k], known[k] = (*axis, -axis @ first), True
    return geometry, known


def _in_gamut(pixels: Pixels, ramps: Ramps, step: Callable[[], None]) -> Ramps:
    """The same gradients with stops in [0, 1].

    A ramp that leaves the gamut beyond the stroke's extent is only cut there; one that leaves it within the stroke is
    solved again under that bound.
    """
    low, high = (pixels.each(along(pixels, ramps.geometry, False)[0], extreme) for extreme in (np.minimum, np.maximum))
    low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    span = np.maximum(high - low, 1e-6)
    strokes = np.arange(pixels.count)
    stops = np.stack([colors_at(u, strokes, ramps.offsets, ramps.stops) for u in (low, high)], 1)
    geometry = ramps.geometry / span[:, None]
    geometry[:, 2] -= low / span
    cut = Ramps(False, geometry, ramps.offsets, stops, ramps.error)
    outside = np.asarray((np.abs(stops - 0.5) > 0.5 + 1e-3).any((1, 2)))
    if not outside.any():
        return cut
    own = pixels.take(outside)
    return cut.put(outside, refined(own, geometry[outside], in_gamut=True, stops=stops[outside], step=step))


# ---- auto ------------------------------------------------------------------------------------------------------------

def _chosen(pixels: Pixels, linear: Ramps, outlines: Sequence[Outline], run: Run) -> list[Fill]:
    """The simplest fill of each stroke that the eye cannot tell from a better one."""
    means = _means(pixels)
    u, _ = along(pixels, linear.geometry, False)
    painted = colors_at(u, pixels.stroke, linear.offsets, np.clip(linear.stops, 0, 1))
    flat = ~_noticeable(pixels, painted, means[pixels.stroke])
    error = np.where(flat, squared_error(pixels, means[pixels.stroke]), linear.error)
    color = np.where(flat[pixels.stroke, None], means[pixels.stroke], painted)
    three, three_color = _three_stops(pixels, linear, error)
    run.step(0.75)
    third = (three.error < (1 - THIRD_STOP_GAIN) * error) & _noticeable(pixels, three_color, color)
    error = np.where(third, three.error, error)
    color = np.where(third[pixels.stroke, None], three_color, color)
    radial, rounded = _radial(pixels, error, color, _stepper(run, 0.75, 0.95))
    fills: list[Fill] = []
    for k, outline in enumerate(outlines):
        if radial is not None and rounded[k]:
            fills.append(radial_fill(pixels, radial, k))
        elif flat[k] and not third[k]:
            fills.append(SolidColor(_color(means[k])))
        else:
            fills.append(linear_fill(pixels, three if third[k] else linear, k, outline))
    return fills


def _noticeable(pixels: Pixels, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) whether colours a and b (P, 3) differ noticeably in more than a negligible share of the stroke."""
    apart = difference(a.astype(np.float32), b.astype(np.float32))
    seen = (apart > NOTICEABLE) * pixels.weight
    return pixels.total(seen) > UNSEEN_SHARE * pixels.total(pixels.weight)


def _three_stops(pixels: Pixels, linear: Ramps, error: np.ndarray) -> tuple[Ramps, np.ndarray]:
    """(gradients with a stop between the ends where it serves best, the colours painted (P, 3)).

    They run in the direction of the linear ones, over all of the stroke. The middle stop is searched on a grid, finer
    where a coarse one promises to save something of ``error`` (N,).
    """
    geometry = spanning(pixels, linear.geometry[:, :2])
    u, _ = along(pixels, geometry, False)
    best = Ramps(False, geometry, np.tile([0.0, 0.5, 1.0], (pixels.count, 1)), np.zeros((pixels.count, 3, 3)),
                 np.full(pixels.count, np.inf))
    bent = bend_gain(pixels, u) > BEND_GAIN
    if bent.any():
        best = best.put(bent, _searched(pixels.take(bent), best.take(bent), error[bent]))
    return best, colors_at(u, pixels.stroke, best.offsets, best.stops)


def _searched(pixels: Pixels, best: Ramps, error: np.ndarray) -> Ramps:
    """The gradients with the middle stop where it serves best."""
    for middle in _MIDDLES:
        other = _with_middle(pixels, best.geometry, np.full(pixels.count, middle))
        best = best.where(other.error < best.error, other)
    hopeful = best.error < (1 - THIRD_STOP_GAIN / 2) * error
    if not hopeful.any():
        return best
    own, finer = pixels.take(hopeful), best.take(hopeful)
    for change in (0.08, -0.08, 0.04, -0.04, 0.02, -0.02, 0.01, -0.01):
        other = _with_middle(own, finer.geometry, np.clip(finer.offsets[:, 1] + change, 0.05, 0.95))
        finer = finer.where(other.error < finer.error, other)
    return best.put(hopeful, finer)


def _with_middle(pixels: Pixels, geometry: np.ndarray, middle: np.ndarray) -> Ramps:
    """Three-stop gradients with the middle stop at ``middle`` (N,) and the best colours in [0, 1]."""
    u, _ = along(pixels, geometry, False)
    offsets = np.stack([np.zeros_like(middle), middle, np.ones_like(middle)], 1)
    stops = np.clip(best_stops(pixels, u, offsets)[0], 0, 1)
    return Ramps(False, geometry, offsets, stops, squared_error(pixels, colors_at(u, pixels.stroke, offsets, stops)))


def _radial(pixels: Pixels, error: np.ndarray, color: np.ndarray,
            step: Callable[[], None]) -> tuple[Ramps | None, np.ndarray]:
    """(radial gradients, (N,) where they pay by a margin over fills of the given error and colours).

    They are tried only where the colours bend like a bowl.
    """
    bowls = bowl_gain(pixels) > BOWL_GAIN
    pays = np.zeros(pixels.count, bool)
    if not bowls.any():
        return None, pays
    own = pixels.take(bowls)
    found = refined(own, radial_start(own), True, in_gamut=True, step=step)
    painted = colors_at(along(own, found.geometry, True)[0], own.stroke, found.offsets, found.stops)
    pays[bowls] = ((found.error < (1 - RADIAL_GAIN) * error[bowls]) & _centered(own, found)
                   & _noticeable(own, painted, color[bowls[pixels.stroke]]))
    geometry, offsets = np.ones((pixels.count, 3)), np.tile([0.0, 1.0], (pixels.count, 1))
    whole = Ramps(True, geometry, offsets, np.zeros((pixels.count, 2, 3)), error)
    return whole.put(bowls, found), pays


def _centered(pixels: Pixels, radial: Ramps) -> np.ndarray:
    """(N,) whether a radial gradient's centre lies within the box of the stroke's pixels."""
    x, y = pixels.xy.T
    cx, cy = radial.geometry[:, 0], radial.geometry[:, 1]
    return ((cx >= pixels.each(x, np.minimum)) & (cx <= pixels.each(x, np.maximum))
            & (cy >= pixels.each(y, np.minimum)) & (cy <= pixels.each(y, np.maximum)))


def _color(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in np.clip(values, 0, 1))
    return red, green, blue
