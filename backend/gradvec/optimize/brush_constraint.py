"""Holds shapes to the rules of their brushes while they are refined."""

from __future__ import annotations

import numpy as np
import torch

from ..brushes.manner import Manner
from ..brushes.rules import FREE, rules_of
from ..model import Shape
from ..render.scene import LINEAR, Topology
from .constraints import Constraint, Share
from .variables import Variables, fill_scale


class BrushConstraint(Constraint):
    """Opacities, gradients and proportions that the brushes of shapes ask for, as far as they hold at a fidelity."""

    replayable = True

    def __init__(self, fidelity: float, manner: Manner | None = None) -> None:
        self._fidelity, self._manner = fidelity, manner

    def flat(self, shape: Shape) -> bool:
        return rules_of(shape.brush, self._fidelity).gradient == "none"

    def begin(self, variables: Variables) -> None:
        rules = [rules_of(shape.brush, self._fidelity, self._manner) for shape in variables.meta]
        self._binding = any(own != FREE for own in rules)
        if not self._binding:
            return
        topology, like = variables.topology, variables.points.detach()
        stops = torch.from_numpy(topology.stop_outline).to(like.device)
        each = variables.opacity.clamp(min=1e-3)
        low, high = (torch.tensor([own.opacity[k] for own in rules]).to(like) for k in (0, 1))
        self._fade = (low / each).clamp(max=1.0)[stops], (high / each).clamp(max=1.0)[stops]
        self._stretch = torch.tensor([own.stretch for own in rules]).to(like)
        self._shape_of(variables, [own.aspect for own in rules])
        along = np.array([own.gradient == "along" for own in rules]) & (topology.kind == LINEAR)
        self._any_along, self._along = bool(along.any()), torch.from_numpy(along).to(like.device)
        self._owner = variables.owner
        corners = _corners(topology, np.array([own.straight for own in rules], bool))
        self._corners = torch.from_numpy(corners).to(like.device)
        self._home, self._kind = variables.geometry.detach().clone(), topology.kind

    def enlarged(self, scale: tuple[float, float]) -> None:
        if self._binding:
            self._home = self._home * fill_scale(self._kind, scale).to(self._home)

    def after_step(self, variables: Variables, share: Share) -> None:
        if not self._binding:
            return
        if variables.freedom.colors and variables.freedom.opacity:
            self.fade(variables.stop_color)
        if not variables.freedom.outlines:
            return
        points = variables.points
        for index, basis, matrix in variables.affine.groups(points):
            kept = self.unstretched(self.proportioned(matrix, index), index)
            if kept is not matrix:
                points[index] += basis @ (kept - matrix)
            self.carry(variables.geometry, index, kept, variables.origin)
        self.straighten(points)

    def fade(self, stop_color: torch.Tensor) -> None:
        """Opacities of stops (S, 4) within their brush's rules, in place."""
        stop_color[:, 3] = torch.minimum(torch.maximum(stop_color[:, 3], self._fade[0]), self._fade[1])

    def _shape_of(self, variables: Variables, aspect: list[tuple[float, float]]) -> None:
        """Which way each shape is longest as it came in, (N, 2) a unit vector, and by how much its length to width may
        change, (N,) each."""
        home, owner, count = variables.origin.detach(), variables.owner, variables.count
        sums = home.new_zeros(count, 3).index_add_(0, owner, torch.cat([home, torch.ones_like(home[:, :1])], 1))
        x, y = (home - (sums[:, :2] / sums[:, 2:])[owner]).unbind(1)
        xx, xy, yy = home.new_zeros(3, count).index_add_(1, owner, torch.stack([x * x, x * y, y * y]))
        angle = torch.atan2(2 * xy, xx - yy) / 2  # of the longer principal axis
        along = torch.stack([angle.cos(), angle.sin()], 1)
        lengthwise, across = (x * along[owner, 0] + y * along[owner, 1], y * along[owner, 0] - x * along[owner, 1])
        length, width = (home.new_zeros(count).scatter_reduce_(0, owner, values, "amax", include_self=False)
                         - home.new_zeros(count).scatter_reduce_(0, owner, values, "amin", include_self=False)
                         for values in (lengthwise, across))
        own = (length / width.clamp(min=1e-6)).clamp(min=1.0)
        least, most = np.array(aspect, float).T
        self._lengthwise, self._own = along, own
        # What came in beyond the rules, as a sweep that is bent, may stay so.
        self._least = torch.minimum(torch.from_numpy(least).to(home), own)
        self._most = torch.maximum(torch.from_numpy(most).to(home), own)
        self._shaped = bool((least > 1).any() or np.isfinite(most).any())

    def proportioned(self, matrix: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        """Maps (n, 3, 2), as in :meth:`unstretched`, that keep the length to width of their shapes within the rules."""
        if not self._shaped:
            return matrix
        owner = self._owner[index[:, 0]]
        along = self._lengthwise[owner]
        across = torch.stack([-along[:, 1], along[:, 0]], 1)
        linear = matrix[:, :2]
        length, width = ((axis[:, None] @ linear)[:, 0].norm(dim=1) for axis in (along, across))
        aspect = self._own[owner] * length / width.clamp(min=1e-9)
        wanted = torch.minimum(torch.maximum(aspect, self._least[owner]), self._most[owner])
        if matrix.device.type == "cpu" and bool((wanted == aspect).all()):
            return matrix
        change = (wanted / aspect.clamp(min=1e-9)).sqrt()[:, None, None]
        scale = (change * along[:, :, None] * along[:, None, :] + across[:, :, None] * across[:, None, :] / change)
        return torch.cat([scale @ linear, matrix[:, 2:]], 1)

    def unstretched(self, matrix: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        """Maps (n, 3, 2), rows x, y and 1, of shapes with points ``index`` (n, K), drawn out no more than allowed."""
        most = self._stretch[self._owner[index[:, 0]]]
        (a, b), (c, d) = (row.unbind(1) for row in matrix[:, :2].unbind(1))
        # A linear map is a turn and a mirrored turn, of sizes q and r, added up: it draws out by q + r and |q - r|.
        turn = torch.stack([a + d, b - c, c - b, a + d], 1) / 2
        mirror = torch.stack([a - d, b + c, b + c, d - a], 1) / 2
        q, r = torch.hypot(turn[:, 0], turn[:, 2]), torch.hypot(mirror[:, 0], mirror[:, 2])
        long, short = q + r, (q - r).abs()
        ratio = long / short.clamp(min=1e-9)
        if matrix.device.type == "cpu" and bool((ratio <= most).all()):
            return matrix  # as a rule; a card would rather do the work than be asked
        middle, wanted = (long * short).sqrt(), torch.minimum(ratio, most).sqrt()
        more, less = middle * (wanted + 1 / wanted) / 2, middle * (wanted - 1 / wanted) / 2
        sizes = torch.where(q >= r, torch.stack([more, less]), torch.stack([less, more]))
        linear = turn * (sizes[0] / q.clamp(min=1e-12))[:, None] + mirror * (sizes[1] / r.clamp(min=1e-12))[:, None]
        linear = torch.where((ratio > most)[:, None, None], linear.reshape(-1, 2, 2), matrix[:, :2])
        return torch.cat([linear, matrix[:, 2:]], 1)

    def carry(self, geometry: torch.Tensor, index: torch.Tensor, matrix: torch.Tensor, origin: torch.Tensor) -> None:
        """Gradients along a stroke go with it: moves them by the same map as the outline, in place.

        matrix: (n, 3, 2) on control points less their mean and divided by their mean distance from it.
        """
        if not self._any_along:
            return
        owner = self._owner[index[:, 0]]
        home = origin[index]
        middle = home.mean(1, keepdim=True)
        spread = (home - middle).norm(dim=-1).mean(1)[:, None, None] + 1e-6
        ends = (self._home[owner].reshape(-1, 2, 2) - middle) / spread
        moved = torch.cat([ends, torch.ones_like(ends[..., :1])], -1) @ matrix
        geometry[owner] = torch.where(self._along[owner, None], moved.reshape(-1, 4), geometry[owner])

    def straighten(self, points: torch.Tensor) -> None:
        """Handles (in place) at the thirds of their chords where outlines are polygons."""
        if len(self._corners) == 0:
            return
        start, out, back, end = self._corners.T
        a, b = points[start], points[end]
        points[out], points[back] = a + (b - a) / 3, a + (b - a) * 2 / 3


def _corners(topology: Topology, straight: np.ndarray) -> np.ndarray:
    """(S, 4) start, handles and end of every segment of the outlines marked in ``straight`` (N,)."""
    rows = []
    for n in np.flatnonzero(straight):
        for k in range(topology.outline_loops[n], topology.outline_loops[n + 1]):
            start = np.arange(topology.loop_points[k], topology.loop_points[k + 1], 3)
            rows.append(np.stack([start, start + 1, start + 2, np.roll(start, -1)], 1))
    return np.concatenate(rows) if rows else np.zeros((0, 4), np.int64)
