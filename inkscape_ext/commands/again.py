"""Run again: paints the picture of a drawing anew with the settings that its layer stores, in place of the drawing.

The layer stays with all that the artist did to it; only the strokes are exchanged.

Where shapes marked the detail or lines gave a direction, those of that time count again, kept with the layer; shapes
and lines that are selected now take their place.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import inkex
from gradvec.errors import InputError
from gradvec.options import Options

from .. import parameters
from ..document import marks
from ..document.drawings import Drawing, Place, chosen_drawings, place_of
from ..document.layers import NewDrawing, Placer, Wishes
from ..document.marks import Marks
from ..document.namespaces import Element
from ..document.replacing import put_aside, replace
from ..document.runs import KEY
from ..editing_command import EditingCommand
from ..engine import own_brushes, style_picture
from ..engine.job_runner import Job
from ..ui.messages import _
from ..ui.toolkit import changed_settings


class Again(EditingCommand):
    """The same once more, or with other random numbers."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--host_change", type=inkex.Boolean, default=False)
        pars.add_argument("--host_new_seed", type=inkex.Boolean, default=False)
        pars.add_argument("--host_keep_old", type=inkex.Boolean, default=False)
        pars.add_argument("--host_changed", choices=("ask", "keep", "drop"), default="ask")

    def work(self) -> bool | None:
        chosen = chosen_drawings(self.svg, self.options.ids, hidden=True)
        drawings = [drawing for drawing in chosen if drawing.facts.get("options")]
        if not drawings:
            raise InputError(_("The layer of these strokes stores no settings to run again with."),
                             _("Select the picture and paint it with Extensions > Gradvec > "
                               "Paint with gradient strokes."))
        settings = [self._options(drawing) for drawing in drawings]
        if self.options.host_change:
            changed = changed_settings(settings[0])
            if changed is None:
                return False
            settings = [Options.from_dict({**stored, **changed}).to_dict() for stored in settings]
        kept = [] if self.options.host_keep_old else self.strokes_to_keep(drawings, self.options.host_changed)
        places = [place_of(self.svg, drawing, self.folders()) for drawing in drawings]
        drawn, note = self._marks(drawings, places)
        jobs = [self._job(*of) for of in zip(drawings, settings, places, drawn)]
        count = sum(job.options["strokes"] for job in jobs)
        results = self.run_jobs(jobs, "\n".join(filter(None, (
            _("{count} strokes, each a path").format(count=count), note))))
        placer, layers = Placer(self.svg, Wishes(clip=None)), []
        for drawing, place, of_picture, result in zip(drawings, places, drawn, results):
            if result is not None:
                notes = {**of_picture.notes(), **own_brushes.notes(own_brushes.kept(drawing.holder)),
                         **style_picture.notes(style_picture.kept(drawing.holder))}
                new = NewDrawing(place.picture, place.source.name, place.size, result.payloads["svg"], notes)
                layers.append(self._exchange(placer, drawing, new, kept))
        self.finish()
        self.select_later(layers)
        return None

    def _job(self, drawing: Drawing, options: dict[str, Any], place: Place, drawn: Marks) -> Job:
        info = {"name": place.source.name, **drawn.info()}
        kind = _kind(drawing)
        if kind == "vectorize" and isinstance(drawing.facts.get("schedule"), list):
            info["schedule"] = ",".join(map(str, drawing.facts["schedule"]))
        payloads = {"picture": place.source.data, **drawn.payloads(),
                    **own_brushes.payloads(own_brushes.kept(drawing.holder)),
                    **style_picture.payloads(style_picture.kept(drawing.holder))}
        return Job(kind, options, payloads, info,
                   _("Painting {name}").format(name=place.source.name))

    def _marks(self, drawings: list[Drawing], places: list[Place]) -> tuple[list[Marks], str]:
        """For each drawing what the shapes that are selected now come to, else what it keeps; and a note."""
        shapes = marks.drawn(self.svg, self.options.ids, [place.picture for place in places])
        found, used = [], set()
        for drawing, place in zip(drawings, places):
            drawn, there = marks.marks_on(place, shapes)
            found.append(drawn.or_else(marks.kept(drawing.holder)).of_use(_kind(drawing)))
            used.update(there)
        kinds = {_kind(drawing) for drawing in drawings}
        return found, marks.note_for(kinds.pop() if len(kinds) == 1 else "paint", list(used), shapes)

    def _options(self, drawing: Drawing) -> dict[str, Any]:
        options = drawing.settings
        if self.options.host_new_seed:
            options["seed"] = parameters.new_seed()
        return Options.from_dict(options).to_dict()

    def _exchange(self, placer: Placer, drawing: Drawing, new: NewDrawing, kept: list[Element]) -> Element:
        """Puts the new strokes in the old ones' place, or into a layer like theirs above it; returns their layer."""
        if not self.options.host_keep_old:
            return replace(placer, drawing, new, kept)
        layer = put_aside(drawing)
        if layer is None:
            return placer.place(new)
        placer.refill(layer, new)
        layer.set("id", f"{layer.get(KEY)}-layer")
        return layer


def _kind(drawing: Drawing) -> str:
    """The engine's job that made the drawing."""
    job = drawing.facts.get("job")
    return str(job) if job in ("vectorize", "lines") else "paint"


COMMAND = Again
