"""Windows where GTK 3 and a display are there; plain waiting, and Inkscape's own dialog, where they are not."""

from __future__ import annotations

import os
import sys
from typing import Any

from gradvec.errors import InputError

from .messages import _
from .progress_ui import ProgressUi


def has_windows() -> bool:
    """Whether windows can be opened: false without GTK 3 or a display, or where the environment forbids windows."""
    if os.environ.get("GRADVEC_NO_WINDOW"):
        return False
    try:
        from . import widgets

        return widgets.usable()
    except Exception as error:  # a broken GTK must not keep anybody from painting
        print(f"no window: {error!r}", file=sys.stderr)
        return False


def progress_ui() -> ProgressUi:
    """A progress window, or plain waiting where there is none to be had."""
    if has_windows():
        from .progress_window import ProgressWindow

        return ProgressWindow()
    return ProgressUi()


def drafting_ui() -> ProgressUi:
    """A progress window to show drafts in.

    Raises:
        InputError: no window can be opened.
    """
    if not has_windows():
        raise InputError(_("A draft cannot be shown, because no window can be opened here."),
                         _("Paint the picture without one."))
    return progress_ui()


def ask(question: str, answers: list[str]) -> int | None:
    """The number of the answer that the artist chose, -1 where the question was closed; None where nobody can be asked.
    """
    if not has_windows():
        return None
    from . import widgets

    return widgets.ask(question, answers)


def changed_settings(settings: dict[str, Any]) -> dict[str, str] | None:
    """The options of a run as the artist wants them now, in words; None where they are cancelled.

    Raises:
        InputError: no window can be opened.
    """
    if not has_windows():
        raise InputError(_("The settings cannot be shown, because no window can be opened here."),
                         _("Leave \"Change the settings first\" off, or paint the picture itself."))
    from .settings_window import SettingsWindow

    return SettingsWindow(settings, _("Settings of this drawing"), _("_Paint")).run()


def show_message(message: str, remedy: str) -> bool:
    """Tells the artist something in a window of its own and waits until it is read; false where there is none.

    Inkscape would show it under a heading of its own, that the results may not be as expected.
    """
    if not has_windows():
        return False
    from . import widgets

    widgets.show_message(message, remedy)
    return True
