"""What painting asks of its caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...brushes.manner import Manner
from ...model import Color


@dataclass(frozen=True)
class PaintSettings:
    """How a picture is painted.

    strokes: how many at most. brush: a name of brushes.NAMES, or mixed. on_grid: on regular blocks instead of where the
    error is. segments: of brush outlines. background: the ground's colour, None for a bare one, "auto" for the
    picture's mean. detail: 0 to 1, how strongly strokes gather where the picture draws the eye or a detail map is
    bright. narrowest, longest: of strokes, px; 0 leaves it to the picture. one_color: no gradients. opaque: no stroke
    fades. palette: how many colours, or which; 0: all. transport: 0 to 1, share of the optimal-transport loss. effort:
    how many of the usual rounds and last steps are made, from 0. pace: how many of a level's steps. keep: the fidelity
    at which strokes keep to the rules of their brushes (brushes.rules); 1 binds nothing. by_ink: strokes lie in the
    order of the palette's colours. manner: of a painting that strokes are to be like.
    """

    strokes: int = 500
    brush: str = "oil"
    on_grid: bool = False
    segments: int = 8
    background: Color | Literal["auto"] | None = "auto"
    detail: float = 0.0
    narrowest: float = 0.0
    longest: float = 0.0
    one_color: bool = False
    opaque: bool = False
    palette: int | tuple[Color, ...] = 0
    transport: float = 0.0
    effort: float = 1.0
    pace: float = 1.0
    keep: float = 1.0
    by_ink: bool = False
    manner: Manner | None = None
    seed: int = 0
    engine: str = "auto"
    device: str = "auto"
