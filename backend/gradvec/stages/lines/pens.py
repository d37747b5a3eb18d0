"""What lines are drawn with: how wide, how dark and in which colour a pen draws, and what it leaves to the paper."""

from __future__ import annotations

from dataclasses import dataclass

from ...model import Color


@dataclass(frozen=True)
class Pen:
    """widths, hatched: px of a 512 px picture from the thinnest to the widest, of contours and of lines that give tone;
    equal where there is one width. color: of all lines, None where each has the picture's. opacities: from the faintest
    to the darkest line.
    contours: of many lines, the share that runs along edges. tone: how much of the picture's darkness lines give, and
    to which power of it: above 1, light places stay paper. edge: how much darker a contour is than what lies around.
    """

    widths: tuple[float, float]
    hatched: tuple[float, float]
    color: Color | None
    opacities: tuple[float, float]
    contours: float
    tone: tuple[float, float]
    edge: float = 1.0

    @property
    def has_one_width(self) -> bool:
        return self.widths[0] == self.widths[1]


#: By the words of the option.
PENS = {
    "ink": Pen((0.7, 3.6), (0.5, 2.2), (0.09, 0.09, 0.11), (1.0, 1.0), 0.45, (0.85, 1.3), 0.9),
    "pencil": Pen((0.7, 2.0), (0.6, 1.7), (0.19, 0.18, 0.2), (0.35, 0.9), 0.4, (0.8, 1.2)),
    "marker": Pen((1.5, 5.0), (5.0, 13.0), None, (0.9, 0.9), 0.3, (1.0, 0.7), 0.7),
    "fineliner": Pen((1.1, 1.1), (1.1, 1.1), (0.07, 0.07, 0.09), (1.0, 1.0), 0.5, (0.75, 1.5)),
}
