"""What the editing commands share: settings for their jobs, one wait for all of them, and what is said afterwards."""

from __future__ import annotations

from gradvec.errors import GradvecError
from gradvec.ipc.client import ResultEvent

from .. import engine, sources
from ..command import Command
from ..messages import _
from ..waiting import waiting
from ..work import Job, Work
from .drawings import Drawing, Place, place_of
from .gradients import Definitions
from .sheet import Sheet


class EditingCommand(Command):
    """A command on strokes that are in the document."""

    def sheet_of(self, drawing: Drawing, definitions: Definitions) -> Sheet:
        """The whole drawing, as the engine is to see it.

        Raises:
            InputError: its picture is gone.
        """
        sheet = Sheet(place_of(self.svg, drawing, self.folders()), definitions)
        for stroke in drawing.strokes:
            sheet.add(stroke)
        return sheet

    def run_jobs(self, jobs: list[Job], note: str = "") -> list[ResultEvent | None]:
        """The jobs' results; None for those that the artist did not wait for.

        Raises:
            Cancelled: by the artist.
            GradvecError: the engine cannot be reached, or a job failed.
        """
        record = engine.read_record()
        with waiting() as window:
            work = Work(jobs, window, self.streams.host_gone, note)
            work.run(engine.Opening(record))
            window.progress(_("Placing the strokes..."), 1.0, None)
        for outcome in work.outcomes:
            if isinstance(outcome, GradvecError):
                raise outcome
        return [outcome if isinstance(outcome, ResultEvent) else None for outcome in work.outcomes]

    def finish(self) -> None:
        """Leaves links to pictures as Inkscape needs them."""
        sources.remember_links(self.svg, self.folders())


def payloads(place: Place, **more: bytes) -> dict[str, bytes]:
    return {"picture": place.source.data, **more}


def picture_note(place: Place) -> str:
    return _("Compared with {name}").format(name=place.source.name)
