"""Along which way strokes run: the form of the picture (its structure tensor, smoothed), or lines drawn by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt, gaussian_filter

from .slopes import structure_tensor

#: Standard deviations of the smoothing, as shares of the picture's longest side: of the picture, of the tensor near
#: edges, and of the tensor that fills places without any.
BLUR, NEAR, FAR = 1 / 250, 1 / 70, 1 / 12
#: How much the far tensor counts.
FILL = 0.04
#: A guide line turns strokes up to about this far from it, as a share of the longest side.
GUIDED = 0.14


@dataclass(frozen=True)
class Form:
    """double: (2, h, w) cosine and sine of twice the direction. strength: (h, w) in [0, 1], how clear it is.
    scale: px of these planes per px of the whole picture."""

    double: torch.Tensor
    strength: torch.Tensor
    scale: float

    def at(self, center: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(angle (n,), strength (n,)) at places (n, 2) px of the whole picture, radians in (-pi/2, pi/2]."""
        height, width = self.strength.shape
        x = (center[:, 0] * self.scale).long().clamp(0, width - 1)
        y = (center[:, 1] * self.scale).long().clamp(0, height - 1)
        cos, sin = self.double[:, y, x]
        return torch.atan2(sin, cos) / 2, self.strength[y, x]

    def to(self, device: torch.device) -> Form:
        """The same on a device."""
        return Form(self.double.to(device), self.strength.to(device), self.scale)

    def planes(self, size: tuple[int, int] | None = None) -> torch.Tensor:
        """(3, h, w): the double angle's cosine and sine, and the strength. size: (width, height), None: as it is."""
        planes = torch.cat([self.double, self.strength[None]])
        if size is None or size[::-1] == tuple(self.strength.shape):
            return planes
        return F.interpolate(planes[None], size=size[::-1], mode="bilinear", align_corners=False)[0]


def form_of(rgb: np.ndarray, scale: float, guides: Sequence[np.ndarray] = ()) -> Form:
    """The form of a picture (h, w, 3) that is ``scale`` times as large as the whole.

    guides: polylines (n, 2), px of the whole picture, that strokes near them follow instead.
    """
    side = max(rgb.shape[:2])
    soft = gaussian_filter(np.asarray(rgb, np.float64), (side * BLUR, side * BLUR, 0))
    tensor = structure_tensor(soft)
    near = gaussian_filter(tensor, (0, side * NEAR, side * NEAR))
    mixed = near + FILL * gaussian_filter(tensor, (0, side * FAR, side * FAR))
    length = np.hypot(mixed[0], mixed[1])
    # Strokes run across the steepest way: half a turn of the double angle.
    double = -mixed[:2] / np.maximum(length, 1e-12)
    usual = float(np.mean(near[2])) + 1e-12
    strength = length / np.maximum(mixed[2], 1e-12) * near[2] / (near[2] + 0.15 * usual)
    if guides:
        double, strength = _guided(double, strength, guides, scale)
    return Form(torch.from_numpy(double.astype(np.float32)), torch.from_numpy(strength.astype(np.float32)), scale)


def _guided(double: np.ndarray, strength: np.ndarray, guides: Sequence[np.ndarray],
            scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The field bent into the direction of the nearest guide line, the more the nearer it is."""
    height, width = strength.shape
    empty, own = np.ones((height, width), bool), np.zeros((2, height, width))
    for line in guides:
        for a, b in zip(line[:-1] * scale, line[1:] * scale, strict=True):
            step = b - a
            steps = max(2, int(np.abs(step).max() * 2) + 1)
            x, y = np.floor(a + np.linspace(0, 1, steps)[:, None] * step).astype(int).T
            seen = (x >= 0) & (y >= 0) & (x < width) & (y < height)
            angle = 2 * np.arctan2(step[1], step[0])
            empty[y[seen], x[seen]] = False
            own[:, y[seen], x[seen]] = np.array([[np.cos(angle)], [np.sin(angle)]])
    if empty.all():
        return double, strength
    distance, nearest = distance_transform_edt(empty, return_indices=True)
    reach = GUIDED * max(height, width)
    share = np.exp(-0.5 * (distance / reach) ** 4)
    wanted = gaussian_filter(own[:, nearest[0], nearest[1]], (0, reach / 8, reach / 8))
    mixed = double * (1 - share) + wanted * share
    return mixed / np.maximum(np.hypot(*mixed), 1e-9), np.maximum(strength * (1 - share), share)
