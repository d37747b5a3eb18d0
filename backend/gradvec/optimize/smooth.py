"""Outlines that are smooth by construction, and prices on wiggles and on hairs.

An anchor lies on the line between its two handles unless it is a corner. A smooth joint is then its two handles and
where between them the anchor lies: five numbers a segment in place of six. The derivative with respect to the anchor
belongs to the handles, in the shares in which they carry it.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from . import outline_kernels
from .constraints import Constraint, Share
from .variables import Variables

#: A smooth anchor keeps this share of the way between its handles to either of them.
LEAST_SHARE = 0.08
#: How quickly the pull on anchors is averaged.
AVERAGING = 0.08
#: An edge of a control polygon is taken to be at least so long, px, where its turning is priced; and turns below so
#: many radians cost less and less.
SOFT_PX, SOFT_TURN = 1.0, 0.2
#: An outline whose control polygon turns by less than the first of these, in full turns (1: convex), turns for nothing;
#: from the second on a further radian has its whole price, in between a share of it. Or every turn costs alike.
RESTLESS, EVERY_TURN = (2.0, 3.5), (0.0, 1.0)
#: A segment is straight where its handle is no further than this, px, from the third of its chord.
STRAIGHT_PX = 0.05
#: Loops whose control polygon is less compact (4 pi area / length^2; 1 for a circle) are widened. The curve itself is
#: shorter, and so more compact.
COMPACT = 0.07


class SmoothJoints(Constraint):
    """Keeps every anchor on the line between its handles, except at corners.

    corner_degrees: joints that turn by more when the refinement begins are corners; 180: none is. corners: largest
    share of joints that may become corners on the way, those whose anchors are pulled off their line the most, and
    earn_after: steps after which that is decided. polygons: joints of two straight sides, whose handles lie at their
    thirds, are corners whatever they turn by.
    """

    def __init__(self, corner_degrees: float = 180.0, corners: float = 0.0, earn_after: int = 30,
                 polygons: bool = False) -> None:
        self._polygons = polygons
        self._cosine, self._share, self._earn_after = math.cos(math.radians(corner_degrees)), corners, earn_after

    @property
    def replayable(self) -> bool:
        """Not before it is decided which joints are corners."""
        return self._share <= 0 or self._steps >= self._earn_after

    def begin(self, variables: Variables) -> None:
        p = variables.points.detach()
        self._anchor = torch.arange(0, len(p), 3, device=p.device)
        self._before, self._after = variables.preceding[self._anchor], variables.following[self._anchor]
        arriving, leaving = p[self._anchor] - p[self._before], p[self._after] - p[self._anchor]
        turned = (arriving * leaving).sum(1) < self._cosine * arriving.norm(dim=1) * leaving.norm(dim=1)
        self.corner = turned if self._cosine > -1 else torch.zeros_like(turned)
        if self._polygons:
            end = variables.following[variables.following[self._after]]
            third = torch.lerp(p[self._anchor], p[end], 1 / 3)
            straight = (p[self._after] - third).norm(dim=1) < STRAIGHT_PX
            # The segment that arrives at an anchor is the one that leaves the anchor before it.
            number = torch.empty(len(p), dtype=torch.long, device=p.device)
            number[self._anchor] = torch.arange(len(self._anchor), device=p.device)
            start = variables.preceding[variables.preceding[self._before]]
            self.corner = self.corner | (straight & straight[number[start]])
        self._pull, self._steps = torch.zeros_like(arriving), 0

    def before_step(self, variables: Variables) -> None:
        """What pulls a smooth anchor pulls its handles; the anchor itself slides along its line."""
        p, grad = variables.points, variables.points.grad
        if grad is None:
            return
        if variables.on_processor:
            outline_kernels.hand_to_handles(*variables.sloped(), self.corner.numpy(), self._pull.numpy(), AVERAGING,
                                            LEAST_SHARE)
            return
        smooth = ~self.corner[:, None]
        share, own = self._shares(p), grad[self._anchor]
        along = p[self._after] - p[self._before]
        along = along / (along.norm(dim=1, keepdim=True) + 1e-9)
        sliding = along * (own * along).sum(1, keepdim=True)
        self._pull.lerp_((own - sliding) * smooth, AVERAGING)
        grad.index_add_(0, self._before, (1 - share) * own * smooth)
        grad.index_add_(0, self._after, share * own * smooth)
        grad[self._anchor] = torch.where(smooth, sliding, own)

    def after_step(self, variables: Variables, share: Share) -> None:
        p = variables.points
        self._steps += 1
        if self._share > 0 and self._steps == self._earn_after:
            pull = self._pull.norm(dim=1)
            self.corner = self.corner | (pull > torch.quantile(pull, 1 - self._share))
        if variables.on_processor:
            outline_kernels.put_on_line(*variables.looped(), self.corner.numpy(), LEAST_SHARE)
            return
        between = torch.lerp(p[self._before], p[self._after], self._shares(p))
        p[self._anchor] = torch.where(self.corner[:, None], p[self._anchor], between)

    def _shares(self, p: torch.Tensor) -> torch.Tensor:
        """(J, 1) how far along from the handle before to the one after the point next to each anchor lies."""
        start, along = p[self._before], p[self._after] - p[self._before]
        share = ((p[self._anchor] - start) * along).sum(1) / ((along * along).sum(1) + 1e-9)
        return share.clamp(LEAST_SHARE, 1 - LEAST_SHARE)[:, None]


class _LoopPrice(Constraint):
    """A price on what whole loops are like: ``cost`` pixels that are as wrong as the picture is on average."""

    replayable = True

    def __init__(self, cost: float) -> None:
        self._cost = cost

    def begin(self, variables: Variables) -> None:
        loops = np.diff(variables.topology.loop_points)
        self._loop = torch.from_numpy(np.repeat(np.arange(len(loops)), loops)).to(variables.points.device)
        self._loops = len(loops)

    def _sums(self, *values: torch.Tensor) -> torch.Tensor:
        """(K, loops) what each of K values of all control points comes to in each loop."""
        return values[0].new_zeros(len(values), self._loops).index_add_(1, self._loop, torch.stack(values))


class TurningPrice(_LoopPrice):
    """A radian of turning inwards costs as much as ``cost`` pixels that are as wrong as the picture is on average: the
    nearer it is, the less a wiggle can gain. ``turns``: of an outline that turns less than the first
    (full turns) a radian costs nothing, of one that turns more than the second all of that, in between a share: calm
    outlines are not taxed for what the restless ones do.

    The control polygon of a convex outline turns one way all along, by 2 pi, whatever its shape; a wiggle turns there
    and back. Curves turn no more than their control polygons do.
    """

    def __init__(self, cost: float, turns: tuple[float, float] = RESTLESS) -> None:
        super().__init__(cost)
        self._turns = turns

    def before_step(self, variables: Variables) -> None:
        if variables.points.grad is None:
            return
        if variables.on_processor:
            cost = self._cost * float(variables.wrong)
            outline_kernels.price_turning(*variables.sloped(), cost, *self._turns, SOFT_PX, SOFT_TURN)
            return
        p, after, before = variables.points, variables.following, variables.preceding
        edge, following = p[after] - p, p[after]
        arriving = edge[before]
        turn = torch.atan2(arriving[:, 0] * edge[:, 1] - arriving[:, 1] * edge[:, 0], (arriving * edge).sum(1))
        doubled = p[:, 0] * following[:, 1] - following[:, 0] * p[:, 1]
        area, total = self._sums(doubled, turn.abs())
        way = torch.sign(area)[self._loop]
        calm, restless = self._turns
        price = ((total / math.tau - calm) / (restless - calm)).clamp(0, 1)[self._loop] * (self._cost * variables.wrong)
        slope = -way * (-turn * way / SOFT_TURN).clamp(0, 1) * price
        # The turn at a point grows with the direction of the edge that leaves it and falls with that of the one before.
        normal = torch.stack([-edge[:, 1], edge[:, 0]], 1)
        pull = (slope - slope[after])[:, None] * normal / ((edge * edge).sum(1, keepdim=True) + SOFT_PX**2)
        variables.points.grad.sub_(pull).add_(pull[before])


class HairPrice(_LoopPrice):
    """Widens loops that are next to nothing but length: one that lacks a share x of being as compact as
    :data:`COMPACT` costs -log(1 - x) times its length times ``cost`` pixels that are as wrong as the picture is on
    average. Compactness is 4 pi area / length^2 of the control polygon."""

    def before_step(self, variables: Variables) -> None:
        if variables.points.grad is None:
            return
        if variables.on_processor:
            outline_kernels.widen_hairs(*variables.sloped(), self._cost * float(variables.wrong), COMPACT)
            return
        p, after, before = variables.points, variables.following, variables.preceding
        edge, span = p[after] - p, p[after] - p[before]
        length = torch.hypot(edge[:, 0], edge[:, 1])
        doubled = p[:, 0] * p[after, 1] - p[after, 0] * p[:, 1]
        area, around = self._sums(doubled / 2, length)
        compact = 4 * math.pi * area.abs() / (around * around + 1e-9)
        weight = torch.where(compact < COMPACT, around, torch.zeros_like(around)) * (self._cost * variables.wrong)
        # An outline of no area has no side to be widened to: then its length goes alone.
        wider = (weight / torch.where(area.abs() < 1e-3, torch.full_like(area, math.inf), area))[self._loop]
        shorter = (2 * weight / (around + 1e-9))[self._loop]
        unit = edge / (length + 1e-3).unsqueeze(1)
        normal = torch.stack([span[:, 1], -span[:, 0]], 1) / 2
        variables.points.grad.sub_(wider[:, None] * normal).add_(shorter[:, None] * (unit[before] - unit))
