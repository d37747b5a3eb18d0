"""The definition: what a scene looks like and how it changes, dense and plain in torch, on any device.

Every other engine equals this one in value and in derivative. It is slow: each outline visits every pixel of its
bounding box once per edge.

**Value.** Cubics become ``pieces`` chords at equal steps of t. For a chord from (x0, y0) to (x1, y1), cut to pixel row
r, with signed height h, entering at xa and leaving at xb, the pixel at column X gains

    h * mean over x in [xa, xb] of clamp(X + 1 - x, 0, 1),

the part of the pixel to the right of the chord. The sum over an outline's chords is its signed, antialiased winding
w; coverage = min(|w|, 1), or under the even-odd rule the distance of w from the next even number. alpha = coverage *
opacity * the fill's own alpha at the pixel centre, and outlines are put over each other in paint order (source-over on
sRGB-encoded values, as SVG does).

**Derivative.** By Stokes' theorem only the part of a chord inside a pixel counts: for t in [ta, tb] inside,
dw/dp0 = (-dy, dx) * integral of (1 - t), dw/dp1 = (-dy, dx) * integral of t. This holds for closed loops.

**Ties**, where the value has a kink and a side must be chosen, so that all engines choose the same one:

- Coverage has kinks: at w = 0 and |w| = 1, and where a chord passes from one pixel into the next. There the derivative
  is the mean of the two one-sided ones. A chord inside a pixel whose winding is at a kink takes the mean of both slopes
  of min(|w|, 1). A chord on the border of two pixels moves one of them when it goes one way and the other when it goes
  the other way, each with the slope of its own winding on that side: half of either. So the side of a square on the
  pixel grid moves it by half of what lies inside and half of what lies outside.
- "At" means to within tie = TIE_EPS times the dtype's machine epsilon, of winding and of px: a pixel that is exactly
  full (or exactly empty) is so to an engine that sums in another order, too.
- A zero-length chord lies nowhere: it adds nothing to value or derivative.
- Beyond the canvas there is nothing: a chord on its border has the inner half.
- A fill is piecewise linear in u: between stops where offset[i] <= u < offset[i + 1]; before the first stop and from
  the last one on it is constant and passes no derivative to geometry or offsets.
- A linear gradient shorter than DEGENERATE px or a radius up to it paints its last stop, as SVG says, and has no
  derivative to its geometry; so does an ellipse whose half axes span |det| <= DEGENERATE * their common length, which
  is a line or a point. The centre of a radial gradient, where u has a cone's tip, passes none either.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from .scene import ELLIPTIC, RADIAL, SOLID, Scene, Topology

#: Machine epsilons (of winding, and of px) that count as nothing where the derivative is decided.
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
    tie = tolerance(scene.points.dtype) if tie is None else tie
    begin, end = flatten(scene)
    edges = outline_edges(t)
    pictures = []
    for b, (width, height) in enumerate(t.sizes.tolist()):
        picture = _premultiplied(scene.background[b]).expand(height, width, 4).clone()
        for n in np.flatnonzero(t.canvas == b).tolist():
            e = slice(int(edges[n]), int(edges[n + 1]))
            box = crop(begin[e].detach(), width, height, tie)
            if box is not None:
                _paint(scene, n, begin[e], end[e], box, picture, tie)
        pictures.append(picture.reshape(-1, 4))
    return torch.cat(pictures) if pictures else scene.background.new_zeros(0, 4)


def coverage(scene: Scene, outline: int, width: int, height: int) -> torch.Tensor:
    """(height, width) coverage in [0, 1] of one outline on the whole canvas; differentiable."""
    begin, end = flatten(scene)
    edges = outline_edges(scene.topology)
    e = slice(int(edges[outline]), int(edges[outline + 1]))
    even_odd = bool(scene.topology.even_odd[outline])
    return Coverage.apply(begin[e], end[e], (0, 0, width, height), tolerance(scene.points.dtype), even_odd)[0]


def tolerance(dtype: torch.dtype) -> float:
    """Windings and px that count as nothing where a derivative is decided."""
    return TIE_EPS * torch.finfo(dtype).eps


def flatten(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """(E, 2) first and last points of all chords, outline by outline, loop by loop, segment by segment."""
    t = scene.topology
    weights = torch.as_tensor(bernstein(t.pieces), dtype=scene.points.dtype, device=scene.points.device)
    control = scene.points[torch.as_tensor(segment_points(t), device=scene.points.device)]
    # From the first point on: chords of a side that is level or upright are exactly so, and a loop's ends meet.
    start = control[:, :1]
    inner = start + torch.einsum("pk,skc->spc", weights[1:-1, 1:], control[:, 1:] - start)
    chain = torch.cat([start, inner, control[:, 3:]], 1)
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


def crop(vertices: torch.Tensor, width: int, height: int, tie: float) -> tuple[int, int, int, int] | None:
    """(x, y, width, height) of the pixels inside the canvas that the bounding box touches, be it from outside.

    None where there are none.
    """
    if not len(vertices):
        return None
    limit = torch.tensor([width, height], dtype=vertices.dtype, device=vertices.device)
    zero = torch.zeros_like(limit)
    x0, y0 = (float(v) for v in torch.minimum((vertices.amin(0) - tie).ceil().sub(1).clamp_min(0), limit))
    x1, y1 = (float(v) for v in torch.maximum(torch.minimum((vertices.amax(0) + tie).floor() + 1, limit), zero))
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


class Coverage(torch.autograd.Function):
    """(h, w) coverage by closed chains of chords with its derivative in the boundary-integral form, and the winding.

    Away from ties plain autograd through :func:`signed_area` gives the same numbers; ties are decided as the module
    says.
    """

    @staticmethod
    def forward(begin, end, box, tie, even_odd):
        w = signed_area(begin, end, box)
        if even_odd:
            w = w - 2 * torch.floor(w / 2 + 0.5)
        return w.abs().clamp_max(1), w

    @staticmethod
    def setup_context(ctx, inputs, output):
        begin, end, ctx.box, ctx.tie, ctx.even_odd = inputs
        ctx.save_for_backward(begin, end, output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    @once_differentiable
    def backward(ctx, grad, _):
        begin, end, w = ctx.saved_tensors
        x, y, width, height = ctx.box
        up, down = slope_up(w, ctx.tie, ctx.even_odd) * grad, -slope_up(-w, ctx.tie, ctx.even_odd) * grad
        upright, level = on_border(begin, end, ctx.tie)
        columns = torch.arange(x, x + width, dtype=begin.dtype, device=begin.device)
        rows = torch.arange(y, y + height, dtype=begin.dtype, device=begin.device)
        moments = _inner_moments(begin, end, columns, rows, (up + down) / 2)
        dx, dy = (end - begin).unbind(1)
        across = _border_moments(begin, end, -dy, columns, rows, up, down)
        along = _border_moments(begin.flip(1), end.flip(1), dx, rows, columns, up.T, down.T)
        normal = torch.stack([-dy, dx], 1)
        inside = (~(upright | level)).to(begin.dtype)
        result = []
        for inner, a, b in zip(moments, across, along, strict=True):
            parts = torch.stack([inner * inside + a * upright, inner * inside + b * level], 1)
            result.append(normal * parts)
        return result[0], result[1], None, None, None


def slope_up(w: torch.Tensor, tie: float, even_odd: bool) -> torch.Tensor:
    """How coverage changes when the winding w grows; when it shrinks, that is -slope_up(-w).

    w: under the even-odd rule folded into [-1, 1].
    """
    beyond = torch.full_like(w, -1.0 if even_odd else 0.0)
    inside = torch.where(w >= -tie, torch.ones_like(w), -torch.ones_like(w))
    return torch.where(w >= 1 - tie, beyond, torch.where(w >= -1 - tie, inside, torch.zeros_like(w)))


def on_border(begin: torch.Tensor, end: torch.Tensor, tie: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Which chords (E,) lie on the border of two columns, and which on that of two rows."""
    near = torch.round(begin)
    on = ((begin - near).abs() <= tie) & ((end - near).abs() <= tie)
    return on[:, 0], on[:, 1]


