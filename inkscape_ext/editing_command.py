"""What the editing commands share: settings for their jobs, one wait for all of them, and what is said afterwards."""

from __future__ import annotations

from gradvec.errors import GradvecError, InputError
from gradvec.ipc.client import ResultEvent

from .command import Command
from .document import sources
from .document.drawings import Drawing, Place, place_of
from .document.gradients import Definitions
from .document.outlines import is_open_line
from .engine import connection
from .engine.export_svg import ExportSvg
from .engine.job_runner import Job, JobRunner
from .ui.messages import _
from .ui.toolkit import progress_ui


class EditingCommand(Command):
    """A command on strokes that are in the document."""

    def export_of(self, drawing: Drawing, definitions: Definitions) -> ExportSvg:
        """The whole drawing, as the engine is to see it.

        Raises:
            InputError: its picture is gone, or the strokes are lines, which the engine does not work on.
        """
        if drawing.strokes and all(is_open_line(stroke) for stroke in drawing.strokes):
            raise InputError(_("These strokes are lines: they have a width and no fill that could be worked on."),
                             _("Bend them with the node tool, or choose Run again; Path > Stroke to Path makes filled "
                               "paths of them."))
        export = ExportSvg(place_of(self.svg, drawing, self.folders()), definitions)
        for stroke in drawing.strokes:
            export.add(stroke)
        return export

    def run_jobs(self, jobs: list[Job], note: str = "") -> list[ResultEvent | None]:
        """The jobs' results; None for those that the artist did not wait for.

        Raises:
            Cancelled: by the artist.
            GradvecError: the engine cannot be reached, or a job failed.
        """
        record = connection.read_record()
        with progress_ui() as progress:
            runner = JobRunner(jobs, progress, self.streams.host_gone, note)
            runner.run(connection.PendingConnection(record))
            progress.progress(_("Placing the strokes..."), 1.0, None)
        for outcome in runner.outcomes:
            if isinstance(outcome, GradvecError):
                raise outcome
        return [outcome if isinstance(outcome, ResultEvent) else None for outcome in runner.outcomes]

    def finish(self) -> None:
        """Leaves links to pictures as Inkscape needs them."""
        sources.remember_links(self.svg, self.folders())


def payloads(place: Place, **more: bytes) -> dict[str, bytes]:
    return {"picture": place.source.data, **more}


def picture_note(place: Place) -> str:
    return _("Compared with {name}").format(name=place.source.name)
