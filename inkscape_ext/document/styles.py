"""Presentation properties and colours, as an artist's document writes them: attribute or style, own or inherited."""

from __future__ import annotations

import math
import re
from colorsys import hls_to_rgb
from typing import Tuple

import inkex
from gradvec.color.spaces import from_css

from .namespaces import Element

#: Three numbers in [0, 255].
Rgb = Tuple[float, float, float]
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^)]*)\)")


def own(element: Element, name: str) -> str:
    """A property that is set on ``element`` itself, "" where it is not."""
    for rule in reversed((element.get("style") or "").split(";")):
        key, _colon, value = rule.partition(":")
        if key.strip() == name:
            return value.replace("!important", "").strip()
    return (element.get(name) or "").strip()


def inherited(element: Element, name: str, default: str = "") -> str:
    """A property that holds for ``element``, from itself or the nearest element around it that sets it."""
    while element is not None:
        value = own(element, name)
        if value and value != "inherit":
            return value
        element = element.getparent()
    return default


def put(element: Element, name: str, value: str | None) -> None:
    """Sets a property where ``element`` already has it, in its style or as an attribute; None takes it away."""
    rules = [rule.strip() for rule in (element.get("style") or "").split(";") if rule.strip()]
    kept = [rule for rule in rules if rule.partition(":")[0].strip() != name]
    if len(kept) < len(rules):
        if value is not None:
            kept.append(f"{name}:{value}")
        if kept:
            element.set("style", ";".join(kept))
        else:
            element.attrib.pop("style", None)
        element.attrib.pop(name, None)
    elif value is None:
        element.attrib.pop(name, None)
    else:
        element.set(name, value)


def hidden(element: Element) -> bool:
    """Whether ``element`` or something around it is not displayed."""
    while element is not None:
        if own(element, "display") == "none":
            return True
        element = element.getparent()
    return False


def share(text: str, default: float = 1.0) -> float:
    """A number or percentage, kept in [0, 1]."""
    text = text.strip()
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return default
    return min(max(value, 0.0), 1.0) if value == value else default


def opacity_around(element: Element) -> float:
    """Product of the group opacities of ``element`` and of everything around it."""
    product = 1.0
    while element is not None:
        product *= share(own(element, "opacity"))
        element = element.getparent()
    return product


def rgb(text: str) -> Rgb | None:
    """(red, green, blue) in [0, 255] of a CSS colour; None where ``text`` is none, as are ``none`` and currentColor."""
    found = _color(text)
    return found[0] if found else None


def alpha(text: str) -> float:
    """How opaque a CSS colour is, in [0, 1]; 1 where it does not say, or is no colour."""
    found = _color(text)
    return found[1] if found else 1.0


def color_of(element: Element, name: str, default: str) -> str:
    """A property that holds a colour, from ``element`` or around it; currentColor is looked up there, too."""
    text = inherited(element, name, default)
    return inherited(element, "color", "#000000") if text.lower() == "currentcolor" else text


def _color(text: str) -> tuple[Rgb, float] | None:
    text = re.sub(r"\s*icc-color\(.*\)", "", text.strip()).lower()
    if text == "transparent":
        return (0.0, 0.0, 0.0), 0.0
    beyond = from_css(text)
    if beyond:
        (red, green, blue), opaque = beyond
        return (255 * red, 255 * green, 255 * blue), opaque
    function = _FUNCTION.match(text)
    if function:
        try:
            return _from_function(function.group(1), [p for p in re.split(r"[\s,/]+", function.group(2).strip()) if p])
        except ValueError:
            return None
    if not text.startswith("#"):
        text = _named(text)
    digits = text[1:]
    if len(digits) in (3, 4):
        digits = "".join(2 * digit for digit in digits)
    if not re.match(r"(?:[0-9a-f]{6}|[0-9a-f]{8})\Z", digits):
        return None
    red, green, blue, opaque = (int(digits[at:at + 2] or "ff", 16) for at in (0, 2, 4, 6))
    return (red, green, blue), opaque / 255


def _from_function(name: str, parts: list[str]) -> tuple[Rgb, float] | None:
    if len(parts) not in (3, 4):
        return None
    opaque = share(parts[3]) if len(parts) == 4 else 1.0
    if name == "hsl":
        light, saturation = share(parts[2]), share(parts[1])
        red, green, blue = (255 * value for value in hls_to_rgb(_turn(parts[0]) % 1, light, saturation))
    else:
        red, green, blue = (min(max(_channel(part), 0.0), 255.0) for part in parts[:3])
    return (red, green, blue), opaque


def _channel(text: str) -> float:
    value = float(text[:-1]) * 2.55 if text.endswith("%") else float(text)
    if value != value:
        raise ValueError(text)
    return value


def _turn(text: str) -> float:
    """An angle as a share of a turn; a number alone is degrees."""
    for unit, whole in (("grad", 400.0), ("turn", 1.0), ("deg", 360.0), ("rad", 2 * math.pi)):
        if text.endswith(unit):
            return _channel(text[:-len(unit)]) / whole
    return _channel(text) / 360


def _named(text: str) -> str:
    """#rrggbb of a colour's name, "" where it is none."""
    if not re.match(r"[a-z]+\Z", text) or text in ("none", "currentcolor", "inherit"):
        return ""
    try:
        return hex_of(tuple(float(value) for value in list(inkex.Color(text))[:3]))  # type: ignore[arg-type]
    except Exception:  # inkex names its own errors differently in each version
        return ""


def hex_of(color: Rgb) -> str:
    return "#" + "".join(f"{min(max(round(value), 0), 255):02x}" for value in color)


def reference(paint: str) -> str:
    """The id that ``url(#id)`` names, "" for any other paint."""
    match = re.match(r"url\(\s*['\"]?#([^'\")]+)['\"]?\s*\)", paint)
    return match.group(1) if match else ""
