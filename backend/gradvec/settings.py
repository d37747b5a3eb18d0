"""The user's options, translated once into what each stage needs: no stage sees the whole of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .brushes.manner import Manner
from .brushes.rules import HELD, rules_of
from .color import inks
from .color.css import hex_color, parse_color
from .color.ground import Wanted
from .io.images import Size
from .model import Color, Target
from .optimize import Refinement
from .optimize.brush_constraint import BrushConstraint
from .optimize.constraints import Constraint
from .optimize.freeing import smooth_constraints, traced_constraints
from .optimize.reduced import USED_AREA, ReducedTarget
from .optimize.variables import Freedom, reach_of
from .options import INKS, Options
from .stages.fills import FillSettings
from .stages.holes import Below
from .stages.lines.draw import LineSettings
from .stages.outline import OutlineSettings
from .stages.paint.settings import PaintSettings
from .stages.refine import RefineSettings
from .stages.vectorize.settings import VectorizeSettings

#: With an automatic size: the longest side, px, at which a picture is painted, and px a stroke that it has at least;
#: the longest side at which shapes are sharpened, and px a shape that they can use.
PAINTED_SIDE, PAINTED_EACH, SHARP_SIDE, SHARP_EACH = 512, 350, 2048, USED_AREA
#: The share of a refinement's steps that then look at a smaller picture, and its px a shape.
COARSE = (0.65, 700)
#: Segments of brush outlines that a refinement will free: it gives them the further ones.
FREED_CUBICS = 8
#: A joint of an artist's path that turns by more is meant to be a corner.
EDITED_CORNER_DEGREES = 40.0
#: Share of the painter's rounds and last steps at fidelity 1, where the refinement does most of the work.
FREED_EFFORT = 0.25
#: Share of the strokes that is kept back to close holes in the end.
KEPT_BACK = 0.02
#: Of strokes that are sorted by their inks so many are painted for each that is wanted: two of five end under others
#: or as hairs.
MORE_INKED = 1.7
#: Painted outlines that leave their brush have far to go: their control points move at so many times the usual rates.
STRIDE = 1.5
#: Most joints of traced strokes that may become corners while they are refined.
TRACED_CORNERS = 0.05
#: Further steps of outlines that are free, and that number times the shapes at most. Kodak's 24 photographs, 512 paths,
#: fidelity 1: 29.33 dB with 450 steps, 29.42 with 650.
FREE_STEPS, FREE_BUDGET = 200.0, 100_000
#: Steps of the refinement of a drawing's lines.
LINE_STEPS = 60
#: How strongly a detail map counts unless options.detail says otherwise, and how strongly faces do where it is 0: then
#: photographs of people have eyes and mouths: faces are 0.3 to 2.5 dB closer, the whole 0.1 dB further off at most.
DETAIL, FACES = 0.75, 0.1
#: A draft's longest side, px, its share of the strokes, and how many it has at least.
DRAFT_SIZE, DRAFT_SHARE, DRAFT_LEAST = 160, 0.2, 60
#: Of a draft's steps: the share of the painter's, and the refinement's.
DRAFT_PACE, DRAFT_STEPS = 0.35, 12


def painted_at(options: Options) -> float:
    """Where the progress bar is when the painting is done: free outlines shift work to the refinement."""
    return 0.65 - 0.4 * options.fidelity


def working_size(options: Options, paths: int) -> Size:
    """The working picture's longest side: as the options say, or as large as ``paths`` paths can use."""
    if options.size is not None:
        return options.size
    return lambda width, height: _side(width, height, SHARP_EACH * paths, SHARP_SIDE)


def painted_size(options: Options) -> int:
    """The longest side, px, of the picture that is painted, unless its strokes need more."""
    return options.size or PAINTED_SIDE


def painted_view(options: Options, picture: Target) -> ReducedTarget:
    """The picture as it is painted: itself, or with an automatic size as small as does for its strokes' places."""
    if options.size is not None:
        return ReducedTarget(picture)
    side = _side(picture.width, picture.height, PAINTED_EACH * options.strokes, SHARP_SIDE)
    share = side / max(picture.width, picture.height)
    return ReducedTarget.of(picture, 1, round(picture.width * picture.height * share * share), 0)


def _side(width: int, height: int, area: float, most: int) -> int:
    """The longest side, px, at which a picture of width x height px has this area, from PAINTED_SIDE to ``most``."""
    return round(min(most, max(PAINTED_SIDE, math.sqrt(area * max(width, height) / max(1, min(width, height))))))


def painting_effort(options: Options) -> float:
    """How much of its rounds and last steps the painter takes, in (0, 1]."""
    return 1 - (1 - FREED_EFFORT) * options.fidelity


