"""Presentation properties and colours, as an artist's document writes them: attribute or style, own or inherited."""

from __future__ import annotations

import re
from typing import Tuple

import inkex

from .namespaces import Element

#: Three numbers in [0, 255].
Rgb = Tuple[float, float, float]
_FUNCTION = re.compile(r"rgba?\(([^)]*)\)", re.IGNORECASE)


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
    """(red, green, blue) in [0, 255], None where ``text`` is not a colour."""
    text = re.sub(r"\s*icc-color\(.*\)", "", text.strip())
    if text.startswith("#"):
        digits = text[1:]
        if len(digits) in (3, 4):
            digits = "".join(2 * digit for digit in digits)
        try:
            return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
        except ValueError:
            return None
    function = _FUNCTION.match(text)
    if function:
        parts = [part for part in re.split(r"[\s,/]+", function.group(1).strip()) if part][:3]
        try:
            values = [float(part[:-1]) * 2.55 if part.endswith("%") else float(part) for part in parts]
        except ValueError:
            return None
        if len(values) != 3:
            return None
        red, green, blue = (min(max(value, 0.0), 255.0) for value in values)
        return red, green, blue
    if not re.match(r"[A-Za-z]+$", text) or text.lower() in ("none", "currentcolor", "inherit", "transparent"):
        return None
    try:
        red, green, blue = (float(value) for value in list(inkex.Color(text.lower()))[:3])
        return red, green, blue
    except Exception:  # inkex names its own errors differently in each version
        return None


def hex_of(color: Rgb) -> str:
    return "#" + "".join(f"{min(max(round(value), 0), 255):02x}" for value in color)


def reference(paint: str) -> str:
    """The id that ``url(#id)`` names, "" for any other paint."""
    match = re.match(r"url\(\s*['\"]?#([^'\")]+)['\"]?\s*\)", paint)
    return match.group(1) if match else ""
