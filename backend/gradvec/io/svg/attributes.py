"""What attributes of SVG elements say: numbers, colours, styles and transforms. Everything comes out finite."""

from __future__ import annotations

import math
import re

import numpy as np
from lxml import etree

from ...errors import InputError
from ...model import Color
from .path import FARTHEST, NUMBER, number_in

_NAMED = {"black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff",
          "yellow": "#ffff00", "gray": "#808080", "grey": "#808080"}


def numbers(text: str) -> list[float]:
    return [number_in(n) for n in NUMBER.findall(text)]


def length(text: str) -> float:
    match = NUMBER.match(text.strip())
    return number_in(match[0]) if match and not text.strip().endswith("%") else 0.0


def style_property(element: etree._Element, name: str) -> str:
    """A style property: from the style attribute, else from the attribute of that name."""
    for declaration in element.get("style", "").split(";"):
        key, _, value = declaration.partition(":")
        if key.strip() == name:
            return value.strip()
    return element.get(name, "").strip()


def share(element: etree._Element, name: str) -> float:
    """An opacity or offset in [0, 1]; 1 where it is not given."""
    text = style_property(element, name)
    match = NUMBER.match(text)
    if not match:
        return 1.0
    return min(max(number_in(match[0]) / (100 if text.endswith("%") else 1), 0.0), 1.0)


def color_of(text: str) -> Color:
    text = _NAMED.get(text.lower(), text)
    if re.fullmatch(r"#[0-9a-fA-F]{3}", text):
        text = "#" + "".join(2 * c for c in text[1:])
    if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255
    if text[:4] == "rgb(" and text[-1] == ")":
        parts = [p.strip() for p in text[4:-1].split(",", 3)]
        if len(parts) == 3 and all(NUMBER.fullmatch(p.removesuffix("%")) for p in parts):
            red, green, blue = (number_in(p.removesuffix("%")) / (100 if p.endswith("%") else 255) for p in parts)
            return _to_one(red), _to_one(green), _to_one(blue)
    raise InputError(f"The colour {text[:40]!r} cannot be read.", "Use a colour such as #aabbcc.")


def _to_one(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def bounded(values: np.ndarray) -> np.ndarray:
    """``values``, which are a matrix or points. Raises InputError where they are beyond what is drawn."""
    if not (np.abs(values) <= FARTHEST).all():
        raise InputError(f"It lies farther than {FARTHEST:.0e} px away, or is that large.", "Look at its transform.")
    return values


def matrix_of(text: str) -> np.ndarray:
    """The 3 x 3 matrix of a transform attribute."""
    result = np.eye(3)
    for part in text.split(")"):
        name, opened, arguments = part.strip(" \t\r\n\f,").partition("(")
        if opened:
            result = bounded(result @ _transform(name.strip(), numbers(arguments)))
    return result


def _transform(name: str, n: list[float]) -> np.ndarray:
    if name == "matrix" and len(n) == 6:
        return np.array([[n[0], n[2], n[4]], [n[1], n[3], n[5]], [0, 0, 1]])
    if name == "translate" and n:
        return np.array([[1, 0, n[0]], [0, 1, n[1] if len(n) > 1 else 0], [0, 0, 1]])
    if name == "scale" and n:
        return np.diag([n[0], n[1] if len(n) > 1 else n[0], 1.0])
    if name == "rotate" and len(n) in (1, 3):
        c, s = math.cos(math.radians(n[0])), math.sin(math.radians(n[0]))
        x, y = n[1:] or (0.0, 0.0)
        return np.array([[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y], [0, 0, 1]])
    if name in ("skewX", "skewY") and len(n) == 1:
        slope = math.tan(math.radians(n[0]))
        return np.array([[1, slope if name == "skewX" else 0, 0], [slope if name == "skewY" else 0, 1, 0], [0, 0, 1]])
    raise InputError(f"The transform {name[:20]!r} with {len(n)} numbers cannot be read.")
