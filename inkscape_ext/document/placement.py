"""Where things lie: lengths, viewports and preserveAspectRatio as SVG and Inkscape read them, and ways to the root.

Spaces: *picture* px (origin top left of the whole picture), *local* = the user units inside the ``<image>``, after its
own transform.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gradvec.errors import InputError
from inkex import Transform

from ..ui.messages import _
from .namespaces import Element, local_name

_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 960 / 25.4, "in": 96.0, "q": 24 / 25.4,
          "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0}
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-z%]*)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Box:
    """A rectangle in local user units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Fit:
    """viewport: the ``<image>``'s rectangle. picture: where the whole picture lies (larger where it is sliced)."""

    viewport: Box
    picture: Box

    @property
    def sliced(self) -> bool:
        """Whether parts of the picture lie outside the viewport, where they are not shown."""
        slack = 1e-6 * max(self.viewport.width, self.viewport.height)
        return (self.picture.width > self.viewport.width + slack or self.picture.height > self.viewport.height + slack)

    @property
    def visible(self) -> Box:
        """The rectangle that shows something of the picture: the viewport where sliced, else the picture."""
        return self.viewport if self.sliced else self.picture

    def from_canvas(self, width: float, height: float) -> Transform:
        """Maps a canvas of width x height px that shows the whole picture to local user units."""
        box = self.picture
        return Transform((box.width / width, 0, 0, box.height / height, box.x, box.y))


def length(text: str | None, whole: float) -> float | None:
    """An SVG length in user units, None where it is absent, ``auto`` or not a length; ``whole`` is what 100 % means."""
    match = _NUMBER.match(text or "")
    if match is None:
        return None
    number, unit = float(match.group(1)), match.group(2).lower()
    if unit == "%":
        return number / 100 * whole
    return number * _UNITS[unit] if unit in _UNITS else None


def fit_picture(image: Element, size: tuple[float, float]) -> Fit:
    """How ``<image>`` shows a picture of ``size`` px.

    Without width or height Inkscape takes the picture's own, each for itself.
    """
    whole_width, whole_height = viewport_of(image)
    width = length(image.get("width"), whole_width)
    height = length(image.get("height"), whole_height)
    viewport = Box(length(image.get("x"), whole_width) or 0.0, length(image.get("y"), whole_height) or 0.0,
                   size[0] if width is None else width, size[1] if height is None else height)
    scale_x, scale_y, left, top = _fitted(image.get("preserveAspectRatio"), viewport.width, viewport.height, size)
    return Fit(viewport, Box(viewport.x + left, viewport.y + top, size[0] * scale_x, size[1] * scale_y))


def check_visible(image: Element, name: str) -> None:
    """Raises:
        InputError: the document shows the picture without any width or height.
    """
    viewport = fit_picture(image, (1, 1)).viewport
    if not (viewport.width > 0 and viewport.height > 0):
        raise InputError(_("The picture {name} has no width or height in the document.").format(name=name),
                         _("Give it a size, or import it again with File > Import."))


def view_box(element: Element) -> tuple[float, float, float, float] | None:
    """viewBox as (x, y, width, height), or None where there is none that can be used."""
    try:
        numbers = [float(n) for n in re.split(r"[\s,]+", (element.get("viewBox") or "").strip())]
    except ValueError:
        return None
    if len(numbers) != 4 or numbers[2] <= 0 or numbers[3] <= 0:
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]


def viewport_of(element: Element) -> tuple[float, float]:
    """(width, height) in user units that percentages on ``element`` refer to: those of the nearest viewport."""
    parent = element.getparent()
    while parent is not None and local_name(parent) not in ("svg", "symbol"):
        parent = parent.getparent()
    if parent is None:
        return 100.0, 100.0
    box = view_box(parent)
    if box is not None:
        return box[2], box[3]
    outer = viewport_of(parent)
    return (length(parent.get("width"), outer[0]) or outer[0], length(parent.get("height"), outer[1]) or outer[1])


def view_box_transform(element: Element, width: float, height: float) -> Transform:
    """From inside ``element`` (an svg or symbol with a viewBox) to a viewport of width x height at the origin."""
    box = view_box(element)
    if box is None:
        return Transform()
    scale_x, scale_y, left, top = _fitted(element.get("preserveAspectRatio"), width, height, (box[2], box[3]))
    return Transform((scale_x, 0, 0, scale_y, left - box[0] * scale_x, top - box[1] * scale_y))


def _fitted(rule: str | None, width: float, height: float, size: tuple[float, float]) \
        -> tuple[float, float, float, float]:
    """(scale x, scale y, left, top) that show ``size`` in width x height under a preserveAspectRatio ``rule``."""
    words = [word for word in (rule or "").split() if word != "defer"] or ["xMidYMid"]
    scale_x, scale_y = width / size[0], height / size[1]
    if words[0] == "none":
        return scale_x, scale_y, 0.0, 0.0
    scale = max(scale_x, scale_y) if "slice" in words[1:] else min(scale_x, scale_y)
    align = re.match(r"x(Min|Mid|Max)Y(Min|Mid|Max)$", words[0])
    share = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
    along_x, along_y = (share[align.group(1)], share[align.group(2)]) if align else (0.5, 0.5)
    return scale, scale, (width - size[0] * scale) * along_x, (height - size[1] * scale) * along_y


def to_root(element: Element) -> Transform:
    """From the user units in which ``element``'s coordinates are written (after its transform) to the root's."""
    matrix = Transform()
    while element is not None and element.getparent() is not None:
        step = Transform(element.get("transform"))
        if local_name(element) == "svg":
            step = step @ nested_viewport(element)
        matrix = step @ matrix
        element = element.getparent()
    return matrix


def inverse(matrix: Transform) -> Transform | None:
    """The way back, None where there is none: something was squeezed to nothing."""
    a, b, c, d, _e, _f = matrix.to_hexad()
    return None if abs(a * d - b * c) < 1e-15 else -matrix


def nested_viewport(svg: Element) -> Transform:
    """From inside an inner ``<svg>`` to the space of its parent."""
    wide, high = viewport_of(svg)
    shift = Transform(translate=(length(svg.get("x"), wide) or 0.0, length(svg.get("y"), high) or 0.0))
    width, height = length(svg.get("width"), wide) or wide, length(svg.get("height"), high) or high
    return shift @ view_box_transform(svg, width, height)
