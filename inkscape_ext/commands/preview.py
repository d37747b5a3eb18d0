"""Preview a look: drafts of the selected picture in a window, and the painting itself once the artist goes on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gradvec.looks import DEFAULT, NAMES

from .. import parameters
from ..ui import menu_file
from .paint import Paint


class Preview(Paint):
    """Painting that begins with a draft; what the dialog does not ask for is as the look has it."""

    def add_parameters(self, pars: ArgumentParser) -> None:
        pars.add_argument("--look", choices=NAMES, default=DEFAULT)

    def work(self) -> bool | None:
        usual = ArgumentParser()
        super().add_parameters(usual)
        self.options = Namespace(**{**vars(usual.parse_args([])), **vars(self.options), "host_draft": True})
        return super().work()

    def looks(self) -> list[tuple[str, str]]:
        return [(name, label) for name, label in menu_file.looks() if name != parameters.OWN_LOOK]


COMMAND = Preview
