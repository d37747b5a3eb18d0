"""A drawing as an SVG of its own: the layer as it is in the document, with textures, soft edges and the artist's own
changes, on a canvas that is the picture."""

from __future__ import annotations

import copy

from gradvec.errors import InputError
from inkex import Transform
from lxml import etree

from ..document import runs
from ..document.drawings import Drawing, strokes_box
from ..document.namespaces import SVG, Element
from ..document.placement import inverse, to_root
from ..document.transform import number
from ..ui.messages import _


def whole_drawing(svg: Element, drawing: Drawing) -> bytes:
    """The drawing's layer as SVG. Its canvas is the picture's where the layer remembers it, else its strokes' box.

    Raises:
        InputError: it has no layer, or no size.
    """
    if drawing.layer is None:
        raise InputError(_("These strokes have no layer any more."),
                         _("Undo until they are back in their layer, or paint the picture anew."))
    frame, canvas = runs.frame_of(drawing.holder), runs.canvas_of(drawing.holder)
    back = inverse(to_root(drawing.holder) @ frame) if frame is not None and canvas is not None else None
    if back is None or canvas is None:
        left, top, right, bottom = strokes_box(drawing.strokes) or (0.0, 0.0, 0.0, 0.0)
        if right <= left or bottom <= top:
            raise InputError(_("The strokes have no size."), _("Select another drawing."))
        back, canvas = Transform(translate=(-left, -top)), (right - left, bottom - top)
    width, height = (number(side, 3) for side in canvas)
    root = etree.Element(SVG + "svg", nsmap=svg.nsmap)
    for name, value in (("width", width), ("height", height), ("viewBox", f"0 0 {width} {height}")):
        root.set(name, value)
    inside = set(drawing.layer.iter())
    for defs in svg.iter(SVG + "defs"):
        if defs not in inside:
            root.append(copy.deepcopy(defs))
    around = drawing.layer.getparent()
    group = etree.SubElement(root, SVG + "g")
    group.set("transform", str(back @ to_root(around) if around is not None else back))
    group.append(copy.deepcopy(drawing.layer))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
