"""Paint with gradient strokes: every selected picture becomes a layer of strokes, or of free shapes, above it."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from typing import Any

import inkex
from gradvec.errors import GradvecError, InputError
from gradvec.ipc.client import ResultEvent
from gradvec.options import STROKES_WARN

from .. import parameters
from ..command import Command
from ..document import detail_maps, pictures, placement, sources, styles
from ..document.drawings import Drawing, drawings_of, place_of_source
from ..document.layers import NewDrawing, Placer, Wishes
from ..document.namespaces import Element
from ..document.replacing import replace
from ..engine import connection, own_brushes, style_picture
from ..engine.history import History
from ..engine.job_runner import Job, JobRunner
from ..ui.messages import _, duration, ngettext
from ..ui.progress_ui import ProgressUi
from ..ui.toolkit import progress_ui

#: More free shapes than this take minutes (128 took 50 s of one core at 512 px).
FREE_MANY = 150


class Paint(Command):
    """The selected pictures, painted."""

    _one_placer: Placer | None = None

    def add_parameters(self, pars: ArgumentParser) -> None:
        parameters.add_options(pars)
        pars.add_argument("--host_clip", type=inkex.Boolean, default=True)
        pars.add_argument("--host_hide_picture", type=inkex.Boolean, default=False)
        pars.add_argument("--host_lock_picture", type=inkex.Boolean, default=False)
        pars.add_argument("--host_own_brushes", default="")
        pars.add_argument("--host_style", default="")
        pars.add_argument("--host_hide_marks", type=inkex.Boolean, default=False)
        pars.add_argument("--host_replace", type=inkex.Boolean, default=True)

    def work(self) -> bool | None:
        options, kind = parameters.run_options(self.options), parameters.job_kind(self.options)
        shown = pictures.selected(self.svg, self.options.ids)
        found, problems = self._loaded(shown)
        shapes = detail_maps.drawn(self.svg, self.options.ids, shown)
        maps, marking = self._detail_maps(found, shapes if kind == "paint" else [])
        brushes = own_brushes.payloads(self.options.host_own_brushes) if kind == "paint" else {}
        brushes.update(style_picture.payloads(self._style()))
        record = connection.read_record()
        before = self._before(found)
        kept = self.strokes_to_keep(list(before.values()))
        history = History(os.path.join(os.path.dirname(self.streams.log_path), "history.json"))
        jobs = [_job(kind, options, source, png, brushes) for (_picture, source), png in zip(found, maps)]
        notes = (_note(kind, options, len(jobs), history), _marks_note(kind, len(marking), len(shapes)),
                 _brushes_note(self.options.host_own_brushes, kind, options["brush"]),
                 _hidden_note([picture for picture, _source in found]))
        started = time.monotonic()
        with progress_ui() as progress:
            runner = self._run(jobs, record, progress, "\n".join(filter(None, notes)))
            results = _results(found, maps, runner.outcomes, problems)
            layers = [self._put(*result, before, kept) for result in results]
        if len(layers) == len(jobs) and not runner.kept:
            history.add(kind, options, (time.monotonic() - started) / len(jobs))
        self._finish(layers, marking, problems + [e for e in runner.outcomes if isinstance(e, GradvecError)])
        return None

    def _run(self, jobs: list[Job], record: connection.Record, progress: ProgressUi, note: str) -> JobRunner:
        """The jobs, done."""
        runner = JobRunner(jobs, progress, self.streams.host_gone, note)
        runner.run(connection.PendingConnection(record))
        progress.progress(_("Placing the strokes..."), 1.0, None)
        return runner

    def _finish(self, layers: list[Element], marking: list[Element], problems: list[GradvecError]) -> None:
        """What is left to do when all strokes are in the document."""
        if self.options.host_hide_marks:
            for shape in marking:
                styles.put(shape, "display", "none")
        sources.remember_links(self.svg, self.folders())
        self.select_later(layers)
        if problems:
            self.tell(_together(problems))

    def _detail_maps(self, found: list[tuple[pictures.Picture, sources.Source]],
                     shapes: list[Element]) -> tuple[list[bytes], list[Any]]:
        """For each picture a map of what ``shapes`` mark on it, empty where they mark nothing; and what marks at all.

        Raises:
            InputError: where a picture lies is not known.
        """
        if not shapes:
            return [b""] * len(found), []
        maps, marking = [], {}
        for picture, source in found:
            png, there = detail_maps.detail_map(place_of_source(picture, source), shapes)
            maps.append(png)
            marking.update(dict.fromkeys(there))
        return maps, list(marking)

    def _loaded(self, found: list[pictures.Picture]) \
            -> tuple[list[tuple[pictures.Picture, sources.Source]], list[GradvecError]]:
        """The pictures with their bytes, and what went wrong with the others.

        Raises:
            InputError: nothing can be loaded.
        """
        loaded: list[tuple[pictures.Picture, sources.Source]] = []
        problems: list[GradvecError] = _left_out(pictures.hidden_inside(self.svg, self.options.ids))
        for picture in found:
            try:
                source = sources.load(picture.image, self.folders())
                placement.check_visible(picture.image, source.name)
                pictures.check_seen(picture, source.name)
                loaded.append((picture, source))
            except InputError as error:
                problems.append(error)
        if not loaded:
            raise _together(problems)
        return loaded, problems

    def _before(self, found: list[tuple[pictures.Picture, sources.Source]]) -> dict[Element, Drawing]:
        """By picture (its anchor) the drawing that the new one takes the place of: the topmost that is displayed."""
        if not self.options.host_replace:
            return {}
        shown = {picture.anchor: [drawing for drawing in drawings_of(self.svg, picture)
                                  if not styles.hidden(drawing.holder)] for picture, _source in found}
        return {anchor: drawings[-1] for anchor, drawings in shown.items() if drawings}

    def _style(self) -> str:
        """The file of the style; line drawings have none."""
        return "" if parameters.job_kind(self.options) == "lines" else str(self.options.host_style)

    def _put(self, picture: pictures.Picture, source: sources.Source, png: bytes, result: ResultEvent,
             before: dict[Element, Drawing], kept: list[Element]) -> Element:
        """Inserts one result and returns its layer."""
        brushes = self.options.host_own_brushes if parameters.job_kind(self.options) == "paint" else ""
        new = NewDrawing(picture, source.name, source.size, result.payloads["svg"],
                         {**detail_maps.notes(png), **own_brushes.notes(brushes),
                          **style_picture.notes(self._style())})
        if picture.anchor in before:
            return replace(self._placer(), before[picture.anchor], new, kept)
        return self._placer().place(new)

    def _placer(self) -> Placer:
        if self._one_placer is None:
            self._one_placer = Placer(self.svg, Wishes(
                self.options.host_clip, self.options.host_hide_picture, self.options.host_lock_picture))
        return self._one_placer


def _results(found: list[tuple[pictures.Picture, sources.Source]], maps: list[bytes], outcomes: list[Any],
             problems: list[GradvecError]) -> list[tuple[pictures.Picture, sources.Source, bytes, ResultEvent]]:
    """What there is to insert: picture, source, detail map and result.

    Raises:
        GradvecError: there is no result at all.
    """
    results = [(picture, source, png, outcome) for (picture, source), png, outcome in zip(found, maps, outcomes)
               if isinstance(outcome, ResultEvent)]
    if not results:
        raise _together(problems + [outcome for outcome in outcomes if isinstance(outcome, GradvecError)])
    return results


def _job(kind: str, options: dict[str, Any], source: sources.Source, detail_map: bytes,
         brushes: dict[str, bytes]) -> Job:
    payloads = {"picture": source.data, **detail_maps.payloads(detail_map), **brushes}
    return Job(kind, options, payloads, {"name": source.name}, _("Painting {name}").format(name=source.name))


def _left_out(images: list[Element]) -> list[GradvecError]:
    """What is said about hidden pictures in a selected group."""
    if not images:
        return []
    names = ", ".join(sources.picture_name(image) for image in images)
    return [InputError(_("Hidden pictures in the selected group were left out: {names}.").format(names=names),
                       _("Show them first, if they are to be painted as well."))]


def _hidden_note(found: list[pictures.Picture]) -> str:
    if not any(styles.hidden(picture.anchor) for picture in found):
        return ""
    return _("A hidden picture is selected: its strokes will be shown")


def _brushes_note(names: str, kind: str, brush: str) -> str:
    """That brushes of the artist's own are of no use with another brush than oil."""
    if not names.strip(" |") or (kind == "paint" and brush in ("oil", "mixed")):
        return ""
    return _("Own brushes are left out: only Oil paints with them")


