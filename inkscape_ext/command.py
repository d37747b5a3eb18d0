"""What every gradvec command in Inkscape's menu shares: options, the translation of errors, the clean cancel."""

from __future__ import annotations

import os
import sys
import traceback
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from gradvec.errors import Cancelled, GradvecError
from inkex import EffectExtension

from .document.drawings import Drawing
from .document.namespaces import Element, adopt_old_names
from .document.replacing import changed_strokes
from .streams import Streams
from .ui import selection
from .ui.engine_messages import in_our_words
from .ui.messages import _, ngettext
from .ui.toolkit import ask, show_message


class Command(EffectExtension):
    """One command. A subclass says which parameters it has and what it does in :meth:`work`.

    ``work`` returns False where the document is to stay as it is. Whatever it raises is told in one sentence, and
    the document stays as it is, too.
    """

    def __init__(self, streams: Streams) -> None:
        super().__init__()
        self.streams = streams

    def add_arguments(self, pars: ArgumentParser) -> None:
        pars.add_argument("--command", default="")
        pars.add_argument("--tab", default="")
        self.add_parameters(pars)

    def add_parameters(self, pars: ArgumentParser) -> None:
        """The command's own parameters, named as in its .inx file."""

    def work(self) -> bool | None:
        """Changes ``self.svg``; False leaves the document untouched."""
        raise NotImplementedError

    def start(self, arguments: list[str]) -> None:
        """Runs the command on the document that Inkscape names in ``arguments`` and answers on its streams."""
        try:
            self.run(arguments, output=self.streams.out)
            self.streams.out.flush()
        except SystemExit as ending:
            if ending.code:
                self.streams.say(_("Gradvec was started with parameters that it does not know; the extension's files "
                                   "do not fit together. Run \"gradvec install-extension\" again."))
        except BrokenPipeError:
            print("Inkscape is gone", file=sys.stderr)
        except Exception:
            self._say_unexpected()

    def effect(self) -> bool | None:
        try:
            adopt_old_names(self.svg)
            return self.work()
        except Cancelled:
            return False
        except GradvecError as error:
            traceback.print_exc()
            self.tell(error)
            return False
        except Exception:
            self._say_unexpected()
            return False

    def has_changed(self, ret: Any) -> bool:
        """False from ``effect`` holds: inkex itself compares texts, and only reading a transform rewrites it."""
        return ret is not False and super().has_changed(ret)

    def folders(self) -> list[Path]:
        """Where relative links are looked for: beside the copy that Inkscape made, then beside the real document."""
        found = []
        if isinstance(self.options.input_file, str):
            found.append(Path(self.options.input_file).resolve().parent)
        if os.environ.get("DOCUMENT_PATH"):
            found.append(Path(os.environ["DOCUMENT_PATH"]).resolve().parent)
        return found

    def strokes_to_keep(self, drawings: list[Drawing], choice: str = "ask") -> list[Element]:
        """Those of the artist's own changes that stay when other strokes take the place of ``drawings``.

        choice: "keep" or "drop" them all, or "ask"; where nobody can be asked, they stay.

        Raises:
            Cancelled: the artist was asked, and closed the question.
        """
        changed = changed_strokes(self.svg, drawings)
        if not changed or choice == "drop":
            return []
        count = ngettext("{count} stroke was changed by hand since it was painted.",
                         "{count} strokes were changed by hand since they were painted.",
                         len(changed)).format(count=len(changed))
        answer = None if choice == "keep" else ask(count, [_("Cancel"), _("Let them go"), _("Keep them on top")])
        if answer in (-1, 0):
            raise Cancelled()
        return [] if answer == 1 else changed

    def select_later(self, elements: list[Element]) -> None:
        """Selects ``elements`` when the command has ended, where Inkscape lets us."""
        if elements and selection.possible():
            selection.select_later([element.get("id") for element in elements])

    def tell(self, error: GradvecError) -> None:
        """Shows an error to the artist: in a window of ours, or through Inkscape where there is none."""
        message, remedy = in_our_words(error.message), in_our_words(error.remedy)
        if not show_message(message, remedy):
            self.streams.say(f"{message} {remedy}".strip())

    def _say_unexpected(self) -> None:
        traceback.print_exc()
        self.streams.say(_("Something went wrong inside gradvec; the document is unchanged. The details are in {log}.")
                         .format(log=self.streams.log_path))
