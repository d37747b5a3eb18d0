"""How pictures of a film follow each other: where things went, how sure that is, and where one shot ends.

Flow is TV-L1 (Zach, Pock and Bischof 2007), as scikit-image has it, on grey pictures of at most :data:`SIDE` px.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.registration import optical_flow_tvl1

#: Longest side on which flow is found, px; its warps and iterations.
SIDE, WARPS, ITERATIONS = 320, 3, 6
#: Difference of colours at which it is as likely as not that a place is new, and px over which that is smoothed.
DOUBT, DOUBT_BLUR = 0.10, 1.0
#: Changes of a frame's mean and spread below this are things that move, not light.
LIGHT = 0.012
#: Steps that invert a flow.
INVERSIONS = 6
#: A cut: how much the colours of two frames differ, the share of pixels that fall into other bins; how much the frames
#: differ, blurred; and how many times as much as those before.
CUT_COLORS, CUT_FRAMES, CUT_TIMES = 0.1, 0.05, 3.0
_SMALL, _BINS = 48, 6
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def flow_back(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(2, H, W) float32 px, x and y: what is at p in ``after`` (H, W, 3) was at p + flow in ``before`` (H, W, 3)."""
    height, width = after.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(8, round(height * scale)), max(8, round(width * scale)))
    old, new = (_resized((one @ _GREY)[None], size)[0] for one in (before, after))
    rows, columns = optical_flow_tvl1(new, old, num_warp=WARPS, num_iter=ITERATIONS, dtype=np.float32)
    found = np.stack([columns * (width / size[1]), rows * (height / size[0])])
    return _resized(found, (height, width))


def _resized(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Planes (n, h, w) at another (height, width), averaged where they shrink."""
    if planes.shape[1:] == size:
        return planes.astype(np.float32)
    given = torch.from_numpy(np.ascontiguousarray(planes, np.float32))[None]
    shrinks = size[0] < planes.shape[1]
    resized = F.interpolate(given, size=size, mode="area") if shrinks else F.interpolate(
        given, size=size, mode="bilinear", align_corners=False)
    result: np.ndarray = resized[0].numpy()
    return result


@dataclass(frozen=True)
class Light:
    """How the light of a frame differs from that of the one before: color * gain + offset, both (3,)."""

    gain: np.ndarray
    offset: np.ndarray

    @classmethod
    def between(cls, before: np.ndarray, after: np.ndarray) -> Light:
        """From means and spreads of each channel; no change where they hardly differ, as when things only move."""
        (m0, s0), (m1, s1) = ((one.mean((0, 1)), one.std((0, 1))) for one in (before, after))
        if np.abs(m1 - m0).max() < LIGHT and np.abs(s1 - s0).max() < LIGHT:
            return cls(np.ones(3, np.float32), np.zeros(3, np.float32))
        gain = np.clip((s1 + 1e-3) / (s0 + 1e-3), 0.1, 10.0)
        return cls(gain.astype(np.float32), (m1 - gain * m0).astype(np.float32))

    @property
    def same(self) -> bool:
        return bool((self.gain == 1).all() and (self.offset == 0).all())

    def on(self, rgb: np.ndarray) -> np.ndarray:
        """(..., 3) colours of before as they look afterwards."""
        lit: np.ndarray = np.clip(rgb * self.gain + self.offset, 0, 1).astype(np.float32)
        return lit


def moved_along(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """(H, W, n) or (H, W): ``picture`` of before as it looks afterwards, by the flow back."""
    y, x = np.mgrid[:flow.shape[1], :flow.shape[2]].astype(np.float32)
    at = np.stack([y + flow[1], x + flow[0]])
    planes = picture[..., None] if picture.ndim == 2 else picture
    moved = np.stack([map_coordinates(planes[..., k], at, order=1, mode="nearest")
                      for k in range(planes.shape[-1])], -1).astype(np.float32)
    return moved[..., 0] if picture.ndim == 2 else moved


def inverted(flow: np.ndarray) -> np.ndarray:
    """(2, H, W): the flow forward, by which what is at p before is at p + it afterwards, of a flow back."""
    forward: np.ndarray = -flow
    y, x = np.mgrid[:flow.shape[1], :flow.shape[2]].astype(np.float32)
    for _ in range(INVERSIONS):
        at = np.stack([y + forward[1], x + forward[0]])
        forward = -np.stack([map_coordinates(plane, at, order=1, mode="nearest") for plane in flow])
    return forward


def known(before: np.ndarray, after: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """(H, W) in [0, 1]: how sure it is that what ``after`` shows was already to be seen before."""
    height, width = after.shape[:2]
    apart = ((moved_along(before, flow) - after) ** 2).sum(-1)
    apart = gaussian_filter(apart, DOUBT_BLUR)
    y, x = np.mgrid[:height, :width]
    inside = (x + flow[0] > -1) & (x + flow[0] < width) & (y + flow[1] > -1) & (y + flow[1] < height)
    sure: np.ndarray = np.exp2(-apart / DOUBT**2) * inside
    return sure.astype(np.float32)


class Cuts:
    """Tells, frame by frame, whether a new shot begins."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._usual = 0.0

    def begins(self, frame: np.ndarray) -> bool:
        """Whether ``frame`` (H, W, 3 in [0, 1]), the next one of the film, is the first of a shot."""
        height, width = frame.shape[:2]
        scale = _SMALL / max(height, width)
        size = (max(4, round(height * scale)), max(4, round(width * scale)))
        small = np.moveaxis(_resized(np.moveaxis(frame, -1, 0), size), 0, -1)
        last, self._last = self._last, small
        if last is None:
            return True
        last = Light.between(last, small).on(last)  # a fade is no cut
        changed = float(np.abs(gaussian_filter(small - last, (1.5, 1.5, 0))).mean())
        moved = 0.5 * float(np.abs(_histogram(small) - _histogram(last)).sum())
        cut = moved > CUT_COLORS and changed > CUT_FRAMES and changed > CUT_TIMES * self._usual
        self._usual = 0.0 if cut else max(changed, 0.5 * self._usual)
        return cut


def _histogram(rgb: np.ndarray) -> np.ndarray:
    """(_BINS, _BINS, _BINS): the share of colours (h, w, 3) in each bin."""
    counts: np.ndarray = np.histogramdd(rgb.reshape(-1, 3), bins=_BINS, range=[(0, 1.001)] * 3)[0]
    return counts / counts.sum()
