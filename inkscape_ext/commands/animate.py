"""Export time-lapse: how a drawing was painted, stroke by stroke or layer by layer, as a film, a GIF, SVG or Lottie."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import inkex

from ..exporting_command import ExportingCommand
from ..ui.messages import _

ENDINGS = (".mp4", ".webm", ".gif", ".svg", ".json")
#: Kinds of file that say themselves that they are played again and again.
LOOPING = (".gif", ".svg")


class Animate(ExportingCommand):
    """Writes the film; never touches the document."""

    kind = "animate"

    def endings(self) -> tuple[str, ...]:
        return ENDINGS

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--host_file", default="")
        pars.add_argument("--host_by", choices=("stroke", "layer"), default="stroke")
        pars.add_argument("--host_seconds", type=float, default=8.0)
        pars.add_argument("--host_hold", type=float, default=2.0)
        pars.add_argument("--host_easing", choices=("in", "linear", "out", "in-out"), default="in")
        pars.add_argument("--host_reverse", type=inkex.Boolean, default=False)
        pars.add_argument("--host_loop", type=inkex.Boolean, default=True)
        pars.add_argument("--host_size", type=int, default=1080)

    def facts(self, ending: str) -> dict[str, Any]:
        return {"by": self.options.host_by, "seconds": self.options.host_seconds, "hold": self.options.host_hold,
                "easing": self.options.host_easing, "reverse": self.options.host_reverse,
                "loop": self.options.host_loop and ending in LOOPING, "size": self.options.host_size}

    def title(self, name: str) -> str:
        return _("Time-lapse of {name}").format(name=name)


COMMAND = Animate
