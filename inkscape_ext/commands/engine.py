"""Engine: its status, a restart and the doctor's report, in a window; as plain text where there is no GTK."""

from __future__ import annotations

from typing import Any

from .. import engine, engine_care
from ..command import Command
from ..messages import _
from ..waiting import window_module


class Engine(Command):
    """Looks after the engine; never touches the document."""

    def work(self) -> Any:
        record = engine.read_record()
        if window_module():
            from ..engine_window import EngineWindow

            EngineWindow(lambda: engine_care.status_lines(record), lambda: engine_care.restart(record),
                         lambda: engine_care.doctor_lines(record)).run()
        else:
            lines = [*engine_care.status_lines(record), "", *engine_care.doctor_lines(record), "",
                     _('To end the engine, run "gradvec engine stop" in a terminal; the next run starts a new one.')]
            self.streams.say("\n".join(lines))
        return False


COMMAND = Engine