def for_painting(options: Options, marked: bool, draft: bool) -> Options:
    """The options of a run. With a detail map (``marked``) it counts by :data:`DETAIL` unless they say how strongly; a
    draft is small and has few strokes, which keep the shapes of their brushes as far as the look has it: some seconds
    show what will come."""
    options = replace(options, detail=options.detail or DETAIL) if marked else options
    if not draft:
        return options
    return replace(options, size=min(options.size or DRAFT_SIZE, DRAFT_SIZE), transport=0.0, paths_per_stroke=1,
                   strokes=max(1, min(options.strokes, max(DRAFT_LEAST, round(DRAFT_SHARE * options.strokes)))))


def with_inks(options: Options, target: Target) -> Options:
    """Options that print with true inks, each of them named, that of the largest area first; or as they are."""
    if not options.inks:
        return options
    words = options.palette or str(INKS)
    found = (np.array([parse_color(word)[0] for word in words.split(",")]) if words.startswith("#")
             else inks.choose(target, int(words), options.seed))
    names = [hex_color((red, green, blue)) for red, green, blue in inks.by_area(found, target).tolist()]
    ground = names[0] if options.background == "auto" and target.opaque else options.background
    return replace(options, palette=",".join(names), opaque=True, one_color=True, gradient="flat", layers="ink",
                   background=ground, paths_per_stroke=1)


def ink_colors(options: Options) -> np.ndarray | None:
    """(k, 3) the inks of options that :func:`with_inks` made, None where they print with none."""
    return np.array([parse_color(word)[0] for word in options.palette.split(",")]) if options.inks else None


def keeps_brushes(options: Options) -> bool:
    """Whether strokes keep the shapes of their brushes, so that bristles and streaks are worth drawing."""
    return options.fidelity <= HELD


def below(options: Options) -> Below | None:
    """How strokes are made that close holes, where the ground is not a paper of somebody's choice and strokes are
    opaque ones of a brush; else None. What is as published stays so."""
    opaque = rules_of(options.brush, options.fidelity).opacity == (1.0, 1.0)
    published = options.gradient == "kmeans"
    if options.background != "auto" or options.inks or published or not opaque or not keeps_brushes(options):
        return None
    return Below(options.brush, options.strokes, options.engine, options.device)


def bare_paper(options: Options) -> tuple[Color | None, float]:
    """(paper, from which lightness on it stays bare): see stages.paper.left_bare."""
    chosen = None if options.background in ("none", "auto") else parse_color(options.background)[0]
    return chosen, rules_of(options.brush, options.fidelity).paper


def snaps_ground(options: Options) -> bool:
    """Whether the ground that the picture itself gives has to be one of the palette's colours."""
    return bool(options.palette) and options.background == "auto"


def is_flat(options: Options) -> bool:
    """Whether every path has one colour."""
    return options.gradient == "flat" or options.one_color


def fixed_background(options: Options) -> Wanted:
    """The ground's colour, None for a bare one, "auto" where the picture decides."""
    if options.background == "auto":
        return "auto"
    return None if options.background == "none" else parse_color(options.background)[0]


def detail_strength(options: Options) -> float:
    """How strongly what draws the eye counts: a detail map or the picture as the options say, or else its faces."""
    return options.detail or FACES


def paint_settings(options: Options, effort: float = 1.0, manner: Manner | None = None) -> PaintSettings:
    """effort: how many of the usual rounds and last steps are made, from 0; less where a refinement follows. manner: of
    a painting that strokes are to be like."""
    palette: int | tuple[Color, ...] = 0
    if options.palette.startswith("#"):
        palette = tuple(parse_color(part)[0] for part in options.palette.split(","))
    elif options.palette:
        palette = int(options.palette)
    return PaintSettings(
        strokes=options.strokes, brush=options.brush, on_grid=options.mode == "grid",
        segments=min(options.segments, FREED_CUBICS) if options.fidelity > 0 else options.segments,
        background=fixed_background(options), detail=detail_strength(options), narrowest=options.stroke_min or 0.0,
        longest=options.stroke_max or 0.0, one_color=options.one_color, opaque=bool(options.opaque), palette=palette,
        transport=options.transport, effort=effort, keep=options.fidelity, by_ink=options.inks, manner=manner,
        seed=options.seed,
        engine=options.engine, device=options.device)


def painter_settings(options: Options, draft: bool, manner: Manner | None) -> tuple[PaintSettings, RefineSettings]:
    """How a picture is painted and its strokes refined; a draft with as few steps as show what will come."""
    refined = refine_settings(options, manner=manner)
    if not draft:
        how = paint_settings(options, painting_effort(options), manner)
        share = MORE_INKED if options.inks else 1 - KEPT_BACK if below(options) is not None else 1.0
        return replace(how, strokes=max(1, round(share * options.strokes))), refined
    plan = replace(refined.plan, steps=DRAFT_STEPS, reseeds=0)
    return replace(paint_settings(options, 0.0, manner), pace=DRAFT_PACE), replace(refined, plan=plan, settle=0)


