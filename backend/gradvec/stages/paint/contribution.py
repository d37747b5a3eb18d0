"""What each stroke contributes: the squared error that would be added if it alone were taken away."""

from __future__ import annotations

import numpy as np
import torch

from ...render import render_flat
from ...render.scene import Scene, Topology


def contributions(scene: Scene, target: np.ndarray, weight: np.ndarray, engine: str = "auto",
                  device: str = "auto") -> np.ndarray:
    """(N,) rise of the sum of squared errors if stroke i were removed; negative where its removal would be a gain.

    scene: one canvas, one loop and two stops an outline. target: (H, W, 4) premultiplied. weight: (H, W).
    Exact: every stroke is rendered alone in its own crop, and composited by hand.
    """
    width, height = (int(x) for x in scene.topology.sizes[0])
    boxes, layers = _alone(scene, width, height, engine, device)
    ground = scene.background[0].detach().cpu().numpy()
    picture = np.empty((height, width, 4), np.float32)
    picture[:] = np.append(ground[:3] * ground[3], ground[3])
    behind = []
    for (x0, y0, x1, y1), layer in zip(boxes, layers, strict=True):
        part = picture[y0:y1, x0:x1]
        behind.append(part.copy())
        part *= 1 - layer[..., 3:]
        part += layer
    residual = (picture - target) * weight[..., None]
    through = np.ones((height, width, 1), np.float32)
    result = np.zeros(len(boxes))
    for i in range(len(boxes) - 1, -1, -1):
        x0, y0, x1, y1 = boxes[i]
        layer, window = layers[i], np.s_[y0:y1, x0:x1]
        change = through[window] * (layer[..., 3:] * behind[i] - layer)
        result[i] = 2 * np.vdot(residual[window], change) + np.vdot(change * weight[window][..., None], change)
        through[window] *= 1 - layer[..., 3:]
    return result


def _alone(scene: Scene, width: int, height: int, engine: str,
           device: str) -> tuple[list[tuple[int, int, int, int]], list[np.ndarray]]:
    """Crops (x0, y0, x1, y1) px and premultiplied RGBA (h, w, 4) of every stroke on a canvas of its own."""
    t = scene.topology
    points = scene.points.detach().cpu().numpy()
    starts = t.loop_points[:-1]
    low = np.floor(np.minimum.reduceat(points, starts)).astype(np.int64)
    high = np.ceil(np.maximum.reduceat(points, starts)).astype(np.int64) + 1
    low = np.clip(low, 0, [width - 1, height - 1])
    high = np.clip(high, low + 1, [width, height])
    sizes = high - low
    shift = torch.from_numpy(low).to(scene.points)
    own = torch.from_numpy(t.point_outline).to(scene.points.device)
    topology = Topology(t.loop_points, t.outline_loops, t.stop_index, t.kind, np.arange(t.count), sizes, t.pieces)
    alone = Scene(topology, scene.points.detach() - shift[own], scene.geometry.detach() - shift.repeat(1, 2),
                  scene.stop_offset, scene.stop_color.detach(), scene.opacity.detach(),
                  torch.zeros(t.count, 4).to(scene.points))
    with torch.no_grad():
        flat = render_flat(alone, engine, device).cpu().numpy()
    begin = topology.canvas_start
    layers = [flat[begin[i]:begin[i + 1]].reshape(sizes[i, 1], sizes[i, 0], 4) for i in range(t.count)]
    return [(int(a), int(b), int(c), int(d)) for (a, b), (c, d) in zip(low, high, strict=True)], layers
