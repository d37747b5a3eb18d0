"""The way of the data, on one page:

    picture -> target -> Painting -> Shapes in layers -> joint refinement -> Document
    folder of strokes -> StrokePatches -> Outlines -> Fills -> Shapes -> joint refinement -> Document
    picture -> target -> (paths where it is most wrong -> joint refinement), stage by stage -> Document

Each arrow hands over a plain type of gradvec.model; the stages do not know each other.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, few_colors, layers
from .errors import InputError
from .model import Color, Document, Painting, Shape, SolidColor, StrokePatch, Target
from .options import Options
from .progress import Run

#: Share of the painter's rounds and last steps at fidelity 1, where the refinement does most of the work.
FREED_EFFORT = 0.25
#: How strongly a detail map counts unless options.detail says otherwise.
DETAIL = 0.75
#: Pictures of more px are predicted in strips.
STRIP_PIXELS = 4_000_000
#: A stroke whose paint is at least so opaque is taken to be opaque: its edges alone make it seem thinner.
OPAQUE = 0.95


@dataclass(frozen=True)
class Result:
    """What a run made.

    target: the picture that was painted, None where strokes came without one. painting: the strokes as painted,
    before refinement. patches: the isolated strokes (only where a stage needed them). predicted: (H, W, 3) float32,
    what the SVG shows on white by our own engine. report: figures in plain JSON types.
    """

    document: Document
    target: Target | None
    painting: Painting | None
    patches: list[StrokePatch]
    predicted: np.ndarray
    report: dict[str, Any] = field(default_factory=dict)


def paint_picture(source: Path | bytes, options: Options, run: Run | None = None, name: str = "",
                  detail_map: Path | bytes | None = None, own_brushes: Sequence[Path | bytes] = ()) -> Result:
    """Paints a picture with brush strokes and makes every stroke an editable gradient path.

    Args:
        source: a picture's path or bytes. name: what the picture is called, for the document's metadata.
        detail_map: a picture that is bright where strokes are to be small and many; options.detail says how strongly,
            0 meaning :data:`DETAIL`. own_brushes: pictures of one dab each, which replace the oil brush's templates.

    Raises:
        InputError: a picture cannot be used. Cancelled: the user cancelled. EngineError: the engine failed.
    """
    from . import images
    from .paint import brushes, paint
    from .paint.stamps import stamp_from_picture
    from .paper import left_bare, with_rims
    from .render.threads import calm_threads
    from .rules import HELD, rules_of

    run, clock = run or Run(), _Clock()
    calm_threads()
    with run.stage("Reading the picture", 0.0, 0.02), clock("read"):
        target = shown = images.load(source, options.size)
        stamps = [stamp_from_picture(picture) for picture in own_brushes]
        bright = None
        if detail_map is not None:
            bright = images.brightness(detail_map, options.size)
            options = replace(options, detail=options.detail or DETAIL)
    # Where the bar is when the painting is done: free outlines shift work to the refinement.
    painted = 0.65 - 0.4 * options.fidelity
    if options.background.startswith("#"):
        target = left_bare(target, _hex(options.background), rules_of(options.brush, options.fidelity).paper)
    with run.stage("Painting", 0.02, painted), clock("paint"):
        painting = paint(target, options, run, bright, stamps, 1 - (1 - FREED_EFFORT) * options.fidelity)
        if options.palette and painting.background is not None and options.background == "auto":
            under = few_colors.nearest(painting.background, few_colors.palette_of(painting))
            painting = replace(painting, background=under)
    with run.stage("Vectorizing strokes", painted, painted + 0.03), clock("vectorize"):
        ground = painting.background
        target = _on_ground(target, ground)
        shapes, layer = layers.assign(brushes.shapes(painting, fine=options.fidelity <= HELD), options.layers, keep_order=False)
        shapes, layer, patches = _vectorized(painting, shapes, layer, target, options, run)
        if options.palette:
            shapes = few_colors.in_palette(shapes, few_colors.palette_of(painting))
    with run.stage("Refining", painted + 0.03, 0.97), clock("refine"):
        shapes, layer, report = _refined(shapes, layer, target, ground, options, run)
        shapes = with_rims(shapes, options.fidelity)
    with run.stage("Writing", 0.97, 1.0), clock("write"):
        meta = _meta("paint", options, target, name or (source.name if isinstance(source, Path) else ""), source,
                     report)
        document = _document(shapes, layer, options, ground, target.width, target.height, meta)
        predicted = predict(document)
    return Result(document, target, painting, patches, predicted,
                  _report(document, report, clock, predicted, _on_ground(shown, ground)))


def vectorize_strokes(folder: Path, options: Options, run: Run | None = None) -> Result:
    """Makes every stroke picture of a folder, in paint order, an editable gradient path: the second half alone.

    Raises:
        InputError: no strokes in the folder, or of different sizes.
    """
    from .render.threads import calm_threads
    from .stroke_folder import read_folder

    run, clock = run or Run(), _Clock()
    calm_threads()
    with run.stage("Reading the strokes", 0.0, 0.15), clock("read"):
        patches, (width, height) = read_folder(folder)
    with run.stage("Outlining strokes", 0.15, 0.5), clock("outline"):
        shapes = _from_patches(patches, options, run)
    if not shapes:
        raise InputError(f"None of the {len(patches)} strokes in {folder} shows anything.",
                         "Use pictures of single strokes on a white or transparent ground.")
    with run.stage("Refining", 0.5, 0.97), clock("refine"):
        target = _composited(patches, width, height)
        ground = _ground(options, target)
        target = _on_ground(target, ground)
        shapes, layer = layers.assign(shapes, options.layers, keep_order=True)
        shapes, layer, report = _refined(shapes, layer, target, ground, options, run, traced=True)
    with run.stage("Writing", 0.97, 1.0), clock("write"):
        meta = _meta("strokes", options, target, folder.name, None, report)
        document = _document(shapes, layer, options, ground, width, height, meta)
        predicted = predict(document)
    return Result(document, target, None, patches, predicted, _report(document, report, clock, predicted, target))


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
    from . import images
    from .live.schedule import stages
    from .live.work import build
    from .render.threads import calm_threads

    run, clock = run or Run(), _Clock()
    calm_threads()
    with run.stage("Reading the picture", 0.0, 0.02), clock("read"):
        target = images.load(source, options.size)
    with run.stage("Adding paths", 0.02, 0.97), clock("build"):
        built = build(target, tuple(schedule or stages(options.strokes)), options, run)
    with run.stage("Writing", 0.97, 1.0), clock("write"):
        meta = _meta("vectorize", options, target, name or (source.name if isinstance(source, Path) else ""), source,
                     built.report)
        meta["schedule"] = list(schedule or stages(options.strokes))
        stage = built.stage if options.layers != "none" else [0] * len(built.shapes)
        grouped = options if options.layers == "none" else replace(options, layers="level")
        document = _document(built.shapes, stage, grouped, built.ground, target.width, target.height, meta)
        predicted = predict(document)
    return Result(document, target, None, [], predicted, _report(document, built.report, clock, predicted, target))


def predict(document: Document, background: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
            engine: str = "auto") -> np.ndarray:
    """(H, W, 3) float32: what a viewer shows of the document on an opaque background.

    In strips, so that a large picture takes little more memory than itself.
    """
    from .render import render
    from .render.scene import scene_from_shapes
    from .scaling import scaled

    picture = np.empty((document.height, document.width, 3), np.float32)
    step = max(64, STRIP_PIXELS // document.width)
    for top in range(0, document.height, step):
        bottom = min(top + step, document.height)
        shapes = document.shapes
        if document.height > step:
            shapes = [scaled(s, (1.0, 1.0), (0.0, -float(top))) for s in shapes if _reaches(s, top, bottom)]
        strip = render(scene_from_shapes(shapes, document.width, bottom - top, background), engine)
        picture[top:bottom] = strip[..., :3].numpy()
    return picture


def _reaches(shape: Shape, top: float, bottom: float) -> bool:
    _, above, _, below = shape.outline.bounds()
    return below > top and above < bottom


# -- stages in between ------------------------------------------------------------------------------------------------


def _vectorized(painting: Painting, shapes: list[Shape], layer: list[int], target: Target, options: Options,
                run: Run) -> tuple[list[Shape], list[int], list[StrokePatch]]:
    """Strokes as paths. A painted stroke's outline is known exactly; its isolated picture is asked only where the
    K-means gradients are wanted."""
    from .isolate import isolate

    if options.gradient != "kmeans":
        if options.paths_per_stroke > 1:
            shapes, layer = _with_further_paths(painting, shapes, layer, target, options, run)
        return shapes, layer, []
    patches = isolate(painting)
    fitted = _from_patches(patches, options, run)
    fitted, layer = layers.assign(fitted, options.layers, keep_order=False)
    return fitted, layer, patches


def _with_further_paths(painting: Painting, shapes: list[Shape], layer: list[int], target: Target, options: Options,
                        run: Run) -> tuple[list[Shape], list[int]]:
    """Strokes and, right above each, further paths where one gradient leaves most of the picture wrong under it."""
    from . import fills, outline
    from .isolate import isolate
    from .paint import brushes

    alone = isolate(painting, texture=False)
    number = {shape.id: k for k, shape in enumerate(brushes.shapes(painting))}
    patches = []
    for patch in (alone[number[shape.id]] for shape in shapes):
        (x, y), (h, w) = patch.offset, patch.alpha.shape
        patches.append(replace(patch, color=target.rgb[y:y + h, x:x + w]))
    outlines = outline.add_paths(patches, [(shape.outline,) for shape in shapes], options, run)
    parts = outline.parts(patches, outlines, options)
    pairs = [pair for own, some in zip(parts, outlines, strict=True) for pair in zip(own[1:], some[1:], strict=True)]
    found = iter(fills.fit([p for p, _ in pairs], [o for _, o in pairs], options, run))
    result = [(one, at) for shape, some, at in zip(shapes, outlines, layer, strict=True)
              for one in (shape, *(Shape(o, next(found), shape.opacity, shape.level) for o in some[1:]))]
    return [one for one, _ in result], [at for _, at in result]


def _from_patches(patches: list[StrokePatch], options: Options, run: Run) -> list[Shape]:
    """Every patch as one or more shapes: outline, then fill."""
    from . import fills, outline

    outlines = outline.fit(patches, options, run)
    parts = outline.parts(patches, outlines, options)
    pairs = [pair for own, some in zip(parts, outlines, strict=True) for pair in zip(own, some, strict=True)]
    found = fills.fit([p for p, _ in pairs], [o for _, o in pairs], options, run)
    opacities = [1.0 if options.opaque else _opacity(p) for p, _ in pairs]
    return [Shape(o, fill, opacity, p.level)
            for (p, o), fill, opacity in zip(pairs, found, opacities, strict=True)]


def _opacity(patch: StrokePatch) -> float:
    """How opaque a stroke is where it is painted at all; one that is all but opaque counts as that."""
    from .outline.trace import peak

    full = peak(patch.alpha)
    return full if 0.0 < full < OPAQUE else 1.0


def _refined(shapes: list[Shape], layer: list[int], target: Target, ground: Color | None, options: Options,
             run: Run, traced: bool = False) -> tuple[list[Shape], list[int], dict[str, Any]]:
    from .refine import work

    return work.refine_layers(shapes, layer, target, ground, options, run, traced)


def _composited(patches: list[StrokePatch], width: int, height: int) -> Target:
    """The strokes painted over each other: the picture that their vectorization is refined against."""
    rgb, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    for patch in patches:
        (x, y), (h, w) = patch.offset, patch.alpha.shape
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
        if right <= left or bottom <= top:
            continue
        there, here = np.s_[top:bottom, left:right], np.s_[top - y:bottom - y, left - x:right - x]
        a = patch.alpha[here]
        rgb[there] += a[..., None] * (patch.color[here] - rgb[there])
        alpha[there] += a * (1 - alpha[there])
    seen = np.maximum(alpha, 1e-6)[..., None]
    return Target(np.clip(rgb / seen, 0, 1), alpha, (width, height))


def _ground(options: Options, target: Target) -> Color | None:
    """The colour under the strokes of a folder: white paper unless a colour or nothing is asked for."""
    if options.background.startswith("#"):
        return _hex(options.background)
    return None if options.background == "none" or target.alpha.min() < 0.5 else (1.0, 1.0, 1.0)


def _on_ground(target: Target, ground: Color | None) -> Target:
    """What is to be seen where a colour lies under the strokes: it shows wherever the picture is transparent."""
    if ground is None or target.opaque:
        return target
    alpha = target.alpha[..., None]
    rgb = target.rgb * alpha + np.asarray(ground, np.float32) * (1 - alpha)
    return Target(rgb, np.ones_like(target.alpha), target.source_size)


def _hex(text: str) -> Color:
    return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255


def _document(shapes: list[Shape], layer: list[int], options: Options, ground: Color | None, width: int, height: int,
              meta: dict[str, Any]) -> Document:
    built = layers.build(layers.name_strokes(shapes), layer, options.layers, ground, width, height)
    return Document(width, height, built, meta, options.texture)


def _meta(job: str, options: Options, target: Target, name: str, source: Path | bytes | None,
          refined: dict[str, Any]) -> dict[str, Any]:
    """Settings, seed and where it came from: enough to run it again; and how many shapes the refinement left out
    because nobody sees them (dropped) or put elsewhere (reseeded, replaced)."""
    meta: dict[str, Any] = {"job": job, "version": __version__, "options": options.to_dict(), "name": name,
                            "source_width": target.source_size[0], "source_height": target.source_size[1],
                            "width": target.width, "height": target.height}
    meta["refined"] = {key: refined[key] for key in ("dropped", "reseeded", "replaced") if key in refined}
    if source is not None:
        data = source.read_bytes() if isinstance(source, Path) else source
        meta["source_sha256"] = hashlib.sha256(data).hexdigest()
    return meta


def _report(document: Document, refined: dict[str, Any], clock: _Clock, predicted: np.ndarray,
            target: Target) -> dict[str, Any]:
    shapes = [s for layer in document.layers if layer.key != layers.UNDERPAINTING for s in layer.shapes]
    step = max(1, STRIP_PIXELS // target.width)
    strips = [np.s_[top:top + step] for top in range(0, target.height, step)]
    mse = sum(float(np.square(predicted[rows] - _on_white(target, rows)).sum(dtype=np.float64))
              for rows in strips) / predicted.size
    return {"paths": len(shapes), "gradients": sum(not isinstance(s.fill, SolidColor) for s in shapes),
            "segments": sum(s.outline.segments for s in shapes),
            "psnr": round(-10 * float(np.log10(max(mse, 1e-12))), 2),
            "seconds": clock.seconds, "refined": refined}


def _on_white(target: Target, rows: slice) -> np.ndarray:
    alpha = target.alpha[rows][..., None]
    return target.rgb[rows] * alpha + (1 - alpha)


class _Clock:
    """Seconds per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 2)

