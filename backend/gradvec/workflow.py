"""What every way through the pipeline has around its stages: progress, seconds, and the document at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .io.document import Report, report, run_record
from .model import Color, Document, Layer, Line, Painting, Shape, StrokePatch, Target
from .options import Options
from .progress import Run
from .render import kernel_cache
from .render.predict import predict
from .render.threads import calm_threads
from .stages import layers
from .stages.lines.draw import DrawReport
from .stages.refine import RefineReport
from .stages.soft_focus import softness

if TYPE_CHECKING:
    from .stages.vectorize.build import BuildReport


#: What a run is called while it waits for compiled kernels, and where they cannot be kept.
COMPILING, COMPILING_AGAIN = "Compiling kernels, first run only", "Compiling kernels, which cannot be kept"


@dataclass(frozen=True)
class Result:
    """What a run made.

    target: the picture that was painted. painting: the strokes as painted, before refinement; with an automatic size
    in px of the smaller picture that was painted. patches: the isolated strokes, likewise (only where a stage needed
    them). predicted: (H, W, 3) float32, what the SVG shows on white by our own
    engine.
    """

    document: Document
    target: Target
    painting: Painting | None
    patches: list[StrokePatch]
    predicted: np.ndarray
    report: Report


class Workflow:
    """One run of the pipeline: each stage begins where the one before it ended, as a fraction of the whole run."""

    def __init__(self, job: str, options: Options, run: Run | None, name: str, source: Path | bytes | None = None,
                 schedule: Sequence[int] = (), style: Path | bytes | None = None) -> None:
        self.run = run or Run()
        self.schedule = tuple(schedule)
        self._job, self.options, self._name, self._source = job, options, name, source
        self._style = style
        self._seconds: dict[str, float] = {}
        self._at = 0.0
        calm_threads()
        kept = kernel_cache.usable_folder() is not None
        kernel_cache.on_compile = partial(self.run.aside, COMPILING if kept else COMPILING_AGAIN)

    @contextmanager
    def stage(self, label: str, key: str, until: float) -> Iterator[None]:
        """label: what progress calls it. key: what the report's seconds call it. until: where the run is after it."""
        started = time.perf_counter()
        with self.run.stage(label, self._at, until):
            yield
        self._at = until
        self._seconds[key] = round(time.perf_counter() - started, 2)

    def finished(self, shapes: list[Shape], layer: list[int], ground: Color | None, target: Target,
                 refined: RefineReport | BuildReport, painting: Painting | None = None,
                 patches: Sequence[StrokePatch] = (), mask: Sequence[Shape] = ()) -> Result:
        """The last stage of every way: shapes in layers as a document, and its figures."""
        options = self.options
        if self._job == "vectorize":  # a layer is a stage there, or there is one
            options = replace(options, layers="none" if options.layers == "none" else "level")
            layer = layer if options.layers == "level" else [0] * len(shapes)
        built = layers.build(layers.name_strokes(shapes), layer, options.layers, ground, target.width, target.height)
        return self._written(built, target, refined, painting, patches, mask)

    def drawn(self, lines: list[Line], ground: Color | None, target: Target, report: DrawReport) -> Result:
        """The last stage of a drawing of lines."""
        built = layers.of_lines(lines, self.options.layers, ground, target.width, target.height)
        return self._written(built, target, report)

    def _written(self, built: tuple[Layer, ...], target: Target, refined: RefineReport | BuildReport | DrawReport,
                 painting: Painting | None = None, patches: Sequence[StrokePatch] = (),
                 mask: Sequence[Shape] = ()) -> Result:
        options = self.options
        with self.stage("Writing", key="write", until=1.0):
            meta = run_record(self._job, options, target, self._name, self._source, refined,
                              self.schedule or None, self._style)
            document = Document(target.width, target.height, built, meta, options.texture, tuple(mask))
            predicted = predict(document, engine=options.engine, device=options.device)
            if options.texture == "soft":
                document = replace(document, softness=softness(predicted, target))
        lowest = next((one for one in built if one.key == layers.UNDERPAINTING), None)
        return Result(document, target, painting, list(patches), predicted,
                      report(document, lowest, predicted, target, self._seconds, refined))
