"""The jobs that the engine process runs for its clients: names, payloads and options in, one SVG out.

A job never touches a document of the user: it gets bytes and gives bytes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError, UsageError
from .io.memory import check_to_load
from .options import Options
from .progress import Run
from .render.threads import check_environment

if TYPE_CHECKING:
    import numpy as np

    from .io.crop import Crop
    from .model import Document, Shape
    from .pipeline import Result

Payloads = dict[str, bytes]
#: How many times larger than it was painted a draft is shown.
DRAFT_SHOWN = 3
Info = dict[str, Any]


def run_job(kind: str, options: dict[str, Any], payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """Runs one job to its end.

    Args:
        kind: one of :data:`JOBS`.
        options: names and values of :class:`gradvec.options.Options`.
        payloads: what the job works on, by name.
        info: small facts that travel along (name of the picture, which strokes are meant).

    Returns:
        ({"svg": ...}, facts about the result).

    Raises:
        UsageError: no such job, or an option is wrong. InputError: a payload is missing or unusable.
        Cancelled: the user cancelled.
    """
    check_to_load()
    check_environment()
    if kind not in JOBS:
        raise UsageError(f"The engine has no job named {kind!r}.", f"It knows {', '.join(sorted(JOBS))}.")
    return JOBS[kind](Options.for_job(kind, options), payloads, info, run)


def warm_up() -> None:
    """Loads the numeric libraries, and has missing kernels compiled; a fresh worker calls it while its client still
    reads the picture.

    Raises:
        EngineError: there is not enough memory for them. UsageError: the environment asks for what ends them.
    """
    check_to_load()
    check_environment()
    from .tools.warm_up import begin
    begin()
    from . import render  # noqa: F401
    from .io import images, svg  # noqa: F401
    from .stages.paint import paint  # noqa: F401
    _warm_card()


def _warm_card() -> None:
    """The card's kernels, where jobs are known to run there: a look at the card costs others its memory."""
    from .render import card, quicker
    times = quicker.remembered()
    if times is None or not times.card_wins or card.trouble() is not None:
        return
    from .geometry import self_intersection_cuda
    from .optimize.loop import Refinement
    from .render import cuda
    from .stages.refine import SETTLE_PIECES
    try:
        cuda.warm_up()
        self_intersection_cuda.warm_up((Refinement.pieces, SETTLE_PIECES))
    except Exception as error:
        if not card.is_fault(error):
            raise
        card.lose(error)


def computes_on() -> str | None:
    """What computed the last picture, as :func:`gradvec.render.computes_on` says it; loads nothing for it."""
    render = sys.modules.get(f"{__package__}.render")
    return render.computes_on() if render is not None else None


def _payload(payloads: Payloads, name: str) -> bytes:
    if payloads.get(name) is None:
        raise InputError(f"The job came without its {name}.", "Update the extension: it does not match the engine.")
    return payloads[name]


def _answer(result: Result, started: float, relative: bool = False) -> tuple[Payloads, Info]:
    """relative: coordinates as files have them, and not as the extension takes them."""
    from .io import svg

    facts = result.report.to_dict()
    facts.update(width=result.document.width, height=result.document.height,
                 stage_seconds=facts.pop("seconds"), seconds=round(time.monotonic() - started, 2))
    facts.update(source_width=result.target.source_size[0], source_height=result.target.source_size[1])
    return {"svg": svg.write(result.document, relative)}, facts


