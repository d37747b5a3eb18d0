"""Finds the strokes that gradvec inserted, what made them, and the picture that they show, whatever became of them.

A stroke carries the name of its run. What made it stands on its *holder*: the layer of the run, or the stroke itself
where a single picture became a single path. Strokes that were taken out of their layer are found by the run's name;
in a copy of a layer they belong to the copy.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gradvec.errors import GradvecError, InputError
from gradvec.options import Options
from inkex import Transform

from ..ui.messages import _, ngettext
from . import pictures, placement, runs, sources, styles
from .namespaces import ANCHOR, LABEL, PICTURE, RUN, STROKE, Element, local_name
from .outlines import bounds, is_outlined, plain_data, polygons
from .placement import inverse, to_root

#: So many of a drawing's strokes tell where it lies.
BOX_STROKES = 100


@dataclass(eq=False)
class Drawing:
    """The strokes that one run drew, in paint order, and the element that tells how."""

    holder: Element
    run: str
    strokes: list[Element]

    @property
    def layer(self) -> Element | None:
        """The layer that holds the strokes; None where it was ungrouped, or a single path has no layer."""
        return self.holder if local_name(self.holder) == "g" else None

    @property
    def facts(self) -> dict[str, Any]:
        """What the engine wrote about the run; empty where that is lost."""
        try:
            facts = json.loads(self.holder.get(RUN) or "{}")
        except ValueError:
            return {}
        return facts if isinstance(facts, dict) else {}

    @property
    def settings(self) -> dict[str, Any]:
        """Options of the run as far as this version knows them; defaults for the rest."""
        stored = self.facts.get("options")
        known = {option.name for option in fields(Options)}
        try:
            return Options.from_dict({name: value for name, value in (stored or {}).items() if name in known}).to_dict()
        except (GradvecError, AttributeError):
            return Options().to_dict()

    @property
    def name(self) -> str:
        return self.facts.get("name") or self.holder.get(LABEL) or ""


@dataclass(frozen=True)
class Place:
    """A picture and where it lies. size: px as shown. to_root: picture px to the document's user units."""

    picture: pictures.Picture
    source: sources.Source
    size: tuple[int, int]
    to_root: Transform

    @property
    def from_root(self) -> Transform:
        back = inverse(self.to_root)
        if back is None:
            raise InputError(_("The picture {name} is squeezed to nothing.").format(name=self.source.name),
                             _("Give it a size, or import it again with File > Import."))
        return back


def all_drawings(svg: Element, hidden: bool = False) -> list[Drawing]:
    """Every drawing in the document, bottom to top, with the strokes that are displayed, or all where ``hidden``."""
    known = runs.holders(svg)
    found: dict[Element, Drawing] = {}
    for element in svg.iter():
        run = element.get(STROKE) if isinstance(element.tag, str) else None
        if run is None or not is_outlined(element) or _defined(element) or (styles.hidden(element) and not hidden):
            continue
        holder = runs.holder_of(element, known)
        if holder is not None:
            found.setdefault(holder, Drawing(holder, run, [])).strokes.append(element)
    return list(found.values())


def drawings_of(svg: Element, picture: pictures.Picture) -> list[Drawing]:
    """The drawings of a picture where it is shown that have a layer, bottom to top; those that are hidden too."""
    anchor = "" if picture.anchor is picture.image else picture.anchor.get("id") or ""
    return [drawing for drawing in all_drawings(svg, hidden=True) if drawing.layer is not None
            and (drawing.holder.get(PICTURE), drawing.holder.get(ANCHOR) or "") == (picture.image.get("id"), anchor)]


def chosen_strokes(svg: Element, ids: list[str]) -> list[tuple[Drawing, list[Element]]]:
    """The strokes in the selection, by drawing.

    Raises:
        InputError: nothing is selected, or no stroke of ours.
    """
    elements = selected_elements(svg, ids)
    inside = {inner for element in elements for inner in element.iter()}
    chosen = [(drawing, [stroke for stroke in drawing.strokes if stroke in inside]) for drawing in all_drawings(svg)]
    chosen = [(drawing, strokes) for drawing, strokes in chosen if strokes]
    if not chosen:
        _check_remembered(inside)
        raise InputError(_("The selection holds no strokes that gradvec has painted."),
                         _("Select some of its strokes, or the layer that holds them."))
    return chosen


def chosen_drawings(svg: Element, ids: list[str], hidden: bool = False) -> list[Drawing]:
    """The drawings that the selection means: by their strokes, their layer or their picture; or the only one.

    hidden: also those that are not displayed.

    Raises:
        InputError: nothing of that is selected, and there is not exactly one drawing.
    """
    drawings = all_drawings(svg, hidden)
    wanted = set(ids)
    inside = {inner for element in svg.iter() if element.get("id") in wanted for inner in element.iter()}
    found = [drawing for drawing in drawings if drawing.holder in inside or any(s in inside for s in drawing.strokes)
             or {drawing.holder.get(PICTURE), drawing.holder.get(ANCHOR)} & wanted]
    if not found and len(drawings) == 1 and not ids:
        return drawings
    if not found:
        _check_remembered(inside)
        raise InputError(_("The selection holds no strokes that gradvec has painted.") if drawings else
                         _("This document holds no strokes that gradvec has painted."),
                         _("Select some of its strokes, or the layer that holds them.") if drawings else
                         _("Paint a picture first, with Extensions > Gradvec > Paint with gradient strokes."))
    return found


