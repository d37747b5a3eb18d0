"""Joints that stay smooth while the handles are free: the anchor lies between its two handles, in a fixed ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ...geometry.cubics import SMOOTH_DEGREES
from ...render.scene import Topology
from .penalty import neighbours


@dataclass(frozen=True)
class Joints:
    """anchor, before, after: (J,) indices of the smooth anchors and their handles; ratio (J, 1): where between."""

    anchor: torch.Tensor
    before: torch.Tensor
    after: torch.Tensor
    ratio: torch.Tensor

    @classmethod
    def of(cls, points: torch.Tensor, topology: Topology, degrees: float = SMOOTH_DEGREES) -> Joints:
        """The joints of ``points`` (K, 2) whose handles turn by less than ``degrees``."""
        points = points.detach()
        anchor, before, after = neighbours(topology, points.device)
        arriving, leaving = points[anchor] - points[before], points[after] - points[anchor]
        a, b = arriving.norm(dim=1), leaving.norm(dim=1)
        smooth = (arriving * leaving).sum(1) >= float(np.cos(np.radians(degrees))) * a * b
        smooth &= (a > 1e-3) & (b > 1e-3)
        ratio = (a / (a + b))[smooth, None].clamp(0.05, 0.95)
        return cls(anchor[smooth], before[smooth], after[smooth], ratio)

    def to(self, device: torch.device) -> Joints:
        """The same on a device."""
        return Joints(*(part.to(device) for part in (self.anchor, self.before, self.after, self.ratio)))

    def apply(self, points: torch.Tensor) -> torch.Tensor:
        """``points`` with every smooth anchor put between its handles; differentiable."""
        between = (1.0 - self.ratio) * points[self.before] + self.ratio * points[self.after]
        return points.index_copy(0, self.anchor, between)