def _paint(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """Payloads: the picture; if given, a detail-map, the style's picture, and brushes of one's own as brush-..., in the
    order of names.

    info["relative"]: whether curves are written relative, as the command line writes them.
    """
    started = time.monotonic()
    return _answer(_painted(options, payloads, info, run), started, bool(info.get("relative")))


def _draft(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """A draft of what paint would make, in some seconds, also as a PNG: {"svg": ..., "png": ...}.

    Payloads: as for paint. info["crop"], if given: the part of the picture as [left, top, width, height], shares from
    0 to 1.
    """
    from .io.crop import Crop
    from .io.images import png_bytes
    from .tools.compare import render_svg

    started = time.monotonic()
    result = _painted(options, payloads, info, run, Crop.from_list(info.get("crop")))
    answer, facts = _answer(result, started)
    answer["png"] = png_bytes(render_svg(answer["svg"], DRAFT_SHOWN * result.document.width,
                                         DRAFT_SHOWN * result.document.height))
    return answer, facts


def _painted(options: Options, payloads: Payloads, info: Info, run: Run, draft: Crop | None = None) -> Result:
    from .pipeline import paint_picture

    brushes = [payloads[name] for name in sorted(payloads) if name.startswith("brush-")]
    return paint_picture(_payload(payloads, "picture"), options, run, name=str(info.get("name", "")),
                         detail_map=payloads.get("detail-map") or None, own_brushes=brushes, guides=_guides(info),
                         draft=draft, style=payloads.get("style") or None)


def _guides(info: Info) -> list[np.ndarray]:
    """info["guides"], if given: lines that strokes follow, each [[x, y], [x, y], ...] in shares of the picture."""
    import numpy as np

    lines = info.get("guides") or []
    try:
        found = [np.asarray(line, float) for line in lines]
    except (TypeError, ValueError):
        found = [np.zeros(0)]
    if not all(line.ndim == 2 and line.shape[1] == 2 and len(line) > 1 and np.isfinite(line).all() for line in found):
        raise UsageError("The guide lines are not lists of at least two points [x, y].",
                         "Update the extension: it does not match the engine.")
    return found


def _vectorize(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """options.strokes paths in stages; info["schedule"], if given, says how many each stage adds: "1,1,2,..."."""
    from .pipeline import vectorize_picture
    from .stages.vectorize.schedule import stages

    started = time.monotonic()
    schedule = stages(options.strokes, str(info.get("schedule", "")))
    return _answer(vectorize_picture(_payload(payloads, "picture"), options, run, schedule,
                                     name=str(info.get("name", "")), style=payloads.get("style") or None,
                                     detail_map=payloads.get("detail-map") or None), started)


def _strokes(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """Every payload is the picture of one stroke, in the order of their names."""
    from .pipeline import vectorize_strokes

    started = time.monotonic()
    if not payloads:
        raise InputError("The job came without stroke pictures.", "Select pictures of strokes first.")
    with tempfile.TemporaryDirectory(prefix="gradvec-strokes-") as folder:
        for n, name in enumerate(sorted(payloads)):
            Path(folder, f"{n:05d}.png").write_bytes(payloads[name])
        return _answer(vectorize_strokes(Path(folder), options, run), started)


def _drawing(payloads: Payloads, name: str = "svg") -> Document:
    from .io import svg

    return svg.read(_payload(payloads, name))


def _changed(shapes: list[Shape], drawing: Document, facts: Info) -> tuple[Payloads, Info]:
    """The shapes of an editing job as an SVG in the drawing's own px."""
    from .io import svg
    from .model import Document, Layer

    document = Document(drawing.width, drawing.height, (Layer("strokes", tuple(shapes), "strokes"),))
    facts = {"width": drawing.width, "height": drawing.height, "paths": len(shapes), **facts}
    return {"svg": svg.write(document)}, facts


def _refine(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    from .edit import refine_some

    drawing, selected = _drawing(payloads), [str(name) for name in info.get("selected", [])]
    what = str(info.get("what", "both"))
    with run.stage("Refining", 0.0, 1.0):
        shapes = refine_some(_payload(payloads, "picture"), drawing, selected, what, options, run)
    kept = {shape.id for shape in shapes}
    return _changed(shapes, drawing, {"dropped": [name for name in selected if name not in kept]})


def _repaint(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    from .edit import repaint

    drawing = _drawing(payloads)
    shapes, removed, above = repaint(_payload(payloads, "picture"), drawing, _drawing(payloads, "region"), options, run)
    return _changed(shapes, drawing, {"removed": removed, "above": above})


def _refit(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    from .edit import refit

    drawing = _drawing(payloads)
    with run.stage("Fitting gradients", 0.0, 1.0):
        return _changed(refit(_payload(payloads, "picture"), drawing, options, run), drawing, {})


def _add_detail(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """Payloads: the picture, the drawing; if given, a detail-map says where the new strokes may go."""
    from .edit import add_detail

    drawing, detail_map = _drawing(payloads), payloads.get("detail-map")
    with run.stage("Adding detail", 0.0, 1.0):
        return _changed(add_detail(_payload(payloads, "picture"), drawing, options, run, detail_map), drawing, {})


def _trace(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    from .edit import trace
    from .model import Document

    if not payloads:
        raise InputError("The job came without pictures.", "Select pictures of strokes first.")
    with run.stage("Tracing", 0.0, 1.0):
        shapes, origin = trace(payloads, options, run)
    corner = max((v for s in shapes for v in s.outline.bounds()), default=1.0)
    return _changed(shapes, Document(max(1, round(corner)), max(1, round(corner)), ()), {"of": origin})


def _animate(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """A drawing's making as a file: {"file": ...}; info: what animate.make.Wanted and Timing have, by name."""
    from .animate.make import Wanted, made
    from .animate.timing import Timing

    timing = _taken(Timing, info, seconds=(0.1, 3600), hold=(0, 3600))
    content, notes = made(_payload(payloads, "svg"), _taken(Wanted, {**info, "timing": timing}, fps=(1, 120),
                                                            size=(16, 4096)), run)
    return {"file": content}, {"notes": notes}


def _export(options: Options, payloads: Payloads, info: Info, run: Run) -> tuple[Payloads, Info]:
    """A drawing for print, cutting or plotting: {"file": ...}; info: what export.make.Wanted and Machine have."""
    from .export.make import Wanted, made
    from .export.profiles import Machine

    machine = _taken(Machine, info, width_mm=(1, 10_000), hair_mm=(0, 100), pen_mm=(0.01, 100), colors=(0, 64))
    wanted = _taken(Wanted, {**info, "machine": machine}, width_mm=(1, 10_000), dpi=(1, 9600))
    content, notes, _ = made(_payload(payloads, "svg"), wanted, run)
    return {"file": b"".join(content)}, {"notes": notes}


def _taken(kind: type, info: Info, **ranges: tuple[float, float]) -> Any:
    """What of ``info`` a dataclass has a field for, as one of them. Raises UsageError for what it cannot be."""
    found = {field.name: info[field.name] for field in fields(kind) if field.name in info}
    for name, (low, high) in ranges.items():
        value = found.get(name, low)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise UsageError(f"{name} is {value!r}; it must lie between {low:g} and {high:g}.",
                             "Update the extension: it does not match the engine.")
    try:
        return kind(**found)
    except (TypeError, AttributeError) as error:
        raise UsageError("The job came with facts of another kind than it needs.",
                         "Update the extension: it does not match the engine.") from error


JOBS: dict[str, Callable[[Options, Payloads, Info, Run], tuple[Payloads, Info]]] = {
    "paint": _paint,
    "lines": _paint,
    "draft": _draft,
    "strokes": _strokes,
    "vectorize": _vectorize,
    "refine": _refine,
    "repaint": _repaint,
    "refit": _refit,
    "add-detail": _add_detail,
    "trace": _trace,
    "animate": _animate,
    "export": _export,
}
