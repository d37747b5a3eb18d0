"""Refine selected strokes: their outlines, gradients or both follow the picture more closely; others stay."""

from __future__ import annotations

from argparse import ArgumentParser

from gradvec.errors import InputError

from ..document.drawings import chosen_strokes
from ..document.gradients import Definitions
from ..editing_command import EditingCommand, payloads, picture_note
from ..engine.job_runner import Job
from ..engine.results import Answer, Editor
from ..ui.messages import _, ngettext

WHAT = ("both", "outlines", "gradients")


class Refine(EditingCommand):
    """The selected strokes, refined against the picture under them."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--what", choices=WHAT, default="both")

    def work(self) -> bool | None:
        definitions = Definitions(self.svg)
        jobs, exports = [], []
        for drawing, strokes in chosen_strokes(self.svg, self.options.ids):
            export = self.export_of(drawing, definitions)
            keys = [key for key in map(export.key, strokes) if key]
            if not keys:
                continue
            exports.append(export)
            title = ngettext("Refining {count} stroke", "Refining {count} strokes", len(keys)).format(count=len(keys))
            jobs.append(Job("refine", drawing.settings, payloads(export.place, svg=export.data()),
                            {"name": export.place.source.name, "selected": keys, "what": self.options.what}, title))
        if not jobs:
            raise InputError(_("The selected strokes have no outline or no fill that could be refined."),
                             _("Select strokes that are filled."))
        results = self.run_jobs(jobs, picture_note(exports[0].place))
        answers = [(export, result, Answer(result.payloads)) for export, result in zip(exports, results) if result]
        editor = Editor(self.svg, definitions)
        for export, result, answer in answers:
            editor.update(export, answer)
            dropped = [export.elements[key] for key in result.info.get("dropped") or [] if key in export.elements]
            editor.remove(dropped)
        self.finish()
        return None


COMMAND = Refine
