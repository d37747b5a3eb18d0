"""Every choice that a user has: name, unit, default and range in one place. Standard library only.

The command line, the wire and Inkscape's menu files are all checked against this table (tests/test_options.py), so an
option exists everywhere or nowhere. None stands for automatic: the picture, or the job, decides. In words it is "auto".
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from . import looks
from .color.swatches import palette_words
from .errors import UsageError

#: Above this many strokes Inkscape's gradient tool takes seconds per selection; see docs/extension.md.
STROKES_WARN = 1000
#: Above this many strokes a run has to be forced.
STROKES_MAX = 5000
STROKES_FORCED_MAX = 50000
#: How many inks there are where nobody says so.
INKS = 6


def _option(default: Any, help: str, *, low: float | None = None, high: float | None = None,
            choices: tuple[str, ...] = (), pattern: str = "", unit: str = "", expects: str = "",
            kind: type | None = None, automatic: str = "") -> Any:
    """kind: the type, where the default is None; automatic: what None then means."""
    meta = {"help": help, "low": low, "high": high, "choices": choices, "pattern": pattern, "unit": unit,
            "expects": expects, "kind": kind or type(default), "automatic": automatic}
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Options:
    """What a run is to do. Field metadata: help, low, high, choices, pattern, unit, expects, kind, automatic."""

    look: str = _option(looks.PLAIN, "a whole set of options, which others given besides it override "
                        f"(`gradvec looks` lists them; `gradvec paint` takes {looks.DEFAULT} where none is given)",
                        choices=looks.NAMES)
    strokes: int = _option(500, "how many brush strokes to paint", low=1, high=STROKES_FORCED_MAX)
    brush: str = _option("oil", "which brush paints", choices=("oil", "watercolor", "marker", "tape", "dry", "mixed"))
    pen: str = _option("ink", "what draws where the look is lines: ink that swells, pencil, coloured marker, or a "
                       "fineliner, whose lines are all of one width, as plotters want them",
                       choices=("ink", "pencil", "marker", "fineliner"))
    mode: str = _option("progressive", "where strokes go: coarse to fine by error, or on a regular grid",
                        choices=("progressive", "grid"))
    size: int | None = _option(None, "longest side of the working picture", low=16, high=4096, unit="px", kind=int,
                               automatic="painted at about 512 px, sharpened at what the picture has and its paths can "
                               "use, up to 2048")
    fidelity: float = _option(0.5, "0 keeps the brush shapes, 1 frees the outlines to follow the picture",
                              low=0.0, high=1.0)
    gradient: str = _option("refined", "how gradients are found: refined is best, kmeans is the paper's, "
                            "auto drops what the eye does not see, flat is one colour a stroke",
                            choices=("refined", "kmeans", "auto", "flat"))
    cubics: int | None = _option(None, "most Bezier segments a path may have", low=4, high=64, kind=int,
                                 automatic="8, up to 16 where fidelity is above 0.5; free shapes and lines: 16")
    accuracy: float = _option(0.15, "how closely traced outlines follow their stroke's edge, and freed ones the shape "
                              "that they found: curve segments are added until they do, or gain too little",
                              low=0.02, high=10.0, unit="px")
    holes: bool = _option(True, "keep holes that are a real part of a stroke's shape")
    paths_per_stroke: int = _option(1, "most paths one stroke may become, added while they gain", low=1, high=10)
    paths_by_size: bool = _option(False, "let large strokes become all of these paths, middle ones half as many, and "
                                  "small ones a single path")
    layers: str = _option("size", "how strokes are grouped", choices=("size", "level", "ink", "none"))
    background: str = _option("auto", "what lies under the strokes: nothing, the picture's own colours (auto), "
                              "or a colour as #rrggbb", pattern=r"none|auto|#[0-9a-fA-F]{6}",
                              expects="none, auto or a colour such as #aabbcc")
    detail: float = _option(0.0, "0 spends strokes where the error is largest, and a few on faces, 1 gathers them, "
                            "small and many, where the picture draws the eye or a detail map is bright", low=0.0,
                            high=1.0)
    stroke_min: float | None = _option(None, "narrowest a brush stroke may be", low=0.5, high=4096.0, unit="px",
                                       kind=float, automatic="as the picture's size asks for")
    stroke_max: float | None = _option(None, "longest a brush stroke may be", low=0.5, high=16384.0, unit="px",
                                       kind=float, automatic="as the picture's size asks for")
    one_color: bool = _option(False, "paint every stroke in one colour instead of a gradient")
    opaque: bool | None = _option(None, "paint opaque strokes; otherwise strokes may fade and let through what lies "
                                  "under them", kind=bool, automatic="off; vectorize: on")
    palette: str = _option("", "paint with few colours: how many, or which, as codes or names (#204060, #fc0, navy)")
    inks: bool = _option(False, f"print with true inks: flat, opaque colours in layers by ink, as many or those that "
                         f"the palette says (where it says none: {INKS})")
    texture: str = _option("none", "texture of the whole drawing, as one filter on its layer: ridges of paint, the "
                           "weave of a canvas, grain of paper, pooled pigment, sheets of paper, or edges as "
                           "soft as the picture's",
                           choices=("none", "impasto", "canvas", "paper", "watercolor", "cut", "soft"))
    transport: float = _option(0.0, "share of the optimal-transport loss, which moves strokes over gaps that a "
                               "pixel by pixel loss cannot see across", low=0.0, high=1.0)
    seed: int = _option(0, "start of the random numbers; the same seed gives the same result", low=0, high=2**31 - 1)
    device: str = _option("auto", "where the engine computes", choices=("auto", "cpu", "cuda"))
    engine: str = _option("auto", "which renderer computes", choices=("auto", "reference", "cpu", "cuda", "diffvg"))
    force: bool = _option(False, f"allow more than {STROKES_MAX} strokes, which Inkscape edits very slowly")

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, _checked(f, getattr(self, f.name)))
        object.__setattr__(self, "palette", palette_words(self.palette))
        if self.strokes > STROKES_MAX and not self.force:
            raise UsageError(f"{self.strokes} strokes are more than {STROKES_MAX}, above which Inkscape takes minutes "
                             "to select a path.", "Ask for fewer strokes, or add --force.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Options:
        """Options from names and values (from the wire, a menu or a document); absent names are as the look has them,
        or keep their default.

        Raises:
            UsageError: an unknown name, a wrong type or a value out of range.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UsageError(f"There is no option named {unknown[0]!r}.", f"Known options: {', '.join(sorted(known))}.")
        return cls(**looks.with_look(values))

    @classmethod
    def for_job(cls, job: str, values: dict[str, Any]) -> Options:
        """As :meth:`from_dict`, with the job's own defaults (:data:`JOB_DEFAULTS`) for what is absent or automatic, and
        for painting the look that it takes where none is named."""
        if job == "lines":
            values = {**values, "look": job}
        if job in ("paint", "draft"):
            values = {"look": looks.DEFAULT, **values}
            job = looks.look_of(values["look"]).job if values["look"] in looks.NAMES else job
        given = vars(cls.from_dict(values))
        own = {name: default for name, default in JOB_DEFAULTS.get(job, {}).items()
               if name not in values or given[name] is None}
        return cls(**{**given, **own})

    @property
    def segments(self) -> int:
        """Most Bezier segments a path may have: cubics, or what fidelity stands for."""
        return self.cubics or round(8 + 8 * max(0.0, 2 * self.fidelity - 1))

    def to_dict(self) -> dict[str, Any]:
        """All names and values, as plain JSON types."""
        return asdict(self)


