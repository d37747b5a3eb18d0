"""Repaint here: the area of a selected shape or of selected strokes is painted anew, finer or coarser."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import inkex
from gradvec.errors import InputError
from gradvec.options import STROKES_MAX

from ..document import marks
from ..document.drawings import Drawing, all_drawings, selected_elements, strokes_box
from ..document.gradients import Definitions
from ..document.namespaces import STROKE, Element
from ..document.outlines import bounds, is_open_line, is_outlined, share_inside
from ..editing_command import EditingCommand, payloads
from ..engine.export_svg import ExportSvg
from ..engine.job_runner import Job
from ..engine.results import Answer, Editor
from ..ui.messages import _, ngettext

#: New strokes for each one that goes.
DENSITY = {"finest": 4.0, "finer": 2.0, "same": 1.0, "coarser": 0.5, "coarsest": 0.25}
STROKES_LEAST = 3


class Repaint(EditingCommand):
    """One area of one drawing, painted anew."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--host_density", choices=sorted(DENSITY), default="finer")
        pars.add_argument("--host_remove_shape", type=inkex.Boolean, default=True)

    def work(self) -> bool | None:
        definitions = Definitions(self.svg)
        drawing, area, shapes = self._area()
        export = self.export_of(drawing, definitions)
        region = ExportSvg(export.place, definitions)
        for element in area:
            region.add(element, unfilled=True)
        if not region.loops():
            raise InputError(_("The selected shape encloses no area."), _("Draw a closed shape around the area."))
        count = self._count(export, region, [key for key in map(export.key, area) if key])
        title = ngettext("Painting {count} stroke anew", "Painting {count} strokes anew", count).format(count=count)
        settings = drawing.settings
        if marks.kept(drawing.holder).detail_map:  # its detail said how strongly marks count, and none are meant here
            settings["detail"] = 0.0
        job = Job("repaint", {**settings, "strokes": count},
                  payloads(export.place, svg=export.data(), region=region.data()), {"name": export.place.source.name},
                  title)
        (result,) = self.run_jobs([job], _("In an area of {name}").format(name=export.place.source.name))
        if result is None:
            return False
        answer = Answer(result.payloads)
        self._replace(drawing, export, result.info, answer, Editor(self.svg, definitions))
        if self.options.host_remove_shape:
            Editor(self.svg, definitions).remove([shape for shape in shapes if shape.getparent() is not None])
        self.finish()
        return None

    def _area(self) -> tuple[Drawing, list[Any], list[Any]]:
        """The drawing, the elements that are the area, and those of them that are no strokes.

        Raises:
            InputError: no such thing is selected.
        """
        elements = selected_elements(self.svg, self.options.ids)
        inside = {inner for element in elements for inner in element.iter()}
        drawings = all_drawings(self.svg)
        strokes = {stroke for drawing in drawings for stroke in drawing.strokes}
        shapes = [e for e in self.svg.iter() if e in inside and isinstance(e.tag, str) and is_outlined(e)
                  and not is_open_line(e) and e.get(STROKE) is None]
        if not shapes:
            touched = [(d, [s for s in d.strokes if s in inside]) for d in drawings]
            touched = [(d, chosen) for d, chosen in touched if chosen]
            if not touched:
                raise InputError(_("The selection holds neither a closed shape nor strokes that gradvec has painted."),
                                 _("Draw a shape around the area that is to be painted anew, and select it."))
            drawing, chosen = touched[-1]
            return drawing, chosen, []
        drawing = self._under(drawings, shapes, inside & strokes)
        return drawing, shapes, shapes

    def _under(self, drawings: list[Drawing], shapes: list[Element], strokes: set[Any]) -> Drawing:
        """The drawing that is meant: whose strokes are selected too, else the topmost one under the shapes."""
        box = strokes_box(shapes)
        meant = [d for d in drawings if any(s in strokes for s in d.strokes)] or drawings
        for drawing in reversed(meant):
            other = strokes_box(drawing.strokes)
            if box and other and min(box[2], other[2]) > max(box[0], other[0]) and (
                    min(box[3], other[3]) > max(box[1], other[1])):
                return drawing
        raise InputError(_("There are no strokes of gradvec under the selected shape."),
                         _("Draw the shape over strokes that gradvec has painted."))

    def _count(self, export: ExportSvg, region: ExportSvg, selected: list[str]) -> int:
        """How many strokes to paint: by how many go, and by what the artist asked for."""
        area = region.loops()
        whole = 0.9 * export.place.size[0] * export.place.size[1]
        going = selected or [key for key, loops in export.by_key().items()
                             if loops and _extent(loops) < whole and share_inside(loops, area) > 0.5]
        wanted = round(max(len(going), 1) * DENSITY[self.options.host_density])
        return min(max(wanted, STROKES_LEAST), STROKES_MAX)

    def _replace(self, drawing: Drawing, export: ExportSvg, info: dict[str, Any], answer: Answer,
                 editor: Editor) -> None:
        """The new strokes go directly above the topmost one that they replace."""
        below = export.elements.get(info.get("above") or "")
        if below is None:
            below = drawing.strokes[-1]
        parent = below.getparent()
        editor.insert(list(answer.paths.values()), answer, export.place.to_root, parent, parent.index(below) + 1,
                      drawing.run)
        editor.remove([export.elements[key] for key in info.get("removed") or [] if key in export.elements])


def _extent(loops: list[Any]) -> float:
    left, top, right, bottom = bounds(loops)
    return (right - left) * (bottom - top)


COMMAND = Repaint
