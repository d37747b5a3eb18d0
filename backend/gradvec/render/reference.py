"""The definition: what a scene looks like and how it changes, dense and plain in torch, on any device.

Every other engine equals this one in value and in derivative. It is slow: each outline visits every pixel of its
bounding box once per edge.

**Value.** Cubics become ``pieces`` chords at equal steps of t. For a chord from (x0, y0) to (x1, y1), cut to pixel row
r, with signed height h, entering at xa and leaving at xb, the pixel at column X gains

    h * mean over x in [xa, xb] of clamp(X + 1 - x, 0, 1),

the part of the pixel to the right of the chord. The sum over an outline's chords is its signed, antialiased winding
w; coverage = min(|w|, 1). alpha = coverage * opacity * the fill's own alpha at the pixel centre, and outlines are put
over each other in paint order (source-over on sRGB-encoded values, as SVG does).

**Derivative.** By Stokes' theorem only the part of a chord inside a pixel counts: for t in [ta, tb] inside,
dw/dp0 = (-dy, dx) * integral of (1 - t), dw/dp1 = (-dy, dx) * integral of t. This holds for closed loops.

**Ties**, where the value has a kink and a side must be chosen, so that all engines choose the same one:

- A point on a pixel border belongs to the pixel that floor() gives: a vertical chord at x = 7 lies in column 7, a
  horizontal one at y = 7 in row 7. A zero-length chord lies nowhere: it adds nothing to value or derivative.
- d coverage / dw = sign(w) where tie < |w| <= 1 + tie, else 0; tie = TIE_EPS times the dtype's machine epsilon. The
  tolerance makes a pixel that is exactly full (or exactly empty) the same to an engine that sums in another order.
- A fill is piecewise linear in u: between stops where offset[i] <= u < offset[i + 1]; before the first stop and from
  the last one on it is constant and passes no derivative to geometry or offsets.
- A linear gradient shorter than DEGENERATE px or a radius up to it paints its last stop, as SVG says, and has no
  derivative to its geometry. The centre of a radial gradient, where u has a cone's tip, passes none either.
"""

from __future__ import annotations

import numpy as np
import torch

from .scene import RADIAL, SOLID, Scene, Topology

#: Winding numbers within this many machine epsilons of 0 or 1 count as 0 or 1 where the derivative is decided.
TIE_EPS = 8
#: px; a gradient vector or radius up to this length is a point.
DEGENERATE = 1e-6
#: Most numbers held at once per temporary array of the dense formula.
_CHUNK = 1 << 21


def render_flat(scene: Scene, tie: float | None = None) -> torch.Tensor:
    """(P, 4) premultiplied RGBA of all canvases one after the other, row by row; differentiable.

    tie: overrides the tolerance of the module's ties, so that float64 can stand in for another dtype's definition.
    """
    t = scene.topology
    begin, end = flatten(scene)
    edges = outline_edges(t)
    pictures = []
    for b, (width, height) in enumerate(t.sizes.tolist()):
        picture = _premultiplied(scene.background[b]).expand(height, width, 4).clone()
        for n in np.flatnonzero(t.canvas == b).tolist():
            e = slice(int(edges[n]), int(edges[n + 1]))
            box = crop(begin[e].detach(), width, height)
            if box is not None:
                _paint(scene, n, begin[e], end[e], box, picture, tie)
        pictures.append(picture.reshape(-1, 4))
    return torch.cat(pictures) if pictures else scene.background.new_zeros(0, 4)


def coverage(scene: Scene, outline: int, width: int, height: int) -> torch.Tensor:
    """(height, width) coverage in [0, 1] of one outline on the whole canvas; differentiable."""
    begin, end = flatten(scene)
    edges = outline_edges(scene.topology)
    e = slice(int(edges[outline]), int(edges[outline + 1]))
    return winding_to_coverage(Winding.apply(begin[e], end[e], (0, 0, width, height)))


def flatten(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, 2) first and last points of all chords, outline by outline, loop by loop, segment by segment."""
    t = scene.topology
    weights = torch.as_tensor(bernstein(t.pieces), dtype=scene.points.dtype, device=scene.points.device)
    control = scene.points[torch.as_tensor(segment_points(t), device=scene.points.device)]
    chain = torch.einsum("pk,skc->spc", weights, control)
    return chain[:, :-1].reshape(-1, 2), chain[:, 1:].reshape(-1, 2)


def bernstein(pieces: int) -> np.ndarray:
    """(pieces + 1, 4) float64 weights of a cubic's four control points at t = 0, 1/pieces, ..., 1."""
    t = np.arange(pieces + 1) / pieces
    return np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], 1)


