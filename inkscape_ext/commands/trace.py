"""Vectorize selected rasters as strokes: each picture with transparency becomes one path with one gradient."""

from __future__ import annotations

from argparse import ArgumentParser

from gradvec.errors import InputError
from gradvec.options import Options
from inkex import Transform

from ..document import pictures, styles
from ..document.drawings import Place, place_of_picture
from ..document.gradients import Definitions
from ..document.namespaces import ANCHOR, LABEL, PICTURE, SVG, Element
from ..editing_command import EditingCommand
from ..engine.job_runner import Job
from ..engine.results import Answer, Editor
from ..ui.messages import _, ngettext

METHODS = ("refined", "kmeans", "auto", "flat")


class Trace(EditingCommand):
    """One path for each selected picture, in its place."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--gradient", choices=METHODS, default="refined")
        pars.add_argument("--cubics", type=int, default=8)
        pars.add_argument("--paths_per_stroke", type=int, default=1)
        pars.add_argument("--host_afterwards", choices=("keep", "hide", "remove"), default="hide")

    def work(self) -> bool | None:
        definitions = Definitions(self.svg)
        places = [place_of_picture(picture, self.folders())
                  for picture in pictures.selected(self.svg, self.options.ids)]
        names = [f"{index:04d}" for index in range(len(places))]
        options = Options.from_dict({"gradient": self.options.gradient, "cubics": self.options.cubics,
                                     "paths_per_stroke": self.options.paths_per_stroke}).to_dict()
        title = ngettext("Vectorizing {count} picture", "Vectorizing {count} pictures", len(places)).format(
            count=len(places))
        job = Job("trace", options, {name: place.source.data for name, place in zip(names, places)},
                  {"name": places[0].source.name}, title)
        (result,) = self.run_jobs([job], _("Each becomes one path"))
        if result is None:
            return False
        answer = Answer(result.payloads)
        of = result.info.get("of") or {}
        found = {name: [path for key, path in answer.paths.items() if of.get(key) == name] for name in names}
        if not any(found.values()):
            raise InputError(_("The selected pictures show nothing: they are fully transparent."),
                             _("Select pictures of strokes on a transparent or white ground."))
        editor = Editor(self.svg, definitions)
        for name, place in zip(names, places):
            if found[name]:
                self._put(place, found[name], answer, editor)
        self.finish()
        empty = [place.source.name for name, place in zip(names, places) if not found[name]]
        if empty:
            self.tell(InputError(_("Nothing was found in {names}; these pictures stay as they are.").format(
                names=", ".join(empty))))
        return None

    def _put(self, place: Place, paths: list[Element], answer: Answer, editor: Editor) -> None:
        """The paths of one picture directly above it, cropped as it is."""
        anchor = place.picture.anchor
        parent = anchor.getparent()
        new = editor.insert(paths, answer, place.to_root, parent, parent.index(anchor) + 1, "")
        crops = {kind: styles.own(anchor, kind) for kind in ("clip-path", "mask")}
        for element in new:
            element.set(PICTURE, place.picture.image.get("id") or "")
            if anchor is not place.picture.image:
                element.set(ANCHOR, anchor.get("id") or "")
            element.set(LABEL, _("Stroke: {name}").format(name=place.source.name))
            if any(value.startswith("url(") for value in crops.values()):
                self._crop(element, anchor, crops)
        if self.options.host_afterwards == "hide":
            styles.put(anchor, "display", "none")
        elif self.options.host_afterwards == "remove":
            for element in new:
                element.attrib.pop(PICTURE)
            editor.remove([anchor])

    def _crop(self, element: Element, anchor: Element, crops: dict[str, str]) -> None:
        """A group around the path carries the picture's crop; the group has the picture's transform, as the crop."""
        group = self.svg.makeelement(SVG + "g")
        group.set("id", f"{element.get('id')}-crop")
        group.set("transform", anchor.get("transform") or "")
        for kind, value in crops.items():
            if value.startswith("url("):
                group.set(kind, value)
        element.getparent().replace(element, group)
        group.append(element)
        element.set("transform", str(-Transform(anchor.get("transform"))))


COMMAND = Trace
