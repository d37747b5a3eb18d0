"""Basic shapes as loops of cubics, differentiable in what they are made from; transforms of points.

Loops are (3 S, 2): anchor, handle, handle, anchor, ...; the last handle leads back to the first anchor. Open curves,
for strokes(), are (3 S + 1, 2). All lengths are px.
"""

from __future__ import annotations

import math

import torch

from ..errors import EngineError

#: Length of a quarter circle's handles: four cubics stay within 0.03 % of the radius.
QUARTER = 4 / 3 * math.tan(math.pi / 8)
_K = QUARTER
UNIT_CIRCLE = ((1, 0), (1, _K), (_K, 1), (0, 1), (-_K, 1), (-1, _K), (-1, 0), (-1, -_K), (-_K, -1), (0, -1), (_K, -1),
               (1, -_K))


def circle(center: torch.Tensor, radius: torch.Tensor | float) -> torch.Tensor:
    """(12, 2) around center (2,)."""
    return center + center.new_tensor(UNIT_CIRCLE) * radius


def ellipse(center: torch.Tensor, radii: torch.Tensor) -> torch.Tensor:
    """(12, 2) around center (2,), radii (2,) along x and y."""
    return circle(center, radii)


def rectangle(low: torch.Tensor, high: torch.Tensor, radius: torch.Tensor | float = 0.0) -> torch.Tensor:
    """Between the corners low and high (2,); (12, 2), or with a corner radius (24, 2).

    A radius beyond half a side is taken as that half.
    """
    if not isinstance(radius, torch.Tensor) and radius == 0:
        corners = low.new_tensor([[0, 0], [1, 0], [1, 1], [0, 1]])
        return polygon(low + corners * (high - low))
    r = torch.as_tensor(radius, dtype=low.dtype, device=low.device)
    r = torch.minimum(r.clamp_min(0), (high - low).abs().amin() / 2)
    unit = low.new_tensor(UNIT_CIRCLE).reshape(4, 3, 2)
    # Quarters from the lower right corner on, each in the corner that it belongs to.
    share = low.new_tensor([[1, 1], [0, 1], [0, 0], [1, 0]])[:, None]
    inward = low.new_tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]])[:, None]
    middle = low + share * (high - low) + inward * r
    arcs = middle + torch.cat([unit, unit.roll(-1, 0)[:, :1]], 1) * r
    start, end = arcs[:, 3], arcs.roll(-1, 0)[:, 0]
    side = torch.stack([start + (end - start) / 3, start + (end - start) * 2 / 3], 1)
    return torch.cat([arcs, side], 1).reshape(-1, 2)


def polygon(corners: torch.Tensor) -> torch.Tensor:
    """(3 K, 2) through (K, 2) corners and back to the first."""
    return polyline(torch.cat([corners, corners[:1]]))[:-1]


def polyline(points: torch.Tensor) -> torch.Tensor:
    """(3 K - 2, 2) open, through (K, 2) points."""
    if points.dim() != 2 or points.shape[1] != 2 or len(points) < 2:
        raise EngineError(f"A line expects points of shape (K, 2), at least two, got {tuple(points.shape)}.")
    a, step = points[:-1], points[1:] - points[:-1]
    return torch.cat([torch.stack([a, a + step / 3, a + step * 2 / 3], 1).reshape(-1, 2), points[-1:]])


def quadratics(points: torch.Tensor) -> torch.Tensor:
    """(3 S + 1, 2) open: the cubics that equal quadratics (2 S + 1, 2), anchor, handle, anchor, ...; exact.

    For a closed loop give the first anchor once more at the end and leave out the result's last point.
    """
    if points.dim() != 2 or points.shape[1] != 2 or len(points) < 3 or len(points) % 2 == 0:
        raise EngineError(f"Quadratics expect points of shape (2 S + 1, 2), got {tuple(points.shape)}.")
    a, q, b = points[:-2:2], points[1::2], points[2::2]
    cubics = torch.stack([a, a + (q - a) * (2 / 3), b + (q - b) * (2 / 3)], 1)
    return torch.cat([cubics.reshape(-1, 2), points[-1:]])


def transformed(points: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """(..., 2) points under a (2, 3) or (3, 3) matrix for (x, y, 1); differentiable in both.

    Cubics and quadratics stay what they are under affine matrices; a last row other than (0, 0, 1) is a perspective.
    """
    moved = points @ matrix[:2, :2].T + matrix[:2, 2]
    if len(matrix) == 2:
        return moved
    depth = points @ matrix[2, :2] + matrix[2, 2]
    return moved / depth[..., None]
