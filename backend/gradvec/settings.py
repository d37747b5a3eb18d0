"""Options, which are the user's words, translated into what each stage takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .brushes.rules import HELD, rules_of
from .color import inks
from .color.css import hex_color, parse_color
from .model import Color, Target
from .options import INKS, Options
from .stages.fills import FillSettings
from .stages.outline import OutlineSettings

#: Share of the painter's rounds and last steps at fidelity 1, where the refinement does most of the work.
FREED_EFFORT = 0.25
#: How strongly a detail map counts unless options.detail says otherwise.
DETAIL = 0.75
#: A draft's longest side, px, its share of the strokes, and how many it has at least.
DRAFT_SIZE, DRAFT_SHARE, DRAFT_LEAST = 192, 0.25, 60


def painted_at(options: Options) -> float:
    """Where the progress bar is when the painting is done: free outlines shift work to the refinement."""
    return 0.65 - 0.4 * options.fidelity


def painting_effort(options: Options) -> float:
    """How much of its rounds and last steps the painter takes, in (0, 1]."""
    return 1 - (1 - FREED_EFFORT) * options.fidelity


def with_detail_map(options: Options) -> Options:
    """The options of a run with a detail map: it counts by :data:`DETAIL` unless they say how strongly."""
    return replace(options, detail=options.detail or DETAIL)


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


def drafted(options: Options) -> Options:
    """The same options on a small picture with few strokes, which keep the shapes of their brushes as far as the look
    has it: some seconds show what will come."""
    return replace(options, size=min(options.size, DRAFT_SIZE), transport=0.0, paths_per_stroke=1,
                   strokes=max(1, min(options.strokes, max(DRAFT_LEAST, round(DRAFT_SHARE * options.strokes)))))


def keeps_brushes(options: Options) -> bool:
    """Whether strokes keep the shapes of their brushes, so that bristles and streaks are worth drawing."""
    return options.fidelity <= HELD


def bare_paper(options: Options) -> tuple[Color | None, float]:
    """(paper, from which lightness on it stays bare): see stages.paper.left_bare."""
    chosen = None if options.background in ("none", "auto") else parse_color(options.background)[0]
    return chosen, rules_of(options.brush, options.fidelity).paper


def snaps_ground(options: Options) -> bool:
    """Whether the ground that the picture itself gives has to be one of the palette's colours."""
    return bool(options.palette) and options.background == "auto"


def is_flat(options: Options) -> bool:
    """Whether every shape has one colour."""
    return options.gradient == "flat" or options.one_color


def outline_settings(options: Options) -> OutlineSettings:
    """How strokes are outlined."""
    return OutlineSettings(options.segments, options.accuracy, options.holes, options.paths_per_stroke,
                           options.paths_by_size, is_flat(options), options.engine, options.device)


def fill_settings(options: Options) -> FillSettings:
    """How outlines are filled."""
    return FillSettings(options.gradient, bool(options.opaque))
