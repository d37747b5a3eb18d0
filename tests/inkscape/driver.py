"""Drives a real Inkscape window by the names that a screen reader would read out, never by pixels.

For the system's Python with python3-gi and Atspi, inside a D-Bus session with a display, real or virtual, and the
accessibility bus that GTK programs start by themselves.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

INKSCAPE = ("org.inkscape.Inkscape", "/org/inkscape/Inkscape")
PROGRESS = "main.py"


class Driver:
    """One Inkscape window with one document."""

    def __init__(self, document: Path, environment: dict[str, str], shots: Path | None = None) -> None:
        # A frozen Inkscape answers nothing; without these limits every call would wait for it.
        Atspi.set_timeout(400, 400)
        Atspi.init()
        self._shots = shots
        self._shot_count = 0
        self.process = subprocess.Popen(["inkscape", str(document)], env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._document = document.name
        self.window = self.wait(lambda: self.find("frame", document.name, exact=False), "Inkscape's window", 120)

    # -- looking ------------------------------------------------------------------------------------------------

    def wait(self, look, what: str, seconds: float = 40):
        """What ``look`` returns as soon as that is something."""
        deadline, events = time.monotonic() + seconds, GLib.MainContext.default()
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            while events.pending():  # such as that a program has come or gone, which Atspi keeps in mind otherwise
                events.iteration(False)
            time.sleep(0.05)
        self.shot("missing")
        raise TimeoutError(f"{what} did not appear within {seconds:.0f} s")

    def find(self, role: str, name: str = "", exact: bool = True, within=None):
        """The first thing of this role and name, in all programs or ``within`` one."""
        for node in self.nodes(within):
            if self.role(node) == role and _matches(_ask(node.get_name) or "", name, exact):
                return node
        return None

    def application(self, name: str):
        """The program of this name on the accessibility bus, None where it is not there (any more)."""
        return next((app for app in _children(Atspi.get_desktop(0)) if _ask(app.get_name) == name), None)

    @staticmethod
    def role(node) -> str:
        """The kind of a thing, as newer versions of the accessibility bus call it."""
        role = _ask(node.get_role_name) or ""
        return "button" if role == "push button" else role

    @staticmethod
    def name(node) -> str:
        return _ask(node.get_name) or ""

    def answers(self, node) -> bool:
        """Whether the program of ``node`` is awake and takes input there."""
        return bool(_ask(lambda: node.get_state_set().contains(Atspi.StateType.SENSITIVE)))

    def texts(self, within) -> list[str]:
        """Everything that can be read in a window."""
        words = (_ask(node.get_name) for node in self.nodes(within)
                 if self.role(node) in ("label", "button", "text", "progress bar"))
        return [word for word in words if word]

    @property
    def title(self) -> str:
        return _ask(self.window.get_name) or ""

    @property
    def changed(self) -> bool:
        """Whether Inkscape marks the document as modified."""
        return self.title.startswith("*")

    def shot(self, name: str) -> None:
        """A screenshot into the folder that was asked for, where ImageMagick can take one."""
        if self._shots is not None and shutil.which("import"):
            self._shot_count += 1
            subprocess.run(["import", "-window", "root", str(self._shots / f"{self._shot_count:02d}-{name}.png")],
                           check=False, timeout=20)

    # -- doing --------------------------------------------------------------------------------------------------

    def press(self, node) -> None:
        """Does the first action of a button or menu item."""
        if not node.get_action_iface().do_action(0):
            raise RuntimeError(f"{_ask(node.get_name)} cannot be pressed")

    def choose_menu(self, *names: str) -> None:
        """Walks the menu bar by names and presses the last one."""
        node = self.window
        for name in names:
            node = self.wait(lambda node=node, name=name: self.find("menu", name, within=node)
                             or self.find("menu item", name, within=node), f"menu {name}")
        self.press(node)

    def set_number(self, label: str, value: float, within) -> None:
        """Sets the spin button that stands behind ``label``."""
        node = self.wait(lambda: self._labelled(label, within), f"field {label}")
        node.get_value_iface().set_current_value(value)

    def choose_option(self, label: str, option: str, within) -> None:
        """Chooses from the list that stands behind ``label``."""
        box = self.wait(lambda: self._labelled(label, within, "combo box"), f"list {label}")
        names = [_ask(node.get_name) for node in self.nodes(box) if self.role(node) == "menu item"]
        box.get_selection_iface().select_child(names.index(option))

    def action(self, name: str, argument: str = "", seconds: float = 30) -> None:
        """One of Inkscape's actions, over D-Bus; waits while a script or a dialog keeps Inkscape busy."""
        parameter = f"[<{GLib.Variant('s', argument).print_(False)}>]" if argument else "[]"
        subprocess.run(["gdbus", "call", "--session", "--timeout", str(int(seconds)), "--dest", INKSCAPE[0],
                        "--object-path", INKSCAPE[1], "--method", "org.gtk.Actions.Activate", name, parameter, "{}"],
                       check=True, timeout=seconds + 5, stdout=subprocess.DEVNULL)

    def undo(self) -> None:
        """One step back, through the menu Edit."""
        edit = self.wait(lambda: self.find("menu", "Edit", within=self.window), "the menu Edit")
        self.press(edit)
        self.press(self.wait(lambda: self.find("menu item", "Undo", exact=False, within=edit), "the menu item Undo"))

    def save(self, path: Path) -> str:
        """The document as Inkscape would save it now."""
        path.unlink(missing_ok=True)
        self.action("export-filename", str(path))
        self.action("export-do")
        self.wait(path.exists, f"the export {path}")
        return path.read_text("utf-8")

    def key(self, keys: str) -> None:
        """Presses and releases keys at once: a window that closes on the press must not leave the release to Inkscape,

        which asks the accessibility bus about every key and can wait for ever where that bus is just asking it.
        """
        subprocess.run(["xdotool", "key", "--delay", "0", keys], check=True, timeout=10)

    def close_window(self, title: str) -> None:
        """Closes another window of this title as its close button would, by the window manager's usual key."""
        self.focus_window(title)
        self.key("alt+F4")

    def picture_size(self, node) -> tuple[int, int]:
        """(width, height) px of the picture that is shown in an image."""
        size = _ask(lambda: node.get_image_iface().get_image_size())
        return (size.x, size.y) if size else (0, 0)

    def resize_window(self, title: str, width: int, height: int) -> None:
        subprocess.run(["xdotool", "search", "--onlyvisible", "--name", f"^{title}$", "windowsize", str(width),
                        str(height)], check=True, timeout=10)

    def focus_window(self, title: str) -> None:
        subprocess.run(["xdotool", "search", "--name", f"^{title}$", "windowactivate", "--sync"], check=True,
                       timeout=10)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def nodes(self, within=None, depth: int = 0):
        """Everything below ``within``, or in all programs."""
        if depth > 30:
            return
        for child in _children(within if within is not None else Atspi.get_desktop(0)):
            yield child
            yield from self.nodes(child, depth + 1)

    def _labelled(self, label: str, within, kind: str = "spin button"):
        """The field of this kind that comes right after the label of this name."""
        seen = False
        for node in self.nodes(within):
            role = self.role(node)
            if role == "label" and (_ask(node.get_name) or "") == label:
                seen = True
            elif seen and role == kind:
                return node
        return None


def _children(node):
    count = _ask(node.get_child_count) or 0
    for index in range(count):
        child = _ask(lambda index=index: node.get_child_at_index(index))
        if child is not None:
            yield child


def _ask(question):
    """The answer, or None where the program does not answer: it is frozen, or gone."""
    try:
        return question()
    except GLib.Error:
        return None


def _matches(found: str, wanted: str, exact: bool) -> bool:
    return found == wanted if exact else wanted in found
