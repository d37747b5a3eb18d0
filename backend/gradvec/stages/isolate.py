"""Each brush stroke alone, as an artist would have laid it on a sheet of its own, with the brush's texture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from ..brushes import outlines as brushes
from ..brushes import textures
from ..model import Outline, Painting, Shape, StrokePatch, Target
from ..render import render_flat
from ..render.scene import SOLID, Scene, Topology

#: Strokes rendered in one call, so that memory does not grow with the painting.
BATCH = 64


def isolate(painting: Painting, scale: float = 1.0, texture: bool = True, engine: str = "auto",
            device: str = "auto") -> list[StrokePatch]:
    """Every stroke as a patch cropped to the picture, in paint order.

    scale: px of the patches per px of the painting. texture: whether the brush's texture thins the paint; without it
    the alpha is the exact coverage of the outline times the stroke's opacity.
    Outlines are in px of the scaled picture. A stroke outside the picture gives a patch of 1 x 1 px without paint.
    """
    return [patch for patch, _ in _layers(painting, scale, texture, engine, device)]


def as_shapes(painting: Painting, fine: bool = False) -> list[Shape]:
    """Every stroke as the shape that its brush made: outline, gradient along its axis, opacity.

    fine: with bristle ends and streaks, see brushes.outlines.shapes.
    """
    return brushes.shapes(painting, fine)


def composited(patches: Sequence[StrokePatch], width: int, height: int) -> Target:
    """Patches painted over each other, the inverse of :func:`isolate`: a picture with what they leave bare."""
    rgb, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    for patch in patches:
        (x, y), (h, w) = patch.offset, patch.alpha.shape
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
        if right <= left or bottom <= top:
            continue
        there, here = np.s_[top:bottom, left:right], np.s_[top - y:bottom - y, left - x:right - x]
        a = patch.alpha[here]
        rgb[there] += a[..., None] * (patch.color[here] - rgb[there])
        alpha[there] += a * (1 - alpha[there])
    seen = np.maximum(alpha, 1e-6)[..., None]
    return Target(np.clip(rgb / seen, 0, 1), alpha, (width, height))


def seen_alone(painting: Painting, shapes: Sequence[Shape], target: Target, engine: str = "auto",
               device: str = "auto") -> list[StrokePatch]:
    """What each of the painting's strokes shows of the picture: its own coverage, the picture's colours.

    shapes: the painting's strokes in any order; the patches come in that order.
    """
    alone = isolate(painting, texture=False, engine=engine, device=device)
    number = {shape.id: k for k, shape in enumerate(brushes.shapes(painting))}
    patches = []
    for patch in (alone[number[shape.id]] for shape in shapes):
        (x, y), (h, w) = patch.offset, patch.alpha.shape
        patches.append(replace(patch, color=target.rgb[y:y + h, x:x + w]))
    return patches


def textured(painting: Painting, scale: float = 1.0, engine: str = "auto", device: str = "auto") -> np.ndarray:
    """(H, W, 4) straight RGBA of the painting with its brushes' texture, ``scale`` times as large as the painting."""
    width, height = _size(painting, scale)
    picture = np.zeros((height, width, 4), np.float32)
    if painting.background is not None:
        picture[:] = (*painting.background, 1.0)
    for patch, light in _layers(painting, scale, True, engine, device):
        (x, y), (h, w) = patch.offset, patch.alpha.shape
        under = picture[y:y + h, x:x + w]
        alpha = patch.alpha[..., None]
        under *= 1 - alpha
        under[..., :3] += np.clip(patch.color + light[..., None], 0, 1) * alpha
        under[..., 3:] += alpha
    picture[..., :3] /= np.maximum(picture[..., 3:], 1e-6)
    return np.clip(picture, 0, 1)


def _size(painting: Painting, scale: float) -> tuple[int, int]:
    return max(1, round(painting.width * scale)), max(1, round(painting.height * scale))


