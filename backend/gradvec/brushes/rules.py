"""What a brush keeps to: rules of opacity, gradient, shape, edge and paper that tell one brush from another.

Painter and refinement hold strokes to them as constraints. Fidelity loosens them: up to :data:`HELD` they hold in full,
from :data:`GONE` on nothing is left of them, and a stroke may be whatever comes closest to the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .manner import Manner

#: Up to which fidelity rules hold in full, and from which there are none.
HELD, GONE = 0.25, 0.5
#: Fainter than this is no stroke.
FAINTEST = 0.2
#: How far strokes may be from a painting's usual ones: factor on proportions; opacity; directions, at least, and how
#: many standard deviations.
ASPECT_SLACK, OPACITY_SLACK, TURN_LEAST, TURN_SHARE = 1.5, 0.1, 0.15, 1.5


@dataclass(frozen=True)
class Edge:
    """A line along a stroke's outline, as pigment gathers at the rim of a wash.

    width: share of the stroke's size (square root of its area), at most ``widest`` px. darker: share of the fill's
    colour that it loses. opacity: in [0, 1].
    """

    width: float
    widest: float
    darker: float
    opacity: float


@dataclass(frozen=True)
class BrushRules:
    """One brush's rules.

    opacity: least and most. gradient: any, along (colours change along the stroke alone) or none. aspect: least and
    most length to width. size: factor on the widths of strokes. shares: of all strokes, coarse to fine. stretch: how
    many times more (or less) drawn out the refinement may make a stroke. straight: outlines are polygons. edge: the
    rim, if there is one. paper: places at least so light (Oklab) stay bare paper; above 1: none. turn: how far a stroke
    may leave the direction of the form where there is a clear one, radians.
    """

    opacity: tuple[float, float] = (FAINTEST, 1.0)
    gradient: str = "any"
    aspect: tuple[float, float] = (0.0, float("inf"))
    size: float = 1.0
    shares: tuple[float, ...] = (0.10, 0.30, 0.60)
    stretch: float = float("inf")
    straight: bool = False
    edge: Edge | None = None
    paper: float = 2.0
    turn: float = float("inf")

    @property
    def aspects(self) -> tuple[float, ...]:
        """Lengths over widths that are tried when a stroke is placed."""
        short, long = max(1.4, self.aspect[0]), min(4.8, self.aspect[1])
        long = max(long, min(2.2 * short, self.aspect[1]))
        return short, (short * long) ** 0.5, long

    @property
    def fades(self) -> bool:
        """Whether strokes may be anything but opaque."""
        return self.opacity[0] < 1.0


FREE = BrushRules()

RULES = {
    "oil": BrushRules(opacity=(1.0, 1.0), gradient="along", aspect=(1.5, 8.0), size=1.0, stretch=1.3, turn=0.45),
    "watercolor": BrushRules(opacity=(0.30, 0.60), aspect=(1.0, 4.0), size=1.35, shares=(0.14, 0.36, 0.50),
                             stretch=1.25, edge=Edge(0.05, 1.6, 0.45, 0.11), paper=0.86, turn=0.8),
    "marker": BrushRules(opacity=(0.72, 0.80), gradient="none", aspect=(6.0, 20.0), size=0.75, stretch=1.4, paper=0.93,
                         turn=0.35),
    "tape": BrushRules(opacity=(1.0, 1.0), gradient="none", aspect=(1.2, 9.0), stretch=1.6, straight=True, turn=0.6),
    "dry": BrushRules(opacity=(0.88, 0.95), gradient="none", aspect=(1.3, 2.2), size=1.3, stretch=1.25, turn=0.35),
}


def rules_of(brush: str, fidelity: float, manner: Manner | None = None) -> BrushRules:
    """The rules of a brush, as far as they hold at a fidelity; those of a brush that has none bind nothing.

    manner: of a painting that strokes are to be like, in place of the brush's own proportions, turns and opacity.
    """
    slack = min(1.0, max(0.0, (fidelity - HELD) / (GONE - HELD)))
    full = RULES.get(brush, FREE)
    full = full if manner is None else in_manner(full, manner)
    if slack == 0 or full == FREE:
        return full
    if slack == 1:
        return FREE
    (faint, dense), (short, long), grow = full.opacity, full.aspect, 1 / (1 - slack)
    return replace(full, opacity=(faint + slack * (FAINTEST - faint), dense + slack * (1 - dense)),
                   gradient="any" if full.gradient == "along" else full.gradient,
                   aspect=(short * (1 - slack), long * grow), size=full.size ** (1 - slack),
                   stretch=full.stretch * grow, straight=False, turn=full.turn * grow)


def in_manner(rules: BrushRules, manner: Manner) -> BrushRules:
    """The rules with proportions, turns and opacity as a painting has them, give or take."""
    opacity = (max(FAINTEST, manner.opacity - OPACITY_SLACK), min(1.0, manner.opacity + OPACITY_SLACK))
    aspect = (max(1.0, manner.aspect / ASPECT_SLACK), manner.aspect * ASPECT_SLACK)
    return replace(rules, aspect=aspect, opacity=opacity,
                   turn=min(math.pi / 2, max(TURN_LEAST, TURN_SHARE * manner.spread)))
