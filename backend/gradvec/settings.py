"""Options, which are the user's words, translated into what each stage takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .brushes.rules import HELD, rules_of
from .color.css import parse_color
from .model import Color
from .options import Options
from .stages.fills import FillSettings
from .stages.outline import OutlineSettings

#: Share of the painter's rounds and last steps at fidelity 1, where the refinement does most of the work.
FREED_EFFORT = 0.25
#: How strongly a detail map counts unless options.detail says otherwise.
DETAIL = 0.75


def painted_at(options: Options) -> float:
    """Where the progress bar is when the painting is done: free outlines shift work to the refinement."""
    return 0.65 - 0.4 * options.fidelity


def painting_effort(options: Options) -> float:
    """How much of its rounds and last steps the painter takes, in (0, 1]."""
    return 1 - (1 - FREED_EFFORT) * options.fidelity


def with_detail_map(options: Options, bright: np.ndarray | None) -> Options:
    """The options with a detail map (H, W): it counts by :data:`DETAIL` unless they say how strongly."""
    return options if bright is None else replace(options, detail=options.detail or DETAIL)


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
    return FillSettings(options.gradient, options.opaque)
