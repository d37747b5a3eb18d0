"""The picture of a painting in whose colours and manner is painted: a file that the artist names."""

from __future__ import annotations

from pathlib import Path

from gradvec.errors import InputError

from ..document.namespaces import GRADVEC, Element
from ..ui.messages import _

#: Where the file is named on the layer of a picture.
STYLE = GRADVEC + "style"


def payloads(name: str) -> dict[str, bytes]:
    """The file's bytes under the name that the engine expects; nothing where none is named.

    Raises:
        InputError: it cannot be read.
    """
    if not name.strip():
        return {}
    file = Path(name.strip())
    try:
        if not file.is_file():  # a document may name anything, also what never ends
            raise FileNotFoundError(2, _("there is no such file"))
        return {"style": file.read_bytes()}
    except OSError as error:
        raise InputError(_("The picture of the style, {path}, cannot be read: {reason}.").format(
            path=file, reason=error.strerror or error),
            _("Put the file back, or paint the picture anew without it.")) from error


def notes(name: str) -> dict[str, str]:
    """What the layer of the result is to say about the style that it was painted in."""
    return {STYLE: name.strip()} if name.strip() else {}


def kept(layer: Element) -> str:
    """The file in whose style a layer was painted, "" for none."""
    return layer.get(STYLE) or ""
