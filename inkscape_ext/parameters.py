"""From what the menu hands over to the options of a run."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from dataclasses import fields
from typing import Any

from gradvec.looks import NAMES as LOOKS
from gradvec.looks import PLAIN, look_of
from gradvec.options import STROKES_MAX, Options

#: Options that the menu does not offer: which renderer computes is for developers, forcing more strokes than Inkscape
#: can edit has no place in Inkscape, and one colour a stroke is one of the gradients there.
NOT_IN_MENU = ("engine", "force", "one_color")
#: What the presets do: factor on the number of strokes, factor on the working size.
PRESETS = {"draft": (1 / 3, 1 / 2), "standard": (1.0, 1.0), "fine": (2.0, 2.0)}
SIZE_MIN, SIZE_MAX = 16, 4096
#: The size, px, that an automatic one begins with.
AUTOMATIC = 512
OWN_BACKGROUND = "own"
#: A brush that is none: the picture is built up from free shapes.
FREE_SHAPES = "free"
#: Instead of a look: everything as the other tabs have it.
OWN_LOOK = "own"


def add_options(pars: ArgumentParser) -> None:
    """Adds ``--name`` for every option; values stay words here, because Options checks and converts them."""
    for option in fields(Options):
        pars.add_argument(f"--{option.name}", default=None)
    pars.add_argument("--host_preset", choices=sorted(PRESETS), default="standard")
    pars.add_argument("--host_background_color", default="#ffffff")


def job_kind(values: Namespace) -> str:
    """The engine's job for the look that was chosen."""
    look = _look(values)
    if look is not None:
        return look_of(look).job
    return "vectorize" if values.brush == FREE_SHAPES else "paint"


def _look(values: Namespace) -> str | None:
    """The look that was chosen, None where the other tabs say everything."""
    return values.look if values.look in LOOKS else None


def _of_the_look(values: Namespace, chosen: dict[str, Any]) -> dict[str, Any]:
    """Of the options that the menu hands over those that a look leaves to the artist; all, where there is no look."""
    look = _look(values)
    if look is None:
        return {"look": PLAIN, **{name: value for name, value in chosen.items() if name != "look"}}
    taken = {"brush", *look_of(look).options} - {"strokes"}
    return {name: value for name, value in chosen.items() if name not in taken}


def run_options(values: Namespace) -> dict[str, Any]:
    """The options of a run as plain JSON types, after the preset.

    Raises:
        UsageError: a value that the menu should not have let through.
    """
    chosen = {option.name: getattr(values, option.name) for option in fields(Options)}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    chosen = _of_the_look(values, chosen)
    if chosen.get("background") == OWN_BACKGROUND:
        chosen["background"] = hex_color(values.host_background_color)
    if chosen.get("brush") == FREE_SHAPES:
        del chosen["brush"]
    if chosen.get("gradient") == "flat":
        chosen.setdefault("one_color", True)
    if "background" in chosen:
        chosen["background"] = chosen["background"].strip()
    options = Options.for_job(job_kind(values), chosen).to_dict()
    more, larger = PRESETS[values.host_preset]
    options["strokes"] = max(1, min(round(options["strokes"] * more), max(STROKES_MAX, options["strokes"])))
    options["size"] = _size(options["size"], larger)
    return Options.from_dict(options).to_dict()


def _size(chosen: int | None, larger: float) -> int | None:
    """The working size after a preset. Automatic is as sharp as it gets, so only less than that needs a number."""
    if chosen is None:
        return None if larger >= 1 else round(AUTOMATIC * larger)
    return max(SIZE_MIN, min(round(chosen * larger), SIZE_MAX))


def new_seed() -> int:
    """A number of another variation."""
    return int(time.time_ns() // 1000 % 2**31)


def hex_color(value: str) -> str:
    """#rrggbb of a colour parameter: Inkscape hands it over as one number, red in the highest byte, or as #rrggbbaa."""
    value = value.strip()
    if value.startswith("#"):
        return value[:7]
    return f"#{(int(value, 0) & 0xFFFFFFFF) >> 8:06x}"
