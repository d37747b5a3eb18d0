"""Parts of windows: messages, buttons, labels, and how a window comes to the front.

GTK 3 through PyGObject, which Inkscape's own bundles bring and Debian has as python3-gi. Importing this module fails
where either is missing.
"""

from __future__ import annotations

import os

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
from gi.repository import Gdk, GLib, Gtk, Pango  # noqa: E402

from .messages import _  # noqa: E402
from .theme import inkscape_theme  # noqa: E402


def usable() -> bool:
    """Whether there is a display to open windows on; from then on they look as Inkscape's own do."""
    if not Gtk.init_check(None)[0]:
        return False
    theme, settings = inkscape_theme(), Gtk.Settings.get_default()
    if theme is not None and settings is not None and not os.environ.get("GTK_THEME"):
        settings.set_property("gtk-application-prefer-dark-theme", theme.dark)
        if theme.name:
            settings.set_property("gtk-theme-name", theme.name)
    return True


def show_message(message: str, remedy: str) -> None:
    """One sentence, what to do about it, and a button; returns when the artist has read it."""
    dialog = Gtk.MessageDialog(message_type=Gtk.MessageType.INFO, buttons=Gtk.ButtonsType.OK, title=_("Gradvec"),
                               text=f"{message}\n\n{remedy}".strip())
    lift(dialog)
    dialog.run()
    dialog.destroy()
    finish_events()


def ask(question: str, answers: list[str]) -> int:
    """The number of the answer that was chosen; -1 where the question was closed."""
    dialog = Gtk.MessageDialog(message_type=Gtk.MessageType.QUESTION, title=_("Gradvec"), text=question)
    for number, answer in enumerate(answers):
        dialog.add_button(answer, number)
    lift(dialog)
    chosen = dialog.run()
    dialog.destroy()
    finish_events()
    return max(int(chosen), -1)


def lift(window: Gtk.Window) -> None:
    """Above Inkscape, which cannot tell us its window to belong to."""
    window.set_position(Gtk.WindowPosition.CENTER)
    window.set_keep_above(True)
    window.set_icon_name("org.inkscape.Inkscape")
    window.connect("size-allocate", lambda *_: GLib.idle_add(_into_view, window))


def _into_view(window: Gtk.Window) -> bool:
    """Moves a window that has grown back onto the screen, so that its buttons can be reached."""
    surface = window.get_window()
    if surface is not None:
        area = window.get_display().get_monitor_at_window(surface).get_workarea()
        frame = surface.get_frame_extents()
        x = max(min(frame.x, area.x + area.width - frame.width), area.x)
        y = max(min(frame.y, area.y + area.height - frame.height), area.y)
        if (x, y) != (frame.x, frame.y):
            window.move(x, y)
    return False


def finish_events() -> None:
    while Gtk.events_pending():
        Gtk.main_iteration_do(False)
    Gdk.Display.get_default().sync()


def label(bold: bool = False, dim: bool = False) -> Gtk.Label:
    made = Gtk.Label(xalign=0.0, ellipsize=Pango.EllipsizeMode.END)
    if bold:
        attributes = Pango.AttrList()
        attributes.insert(Pango.attr_weight_new(Pango.Weight.BOLD))
        made.set_attributes(attributes)
    if dim:
        made.get_style_context().add_class("dim-label")
    return made


def button(text: str, tooltip: str) -> Gtk.Button:
    made = Gtk.Button(label=text, use_underline=True)
    made.set_tooltip_text(tooltip)
    return made
