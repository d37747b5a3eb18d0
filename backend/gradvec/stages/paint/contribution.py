"""What each stroke contributes: the squared error that would be added if it alone were taken away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numba import prange

from ...errors import out_of_memory
from ...render import render_flat, threads
from ...render.kernel_cache import njit
from ...render.scene import Scene, Topology

#: px of crops that are held at once, 32 bytes each; where memory runs out, half as many, down to the least.
CROP_PIXELS, CROP_PIXELS_LEAST = 8_000_000, 250_000
#: Rows of a picture that one thread looks at.
ROWS = 16


def contributions(scene: Scene, target: np.ndarray, weight: np.ndarray, engine: str = "auto", device: str = "auto",
                  look: Callable[[], object] = lambda: None) -> np.ndarray:
    """(N,) rise of the sum of squared errors if stroke i were removed; negative where its removal would be a gain.

    scene: one canvas, one loop and two stops an outline. target: (H, W, 4) premultiplied. weight: (H, W). look: called
    every now and then; may raise.
    Exact: every stroke is rendered alone in its own crop, and composited here. A picture whose strokes' crops
    would not fit into memory together is gone through in bands of rows, which add up.
    """
    most = CROP_PIXELS
    while True:
        try:
            return _in_bands(_Boxes.of(scene), scene, target, weight, (engine, device), look, most)
        except Exception as error:
            if most // 2 < CROP_PIXELS_LEAST or out_of_memory(error) is None:
                raise
            most //= 2


class _Boxes:
    """Crops of strokes: low, high (N, 2) px, high beyond the last."""

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.low, self.high = low, high

    @classmethod
    def of(cls, scene: Scene) -> _Boxes:
        """Each stroke's own, inside the canvas."""
        points, starts = scene.points.detach().cpu().numpy(), scene.topology.loop_points[:-1]
        size = scene.topology.sizes[0]
        low = np.floor(np.minimum.reduceat(points, starts)).astype(np.int64)
        high = np.ceil(np.maximum.reduceat(points, starts)).astype(np.int64) + 1
        low = np.clip(low, 0, size - 1)
        return cls(low, np.clip(high, low + 1, size))

    def bands(self, height: int, most: int) -> list[tuple[int, int]]:
        """Rows (top, bottom) in which the crops have ``most`` px together at most, or that are one row."""
        change = np.zeros(height + 1, np.int64)  # px of all crops in each row, by where they begin and end
        width = self.high[:, 0] - self.low[:, 0]
        np.add.at(change, self.low[:, 1], width)
        np.add.at(change, self.high[:, 1], -width)
        until = np.cumsum(np.cumsum(change)[:height])
        bands, top, before = [], 0, 0
        while top < height:
            bottom = max(top + 1, int(np.searchsorted(until, before + most, "right")))
            bands.append((top, min(bottom, height)))
            top, before = bottom, int(until[min(bottom, height) - 1])
        return bands

    def within(self, top: int, bottom: int) -> tuple[np.ndarray, _Boxes]:
        """(which strokes reach into a band of rows, their crops in it)."""
        rows = np.flatnonzero((self.low[:, 1] < bottom) & (self.high[:, 1] > top))
        low, high = self.low[rows].copy(), self.high[rows].copy()
        low[:, 1], high[:, 1] = np.maximum(low[:, 1], top), np.minimum(high[:, 1], bottom)
        return rows, _Boxes(low, high)


def _in_bands(boxes: _Boxes, scene: Scene, target: np.ndarray, weight: np.ndarray, where: tuple[str, str],
              look: Callable[[], object], most: int) -> np.ndarray:
    result = np.zeros(scene.topology.count)
    for top, bottom in boxes.bands(len(target), most):
        rows, crops = boxes.within(top, bottom)
        if len(rows):
            look()
            result[rows] += _band(scene, rows, crops, top, target[top:bottom], weight[top:bottom], where, look)
    return result


