"""Open curves as uniform cubic B-splines: smooth of themselves, whatever becomes of their vertices.

S segments have S + 3 vertices; their cubic Bezier control points are a linear map of them (de Boor 1978, by knot
insertion on uniform knots).
"""

from __future__ import annotations

from functools import cache

import numpy as np

#: Bezier points of one segment from the four vertices around it.
_SEGMENT = np.array([[1, 4, 1, 0], [0, 4, 2, 0], [0, 2, 4, 0], [0, 1, 4, 1]]) / 6
#: How much a change of bending costs in a fit, in squared px per squared px: lines come out confident, not shaky.
_CALM = 2e-5


@cache
def to_bezier(segments: int) -> np.ndarray:
    """(3 S + 1, S + 3) vertices to cubic Bezier control points: anchor, handle, handle, anchor, ..."""
    matrix = np.zeros((3 * segments + 1, segments + 3))
    for n in range(segments):
        matrix[3 * n:3 * n + 4, n:n + 4] = _SEGMENT
    return matrix


def fit(points: np.ndarray, segments: int) -> tuple[np.ndarray, float]:
    """Vertices (S + 3, 2) of the curve that runs closest along points (n, 2), and the root mean square of how far it
    strays, px."""
    step = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(step)])
    t = along / max(along[-1], 1e-9) * segments
    rows = _weights(t, segments) @ to_bezier(segments)
    calm = np.diff(np.eye(segments + 3), 3, axis=0) * np.sqrt(_CALM * len(points))
    wanted = np.concatenate([points, np.zeros((len(calm), 2))])
    vertices = np.linalg.lstsq(np.concatenate([rows, calm]), wanted, rcond=None)[0]
    return vertices, float(np.sqrt(np.square(rows @ vertices - points).sum(1).mean()))


def fit_within(points: np.ndarray, tolerance: float, choices: tuple[int, ...]) -> np.ndarray:
    """Vertices with the fewest segments of ``choices`` (rising) that stay within ``tolerance`` px (root mean square),
    or with the most."""
    for segments in choices:
        vertices, stray = fit(points, segments)
        if stray <= tolerance:
            break
    return vertices


def _weights(t: np.ndarray, segments: int) -> np.ndarray:
    """(n, 3 S + 1) of each control point at curve parameters t in [0, S]."""
    which = np.clip(t.astype(int), 0, segments - 1)
    u = t - which
    basis = np.stack([(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u * u * (1 - u), u**3], 1)
    weights = np.zeros((len(t), 3 * segments + 1))
    weights[np.arange(len(t))[:, None], 3 * which[:, None] + np.arange(4)] = basis
    return weights


def vertices_of(points: np.ndarray) -> np.ndarray:
    """Vertices (S + 3, 2) of cubic Bezier control points (3 S + 1, 2): exact where these are a spline's, else those
    whose curve comes closest to them."""
    return np.linalg.pinv(to_bezier(len(points) // 3)) @ points
