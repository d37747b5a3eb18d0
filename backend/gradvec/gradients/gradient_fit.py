"""Least-squares gradients of two stops, linear and radial, for all strokes at once.

A gradient's colour at a pixel is C(u) = (1 - u) c0 + u c1 with u clamped to [0, 1]; u is an affine function of the
place (linear) or the distance from a centre over a radius (radial). The stops enter linearly, the three numbers of the
geometry do not: damped Gauss-Newton (Levenberg-Marquardt) on the nine numbers of every stroke, whose normal equations
need only sums over the stroke's pixels. Places are in the strokes' own units (see Pixels).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .pixels import Pixels

#: At most so many steps, and none for a stroke whose error fell by less than this share in the last one.
STEPS, GAIN = 20, 1e-3
_SMALLEST_RADIUS = 0.05
_ARRAYS = ("geometry", "offsets", "stops", "error")


@dataclass(frozen=True)
class Ramps:
    """N gradients of K stops. geometry: (N, 3): linear u = g0 x + g1 y + g2; radial: centre x, y and radius.

    offsets: (N, K) rising from 0 to 1. stops: (N, K, 3) colours. error: (N,) weighted sum of squared differences.
    """

    radial: bool
    geometry: np.ndarray
    offsets: np.ndarray
    stops: np.ndarray
    error: np.ndarray

    def where(self, mask: np.ndarray, other: Ramps) -> Ramps:
        """The other's strokes where ``mask`` (N,), own ones elsewhere."""
        result = self.take(np.ones(len(self.error), bool))
        for name in _ARRAYS:
            getattr(result, name)[mask] = getattr(other, name)[mask]
        return result

    def take(self, mask: np.ndarray) -> Ramps:
        """Only the strokes of a mask (N,)."""
        return Ramps(self.radial, *(getattr(self, name)[mask] for name in _ARRAYS))

    def put(self, mask: np.ndarray, part: Ramps) -> Ramps:
        """These with the strokes of a mask (N,) replaced by all of ``part``."""
        result = self.take(np.ones(len(self.error), bool))
        for name in _ARRAYS:
            getattr(result, name)[mask] = getattr(part, name)
        return result


def along(pixels: Pixels, geometry: np.ndarray, radial: bool) -> tuple[np.ndarray, np.ndarray]:
    """(u unclamped (P,), its derivative by the three geometry numbers (P, 3))."""
    g = geometry[pixels.stroke]
    x, y = pixels.xy.T
    if not radial:
        return x * g[:, 0] + y * g[:, 1] + g[:, 2], np.stack([x, y, np.ones_like(x)], 1)
    dx, dy, radius = x - g[:, 0], y - g[:, 1], g[:, 2]
    distance = np.maximum(np.hypot(dx, dy), 1e-6)
    u = distance / radius
    return u, np.stack([-dx / distance, -dy / distance, -u], 1) / radius[:, None]


