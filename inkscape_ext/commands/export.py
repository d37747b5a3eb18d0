"""Export for print, cutting and plotting: a drawing as PDF, EPS, a PNG of any size, or SVG in mm for machines."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ..exporting_command import ExportingCommand
from ..ui.messages import _

#: Kinds of file by what the artist wants to do with them.
ENDINGS = {"print": (".pdf", ".eps", ".png"), "cut": (".svg",), "plot": (".svg",)}


class Export(ExportingCommand):
    """Writes the file; never touches the document."""

    kind = "export"

    def endings(self) -> tuple[str, ...]:
        return ENDINGS[self.options.host_what]

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--host_file", default="")
        pars.add_argument("--host_what", choices=tuple(ENDINGS), default="print")
        pars.add_argument("--host_width", type=float, default=200.0)
        pars.add_argument("--host_dpi", type=int, default=300)
        pars.add_argument("--host_colors", type=int, default=0)
        pars.add_argument("--host_hair", type=float, default=0.3)
        pars.add_argument("--host_pen", type=float, default=0.4)

    def facts(self, ending: str) -> dict[str, Any]:
        profile = "" if self.options.host_what == "print" else self.options.host_what
        return {"profile": profile, "width_mm": self.options.host_width, "dpi": self.options.host_dpi,
                "colors": self.options.host_colors, "hair_mm": self.options.host_hair, "pen_mm": self.options.host_pen}

    def title(self, name: str) -> str:
        return _("Export of {name}").format(name=name)


COMMAND = Export
