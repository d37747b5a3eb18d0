"""A drawing for print, cutting or plotting as the bytes of a file: for the command line and for jobs of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..color.css import hex_color, parse_color
from ..errors import UsageError
from ..io.svg.read import parse, size_of
from ..progress import Run
from .printed import printed
from .profiles import Machine, cut, plot
from .still import is_see_through, is_textured, plain
from .tiles import png_parts

#: Kinds of file by the ending of the name; the profiles write SVG.
ENDINGS = (".pdf", ".eps", ".png")
#: What the profiles are called, "" for none.
PROFILES = ("", "cut", "plot")
_MM_AN_INCH = 25.4


@dataclass(frozen=True)
class Wanted:
    """ending: one of :data:`ENDINGS`, or ".svg" with a profile. width_mm: of the whole picture, None: as it is; width,
    dpi: of a PNG, px and px an inch. background: what a PNG lies on. machine: what the profiles need to know."""

    ending: str
    profile: str = ""
    width_mm: float | None = None
    width: float | None = None
    dpi: float = 300.0
    background: str = "#ffffff"
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        """Raises UsageError for what does not go together."""
        if self.profile not in PROFILES:
            raise UsageError(f"There is no profile {self.profile!r}.", "Choose cut or plot.")
        if self.profile and self.ending != ".svg":
            raise UsageError(f"The profile {self.profile} writes SVG, not {self.ending or 'files without an ending'}.",
                             "Give the output the ending .svg.")
        if not self.profile and self.ending not in ENDINGS:
            raise UsageError(f"A file {self.ending or 'without an ending'} is none of {', '.join(ENDINGS)}.",
                             "Give the output one of these endings, or ask for --profile cut or plot.")
        if self.width is not None and (self.ending != ".png" or self.width_mm is not None):
            raise UsageError("--width is the width of a PNG in px.",
                             "Give --width-mm alone, and for a PNG --dpi with it.")


def made(data: bytes, wanted: Wanted, run: Run) -> tuple[Iterable[bytes], list[str], int | None]:
    """(the file's bytes in pieces, sentences about what it cannot show, how many paths a profile wrote).

    Raises:
        UsageError: a library is missing, or a PNG too large. InputError: not an SVG, or nothing in it. Cancelled.
    """
    if wanted.profile:
        content, count = (cut if wanted.profile == "cut" else plot)(data, wanted.machine)
        return [content], [], count
    if wanted.ending == ".png":
        width, dpi = wanted.width or size_of(parse(data))[0], None
        if wanted.width_mm is not None:
            dpi = wanted.dpi
            width = wanted.width_mm / _MM_AN_INCH * dpi
        background = hex_color(parse_color(wanted.background)[0])
        return png_parts(data, max(1, round(width)), background, run, dpi), [], None
    content = printed(plain(data, wanted.width_mm), wanted.ending)
    notes = []
    if is_textured(data):
        notes.append(f"{wanted.ending[1:].upper()} knows no textures; it is left out. A PNG keeps it.")
    if wanted.ending == ".eps" and is_see_through(data):
        notes.append("EPS knows no transparency, so see-through strokes became pixels. A PDF keeps them as they are.")
    return [content], notes, None
