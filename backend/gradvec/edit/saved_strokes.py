"""Painting again from saved strokes alone, without the picture that they were painted from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .. import settings
from ..brushes import again
from ..color import palette
from ..io.params import Params
from ..joining import once_more, shapes_of_painting
from ..model import Document, Painting, Target
from ..options import Options
from ..progress import Run
from ..render.predict import predict
from ..stages import isolate, layers, paper
from ..stages.refine import RefineReport, as_they_came
from ..workflow import Result, Workflow


def repaint_strokes(strokes: Params, options: Options, run: Run | None = None, name: str = "") -> Result:
    """Paints again from saved strokes alone: they stay where they are, nothing is refined, and the report compares with
    the strokes as they were saved.

    Args:
        options: what is to be other than it was: size, brush, palette, layers and so on; a look that paints.

    Raises:
        UsageError: the look has no brush strokes. Cancelled: the user cancelled. EngineError: the engine failed.
    """
    flow = Workflow("paint", options, run, name)
    with flow.stage("Painting", key="paint", until=0.6):
        target = as_target(scaled_to(strokes.painting, options.size), options)
        options = flow.options = settings.with_inks(options, target)
        painting = once_more(strokes, options, target.width, target.height)
        painting = palette.with_ground(painting) if settings.snaps_ground(options) else painting
        ground = settings.fixed_background(options)
        painting = painting if ground == "auto" else replace(painting, background=ground)
    with flow.stage("Vectorizing strokes", key="vectorize", until=0.97):
        shapes, layer, patches = shapes_of_painting(painting, target, options, flow.run)
        shapes = as_they_came(shapes, target, settings.refine_settings(options), flow.run)
        shapes = paper.with_rims(shapes, options.fidelity)
    return flow.finished(shapes, layer, painting.background, target, RefineReport.none(), painting, patches)


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
