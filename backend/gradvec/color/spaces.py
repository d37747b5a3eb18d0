"""Colours of CSS 4 beyond rgb() and hsl(), as sRGB: hwb(), lab(), lch(), oklab(), oklch() and color().

The extension uses it, too. Colours outside sRGB are clipped channel by channel, as browsers show them on a screen that
has no more.
"""

from __future__ import annotations

import math
import re
from colorsys import hls_to_rgb

import numpy as np

from .oklab import encoded, linear_light, srgb

_FUNCTION = re.compile(r"(hwb|lab|lch|oklab|oklch|color)\(([^()]*)\)\Z", re.IGNORECASE)
#: Chromaticities x, y of the white points.
D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
#: Cone responses of XYZ by Bradford, in which colours are moved from one white point to another.
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
#: Chromaticities of red, green, blue and white of the spaces that color() names.
_PRIMARIES = {
    "srgb": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65),
    "display-p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    "a98-rgb": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), D65),
    "prophoto-rgb": ((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105), D50),
    "rec2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
}
#: What 100 % of each number after the name means.
_WHOLE = {"hwb": (360.0, 100.0, 100.0), "lab": (100.0, 125.0, 125.0), "lch": (100.0, 150.0, 360.0),
          "oklab": (1.0, 0.4, 0.4), "oklch": (1.0, 0.4, 360.0), "color": (1.0, 1.0, 1.0)}
_TURNS = (("grad", 0.9), ("turn", 360.0), ("deg", 1.0), ("rad", 180 / math.pi))


def from_css(text: str) -> tuple[tuple[float, float, float], float] | None:
    """((red, green, blue), opacity), sRGB-encoded in [0, 1]; None where the text is no colour of these kinds."""
    found = _FUNCTION.match(text.strip())
    if not found:
        return None
    name, (inside, _slash, last) = found.group(1).lower(), found.group(2).lower().partition("/")
    parts, space = inside.split(), ""
    if name == "color":
        space, parts = (parts[0], parts[1:]) if parts else ("", [])
    try:
        if len(parts) != 3:
            return None
        opacity = min(max(_number(last.strip(), 1.0), 0.0), 1.0) if _slash else 1.0
        values = [_number(part, _WHOLE[name][k]) for k, part in enumerate(parts)]
        red, green, blue = np.clip(_rgb(name, space, np.array(values)), 0, 1).tolist()
    except (ValueError, KeyError):
        return None
    return (red, green, blue), opacity


def _number(text: str, whole: float) -> float:
    """A number, a percentage of ``whole``, or an angle in degrees; ``none`` is 0."""
    factor = 1.0
    if text == "none":
        return 0.0
    if text.endswith("%"):
        text, factor = text[:-1], whole / 100
    for unit, degrees in _TURNS:
        if whole == 360.0 and text.endswith(unit):
            text, factor = text[:-len(unit)], degrees
            break
    value = float(text) * factor
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _rgb(name: str, space: str, values: np.ndarray) -> np.ndarray:
    """(3,) sRGB-encoded, not yet clipped."""
    if name == "hwb":
        hue, white, black = (values / (1, 100, 100)).tolist()
        if white + black >= 1:
            return np.full(3, white / (white + black))
        return np.array(hls_to_rgb(hue / 360 % 1, 0.5, 1.0)) * (1 - white - black) + white
    if name in ("lch", "oklch"):
        lightness, chroma, hue = values.tolist()
        turn, chroma = math.radians(hue), max(chroma, 0.0)
        values, name = np.array([lightness, chroma * math.cos(turn), chroma * math.sin(turn)]), name[:-2] + "ab"
    if name == "oklab":
        return srgb(np.array([min(max(values[0], 0.0), 1.0), *values[1:]]))
    xyz = _from_lab(values) if name == "lab" else _to_xyz(space, values)
    linear = np.linalg.solve(_matrix("srgb"), xyz)
    return np.sign(linear) * encoded(np.abs(linear))


def _from_lab(lab: np.ndarray) -> np.ndarray:
    """XYZ under D65 of CIE Lab, whose white is D50."""
    y = (min(max(float(lab[0]), 0.0), 100.0) + 16) / 116
    f = np.array([y + lab[1] / 500, y, y - lab[2] / 200])
    share = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return _adapted(share * _white(D50))


def _to_xyz(space: str, values: np.ndarray) -> np.ndarray:
    """XYZ under D65 of the numbers that color() has after the name of a space. KeyError: it has no such name."""
    if space in ("xyz", "xyz-d65"):
        return values
    if space == "xyz-d50":
        return _adapted(values)
    linear = "srgb" if space == "srgb-linear" else space
    xyz: np.ndarray = _matrix(linear) @ (values if linear != space else _decoded(space, values))
    return _adapted(xyz) if _PRIMARIES[linear][3] == D50 else xyz


def _white(place: tuple[float, float]) -> np.ndarray:
    x, y = place
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _matrix(space: str) -> np.ndarray:
    """(3, 3) from a space's linear red, green and blue to XYZ under its own white."""
    *corners, white = _PRIMARIES[space]
    columns = np.stack([_white(corner) for corner in corners], 1)
    return columns * np.linalg.solve(columns, _white(white))


def _adapted(xyz: np.ndarray) -> np.ndarray:
    """XYZ under D50 as XYZ under D65."""
    scale = (_BRADFORD @ _white(D65)) / (_BRADFORD @ _white(D50))
    return np.linalg.solve(_BRADFORD, scale * (_BRADFORD @ xyz))


def _decoded(space: str, values: np.ndarray) -> np.ndarray:
    size = np.abs(values)
    if space == "a98-rgb":
        size = size ** (563 / 256)
    elif space == "prophoto-rgb":
        size = np.where(size < 16 / 512, size / 16, size**1.8)
    elif space == "rec2020":
        a, b = 1.09929682680944, 0.018053968510807
        size = np.where(size < 4.5 * b, size / 4.5, ((size + a - 1) / a) ** (1 / 0.45))
    else:
        size = linear_light(size)
    return np.sign(values) * size
