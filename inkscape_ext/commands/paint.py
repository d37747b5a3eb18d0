"""Paint with gradient strokes: every selected picture becomes a layer of strokes, or of free shapes, above it."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import cached_property
from typing import Any

import inkex
from gradvec import looks
from gradvec.errors import GradvecError, InputError
from gradvec.ipc.client import ResultEvent
from gradvec.options import STROKES_WARN

from .. import parameters
from ..command import Command
from ..document import marks, pictures, placement, sources, styles
from ..document.drawings import Drawing, drawings_of, place_of_source
from ..document.layers import NewDrawing, Placer, Wishes
from ..document.marks import Marks
from ..document.namespaces import Element
from ..document.outlines import is_open_line
from ..document.replacing import replace
from ..engine import connection, own_brushes, style_picture
from ..engine.drafts import MARKED, MIDDLE, MIDDLE_PART, WHOLE, Drafts, Motif, Part, Wanted, part_around
from ..engine.history import Expected, History
from ..engine.job_runner import Job, JobRunner
from ..ui import menu_file
from ..ui.messages import _
from ..ui.progress_ui import ProgressUi
from ..ui.toolkit import drafting_ui, progress_ui

NO_MARKS = Marks()
#: More free shapes than this take minutes (128 took 50 s of one core at 512 px).
FREE_MANY = 150


@dataclass(frozen=True)
class Subject:
    """A picture to be painted, and what was drawn on it."""

    picture: pictures.Picture
    source: sources.Source
    marks: Marks = NO_MARKS


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
        pars.add_argument("--host_variation", type=inkex.Boolean, default=False)
        pars.add_argument("--host_draft", type=inkex.Boolean, default=False)

    def work(self) -> bool | None:
        if self.options.host_variation:  # once, so that what is painted is what the draft showed
            self.options.seed = parameters.new_seed()
        wanted = self._of_look(self.options.look)
        shown = pictures.selected(self.svg, self.options.ids)
        found, problems = self._loaded(shown)
        shapes = marks.drawn(self.svg, self.options.ids, shown)
        subjects, marking = self._subjects(found, shapes)
        record = connection.read_record()
        before = self._before(found)
        kept = self.strokes_to_keep(list(before.values()))
        history = History(os.path.join(os.path.dirname(self.streams.log_path), "history.json"))
        with drafting_ui() if self.options.host_draft else progress_ui() as progress:
            if self.options.host_draft:
                wanted = self._agreed(progress, record, subjects, marking)
            jobs = [self._job(wanted, subject) for subject in subjects]
            notes = (_note(wanted.kind, wanted.options, len(jobs)),
                     marks.note_for(wanted.kind, marking, shapes),
                     _brushes_note(self.options.host_own_brushes, wanted.kind, wanted.options["brush"]),
                     _hidden_note([picture for picture, _source in found]))
            runner = self._run(jobs, record, progress, "\n".join(filter(None, notes)),
                               history.expected(wanted.kind, wanted.options))
            results = _results(subjects, runner.outcomes, problems)
            layers = [self._put(wanted, *result, before, kept) for result in results]
        for seconds, pace in runner.clock.took:
            history.add(wanted.kind, wanted.options, seconds, pace)
        self._finish(layers, marks.of_use(marking, wanted.kind),
                     problems + [e for e in runner.outcomes if isinstance(e, GradvecError)])
        return None

    def _of_look(self, look: str | None) -> Wanted:
        """What the menu's values come to with that look."""
        values = Namespace(**{**vars(self.options), "look": look})
        return Wanted(parameters.job_kind(values), parameters.run_options(values))

    def _agreed(self, progress: ProgressUi, record: connection.Record, subjects: list[Subject],
                marking: list[Any]) -> Wanted:
        """What the artist wants after having seen drafts.

        Raises:
            Cancelled: by the artist. GradvecError: no draft can be painted.
        """
        motifs = [self._motif(subject, marking) for subject in subjects]
        drafts = Drafts(progress, record, self.streams.host_gone, motifs, self._of_look)
        return drafts.agreed(self.options.look or looks.DEFAULT, self.looks())

    def _motif(self, subject: Subject, marking: list[Any]) -> Motif:
        """A picture as drafts show it: also around what was drawn on it."""
        parts: dict[str, Part | None] = {WHOLE: None, MIDDLE: MIDDLE_PART}
        drawn = [shape for shape in marking if not is_open_line(shape)] or marking
        box = marks.box(place_of_source(subject.picture, subject.source), drawn) if drawn else None
        if box is not None:
            parts[MARKED] = part_around(box)
        return Motif(subject.source.name, lambda wanted: self._job(wanted, subject), parts)

    def looks(self) -> list[tuple[str, str]]:
        """(name, label) of the looks that drafts can be had of."""
        return menu_file.looks()

    @cached_property
    def _brushes(self) -> dict[str, bytes]:
        return own_brushes.payloads(self.options.host_own_brushes)

    def _job(self, wanted: Wanted, subject: Subject) -> Job:
        name, drawn = subject.source.name, subject.marks.of_use(wanted.kind)
        payloads = {"picture": subject.source.data, **drawn.payloads(),
                    **(self._brushes if wanted.kind == "paint" else {}),
                    **style_picture.payloads(self._style(wanted.kind))}
        return Job(wanted.kind, wanted.options, payloads, {"name": name, **drawn.info()},
                   _("Painting {name}").format(name=name))

    def _run(self, jobs: list[Job], record: connection.Record, progress: ProgressUi, note: str,
             expected: Expected) -> JobRunner:
        """The jobs, done."""
        runner = JobRunner(jobs, progress, self.streams.host_gone, note, expected)
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

    def _subjects(self, found: list[tuple[pictures.Picture, sources.Source]],
                  shapes: list[Element]) -> tuple[list[Subject], list[Any]]:
        """Each picture with what ``shapes`` come to on it; and those that mark or guide something anywhere.

        Raises:
            InputError: where a picture lies is not known.
        """
        subjects, marking = [], {}
        for subject in (Subject(*pair) for pair in found):
            if shapes:
                drawn, there = marks.marks_on(place_of_source(subject.picture, subject.source), shapes)
                subject = changed(subject, marks=drawn)
                marking.update(dict.fromkeys(there))
            subjects.append(subject)
        return subjects, list(marking)

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

    def _style(self, kind: str) -> str:
        """The file of the style; line drawings have none."""
        return "" if kind == "lines" else str(self.options.host_style)

    def _put(self, wanted: Wanted, subject: Subject, result: ResultEvent, before: dict[Element, Drawing],
             kept: list[Element]) -> Element:
        """Inserts one result and returns its layer."""
        brushes = own_brushes.notes(self.options.host_own_brushes) if wanted.kind == "paint" else {}
        picture, source = subject.picture, subject.source
        new = NewDrawing(picture, source.name, source.size, result.payloads["svg"],
                         {**subject.marks.of_use(wanted.kind).notes(), **brushes,
                          **style_picture.notes(self._style(wanted.kind))})
        if picture.anchor in before:
            return replace(self._placer(), before[picture.anchor], new, kept)
        return self._placer().place(new)

    def _placer(self) -> Placer:
        if self._one_placer is None:
            self._one_placer = Placer(self.svg, Wishes(
                self.options.host_clip, self.options.host_hide_picture, self.options.host_lock_picture))
        return self._one_placer


def _results(subjects: list[Subject], outcomes: list[Any],
             problems: list[GradvecError]) -> list[tuple[Subject, ResultEvent]]:
    """What there is to insert.

    Raises:
        GradvecError: there is no result at all.
    """
    results = [(subject, outcome) for subject, outcome in zip(subjects, outcomes) if isinstance(outcome, ResultEvent)]
    if not results:
        raise _together(problems + [outcome for outcome in outcomes if isinstance(outcome, GradvecError)])
    return results


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


def _note(kind: str, options: dict[str, Any], count: int) -> str:
    """What will come of it."""
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
