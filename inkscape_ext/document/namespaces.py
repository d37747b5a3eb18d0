"""Names of elements and attributes, all in one place, and our own namespace in a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:  # Inkscape's oldest Python is 3.8
    from typing import TypeAlias

#: An element of a document; lxml brings no types, so what is done with one is not checked.
Element: TypeAlias = etree._Element
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
SODIPODI = "{http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd}"
#: Our own words in a document. A random UUID: an address on the internet could come to belong to somebody else.
GRADVEC = "{urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869}"
#: What documents up to gradvec 0.1 call it; these are read as if they used today's name.
OLD_GRADVEC = "{https://gradvec.org/ns/1}"
for _prefix, _uri in (("gradvec", GRADVEC), ("inkscape", INKSCAPE), ("sodipodi", SODIPODI)):
    etree.register_namespace(_prefix, _uri[1:-1])

#: On a layer: what made it, its picture, and the clone that shows the picture. On a stroke: the name of its run.
RUN, PICTURE, ANCHOR, STROKE = (GRADVEC + name for name in ("run", "picture", "anchor", "stroke"))
#: On a stroke: its painting level, where that is not the coarsest.
LEVEL = GRADVEC + "level"
LABEL = INKSCAPE + "label"


def local_name(element: Element) -> str:
    """An element's name without its namespace; "" for comments and the like."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def adopt_old_names(svg: Element) -> None:
    """Gives attributes and elements of an older document today's namespace."""
    for element in svg.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag.startswith(OLD_GRADVEC):
            element.tag = GRADVEC + local_name(element)
        for name in [name for name in element.attrib if name.startswith(OLD_GRADVEC)]:
            element.set(GRADVEC + name[len(OLD_GRADVEC):], element.attrib.pop(name))
