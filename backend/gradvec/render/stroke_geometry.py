"""The geometry of strokes: where chords are put, both sides of a curve, joins, caps, and what turned round.

Sizes: N strokes of S segments with n chords each. A *track* is positions, unit tangents and half widths at all chord
ends. In y-down px the left side is C + r n with n = (-T_y, T_x), the right side C - r n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

#: px; stands for a width of 0, whose outline would have no inside.
LEAST_WIDTH = 2e-3
#: Steps per segment in which a curve is measured, and how often: a bend may be shorter than a step of a first look.
_FINE, _LOOKS = 32, 3
_MITER_LIMIT = 4.0
#: Part of its length below which an inner side counts as about to turn round.
_ALMOST = 0.15


@dataclass(frozen=True)
class Track:
    """center, tangent: (N, S, n + 1, 2). radius: (N, S, n + 1)."""

    center: torch.Tensor
    tangent: torch.Tensor
    radius: torch.Tensor

    @property
    def normal(self) -> torch.Tensor:
        return turned(self.tangent)


def turned(v: torch.Tensor) -> torch.Tensor:
    """(..., 2) a quarter turn from x towards y."""
    return torch.stack([-v[..., 1], v[..., 0]], -1)


def segments(points: torch.Tensor, radius: torch.Tensor, closed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, S, 4, 2) control points and (N, S, 4) half widths of each segment."""
    if closed:
        points = torch.cat([points, points[:, :1]], 1)
        radius = radius if radius.shape[1] == 1 else torch.cat([radius, radius[:, :1]], 1)
    count = (points.shape[1] - 1) // 3
    index = (3 * torch.arange(count, device=points.device)[:, None]
             + torch.arange(4, device=points.device))
    wide = radius[:, None].expand(-1, count, 4) if radius.shape[1] == 1 else radius[:, index]
    return points[:, index], wide


def along(control: torch.Tensor, radius: torch.Tensor, t: torch.Tensor) -> Track:
    """The track at t, (N, S, m)."""
    s = 1 - t
    weights = torch.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], -1)
    slopes = torch.stack([s * s, 2 * s * t, t * t], -1)
    first = control[..., :1, :]
    center = first + weights[..., 1:] @ (control[..., 1:, :] - first)
    heading = slopes @ (control[..., 1:, :] - control[..., :-1, :])
    # At a handle that lies on its anchor the curve has no slope; the way to the next point, or from the last, has.
    steps = center[..., 1:, :] - center[..., :-1, :]
    ahead = torch.cat([steps, steps[..., -1:, :]], -2)
    behind = torch.cat([steps[..., :1, :], steps], -2)
    size = (control[..., 1:, :] - control[..., :-1, :]).detach().norm(dim=-1).amax(-1)[..., None, None]
    east = torch.cat([torch.ones_like(center[..., :1]), torch.zeros_like(center[..., :1])], -1)
    for other in (ahead, behind, east):
        heading = torch.where(heading.detach().norm(dim=-1, keepdim=True) > 1e-4 * size, heading, other)
    return Track(center, heading / heading.norm(dim=-1, keepdim=True).clamp_min(1e-30),
                 (weights * radius[..., None, :]).sum(-1))


def sample(control: torch.Tensor, radius: torch.Tensor, chords: int) -> Track:
    """The track at n + 1 places of each segment, close where the border bends.

    The places are constants: to move a chord's end along the curve changes nothing in first order.
    """
    with torch.no_grad():
        fine = torch.linspace(0, 1, _FINE + 1, dtype=control.dtype, device=control.device)
        fine = fine.expand(*control.shape[:2], -1)
        for _ in range(_LOOKS):  # each goes deeper into the bends that the one before it found
            need, length = _bends(along(control, radius, fine))
            need = need + (0.02 * need.sum(-1, keepdim=True) + 1e-6) * (
                length / length.sum(-1, keepdim=True).clamp_min(1e-30) + 1 / _FINE)
            total = torch.cat([torch.zeros_like(need[..., :1]), need.cumsum(-1)], -1)
            total = total / total[..., -1:]
            fine = _inverse(total, fine, _FINE)
        even = torch.linspace(0, 1, _FINE + 1, dtype=control.dtype, device=control.device).expand_as(total)
        t = _inverse(even, fine, chords)  # the places themselves are by now spread over what is needed
    return along(control, radius, t)


