"""Add detail: more strokes where the drawing is still furthest from the picture, as a new layer on top of it.

Shapes that are selected as well mark where they may go.
"""

from __future__ import annotations

from argparse import ArgumentParser

from gradvec.errors import InputError

from ..document import marks
from ..document.drawings import Drawing, chosen_drawings
from ..document.gradients import Definitions
from ..document.layers import strokes_group
from ..document.namespaces import INKSCAPE, LABEL, SVG
from ..editing_command import EditingCommand, payloads, picture_note
from ..engine.export_svg import ExportSvg
from ..engine.job_runner import Job
from ..engine.results import Answer, Editor
from ..ui.messages import _, ngettext


class Detail(EditingCommand):
    """More strokes for each drawing that is meant."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--strokes", type=int, default=100)

    def work(self) -> bool | None:
        definitions = Definitions(self.svg)
        count = self.options.strokes
        drawings = chosen_drawings(self.svg, self.options.ids)
        layered = [drawing for drawing in drawings if drawing.holder.tag != SVG + "path"]
        if not layered:
            raise InputError(_("The selected path is a single traced picture and has no layer for further strokes."),
                             _("Select strokes that were painted."))
        exports = [self.export_of(drawing, definitions) for drawing in layered]
        title = ngettext("Adding {count} stroke", "Adding {count} strokes", count).format(count=count)
        maps, note = self._detail_maps(exports)
        jobs = [Job("add-detail", {**drawing.settings, "strokes": count},
                    payloads(export.place, svg=export.data(), **marks.payloads(png)),
                    {"name": export.place.source.name}, title) for drawing, export, png in zip(layered, exports, maps)]
        results = self.run_jobs(jobs, "\n".join(filter(None, (picture_note(exports[0].place), note))))
        answers = [(drawing, export, Answer(result.payloads)) for drawing, export, result in zip(
            layered, exports, results) if result]
        if not any(answer.paths for _drawing, _sheet, answer in answers):
            raise InputError(_("The drawing shows the picture so closely that no stroke would bring it nearer."),
                             _("Paint the picture anew with more sharpness of detail for finer strokes."))
        editor = Editor(self.svg, definitions)
        for drawing, export, answer in answers:
            if answer.paths:
                self._on_top(drawing, export, answer, editor, definitions)
        self.finish()
        return None

    def _detail_maps(self, exports: list[ExportSvg]) -> tuple[list[bytes], str]:
        """For each drawing what the selected shapes mark on it, and a line about that."""
        shapes = marks.drawn(self.svg, self.options.ids, [export.place.picture for export in exports])
        found = [marks.detail_map(export.place, shapes) for export in exports]
        marking = {shape for _png, there in found for shape in there}
        return [png for png, _there in found], "\n".join(filter(None, (
            marks.marking_note(len(marking)), marks.others_note(len(shapes) - len(marking)))))

    def _on_top(self, drawing: Drawing, export: ExportSvg, answer: Answer, editor: Editor,
                definitions: Definitions) -> None:
        parent = strokes_group(drawing.layer) if drawing.layer is not None else drawing.strokes[-1].getparent()
        number = 1 + sum(1 for child in parent if child.get(INKSCAPE + "groupmode") == "layer")
        layer = self.svg.makeelement(SVG + "g")
        layer.set("id", definitions.new_prefix() + "layer")
        layer.set(INKSCAPE + "groupmode", "layer")
        layer.set(LABEL, _("{number} added details").format(number=number))
        if drawing.layer is not None:
            parent.append(layer)
        else:
            drawing.strokes[-1].addnext(layer)
        definitions.note(layer)
        editor.insert(list(answer.paths.values()), answer, export.place.to_root, layer, 0, drawing.run)


COMMAND = Detail
