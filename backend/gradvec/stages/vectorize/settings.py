"""What building a picture up from paths asks of its caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...model import Color


@dataclass(frozen=True)
class VectorizeSettings:
    """How a picture becomes paths.

    segments: most Bezier segments a path may have. accuracy: px that traced outlines may be off. holes: whether holes
    are kept. background: the ground's colour, None for a bare one, "auto" for one that is trained. opaque: no path
    fades. flat: one colour a path. simplify_fills: one colour where the eye sees no gradient.
    detail: 0 to 1, how much more counts what draws the eye.
    """

    segments: int = 16
    accuracy: float = 0.15
    holes: bool = True
    background: Color | Literal["auto"] | None = "auto"
    opaque: bool = False
    flat: bool = False
    simplify_fills: bool = False
    detail: float = 0.0
    engine: str = "auto"
    device: str = "auto"