def _inverse(total: torch.Tensor, places: torch.Tensor, count: int) -> torch.Tensor:
    """(N, S, count + 1) places at which ``total`` (from 0 to 1) reaches 0, 1/count, ..., 1; linear between."""
    wanted = torch.linspace(0, 1, count + 1, dtype=total.dtype, device=total.device)
    wanted = wanted.expand(*total.shape[:2], -1).contiguous()
    i = torch.searchsorted(total.contiguous(), wanted, right=True).clamp(1, total.shape[-1] - 1)
    low, high = total.gather(-1, i - 1), total.gather(-1, i)
    f = ((wanted - low) / (high - low).clamp_min(1e-30)).clamp(0, 1)
    found = places.gather(-1, i - 1) * (1 - f) + places.gather(-1, i) * f
    found[..., 0], found[..., -1] = 0, 1
    return found


def _bends(track: Track) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, S, m) root of turning times outer length of each step (chords that it needs, but for the tolerance), length.

    An arc of angle a and radius R strays R a^2 / 8 from its chord.
    """
    turn = _turn(track.tangent[..., :-1, :], track.tangent[..., 1:, :]).abs()
    length = (track.center[..., 1:, :] - track.center[..., :-1, :]).norm(dim=-1)
    return (turn * (length + turn * track.radius[..., 1:])).sqrt(), length


def _turn(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Angle in (-pi, pi] from unit vectors a to b, towards the left side."""
    return torch.atan2(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], (a * b).sum(-1))


def needs(control: torch.Tensor, radius: torch.Tensor, closed: bool, tolerance: float) -> tuple[torch.Tensor, ...]:
    """(N,) each: chords of its neediest segment, its sharpest corner, the angle of an arc's chord, whether it folds."""
    track = along(control, radius, torch.linspace(0, 1, _FINE + 1).to(control).expand(*control.shape[:2], -1))
    chords = (_bends(track)[0].sum(-1) / math.sqrt(8 * tolerance)).amax(-1)
    before, after, _, _ = _corners(track, closed)
    turn = _turn(before, after).abs().amax(-1) if before.shape[1] else control.new_zeros(len(control))
    arc = 2 * torch.arccos((1 - tolerance / track.radius.flatten(1).amax(-1).clamp_min(tolerance)).clamp_min(0))
    step = track.center[..., 1:, :] - track.center[..., :-1, :]
    shortest = torch.minimum(*((_side(track, s)[..., 1:, :] - _side(track, s)[..., :-1, :]).mul(step).sum(-1)
                               for s in (1, -1)))
    folds = (shortest < _ALMOST * (step * step).sum(-1)).flatten(1).any(-1)
    return chords, turn, arc, folds


def _side(track: Track, side: int) -> torch.Tensor:
    """(N, S, n + 1, 2) the left side for 1, the right one for -1."""
    return track.center + side * track.radius[..., None] * track.normal


def _corners(track: Track, closed: bool) -> tuple[torch.Tensor, ...]:
    """Tangents before and after each corner (N, C, 2), its place (N, C, 2) and half width (N, C).

    Corner c lies at the end of segment c; a closed curve has one more, at its start.
    """
    last = track.tangent.shape[1] if closed else track.tangent.shape[1] - 1
    after = track.tangent[:, :, 0].roll(-1, 1)
    return (track.tangent[:, :last, -1], after[:, :last], track.center[:, :last, -1], track.radius[:, :last, -1])


