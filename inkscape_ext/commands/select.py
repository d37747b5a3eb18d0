"""Select by colour or by size: finds strokes of ours and selects them in Inkscape, or marks them where it cannot."""

from __future__ import annotations

from argparse import ArgumentParser

import numpy as np
from gradvec.color.oklab import oklab
from gradvec.errors import InputError

from ..document import styles
from ..document.drawings import all_drawings, chosen_drawings, chosen_strokes
from ..document.gradients import Definitions, stops_of
from ..document.namespaces import Element
from ..document.outlines import area, plain_data, polygons
from ..document.placement import to_root
from ..editing_command import EditingCommand
from ..parameters import hex_color
from ..ui import selection
from ..ui.messages import _, ngettext

MARK = "gradvec-found"


class Select(EditingCommand):
    """Strokes that look like others, or that are small or large."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--host_color_from", choices=("selection", "color"), default="selection")
        pars.add_argument("--host_color", default="#808080")
        pars.add_argument("--host_tolerance", type=float, default=10.0)
        pars.add_argument("--host_which", choices=("smallest", "largest", "similar"), default="smallest")
        pars.add_argument("--host_percent", type=float, default=20.0)

    def work(self) -> bool | None:
        strokes = self._candidates()
        found = self._by_size(strokes) if self.options.tab == "size_page" else self._by_color(strokes)
        unmarked = self._unmark()
        if not found:
            raise InputError(_("No stroke is like that."), _("Allow a larger difference."))
        if selection.possible():
            selection.select_later([stroke.get("id") for stroke in found])
            return None if unmarked else False
        for stroke in found:
            stroke.set("class", " ".join([*(stroke.get("class") or "").split(), MARK]))
        self.tell(InputError(
            ngettext("{count} stroke was found and marked.", "{count} strokes were found and marked.",
                     len(found)).format(count=len(found)),
            _('Here only Inkscape itself can select: choose Edit > Find, type "{mark}", search in Properties and press '
              'Find.').format(mark=MARK)))
        return None

    def _candidates(self) -> list[Element]:
        """Strokes of the drawings that the selection means, or of all where nothing of them is selected."""
        try:
            drawings = chosen_drawings(self.svg, self.options.ids)
        except InputError:
            drawings = all_drawings(self.svg)
            if not drawings:
                raise
        return [stroke for drawing in drawings for stroke in drawing.strokes]

    def _selected(self) -> list[Element]:
        return [s for _drawing, strokes in chosen_strokes(self.svg, self.options.ids) for s in strokes]

    def _by_color(self, strokes: list[Element]) -> list[Element]:
        definitions = Definitions(self.svg)
        if self.options.host_color_from == "selection":
            wanted = np.array([_color(stroke, definitions) for stroke in self._selected()])
        else:
            wanted = np.array([styles.rgb(hex_color(self.options.host_color))])
        have = oklab(np.array([_color(stroke, definitions) for stroke in strokes]) / 255)
        like = oklab(wanted / 255)
        distance = np.sqrt(((have[:, None] - like[None]) ** 2).sum(-1)).min(1)
        return [stroke for stroke, far in zip(strokes, distance) if 100 * far <= self.options.host_tolerance + 1e-9]

    def _by_size(self, strokes: list[Element]) -> list[Element]:
        sizes = np.array([_size(stroke) for stroke in strokes])
        if self.options.host_which == "similar":
            like = np.array([_size(stroke) for stroke in self._selected()])
            factor = 1 + self.options.host_percent / 100
            near = (sizes >= like.min() / factor) & (sizes <= like.max() * factor)
            return [stroke for stroke, fits in zip(strokes, near) if fits]
        count = max(1, round(len(strokes) * self.options.host_percent / 100))
        order = np.argsort(sizes if self.options.host_which == "smallest" else -sizes, kind="stable")[:count]
        return [strokes[index] for index in sorted(order)]

    def _unmark(self) -> bool:
        """Takes earlier marks away; whether there were any."""
        marked = [e for e in self.svg.iter() if isinstance(e.tag, str) and MARK in (e.get("class") or "").split()]
        for element in marked:
            rest = [word for word in element.get("class").split() if word != MARK]
            if rest:
                element.set("class", " ".join(rest))
            else:
                del element.attrib["class"]
        return bool(marked)


def _color(stroke: Element, definitions: Definitions) -> np.ndarray:
    """The colour of a stroke, [0, 255]; of a gradient the mean of its stops."""
    paint = styles.color_of(stroke, "fill", "#000000")
    stops = stops_of(definitions.chain(styles.reference(paint)))
    if stops:
        return np.mean([color for _offset, color, _opacity in stops], 0)
    return np.array(styles.rgb(paint) or (128.0, 128.0, 128.0))


def _size(stroke: Element) -> float:
    """Square root of the area, in the document's user units."""
    return area(polygons(plain_data(stroke, to_root(stroke), 6))) ** 0.5


COMMAND = Select