def _layers(painting: Painting, scale: float, texture: bool, engine: str,
            device: str) -> Iterator[tuple[StrokePatch, np.ndarray]]:
    """Patches in paint order, each with the light (h, w) that plays on its paint."""
    outlines = [Outline(tuple(loop * scale for loop in o.loops))
                for o in brushes.outlines(painting.strokes, painting.cubics, painting.stamps)]
    for start in range(0, len(outlines), BATCH):
        part = outlines[start:start + BATCH]
        boxes = [_box(outline, *_size(painting, scale)) for outline in part]
        for i, (box, coverage) in enumerate(zip(boxes, _coverages(part, boxes, engine, device), strict=True)):
            yield _layer(painting, start + i, part[i], box, coverage, scale, texture)


def _layer(painting: Painting, i: int, outline: Outline, box: tuple[int, int, int, int], coverage: np.ndarray,
           scale: float, texture: bool) -> tuple[StrokePatch, np.ndarray]:
    strokes = painting.strokes
    x0, y0, x1, y1 = box
    y, x = np.mgrid[y0:y1, x0:x1]
    x, y = (x + 0.5) / scale, (y + 0.5) / scale
    alpha, light = coverage, np.zeros_like(coverage)
    if texture:
        alpha, light = textures.layer(strokes, i, painting.stamps, x, y, coverage, 1 / scale)
    color0, color1 = strokes.color0[i].astype(np.float32), strokes.color1[i].astype(np.float32)
    u = _along(strokes.axis[i].astype(np.float64), x, y)[..., None]
    patch = StrokePatch((alpha * strokes.opacity[i]).astype(np.float32), (color0 + u * (color1 - color0)), (x0, y0),
                        outline, int(strokes.level[i]))
    return patch, light.astype(np.float32)


def _along(axis: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far along an axis (x1, y1, x2, y2) places lie, clamped to [0, 1]; 1 where the axis is a point, as in SVG."""
    dx, dy = axis[2] - axis[0], axis[3] - axis[1]
    length2 = dx * dx + dy * dy
    if length2 < 1e-12:
        return np.ones(x.shape, np.float32)
    return np.clip(((x - axis[0]) * dx + (y - axis[1]) * dy) / length2, 0, 1).astype(np.float32)


def _box(outline: Outline, width: int, height: int) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1) whole px around an outline, inside the picture and never empty."""
    left, top, right, bottom = outline.bounds()
    x0, y0 = min(max(0, int(np.floor(left))), width - 1), min(max(0, int(np.floor(top))), height - 1)
    return x0, y0, max(x0 + 1, min(width, int(np.ceil(right)))), max(y0 + 1, min(height, int(np.ceil(bottom))))


def _coverages(outlines: list[Outline], boxes: list[tuple[int, int, int, int]], engine: str,
               device: str) -> list[np.ndarray]:
    """Exact coverage (h, w) of every outline in its own box."""
    n = len(outlines)
    loops = [outline.loops[0] - box[:2] for outline, box in zip(outlines, boxes, strict=True)]
    each = np.arange(n + 1, dtype=np.int64)
    sizes = np.array([(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes], np.int64)
    topology = Topology(np.concatenate([[0], np.cumsum([len(loop) for loop in loops])]).astype(np.int64), each, each,
                        np.full(n, SOLID, np.uint8), each[:-1], sizes, pieces=12)
    scene = Scene(topology, torch.from_numpy(np.concatenate(loops)).float(), torch.zeros(n, 4), torch.zeros(n),
                  torch.ones(n, 4), torch.ones(n), torch.zeros(n, 4))
    with torch.no_grad():
        flat = render_flat(scene, engine, device).cpu().numpy()[:, 3]
    at = topology.canvas_start
    return [flat[at[i]:at[i + 1]].reshape(sizes[i, 1], sizes[i, 0]) for i in range(n)]