def _band(scene: Scene, rows: np.ndarray, crops: _Boxes, top: int, target: np.ndarray, weight: np.ndarray,
          where: tuple[str, str], look: Callable[[], object]) -> np.ndarray:
    """(n,) what the strokes ``rows`` contribute to the rows of a band that begins at ``top``."""
    layers, starts = _alone(scene, rows, crops, *where)
    ground = scene.background[0].detach().cpu().numpy()
    ground = np.append(ground[:3] * ground[3], ground[3]).astype(np.float32)
    shift = np.array([0, top])
    look()
    with threads.ALONE:
        return _worth(layers, starts, crops.low - shift, crops.high - shift, ground,
                      np.ascontiguousarray(target, np.float32), np.ascontiguousarray(weight, np.float32)).sum(0)


@njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def _worth(layers, starts, low, high, ground, target, weight):
    """(k, n) float64: what n strokes contribute to each of k groups of rows, which do not know of each other.

    Args:
        layers: (P, 4) float32, premultiplied, the crop of each stroke alone, one after the other; starts (n + 1,).
        low, high: (n, 2) where crops lie, as x and y. ground: (4,) premultiplied. target (H, W, 4), weight (H, W).
    """
    height, width = weight.shape
    groups = (height + ROWS - 1) // ROWS
    result = np.zeros((groups, len(low)))
    behind = np.empty_like(layers)
    for group in prange(groups):
        first, last = group * ROWS, min(height, (group + 1) * ROWS)
        picture = np.empty((last - first, width, 4), np.float32)
        picture[:] = ground
        for i in range(len(low)):
            wide = high[i, 0] - low[i, 0]
            for y in range(max(first, low[i, 1]), min(last, high[i, 1])):
                at = starts[i] + (y - low[i, 1]) * wide
                for x in range(wide):
                    rest = np.float32(1) - layers[at + x, 3]
                    for k in range(4):
                        here = picture[y - first, low[i, 0] + x, k]
                        behind[at + x, k] = here
                        picture[y - first, low[i, 0] + x, k] = here * rest + layers[at + x, k]
        residual = picture
        for y in range(first, last):
            for x in range(width):
                for k in range(4):
                    residual[y - first, x, k] = (picture[y - first, x, k] - target[y, x, k]) * weight[y, x]
        through = np.ones((last - first, width), np.float32)
        for i in range(len(low) - 1, -1, -1):
            wide = high[i, 0] - low[i, 0]
            total = 0.0
            for y in range(max(first, low[i, 1]), min(last, high[i, 1])):
                at = starts[i] + (y - low[i, 1]) * wide
                for x in range(wide):
                    alpha, seen = layers[at + x, 3], through[y - first, low[i, 0] + x]
                    for k in range(4):
                        change = seen * (alpha * behind[at + x, k] - layers[at + x, k])
                        total += change * (2 * residual[y - first, low[i, 0] + x, k]
                                           + weight[y, low[i, 0] + x] * change)
                    through[y - first, low[i, 0] + x] = seen * (np.float32(1) - alpha)
            result[group, i] = total
    return result


def _alone(scene: Scene, rows: np.ndarray, crops: _Boxes, engine: str,
           device: str) -> tuple[np.ndarray, np.ndarray]:
    """(P, 4) premultiplied RGBA of the strokes ``rows``, each on a canvas of its own, its crop, and where they
    begin."""
    t, sizes = scene.topology, crops.high - crops.low
    counts = np.diff(t.loop_points)[rows]
    points = torch.from_numpy(np.repeat(t.loop_points[rows] - np.cumsum(counts) + counts, counts)
                              + np.arange(int(counts.sum()))).to(scene.points.device)
    own = torch.from_numpy(np.repeat(np.arange(len(rows)), counts)).to(scene.points.device)
    chosen = torch.from_numpy(rows).to(scene.points.device)
    stops = (2 * chosen[:, None] + torch.arange(2, device=chosen.device)).flatten()
    shift = torch.from_numpy(crops.low).to(scene.points)
    each = np.arange(len(rows) + 1, dtype=np.int64)
    topology = Topology(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), each, 2 * each, t.kind[rows],
                        each[:-1], sizes, t.pieces)
    alone = Scene(topology, scene.points.detach()[points] - shift[own],
                  scene.geometry.detach()[chosen] - shift.repeat(1, 2), scene.stop_offset[stops],
                  scene.stop_color.detach()[stops], scene.opacity.detach()[chosen],
                  torch.zeros(len(rows), 4).to(scene.points))
    with torch.no_grad():
        return render_flat(alone, engine, device).cpu().contiguous().numpy(), topology.canvas_start
