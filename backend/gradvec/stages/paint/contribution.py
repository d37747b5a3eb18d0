"""What each stroke contributes: the squared error that would be added if it alone were taken away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ...errors import out_of_memory
from ...render import render_flat
from ...render.scene import Scene, Topology

#: px of crops that are held at once, 32 bytes each; where memory runs out, half as many, down to the least.
CROP_PIXELS, CROP_PIXELS_LEAST = 8_000_000, 250_000
#: Strokes between two looks at whether the user wants an end.
LOOK_EVERY = 64


def contributions(scene: Scene, target: np.ndarray, weight: np.ndarray, engine: str = "auto", device: str = "auto",
                  look: Callable[[], object] = lambda: None) -> np.ndarray:
    """(N,) rise of the sum of squared errors if stroke i were removed; negative where its removal would be a gain.

    scene: one canvas, one loop and two stops an outline. target: (H, W, 4) premultiplied. weight: (H, W). look: called
    every now and then; may raise.
    Exact: every stroke is rendered alone in its own crop, and composited by hand. A picture whose strokes' crops
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
    layers = _alone(scene, rows, crops, *where)
    windows = [np.s_[y0 - top:y1 - top, x0:x1] for (x0, y0), (x1, y1) in zip(crops.low, crops.high, strict=True)]
    ground = scene.background[0].detach().cpu().numpy()
    picture = np.empty(target.shape, np.float32)
    picture[:] = np.append(ground[:3] * ground[3], ground[3])
    behind = []
    for i, (window, layer) in enumerate(zip(windows, layers, strict=True)):
        if i % LOOK_EVERY == 0:
            look()
        behind.append(picture[window].copy())
        picture[window] *= 1 - layer[..., 3:]
        picture[window] += layer
    residual = (picture - target) * weight[..., None]
    through = np.ones((*target.shape[:2], 1), np.float32)
    result = np.zeros(len(rows))
    for i in range(len(rows) - 1, -1, -1):
        if i % LOOK_EVERY == 0:
            look()
        layer, window = layers[i], windows[i]
        change = through[window] * (layer[..., 3:] * behind[i] - layer)
        result[i] = 2 * np.vdot(residual[window], change) + np.vdot(change * weight[window][..., None], change)
        through[window] *= 1 - layer[..., 3:]
    return result


def _alone(scene: Scene, rows: np.ndarray, crops: _Boxes, engine: str, device: str) -> list[np.ndarray]:
    """Premultiplied RGBA (h, w, 4) of each of the strokes ``rows`` on a canvas of its own, its crop."""
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
        flat = render_flat(alone, engine, device).cpu().numpy()
    begin = topology.canvas_start
    return [flat[begin[i]:begin[i + 1]].reshape(sizes[i, 1], sizes[i, 0], 4) for i in range(len(rows))]
