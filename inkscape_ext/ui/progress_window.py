"""The progress window: stage, share done, time left, the picture as it grows, Stop and keep, Cancel; before a run, if
that was asked for, a draft with Go on and Change.

GTK 3 through PyGObject, which Inkscape's own bundles bring and Debian has as python3-gi. Importing this module fails
where either is missing or there is no display.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gi.repository import Gdk, GLib, Gtk, Pango

from .messages import _, duration
from .picture_view import PictureView
from .progress_ui import AGAIN, CANCEL, CHANGE, GO_ON, KEEP, TICK_SECONDS, Choices, ProgressUi
from .widgets import button, finish_events, label, lift

WIDTH, BORDER = 480, 16


class ProgressWindow(ProgressUi):
    """Opens with the first ``wait``, which runs GTK's main loop; what is known by then decides how large it opens."""

    def __init__(self) -> None:
        super().__init__()
        self._error: BaseException | None = None
        self._title = label(bold=True)
        self._note = label(dim=True)
        self._note.set_ellipsize(Pango.EllipsizeMode.NONE)
        self._note.set_line_wrap(True)
        self._note.set_width_chars(50)  # without a least width GTK reserves the height of a much narrower text
        self._note.set_max_width_chars(50)
        self._stage = label()
        self._left = label(dim=True)
        self._left.set_xalign(1.0)
        self._bar = Gtk.ProgressBar()
        self._picture = PictureView()
        self._original = b""
        self._lists = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=8)
        self._boxes: dict[str, Gtk.ComboBoxText] = {}
        self._keep = button(_("_Stop and keep"), _("Stop now and insert the strokes that there are so far"))
        self._cancel = button(_("_Cancel"), _("Stop now and leave the document as it was"))
        self._change = button(_("C_hange..."), _("Look at all settings, change them, and see another draft"))
        self._go_on = button(_("_Go on"), _("Paint the picture like this"))
        self._keep.set_sensitive(False)
        for pressed, wish in ((self._keep, KEEP), (self._cancel, CANCEL), (self._change, CHANGE),
                              (self._go_on, GO_ON)):
            pressed.connect("clicked", lambda _b, wish=wish: self._wished(wish))
        self._window = self._built()
        self._window.get_child().show_all()
        self.drafts(())

    def title(self, text: str, note: str = "") -> None:
        self._title.set_text(text)
        self._note.set_text(note)
        self._note.set_visible(bool(note))

    def progress(self, stage: str, fraction: float, seconds_left: float | None) -> None:
        if self.wish == CANCEL:
            return
        self._stage.set_text(_("Finishing with what there is...") if self.wish == KEEP else stage)
        self._bar.set_fraction(min(max(fraction, 0.0), 1.0))
        self._bar.set_text(f"{100 * min(max(fraction, 0.0), 1.0):.0f} %")
        self._left.set_text("" if seconds_left is None else _("{time} left").format(time=duration(seconds_left)))

    def original(self, data: bytes) -> None:
        if data is not self._original:  # what was painted of it is better to look at than the picture itself
            self._original = data
            self._picture.show(data, painted=False)

    def preview(self, png: bytes) -> None:
        self._picture.show(png)

    def may_keep(self, possible: bool) -> None:
        self._keep.set_sensitive(possible and not self.wish)

    def drafts(self, choices: tuple[Choices, ...]) -> None:
        for child in self._lists.get_children():
            self._lists.remove(child)
        self._boxes = {choice.name: self._box(choice) for choice in choices}
        self._lists.show_all()
        for widget, seen in ((self._lists, choices), (self._change, choices), (self._go_on, choices),
                             (self._keep, not choices)):
            widget.set_visible(bool(seen))
        if choices:
            self._go_on.grab_default()

    def chosen(self, name: str) -> str:
        return self._boxes[name].get_active_id() or "" if name in self._boxes else ""

    def settings(self, settings: dict[str, Any]) -> dict[str, str] | None:
        from .settings_window import SettingsWindow

        return SettingsWindow(settings, _("Settings of the draft"), _("_Draft"), self._window).run()

    def wait(self, tick: Callable[[], bool]) -> None:
        self._error = None
        if not self._window.get_visible():
            self._window.present()
        GLib.timeout_add(int(TICK_SECONDS * 1000), self._ticked, tick)
        Gtk.main()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._window.destroy()
        finish_events()

    def _ticked(self, tick: Callable[[], bool]) -> bool:
        """GLib prints exceptions and goes on; this keeps one for whoever waits."""
        try:
            done = tick()
        except BaseException as error:
            self._error, done = error, True
        if done:
            Gtk.main_quit()
        return not done

    def _wished(self, wish: str) -> None:
        if self.wish == CANCEL:
            return
        self.wish = wish
        self._keep.set_sensitive(False)
        if wish == CANCEL:
            self._cancel.set_sensitive(False)
            self._stage.set_text(_("Cancelling..."))
            self._left.set_text("")
        elif wish == KEEP:
            self._stage.set_text(_("Finishing with what there is..."))

    def _box(self, choices: Choices) -> Gtk.ComboBoxText:
        box = Gtk.ComboBoxText()
        for value, text in choices.values:
            box.append(value, text)
        box.set_active_id(choices.chosen)
        box.get_accessible().set_name(choices.label)
        box.connect("changed", lambda _b: self._wished(AGAIN))
        self._lists.pack_start(Gtk.Label(label=choices.label), False, False, 0)
        self._lists.pack_start(box, True, True, 0)
        return box

    def _built(self) -> Gtk.Window:
        window = Gtk.Window(title=_("Gradvec"))
        window.set_default_size(WIDTH, -1)
        window.set_type_hint(Gdk.WindowTypeHint.DIALOG)
        lift(window)
        window.connect("delete-event", self._closed)
        window.connect("key-press-event", self._key)
        line = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=12)
        line.pack_start(self._stage, True, True, 0)
        line.pack_end(self._left, False, False, 0)
        self._bar.set_show_text(True)
        buttons = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL, spacing=8)
        buttons.set_layout(Gtk.ButtonBoxStyle.END)
        for widget in (self._keep, self._cancel, self._change, self._go_on):
            buttons.add(widget)
        self._go_on.set_can_default(True)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8, border_width=BORDER)
        column.pack_start(self._title, False, False, 0)
        column.pack_start(self._note, False, False, 0)
        column.pack_start(self._picture.widget, True, True, 0)
        for widget in (self._lists, line, self._bar, buttons):
            column.pack_start(widget, False, False, 0)
        window.add(column)
        return window

    def _closed(self, _window: Gtk.Window, _event: object) -> bool:
        self._wished(CANCEL)
        return True

    def _key(self, _window: Gtk.Window, event: Gdk.EventKey) -> bool:
        if event.keyval == Gdk.KEY_Escape:
            self._wished(CANCEL)
        return event.keyval == Gdk.KEY_Escape
