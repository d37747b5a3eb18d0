"""The diffvg engine: an adapter from our scene to the pydiffvg that the user built (docs/diffvg.md).

diffvg (Li et al., "Differentiable Vector Graphics Rasterization for Editing and Learning", SIGGRAPH Asia 2020) samples
where the other engines integrate, so its pictures and derivatives carry noise: SAMPLES x SAMPLES samples a pixel, the
same ones in every call. It computes in float32 and renders one canvas a call.

How a scene is told to it: loops of an outline are paths of one group under the non-zero rule; opacity is multiplied
into the fill; a gradient that is a point becomes its last stop's colour; stops in one place are moved apart by a hair,
because diffvg ends the process where two offsets are equal. It averages straight colours, so a picture with
transparency is put together from two renderings: colour over an opaque ground, and opacity.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from ..errors import EngineError
from .reference import DEGENERATE, flatten, outline_edges
from .scene import ELLIPTIC, RADIAL, SOLID, Scene

#: Samples along each side of a pixel; diffvg's own examples use 2.
SAMPLES = 2
#: Outlines that diffvg can hold over one sample before it ends the process.
MAX_OVERLAP = 256
#: Distance that equal stop offsets are moved apart by.
_HAIR = 1e-5


def render_flat(scene: Scene, samples: int = SAMPLES, seed: int = 0) -> torch.Tensor:
    """(P, 4) premultiplied RGBA of all canvases one after the other; differentiable.

    Raises:
        EngineError: pydiffvg is missing, or more than MAX_OVERLAP outlines lie over each other.
    """
    pydiffvg = load()
    pydiffvg.set_use_gpu(scene.points.is_cuda)
    refuse_what_would_crash(scene)
    single = scene.to(torch.float32)
    canvas = scene.topology.canvas
    pictures = [_canvas(pydiffvg, single, b, np.flatnonzero(canvas == b), samples, seed)
                for b in range(len(scene.topology.sizes))]
    return torch.cat([p.reshape(-1, 4) for p in pictures]).to(scene.points)


def load() -> Any:
    """The pydiffvg module.

    Raises:
        EngineError: it cannot be imported; the remedy says how to get it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own imports are years behind today's Python
            import pydiffvg
        if not hasattr(pydiffvg, "RenderFunction"):  # any folder of that name is a module to Python
            raise ImportError(f"{list(getattr(pydiffvg, '__path__', []))} is not diffvg's")
    except Exception as error:
        raise EngineError("The diffvg engine needs pydiffvg, which cannot be imported here.",
                          "Build it from https://github.com/BachiLi/diffvg into the Python that runs gradvec "
                          "(docs/diffvg.md), or choose another engine.") from error
    return pydiffvg


def refuse_what_would_crash(scene: Scene) -> None:
    """Raises EngineError where more outlines' bounding boxes lie over one pixel than diffvg has room for."""
    t = scene.topology
    begin = flatten(scene)[0].detach().cpu().numpy()
    edges = outline_edges(t)
    deepest = np.zeros(len(t.sizes), np.int64)
    for b, (width, height) in enumerate(t.sizes.tolist()):
        steps = np.zeros((height + 1, width + 1), np.int64)
        for n in np.flatnonzero(t.canvas == b):
            part = begin[edges[n]:edges[n + 1]]
            if len(part):
                x0, y0 = np.clip(np.floor(part.min(0)), 0, (width, height)).astype(int)
                x1, y1 = np.clip(np.floor(part.max(0)) + 1, 0, (width, height)).astype(int)
                steps[y0, x0] += 1
                steps[y1, x0] -= 1
                steps[y0, x1] -= 1
                steps[y1, x1] += 1
        deepest[b] = steps.cumsum(0).cumsum(1).max()
    if deepest.max(initial=0) > MAX_OVERLAP:
        raise EngineError(f"Up to {deepest.max()} outlines lie over one pixel; diffvg has room for {MAX_OVERLAP}.",
                          "Choose engine cpu or cuda, which have no such limit.")