def colors_at(u: np.ndarray, stroke: np.ndarray, offsets: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """(P, 3) colours at u (P,) of the gradients with offsets (N, K) and stops (N, K, 3)."""
    return np.einsum("pk,pkc->pc", hats(u, stroke, offsets), stops[stroke])


def hats(u: np.ndarray, stroke: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(P, K) how much each stop has in the colour at u: piecewise linear, summing to one."""
    u = np.clip(u, 0, 1)
    if offsets.shape[1] == 2:
        return np.stack([1 - u, u], 1)
    at = offsets[stroke]
    share = np.clip((u[:, None] - at[:, :-1]) / np.maximum(at[:, 1:] - at[:, :-1], 1e-9), 0, 1)
    one = np.ones((len(u), 1))
    return np.concatenate([one, share], 1) - np.concatenate([share, 0 * one], 1)


def best_stops(pixels: Pixels, u: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(stops (N, K, 3), error (N,)) that fit best for given u and offsets; what no pixel tells stays at the mean."""
    basis = hats(u, pixels.stroke, offsets)
    weighted = basis * pixels.weight[:, None]
    mass = pixels.total(pixels.weight)
    mean = pixels.total(pixels.color * pixels.weight[:, None]) / mass[:, None]
    k = offsets.shape[1]
    normal = np.stack([[pixels.total(weighted[:, i] * basis[:, j]) for j in range(k)] for i in range(k)])
    normal = np.moveaxis(normal, -1, 0) + 1e-7 * mass[:, None, None] * np.eye(k)
    centered = pixels.color - mean[pixels.stroke]
    right = np.stack([pixels.total(weighted[:, i, None] * centered) for i in range(k)], 1)
    stops = np.linalg.solve(normal, right) + mean[:, None]
    return stops, squared_error(pixels, np.einsum("pk,pkc->pc", basis, stops[pixels.stroke]))


def squared_error(pixels: Pixels, color: np.ndarray) -> np.ndarray:
    """(N,) weighted sum of squared differences of color (P, 3) to the pixels' own."""
    rest = pixels.color - color
    return pixels.total(np.einsum("pc,pc,p->p", rest, rest, pixels.weight))


def linear_start(pixels: Pixels) -> np.ndarray:
    """(N, 3) geometry of the best linear gradient without clamping: reduced-rank regression of colour on place.

    Of the least-squares plane of each channel (2 x 3 slopes) the best rank-one part is kept, under the metric of the
    pixels' own spread; u runs from 0 to 1 over the stroke's extent along it.
    """
    mass = pixels.total(pixels.weight)[:, None, None]
    weighted = pixels.xy * pixels.weight[:, None]
    spread = pixels.total(weighted[:, :, None] * pixels.xy[:, None]) / mass + 1e-6 * np.eye(2)
    cross = pixels.total(weighted[:, :, None] * pixels.color[:, None]) / mass
    values, vectors = np.linalg.eigh(spread)
    root = np.sqrt(np.maximum(values, 1e-9))[:, None]
    whitened = (vectors / root) @ np.swapaxes(vectors, 1, 2)
    left, _, _ = np.linalg.svd(whitened @ cross)
    direction = (whitened @ left[:, :, :1])[..., 0]
    return spanning(pixels, direction)


def spanning(pixels: Pixels, direction: np.ndarray) -> np.ndarray:
    """(N, 3) linear geometry along direction (N, 2) with u from 0 to 1 over each stroke."""
    along_axis = np.einsum("pd,pd->p", pixels.xy, direction[pixels.stroke])
    low, high = pixels.each(along_axis, np.minimum), pixels.each(along_axis, np.maximum)
    length = np.maximum(high - low, 1e-6)
    return np.concatenate([direction / length[:, None], (-low / length)[:, None]], 1)


def radial_start(pixels: Pixels) -> np.ndarray:
    """(N, 3) centre and radius from a paraboloid fitted to the strokes' main colour axis.

    Where the paraboloid is flat or its centre far away the stroke's own middle is taken.
    """
    mass = pixels.total(pixels.weight)
    mean = pixels.total(pixels.color * pixels.weight[:, None]) / mass[:, None]
    centered = pixels.color - mean[pixels.stroke]
    spread = pixels.total(pixels.weight[:, None, None] * centered[:, :, None] * centered[:, None])
    main = np.linalg.eigh(spread)[1][:, :, -1]
    value = (centered * main[pixels.stroke]).sum(1)
    x, y = pixels.xy.T
    basis = np.stack([np.ones_like(x), x, y, x * x + y * y], 1)
    weighted = basis * pixels.weight[:, None]
    normal = pixels.total(weighted[:, :, None] * basis[:, None]) + 1e-6 * mass[:, None, None] * np.eye(4)
    fitted = np.linalg.solve(normal, pixels.total(weighted * value[:, None])[..., None])[..., 0]
    curved = np.abs(fitted[:, 3]) > 1e-6
    center = -fitted[:, 1:3] / (2 * np.where(curved, fitted[:, 3], 1))[:, None]
    center = np.where((curved & (np.hypot(*center.T) < 2))[:, None], center, 0)
    distance = np.hypot(*(pixels.xy - center[pixels.stroke]).T)
    return np.concatenate([center, pixels.each(distance, np.maximum)[:, None] + 1e-3], 1)


def bowl_gain(pixels: Pixels) -> np.ndarray:
    """(N,) share of the squared error of a plane in each channel that a term in the squared distance saves.

    Near 0 for linear gradients: a cheap test of whether a radial one is worth trying.
    """
    x, y = pixels.xy.T
    return _last_term_gain(pixels, np.stack([np.ones_like(x), x, y, x * x + y * y], 1))


def bend_gain(pixels: Pixels, u: np.ndarray) -> np.ndarray:
    """(N,) share of the squared error of a line along u (P,) that a parabola saves: a cheap test for a third stop."""
    return _last_term_gain(pixels, np.stack([np.ones_like(u), u, u * u], 1))


def _last_term_gain(pixels: Pixels, basis: np.ndarray) -> np.ndarray:
    """(N,) by what share the last column of basis (P, T) lowers the squared error of a linear fit."""
    weighted = basis * pixels.weight[:, None]
    normal = _outer_total(pixels, weighted, basis)
    normal += 1e-9 * pixels.total(pixels.weight)[:, None, None] * np.eye(basis.shape[1])
    right = _outer_total(pixels, weighted, pixels.color)
    errors = []
    for terms in (basis.shape[1] - 1, basis.shape[1]):
        planes = np.linalg.solve(normal[:, :terms, :terms], right[:, :terms])
        errors.append(squared_error(pixels, np.einsum("pt,ptc->pc", basis[:, :terms], planes[pixels.stroke])))
    return 1 - errors[1] / np.maximum(errors[0], 1e-30)


# ---- Levenberg-Marquardt ---------------------------------------------------------------------------------------------

def refined(pixels: Pixels, geometry: np.ndarray, radial: bool = False, in_gamut: bool = False,
            stops: np.ndarray | None = None, step: Callable[[], None] = lambda: None) -> Ramps:
    """Two-stop gradients from a start geometry, improved until they stop improving.

    in_gamut: stops are kept in [0, 1] from the start on. stops: where they start; the best for ``geometry`` if absent.
    step: called once a round, to report and to be cancelled.
    """
    offsets = np.tile([0.0, 1.0], (pixels.count, 1))
    if stops is None:
        stops, _ = best_stops(pixels, along(pixels, geometry, radial)[0], offsets)
    if in_gamut:
        stops = np.clip(stops, 0, 1)
    error = squared_error(pixels, colors_at(along(pixels, geometry, radial)[0], pixels.stroke, offsets, stops))
    result = [geometry.copy(), stops.copy(), error.copy()]
    damping = np.full(pixels.count, 1e-3)
    still = np.ones(pixels.count, bool)  # strokes that may yet gain
    part, going = pixels, np.arange(pixels.count)
    for _ in range(STEPS):
        step()
        now = [values[going] for values in result]
        new = _stepped(part, now[0], now[1], damping[going], radial, in_gamut)
        better = new[2] < now[2]
        for values, own, other in zip(result, now, new, strict=True):
            values[going] = np.where(better.reshape(-1, *[1] * (own.ndim - 1)), other, own)
        damping[going] = np.where(better, damping[going] / 4, damping[going] * 8)
        still[going] = np.where(better, now[2] - new[2] > GAIN * now[2], damping[going] < 10)
        if np.count_nonzero(still[going]) < 0.8 * len(going):
            if not still.any():
                break
            part, going = pixels.take(still), np.flatnonzero(still)
    return Ramps(radial, result[0], offsets, result[1], result[2])


def _stepped(pixels: Pixels, geometry: np.ndarray, stops: np.ndarray, damping: np.ndarray, radial: bool,
             in_gamut: bool) -> list[np.ndarray]:
    """[geometry, stops, error] one step further."""
    u, slope = along(pixels, geometry, radial)
    change = _step(pixels, u, slope, stops, damping)
    geometry, stops = geometry + change[:, :3], stops + change[:, 3:].reshape(-1, 2, 3)
    if radial:
        geometry[:, 2] = np.maximum(geometry[:, 2], _SMALLEST_RADIUS)
    if in_gamut:
        stops = np.clip(stops, 0, 1)
    u, _ = along(pixels, geometry, radial)
    basis = hats(u, pixels.stroke, np.tile([0.0, 1.0], (pixels.count, 1)))
    return [geometry, stops, squared_error(pixels, np.einsum("pk,pkc->pc", basis, stops[pixels.stroke]))]


def _step(pixels: Pixels, u: np.ndarray, slope: np.ndarray, stops: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """(N, 9) change of geometry and stops that the damped normal equations ask for."""
    w, s = pixels.weight, pixels.stroke
    clamped = np.clip(u, 0, 1)
    active = (w * ((u > 0) & (u < 1)))[:, None]
    basis = np.stack([1 - clamped, clamped], 1)
    span = stops[:, 1] - stops[:, 0]
    rest = pixels.color - np.einsum("pk,pkc->pc", basis, stops[s])
    normal = np.zeros((pixels.count, 9, 9))
    right = np.zeros((pixels.count, 9))
    squared = (span * span).sum(1)[:, None, None]
    moves = active * slope
    normal[:, :3, :3] = squared * _outer_total(pixels, moves, slope)
    mixed = _outer_total(pixels, moves, basis)  # (N, 3, 2)
    normal[:, :3, 3:] = np.einsum("ngk,nc->ngkc", mixed, span).reshape(-1, 3, 6)
    normal[:, 3:, :3] = np.swapaxes(normal[:, :3, 3:], 1, 2)
    own = _outer_total(pixels, basis * w[:, None], basis)
    for channel in range(3):
        normal[:, 3 + channel::3, 3 + channel::3] = own
    right[:, :3] = pixels.total(moves * np.einsum("pc,pc->p", rest, span[s])[:, None])
    right[:, 3:] = _outer_total(pixels, basis * w[:, None], rest).reshape(-1, 6)
    diagonal = np.einsum("nii->ni", normal)
    floor = 1e-9 * (1 + diagonal.max(1, keepdims=True))
    diagonal += damping[:, None] * diagonal + floor
    return np.linalg.solve(normal, right[..., None])[..., 0]


def _outer_total(pixels: Pixels, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, i, j) sums of a_i b_j over each stroke, column by column, which is quicker than one large product."""
    return np.stack([np.stack([pixels.total(a[:, i] * b[:, j]) for j in range(b.shape[1])], -1)
                     for i in range(a.shape[1])], 1)