def outline_settings(options: Options) -> OutlineSettings:
    """How strokes are outlined."""
    return OutlineSettings(options.segments, options.accuracy, options.holes, options.paths_per_stroke,
                           options.paths_by_size, is_flat(options), options.engine, options.device)


def fill_settings(options: Options) -> FillSettings:
    """How outlines are filled."""
    return FillSettings(options.gradient, bool(options.opaque))


def refine_settings(options: Options, traced: bool = False, manner: Manner | None = None) -> RefineSettings:
    """How a run with these options refines; strokes that were traced begin close to where they end.

    The paper's K-means gradients stay as published and a palette stays a palette: then outlines move, colours do not.
    At fidelity 0 every stroke stays an affine image of its brush and nothing is put elsewhere.
    """
    published, palette = options.gradient == "kmeans", bool(options.palette)
    freedom = Freedom(outlines=True, reach=reach_of(options.fidelity), gradients=not published,
                      colors=not published and not palette, opacity=not options.opaque and not palette)
    steps = (20 + 130 * options.fidelity) if traced else (100 + 350 * options.fidelity + free_steps(options))
    reseeds = 3 if options.fidelity >= 0.75 and freedom.colors and not traced else 0
    of_brushes = () if traced else (BrushConstraint(options.fidelity, manner),)
    smooth: tuple[Constraint, ...] = ()
    if options.fidelity > 0:
        smooth = traced_constraints(TRACED_CORNERS) if traced else smooth_constraints(polygons=options.fidelity <= HELD)
    plan = Refinement(steps=round(steps), freedom=freedom, reseeds=reseeds, flat=is_flat(options), seed=options.seed,
                      engine=options.engine, device=options.device, constraints=(*smooth, *of_brushes),
                      coarse=coarse(options), peak=0.4 if traced else 1.0,
                      stride=1.0 if traced or keeps_brushes(options) else STRIDE, tension=0.0002 if traced else 0.0005)
    return RefineSettings(plan, of_brushes, freed=options.fidelity > 0, segments=options.segments,
                          accuracy=options.accuracy, traced=traced, hairs=traced or keeps_brushes(options),
                          palette=palette, simplify_fills=options.gradient == "auto",
                          detail=0.0 if traced else detail_strength(options))


def free_steps(options: Options) -> float:
    """Steps that free outlines get beside the usual ones, as many as a budget of shapes times steps allows."""
    return min(FREE_STEPS, FREE_BUDGET / options.strokes) * max(0.0, 2 * options.fidelity - 1)


def coarse(options: Options) -> tuple[float, int] | None:
    """Which share of a refinement's steps looks at a smaller picture, and its px a shape; None: all see the whole."""
    return COARSE if options.size is None else None


def edit_settings(options: Options, steps: int, fixed: frozenset[str], outlines: bool = True,
                  fills: bool = True) -> RefineSettings:
    """How some shapes of a drawing are refined among others, ``fixed``, that stay."""
    freedom = Freedom(outlines=outlines, reach=reach_of(options.fidelity), gradients=fills,
                      colors=fills and not options.palette, opacity=not options.opaque)
    usual = refine_settings(options)
    plan = Refinement(steps, freedom=freedom, reseeds=0, flat=is_flat(options), seed=options.seed,
                      engine=options.engine, device=options.device, fixed=fixed,
                      constraints=smooth_constraints(EDITED_CORNER_DEGREES) if options.fidelity > 0 else (),
                      coarse=coarse(options))
    return replace(usual, plan=plan)


def line_settings(options: Options, target: Target, draft: bool = False) -> LineSettings:
    """How a picture is drawn with lines. A palette is what the pens have in them."""
    inked = with_inks(replace(options, inks=True), target) if options.palette else None
    chosen = fixed_background(options)
    return LineSettings(
        strokes=options.strokes, pen=options.pen, segments=options.segments,
        paper=(1.0, 1.0, 1.0) if chosen == "auto" else chosen, inks=None if inked is None else ink_colors(inked),
        opaque=bool(options.opaque), steps=DRAFT_STEPS if draft else LINE_STEPS, seed=options.seed,
        engine=options.engine, device=options.device)


def vectorize_settings(options: Options) -> VectorizeSettings:
    """How a picture is built up from paths; K-means gradients count as refined."""
    return VectorizeSettings(
        segments=options.segments, accuracy=options.accuracy, holes=options.holes,
        background=fixed_background(options), opaque=bool(options.opaque), flat=is_flat(options),
        simplify_fills=options.gradient == "auto", detail=detail_strength(options), engine=options.engine,
        device=options.device)
