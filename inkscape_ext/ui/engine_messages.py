"""The engine's errors in the artist's language and in the dialog's words: it speaks English and knows options only.

A text below is what the engine says, with a name in braces for each part that changes; test_engine_messages.py holds
them against the engine's own source.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from . import menu_file
from .messages import N_, _

TEXTS = (
    N_("{what} is fully transparent: there is nothing to paint."), N_("Choose a picture with something in it."),
    N_("{what} is not a picture that can be read."), N_("{what} does not fit into memory."), N_("Scale it down first."),
    N_("{what} is damaged or cut off and cannot be decoded."), N_("Save or download it again."),
    N_("{what} is {width} x {height} px, {count} million pixels; at most {most} million can be worked on."),
    N_("{what} is empty (0 bytes)."), N_("{what} has no pixels ({size} px)."),
    N_("{what} is a vector drawing (SVG), not a picture of pixels."),
    N_("Export it as PNG first, or select a picture inside the drawing."),
    N_("{what} is a document (PDF or PostScript), not a picture of pixels."), N_("Export the page as PNG first."),
    N_("{what} is a HEIC picture, which cannot be decoded here."), N_("Save it as JPEG or PNG first."),
    N_("The brush picture shows no paint."), N_("Draw dark on white, or opaque on transparent ground."),
    N_("The brush picture shows less paint than a stroke needs."), N_("Draw the brush larger."),
    N_("The selected area does not lie over the picture."), N_("Draw it where the picture is."),
    N_("None of the selected paths was found in the drawing."), N_("Select strokes that gradvec painted."),
    N_("Strokes of at least {narrowest} px cannot be at most {longest} px long."),
    N_("Raise {stroke_max} or lower {stroke_min}."),
    N_("Option {option} is {value}; it must lie between {low} and {high}."),
    N_("Option {option} is {value}; it must be one of {choices}."),
    N_("Option {option} is {value}; it must be {expected}."),
    N_("Option {option} is {value}; {word} is no colour. It must be {expected}."),
    N_("Option {option} expects {expected}, not {value}."),
    N_("Engine {engine} does not run on device {device}."), N_("Leave one of the two on auto."),
    N_("No CUDA device can be used here: {trouble}."),
    N_("There is not enough memory for this run."),
    N_("There is not enough memory for this run: {amount} more were wanted."),
    N_("Close other programs, or choose a smaller working size or fewer strokes, and try again."),
    N_("The system ended the engine in the middle of the run, most likely because memory ran out."),
    N_("The engine crashed in the middle of the run ({how})."),
    N_("The engine stopped answering in the middle of the run."),
    N_("The connection to the engine broke: it was stopped or it crashed."),
    N_("The engine ended while it started."), N_("The engine was stopped."),
    N_("The engine could not be started with {python}: {why}."),
    N_("The engine met a fault that it does not know: {fault}."),
    N_("The engine's own Python environment is incomplete: {what}."),
    N_("Run `gradvec doctor`, or install gradvec again."), N_("Run it again; a new engine starts by itself."),
    N_("Run it again; a new engine starts by itself. The log may say why: {path}"), N_("The log says why: {path}"),
    N_("The log may say why: {path}"),
    N_("There is nothing in this drawing that could appear."),
    N_("There is nothing in this drawing that could be cut out."),
    N_("There is nothing in this drawing that a pen could draw."),
    N_("All parts of this drawing are narrower than a hair."), N_("Make it larger, or lower --hair-mm."),
    N_("Films need PyAV, which is not installed."), N_("pip install 'gradvec[film]', or {instead}."),
    N_("Cutting and plotting need shapely, which is not installed."), N_("pip install 'gradvec[export]'."),
    N_("Lottie shows this drawing without {what}."),
    N_("{kind} knows no textures; it is left out. A PNG keeps it."),
    N_("EPS knows no transparency, so see-through strokes became pixels. A PDF keeps them as they are."))
#: What the engine calls a picture whose name it was not told.
SOME_PICTURE = N_("The picture")


def in_our_words(text: str, picture: str = "") -> str:
    """A sentence of the engine in the artist's language; ``text`` itself where it is not known.

    picture: the name of the picture that is meant, where the engine does not name it.
    """
    for known in TEXTS:
        match = _pattern(known).match(text)
        if match:
            return _(known).format(**{name: _part(name, value, picture) for name, value in match.groupdict().items()})
    return text


def option_label(name: str) -> str:
    """What the dialog calls an option; its own name where the dialog does not offer it."""
    try:
        labels = menu_file.labels()
    except (OSError, ElementTree.ParseError):
        return name
    label = labels.get(name.replace("-", "_")) or ""
    return "\u201c{}\u201d".format(re.sub(r" \([^)]*\)$", "", label.rstrip(":"))) if label else name


def _pattern(text: str) -> re.Pattern[str]:
    words = re.split(r"\{(\w+)\}", text)
    return re.compile("".join(re.escape(word) if at % 2 == 0 else _expected(word) for at, word in enumerate(words))
                      + r"\Z", re.DOTALL)


def _expected(name: str) -> str:
    """A group for a part that changes; the names of options stand in the engine's texts as they are."""
    return f"(?P<{name}>{name.replace('_', '-')})" if name.startswith("stroke_") else f"(?P<{name}>.+?)"


def _part(name: str, value: str, picture: str) -> str:
    if name == "option" or name.startswith("stroke_"):
        return option_label(value)
    if value == SOME_PICTURE:
        return _("The picture {name}").format(name=picture) if picture else _(SOME_PICTURE)
    return value
