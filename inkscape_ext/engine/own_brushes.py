"""Brushes of the artist's own: pictures of one dab each, with which the oil brush paints instead of its own."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from gradvec.errors import InputError

from ..document.namespaces import GRADVEC, Element
from ..ui.messages import _

#: Where the files are named on the layer of a picture; as in the menu, ``|`` stands between them.
BRUSHES = GRADVEC + "brushes"


def payloads(names: str) -> dict[str, bytes]:
    """The files that ``names`` lists, under the names that the engine expects.

    Raises:
        InputError: a file cannot be read.
    """
    files = [Path(name.strip()) for name in names.split("|") if name.strip()]
    return {f"brush-{number:03d}": _read(file) for number, file in enumerate(files)}


def notes(names: str) -> dict[str, str]:
    """What the layer of the result is to say about the brushes that painted it."""
    return {BRUSHES: names} if names.strip(" |") else {}


def kept(layer: Element) -> str:
    """Which brushes painted a layer, "" for none of the artist's own."""
    return layer.get(BRUSHES) or ""


def _read(file: Path) -> bytes:
    try:
        if not file.is_file():  # a document may name anything, also what never ends
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return file.read_bytes()
    except OSError as error:
        raise InputError(_("The picture of a brush, {path}, cannot be read: {reason}.").format(
            path=file, reason=error.strerror or error),
            _("Put the file back, or paint the picture anew without it.")) from error
