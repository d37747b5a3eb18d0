"""Looks at drafts in one real Inkscape window and prints what happened as JSON.

For the system's Python with python3-gi and Atspi; see window_scenarios.py for what it needs and how to start it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "backend"), str(HERE)]

from inkscape import Inkscape, play_all, prepare_screen, scenario_arguments  # noqa: E402
from window_scenarios import Play  # noqa: E402

DRAFT = "This is the draft."


class Previews(Play):
    """The window, the dialog of the command, and what the engine was asked for."""

    def begin(self, selected: str = "photo"):
        """Presses Apply and returns the window of the drafts once there is one."""
        self.asked()
        self.driver.action("select-clear")
        self.driver.action("select-by-id", selected)
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", "Apply", within=self.dialog), "Apply"))
        return self.progress(DRAFT)

    def asked(self) -> list[dict]:
        """What the engine was asked for since the last call."""
        file = self.folder / "asked.jsonl"
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def choose(self, name: str, option: str):
        """Chooses from a list of the window and returns the window with the new draft."""
        window = self.progress(DRAFT)
        box = self.driver.wait(lambda: self.driver.find("combo box", name, within=window), f"list {name}")
        names = [self.driver.name(node) for node in self.driver.nodes(box) if self.driver.role(node) == "menu item"]
        box.get_selection_iface().select_child(names.index(option))
        time.sleep(0.3)
        return self.progress(DRAFT)

    def press_in(self, window, name: str) -> None:
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", name, within=window), name))


def cancelled(play: Previews) -> dict:
    window = play.begin()
    play.driver.shot("draft")
    texts, changed = play.driver.texts(window), play.driver.changed
    picture = play.driver.wait(lambda: play.driver.find("icon", within=window, exact=False), "the picture")
    sizes = [play.driver.picture_size(picture)]
    for width, height in ((900, 800), (500, 520)):
        time.sleep(1.6)
        play.driver.resize_window("Gradvec", width, height)
        time.sleep(1.0)
        sizes.append(play.driver.picture_size(picture))
    play.press("Cancel", DRAFT)
    return {"texts": texts, "sizes": sizes, "changed_meanwhile": changed, "asked": play.asked(), **play.state()}


def chosen(play: Previews) -> dict:
    """Another look, a part of the picture, and on."""
    play.begin("photo,mark,guide")
    play.choose("Look:", "Marker")
    play.choose("Shown:", "The middle, enlarged")
    play.choose("Shown:", "Where you drew shapes")
    play.driver.shot("part")
    window = play.choose("Shown:", "The whole picture")
    play.press_in(window, "Go on")
    play.driver.wait(lambda: play.driver.changed, "a changed document")
    done = play.state()
    play.undo()
    return {"asked": play.asked(), **done, "after_undo": play.state()}


def changed(play: Previews) -> dict:
    """Settings are changed, and the window shows the draft of what they come to."""
    window = play.begin()
    play.press_in(window, "Change...")
    program = play.driver.wait(lambda: play.driver.find("button", "Draft", within=window) and window, "the settings")
    play.driver.shot("settings-of-the-draft")
    number = play.driver.wait(lambda: play.driver.find("spin button", "Strokes:", within=program), "the strokes")
    shown = number.get_value_iface().get_current_value()
    number.get_value_iface().set_current_value(33)
    play.press_in(program, "Draft")
    window = play.progress(DRAFT)
    time.sleep(0.5)
    play.driver.shot("changed")
    play.press_in(window, "Change...")
    play.driver.wait(lambda: play.driver.find("button", "Draft", within=window), "the settings")
    time.sleep(0.3)
    play.driver.key("Escape")
    play.driver.wait(lambda: not play.driver.find("button", "Draft", within=window), "no settings")
    play.press_in(window, "Go on")
    play.driver.wait(lambda: play.driver.changed, "a changed document")
    done = play.state()
    play.undo()
    return {"shown": shown, "asked": play.asked(), **done}


SCENARIOS = (cancelled, chosen, changed)


def main() -> None:
    parser = scenario_arguments(__doc__, "runs the fake engine; needs Pillow and numpy")
    args = parser.parse_args()
    prepare_screen(args)
    with tempfile.TemporaryDirectory(prefix="gradvec-preview-") as folder:
        private = Inkscape(Path(folder), args.python)
        private.set_parameters()
        play = Previews(private, args.shots)
        print(json.dumps(play_all(play, SCENARIOS, args, lambda: play.open_dialog("Preview a look"))), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("LANGUAGE", "en")
    main()