def segment_points(t: Topology) -> np.ndarray:
    """(S, 4) indices of each segment's control points; the last one of a loop closes it."""
    lengths = np.diff(t.loop_points)
    segments = lengths // 3
    first = np.repeat(t.loop_points[:-1], segments)
    within = np.arange(int(segments.sum())) - np.repeat(np.cumsum(segments) - segments, segments)
    return first[:, None] + (3 * within[:, None] + np.arange(4)) % np.repeat(lengths, segments)[:, None]


def outline_edges(t: Topology) -> np.ndarray:
    """(N + 1,) first chord of each outline."""
    return (t.loop_points[t.outline_loops] // 3) * t.pieces


def crop(vertices: torch.Tensor, width: int, height: int) -> tuple[int, int, int, int] | None:
    """(x, y, width, height) of the pixels inside the canvas that the bounding box touches; None where none."""
    if not len(vertices):
        return None
    limit = torch.tensor([width, height], dtype=vertices.dtype, device=vertices.device)
    zero = torch.zeros_like(limit)
    x0, y0 = torch.minimum(vertices.amin(0).floor().clamp_min(0), limit).tolist()
    x1, y1 = torch.maximum(torch.minimum(vertices.amax(0).floor() + 1, limit), zero).tolist()
    return (int(x0), int(y0), int(x1 - x0), int(y1 - y0)) if x1 > x0 and y1 > y0 else None


def signed_area(begin: torch.Tensor, end: torch.Tensor, box: tuple[int, int, int, int]) -> torch.Tensor:
    """(h, w) signed winding of closed chains of chords on the crop ``box`` = (x, y, w, h): the dense formula."""
    x, y, w, h = box
    right = torch.arange(x + 1, x + w + 1, dtype=begin.dtype, device=begin.device)
    rows = torch.arange(y, y + h, dtype=begin.dtype, device=begin.device)
    size = max(1, _CHUNK // max(1, len(begin) * w))
    return torch.cat([_signed_area_rows(begin, end, right, part) for part in rows.split(size)])


def _signed_area_rows(begin: torch.Tensor, end: torch.Tensor, right: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """right: (w,) right border of each column. rows: (r,) top border of each row."""
    x0, y0, x1, y1 = (v[:, None] for v in (*begin.unbind(1), *end.unbind(1)))
    top = torch.maximum(torch.minimum(y0, rows + 1), rows)
    bottom = torch.maximum(torch.minimum(y1, rows + 1), rows)
    dy = y1 - y0
    slope = (x1 - x0) / torch.where(dy == 0, torch.ones_like(dy), dy)
    low, high = torch.minimum(x0, x1), torch.maximum(x0, x1)
    xa = torch.maximum(torch.minimum(x0 + (top - y0) * slope, high), low)
    xb = torch.maximum(torch.minimum(x0 + (bottom - y0) * slope, high), low)
    return ((bottom - top)[..., None] * _mean_clamp(right - xa[..., None], right - xb[..., None])).sum(0)


def _mean_clamp(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean of clamp(s, 0, 1) for s between a and b; free of cancellation however close they are."""
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    inner_low, inner_high = low.clamp(0, 1), high.clamp(0, 1)
    above = (high - 1).clamp_min(0) - (low - 1).clamp_min(0)
    length = high - low
    integral = (inner_high - inner_low) * (inner_high + inner_low) / 2 + above
    return torch.where(length > 0, integral / torch.where(length > 0, length, torch.ones_like(length)), inner_low)


class Winding(torch.autograd.Function):
    """:func:`signed_area` with its derivative in the boundary-integral form, which decides ties as the module says.

    Plain autograd through signed_area gives the same numbers away from ties.
    """

    @staticmethod
    def forward(ctx, begin, end, box):
        ctx.save_for_backward(begin, end)
        ctx.box = box
        return signed_area(begin, end, box)

    @staticmethod
    def backward(ctx, grad):
        begin, end = ctx.saved_tensors
        x, y, w, h = ctx.box
        columns = torch.arange(x, x + w, dtype=begin.dtype, device=begin.device)
        rows = torch.arange(y, y + h, dtype=begin.dtype, device=begin.device)
        ax, bx = _inside(begin[:, 0], end[:, 0], columns)
        ay, by = _inside(begin[:, 1], end[:, 1], rows)
        moment0, moment1 = begin.new_zeros(len(begin)), begin.new_zeros(len(begin))
        size = max(1, _CHUNK // max(1, len(begin) * w))
        for i in range(0, h, size):
            part = slice(i, i + size)
            ta = torch.maximum(ax[:, None, :], ay[:, part, None])
            tb = torch.maximum(torch.minimum(bx[:, None, :], by[:, part, None]), ta)
            square = (tb * tb - ta * ta) / 2
            moment0 += ((tb - ta - square) * grad[part]).sum((1, 2))
            moment1 += (square * grad[part]).sum((1, 2))
        dx, dy = (end - begin).unbind(1)
        normal = torch.stack([-dy, dx], 1)
        return normal * moment0[:, None], normal * moment1[:, None], None


def _inside(a: torch.Tensor, b: torch.Tensor, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, C) interval of t in [0, 1] in which a + t (b - a) lies in [cell, cell + 1); (1, 0) or so where empty."""
    a, b = a[:, None], b[:, None]
    d = b - a
    still = d == 0
    step = torch.where(still, torch.ones_like(d), d)
    enter, leave = (cells - a) / step, (cells + 1 - a) / step
    low, high = torch.minimum(enter, leave).clamp(0, 1), torch.maximum(enter, leave).clamp(0, 1)
    here = (torch.floor(a) == cells).to(a.dtype)
    return torch.where(still, 1 - here, low), torch.where(still, here, high)


def winding_to_coverage(w: torch.Tensor, tie: float | None = None) -> torch.Tensor:
    """min(|w|, 1) with the derivative that the module states."""
    size = w.detach().abs()
    tie = TIE_EPS * torch.finfo(w.dtype).eps if tie is None else tie
    slope = torch.where((size > tie) & (size <= 1 + tie), w.detach().sign(), torch.zeros_like(size))
    moving = w * slope
    return size.clamp_max(1) + (moving - moving.detach())


def fill(scene: Scene, n: int, box: tuple[int, int, int, int]) -> torch.Tensor:
    """(h, w, 4) straight RGBA of outline n's fill at the pixel centres of ``box``."""
    t = scene.topology
    stops = slice(int(t.stop_index[n]), int(t.stop_index[n + 1]))
    offset, color = scene.stop_offset[stops], scene.stop_color[stops]
    x, y, w, h = box
    if t.kind[n] == SOLID:
        return color[0].expand(h, w, 4)
    px = torch.arange(x, x + w, dtype=color.dtype, device=color.device)[None, :] + 0.5
    py = torch.arange(y, y + h, dtype=color.dtype, device=color.device)[:, None] + 0.5
    u = _along(scene.geometry[n], px, py, bool(t.kind[n] == RADIAL))
    return color[-1].expand(h, w, 4) if u is None else _ramp(u, offset, color)


def _along(geometry: torch.Tensor, px: torch.Tensor, py: torch.Tensor, radial: bool) -> torch.Tensor | None:
    """(h, w) position along the gradient, 0 at its start and 1 at its end; None where the gradient is a point."""
    x1, y1, x2, y2 = geometry.unbind()
    if radial:
        if x2 <= DEGENERATE:
            return None
        square = (px - x1) ** 2 + (py - y1) ** 2
        tip = square == 0
        return torch.where(tip, square, torch.where(tip, torch.ones_like(square), square).sqrt()) / x2
    dx, dy = x2 - x1, y2 - y1
    square = dx * dx + dy * dy
    return None if square <= DEGENERATE**2 else ((px - x1) * dx + (py - y1) * dy) / square


def _ramp(u: torch.Tensor, offset: torch.Tensor, color: torch.Tensor) -> torch.Tensor:
    """(h, w, 4) colour at u: linear between stops, constant before the first and from the last one on."""
    after = (u.detach()[..., None] >= offset.detach()).sum(-1)  # stops at or before u
    i, j = (after - 1).clamp_min(0), after.clamp_max(len(offset) - 1)
    between = i < j
    length = torch.where(between, offset[j] - offset[i], torch.ones_like(u))
    f = torch.where(between, (u - offset[i]) / length, torch.zeros_like(u))[..., None]
    return color[i] * (1 - f) + color[j] * f


def _paint(scene: Scene, n: int, begin: torch.Tensor, end: torch.Tensor, box: tuple[int, int, int, int],
           picture: torch.Tensor, tie: float | None) -> None:
    """Puts outline n over ``picture`` (H, W, 4) in place; autograd follows."""
    x, y, w, h = box
    color = fill(scene, n, box)
    alpha = winding_to_coverage(Winding.apply(begin, end, box), tie) * scene.opacity[n] * color[..., 3]
    behind = picture[y:y + h, x:x + w].clone()
    above = torch.cat([color[..., :3], torch.ones_like(color[..., 3:])], -1)
    picture[y:y + h, x:x + w] = above * alpha[..., None] + behind * (1 - alpha[..., None])


def _premultiplied(color: torch.Tensor) -> torch.Tensor:
    return torch.cat([color[:3] * color[3], color[3:]])
