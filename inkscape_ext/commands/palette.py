"""Limit palette: the colours of strokes become few, found by K-means, or those of the document's swatches."""

from __future__ import annotations

import copy
from argparse import ArgumentParser

import numpy as np
from gradvec.color.oklab import oklab, srgb
from gradvec.errors import InputError

from ..document import colors, runs, styles
from ..document.drawings import chosen_drawings, chosen_strokes
from ..document.gradients import KINDS, Definitions, stop_elements
from ..document.namespaces import INKSCAPE, SVG, Element
from ..document.outlines import area, plain_data, polygons
from ..document.placement import to_root
from ..document.transform import number
from ..editing_command import EditingCommand
from ..ui.messages import _

OSB_PAINT = "{http://www.openswatchbook.org/uri/2009/osb}paint"


class Palette(EditingCommand):
    """The selected strokes, or the strokes of the selected layers, in few colours."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--host_source", choices=("count", "swatches"), default="count")
        pars.add_argument("--host_count", type=int, default=8)

    def work(self) -> bool | None:
        definitions = Definitions(self.svg)
        strokes = self._strokes()
        _privately_filled(strokes, definitions)
        spots = [spot for stroke in strokes for spot in _spots(stroke, definitions)]
        if not spots:
            raise InputError(_("The selected strokes have no colours that could be changed."),
                             _("Select strokes that are filled with a colour or a gradient."))
        lab = oklab(np.array([color for _element, _name, color, _weight in spots]) / 255)
        if self.options.host_source == "swatches":
            palette = oklab(np.array(self._swatches()) / 255)
        else:
            weight = np.array([weight for _element, _name, _color, weight in spots])
            palette = colors.few(lab, weight, max(1, self.options.host_count))
        hexes = [styles.hex_of(color) for color in 255 * srgb(palette)]
        nearest = colors.nearest(lab, palette)
        if all(styles.hex_of(color) == hexes[index] for (_e, _n, color, _w), index in zip(spots, nearest)):
            raise InputError(_("The selected strokes have no other colours than these already; nothing was changed."),
                             _("Choose fewer colours."))
        fingerprints = runs.Fingerprints(self.svg, definitions)
        untouched = [stroke for stroke in strokes if not fingerprints.changed(stroke)]
        for (element, name, _color, _weight), index in zip(spots, nearest):
            _keep_alpha(element, name)
            if name == "fill":
                definitions.paint(element, hexes[index])
            else:
                styles.put(element, name, hexes[index])
        for stroke in strokes:
            _flat_where_even(stroke, definitions)
        for stroke in untouched:
            fingerprints.sign(stroke)
        return None

    def _strokes(self) -> list[Element]:
        try:
            return [s for _drawing, strokes in chosen_strokes(self.svg, self.options.ids) for s in strokes]
        except InputError:
            return [s for drawing in chosen_drawings(self.svg, self.options.ids) for s in drawing.strokes]

    def _swatches(self) -> list[styles.Rgb]:
        """Colours of the document's own swatches.

        Raises:
            InputError: it has none.
        """
        solid = []
        for gradient in self.svg.iter(*(SVG + kind for kind in KINDS)):
            if gradient.get(INKSCAPE + "swatch") == "solid" or gradient.get(OSB_PAINT) == "solid":
                solid += [styles.rgb(styles.own(stop, "stop-color")) for stop in stop_elements([gradient])[:1]]
        found = [color for color in solid if color]
        if not found:
            raise InputError(_("This document has no swatches of one colour."),
                             _("Make some in Object > Fill and Stroke (the button Swatch), or choose a number of "
                               "colours."))
        return found


def _privately_filled(strokes: list[Element], definitions: Definitions) -> None:
    """Gradients that something else uses as well are copied, so that nothing else changes its colours."""
    uses: dict[str, int] = {}
    for stroke in strokes:
        name = styles.reference(styles.own(stroke, "fill"))
        uses[name] = uses.get(name, 0) + 1
    shared: dict[str, str] = {}
    for stroke in strokes:
        name = styles.reference(styles.inherited(stroke, "fill"))
        chain = definitions.chain(name)
        if not chain or (definitions.uses(name) <= uses.get(name, 0) and len(chain) == 1):
            continue
        if name not in shared:
            own = copy.deepcopy(chain[0])
            for attribute in [a for a in own.attrib if a.rpartition("}")[2] == "href"]:
                del own.attrib[attribute]
            for base in reversed(chain[1:]):
                for attribute, value in base.attrib.items():
                    if "}" not in attribute and attribute != "id" and chain[0].get(attribute) is None:
                        own.set(attribute, value)
            for stop in stop_elements([own]):
                own.remove(stop)
            for stop in copy.deepcopy(stop_elements(chain)):
                stop.attrib.pop("id", None)  # Inkscape names stops when it saves
                own.append(stop)
            own.set(INKSCAPE + "collect", "always")
            shared[name] = definitions.add(own, f"{stroke.get('id')}-fill")
        definitions.paint(stroke, f"url(#{shared[name]})")


def _spots(stroke: Element, definitions: Definitions) -> list[tuple[Element, str, styles.Rgb, float]]:
    """(element, property, colour, weight) of every place where ``stroke`` names a colour; weight is its area."""
    weight = max(area(polygons(plain_data(stroke, to_root(stroke), 6))), 1e-6)
    paint = styles.color_of(stroke, "fill", "#000000")
    stops = stop_elements(definitions.chain(styles.reference(paint)))
    if not stops:
        color = styles.rgb(paint)
        return [(stroke, "fill", color, weight)] if color else []
    colors_of = [(stop, styles.rgb(styles.own(stop, "stop-color") or "#000000")) for stop in stops]
    return [(stop, "stop-color", color, weight / len(stops)) for stop, color in colors_of if color]


def _keep_alpha(element: Element, name: str) -> None:
    """What a colour such as rgba(9, 9, 9, .5) lets through becomes an opacity: another colour takes its place."""
    alpha, opacity = styles.alpha(styles.own(element, name)), f"{name.partition('-')[0]}-opacity"
    if alpha < 1:
        styles.put(element, opacity, number(alpha * styles.share(styles.inherited(element, opacity, "1")), 3))


def _flat_where_even(stroke: Element, definitions: Definitions) -> None:
    """A gradient between equal colours becomes that colour."""
    chain = definitions.chain(styles.reference(styles.own(stroke, "fill")))
    found = {(styles.own(stop, "stop-color"), styles.own(stop, "stop-opacity") or "1") for stop in stop_elements(chain)}
    if len(found) == 1:
        color, opacity = next(iter(found))
        if styles.share(opacity) >= 1:
            definitions.paint(stroke, color)


COMMAND = Palette
