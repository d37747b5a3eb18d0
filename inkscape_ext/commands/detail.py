"""Add detail: more strokes where the drawing is still furthest from the picture, as a new layer on top of it.

Shapes that are selected as well mark where they may go.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from gradvec.errors import InputError

from .. import marks
from ..editing.command import EditingCommand, payloads, picture_note
from ..editing.drawings import Drawing, chosen_drawings
from ..editing.gradients import INKSCAPE, SVG, Definitions
from ..editing.results import Answer, Editor
from ..editing.sheet import Sheet
from ..messages import _, ngettext
from ..work import Job


class Detail(EditingCommand):
    """More strokes for each drawing that is meant."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--strokes", type=int, default=100)

    def work(self) -> Any:
        definitions = Definitions(self.svg)
        count = self.options.strokes
        drawings = chosen_drawings(self.svg, self.options.ids)
        layered = [drawing for drawing in drawings if drawing.holder.tag == SVG + "g"]
        if not layered:
            raise InputError(_("The selected path is a single traced picture and has no layer for further strokes."),
                             _("Select strokes that were painted."))
        sheets = [self.sheet_of(drawing, definitions) for drawing in layered]
        title = ngettext("Adding {count} stroke", "Adding {count} strokes", count).format(count=count)
        maps, note = self._detail_maps(sheets)
        jobs = [Job("add-detail", {**drawing.settings, "strokes": count},
                    payloads(sheet.place, svg=sheet.data(), **marks.payloads(png)),
                    {"name": sheet.place.source.name}, title) for drawing, sheet, png in zip(layered, sheets, maps)]
        results = self.run_jobs(jobs, "\n".join(filter(None, (picture_note(sheets[0].place), note))))
        answers = [(drawing, sheet, Answer(result.payloads)) for drawing, sheet, result in zip(
            layered, sheets, results) if result]
        if not any(answer.paths for _drawing, _sheet, answer in answers):
            raise InputError(_("The drawing shows the picture so closely that no stroke would bring it nearer."),
                             _("Paint the picture anew with a larger working size for finer strokes."))
        editor = Editor(self.svg, definitions)
        for drawing, sheet, answer in answers:
            if answer.paths:
                self._on_top(drawing, sheet, answer, editor, definitions)
        self.finish()
        return None

    def _detail_maps(self, sheets: list[Sheet]) -> tuple[list[bytes], str]:
        """For each drawing what the selected shapes mark on it, and a line about that."""
        shapes = marks.drawn(self.svg, self.options.ids, [sheet.place.picture for sheet in sheets])
        found = [marks.detail_map(sheet.place, shapes) for sheet in sheets]
        marking = {shape for _png, there in found for shape in there}
        return [png for png, _there in found], marks.note(len(marking), len(shapes) - len(marking))

    def _on_top(self, drawing: Drawing, sheet: Sheet, answer: Answer, editor: Editor,
                definitions: Definitions) -> None:
        parent = _innermost(drawing.holder)
        number = 1 + sum(1 for child in parent if child.get(INKSCAPE + "groupmode") == "layer")
        layer = self.svg.makeelement(SVG + "g")
        layer.set("id", definitions.new_prefix() + "layer")
        layer.set(INKSCAPE + "groupmode", "layer")
        layer.set(INKSCAPE + "label", _("{number} added details").format(number=number))
        parent.append(layer)
        definitions.note(layer)
        editor.insert(list(answer.paths.values()), answer, sheet.place.to_root, layer, 0, drawing.run)


def _innermost(layer: Any) -> Any:
    """The layer that holds the layers of strokes: a clip may have put another one around them."""
    while True:
        inner = [child for child in layer if isinstance(child.tag, str)]
        if len(inner) == 1 and inner[0].tag == SVG + "g" and (inner[0].get("id") or "").endswith("-layer") and (
                inner[0].get("clip-path") or inner[0].get("mask")):
            layer = inner[0]
        else:
            return layer


COMMAND = Detail
