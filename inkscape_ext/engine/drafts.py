"""Look before you leap: drafts of what a run would make, until the artist wants one of them painted.

Nothing of a draft enters the document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradvec.errors import Cancelled, GradvecError
from gradvec.ipc.client import ResultEvent
from gradvec.options import Options

from ..ui.messages import _
from ..ui.progress_ui import AGAIN, CHANGE, GO_ON, Choices, ProgressUi
from .connection import PendingConnection, Record
from .job_runner import Job, JobRunner

LOOK, PICTURE, PART = "look", "picture", "part"
#: The look of a draft whose settings were changed in the window.
CHANGED = "changed"
WHOLE, MIDDLE, MARKED = "whole", "middle", "marked"
#: left, top, width, height in shares of the picture.
Part = Sequence[float]
MIDDLE_PART: Part = (0.25, 0.25, 0.5, 0.5)
#: A part is no narrower than this share of the picture, and how much is seen around what was marked.
LEAST, AROUND = 0.2, 0.05


@dataclass(frozen=True)
class Wanted:
    """What is to be run: the engine's job and its options."""

    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Motif:
    """A picture that drafts can be of. name: what the artist calls it. job_of: the job that would paint it. parts: of
    it, by :data:`WHOLE` and the like; None is the whole."""

    name: str
    job_of: Callable[[Wanted], Job]
    parts: dict[str, Part | None]


class Drafts:
    """Drafts of the pictures that are to be painted. of_look: what the look of that name stands for."""

    def __init__(self, progress: ProgressUi, record: Record, host_gone: Callable[[], bool], motifs: Sequence[Motif],
                 of_look: Callable[[str], Wanted]) -> None:
        self._progress, self._record, self._host_gone = progress, record, host_gone
        self._motifs, self._of_look = motifs, of_look
        self._seen: dict[str, bytes] = {}

    def agreed(self, look: str, looks: Sequence[tuple[str, str]], part: str = WHOLE) -> Wanted:
        """What the artist wants to be painted after having seen drafts of it, first of the first picture.

        look: the first to be shown. looks: (name, what the artist reads) of those to choose from.

        Raises:
            Cancelled: by the artist, or Inkscape is gone. GradvecError: no draft can be painted.
        """
        wanted, own, motif = self._of_look(look), None, self._motifs[0]
        self._offer(look, looks, motif, part)
        while True:
            self._show(motif.job_of(wanted), motif.parts[part])
            self._progress.wait(self._wished)
            wish, self._progress.wish = self._progress.wish, ""
            if wish == GO_ON:
                self._progress.drafts(())
                return wanted
            if wish == CHANGE:
                changed = self._progress.settings(wanted.options)
                if changed is not None:
                    options = Options.from_dict({**wanted.options, **changed}).to_dict()
                    wanted, look = replace(wanted, options=options), CHANGED
                    own, looks = wanted, [(CHANGED, _("With your changes")), *(n for n in looks if n[0] != CHANGED)]
                    self._offer(look, looks, motif, part)
            elif wish == AGAIN:
                part = self._progress.chosen(PART) or part
                if self._progress.chosen(LOOK) not in ("", look):
                    look = self._progress.chosen(LOOK)
                    wanted = own if own is not None and look == CHANGED else self._of_look(look)
                other = self._chosen_motif(motif)
                if other is not motif:  # it may have other parts
                    motif, part = other, part if part in other.parts else WHOLE
                    self._offer(look, looks, motif, part)

    def _chosen_motif(self, motif: Motif) -> Motif:
        """The picture that the artist has chosen, ``motif`` where there is but one."""
        chosen = self._progress.chosen(PICTURE) if len(self._motifs) > 1 else ""
        return self._motifs[int(chosen)] if chosen else motif

    def _offer(self, look: str, looks: Sequence[tuple[str, str]], motif: Motif, part: str) -> None:
        names = {WHOLE: _("The whole picture"), MIDDLE: _("The middle, enlarged"),
                 MARKED: _("Where you drew shapes")}
        pictures = [(str(n), f"{n + 1}. {own.name}") for n, own in enumerate(self._motifs)]
        several = (Choices(PICTURE, _("Picture:"), tuple(pictures), str(self._motifs.index(motif))),)
        self._progress.drafts((Choices(LOOK, _("Look:"), tuple(looks), look), *(several if len(pictures) > 1 else ()),
                               Choices(PART, _("Shown:"), tuple((name, names[name]) for name in motif.parts), part)))

    def _show(self, whole: Job, part: Part | None) -> None:
        """Paints a draft of a job into the window, unless the artist wishes for something else before it is there."""
        job = draft_of(whole, part)
        key = job.same_work()
        if key not in self._seen:
            runner = JobRunner([job], self._progress, self._host_gone, _(
                "Fewer, larger strokes. Nothing enters your document until you go on."))
            runner.run(PendingConnection(self._record))
            outcome = runner.outcomes[0]
            if isinstance(outcome, GradvecError):
                raise outcome
            if not isinstance(outcome, ResultEvent):
                return
            self._seen[key] = outcome.payloads["png"]
        self._progress.preview(self._seen[key])
        self._progress.progress(_("This is the draft."), 1.0, None)

    def _wished(self) -> bool:
        """Whether the artist has decided on the draft."""
        if self._host_gone() or self._progress.wish not in ("", GO_ON, CHANGE, AGAIN):
            raise Cancelled()
        return bool(self._progress.wish)


def draft_of(job: Job, part: Part | None = None) -> Job:
    """The job that paints a draft of what ``job`` would make, of a part of the picture, or of all of it."""
    options = {**job.options, "look": "shapes"} if job.kind == "vectorize" else job.options
    info = job.info if part is None else {**job.info, "crop": list(part)}
    return Job("draft", options, job.payloads, info, _("A draft of {name}").format(name=job.info.get("name", "")))


def part_around(box: Part) -> Part:
    """The part of a picture with (left, top, right, bottom) in its middle, as far as the picture reaches; shares."""
    start, size = [], []
    for low, high in ((box[0], box[2]), (box[1], box[3])):
        low, high = min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
        wide = min(1.0, max(high - low + 2 * AROUND, LEAST))
        start.append(min(max((low + high - wide) / 2, 0.0), 1.0 - wide))
        size.append(wide)
    return (*start, *size)
