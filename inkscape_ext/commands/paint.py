"""Paint with gradient strokes: every selected picture becomes a layer of strokes above it."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from typing import Any

import inkex
from gradvec.errors import GradvecError, InputError
from gradvec.ipc.client import ResultEvent
from gradvec.options import STROKES_WARN

from .. import engine, parameters, pictures, placement, sources
from ..command import Command
from ..history import History
from ..layers import Placer, Wishes
from ..messages import _, duration
from ..waiting import waiting
from ..work import Job, Work


class Paint(Command):
    """The selected pictures, painted."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        parameters.add_options(pars)
        pars.add_argument("--host_clip", type=inkex.Boolean, default=True)
        pars.add_argument("--host_hide_picture", type=inkex.Boolean, default=False)
        pars.add_argument("--host_lock_picture", type=inkex.Boolean, default=False)

    def work(self) -> Any:
        options = parameters.run_options(self.options)
        found, problems = self._loaded(pictures.selected(self.svg, self.options.ids))
        record = engine.read_record()
        history = History(os.path.join(os.path.dirname(self.streams.log_path), "history.json"))
        jobs = [Job("paint", options, {"picture": source.data}, {"name": source.name},
                    _("Painting {name}").format(name=source.name)) for _picture, source in found]
        started = time.monotonic()
        with waiting() as window:
            work = Work(jobs, window, self.streams.host_gone, _note(options, len(jobs), history))
            work.run(engine.Opening(record))
            window.progress(_("Placing the strokes..."), 1.0, None)
            placed = self._place(found, work.outcomes, problems)
        if placed == len(jobs) and not work.kept:
            history.add(options, (time.monotonic() - started) / len(jobs))
        return None

    def _loaded(self, found: list[pictures.Picture]) \
            -> tuple[list[tuple[pictures.Picture, sources.Source]], list[GradvecError]]:
        """The pictures with their bytes, and what went wrong with the others.

        Raises:
            InputError: nothing can be loaded.
        """
        loaded, problems = [], []
        for picture in found:
            try:
                source = sources.load(picture.image, self.folders())
                placement.check_visible(picture.image, source.name)
                loaded.append((picture, source))
            except InputError as error:
                problems.append(error)
        if not loaded:
            raise _together(problems)
        return loaded, problems

    def _place(self, found: list[tuple[pictures.Picture, sources.Source]], outcomes: list[Any],
               problems: list[GradvecError]) -> int:
        """Inserts the results and says what went wrong with the rest; returns how many were inserted.

        Raises:
            GradvecError: there is no result at all.
        """
        results = [(picture, source, outcome) for (picture, source), outcome in zip(found, outcomes)
                   if isinstance(outcome, ResultEvent)]
        problems = problems + [outcome for outcome in outcomes if isinstance(outcome, GradvecError)]
        if not results:
            raise _together(problems)
        wishes = Wishes(self.options.host_clip, self.options.host_hide_picture, self.options.host_lock_picture)
        placer = Placer(self.svg, wishes)
        for picture, source, result in results:
            placer.place(picture, source.name, source.size, result.payloads["svg"])
        sources.remember_links(self.svg, self.folders())
        if problems:
            self.tell(_together(problems))
        return len(results)


def _note(options: dict[str, Any], count: int, history: History) -> str:
    """What will come of it, and about how long it takes on this computer, as far as that is known."""
    strokes = options["strokes"]
    paths = strokes * options["paths_per_stroke"] * count
    if options["gradient"] == "flat":
        text = _("{count} strokes: up to {paths} paths of one colour").format(count=strokes * count, paths=paths)
    else:
        text = _("{count} strokes: up to {paths} paths with gradients").format(count=strokes * count, paths=paths)
    seconds = history.estimate(options)
    if seconds is not None:
        text = _("{what}; takes {time} on this computer").format(what=text, time=duration(seconds * count))
    if paths > STROKES_WARN:
        text = _("{what}. So many make Inkscape's gradient tool slow.").format(what=text)
    return text


def _together(problems: list[GradvecError]) -> GradvecError:
    """One error that tells all ``problems``, each once, with the last one's remedy kept beside it."""
    if len(problems) == 1:
        return problems[0]
    return InputError("\n".join(dict.fromkeys(str(problem) for problem in problems)))


COMMAND = Paint
