"""The window of the engine: how it is, a button that starts it anew, and the doctor's report."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gradvec.errors import GradvecError

from .messages import _
from .widgets import GLib, Gtk, Pango, button, finish_events, lift

TICK_MS = 40


class EngineWindow:
    """Whatever takes time runs in a thread; the window stays alive and says what it waits for."""

    def __init__(self, status: Callable[[], list[str]], restart: Callable[[], list[str]],
                 doctor: Callable[[], list[str]]) -> None:
        """Each function returns lines to read, or raises a GradvecError."""
        self._status, self._restart, self._doctor = status, restart, doctor
        self._result: list[str] | None = None
        self._worker: threading.Thread | None = None
        self._state = _text()
        self._report = _text()
        self._spinner = Gtk.Spinner()
        self._doing = Gtk.Label(xalign=0.0)
        self._again = button(_("_Restart the engine"), _("End the engine, whatever it is doing, and start a new one"))
        self._ask = button(_("_Doctor's report"), _("Look whether everything that gradvec needs is there and works"))
        self._close = button(_("_Close"), _("Close this window"))
        self._scroller = Gtk.ScrolledWindow(min_content_height=260, no_show_all=True)
        self._window = self._built()

    def run(self) -> None:
        """Shows the window and returns when it is closed."""
        self._window.show_all()
        self._window.present()
        self._do(_("Asking the engine..."), self._status, self._state)
        Gtk.main()
        self._window.destroy()
        finish_events()

    def _do(self, words: str, work: Callable[[], list[str]], label: Gtk.Label) -> None:
        """Runs ``work`` in a thread and shows its lines in ``label``."""
        if self._worker is not None:
            return
        self._doing.set_text(words)
        self._spinner.start()
        self._set_busy(True)

        def run() -> None:
            try:
                self._result = work()
            except GradvecError as error:
                self._result = [str(error)]
            except Exception as error:  # whatever it is, the artist sees it here and the window stays
                self._result = [repr(error)]

        self._worker = threading.Thread(target=run, daemon=True)
        self._worker.start()
        GLib.timeout_add(TICK_MS, self._look, label)

    def _look(self, label: Gtk.Label) -> bool:
        assert self._worker is not None
        if self._worker.is_alive():
            return True
        self._worker = None
        label.set_text("\n".join(self._result or []))
        if label is self._report:
            self._scroller.set_no_show_all(False)
            self._scroller.show_all()
        self._doing.set_text("")
        self._spinner.stop()
        self._set_busy(False)
        return False

    def _set_busy(self, busy: bool) -> None:
        for widget in (self._again, self._ask):
            widget.set_sensitive(not busy)

    def _built(self) -> Gtk.Window:
        window = Gtk.Window(title=_("Gradvec: engine"))
        window.set_default_size(620, -1)
        lift(window)
        window.connect("delete-event", self._ended)
        self._close.connect("clicked", self._ended)
        self._again.connect("clicked", lambda _b: self._do(_("Starting the engine anew..."), self._restart,
                                                           self._state))
        self._ask.connect("clicked", lambda _b: self._do(_("The doctor is looking..."), self._doctor, self._report))
        self._scroller.add(self._report)
        waiting = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=8)
        waiting.pack_start(self._spinner, False, False, 0)
        waiting.pack_start(self._doing, True, True, 0)
        buttons = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL, spacing=8)
        buttons.set_layout(Gtk.ButtonBoxStyle.END)
        for widget in (self._again, self._ask, self._close):
            buttons.add(widget)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, border_width=16)
        column.pack_start(self._state, False, False, 0)
        column.pack_start(self._scroller, True, True, 0)
        column.pack_start(waiting, False, False, 0)
        column.pack_start(buttons, False, False, 0)
        window.add(column)
        return window

    def _ended(self, *_: object) -> bool:
        Gtk.main_quit()
        return True


def _text() -> Gtk.Label:
    """Text that can be selected and copied."""
    label = Gtk.Label(xalign=0.0, yalign=0.0, selectable=True, wrap=True, can_focus=False)
    label.set_line_wrap_mode(Pango.WrapMode.WORD_CHAR)
    return label