def _inner_moments(begin: torch.Tensor, end: torch.Tensor, columns: torch.Tensor, rows: torch.Tensor,
                   grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(E,) integrals of grad times (1 - t) and times t along each chord."""
    ax, bx = _inside(begin[:, 0], end[:, 0], columns)
    ay, by = _inside(begin[:, 1], end[:, 1], rows)
    moment0, moment1 = begin.new_zeros(len(begin)), begin.new_zeros(len(begin))
    size = max(1, _CHUNK // max(1, len(begin) * len(columns)))
    for i in range(0, len(rows), size):
        part = slice(i, i + size)
        ta = torch.maximum(ax[:, None, :], ay[:, part, None])
        tb = torch.maximum(torch.minimum(bx[:, None, :], by[:, part, None]), ta)
        square = (tb * tb - ta * ta) / 2
        moment0 += ((tb - ta - square) * grad[part]).sum((1, 2))
        moment1 += (square * grad[part]).sum((1, 2))
    return moment0, moment1


def _border_moments(begin: torch.Tensor, end: torch.Tensor, push: torch.Tensor, columns: torch.Tensor,
                    rows: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """As :func:`_inner_moments`, of chords that lie on the border of two columns.

    push: (E,) sign of what the winding on the right gains when the chord goes right; on the left it loses as much when
    the chord goes left. up, down: (h, w) slopes times derivative where the winding grows and where it shrinks.
    """
    ta, tb = _inside(begin[:, 1], end[:, 1], rows)
    tb = torch.maximum(ta, tb)
    square = (tb * tb - ta * ta) / 2
    right = torch.round(begin[:, 0] - columns[0]).long()
    grows = (push > 0)[:, None]
    total = torch.zeros_like(square)
    for column, gain in ((right, grows), (right - 1, ~grows)):
        seen = ((column >= 0) & (column < len(columns))).to(square.dtype)[:, None]
        here = column.clamp(0, len(columns) - 1)
        total += seen * torch.where(gain, up[:, here].T, down[:, here].T) / 2
    return ((tb - ta - square) * total).sum(1), (square * total).sum(1)


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
    u = _along(scene.geometry[n], px, py, int(t.kind[n]))
    return color[-1].expand(h, w, 4) if u is None else _ramp(u, offset, color)


def _along(geometry: torch.Tensor, px: torch.Tensor, py: torch.Tensor, kind: int) -> torch.Tensor | None:
    """(h, w) position along the gradient, 0 at its start and 1 at its end; None where the gradient is a point."""
    x1, y1, x2, y2 = geometry[:4].unbind()
    if kind == ELLIPTIC:
        bx, by = geometry[4:].unbind()
        det = x2 * by - y2 * bx
        if det**2 <= DEGENERATE**2 * (geometry[2:] ** 2).sum():
            return None
        dx, dy = px - x1, py - y1
        return _length((by * dx - bx * dy) / det, (x2 * dy - y2 * dx) / det)
    if kind == RADIAL:
        return None if x2 <= DEGENERATE else _length(px - x1, py - y1) / x2
    dx, dy = x2 - x1, y2 - y1
    square = dx * dx + dy * dy
    return None if square <= DEGENERATE**2 else ((px - x1) * dx + (py - y1) * dy) / square


def _length(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Of vectors; at (0, 0) without a derivative."""
    square = x**2 + y**2
    tip = square == 0
    return torch.where(tip, square, torch.where(tip, torch.ones_like(square), square).sqrt())


def _ramp(u: torch.Tensor, offset: torch.Tensor, color: torch.Tensor) -> torch.Tensor:
    """(h, w, 4) colour at u: linear between stops, constant before the first and from the last one on."""
    after = (u.detach()[..., None] >= offset.detach()).sum(-1)  # stops at or before u
    i, j = (after - 1).clamp_min(0), after.clamp_max(len(offset) - 1)
    between = i < j
    length = torch.where(between, offset[j] - offset[i], torch.ones_like(u))
    f = torch.where(between, (u - offset[i]) / length, torch.zeros_like(u))[..., None]
    return color[i] * (1 - f) + color[j] * f


def _paint(scene: Scene, n: int, begin: torch.Tensor, end: torch.Tensor, box: tuple[int, int, int, int],
           picture: torch.Tensor, tie: float) -> None:
    """Puts outline n over ``picture`` (H, W, 4) in place; autograd follows."""
    x, y, w, h = box
    color = fill(scene, n, box)
    cover, _ = Coverage.apply(begin, end, box, tie, bool(scene.topology.even_odd[n]))
    alpha = cover * scene.opacity[n] * color[..., 3]
    behind = picture[y:y + h, x:x + w].clone()
    above = torch.cat([color[..., :3], torch.ones_like(color[..., 3:])], -1)
    picture[y:y + h, x:x + w] = above * alpha[..., None] + behind * (1 - alpha[..., None])


def _premultiplied(color: torch.Tensor) -> torch.Tensor:
    return torch.cat([color[:3] * color[3], color[3:]])
