"""The progress window: stage, share done, time left, the picture as it grows, Stop and keep, Cancel.

GTK 3 through PyGObject, which Inkscape's own bundles bring and Debian has as python3-gi. Importing this module fails
where either is missing or there is no display.
"""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gdk, GdkPixbuf, GLib, Gtk, Pango

from .messages import _, duration
from .progress_ui import CANCEL, KEEP, TICK_SECONDS, ProgressUi
from .widgets import button, finish_events, label, lift

PREVIEW_PX = 360


class ProgressWindow(ProgressUi):
    """Shown as soon as it is made; ``wait`` runs GTK's main loop."""

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
        self._picture = Gtk.Image()
        self._keep = button(_("_Stop and keep"), _("Stop now and insert the strokes that there are so far"))
        self._cancel = button(_("_Cancel"), _("Stop now and leave the document as it was"))
        self._keep.set_sensitive(False)
        self._keep.connect("clicked", lambda _b: self._wished(KEEP))
        self._cancel.connect("clicked", lambda _b: self._wished(CANCEL))
        self._window = self._built()
        self._window.show_all()
        self._picture.hide()
        self._window.present()

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

    def preview(self, png: bytes) -> None:
        loader = GdkPixbuf.PixbufLoader()
        try:
            loader.write(png)
            loader.close()
        except GLib.Error:
            return
        pixbuf = loader.get_pixbuf()
        if pixbuf is None:
            return
        scale = PREVIEW_PX / max(pixbuf.get_width(), pixbuf.get_height())
        self._picture.set_from_pixbuf(pixbuf.scale_simple(
            max(1, round(pixbuf.get_width() * scale)), max(1, round(pixbuf.get_height() * scale)),
            GdkPixbuf.InterpType.BILINEAR))
        self._picture.show()

    def may_keep(self, possible: bool) -> None:
        self._keep.set_sensitive(possible and not self.wish)

    def wait(self, tick: Callable[[], bool]) -> None:
        self._error = None
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
        self.wish = wish
        self._keep.set_sensitive(False)
        if wish == CANCEL:
            self._cancel.set_sensitive(False)
            self._stage.set_text(_("Cancelling..."))
            self._left.set_text("")
        else:
            self._stage.set_text(_("Finishing with what there is..."))

    def _built(self) -> Gtk.Window:
        window = Gtk.Window(title=_("Gradvec"))
        window.set_default_size(420, -1)
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
        buttons.add(self._keep)
        buttons.add(self._cancel)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8, border_width=16)
        for widget in (self._title, self._note, self._picture, line, self._bar, buttons):
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
