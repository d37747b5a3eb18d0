"""Puts the engine's drawing into the artist's document: a layer directly above the picture, exactly over it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from gradvec.errors import EngineError
from inkex import Transform
from lxml import etree

from ..ui.messages import _, from_the_engine
from . import placement, runs, styles, transform
from .gradients import Definitions
from .namespaces import (
    ANCHOR,
    GRADVEC,
    INKSCAPE,
    LABEL,
    PICTURE,
    RUN,
    SODIPODI,
    STROKE,
    SVG,
    XLINK,
    Element,
    adopt_old_names,
)
from .pictures import Crop, Picture
from .runs import KEY

_URL = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
#: Our own clip of a layer: the rectangle of its picture.
_FRAME = re.compile(r"url\(#gv\d+-frame\)")
_HREFS = ("href", XLINK + "href")


@dataclass(frozen=True)
class Wishes:
    """What the artist wants done around the strokes: clip them to the picture, hide or lock the picture.

    clip: None leaves the clip of a layer that is filled anew as it is.
    """

    clip: bool | None = True
    hide_picture: bool = False
    lock_picture: bool = False


@dataclass(frozen=True)
class NewDrawing:
    """The engine's SVG of a picture.

    name: what to call the picture. size: px of the picture as shown, None where only the drawing tells. notes: further
    attributes that the layer is to keep.
    """

    picture: Picture
    name: str
    size: tuple[int, int] | None
    svg: bytes
    notes: dict[str, str] = field(default_factory=dict)


class Placer:
    """Inserts one drawing after another; remembers ids, and what already lies above each picture."""

    def __init__(self, svg: Element, wishes: Wishes) -> None:
        self._svg = svg
        self._wishes = wishes
        names = (name for element in svg.iter() for name in (element.get("id"), element.get(STROKE)) if name)
        used = [re.match(r"gv(\d+)(?:-|\Z)", name) for name in (*names, *runs.remembered(svg))]
        self._runs = max((int(match.group(1)) for match in used if match), default=0)
        self._tops: dict[Element, Element] = {}

    def place(self, new: NewDrawing) -> Element:
        """Inserts a drawing above its picture and returns the new layer.

        Raises:
            EngineError: the drawing is not the SVG that was expected.
        """
        root, picture = _parsed(new.svg), new.picture
        run, (width, height) = _run_of(root), _canvas_of(root)
        fit = placement.fit_picture(picture.image, new.size or _source_size(run) or (width, height))
        to_anchor = picture.to_anchor @ fit.from_canvas(width, height)
        key = self._new_key()
        layer = self._layer(picture, _("Gradvec: {name}").format(name=new.name), f"{key}-layer")
        holder = self._crop(layer, picture, fit, f"{key}-")
        self._above(picture.anchor, layer)
        groups = self._fill(holder, root, key, to_anchor)
        _describe(layer, {KEY: key, RUN: _compact(run), **new.notes}, picture, to_anchor, (width, height))
        self._remember(layer, groups)
        self._treat_picture(picture.anchor)
        return layer

    def refill(self, layer: Element, new: NewDrawing) -> None:
        """Puts a drawing into a layer whose earlier strokes of the same picture are gone.

        The layer keeps all that the artist did to it: place, name, opacity, blend mode, clip, visibility, lock.

        Raises:
            EngineError: the drawing is not the SVG that was expected.
        """
        root, picture = _parsed(new.svg), new.picture
        run, (width, height) = _run_of(root), _canvas_of(root)
        fit = placement.fit_picture(picture.image, new.size or _source_size(run) or (width, height))
        from_canvas = fit.from_canvas(width, height)
        frame, canvas = runs.frame_of(layer), runs.canvas_of(layer)
        to_layer = picture.to_anchor @ from_canvas
        if frame is not None and canvas is not None:
            to_layer = frame @ Transform(scale=(canvas[0] / width, canvas[1] / height))
        key = self._new_key()
        self._reclip(layer, fit, to_layer @ -from_canvas, f"{key}-frame")
        groups = self._fill(strokes_group(layer), root, key, to_layer)
        for name in [name for name in layer.attrib if name.startswith(GRADVEC)]:
            del layer.attrib[name]
        _describe(layer, {KEY: key, RUN: _compact(run), **new.notes}, picture, to_layer, (width, height))
        self._remember(layer, groups)
        self._treat_picture(picture.anchor)

    def _remember(self, layer: Element, groups: list[Element]) -> None:
        runs.remember(self._svg, layer)
        fingerprints = runs.Fingerprints(self._svg, Definitions(self._svg))
        for group in groups:
            for path in group.iter(SVG + "path"):
                fingerprints.sign(path)

    def _new_key(self) -> str:
        self._runs += 1
        return f"gv{self._runs}"

    def _fill(self, holder: Element, root: Element, key: str, matrix: Transform) -> list[Element]:
        """Moves what ``root`` draws into ``holder`` by ``matrix``, from canvas px to its user units; returns it."""
        _rename(root, f"{key}-")
        _into_user_units(root, matrix)
        for definitions in list(root.iter(SVG + "defs")):
            self._svg.defs.extend(list(definitions))
        groups = _graphics(root)
        for group in groups:
            for element in (group, *group.iter(SVG + "path")):
                if element.get(LABEL):
                    element.set(LABEL, from_the_engine(element.get(LABEL)))
            holder.append(group)
        for group in groups:
            for path in group.iter(SVG + "path"):
                path.set(STROKE, key)
        return groups

    def _reclip(self, layer: Element, fit: placement.Fit, to_layer: Transform, identifier: str) -> None:
        """Makes our own clip of ``layer`` what the artist now wants; other clips stay."""
        holder = strokes_group(layer)
        framed = [group for group in (holder, *holder.iterancestors()) if _FRAME.match(group.get("clip-path") or "")]
        if self._wishes.clip is False and not fit.sliced:
            for group in framed:
                del group.attrib["clip-path"]
        elif self._wishes.clip and not framed and not holder.get("clip-path"):
            holder.set("clip-path", f"url(#{self._frame(fit, to_layer, identifier)})")

    def _layer(self, picture: Picture, label: str, identifier: str) -> Element:
        layer = self._svg.makeelement(SVG + "g")
        layer.set("id", identifier)
        layer.set(INKSCAPE + "groupmode", "layer")
        layer.set(LABEL, label)
        if picture.anchor.get("transform"):
            layer.set("transform", picture.anchor.get("transform"))
        return layer

    def _crop(self, layer: Element, picture: Picture, fit: placement.Fit, prefix: str) -> Element:
        """Gives ``layer`` the picture's clips and masks and our own frame; returns the group that holds the strokes.

        A group can have one clip and one mask: each further one of a kind gets a layer of its own inside.
        """
        references = [(crop.kind, self._copied(crop, picture, fit, f"{prefix}crop{index}"))
                      for index, crop in enumerate(picture.crops)]
        if self._wishes.clip or fit.sliced:
            references.append(("clip-path", self._frame(fit, picture.to_anchor, prefix + "frame")))
        holder = layer
        for kind, identifier in references:
            if holder.get(kind):
                inner = etree.SubElement(holder, SVG + "g")
                inner.set("id", f"{identifier}-layer")
                inner.set(INKSCAPE + "groupmode", "layer")
                inner.set(LABEL, _("Inside the picture"))
                holder = inner
            holder.set(kind, f"url(#{identifier})")
        return holder

    def _frame(self, fit: placement.Fit, matrix: Transform, identifier: str) -> str:
        """A clip of the visible rectangle of the picture, in the space that ``matrix`` leads to; returns its id."""
        box = fit.visible
        clip = self._definition("clipPath", identifier, {"clipPathUnits": "userSpaceOnUse"})
        rectangle = etree.SubElement(clip, SVG + "rect")
        rectangle.set("id", identifier + "-shape")
        for key, value in (("x", box.x), ("y", box.y), ("width", box.width), ("height", box.height)):
            rectangle.set(key, transform.number(value, 6))
        if matrix != Transform():
            rectangle.set("transform", str(matrix))
        return identifier

    def _copied(self, crop: Crop, picture: Picture, fit: placement.Fit, identifier: str) -> str:
        """A copy of a clip or mask, in anchor space and user units; the artist can then change either alone."""
        source = crop.element
        matrix = crop.to_anchor @ Transform(source.get("transform"))
        units = source.get("clipPathUnits" if crop.kind == "clip-path" else "maskContentUnits", "userSpaceOnUse")
        if units == "objectBoundingBox":
            box = fit.viewport if crop.on is picture.image else _inner_box(crop.on)
            matrix = matrix @ Transform((box.width, 0, 0, box.height, box.x, box.y))
        if crop.kind == "clip-path":
            attributes = {"clipPathUnits": "userSpaceOnUse"}
        else:
            attributes = {"maskUnits": "userSpaceOnUse", "maskContentUnits": "userSpaceOnUse",
                          **_region(fit.visible, picture.to_anchor)}
        copy = self._definition(source.tag.rpartition("}")[2], identifier, attributes)
        if source.get("style"):
            copy.set("style", source.get("style"))
        for child in source:
            if isinstance(child.tag, str):
                clone = etree.fromstring(etree.tostring(child, with_tail=False))
                _rename(clone, identifier + "-")
                clone.set("transform", str(matrix @ Transform(child.get("transform"))))
                copy.append(clone)
        return identifier

    def _definition(self, tag: str, identifier: str, attributes: dict[str, str]) -> Element:
        element = etree.SubElement(self._svg.defs, SVG + tag)
        element.set("id", identifier)
        for key, value in attributes.items():
            element.set(key, value)
        return element

    def _above(self, anchor: Element, layer: Element) -> None:
        """Inserts ``layer`` above ``anchor`` and above what was already placed there."""
        top = self._tops.get(anchor, anchor)
        parent = top.getparent()
        parent.insert(parent.index(top) + 1, layer)
        self._tops[anchor] = layer

    def _treat_picture(self, anchor: Element) -> None:
        if self._wishes.hide_picture:
            styles.put(anchor, "display", "none")
        if self._wishes.lock_picture:
            anchor.set(SODIPODI + "insensitive", "true")


def strokes_group(layer: Element) -> Element:
    """The group that holds the layers of strokes: a clip may have put another one around them."""
    while True:
        inner = [child for child in layer if isinstance(child.tag, str)]
        if len(inner) == 1 and inner[0].tag == SVG + "g" and (inner[0].get("id") or "").endswith("-layer") and (
                inner[0].get("clip-path") or inner[0].get("mask")):
            layer = inner[0]
        else:
            return layer


def _inner_box(element: Element) -> placement.Box:
    """The bounding box of a group or clone in its own user units."""
    box = element.bounding_box(-element.transform)
    return placement.Box(box.left, box.top, box.width, box.height) if box else placement.Box(0, 0, 1, 1)


def _region(box: placement.Box, matrix: Transform) -> dict[str, str]:
    """x, y, width and height of a rectangle around ``box`` moved by ``matrix``, with a tenth to spare on each side."""
    corners = [matrix.apply_to_point((x, y)) for x in (box.x, box.x + box.width) for y in (box.y, box.y + box.height)]
    left, top = min(p[0] for p in corners), min(p[1] for p in corners)
    width, height = max(p[0] for p in corners) - left, max(p[1] for p in corners) - top
    values = {"x": left - width / 10, "y": top - height / 10, "width": width * 1.2, "height": height * 1.2}
    return {key: transform.number(value, 6) for key, value in values.items()}


def _parsed(drawing: bytes) -> Element:
    parser = etree.XMLParser(huge_tree=True, resolve_entities=False, remove_blank_text=True)
    try:
        root = etree.fromstring(drawing, parser)
    except etree.XMLSyntaxError as error:
        raise EngineError(_("The engine's drawing cannot be read."), code="engine.drawing") from error
    if root.tag != SVG + "svg":
        raise EngineError(_("The engine's drawing cannot be read."), code="engine.drawing")
    adopt_old_names(root)
    return root


def _canvas_of(root: Element) -> tuple[float, float]:
    """(width, height) px of the drawing's canvas, which shows the whole picture."""
    box = placement.view_box(root)
    if box is None or box[0] or box[1]:
        raise EngineError(_("The engine's drawing cannot be read."), code="engine.drawing")
    return box[2], box[3]


