"""The squared difference to the picture and its derivative, without a copy more than needed."""

from __future__ import annotations

import numpy as np
import torch

from ..model import Target
from .derivative import run_back


class PictureLoss:
    """Mean squared difference over premultiplied RGBA planes; where picture and ground are opaque, over RGB alone.

    A transparent picture is compared premultiplied, so that bare parts pull strokes away and invisible colours
    mean nothing.
    """

    def __init__(self, target: Target, opaque_ground: bool, device: str = "cpu",
                 weight: np.ndarray | None = None) -> None:
        alpha = torch.from_numpy(np.ascontiguousarray(target.alpha, np.float32)).to(device).reshape(1, -1)
        planes = np.ascontiguousarray(target.rgb.transpose(2, 0, 1), np.float32)
        rgb = torch.from_numpy(planes).to(device).reshape(3, -1)
        self.size = (target.height, target.width)
        self.planes = rgb if opaque_ground and target.opaque else torch.cat([rgb * alpha, alpha])
        self._weight = None if weight is None else torch.from_numpy(weight.astype(np.float32)).to(device).reshape(1, -1)
        self._grad = torch.zeros(4, self.planes.shape[1], device=device)
        self.difference = torch.zeros_like(self.planes)

    def backward(self, picture: torch.Tensor) -> None:
        """Runs the derivative of the summed squared difference back from a flat picture (P, 4)."""
        count = len(self.planes)
        torch.sub(picture.detach().t()[:count], self.planes, out=self.difference)
        if self._weight is None:
            torch.mul(self.difference, 2.0, out=self._grad[:count])
        else:
            torch.mul(self.difference, self._weight, out=self._grad[:count])
        run_back(picture, self._grad.t())

    @property
    def mse(self) -> float:
        """Mean squared difference of the last picture."""
        return float(self.difference.square().mean())

    def error_map(self) -> np.ndarray:
        """(H, W) squared difference of the last picture, summed over its planes."""
        return self.difference.square().sum(0).reshape(self.size).cpu().numpy()
