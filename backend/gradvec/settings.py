"""The user's options, translated once into what each stage needs: no stage sees the whole of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from .model import Color
from .optimize import Refinement
from .optimize.variables import Freedom, reach_of
from .options import Options
from .stages.freeing import smooth_rules
from .stages.paint.settings import PaintSettings
from .stages.refine import RefineSettings
from .stages.vectorize.settings import VectorizeSettings

#: Segments of brush outlines that a refinement will free: it gives them the further ones.
FREED_CUBICS = 8
#: A joint of an artist's path that turns by more is meant to be a corner.
EDITED_CORNER_DEGREES = 40.0


def is_flat(options: Options) -> bool:
    """Whether every path has one colour."""
    return options.gradient == "flat" or options.one_color


def fixed_background(options: Options) -> Color | Literal["auto"] | None:
    """The ground's colour, None for a bare one, "auto" where the picture decides."""
    if options.background == "auto":
        return "auto"
    return None if options.background == "none" else hex_color(options.background)


def hex_color(text: str) -> Color:
    """#rrggbb as a colour."""
    return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255


def paint_settings(options: Options, effort: float = 1.0) -> PaintSettings:
    """effort: how many of the usual rounds and last steps are made, from 0; less where a refinement follows."""
    palette: int | tuple[Color, ...] = 0
    if options.palette.startswith("#"):
        palette = tuple(hex_color(part) for part in options.palette.split(","))
    elif options.palette:
        palette = int(options.palette)
    return PaintSettings(
        strokes=options.strokes, brush=options.brush, on_grid=options.mode == "grid",
        segments=min(options.segments, FREED_CUBICS) if options.fidelity > 0 else options.segments,
        background=fixed_background(options), detail=options.detail, narrowest=options.stroke_min,
        longest=options.stroke_max, one_color=options.one_color, opaque=options.opaque, palette=palette,
        transport=options.transport, effort=effort, seed=options.seed, engine=options.engine, device=options.device)


def refine_settings(options: Options, traced: bool = False) -> RefineSettings:
    """How a run with these options refines; strokes that were traced begin close to where they end.

    The paper's K-means gradients stay as published and a palette stays a palette: then outlines move, colours do not.
    At fidelity 0 every stroke stays an affine image of its brush and nothing is put elsewhere.
    """
    published, palette = options.gradient == "kmeans", bool(options.palette)
    freedom = Freedom(outlines=True, reach=reach_of(options.fidelity), gradients=not published,
                      colors=not published and not palette, opacity=not options.opaque and not palette)
    steps = (20 + 130 * options.fidelity) if traced else (100 + 350 * options.fidelity)
    reseeds = 3 if options.fidelity >= 0.75 and freedom.colors and not traced else 0
    plan = Refinement(steps=round(steps), freedom=freedom, reseeds=reseeds, flat=is_flat(options), seed=options.seed,
                      engine=options.engine, device=options.device,
                      peak=0.4 if traced else 1.0, tension=0.0002 if traced else 0.0005,
                      rules=smooth_rules() if options.fidelity > 0 and not traced else ())
    return RefineSettings(plan, freed=options.fidelity > 0, segments=options.segments, accuracy=options.accuracy,
                          traced=traced, palette=palette, simplify_fills=options.gradient == "auto")


def edit_settings(options: Options, steps: int, fixed: frozenset[str], outlines: bool = True,
                  fills: bool = True) -> RefineSettings:
    """How some shapes of a drawing are refined among others, ``fixed``, that stay."""
    freedom = Freedom(outlines=outlines, reach=reach_of(options.fidelity), gradients=fills,
                      colors=fills and not options.palette, opacity=not options.opaque)
    usual = refine_settings(options)
    plan = Refinement(steps, freedom=freedom, reseeds=0, flat=is_flat(options), seed=options.seed,
                      engine=options.engine, device=options.device, fixed=fixed,
                      rules=smooth_rules(EDITED_CORNER_DEGREES) if options.fidelity > 0 else ())
    return replace(usual, plan=plan)


def vectorize_settings(options: Options) -> VectorizeSettings:
    """How a picture is built up from paths; K-means gradients count as refined."""
    return VectorizeSettings(
        segments=options.segments, accuracy=options.accuracy, holes=options.holes,
        background=fixed_background(options), opaque=options.opaque, flat=is_flat(options),
        simplify_fills=options.gradient == "auto", engine=options.engine, device=options.device)


def first_fills(options: Options) -> Options:
    """Fills of new paths: refined to begin with (what becomes of them is decided at the end), or flat."""
    return replace(options, gradient="flat" if is_flat(options) else "refined")