#: What a job makes of options that are not given.
JOB_DEFAULTS: dict[str, dict[str, Any]] = {"vectorize": {"cubics": 16, "opaque": True, "strokes": 64},
                                           "lines": {"cubics": 16}}
_STROKES_GIVEN = ("look", "strokes", "brush", "pen", "mode", "size", "detail", "stroke_min", "stroke_max", "one_color",
                  "palette", "inks", "transport")
_NO_BRUSH = ("look", "brush", "pen", "mode", "fidelity", "paths_per_stroke", "paths_by_size", "stroke_min",
             "stroke_max", "palette", "inks", "transport", "seed")
_ALL = tuple(f.name for f in fields(Options))
#: Which options mean something to which job. Other jobs take them all.
JOB_OPTIONS: dict[str, tuple[str, ...]] = {
    "paint": _ALL,
    "strokes": tuple(name for name in _ALL if name not in _STROKES_GIVEN),
    "vectorize": tuple(name for name in _ALL if name not in _NO_BRUSH),
}


def _is_old_zero(kind: type, value: Any) -> bool:
    """Whether a value means automatic as documents before version 1 write it."""
    return kind in (int, float) and value in (0, "0", "0.0") and not isinstance(value, bool)


def _checked(f: Any, value: Any) -> Any:
    """``value`` in the field's type, or a UsageError that names the field, what is expected and what was got."""
    kind = f.metadata["kind"]
    name = f.name.replace("_", "-")
    low, high, choices = f.metadata["low"], f.metadata["high"], f.metadata["choices"]
    if f.default is None and (value is None or value in ("auto", "") or _is_old_zero(kind, value)):
        return None
    if kind is bool and isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    try:
        if kind is bool and not isinstance(value, bool):
            raise ValueError
        converted = kind(value) if not (kind is int and isinstance(value, float) and value != int(value)) else None
        if converted is None or converted != converted:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        words = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}[kind]
        raise UsageError(f"Option {name} expects {words}, not {value!r}.") from None
    if low is not None and not low <= converted <= high:
        unit = f" {f.metadata['unit']}" if f.metadata["unit"] else ""
        raise UsageError(f"Option {name} is {converted}; it must lie between {low} and {high}{unit}.")
    if choices and converted not in choices:
        raise UsageError(f"Option {name} is {converted!r}; it must be one of {', '.join(choices)}.")
    if f.metadata["pattern"] and not re.fullmatch(f.metadata["pattern"], converted):
        raise UsageError(f"Option {name} is {converted!r}; it must be {f.metadata['expects']}.")
    return converted
