"""From a picture's address in the document to the bytes of its file.

Inkscape hands the extension a copy of the document in a temporary folder and rewrites relative addresses to fit that
copy, so a relative address is looked for beside the copy first, then beside the artist's own document.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from gradvec.errors import InputError

from ..ui.messages import _
from . import image_header
from .namespaces import LABEL, SODIPODI, SVG, XLINK, Element

#: Bytes of a linked file that is read.
FILE_BYTES_MAX = 256_000_000
WINDOWS = os.name == "nt"
ABSREF = SODIPODI + "absref"


@dataclass(frozen=True)
class Source:
    """data: the file's bytes as the engine is to see them. name: what to call it. size: px as shown, where known."""

    data: bytes
    name: str
    size: tuple[int, int] | None


def href(element: Element) -> str:
    """The address on an ``<image>`` or ``<use>``: ``href`` wins over ``xlink:href``, as in SVG 2."""
    return (element.get("href") or element.get(XLINK + "href") or "").strip()


def load(image: Element, folders: list[Path]) -> Source:
    """The picture that the ``<image>`` element shows.

    folders: where relative addresses are looked for, in this order.

    Raises:
        InputError: nothing there, not readable, on the internet, or a drawing instead of pixels.
    """
    address = href(image)
    if not address:
        raise InputError(_("The picture {name} has no file.").format(name=picture_name(image)),
                         _("Import it again with File > Import."))
    name = picture_name(image)
    if address.startswith("data:"):
        data = _embedded(address, name)
    else:
        path = _linked_file(address, image, folders)
        data, name = _read(path), path.name
    if not data:
        raise InputError(_("The picture {name} is empty.").format(name=name),
                         _("Import it again with File > Import."))
    if image_header.is_drawing(data):
        raise InputError(_("{name} is a drawing (SVG), not a picture made of pixels.").format(name=name),
                         _("Make a bitmap copy of it first (Edit > Make a Bitmap Copy)."))
    header = image_header.read(data)
    return Source(image_header.as_shown(data, header), name, header.shown if header else None)


def picture_name(image: Element) -> str:
    """What an artist would call the picture: its file's name, else its label, title or id, else "picture".

    Ids that a program has made up, such as image33, say nothing to anybody.
    """
    for address in (href(image), image.get(ABSREF) or ""):
        if not address or address.startswith("data:"):
            continue
        name = re.split(r"[/\\]", unquote(_split(address).path if "://" in address else address).rstrip("/\\"))[-1]
        if name:
            return name
    label = image.get(LABEL)
    title = image.find(SVG + "title")
    identifier = image.get("id") or ""
    named = "" if re.match(r"[A-Za-z]+[-_]?\d[\d-]*\Z", identifier) else identifier
    return label or (title.text if title is not None else None) or named or _("picture")


def find_file(address: str, folders: list[Path], absref: str = "") -> Path | None:
    """The file that a link means, or None: as an absolute address, in ``folders`` in order, then at ``absref``.

    Only regular files are meant; on Windows none on another computer (``\\\\server\\share``), because only looking for
    one would tell that computer who is logged on.
    """
    for candidate in _candidates(address, folders, absref):
        try:
            if WINDOWS and _on_another_computer(candidate):
                continue
            if candidate.is_file():
                return candidate
        except (OSError, ValueError):
            continue
    return None


def remember_links(svg: Element, folders: list[Path]) -> None:
    """Writes ``sodipodi:absref`` on every picture with a relative link.

    Inkscape 1.4.0 breaks relative links after an effect that returns a document, unless the absolute path is there.
    """
    for image in svg.iter(SVG + "image"):
        address = href(image)
        if not address or re.match(r"[A-Za-z][\w+.-]+:", address) or os.path.isabs(unquote(address)):
            continue
        found = find_file(address, folders)
        if found is not None:
            image.set(ABSREF, os.path.normpath(str(found)))


def _on_another_computer(path: Path) -> bool:
    return str(path).replace("/", "\\").startswith("\\\\")


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # such as file://[::1
        return SplitResult("", "", address, "", "")


def _candidates(address: str, folders: list[Path], absref: str) -> list[Path]:
    parts = _split(address) if re.match(r"file:", address, re.IGNORECASE) else None
    if parts is not None:
        local = url2pathname(parts.path)
        if WINDOWS and parts.netloc and parts.netloc != "localhost":
            local = rf"\\{parts.netloc}{local}"
        paths = [Path(local)]
    else:
        # Inkscape writes links percent-encoded; other programs and people do not, so the plain reading comes second.
        spellings = dict.fromkeys((unquote(address), address))
        paths = [Path(s) for s in spellings if os.path.isabs(s)]
        paths += [folder / s for folder in folders for s in spellings if not os.path.isabs(s)]
    return paths + ([Path(absref)] if absref else [])


def _linked_file(address: str, image: Element, folders: list[Path]) -> Path:
    name = picture_name(image)
    scheme = re.match(r"([A-Za-z][\w+.-]+):", address)
    if scheme and scheme.group(1).lower() != "file":
        raise InputError(_("The picture {name} lies on the internet ({address}).").format(
            name=name, address=address[:80]), _("Save it to your disk and import it from there."))
    path = find_file(address, folders, image.get(ABSREF) or "")
    if path is None:
        wanted = next(iter(_candidates(address, folders, "")), Path(address))
        if WINDOWS and _on_another_computer(wanted):
            raise InputError(_("The picture {name} lies on another computer ({path}).").format(name=name, path=wanted),
                             _("Copy it to your disk and import it from there."))
        raise InputError(_("The linked picture {name} is missing; it was expected at {path}.").format(
            name=name, path=os.path.normpath(str(wanted))),
            _("Put the file back, or choose it again in the picture's properties."))
    return path


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise InputError(_("The linked picture {name} has {size} MB; at most {most} MB can be painted.").format(
                name=path.name, size=round(size / 1e6), most=round(FILE_BYTES_MAX / 1e6)),
                _("Save a smaller copy of it, and link that."))
        with path.open("rb") as file:  # a file that grows meanwhile is read no further
            return file.read(FILE_BYTES_MAX)
    except OSError as error:
        raise InputError(_("The linked picture {name} cannot be read: {reason}.").format(
            name=path.name, reason=error.strerror or error), _("Check the file's permissions.")) from error


def _embedded(address: str, name: str) -> bytes:
    head, _comma, body = address.partition(",")
    try:
        if head.endswith(";base64"):
            # Exporters wrap, escape and cut base64 in every way; what is not of the alphabet means nothing.
            letters = re.sub(r"[^A-Za-z0-9+/]", "", unquote(body))
            return base64.b64decode(letters + "=" * (-len(letters) % 4))
        return unquote_to_bytes(body)
    except (binascii.Error, ValueError) as error:
        raise InputError(_("The embedded picture {name} is damaged.").format(name=name),
                         _("Import it again with File > Import.")) from error
