"""Run again: paints the picture of a drawing anew with the settings that its layer stores, in place of the drawing."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

import inkex
from gradvec.errors import InputError
from gradvec.options import Options

from ..editing import styles
from ..editing.command import EditingCommand
from ..editing.drawings import Drawing, chosen_drawings, place_of
from ..editing.gradients import Definitions
from ..layers import Placer, Wishes
from ..messages import _
from ..work import Job


class Again(EditingCommand):
    """The same once more, or with other random numbers."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--host_new_seed", type=inkex.Boolean, default=False)
        pars.add_argument("--host_keep_old", type=inkex.Boolean, default=False)

    def work(self) -> Any:
        drawings = [d for d in chosen_drawings(self.svg, self.options.ids) if d.facts.get("options")]
        if not drawings:
            raise InputError(_("The layer of these strokes stores no settings to run again with."),
                             _("Select the picture and paint it with Extensions > Gradvec > "
                               "Paint with gradient strokes."))
        places = [place_of(self.svg, drawing, self.folders()) for drawing in drawings]
        jobs = [Job("paint", self._options(drawing), {"picture": place.source.data}, {"name": place.source.name},
                    _("Painting {name}").format(name=place.source.name))
                for drawing, place in zip(drawings, places)]
        note = _("{count} strokes, each a path").format(count=sum(job.options["strokes"] for job in jobs))
        results = self.run_jobs(jobs, note)
        for drawing, place, result in zip(drawings, places, results):
            if result is not None:
                self._exchange(drawing, place, result.payloads["svg"])
        self.finish()
        return None

    def _options(self, drawing: Drawing) -> dict[str, Any]:
        options = drawing.settings
        if self.options.host_new_seed:
            options["seed"] = int(time.time_ns() // 1000 % 2**31)
        return Options.from_dict(options).to_dict()

    def _exchange(self, drawing: Drawing, place: Any, svg: bytes) -> None:
        old = drawing.holder
        frame = f"url(#{drawing.run}-frame"
        clipped = any((element.get("clip-path") or "").startswith(frame) for element in old.iter())
        placer = Placer(self.svg, Wishes(clip=clipped))
        new = placer.place(place.picture, place.source.name, place.size, svg)
        where = old.getparent()
        if where is new.getparent():  # where it stood among the artist's other objects
            where.insert(where.index(old) + 1, new)
        if self.options.host_keep_old:
            styles.put(old, "display", "none")
            return
        definitions = Definitions(self.svg)
        definitions.remove(old)
        for stroke in drawing.strokes:
            if stroke.getparent() is not None and old not in stroke.iterancestors():
                definitions.remove(stroke)


COMMAND = Again
