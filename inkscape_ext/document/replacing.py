"""A drawing that takes the place of an earlier one of the same picture, in a layer that stays the artist's own."""

from __future__ import annotations

import copy

from inkex import Transform

from ..ui.messages import _
from . import runs, styles
from .drawings import Drawing
from .gradients import Definitions
from .layers import NewDrawing, Placer, strokes_group
from .namespaces import INKSCAPE, LABEL, STROKE, SVG, Element
from .pictures import Picture
from .placement import inverse, to_root


def changed_strokes(svg: Element, drawings: list[Drawing]) -> list[Element]:
    """The strokes of ``drawings`` that the artist has moved, reshaped or recoloured."""
    fingerprints = runs.Fingerprints(svg, Definitions(svg))
    return [stroke for drawing in drawings for stroke in drawing.strokes if fingerprints.changed(stroke)]


def replace(placer: Placer, drawing: Drawing, new: NewDrawing, kept: list[Element]) -> Element:
    """Puts ``new`` where ``drawing`` was and returns its layer. kept: strokes that stay, on top of the new ones.

    Raises:
        EngineError: the engine's drawing is not the SVG that was expected.
    """
    document = drawing.strokes[0].getroottree().getroot()
    definitions = Definitions(document)
    kept = [stroke for stroke in drawing.strokes if stroke in set(kept)]
    places = [to_root(stroke) for stroke in kept]
    layer, where = drawing.layer, _beside(drawing, new.picture)
    _remove([stroke for stroke in drawing.strokes if stroke not in set(kept)], layer, definitions)
    for stroke in kept:
        _take_out(stroke, layer)
    if layer is not None:
        placer.refill(layer, new)
    else:
        layer = placer.place(new)
        if where is not None:
            where.addnext(layer)
    if kept:
        _on_top(kept, places, layer)
    return layer


def put_aside(drawing: Drawing) -> Element | None:
    """Hides the layer of ``drawing`` and returns an empty one directly above it that looks the same otherwise."""
    old = drawing.layer
    if old is None:
        for stroke in drawing.strokes:
            styles.put(stroke, "display", "none")
        return None
    new = copy.deepcopy(old)
    inside = strokes_group(new)
    for child in list(inside):
        inside.remove(child)
    for number, group in enumerate([new, *new.iter(SVG + "g")]):
        if group is not new:
            group.set("id", f"{group.get('id')}-{number}-layer")
    old.addnext(new)
    styles.put(old, "display", "none")
    return new


def _beside(drawing: Drawing, picture: Picture) -> Element | None:
    """What ungrouped strokes leave behind to put a layer above: the element beside the topmost one and the picture."""
    parent = picture.anchor.getparent()
    top: Element | None = drawing.strokes[-1]
    while top is not None and top.getparent() is not parent:
        top = top.getparent()
    while top is not None and any(stroke in set(top.iter()) for stroke in drawing.strokes):
        top = top.getprevious()
    return top


def _remove(strokes: list[Element], layer: Element | None, definitions: Definitions) -> None:
    for stroke in strokes:
        parent = stroke.getparent()
        definitions.remove(stroke)
        _drop_empty(parent, layer)


def _take_out(stroke: Element, layer: Element | None) -> None:
    parent = stroke.getparent()
    parent.remove(stroke)
    _drop_empty(parent, layer)


def _drop_empty(group: Element, layer: Element | None) -> None:
    """Takes away groups that held nothing but strokes."""
    stop = strokes_group(layer) if layer is not None else None
    while group is not stop and group is not layer and group.tag == SVG + "g" and not len(group):
        parent = group.getparent()
        parent.remove(group)
        group = parent


def _on_top(strokes: list[Element], places: list[Transform], layer: Element) -> None:
    """A layer of their own inside ``layer`` for strokes that stay; each lies where it lay."""
    key, inside = layer.get(runs.KEY), strokes_group(layer)
    group = layer.makeelement(SVG + "g")
    group.set("id", f"{key}-kept")
    group.set(INKSCAPE + "groupmode", "layer")
    group.set(LABEL, _("{number} changed by hand").format(number=len(inside) + 1))
    inside.append(group)
    back = inverse(to_root(group))
    for stroke, before in zip(strokes, places):
        group.append(stroke)
        stroke.set(STROKE, key)
        outside = before @ -Transform(stroke.get("transform"))
        moved = (back or Transform()) @ outside
        if moved != Transform():
            stroke.set("transform", str(moved @ Transform(stroke.get("transform"))))
