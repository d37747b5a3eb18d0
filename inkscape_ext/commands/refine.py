"""Refine selected strokes: their outlines, gradients or both follow the picture more closely; others stay."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from gradvec.errors import InputError

from ..editing.command import EditingCommand, payloads, picture_note
from ..editing.drawings import chosen_strokes
from ..editing.gradients import Definitions
from ..editing.results import Answer, Editor
from ..messages import _, ngettext
from ..work import Job

WHAT = ("both", "outlines", "gradients")


class Refine(EditingCommand):
    """The selected strokes, refined against the picture under them."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--what", choices=WHAT, default="both")

    def work(self) -> Any:
        definitions = Definitions(self.svg)
        jobs, sheets = [], []
        for drawing, strokes in chosen_strokes(self.svg, self.options.ids):
            sheet = self.sheet_of(drawing, definitions)
            keys = [key for key in map(sheet.key, strokes) if key]
            if not keys:
                continue
            sheets.append(sheet)
            title = ngettext("Refining {count} stroke", "Refining {count} strokes", len(keys)).format(count=len(keys))
            jobs.append(Job("refine", drawing.settings, payloads(sheet.place, svg=sheet.data()),
                            {"name": sheet.place.source.name, "selected": keys, "what": self.options.what}, title))
        if not jobs:
            raise InputError(_("The selected strokes have no outline or no fill that could be refined."),
                             _("Select strokes that are filled."))
        results = self.run_jobs(jobs, picture_note(sheets[0].place))
        answers = [(sheet, result, Answer(result.payloads)) for sheet, result in zip(sheets, results) if result]
        editor = Editor(self.svg, definitions)
        for sheet, result, answer in answers:
            editor.update(sheet, answer)
            dropped = [sheet.elements[key] for key in result.info.get("dropped") or [] if key in sheet.elements]
            editor.remove(dropped)
        self.finish()
        return None


COMMAND = Refine