def sides(track: Track, closed: bool, join: str, points: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The right and the left side (N, ., 2) in the curve's direction, with ``points`` points at each corner."""
    before, after, center, radius = _corners(track, closed)
    turn = _turn(before, after)[..., None]
    chords = (track.center[..., 1:, :] - track.center[..., :-1, :]).norm(dim=-1)
    room = torch.minimum(chords[:, :before.shape[1], -1], chords[:, :, 0].roll(-1, 1)[:, :before.shape[1]])
    # Half the way across both normals' lines: where the two sides' lines meet.
    meet = turned(before) + turned(after)
    meet = meet * (2 / (meet * meet).sum(-1, keepdim=True).clamp_min(1e-6))
    reach = radius * torch.tan(turn[..., 0].detach().abs().clamp_max(3.1) / 2)
    short = (reach < 0.9 * room)[..., None]
    result = []
    for side in (-1, 1):
        line = _side(track, side)
        outer = turn * side < 0
        tip = center + side * radius[..., None] * meet
        trimmed = ~outer & short
        start, end = line[:, :, 0], line[:, :, -1]
        corners = before.shape[1]
        end = torch.cat([torch.where(trimmed, tip, end[:, :corners]), end[:, corners:]], 1)
        moved = torch.where(trimmed, tip, start.roll(-1, 1)[:, :corners])
        start = torch.cat([start[:, :1], moved], 1) if not closed else moved.roll(1, 1)
        between = _join(before, turn, center, radius, side, join, points, tip)
        inner = torch.where(short, tip, center)[..., None, :]
        between = torch.where(outer[..., None, :], between, inner)
        if not closed:
            between = torch.cat([between, end[:, -1:, None].expand(-1, -1, points, -1)], 1)
        body = torch.cat([start[:, :, None], line[:, :, 1:-1], end[:, :, None], between], 2).flatten(1, 2)
        result.append(body if closed else body[:, :body.shape[1] - points])
    return result[0], result[1]


def _join(before: torch.Tensor, turn: torch.Tensor, center: torch.Tensor, radius: torch.Tensor, side: int, join: str,
          points: int, tip: torch.Tensor) -> torch.Tensor:
    """(N, C, points, 2) between both segments' ends on the outer side of each corner."""
    steps = torch.arange(1, points + 1, dtype=turn.dtype, device=turn.device) / (points + 1)
    angle = turn * (steps if join == "round" else torch.ones_like(steps))
    arm = side * radius[..., None, None] * turned(before)[..., None, :]
    cos, sin = torch.cos(angle)[..., None], torch.sin(angle)[..., None]
    fan = center[..., None, :] + cos * arm + sin * turned(arm)
    if join != "miter":
        return fan
    near = torch.cos(turn.detach() / 2) * _MITER_LIMIT >= 1
    return torch.where(near[..., None], tip[..., None, :], fan)


def cap(track: Track, kind: str, points: int, at_end: bool) -> torch.Tensor:
    """(N, ., 2) around an end: from the right side to the left at the curve's end, from left to right at its start."""
    i, sign = (-1, 1) if at_end else (0, -1)
    center, radius = track.center[:, i, i], track.radius[:, i, i, None]
    out = sign * track.tangent[:, i, i]
    arm = -turned(out)
    if kind == "square":
        return torch.stack([center + radius * (arm + out), center + radius * (out - arm)], 1)
    if kind == "butt":
        return center[:, None][:, :0]
    angle = math.pi * torch.arange(1, points + 1, dtype=center.dtype, device=center.device) / (points + 1)
    cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
    return center[:, None] + radius[:, None] * (cos * arm[:, None] + sin * out[:, None])


def folds(track: Track) -> torch.Tensor:
    """(N, S n, 6, 2) loops that make up for each chord whose inner side turned round; others are a point.

    The cross sections at both ends of such a chord meet at a point. From there on the area between them counts
    backwards; the loop goes round it the right way, twice.
    """
    left, right = _side(track, 1).flatten(1, 2), _side(track, -1).flatten(1, 2)
    count = track.center.shape[2]
    keep = torch.arange(left.shape[1]) % count != count - 1
    a, b = (torch.cat([v[:, 1:], v[:, -1:]], 1)[:, keep] for v in (left, right))
    left, right = left[:, keep], right[:, keep]
    d, e = right - left, b - a
    cross = d[..., 0] * e[..., 1] - d[..., 1] * e[..., 0]
    flat = cross.detach().abs() < 1e-9
    gap = a - left
    bottom = torch.where(flat, torch.ones_like(cross), cross)
    u = (gap[..., 0] * e[..., 1] - gap[..., 1] * e[..., 0]) / bottom
    v = (gap[..., 0] * d[..., 1] - gap[..., 1] * d[..., 0]) / bottom
    meet = (~flat & (u > 0) & (u < 1) & (v > 0) & (v < 1))[..., None]
    place = left + u[..., None] * d
    # The side that runs against the curve has turned round.
    onward = ((a + b) - (left + right)).detach()
    turned_right = (((b - right).detach() * onward).sum(-1) < ((a - left).detach() * onward).sum(-1))[..., None]
    still = left.detach()
    triangle = [torch.where(meet, torch.where(turned_right, one, other), still)
                for one, other in ((b, left), (right, a), (place, place))]
    return torch.stack(triangle * 2, 2)
