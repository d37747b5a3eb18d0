"""Jobs on an area: repaint it, or add detail where the drawing is least like the picture."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from ..brushes import outlines as brushes
from ..errors import InputError
from ..geometry import cubics
from ..geometry.inside import inside
from ..geometry.scaling import interpolated
from ..io import images
from ..joining import looked_at
from ..model import Document, Outline, Shape, SolidColor, Target
from ..optimize import refine
from ..optimize.reseed import OrientationField, places_by_error
from ..options import Options
from ..progress import Run
from ..render import render
from ..render.scene import scene_from_shapes
from ..settings import edit_settings, paint_settings, working_size
from ..stages.paint import paint
from ..stages.refine import tidy
from .workspace import Workspace, bounds

STEPS = 150
#: Room around the area that is looked at too, as a share of its extent.
MARGIN = 0.05
#: A stroke that lies in the area by this share of itself is replaced.
MOSTLY = 0.5
BARE = (0.0, 0.0, 0.0, 0.0)


def repaint(picture: bytes, drawing: Document, region: Document, options: Options,
            run: Run) -> tuple[list[Shape], list[str], str | None]:
    """Paints the area of ``region`` anew with options.strokes strokes.

    Returns:
        New strokes from bottom to top, ids of the drawing's strokes that they replace, and the id of the topmost of
        those: there the new ones belong (None: on top of everything).

    Raises:
        InputError: the area lies outside the picture or is empty.
    """
    space = Workspace.open(picture, working_size(options, options.strokes), drawing.width, drawing.height,
                           bounds(region.shapes, MARGIN))
    mask = _mask(space, [s.outline for s in space.into(region.shapes)])
    if mask.sum() < 4:
        raise InputError("The selected area does not lie over the picture.", "Draw it where the picture is.")
    shapes = [s for s in space.into(drawing.shapes) if space.touches(s)]
    gone = [s for s in shapes if _share_inside(s.outline, mask) >= MOSTLY]
    removed = {s.id for s in gone}
    target = replace(space.target, alpha=np.where(mask, space.target.alpha, 0).astype(np.float32))
    with run.stage("Painting", 0.0, 0.5):
        plain = replace(options, background="none", mode="progressive")
        painted = brushes.shapes(paint(target, paint_settings(plain), run, looked_at(target, None, plain)))
    at = max((n for n, s in enumerate(shapes) if s.id in removed), default=len(shapes))
    order = [s for s in shapes[:at] if s.id not in removed], painted, [s for s in shapes[at:] if s.id not in removed]
    with run.stage("Refining", 0.5, 1.0):
        new = _settled(*order, space.target, options, run)
    return space.back(new), [s.id for s in gone], gone[-1].id if gone else None


def add_detail(picture: bytes, drawing: Document, options: Options, run: Run,
               detail_map: bytes | None = None) -> list[Shape]:
    """options.strokes new strokes on top, where the drawing differs most from the picture.

    detail_map: a picture that is bright where they may go, and as small as that place asks for; None: anywhere.

    Raises:
        InputError: a picture cannot be read.
    """
    fine = working_size(options, options.strokes + len(drawing.shapes))
    space = Workspace.open(picture, fine, drawing.width, drawing.height)
    shapes = space.into(drawing.shapes)
    target = space.target
    shown = render(scene_from_shapes(shapes, target.width, target.height), options.engine, options.device).numpy()
    wanted = np.concatenate([target.rgb * target.alpha[..., None], target.alpha[..., None]], -1)
    error = ((shown - wanted) ** 2).sum(-1)
    share = 1.0
    if detail_map:
        bright = _bright(detail_map, error.shape)
        error, share = error * bright, max(float(bright.mean()), 1e-3)
    area = share * target.width * target.height
    size = max(3.0, 0.5 * math.sqrt(area / (share * len(shapes) + options.strokes)))
    places = places_by_error(error, options.strokes, target, OrientationField(target),
                             np.random.default_rng(options.seed), size)
    new = [_dab(n, places.centre[n], places.size[n], places.angle[n], places.color[n], options)
           for n in range(options.strokes)]
    return space.back(_settled(shapes, new, [], target, options, run))


def _bright(detail_map: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """(H, W) in [0, 1]: how bright a detail map is, brought to the picture's size."""
    grey = images.brightness(detail_map, max(shape), "The detail map")
    return interpolated(grey[..., None], (shape[0], shape[1]))[..., 0]


def _settled(below: list[Shape], new: list[Shape], above: list[Shape], target: Target, options: Options,
             run: Run) -> list[Shape]:
    """The new shapes, refined between what lies below and above them, which stays."""
    # Ids of the drawing may be the same words; inside the refinement they get a mark that no id of ours has.
    around = [replace(s, id=f"fixed {n}") for n, s in enumerate([*below, *above])]
    settings = edit_settings(options, STEPS, frozenset(s.id for s in around))
    if options.fidelity > 0:
        new = [replace(s, outline=cubics.split(s.outline, options.segments)) for s in new]
    new = [replace(s, id=f"stroke-{n:04d}", label=f"stroke {n}") for n, s in enumerate(new, 1)]
    shapes = [*around[:len(below)], *new, *around[len(below):]]
    refined = refine(shapes, target, BARE, settings.plan, run).shapes
    return tidy([s for s in refined if s.id not in settings.plan.fixed], refined, target, BARE, settings, run)


def _dab(n: int, centre: np.ndarray, size: float, angle: float, color: np.ndarray, options: Options) -> Shape:
    """One stroke of the oil brush, twice as long as wide, of this size (square root of its area, about)."""
    templates = brushes.template_points(brushes.OIL, options.segments)
    shape = torch.tensor([[centre[0], centre[1], 1.5 * size, 0.75 * size, angle, 0, 0, 0]], dtype=torch.float32)
    points = brushes.stamped_points(shape, templates[n % len(templates)][None])[0].numpy()
    r, g, b = (float(v) for v in color)
    return Shape(Outline((points,)), SolidColor((r, g, b)))


def _mask(space: Workspace, outlines: list[Outline]) -> np.ndarray:
    """(H, W) bool: the pixels whose centre lies in one of the outlines."""
    mask = np.zeros(space.target.alpha.shape, bool)
    for one in outlines:
        mask |= inside(one, 0, 0, space.target.width, space.target.height)
    return mask


def _share_inside(outline: Outline, mask: np.ndarray) -> float:
    """How much of an outline lies in the mask; what lies outside the picture counts as outside."""
    height, width = mask.shape
    left, top, right, bottom = outline.bounds()
    x0, y0 = math.floor(left), math.floor(top)
    w, h = min(max(1, math.ceil(right) - x0), 4 * width), min(max(1, math.ceil(bottom) - y0), 4 * height)
    own = inside(outline, x0, y0, w, h)
    ys, xs = np.nonzero(own)
    if not len(ys):
        return 0.0
    ys, xs = ys + y0, xs + x0
    there = (ys >= 0) & (ys < height) & (xs >= 0) & (xs < width)
    return float(mask[ys[there], xs[there]].sum() / len(ys))