def _canvas(pydiffvg: Any, scene: Scene, b: int, outlines: np.ndarray, samples: int, seed: int) -> torch.Tensor:
    """(H, W, 4) premultiplied picture of canvas ``b``."""
    width, height = scene.topology.sizes[b].tolist()
    ground = scene.background[b]
    solid = torch.cat([ground[:3] * ground[3], torch.ones_like(ground[3:])]).expand(height, width, 4).contiguous()
    if not len(outlines):
        return torch.cat([ground[:3] * ground[3], ground[3:]]).expand(height, width, 4)
    shapes, groups = _shapes(pydiffvg, scene, outlines)
    args = pydiffvg.RenderFunction.serialize_scene(width, height, shapes, groups)
    color = pydiffvg.RenderFunction.apply(width, height, samples, samples, seed, solid, *args)
    if not scene.background.requires_grad and float(ground[3].detach()) == 1.0:
        return color
    clear = torch.cat([torch.zeros_like(ground[:3]), ground[3:]]).expand(height, width, 4).contiguous()
    opacity = pydiffvg.RenderFunction.apply(width, height, samples, samples, seed, clear, *args)
    return torch.cat([color[..., :3], opacity[..., 3:]], -1)


def _shapes(pydiffvg: Any, scene: Scene, outlines: np.ndarray) -> tuple[list[Any], list[Any]]:
    """diffvg's paths, one a loop, and groups, one an outline."""
    t = scene.topology
    shapes: list[Any] = []
    groups: list[Any] = []
    for n in outlines.tolist():
        first = len(shapes)
        for loop in range(int(t.outline_loops[n]), int(t.outline_loops[n + 1])):
            points = scene.points[int(t.loop_points[loop]):int(t.loop_points[loop + 1])]
            handles = torch.full((len(points) // 3,), 2, dtype=torch.int32)
            shapes.append(pydiffvg.Path(handles, points.contiguous(), True, stroke_width=torch.tensor(0.0)))
        groups.append(pydiffvg.ShapeGroup(torch.arange(first, len(shapes), dtype=torch.int32),
                                          _fill(pydiffvg, scene, n), use_even_odd_rule=False))
    return shapes, groups


def _fill(pydiffvg: Any, scene: Scene, n: int) -> Any:
    t = scene.topology
    stops = slice(int(t.stop_index[n]), int(t.stop_index[n + 1]))
    color = scene.stop_color[stops]
    color = torch.cat([color[:, :3], color[:, 3:] * scene.opacity[n]], 1)
    x1, y1, x2, y2 = geometry = scene.geometry[n, :4]
    if t.kind[n] == SOLID:
        return color[0].contiguous()
    if t.kind[n] == ELLIPTIC:
        return _ellipse(pydiffvg, n, geometry[:2], scene.geometry[n, 2:].reshape(2, 2),
                        _apart(scene.stop_offset[stops]), color)
    radial = bool(t.kind[n] == RADIAL)
    length = x2 if radial else torch.hypot(x2 - x1, y2 - y1)
    if float(length.detach()) <= DEGENERATE or len(color) == 1:
        return color[-1].contiguous()
    offset = _apart(scene.stop_offset[stops])
    if radial:
        return pydiffvg.RadialGradient(geometry[:2].contiguous(), torch.stack([x2, x2]), offset, color)
    return pydiffvg.LinearGradient(geometry[:2].contiguous(), geometry[2:].contiguous(), offset, color)


def _ellipse(pydiffvg: Any, n: int, center: torch.Tensor, axes: torch.Tensor, offset: torch.Tensor,
             color: torch.Tensor) -> Any:
    """diffvg knows half axes along x and y only."""
    radii = axes.norm(dim=0)
    if float((axes[:, 0] * axes[:, 1]).sum().abs().detach()) > 1e-4 * float((radii * radii).sum().detach()):
        raise EngineError(f"The radial gradient of outline {n} is a turned ellipse, which diffvg does not have.",
                          "Choose engine cpu or cuda.")
    if len(color) == 1 or float(radii.detach().amin()) <= DEGENERATE:
        return color[-1].contiguous()
    return pydiffvg.RadialGradient(center.contiguous(), radii, offset, color)


def _apart(offset: torch.Tensor) -> torch.Tensor:
    """Offsets that strictly rise, by moving up those that do not."""
    value = offset.detach().tolist()
    for i in range(1, len(value)):
        value[i] = max(value[i], value[i - 1] + _HAIR)
    return (offset + (torch.tensor(value) - offset.detach())).contiguous()
