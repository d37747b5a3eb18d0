"""Which pictures the artist selected: directly, inside groups and layers, or through clones (``<use>``).

Spaces: *local* = user units inside the ``<image>``; *anchor* = user units inside the element that the result is placed
above (the picture itself, or the clone that shows it), after its own transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from gradvec.errors import InputError
from inkex import Transform

from ..ui.messages import _
from . import placement, styles
from .namespaces import SVG, Element, local_name
from .sources import href

#: Elements that hold others and are searched for pictures.
CONTAINERS = ("g", "a", "svg", "switch")
DEPTH_MAX = 40


@dataclass(frozen=True)
class Crop:
    """A clip or mask on the way to the picture. to_anchor: from the space it is written in to the anchor's."""

    kind: str
    element: Element
    on: Element
    to_anchor: Transform


@dataclass(frozen=True)
class Picture:
    """An ``<image>`` that is shown once; see the module for the spaces.

    anchor: the element whose sibling the result becomes. to_anchor: local to anchor space. crops: outermost first.
    """

    image: Element
    anchor: Element
    to_anchor: Transform
    crops: tuple[Crop, ...]


def selected(svg: Element, ids: list[str]) -> list[Picture]:
    """The pictures among the elements that ``ids`` name, bottom to top, each once.

    Raises:
        InputError: nothing is selected, or nothing that is selected shows a picture.
    """
    if not ids:
        raise InputError(_("Nothing is selected."), _("Select a picture first, then choose this command again."))
    wanted = set(ids)
    elements = [e for e in svg.iter() if isinstance(e.tag, str) and e.get("id") in wanted]
    found = {(p.anchor, p.image): p for element in elements for p in _shown_by(element, True)}
    if not found:
        raise InputError(*_why_none(elements))
    order = {element: index for index, element in enumerate(svg.iter())}
    return sorted(found.values(), key=lambda p: (order[p.anchor], order[p.image]))


def hidden_inside(svg: Element, ids: list[str]) -> list[Element]:
    """Hidden pictures in the selected groups and layers, which :func:`selected` leaves out."""
    wanted, found = set(ids), {picture.image for picture in selected(svg, ids)}
    return [image for group in svg.iter() if isinstance(group.tag, str) and group.get("id") in wanted
            for image in group.iter(SVG + "image") if image not in found and styles.hidden(image)]


def check_seen(picture: Picture, name: str) -> None:
    """Raises:
        InputError: something around the picture is hidden, so what is placed beside it would not be seen.
    """
    around = picture.anchor.getparent()
    if around is not None and styles.hidden(around):
        raise InputError(
            _("The picture {name} lies in a hidden layer or group, where strokes would not be seen.").format(name=name),
            _("Show the layer, then choose this command again."))


def shown(svg: Element) -> list[Picture]:
    """Every picture that the document shows, bottom to top."""
    return [picture for child in svg for picture in _shown_by(child)]


def _shown_by(element: Element, chosen: bool = False) -> Iterator[Picture]:
    """Pictures in ``element``; hidden ones only where the artist ``chosen`` them directly."""
    if not chosen and _hidden(element):
        return
    name = local_name(element)
    if name == "image":
        yield Picture(element, element, Transform(), tuple(_crops(element, Transform())))
    elif name == "use":
        yield from _through_use(element, element, Transform(), tuple(_crops(element, Transform())), 0)
    elif name in CONTAINERS:
        for child in element:
            yield from _shown_by(child)


def _through_use(use: Element, anchor: Element, to_anchor: Transform, crops: tuple[Crop, ...],
                 depth: int) -> Iterator[Picture]:
    """Pictures that ``use`` shows; ``to_anchor`` leads from inside ``use`` (after its transform) to the anchor."""
    target = _target(use)
    if target is None or depth > DEPTH_MAX:
        return
    wide, high = placement.viewport_of(use)
    shift = Transform(translate=(placement.length(use.get("x"), wide) or 0.0,
                                 placement.length(use.get("y"), high) or 0.0))
    inside = to_anchor @ shift
    if local_name(target) in ("symbol", "svg"):
        size = [placement.length(use.get(name) or target.get(name), whole) or whole
                for name, whole in (("width", wide), ("height", high))]
        inside = inside @ _transform(target) @ placement.view_box_transform(target, size[0], size[1])
        for child in target:
            yield from _inside(child, anchor, inside, crops, depth + 1)
    else:
        yield from _inside(target, anchor, inside, crops, depth + 1)


def _inside(element: Element, anchor: Element, outside: Transform, crops: tuple[Crop, ...],
            depth: int) -> Iterator[Picture]:
    """Pictures in ``element``, which a clone shows; ``outside`` leads from its parent's space to the anchor's."""
    if depth > DEPTH_MAX or _hidden(element):
        return
    name = local_name(element)
    to_anchor = outside @ _transform(element)
    crops = (*crops, *_crops(element, to_anchor))
    if name == "image":
        yield Picture(element, anchor, to_anchor, crops)
    elif name == "use":
        yield from _through_use(element, anchor, to_anchor, crops, depth + 1)
    elif name in CONTAINERS:
        if name == "svg":
            to_anchor = to_anchor @ placement.nested_viewport(element)
        for child in element:
            yield from _inside(child, anchor, to_anchor, crops, depth + 1)


def _crops(element: Element, to_anchor: Transform) -> Iterator[Crop]:
    for kind, tag in (("clip-path", "clipPath"), ("mask", "mask")):
        reference = styles.own(element, kind)
        if reference.startswith("url("):
            found = _by_id(element, reference[4:].split(")")[0].strip("'\" #"))
            if found is not None and local_name(found) == tag:
                yield Crop(kind, found, element, to_anchor)


def _why_none(elements: list) -> tuple[str, str]:
    """(message, remedy) for a selection that shows no picture."""
    if not elements:
        return (_("What is selected is not in this document."), _("Select the picture again."))
    for element in elements:
        fill = styles.own(element, "fill")
        pattern = _by_id(element, fill[4:].split(")")[0].strip("'\" #")) if fill.startswith("url(") else None
        if pattern is not None and local_name(pattern) == "pattern" and _pattern_shows_picture(pattern):
            return (_("The picture is a pattern that fills an object, not a picture of its own."),
                    _("Choose Object > Pattern > Pattern to Objects, select the picture and try again."))
    if all(local_name(e) in CONTAINERS for e in elements):
        return (_("The selected group or layer holds no visible picture."),
                _("Select a picture made of pixels (PNG, JPEG, ...)."))
    return (_("The selection holds no picture, only drawn objects."),
            _("Select a picture made of pixels (PNG, JPEG, ...), or make a bitmap copy of your drawing first "
              "(Edit > Make a Bitmap Copy)."))


def _pattern_shows_picture(pattern: Element, depth: int = 0) -> bool:
    if any(local_name(e) == "image" for e in pattern.iter()):
        return True
    base = _target(pattern)
    return base is not None and depth < DEPTH_MAX and _pattern_shows_picture(base, depth + 1)


def _target(element: Element) -> Element | None:
    """The element in the same document that ``element``'s href names."""
    address = href(element)
    return _by_id(element, address[1:]) if address.startswith("#") else None


def _by_id(element: Element, identifier: str) -> Element | None:
    if not identifier:
        return None
    found = element.getroottree().xpath("//*[@id=$id]", id=identifier)
    return found[0] if found else None


def _hidden(element: Element) -> bool:
    return not isinstance(element.tag, str) or styles.own(element, "display") == "none"


def _transform(element: Element) -> Transform:
    return Transform(element.get("transform"))
