"""Gaps between strokes, through which the underpainting shows in a colour that does not belong there.

An opaque painting has some: strokes leave a place that they covered, and to the error of the whole picture a speck is
nothing. The eye finds it at once, a red one in a blue sky. A few strokes below all others close them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from ..brushes import dabs
from ..brushes.outlines import TAPE, stamped_points, template_points
from ..color.oklab import difference
from ..geometry.sizes import sizes
from ..model import Color, Outline, Shape, SolidColor, Target
from ..optimize.variables import Freedom, Variables
from ..optimize.visibility import colors_behind, visible
from ..render import render_flat

#: From which share of it on the ground is seen in a pixel, how far (OKLab) it is then from what belongs there, and how
#: many px of it are a hole.
SHOWN, OFF, LEAST = 0.3, 0.045, 1.2
#: How far a stroke that closes a hole reaches beyond it, px of a picture of 512 px; how much longer it is for its
#: bristle ends; its length to width.
BEYOND, ENDS, SHORT, LONG = 3.5, 1.15, 1.7, 6.0
#: A stroke of which less than this share, and less than so many px of a picture of 512 px, is seen is but a sliver.
SLIVER_SHARE, SLIVER = 0.07, 12.0
#: A flat stroke is stray where its colour is so many times as far from what belongs there as the nearest one is, and
#: where no more than this share of the picture is seen of it.
STRAY_FACTOR, STRAY = 1.5, 0.01
#: Which oil template closes holes: a flat one, which covers most of its frame.
TEMPLATE = 0


@dataclass(frozen=True)
class Below:
    """How strokes below all others are made. brush: oil or tape. strokes: how many there may be in all."""

    brush: str
    strokes: int
    engine: str = "auto"
    device: str = "auto"


def closed(shapes: list[Shape], layer: list[int], target: Target, ground: Color,
           how: Below) -> tuple[list[Shape], list[int]]:
    """Strokes, bottom to top, and the layer of each, without slivers and with strokes below that close the holes.

    The worst holes first, as many as there are strokes to be had.
    """
    if not shapes:
        return shapes, layer
    kept = ~_slivers(shapes, target, ground, how)
    shapes = [shape for shape, keep in zip(shapes, kept, strict=True) if keep]
    layer = [own for own, keep in zip(layer, kept, strict=True) if keep]
    if not shapes:
        return shapes, layer
    patches = _patches(shapes, target, ground, how)[:max(0, how.strokes - len(shapes))]
    return [*patches, *shapes], [layer[0]] * len(patches) + layer


def most_seen(shapes: list[Shape], layer: list[int], target: Target, count: int, engine: str = "auto",
              device: str = "auto") -> tuple[list[Shape], list[int]]:
    """The ``count`` opaque strokes in one colour each of which most is seen, and the layer of each, without those that
    are seen only where another of the colours belongs; all of the others where they are no more."""
    kept = ~_misplaced(shapes, target, engine, device)
    shapes = [shape for shape, keep in zip(shapes, kept, strict=True) if keep]
    layer = [own for own, keep in zip(layer, kept, strict=True) if keep]
    if len(shapes) <= count:
        return shapes, layer
    seen = visible(shapes, target.width, target.height, (0.0, 0.0, 0.0, 0.0), engine, device)
    kept = np.sort(np.argsort(-seen, kind="stable")[:count])
    return [shapes[k] for k in kept], [layer[k] for k in kept]


def _misplaced(shapes: list[Shape], target: Target, engine: str, device: str) -> np.ndarray:
    """(N,) bool: which flat shapes are seen where the picture is much closer to another shape's colour: what other
    layers left over of them."""
    own = np.array([shape.fill.color for shape in shapes if isinstance(shape.fill, SolidColor)])
    if len(own) < len(shapes) or not shapes:
        return np.zeros(len(shapes), bool)
    seen, wanted = colors_behind(shapes, target, engine, device)
    apart = difference(wanted[:, None], np.unique(own, axis=0)[None]).min(1)
    small = seen < STRAY * target.width * target.height
    misplaced: np.ndarray = small & (difference(wanted, own) > STRAY_FACTOR * apart + OFF)
    return misplaced


def _slivers(shapes: list[Shape], target: Target, ground: Color, how: Below) -> np.ndarray:
    """(N,) bool: of which strokes so little is seen that it disturbs rather than shows anything."""
    unit = max(target.width, target.height) / 512
    seen = visible(shapes, target.width, target.height, (*ground, 1.0), how.engine, how.device)
    own = np.maximum(sizes(shapes) ** 2, 1e-6)
    slivers: np.ndarray = (seen < SLIVER * unit * unit) & (seen < SLIVER_SHARE * own)
    return slivers


def _patches(shapes: list[Shape], target: Target, ground: Color, how: Below) -> list[Shape]:
    """A stroke for each hole, that of the most error first."""
    bare = _bare(shapes, target, how) * target.alpha
    apart = difference(target.rgb.astype(np.float64), np.broadcast_to(np.array(ground), target.rgb.shape))
    hole = (bare > SHOWN) & (apart > OFF)
    number, count = ndimage.label(ndimage.binary_dilation(hole, np.ones((3, 3))), np.ones((3, 3)))
    number[~hole] = 0
    found = []
    for k, place in enumerate(ndimage.find_objects(number, count), 1):
        if place is None:
            continue
        own = np.where(number[place] == k, bare[place], 0)
        if own.sum() >= LEAST:
            patch = _patch(own, target.rgb[place], (place[1].start, place[0].start), target, how.brush)
            found.append((float((own * apart[place] ** 2).sum()), patch))
    return [patch for _wrong, patch in sorted(found, key=lambda pair: -pair[0])]


def _bare(shapes: list[Shape], target: Target, how: Below) -> np.ndarray:
    """(H, W) in [0, 1]: how much of the ground is seen."""
    nothing = (0.0, 0.0, 0.0, 0.0)
    variables = Variables(shapes, target.width, target.height, nothing, Freedom())
    with torch.no_grad():
        flat = render_flat(variables.scene(), how.engine, how.device)
    bare: np.ndarray = 1 - flat[:, 3].cpu().numpy().reshape(target.height, target.width)
    return bare


def _patch(bare: np.ndarray, rgb: np.ndarray, corner: tuple[int, int], target: Target, brush: str) -> Shape:
    """A stroke over a hole. bare, rgb: (h, w) and (h, w, 3), the hole in its box, whose corner is at x, y px."""
    beyond = BEYOND * max(target.width, target.height) / 512
    y, x = np.nonzero(bare)
    weight = bare[y, x]
    points = np.stack([x, y], 1) + np.array(corner) + 0.5
    red, green, blue = np.average(rgb[y, x], 0, weight).tolist()
    axis = np.linalg.eigh(np.cov(points.T, aweights=weight) + 1e-3 * np.eye(2))[1][:, 1] if len(points) > 1 else (
        np.array([1.0, 0.0]))
    along, across = points @ axis, points @ np.array([-axis[1], axis[0]])
    length, width = ENDS * np.ptp(along) + 1 + 2 * beyond, np.ptp(across) + 1 + 2 * beyond
    length = max(length, SHORT * width)
    width = max(width, length / LONG)
    middle = (along.max() + along.min()) / 2 * axis + (across.max() + across.min()) / 2 * np.array([-axis[1], axis[0]])
    shape = torch.tensor([[*middle.tolist(), length, width, float(np.arctan2(axis[1], axis[0])), 0.0, 0.0, 0.0]],
                         dtype=torch.float64)
    loops = dabs.loaded(TEMPLATE) if brush == "oil" else (template_points(TAPE)[0].double().numpy(),)
    outline = tuple(stamped_points(shape, torch.from_numpy(loop)[None])[0].numpy() for loop in loops)
    return Shape(Outline(outline), SolidColor((red, green, blue)), brush=brush)
