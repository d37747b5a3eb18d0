"""The way of the data, on one page:

    picture -> Target -> Painting -> Shapes in layers -> joint refinement -> Document
    folder of strokes -> StrokePatches -> Outlines -> Shapes in layers -> joint refinement -> Document
    saved strokes -> Painting -> Shapes in layers -> Document
    picture -> Target -> Lines along edges and for tone -> joint refinement -> Document
    picture -> Target -> (paths where it is most wrong -> joint refinement), stage by stage -> Document

Each arrow hands over a plain type of gradvec.model. Stages do not know each other, nor Options: see settings.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import looks, settings
from .color import ground as grounds
from .io import images
from .io.crop import Crop, load_part
from .io.params import Params
from .io.stroke_folder import read_folder
from .joining import (
    Subject,
    composited,
    in_px,
    in_style,
    looked_at,
    mended,
    painted,
    shapes_of_folder,
    shapes_of_painting,
)
from .options import Options
from .progress import Run
from .render.memory import give_back_at_once
from .stages import layers, paper
from .stages.lines.draw import draw as lines_of
from .stages.refine import refine_layers
from .workflow import Result, Workflow


def paint_picture(source: Path | bytes, options: Options, run: Run | None = None, name: str = "",
                  detail_map: Path | bytes | None = None, own_brushes: Sequence[Path | bytes] = (),
                  guides: Sequence[np.ndarray] = (), draft: Crop | None = None,
                  style: Path | bytes | None = None, strokes: Params | None = None) -> Result:
    """Paints a picture with brush strokes and makes every stroke an editable gradient path.

    Args:
        source: a picture's path or bytes. name: what the picture is called, for the document's metadata.
        detail_map: a picture that is bright where strokes are to be small and many. own_brushes: pictures of one dab
            each, in place of the oil brush's templates. guides: polylines (n, 2), shares of the picture's width and
            height, that strokes run along. draft: paint a quick draft of this part. style: a picture that gives its
            colours, and the sizes, turns and opacity of its strokes. strokes: of an earlier painting, to begin with.

    Raises:
        InputError: a picture cannot be used. Cancelled: the user cancelled. EngineError: the engine failed.
    """
    job = looks.look_of(options.look).job
    if job == "lines":
        return draw_picture(source, options, run, name, guides, draft)
    if job == "vectorize" and draft is None:
        return vectorize_picture(source, options, run, name=name, style=style, detail_map=detail_map)
    options = settings.for_painting(options, detail_map is not None, draft is not None)
    flow = Workflow("paint", options, run, name, source, style=style)
    with flow.stage("Reading the picture", key="read", until=0.02):
        subject = Subject.read(source, options, draft, style, detail_map, own_brushes, guides)
        options = flow.options = subject.options
        give_back_at_once(subject.target.width * subject.target.height)
    with flow.stage("Painting", key="paint", until=settings.painted_at(options)):
        how, refining = settings.painter_settings(options, draft is not None, subject.manner)
        painting = painted(subject, how, strokes, flow.run)
    with flow.stage("Vectorizing strokes", key="vectorize", until=settings.painted_at(options) + 0.03):
        subject = subject.on_ground(painting.background)
        shapes, layer, patches = shapes_of_painting(painting, subject.small, options, flow.run)
        shapes = subject.view.back(shapes)
    with flow.stage("Refining", key="refine", until=0.97):
        shapes, layer, refined = refine_layers(shapes, layer, subject.target, painting.background, refining, flow.run,
                                               subject.attention)
        shapes, layer = mended(shapes, layer, subject, painting.background, flow.run)
        shapes = paper.with_rims(shapes, options.fidelity)
    return flow.finished(shapes, layer, painting.background, subject.picture, refined, painting, patches, subject.mask)


def draw_picture(source: Path | bytes, options: Options, run: Run | None = None, name: str = "",
                 guides: Sequence[np.ndarray] = (), draft: Crop | None = None) -> Result:
    """Draws a picture with open lines along its edges and for its tone. Args and errors: as :func:`paint_picture`."""
    flow = Workflow("lines", settings.for_painting(options, False, draft is not None), run, name, source)
    with flow.stage("Reading the picture", key="read", until=0.02):
        target = load_part(source, settings.painted_size(flow.options), draft)
    with flow.stage("Drawing lines", key="draw", until=0.97):
        how = settings.line_settings(flow.options, target, draft is not None)
        lines, report = lines_of(target, how, in_px(guides, target, draft), flow.run)
    return flow.drawn(lines, how.paper, grounds.on_ground(target, how.paper), report)


def vectorize_strokes(folder: Path, options: Options, run: Run | None = None) -> Result:
    """Makes every stroke picture of a folder, in paint order, an editable gradient path: the second half alone.

    Raises:
        InputError: no strokes in the folder, or of different sizes.
    """
    flow = Workflow("strokes", options, run, folder.name)
    with flow.stage("Reading the strokes", key="read", until=0.15):
        patches, size = read_folder(folder, flow.run)
    with flow.stage("Outlining strokes", key="outline", until=0.5):
        shapes = shapes_of_folder(patches, folder, options, flow.run)
    with flow.stage("Refining", key="refine", until=0.97):
        target, ground = composited(patches, size, options)
        shapes, layer = layers.assign(shapes, options.layers, keep_order=True)
        refining = settings.refine_settings(options, traced=True)
        shapes, layer, refined = refine_layers(shapes, layer, target, ground, refining, flow.run)
    return flow.finished(shapes, layer, ground, target, refined, None, patches)


def vectorize_picture(source: Path | bytes, options: Options, run: Run | None = None,
                      schedule: Sequence[int] = (), name: str = "", style: Path | bytes | None = None,
                      detail_map: Path | bytes | None = None) -> Result:
    """Builds a picture up from paths where the largest coherent error is, without painting it.

    Schedule is how many paths each stage adds; empty: 1, 1, 2, 4, ... up to options.strokes. Each stage is a layer,
    unless options.layers is none. The rest as in :func:`paint_picture`.
    """
    from .stages.vectorize.build import build  # brings spatial trees and hulls, which painting never needs
    from .stages.vectorize.schedule import stages

    options = settings.for_painting(options, detail_map is not None, False)
    flow = Workflow("vectorize", options, run, name, source, tuple(schedule or stages(options.strokes)), style)
    with flow.stage("Reading the picture", key="read", until=0.02):
        target = in_style(images.load(source, settings.working_size(options, options.strokes)), style, options)[0]
        attention = looked_at(target, detail_map, options, max(target.width, target.height))
    with flow.stage("Adding paths", key="build", until=0.97):
        built = build(target, flow.schedule, settings.vectorize_settings(options), flow.run, attention)
    return flow.finished(built.shapes, built.stage, built.ground, target, built.report)
