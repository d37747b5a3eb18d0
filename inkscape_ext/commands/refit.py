"""Re-fit gradients: closed paths, ours or not, get new fills from the picture under them; outlines stay."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from gradvec.errors import InputError
from gradvec.options import Options

from ..document import pictures, styles
from ..document.drawings import (
    Drawing,
    Place,
    all_drawings,
    picture_under,
    place_of,
    place_of_picture,
    selected_elements,
    strokes_box,
)
from ..document.gradients import Definitions
from ..document.namespaces import LABEL, Element
from ..document.outlines import is_open_line, is_outlined
from ..editing_command import EditingCommand, payloads, picture_note
from ..engine.export_svg import ExportSvg
from ..engine.job_runner import Job
from ..engine.results import Answer, Editor
from ..ui.messages import _, ngettext

METHODS = ("refined", "kmeans", "auto", "flat")


class Refit(EditingCommand):
    """The selected closed paths with new gradients."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--gradient", choices=METHODS, default="refined")

    def work(self) -> bool | None:
        definitions = Definitions(self.svg)
        jobs, exports = [], []
        for place, elements, settings in self._by_picture():
            export = ExportSvg(place, definitions)
            for element in elements:
                export.add(element, unfilled=True)
            if not len(export):
                continue
            exports.append(export)
            title = ngettext("Fitting the gradient of {count} path", "Fitting the gradients of {count} paths",
                             len(export)).format(count=len(export))
            jobs.append(Job("refit", {**settings, "gradient": self.options.gradient},
                            payloads(place, svg=export.data()), {"name": place.source.name}, title))
        if not jobs:
            raise InputError(_("The selected paths enclose no area."), _("Select closed paths."))
        results = self.run_jobs(jobs, picture_note(exports[0].place))
        answers = [(export, Answer(result.payloads)) for export, result in zip(exports, results) if result]
        editor = Editor(self.svg, definitions)
        for export, answer in answers:
            editor.update(export, answer, outlines=False)
        self.finish()
        return None

    def _by_picture(self) -> list[tuple[Place, list[Any], dict[str, Any]]]:
        """The selected paths with the picture that each lies on: a selected one, its drawing's, or the one under it.

        Raises:
            InputError: no path is selected, or no picture lies under one.
        """
        elements = selected_elements(self.svg, self.options.ids)
        inside = {inner for element in elements for inner in element.iter()}
        paths = [e for e in self.svg.iter() if e in inside and isinstance(e.tag, str) and is_outlined(e)
                 and not is_open_line(e) and not styles.hidden(e)]
        if not paths and any(is_open_line(e) for e in inside if isinstance(e.tag, str) and is_outlined(e)):
            raise InputError(_("The selection holds no closed paths: lines without a fill have no gradients."),
                             _("Change their colour and width in Object > Fill and Stroke; Path > Stroke to Path makes "
                               "filled paths of them."))
        if not paths:
            raise InputError(_("The selection holds no closed paths."), _("Select the paths that are to get new "
                             "gradients. Text has to be made a path first (Path > Object to Path)."))
        chosen = self._selected_picture()
        owners = {stroke: drawing for drawing in all_drawings(self.svg) for stroke in drawing.strokes}
        places: dict[Any, tuple[Place, list[Any], dict[str, Any]]] = {}
        for path in paths:
            drawing = owners.get(path)
            picture = chosen or (None if drawing else self._under(path))
            key = picture.anchor if picture else drawing
            if key not in places:
                settings = drawing.settings if drawing else Options().to_dict()
                places[key] = (self._place(picture, drawing), [], settings)
            places[key][1].append(path)
        return list(places.values())

    def _selected_picture(self) -> pictures.Picture | None:
        try:
            found = pictures.selected(self.svg, self.options.ids)
        except InputError:
            return None
        return found[-1]

    def _under(self, path: Element) -> pictures.Picture:
        """The picture that lies under ``path``.

        Raises:
            InputError: there is none.
        """
        box = strokes_box([path])
        found = picture_under(self.svg, box) if box else None
        if found is None:
            raise InputError(_("There is no picture under the path {name}.").format(
                name=path.get(LABEL) or path.get("id")),
                _("Move it over a picture, or select the picture as well."))
        return found

    def _place(self, picture: pictures.Picture | None, drawing: Drawing | None) -> Place:
        if picture is not None:
            return place_of_picture(picture, self.folders())
        assert drawing is not None, "a path that is nobody's stroke has a picture"
        return place_of(self.svg, drawing, self.folders())


COMMAND = Refit
