"""What commands share that write a file from a drawing: which drawing, which file, what is said afterwards."""

from __future__ import annotations

from typing import Any

from gradvec.errors import InputError

from .document.drawings import chosen_drawings
from .editing_command import EditingCommand
from .engine.job_runner import Job
from .engine.output_file import OutputFile
from .engine.whole_drawing import whole_drawing
from .ui.engine_messages import in_our_words
from .ui.messages import _


class ExportingCommand(EditingCommand):
    """A subclass says what the engine's job is called and told. The document is never touched."""

    kind: str = ""

    def endings(self) -> tuple[str, ...]:
        """How the name of the file may end."""
        raise NotImplementedError

    def facts(self, ending: str) -> dict[str, Any]:
        """What the job is told; ending: of the file."""
        raise NotImplementedError

    def title(self, name: str) -> str:
        """What the artist reads while it runs."""
        raise NotImplementedError

    def work(self) -> bool | None:
        drawings = chosen_drawings(self.svg, self.options.ids)
        if len(drawings) > 1:
            raise InputError(_("The selection holds {count} drawings; a file takes one.").format(count=len(drawings)),
                             _("Select strokes or the layer of one of them."))
        output = OutputFile(self.options.host_file, self.endings(), self.folders())
        name = drawings[0].name
        info = {"name": name, "ending": output.ending, **self.facts(output.ending)}
        title = self.title(name or _("the drawing"))
        job = Job(self.kind, {}, {"svg": whole_drawing(self.svg, drawings[0])}, info, title)
        for result in self.run_jobs([job]):
            if result is not None:
                output.write(result.payloads["file"])
                for note in result.info.get("notes") or []:
                    self.streams.say(in_our_words(note))
        return False
