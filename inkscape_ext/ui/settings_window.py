"""All settings of a run, filled from a drawing's layer or from a draft, to be changed before it is painted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .menu_file import Choice, as_meant, as_shown, pages
from .messages import _
from .widgets import Gtk, finish_events, lift


class SettingsWindow:
    """The pages of the painting dialog with the values of one drawing."""

    def __init__(self, settings: dict[str, Any], title: str, doing: str, above: Gtk.Window | None = None) -> None:
        """settings: the options of a run. doing: what the button says. above: the window that this one lies on."""
        self._settings = settings
        self._values: dict[str, Callable[[], str]] = {}
        self._dialog = Gtk.Dialog(title=title, transient_for=above, modal=above is not None)
        self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.add_button(doing, Gtk.ResponseType.OK)
        self._dialog.set_default_response(Gtk.ResponseType.OK)
        book = Gtk.Notebook(border_width=8)
        for label, choices in pages():
            book.append_page(self._page(choices, as_shown(settings)), Gtk.Label(label=label))
        self._dialog.get_content_area().pack_start(book, True, True, 0)
        lift(self._dialog)

    def run(self) -> dict[str, str] | None:
        """The settings in words, as the menu would hand them over; None where the artist cancelled."""
        self._dialog.show_all()
        answer = self._dialog.run()
        values = {name: value() for name, value in self._values.items()}
        self._dialog.destroy()
        finish_events()
        return as_meant(values, self._settings) if answer == Gtk.ResponseType.OK else None

    def _page(self, choices: list[Choice], settings: dict[str, Any]) -> Gtk.Grid:
        grid = Gtk.Grid(row_spacing=6, column_spacing=12, border_width=12)
        for row, choice in enumerate(choices):
            widget, value = _widget(choice, choice.shown(settings.get(choice.name)))
            widget.set_tooltip_text(choice.hint)
            self._values[choice.name] = value
            if choice.kind == "bool":
                grid.attach(widget, 0, row, 2, 1)
                continue
            label = Gtk.Label(label=choice.label, xalign=0.0)
            widget.get_accessible().set_name(choice.label)
            grid.attach(label, 0, row, 1, 1)
            grid.attach(widget, 1, row, 1, 1)
        return grid


def _widget(choice: Choice, value: str) -> tuple[Gtk.Widget, Callable[[], str]]:
    """(the widget of a choice, what tells the value that it shows)."""
    if choice.kind == "bool":
        check = Gtk.CheckButton(label=choice.label, active=value == "true")
        return check, lambda: "true" if check.get_active() else "false"
    if choice.choices:
        box = Gtk.ComboBoxText(hexpand=True)
        for name, label in choice.choices:
            box.append(name, label)
        if not box.set_active_id(value):  # such as a colour of the artist's own
            box.append(value, value)
            box.set_active_id(value)
        return box, lambda: box.get_active_id() or value
    if choice.kind in ("int", "float"):
        step = 10.0 ** -choice.digits
        number = Gtk.SpinButton.new_with_range(choice.low, choice.high, step)
        number.set_digits(choice.digits)
        number.set_value(float(value))
        return number, lambda: f"{number.get_value():.{choice.digits}f}"
    entry = Gtk.Entry(text=value, hexpand=True)
    return entry, entry.get_text
