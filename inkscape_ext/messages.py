"""Words for the artist, in the artist's language where a translation lies in ``locale``. Standard library only."""

from __future__ import annotations

import gettext as _gettext_module
from pathlib import Path

DOMAIN = "gradvec"
_translations = _gettext_module.translation(DOMAIN, str(Path(__file__).parent / "locale"), fallback=True)


def _(text: str) -> str:
    """``text`` in the language that the environment asks for; itself where there is no translation."""
    return _translations.gettext(text)


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
