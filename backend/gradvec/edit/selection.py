"""Jobs on given shapes: refine some of a drawing, fit their gradients anew, trace rasters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ..errors import InputError, UsageError
from ..geometry.inside import inside
from ..gradients.fills import fit
from ..io import images
from ..io.stroke_folder import unmix
from ..model import Document, Outline, Shape, StrokePatch, Target
from ..optimize import refine
from ..options import Options
from ..progress import Run
from ..settings import edit_settings, outline_settings, working_size
from ..stages import outline
from ..stages.refine import prepared, tidy
from .workspace import Workspace, bounds

STEPS = 150
#: Room around the selected strokes that is looked at too, as a share of their extent.
MARGIN = 0.5
WHAT = ("both", "outlines", "gradients")
BARE = (0.0, 0.0, 0.0, 0.0)


def refine_some(picture: bytes, drawing: Document, selected: Collection[str], what: str, options: Options,
                run: Run) -> list[Shape]:
    """Refines the selected shapes of a drawing against the picture; all others stay and are painted over and under.

    Args:
        what: "both", "outlines" or "gradients".

    Returns:
        The selected shapes that still show, in paint order.

    Raises:
        UsageError: ``what`` is none of the three. InputError: none of the ids is in the drawing.
    """
    if what not in WHAT:
        raise UsageError(f"Refining {what!r} is not known.", f"Choose one of {', '.join(WHAT)}.")
    chosen = [s for s in drawing.shapes if s.id in set(selected)]
    if not chosen:
        raise InputError("None of the selected paths was found in the drawing.", "Select strokes that gradvec painted.")
    space = Workspace.open(picture, working_size(options, len(chosen)), drawing.width, drawing.height,
                           bounds(chosen, MARGIN))
    ids = {s.id for s in chosen}
    around = [s for s in space.into(drawing.shapes) if s.id in ids or space.touches(s)]
    settings = edit_settings(options, STEPS, frozenset(s.id for s in around if s.id not in ids),
                             outlines=what != "gradients", fills=what != "outlines")
    shapes = [prepared(s, settings) if s.id in ids else s for s in around]
    refined = refine(shapes, space.target, BARE, settings.plan, run).shapes
    return space.back(tidy([s for s in refined if s.id in ids], refined, space.target, BARE, settings, run))


def refit(picture: bytes, drawing: Document, options: Options, run: Run) -> list[Shape]:
    """The same outlines with fills fitted to the picture under them, by options.gradient.

    A shape of which nothing lies over the picture keeps its fill.
    """
    shapes = drawing.shapes
    space = Workspace.open(picture, working_size(options, len(shapes)), drawing.width, drawing.height, bounds(shapes))
    moved = space.into(shapes)
    patches = [patch_under(space.target, s.outline) for s in moved]
    seen = [i for i, patch in enumerate(patches) if patch is not None]
    found = fit([p for p in patches if p is not None], [moved[i].outline for i in seen], options.gradient, run)
    filled = dict(zip(seen, found, strict=True))
    back = space.back([replace(s, fill=filled.get(i, s.fill)) for i, s in enumerate(moved)])
    return [replace(new, outline=old.outline) for new, old in zip(back, shapes, strict=True)]


def patch_under(target: Target, shape: Outline) -> StrokePatch | None:
    """What of the picture lies under an outline, as if it were a stroke; None where nothing does."""
    left, top, right, bottom = shape.bounds()
    x0, y0 = max(int(left), 0), max(int(top), 0)
    x1, y1 = min(int(np.ceil(right)), target.width), min(int(np.ceil(bottom)), target.height)
    if x1 <= x0 or y1 <= y0:
        return None
    alpha = inside(shape, x0, y0, x1 - x0, y1 - y0).astype(np.float32) * target.alpha[y0:y1, x0:x1]
    if alpha.max() < 0.5:
        return None
    return StrokePatch(alpha, target.rgb[y0:y1, x0:x1].astype(np.float32), (x0, y0), shape)


def _loaded(raster: bytes, size: images.Size) -> Target | None:
    """The raster at working size; None where it is bare."""
    try:
        return images.load(raster, size)
    except InputError as error:
        if error.code == "input.nothing":
            return None
        raise


def trace(rasters: dict[str, bytes], options: Options, run: Run) -> tuple[list[Shape], dict[str, str]]:
    """Every raster with transparency, or on white ground, as one stroke, in its own px.

    Returns:
        Shapes stroke-0001, ... and which raster each came from; a raster that shows nothing has none.
    """
    patches, names, spaces = [], [], []
    for name in sorted(rasters):
        target = _loaded(rasters[name], working_size(options, 1))
        if target is None:
            continue
        if target.opaque:
            alpha, color = unmix(target.rgb)
        else:
            alpha, color = target.alpha, target.rgb
        if alpha.max() < 0.5:
            continue
        patches.append(StrokePatch(alpha, color, (0, 0)))
        names.append(name)
        scale = target.width / target.source_size[0], target.height / target.source_size[1]
        spaces.append(Workspace(target, scale, (0.0, 0.0)))
    shapes, origin = [], {}
    outlines = outline.fit(patches, outline_settings(options), run)
    pairs = [(k, one) for k, some in enumerate(outlines) for one in some]
    found = fit([patches[k] for k, _ in pairs], [one for _, one in pairs], options.gradient, run)
    for n, ((k, one), fill) in enumerate(zip(pairs, found, strict=True), 1):
        name = f"stroke-{n:04d}"
        shapes += spaces[k].back([Shape(one, fill, id=name, label=f"stroke {n}")])
        origin[name] = names[k]
    return shapes, origin
