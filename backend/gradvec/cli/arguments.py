"""Arguments made from the Options table, so that command line, menu and wire cannot differ."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, fields
from typing import Any, NoReturn

from ..errors import UsageError
from ..options import Options


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are UsageErrors: one sentence and where to read more."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", f"See {self.prog} --help.")


def flag(name: str) -> str:
    """The command line's spelling of an option: ``paths_per_stroke`` is ``--paths-per-stroke``."""
    return f"--{name.replace('_', '-')}"


def add_options(parser: argparse.ArgumentParser, names: Collection[str] | None = None) -> None:
    """One argument for each field of Options, or for those that ``names`` lists. Absent ones stay absent."""
    group = parser.add_argument_group("options of the run")
    for field in fields(Options):
        if names is None or field.name in names:
            _add_option(group, field)


def _add_option(group: Any, field: Field) -> None:
    help_text = f"{field.metadata['help']} ({range_in_words(field)})".replace("%", "%%")
    if field.metadata["kind"] is bool:
        group.add_argument(flag(field.name), dest=field.name, action=argparse.BooleanOptionalAction,
                           default=argparse.SUPPRESS, help=help_text)
    else:
        group.add_argument(flag(field.name), dest=field.name, metavar=_metavar(field), default=argparse.SUPPRESS,
                           help=help_text)


def _metavar(field: Field) -> str:
    if field.metadata["choices"]:
        return "{" + ",".join(field.metadata["choices"]) + "}"
    return field.metadata["unit"].upper() or {int: "N", float: "X"}.get(field.metadata["kind"],
                                                                                    field.name.upper())


def range_in_words(field: Field) -> str:
    """``default 500, 1 to 50000``: what an option is when it is not given, and what it may be."""
    low, high, unit = field.metadata["low"], field.metadata["high"], field.metadata["unit"]
    default = {True: "on", False: "off"}[field.default] if isinstance(field.default, bool) else field.default
    if default is None:
        default = f"auto ({field.metadata['automatic']})"
    shown = f"{default:g}" if isinstance(default, float) else str(default) or "not used"
    words = f"default {shown}{f' {unit}' if unit and low is None else ''}"
    if low is not None:
        words += f", {_short(low)} to {_short(high)}{f' {unit}' if unit else ''}"
    return words


def _short(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def options_from(args: argparse.Namespace, job: str = "paint", base: Mapping[str, Any] | None = None) -> Options:
    """The Options that the arguments ask for, with the job's own defaults.

    base: options that hold where no others are asked for; a look that is asked for takes their place.

    Raises:
        UsageError: a value of the wrong type or out of range.
    """
    names = {f.name for f in fields(Options)}
    given = {name: value for name, value in vars(args).items() if name in names}
    return Options.for_job(job, given if "look" in given else {**(base or {}), **given})


def add_page(parser: argparse.ArgumentParser) -> None:
    """--page-mm."""
    group = parser.add_argument_group("how large it is")
    group.add_argument("--page-mm", metavar="WxH", type=page, default=None,
                       help="a page in mm, such as 210x297, on which the drawing is as large as it fits: for plotters, "
                            "cutters and print (default: a px of the picture is a px)")


def page(text: str) -> tuple[float, float]:
    """Reads a page's width and height for argparse, mm: 210x297."""
    sides = [float(side) for side in text.lower().split("x")]
    if len(sides) != 2 or not all(1 <= side <= 10_000 for side in sides):
        raise argparse.ArgumentTypeError(f"{text} is no page of two sides between 1 and 10000 mm, such as 210x297")
    return sides[0], sides[1]


def add_reporting(parser: argparse.ArgumentParser) -> None:
    """--time-limit, --progress and --quiet."""
    group = parser.add_argument_group("how it runs")
    group.add_argument("--time-limit", metavar="SECONDS", default=None,
                       type=number("number of seconds", 0, 1e6, "is no time between 0 and 1000000 seconds"),
                       help="stop after so long and keep the best there is by then")
    group.add_argument("--progress", choices=("bar", "json", "none"), default=None,
                       help="a bar, JSON lines on stderr, or nothing (default: a bar on a terminal)")
    group.add_argument("--quiet", action="store_true", help="say nothing but errors")


def number(name: str, low: float, high: float, refusal: str) -> Callable[[str], float]:
    """Reads a number from low to high for argparse, which puts ``name`` into its sentence where it is none.

    refusal: what is said of one outside, after the number itself.
    """
    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} {refusal}")
        return value

    read.__name__ = name
    return read
