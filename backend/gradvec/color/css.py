"""Colours as CSS writes them: names, #rgb and #rrggbb with opacity or not, rgb(), hsl(), and more (color.spaces)."""

from __future__ import annotations

from functools import lru_cache

from ..errors import InputError
from .spaces import from_css


@lru_cache(maxsize=65536)
def parse_color(text: str) -> tuple[tuple[float, float, float], float]:
    """((red, green, blue), opacity), sRGB-encoded in [0, 1].

    Raises:
        InputError: the text is no colour, or one that depends on its surroundings (currentColor).
    """
    plain = _hex(text.strip())
    if plain is not None:
        return plain, 1.0
    beyond = from_css(text)
    if beyond is not None:
        return beyond
    from tinycss2.color4 import parse_color as parse

    color = parse(text)
    if color is None or isinstance(color, str):
        raise InputError(f"{text[:60]!r} is no colour.", "Write colours as #rrggbb, as rgb() or by their CSS names.")
    found = color.to("srgb")
    red, green, blue, opacity = (min(1.0, max(0.0, float(v or 0.0))) for v in (*found.coordinates, found.alpha))
    return (red, green, blue), opacity


def hex_color(color: tuple[float, float, float]) -> str:
    """#rrggbb, the nearest of 8 bits a channel."""
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, v))):02x}" for v in color)


def _hex(text: str) -> tuple[float, float, float] | None:
    """Most colours by far are #rrggbb, and a drawing has tens of thousands of them."""
    if len(text) != 7 or text[0] != "#" or not text[1:].isalnum():
        return None
    try:
        red, green, blue = (int(text[k:k + 2], 16) / 255 for k in (1, 3, 5))
    except ValueError:
        return None
    return red, green, blue
