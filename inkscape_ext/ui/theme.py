"""Light or dark, as Inkscape is: its windows' theme is a preference of its own, which other programs do not see.

Standard library only; the windows ask.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PREFERENCES = "preferences.xml"


@dataclass(frozen=True)
class Theme:
    """dark: whether dark colours are wanted. name: of a GTK theme, "" for the usual one."""

    dark: bool
    name: str


def inkscape_theme(profile: str | None = None) -> Theme | None:
    """What the preferences in Inkscape's profile folder say; None where they cannot be read.

    A fresh Inkscape (tried: 1.2.2), whose preferences say nothing yet, is dark.
    """
    folder = profile or os.environ.get("INKSCAPE_PROFILE_DIR")
    if not folder:
        return None
    try:
        root = ElementTree.parse(str(Path(folder) / PREFERENCES)).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    group = next((found for found in root.iter("group") if found.get("id") == "theme"), None)
    values = {} if group is None else group.attrib
    dark = values.get("preferDarkTheme", values.get("defaultPreferDarkTheme", "1"))
    return Theme(dark in ("1", "true"), values.get("gtkTheme", ""))
