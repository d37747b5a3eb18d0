"""Where one step of the pipeline is several stages in a row: a picture made ready, strokes as shapes in layers."""

from __future__ import annotations

from . import settings
from .color import inks, palette
from .model import Painting, Shape, StrokePatch, Target
from .options import Options
from .progress import Run
from .stages import fills, isolate, layers, outline, paper, soft_edges


def prepared(picture: Target, options: Options) -> tuple[Target, tuple[Shape, ...]]:
    """What strokes are to show of a picture, and the mask that its soft opacity becomes (no shapes: it has none).

    Light places stay bare where the brush leaves them to the paper; true inks are printed first.
    """
    own_inks = settings.ink_colors(options)
    target = paper.left_bare(picture, *settings.bare_paper(options))
    target = target if own_inks is None else inks.printed(target, own_inks)
    mask = () if settings.fixed_background(options) != "auto" else soft_edges.soft_mask(picture)
    return soft_edges.whole(target) if mask else target, mask


def shapes_of_painting(painting: Painting, target: Target, options: Options,
                run: Run) -> tuple[list[Shape], list[int], list[StrokePatch]]:
    """Strokes as paths in layers. A painted stroke's outline is known exactly; its isolated picture is asked for only
    where the K-means gradients, or several paths a stroke, are wanted."""
    shapes = isolate.as_shapes(painting, settings.keeps_brushes(options))
    shapes, layer = layers.assign(shapes, options.layers, keep_order=False)
    patches: list[StrokePatch] = []
    if options.gradient == "kmeans":
        patches = isolate.isolate(painting, engine=options.engine, device=options.device)
        shapes, layer = layers.assign(shapes_of_patches(patches, options, run), options.layers, keep_order=False)
    elif options.paths_per_stroke > 1:
        seen = isolate.seen_alone(painting, shapes, target, options.engine, options.device)
        outlined, filled = settings.outline_settings(options), settings.fill_settings(options)
        outlines = outline.add_paths(seen, [(shape.outline,) for shape in shapes], outlined, run)
        parts = outline.parts(seen, outlines, outlined)
        shapes, layer = fills.fill_further(shapes, layer, parts, outlines, filled, run)
    own_inks = settings.ink_colors(options)
    if own_inks is not None:
        return *inks.in_order(shapes, own_inks), []
    return (palette.in_palette(shapes, palette.palette_of(painting)) if options.palette else shapes), layer, patches


def shapes_of_patches(patches: list[StrokePatch], options: Options, run: Run) -> list[Shape]:
    """Every patch as one or more shapes: outline, then fill."""
    outlined = settings.outline_settings(options)
    outlines = outline.fit(patches, outlined, run)
    parts = outline.parts(patches, outlines, outlined)
    return fills.fill(parts, outlines, settings.fill_settings(options), run)
