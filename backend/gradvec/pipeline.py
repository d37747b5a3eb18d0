"""The way of the data, on one page:

    picture -> Target -> Painting -> Shapes in layers -> joint refinement -> Document
    folder of strokes -> StrokePatches -> Outlines -> Shapes in layers -> joint refinement -> Document
    picture -> Target -> Lines along edges and for tone -> joint refinement -> Document
    picture -> Target -> (paths where it is most wrong -> joint refinement), stage by stage -> Document

Each arrow hands over a plain type of gradvec.model. Stages do not know each other, nor Options: see settings.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import looks, settings
from .brushes.manner import manner_of
from .brushes.stamps import stamp_from_paint
from .color import ground as grounds
from .color import inks, palette
from .color.transfer import in_colors_of
from .errors import InputError
from .frame import Frame, Result
from .io import images
from .io.crop import Crop
from .io.stroke_folder import read_folder
from .joining import prepared, shapes_of_painting, shapes_of_patches
from .options import Options
from .progress import Run
from .stages import isolate, layers, paper
from .stages.lines.draw import draw as lines_of
from .stages.paint import paint
from .stages.refine import refine_layers


def paint_picture(source: Path | bytes, options: Options, run: Run | None = None, name: str = "",
                  detail_map: Path | bytes | None = None, own_brushes: Sequence[Path | bytes] = (),
                  guides: Sequence[np.ndarray] = (), draft: Crop | None = None,
                  style: Path | bytes | None = None) -> Result:
    """Paints a picture with brush strokes and makes every stroke an editable gradient path.

    Args:
        source: a picture's path or bytes. name: what the picture is called, for the document's metadata.
        detail_map: a picture that is bright where strokes are to be small and many. own_brushes: pictures of one dab
            each, which replace the oil brush's templates. guides: polylines (n, 2), shares of the picture's width and
            height, that strokes near them run along. draft: paint a quick draft of this part of the picture. style: a
            picture whose colours the painting gets, and whose strokes' sizes, turns and opacity.

    Raises:
        InputError: a picture cannot be used. Cancelled: the user cancelled. EngineError: the engine failed.
    """
    job = looks.look_of(options.look).job
    if job == "lines":
        return draw_picture(source, options, run, name, guides, draft)
    if job == "vectorize" and draft is None:
        return vectorize_picture(source, options, run, name=name, style=style)
    options = options if detail_map is None else settings.with_detail_map(options)
    options = options if draft is None else settings.drafted(options)
    frame = Frame("paint", options, run, name, source, style=style)
    with frame.stage("Reading the picture", key="read", until=0.02):
        picture = (images.load(source, settings.working_size(options, options.strokes)) if draft is None
                   else draft.read(source, settings.painted_size(options)))
        reference = None if style is None else images.load(style, settings.painted_size(options), "The style's picture")
        manner = None if reference is None else manner_of(reference, options.seed)
        picture = picture if reference is None else in_colors_of(picture, reference, options.seed)
        view = settings.painted_view(options, picture)
        options = frame.options = settings.with_inks(options, view.target)
        own_inks = settings.ink_colors(options)
        target, mask = prepared(picture, options)
        small = target if view.target is picture else prepared(view.target, options)[0]
        dabs = [stamp_from_paint(images.dab(picture)) for picture in own_brushes]
        bright = None if detail_map is None else images.brightness(detail_map, settings.painted_size(options))
        if draft is not None:
            bright, guides = None if bright is None else draft.plane(bright), draft.lines(guides)
    with frame.stage("Painting", key="paint", until=settings.painted_at(options)):
        how, refining = settings.draft_settings(options, manner) if draft is not None else (
            settings.paint_settings(options, settings.painting_effort(options), manner),
            settings.refine_settings(options, manner=manner))
        lines = [np.asarray(line, float) * (small.width, small.height) for line in guides]
        painting = paint(small, how, frame.run, bright, dabs, lines)
        painting = palette.with_ground(painting) if settings.snaps_ground(options) else painting
    with frame.stage("Vectorizing strokes", key="vectorize", until=settings.painted_at(options) + 0.03):
        target, small = (grounds.on_ground(seen, painting.background) for seen in (target, small))
        shapes, layer, patches = shapes_of_painting(painting, small, options, frame.run)
        shapes = view.back(shapes)
    with frame.stage("Refining", key="refine", until=0.97):
        shapes, layer, refined = refine_layers(shapes, layer, target, painting.background, refining, frame.run)
        shapes = paper.with_rims(shapes, options.fidelity)
        shapes, layer = (shapes, layer) if own_inks is None else inks.without_hairs(shapes, layer)
    shown = grounds.on_ground(picture, painting.background)
    return frame.finished(shapes, layer, painting.background, shown, refined, painting, patches, mask)


def draw_picture(source: Path | bytes, options: Options, run: Run | None = None, name: str = "",
                 guides: Sequence[np.ndarray] = (), draft: Crop | None = None) -> Result:
    """Draws a picture with open lines: contours along its edges, hatching for its tone, refined together.

    Args and errors: as :func:`paint_picture`.
    """
    options = options if draft is None else settings.drafted(options)
    frame = Frame("lines", options, run, name, source)
    with frame.stage("Reading the picture", key="read", until=0.02):
        size = settings.painted_size(options)
        target = images.load(source, size) if draft is None else draft.read(source, size)
        guides = guides if draft is None else draft.lines(guides)
    how = settings.line_settings(options, target, settings.LINE_STEPS if draft is None else settings.DRAFT_STEPS)
    with frame.stage("Drawing lines", key="draw", until=0.97):
        guided = [np.asarray(line, float) * (target.width, target.height) for line in guides]
        lines, report = lines_of(target, how, guided, frame.run)
    return frame.drawn(lines, how.paper, grounds.on_ground(target, how.paper), report)


def vectorize_strokes(folder: Path, options: Options, run: Run | None = None) -> Result:
    """Makes every stroke picture of a folder, in paint order, an editable gradient path: the second half alone.

    Raises:
        InputError: no strokes in the folder, or of different sizes.
    """
    frame = Frame("strokes", options, run, folder.name)
    with frame.stage("Reading the strokes", key="read", until=0.15):
        patches, size = read_folder(folder, frame.run)
    with frame.stage("Outlining strokes", key="outline", until=0.5):
        shapes = shapes_of_patches(patches, options, frame.run)
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
                      schedule: Sequence[int] | None = None, name: str = "",
                      style: Path | bytes | None = None) -> Result:
    """Builds a picture up from paths, stage by stage where the largest coherent error is, without painting it.

    Args:
        source: a picture's path or bytes. name: what the picture is called, for the document's metadata.
        schedule: how many paths each stage adds; None: 1, 1, 2, 4, ... up to options.strokes. Each stage is a layer,
            unless options.layers is none.
        style: a picture whose colours the paths get.

    Raises:
        InputError: the picture cannot be used. Cancelled: the user cancelled. EngineError: the engine failed.
    """
    from .stages.vectorize.build import build  # brings spatial trees and hulls, which painting never needs
    from .stages.vectorize.schedule import stages

    frame = Frame("vectorize", options, run, name, source, tuple(schedule or stages(options.strokes)), style)
    with frame.stage("Reading the picture", key="read", until=0.02):
        target = images.load(source, settings.working_size(options, options.strokes))
        if style is not None:
            target = in_colors_of(target, images.load(style, settings.painted_size(options), "The style's picture"),
                                  options.seed)
    with frame.stage("Adding paths", key="build", until=0.97):
        built = build(target, frame.schedule, settings.vectorize_settings(options), frame.run)
    return frame.finished(built.shapes, built.stage, built.ground, target, built.report)
