"""The choices of the painting dialog as its menu file lists them: names, labels, ranges, so that they stand once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from gradvec.options import Options

from .messages import _, pgettext

MENU = Path(__file__).resolve().parents[2] / "gradvec.inx"
#: Choices that are no values of an option: they stand for another job, or for a colour that is set elsewhere.
NOT_VALUES = {"brush": ("free",), "background": ("own",)}
#: A look is a name for other options; what is changed afterwards are the options.
NOT_CHANGED = ("look",)
ONE_COLOR = "flat"
_NS = "{http://www.inkscape.org/namespace/inkscape/extension}"


@dataclass(frozen=True)
class Choice:
    """One option. kind: as in the menu file. choices: (value, label). low, high, digits: of numbers."""

    name: str
    kind: str
    label: str
    hint: str
    low: float
    high: float
    digits: int
    choices: tuple[tuple[str, str], ...]

    def shown(self, value: Any) -> str:
        """``value`` as the menu writes it: automatic is 0 among numbers, "auto" among words."""
        if value is None:
            return "auto" if self.choices else "0"
        return str(value).lower() if isinstance(value, bool) else str(value)


def pages(path: Path = MENU) -> list[tuple[str, list[Choice]]]:
    """(label, choices) of each page that offers options of a run, in the dialog's order and the artist's language."""
    options = {option.name for option in fields(Options)} - set(NOT_CHANGED)
    found = []
    for page in ElementTree.parse(str(path)).iter(f"{_NS}page"):
        choices = [_choice(param) for param in page.iter(f"{_NS}param") if param.get("name") in options]
        if choices:
            found.append((_(page.get("gui-text") or ""), choices))
    return found


def looks(path: Path = MENU) -> list[tuple[str, str]]:
    """(name, label) of the looks in the dialog's order; the last is that of the dialog's other pages."""
    param = next(param for param in ElementTree.parse(str(path)).iter(f"{_NS}param") if param.get("name") == "look")
    return list(_choice(param).choices)


def as_shown(settings: dict[str, Any]) -> dict[str, Any]:
    """The options of a run as the dialog has them: there, one colour a stroke is one of the gradients."""
    return {**settings, "gradient": ONE_COLOR} if settings.get("one_color") else settings


def as_meant(values: dict[str, str], settings: dict[str, Any]) -> dict[str, str]:
    """What the artist made of ``settings``, which were shown by :func:`as_shown`; in words."""
    if values["gradient"] == as_shown(settings)["gradient"]:
        return {**values, "gradient": str(settings["gradient"])}
    return {**values, "one_color": "true" if values["gradient"] == ONE_COLOR else "false"}


def labels(path: Path = MENU) -> dict[str, str]:
    """What the dialog calls each of its choices."""
    return {param.get("name") or "": _(param.get("gui-text") or "")
            for param in ElementTree.parse(str(path)).iter(f"{_NS}param") if param.get("gui-text")}


def _choice(param: ElementTree.Element) -> Choice:
    name = param.get("name") or ""
    values = tuple((option.get("value") or "", pgettext(option.get("context") or "", option.text or ""))
                   for option in param.iter(f"{_NS}option") if option.get("value") not in NOT_VALUES.get(name, ()))
    hint = param.get("gui-description") or ""
    return Choice(name, param.get("type") or "", _(param.get("gui-text") or ""), _(hint) if hint else "",
                  float(param.get("min") or 0), float(param.get("max") or 0), int(param.get("precision") or 0), values)