def _marks_note(kind: str, marking: int, shapes: int) -> str:
    """What becomes of the shapes that are selected as well."""
    if kind == "paint" or not shapes:
        return detail_maps.note(marking, shapes - marking)
    if kind == "lines":
        return ngettext("The selected shape marks nothing: a line drawing needs no marks",
                        "The selected shapes mark nothing: a line drawing needs no marks", shapes)
    return ngettext("The selected shape marks nothing: free shapes need no marks",
                    "The selected shapes mark nothing: free shapes need no marks", shapes)


def _note(kind: str, options: dict[str, Any], count: int, history: History) -> str:
    """What will come of it, and about how long it takes on this computer, as far as that is known."""
    strokes = options["strokes"]
    paths = strokes * count * (options["paths_per_stroke"] if kind == "paint" else 1)
    if kind == "lines":
        text = _("Up to {paths} lines, each a path with a width").format(paths=paths)
    elif kind != "paint":
        text = _("Up to {paths} free shapes, each a path").format(paths=paths)
    elif options["gradient"] == "flat":
        text = _("{count} strokes: up to {paths} paths of one colour").format(count=strokes * count, paths=paths)
    else:
        text = _("{count} strokes: up to {paths} paths with gradients").format(count=strokes * count, paths=paths)
    seconds = history.estimate(kind, options)
    if seconds is not None:
        text = _("{what}; takes {time} on this computer").format(what=text, time=duration(seconds * count))
    if kind == "vectorize" and strokes > FREE_MANY:
        text = _("{what}. So many take minutes; 64 are a good start.").format(what=text)
    if paths > STROKES_WARN and kind != "lines":
        text = _("{what}. So many make Inkscape's gradient tool slow.").format(what=text)
    return text


def _together(problems: list[GradvecError]) -> GradvecError:
    """One error that tells all ``problems``, each once, with the last one's remedy kept beside it."""
    if len(problems) == 1:
        return problems[0]
    return InputError("\n".join(dict.fromkeys(str(problem) for problem in problems)))


COMMAND = Paint
