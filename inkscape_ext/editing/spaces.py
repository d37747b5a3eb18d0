"""From an element's own coordinates to the document's, through groups, layers and inner viewports."""

from __future__ import annotations

from inkex import Transform

from .. import placement


def to_root(element) -> Transform:
    """From the user units in which ``element``'s coordinates are written (after its transform) to the root's."""
    matrix = Transform()
    while element is not None and element.getparent() is not None:
        step = Transform(element.get("transform"))
        if isinstance(element.tag, str) and element.tag.endswith("}svg"):
            step = step @ _viewport(element)
        matrix = step @ matrix
        element = element.getparent()
    return matrix


def inverse(matrix: Transform) -> Transform | None:
    """The way back, None where there is none: something was squeezed to nothing."""
    a, b, c, d, e, f = matrix.to_hexad()
    determinant = a * d - b * c
    if abs(determinant) < 1e-15:
        return None
    return Transform((d / determinant, -b / determinant, -c / determinant, a / determinant,
                      (c * f - d * e) / determinant, (b * e - a * f) / determinant))


def _viewport(svg) -> Transform:
    """From inside an inner ``<svg>`` to the space of its parent."""
    wide, high = placement.viewport_of(svg)
    shift = Transform(translate=(placement.length(svg.get("x"), wide) or 0.0,
                                 placement.length(svg.get("y"), high) or 0.0))
    width = placement.length(svg.get("width"), wide) or wide
    height = placement.length(svg.get("height"), high) or high
    return shift @ placement.view_box_transform(svg, width, height)
