"""Engine: its status, a restart and the doctor's report, in a window; as plain text where there is no GTK."""

from __future__ import annotations

from ..command import Command
from ..engine import care, connection
from ..ui.messages import _
from ..ui.toolkit import has_windows


class Engine(Command):
    """Looks after the engine; never touches the document."""

    def work(self) -> bool | None:
        record = connection.read_record()
        if has_windows():
            from ..ui.engine_window import EngineWindow

            EngineWindow(lambda: care.status_lines(record), lambda: care.restart(record),
                         lambda: care.doctor_lines(record)).run()
        else:
            lines = [*care.status_lines(record), "", *care.doctor_lines(record), "",
                     _('To end the engine, run "gradvec engine stop" in a terminal; the next run starts a new one.')]
            self.streams.say("\n".join(lines))
        return False


COMMAND = Engine
