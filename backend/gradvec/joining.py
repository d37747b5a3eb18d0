"""Where one step of the pipeline is several stages in a row: a picture made ready, strokes as shapes in layers."""

from __future__ import annotations

import numpy as np

from . import settings
from .brushes import again
from .color import inks, palette
from .io.params import Params
from .model import Document, Painting, Shape, StrokePatch, Target
from .options import Options
from .progress import Run
from .render.predict import predict
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


def once_more(strokes: Params, options: Options, width: int, height: int) -> Painting:
    """Saved strokes as a painting of width x height px, with the brush and the palette that the options name where they
    were painted with others."""
    painting, was = again.scaled(strokes.painting, width, height), strokes.options
    if options.brush != was.brush:
        painting = again.with_brush(painting, options.brush, options.seed)
    own_inks, colors = settings.ink_colors(options), settings.paint_settings(options).palette
    if own_inks is not None:
        return again.with_palette(painting, tuple((r, g, b) for r, g, b in own_inks.tolist()))
    if colors and (options.palette, options.inks) != (was.palette, was.inks):
        painting = again.with_palette(painting, colors, options.seed)
    return painting


def scaled_to(painting: Painting, size: int | None) -> Painting:
    """The painting with its longest side ``size`` px; None: as it is."""
    factor = 1.0 if size is None else size / max(painting.width, painting.height)
    return again.scaled(painting, max(1, round(painting.width * factor)), max(1, round(painting.height * factor)))


def as_target(painting: Painting, options: Options) -> Target:
    """What a painting shows, as a picture; on white where its ground is bare."""
    shapes = layers.name_strokes(isolate.as_shapes(painting))
    built = layers.build(shapes, [0] * len(shapes), "none", painting.background, painting.width, painting.height)
    shown = predict(Document(painting.width, painting.height, built), engine=options.engine, device=options.device)
    return Target(shown, np.ones(shown.shape[:2], np.float32), (painting.width, painting.height))


def shapes_of_patches(patches: list[StrokePatch], options: Options, run: Run) -> list[Shape]:
    """Every patch as one or more shapes: outline, then fill."""
    outlined = settings.outline_settings(options)
    outlines = outline.fit(patches, outlined, run)
    parts = outline.parts(patches, outlines, outlined)
    return fills.fill(parts, outlines, settings.fill_settings(options), run)
