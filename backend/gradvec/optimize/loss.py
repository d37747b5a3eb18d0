"""The squared difference to the picture and its derivative, without a copy more than needed."""

from __future__ import annotations

import numpy as np
import torch

from ..model import Target
from ..render import squared_error_and_slopes
from ..render.scene import Scene
from .derivative import run_back


class PictureLoss:
    """Mean squared difference over premultiplied RGBA planes; where picture and ground are opaque, over RGB alone.

    A transparent picture is compared premultiplied, so that bare parts pull strokes away and invisible colours
    mean nothing. weight: (H, W) how much each pixel counts in the derivative; None: all alike. What is measured counts
    all pixels alike.
    """

    def __init__(self, target: Target, opaque_ground: bool, device: str | torch.device = "cpu",
                 weight: np.ndarray | None = None) -> None:
        alpha = torch.from_numpy(np.ascontiguousarray(target.alpha, np.float32)).to(device).reshape(1, -1)
        planes = np.ascontiguousarray(target.rgb.transpose(2, 0, 1), np.float32)
        rgb = torch.from_numpy(planes).to(device).reshape(3, -1)
        self.size = (target.height, target.width)
        self._planes = rgb if opaque_ground and target.opaque else torch.cat([rgb * alpha, alpha])
        self._factor: torch.Tensor | float = 2.0
        self._sum: float | None = None
        self._weight: torch.Tensor | None = None
        if weight is not None:
            self._weight = torch.from_numpy(weight.astype(np.float32)).to(device).reshape(-1)
            self._factor = 2.0 * self._weight[None]
        # Made when a picture is written: band by band they are not needed, and as large as several pictures.
        self._grad: torch.Tensor | None = None
        self._difference: torch.Tensor | None = None

    def measure(self, picture: torch.Tensor) -> None:
        """Compares a flat picture (P, 4): :attr:`mse` and :meth:`error_map` are then about it."""
        self._sum = None
        if self._difference is None:
            self._difference = torch.zeros_like(self._planes)
        torch.sub(picture.detach().t()[:len(self._planes)], self._planes, out=self._difference)

    def backward(self, picture: torch.Tensor) -> None:
        """Measures a flat picture (P, 4) and runs the derivative of the summed squared difference back from it."""
        self.measure(picture)
        if self._grad is None:
            self._grad = self._planes.new_zeros(4, self._planes.shape[1])
        torch.mul(self._measured(), self._factor, out=self._grad[:len(self._planes)])
        run_back([picture], [self._grad.t()])

    def backward_of(self, scene: Scene) -> None:
        """As :meth:`backward` of what a scene shows, with the cpu engine, which never writes the picture: then there is
        :attr:`mse`, of weighted differences, and no :meth:`error_map`."""
        if self._weight is None:
            self._weight = self._planes.new_ones(self._planes.shape[1])
        self._sum, slopes = squared_error_and_slopes(scene, self._planes, self._weight)
        run_back(scene.parameters, slopes)

    @property
    def mse(self) -> float:
        """Mean squared difference of the last picture."""
        if self._sum is not None:
            return self._sum / self._planes.numel()
        return float(self._measured().square().mean())

    @property
    def per_pixel(self) -> float | torch.Tensor:
        """Squared difference of a pixel, summed over its planes, on average; on a card a number that stays there."""
        if self._planes.device.type != "cpu":
            return self._measured().square().mean() * len(self._planes)
        return self.mse * len(self._planes)

    def error_map(self) -> np.ndarray:
        """(H, W) squared difference of the last picture, summed over its planes."""
        result = torch.zeros_like(self._planes[0])
        for plane in self._measured():  # all at once would be as large as three more of them
            result.addcmul_(plane, plane)
        return result.reshape(self.size).cpu().numpy()

    def _measured(self) -> torch.Tensor:
        """What the last picture is off, plane by plane."""
        assert self._difference is not None, "no picture was measured yet"
        return self._difference
