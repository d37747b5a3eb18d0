"""The way of the data, on one page:

    picture -> Target -> Painting -> Shapes in layers -> joint refinement -> Document
    folder of strokes -> StrokePatches -> Outlines -> Shapes in layers -> joint refinement -> Document
    picture -> Target -> (paths where it is most wrong -> joint refinement), stage by stage -> Document

Each arrow hands over a plain type of gradvec.model; the stages do not know each other, and none knows Options:
settings.py translates them into what each stage takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import looks, settings
from .brushes.stamps import stamp_from_paint
from .color import ground as grounds
from .color import inks, palette
from .errors import InputError
from .frame import Frame, Result
from .io import images
from .io.crop import Crop
from .io.stroke_folder import read_folder
from .model import Painting, Shape, StrokePatch, Target
from .options import Options
from .progress import Run
from .stages import fills, isolate, layers, outline, paper, soft_edges
from .stages.paint import paint
from .stages.refine import refine_layers
from .stages.vectorize.build import build
from .stages.vectorize.schedule import stages


def paint_picture(source: Path | bytes, options: Options, run: Run | None = None, name: str = "",
                  detail_map: Path | bytes | None = None, own_brushes: Sequence[Path | bytes] = (),
                  guides: Sequence[np.ndarray] = (), draft: Crop | None = None) -> Result:
    """Paints a picture with brush strokes and makes every stroke an editable gradient path.

    Args:
        source: a picture's path or bytes. name: what the picture is called, for the document's metadata.
        detail_map: a picture that is bright where strokes are to be small and many. own_brushes: pictures of one dab
            each, which replace the oil brush's templates. guides: polylines (n, 2), shares of the picture's width and
            height, that strokes near them run along. draft: paint a quick draft of this part of the picture.

    Raises:
        InputError: a picture cannot be used. Cancelled: the user cancelled. EngineError: the engine failed.
    """
    if looks.look_of(options.look).job == "vectorize" and draft is None:
        return vectorize_picture(source, options, run, name=name)
    options = options if detail_map is None else settings.with_detail_map(options)
    options = options if draft is None else settings.drafted(options)
    frame = Frame("paint", options, run, name, source)
    with frame.stage("Reading the picture", key="read", until=0.02):
        picture = images.load(source, options.size) if draft is None else draft.read(source, options.size)
        options = frame.options = settings.with_inks(options, picture)
        own_inks = settings.ink_colors(options)
        target = paper.left_bare(picture, *settings.bare_paper(options))
        target = target if own_inks is None else inks.printed(target, own_inks)
        mask = () if settings.fixed_background(options) != "auto" else soft_edges.soft_mask(picture)
        target = soft_edges.whole(target) if mask else target
        dabs = [stamp_from_paint(images.dab(picture)) for picture in own_brushes]
        bright = None if detail_map is None else images.brightness(detail_map, options.size)
    with frame.stage("Painting", key="paint", until=settings.painted_at(options)):
        how, refining = settings.draft_settings(options) if draft is not None else (
            settings.paint_settings(options, settings.painting_effort(options)), settings.refine_settings(options))
        lines = [np.asarray(line, float) * (target.width, target.height) for line in guides]
        painting = paint(target, how, frame.run, bright, dabs, lines)
        painting = palette.with_ground(painting) if settings.snaps_ground(options) else painting
    with frame.stage("Vectorizing strokes", key="vectorize", until=settings.painted_at(options) + 0.03):
        target = grounds.on_ground(target, painting.background)
        shapes, layer, patches = _vectorized(painting, target, options, frame.run)
    with frame.stage("Refining", key="refine", until=0.97):
        shapes, layer, refined = refine_layers(shapes, layer, target, painting.background, refining, frame.run)
        shapes = paper.with_rims(shapes, options.fidelity)
        shapes, layer = (shapes, layer) if own_inks is None else inks.without_hairs(shapes, layer)
    shown = grounds.on_ground(picture, painting.background)
    return frame.finished(shapes, layer, painting.background, shown, refined, painting, patches, mask)


def vectorize_strokes(folder: Path, options: Options, run: Run | None = None) -> Result:
    """Makes every stroke picture of a folder, in paint order, an editable gradient path: the second half alone.

    Raises:
        InputError: no strokes in the folder, or of different sizes.
    """
    frame = Frame("strokes", options, run, folder.name)
    with frame.stage("Reading the strokes", key="read", until=0.15):
        patches, size = read_folder(folder, frame.run)
    with frame.stage("Outlining strokes", key="outline", until=0.5):
        shapes = _from_patches(patches, options, frame.run)
    if not shapes:
        raise InputError(f"None of the {len(patches)} strokes in {folder} shows anything.",
                         "Use pictures of single strokes on a white or transparent ground.")
    with frame.stage("Refining", key="refine", until=0.97):
        target = isolate.composited(patches, *size)
        ground = grounds.choose_ground(settings.fixed_background(options), target.alpha, grounds.white)
        target = grounds.on_ground(target, ground)
        shapes, layer = layers.assign(shapes, options.layers, keep_order=True)
        shapes, layer, refined = refine_layers(shapes, layer, target, ground,
                                                settings.refine_settings(options, traced=True), frame.run)
    return frame.finished(shapes, layer, ground, target, refined, None, patches)


def vectorize_picture(source: Path | bytes, options: Options, run: Run | None = None,
                      schedule: Sequence[int] | None = None, name: str = "") -> Result:
    """Builds a picture up from paths, stage by stage where the largest coherent error is, without painting it.

    Args:
        source: a picture's path or bytes. name: what the picture is called, for the document's metadata.
        schedule: how many paths each stage adds; None: 1, 1, 2, 4, ... up to options.strokes. Each stage is a layer,
            unless options.layers is none.

    Raises:
        InputError: the picture cannot be used. Cancelled: the user cancelled. EngineError: the engine failed.
    """
    frame = Frame("vectorize", options, run, name, source, tuple(schedule or stages(options.strokes)))
    with frame.stage("Reading the picture", key="read", until=0.02):
        target = images.load(source, options.size)
    with frame.stage("Adding paths", key="build", until=0.97):
        built = build(target, frame.schedule, settings.vectorize_settings(options), frame.run)
    return frame.finished(built.shapes, built.stage, built.ground, target, built.report)


def _vectorized(painting: Painting, target: Target, options: Options,
                run: Run) -> tuple[list[Shape], list[int], list[StrokePatch]]:
    """Strokes as paths in layers. A painted stroke's outline is known exactly; its isolated picture is asked for only
    where the K-means gradients, or several paths a stroke, are wanted."""
    shapes = isolate.as_shapes(painting, settings.keeps_brushes(options))
    shapes, layer = layers.assign(shapes, options.layers, keep_order=False)
    patches: list[StrokePatch] = []
    if options.gradient == "kmeans":
        patches = isolate.isolate(painting, engine=options.engine, device=options.device)
        shapes, layer = layers.assign(_from_patches(patches, options, run), options.layers, keep_order=False)
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


def _from_patches(patches: list[StrokePatch], options: Options, run: Run) -> list[Shape]:
    """Every patch as one or more shapes: outline, then fill."""
    outlined = settings.outline_settings(options)
    outlines = outline.fit(patches, outlined, run)
    parts = outline.parts(patches, outlines, outlined)
    return fills.fill(parts, outlines, settings.fill_settings(options), run)
