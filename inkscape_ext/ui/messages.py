"""Words for the artist, in the artist's language where a translation lies in ``locale``. Standard library only."""

from __future__ import annotations

import gettext as _gettext_module
import re
from pathlib import Path

DOMAIN = "gradvec"
_LOCALE = Path(__file__).resolve().parent.parent / "locale"
_translations = _gettext_module.translation(DOMAIN, str(_LOCALE), fallback=True)


def _(text: str) -> str:
    """``text`` in the language that the environment asks for; itself where there is no translation."""
    return _translations.gettext(text)


def pgettext(context: str, text: str) -> str:
    """``text`` in the sense that ``context`` names, as menu files mark it."""
    marked = f"{context}\x04{text}"
    found = _translations.gettext(marked)
    return _(text) if not context or found == marked else found


def N_(text: str) -> str:
    """Marks ``text`` for translators; it is translated where it is shown."""
    return text


#: What the engine says while it works and how it names layers: it speaks English, and the host translates.
FROM_THE_ENGINE = (
    N_("Reading the picture"), N_("Painting"), N_("Vectorizing strokes"), N_("Refining"), N_("Writing"),
    N_("Reading the strokes"), N_("Outlining strokes"), N_("Fitting gradients"), N_("Adding detail"), N_("Tracing"),
    N_("Adding paths"), N_("Compiling kernels, first run only"),
    N_("Compiling kernels, which cannot be kept"),
    N_("underpainting"), N_("large shapes"), N_("middle shapes"), N_("details"), N_("strokes"),
    N_("Rendering"), N_("Rendering frames"), N_("Drawing lines"), N_("contours"), N_("hatching"), N_("soft edges"))
#: The same with a part that changes.
NUMBERED = {"level": N_("level {number}"), "stroke": N_("stroke {number}"), "ink": N_("ink {number}")}
#: What the dialog calls the engine's textures.
TEXTURES = {"impasto": "Thick paint", "canvas": "Canvas", "paper": "Paper", "watercolor": "Watercolour",
            "cut": "Sheets of paper", "soft": "Soft focus"}


def from_the_engine(text: str) -> str:
    """A stage, or the label of a layer or stroke, in the artist's language; a layer's leading number stays."""
    first, _space, words = text.partition(" ")
    if first.isdigit() and words:
        return f"{first} {from_the_engine(words)}"
    if first in NUMBERED and re.match(r"\d+\Z|#[0-9a-f]{6}\Z", words):
        return _(NUMBERED[first]).format(number=words)
    if first == "texture:" and words in TEXTURES:
        return _("texture: {name}").format(name=pgettext("texture", TEXTURES[words]))
    return _("Starting the engine...") if text == "starting the engine" else _(text)


def ngettext(one: str, many: str, count: int) -> str:
    return _translations.ngettext(one, many, count)


def duration(seconds: float) -> str:
    """``seconds`` as people say them: "a few seconds", "40 seconds", "2 minutes"."""
    if seconds < 5:
        return _("a few seconds")
    if seconds < 90:
        count = round(seconds / 5) * 5
        return ngettext("{count} second", "{count} seconds", count).format(count=count)
    count = round(seconds / 60)
    return ngettext("{count} minute", "{count} minutes", count).format(count=count)