def selected_elements(svg: Element, ids: list[str]) -> list[Element]:
    """The selected elements in paint order.

    Raises:
        InputError: nothing is selected.
    """
    wanted = set(ids)
    elements = [e for e in svg.iter() if isinstance(e.tag, str) and e.get("id") in wanted]
    if not elements:
        raise InputError(_("Nothing is selected."), _("Select what this command is to work on, then choose it again."))
    return elements


def place_of(svg: Element, drawing: Drawing, folders: list[Path]) -> Place:
    """The picture that ``drawing`` shows, where the strokes lie on it.

    That is where the picture lies in the document; or, where the strokes were moved off it as a whole, where it would
    lie under them.

    Raises:
        InputError: the picture is gone, or cannot be read.
    """
    wanted = drawing.holder.get(PICTURE)
    names = [name for name in (drawing.holder.get(ANCHOR), wanted) if name]
    found: list[pictures.Picture] = []
    for name in names:
        try:
            found = [p for p in pictures.selected(svg, [name]) if p.image.get("id") == wanted]
        except InputError:
            continue
        if found:
            break
    if not found:
        raise InputError(_("The picture that these strokes were painted from is not in the document any more."),
                         _("Undo until it is back, or import it again and paint it anew."))
    place = place_of_picture(found[0], folders, _stored_size(drawing))
    step = -(-len(drawing.strokes) // BOX_STROKES)
    box = strokes_box(drawing.strokes[::step])
    share = 1.0 if box is None else _shared(box, picture_box(place.to_root, place.size))
    moved = _moved_along(drawing, place) if share < 0.5 else None
    if box is None or moved is None or _shared(box, picture_box(moved, place.size)) <= share:
        return place
    return Place(place.picture, place.source, place.size, moved)


def place_of_picture(picture: pictures.Picture, folders: list[Path], stored: tuple[int, int] | None = None) -> Place:
    """Where a picture lies. stored: its size in px, where its file does not tell.

    Raises:
        InputError: it cannot be read, or its size is not known.
    """
    source = sources.load(picture.image, folders)
    placement.check_visible(picture.image, source.name)
    return place_of_source(picture, source, stored)


def place_of_source(picture: pictures.Picture, source: sources.Source, stored: tuple[int, int] | None = None) -> Place:
    """As :func:`place_of_picture`, for a picture that is read already.

    Raises:
        InputError: its size is not known.
    """
    size = source.size or stored
    if size is None:
        raise InputError(_("The size of the picture {name} cannot be read.").format(name=source.name),
                         _("Save it as PNG or JPEG and import it from there."))
    fit = placement.fit_picture(picture.image, size)
    return Place(picture, source, size, to_root(picture.anchor) @ picture.to_anchor @ fit.from_canvas(*size))


def picture_under(svg: Element, box: tuple[float, float, float, float]) -> pictures.Picture | None:
    """The picture that lies under most of ``box`` (left, top, right, bottom in root units); the topmost of equals."""
    best, best_share = None, 0.05
    for picture in pictures.shown(svg):
        fit = placement.fit_picture(picture.image, (1, 1)).viewport
        matrix = to_root(picture.anchor) @ picture.to_anchor @ Transform((fit.width, 0, 0, fit.height, fit.x, fit.y))
        share = _shared(box, picture_box(matrix, (1, 1)))
        if share >= best_share - 1e-6:
            best, best_share = picture, share
    return best


def picture_box(matrix: Transform, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Box in root units around a picture of ``size`` px that ``matrix`` puts there."""
    corners = [matrix.apply_to_point((x, y)) for x in (0, size[0]) for y in (0, size[1])]
    return (min(p[0] for p in corners), min(p[1] for p in corners),
            max(p[0] for p in corners), max(p[1] for p in corners))


def strokes_box(elements: list[Element]) -> tuple[float, float, float, float] | None:
    """Box in root units around outlines, None where there are none."""
    loops = [loop for element in elements for loop in polygons(plain_data(element, to_root(element), 6))]
    return bounds(loops) if loops else None


def _moved_along(drawing: Drawing, place: Place) -> Transform | None:
    """Picture px to root units by what the layer noted when it was made."""
    frame, canvas = runs.frame_of(drawing.holder), runs.canvas_of(drawing.holder)
    if frame is None or canvas is None:
        return None
    to_canvas = Transform(scale=(canvas[0] / place.size[0], canvas[1] / place.size[1]))
    return to_root(drawing.holder) @ frame @ to_canvas


def _stored_size(drawing: Drawing) -> tuple[int, int] | None:
    width, height = drawing.facts.get("source_width"), drawing.facts.get("source_height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _check_remembered(elements: Collection[Element]) -> None:
    """Raises:
        InputError: there are strokes of ours among ``elements``, but nothing tells any more what made them.
    """
    lost = sum(1 for element in elements if isinstance(element.tag, str) and element.get(STROKE) is not None)
    if lost:
        raise InputError(ngettext("{count} selected stroke was painted by gradvec, but what made it is not stored in "
                                  "this document.", "{count} selected strokes were painted by gradvec, but what made "
                                  "them is not stored in this document.", lost).format(count=lost),
                         _("Undo until they are back in their layer, or copy the whole layer from the document that "
                           "they come from."))


def _defined(element: Element) -> bool:
    return any(local_name(e) in ("defs", "clipPath", "mask", "symbol", "pattern", "marker")
               for e in element.iterancestors())


def _shared(box: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Share of ``box`` that lies in ``other``."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    whole = (box[2] - box[0]) * (box[3] - box[1])
    return max(width, 0.0) * max(height, 0.0) / whole if whole > 0 else 0.0