def _run_of(root: Element) -> dict[str, Any]:
    """What the drawing says about how it was made; empty where it says nothing."""
    metadata = root.find(SVG + "metadata")
    text = metadata.get(RUN) if metadata is not None else None
    try:
        run = json.loads(text or "{}")
    except ValueError:
        return {}
    return run if isinstance(run, dict) else {}


def _source_size(run: dict[str, Any]) -> tuple[int, int] | None:
    """Size of the picture that the engine was handed, after turning; None where the drawing does not tell."""
    width, height = run.get("source_width"), run.get("source_height")
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        return width, height
    return None


def _compact(run: dict[str, Any]) -> str:
    return json.dumps(run, sort_keys=True, separators=(",", ":"))


def _describe(layer: Element, notes: dict[str, str], picture: Picture, frame: Transform,
              canvas: tuple[float, float]) -> None:
    """Writes on ``layer`` what later commands need to find the picture and to run again."""
    for name, value in notes.items():
        layer.set(name, value)
    layer.set(PICTURE, picture.image.get("id") or "")
    if picture.anchor is not picture.image:
        layer.set(ANCHOR, picture.anchor.get("id") or "")
    layer.set(GRADVEC + "canvas", " ".join(transform.number(n, 3) for n in canvas))
    layer.set(runs.FRAME, " ".join(transform.number(n, 9) for n in frame.to_hexad()))


def _into_user_units(root: Element, matrix: Transform) -> None:
    """Moves all that ``root`` draws by ``matrix``: in its coordinates where that can be done, else as a transform."""
    if transform.can_apply(root):
        transform.apply(root, matrix)
        return
    for child in _graphics(root):
        child.set("transform", str(matrix @ Transform(child.get("transform"))))


def _graphics(root: Element) -> list[Element]:
    skipped = {SVG + name for name in ("defs", "metadata", "title", "desc", "style")}
    return [child for child in root if isinstance(child.tag, str) and child.tag.startswith(SVG)
            and child.tag not in skipped]


def _rename(root: Element, prefix: str) -> None:
    """Puts ``prefix`` before every id in ``root`` and before every reference to one of them."""
    inside = {element.get("id") for element in root.iter() if element.get("id")}

    def renamed(match: re.Match) -> str:
        return f"url(#{prefix}{match.group(1)})" if match.group(1) in inside else match.group(0)

    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, prefix + value)
            elif "url(" in value:
                element.set(key, _URL.sub(renamed, value))
            elif key in _HREFS and value[:1] == "#" and value[1:] in inside:
                element.set(key, f"#{prefix}{value[1:]}")
