"""Plays runs of the paint command in one real Inkscape window and prints what happened as JSON.

For the system's Python with python3-gi and Atspi (Debian: python3-gi, gir1.2-gtk-3.0, gir1.2-atspi-2.0,
at-spi2-core, xdotool, openbox, imagemagick). On a virtual display, as the tests do it:

    dbus-run-session -- xvfb-run -a -s "-screen 0 1280x900x24" /usr/bin/python3 \\
        tests/inkscape/window_scenarios.py --python .venv/bin/python --window-manager --shots shots

or on your own display, without --window-manager: keep your hands off the mouse for a minute.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "backend"), str(HERE)]

from driver import PROGRESS, Driver  # noqa: E402
from fake_engine import DEAF, DYING, FAILING, REFUSING, SLOW, SUCCESS  # noqa: E402
from inkscape import Inkscape, play_all, prepare_screen, scenario_arguments  # noqa: E402

DIALOG = "Paint with gradient strokes"
LAYER = re.compile(r'inkscape:label="(Gradvec: [^"]*)"')
STROKE = "gradvec:stroke="


class Play:
    """The window, the dialog of the command, and what each scenario found."""

    def __init__(self, private: Inkscape, shots: Path | None) -> None:
        self.private = private
        self.folder = private.directory
        document = self.folder / "picture.svg"
        picture = base64.b64encode((HERE.parent / "host" / "data" / "plain.png").read_bytes()).decode()
        document.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="400"'
            f' height="300" viewBox="0 0 400 300"><image id="photo" x="20" y="30" width="360" height="180"'
            f' xlink:href="data:image/png;base64,{picture}"/><rect id="shape" width="9" height="9"/>'
            '<ellipse id="mark" transform="translate(9) rotate(3, 110, 75)" cx="101" cy="75" rx="40" ry="30"'
            ' style="fill:#ffff00;fill-opacity:.5"/>'
            '<path id="guide" d="M60,150 C120,60 220,240 340,90" style="fill:none;stroke:#ff00ff;stroke-width:3"/>'
            '</svg>', "utf-8")
        self.driver = Driver(document, private.environment(), shots)

    def open_dialog(self, name: str = DIALOG) -> None:
        self.driver.action("select-by-id", "photo")
        self.driver.choose_menu("Extensions", "Gradvec", f"{name}...")
        self.dialog = self.driver.wait(lambda: self.driver.find("dialog", name), "the dialog")
        self.driver.shot("dialog")

    def apply(self, scenario: int, selected: str = "photo") -> None:
        """Selects an object and presses Apply for a scenario of the fake engine."""
        self.driver.action("select-clear")
        self.driver.action("select-by-id", selected)
        self.driver.set_number("Strokes:", 12, self.dialog)
        self.driver.set_number("Number of the variation:", scenario, self.dialog)
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", "Apply", within=self.dialog),
                                           "the button Apply"))

    def progress(self, words: str = "Painting shapes"):
        """The progress window, once these words can be read in it."""
        def look():
            window = self.driver.application(PROGRESS)
            return window if window and words in self.driver.texts(window) else None
        return self.driver.wait(look, f"progress {words!r}")

    def press(self, name: str, words: str = "Painting shapes") -> float:
        """Presses a button of the progress window once it says ``words``; returns the seconds until it is gone."""
        window = self.progress(words)
        start = time.monotonic()
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", name, within=window), name))
        self.gone()
        return time.monotonic() - start

    def gone(self) -> None:
        self.driver.wait(lambda: self.driver.application(PROGRESS) is None, "the end of the progress window")

    def state(self) -> dict:
        """What the document holds as soon as Inkscape has taken the result in."""
        self.driver.wait(lambda: self.driver.answers(self.dialog), "an answer from Inkscape")
        text = self.driver.save(self.folder / "now.svg")
        return {"layers": LAYER.findall(text), "strokes": text.count(STROKE), "changed": self.driver.changed,
                "how": re.findall(r"&quot;how&quot;:&quot;(\w+)", text), "hidden": "display:none" in text,
                "jobs": re.findall(r"&quot;job&quot;:&quot;(\w+)", text), "maps": text.count("gradvec:detail-map="),
                "guides": text.count("gradvec:guides="),
                "seeds": re.findall(r"&quot;seed&quot;:(\d+)", text)}

    def undo(self) -> None:
        self.driver.undo()
        self.driver.wait(lambda: not self.driver.changed, "an unchanged document")

    def message(self) -> str:
        """What our own message says; presses its button."""
        def look():
            program = self.driver.application(PROGRESS)
            return program and self.driver.find("alert", within=program, exact=False)
        window = self.driver.wait(look, "a message")
        texts = self.driver.wait(lambda: [text for text in self.driver.texts(window) if " " in text], "its text")
        self.driver.shot("message")
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", "OK", within=window), "its button"))
        self.gone()
        return " ".join(texts)


def success(play: Play) -> dict:
    play.apply(SUCCESS)
    play.driver.wait(lambda: play.driver.changed, "a changed document")
    play.driver.shot("success")
    done = play.state()
    play.undo()
    return {**done, "after_undo": play.state()}


def cancel(play: Play) -> dict:
    """The transform of the shape is read, too, which inkex takes for a change."""
    play.apply(SLOW, "photo,mark")
    window = play.progress()
    play.driver.wait(lambda: any("%" in text or "left" in text for text in play.driver.texts(window)), "time left")
    time.sleep(0.6)
    play.driver.shot("progress")
    texts = play.driver.texts(window)
    seconds = play.press("Cancel")
    return {"texts": texts, "seconds": seconds, **play.state()}


def keep(play: Play) -> dict:
    play.apply(SLOW)
    seconds = play.press("Stop and keep")
    play.driver.wait(lambda: play.driver.changed, "a changed document")
    done = play.state()
    play.undo()
    return {"seconds": seconds, **done, "after_undo": play.state()}


def close(play: Play) -> dict:
    play.apply(SLOW)
    play.progress()
    time.sleep(0.3)
    start = time.monotonic()
    play.driver.close_window("Gradvec")
    play.gone()
    return {"seconds": time.monotonic() - start, **play.state()}


def escape(play: Play) -> dict:
    play.apply(SLOW)
    play.progress()
    time.sleep(0.3)
    play.driver.focus_window("Gradvec")
    play.driver.key("Escape")
    play.gone()
    return play.state()


def deaf(play: Play) -> dict:
    """The engine never looks whether it should stop: the artist is free all the same."""
    play.apply(DEAF)
    return {"seconds": play.press("Cancel"), **play.state()}


def marked(play: Play) -> dict:
    """A shape on the picture marks detail, one beside it does not, a line gives a direction; the window says so."""
    play.apply(SLOW, "photo,mark,shape,guide")
    texts = play.driver.texts(play.progress())
    play.driver.shot("marked")
    play.press("Stop and keep")
    play.driver.wait(lambda: play.driver.changed, "a changed document")
    done = play.state()
    play.driver.shot("marked-done")
    play.undo()
    return {"texts": texts, **done, "after_undo": play.state()}


def free(play: Play) -> dict:
    """Free shapes through the dialog: cancelled, then stopped and kept."""
    play.driver.choose_option("Look:", "Illustrator's shapes", play.dialog)
    play.driver.shot("free-dialog")
    play.apply(SLOW)
    texts = play.driver.texts(play.progress())
    play.press("Cancel")
    cancelled = play.state()
    play.apply(SLOW)
    play.press("Stop and keep")
    play.driver.wait(lambda: play.driver.changed, "a changed document")
    done = play.state()
    play.undo()
    play.driver.choose_option("Look:", "Oil", play.dialog)
    return {"texts": texts, "cancelled": cancelled, **done, "after_undo": play.state()}


def failing(play: Play) -> dict:
    play.apply(FAILING)
    return {"message": play.message(), **play.state()}


def dying(play: Play) -> dict:
    play.apply(DYING)
    return {"message": play.message(), **play.state()}


def refusing(play: Play) -> dict:
    play.apply(REFUSING)
    return {"message": play.message(), **play.state()}


def no_picture(play: Play) -> dict:
    play.apply(SUCCESS, "shape")
    return {"message": play.message(), **play.state()}


def no_engine(play: Play) -> dict:
    record = play.private.extension / "engine.json"
    kept = record.read_text("utf-8")
    record.write_text(kept.replace('"python": "', '"python": "/gone'), "utf-8")
    play.apply(SUCCESS)
    gone = play.message()
    record.unlink()
    play.apply(SUCCESS)
    unknown = play.message()
    record.write_text(kept, "utf-8")
    return {"gone": gone, "unknown": unknown, **play.state()}


def killed(play: Play) -> dict:
    """Inkscape dies in the middle: the script goes, and the engine is free again. Comes last."""
    from gradvec.ipc.client import Client

    play.apply(SLOW)
    play.progress()
    play.driver.close()
    start = time.monotonic()
    play.gone()
    seconds = time.monotonic() - start
    with Client.connect(play.folder / "engine") as client:
        while client.status()["running_job"] and time.monotonic() - start < 10:
            time.sleep(0.05)
        return {"seconds": seconds, "free_after": time.monotonic() - start}


SCENARIOS = (success, cancel, keep, close, escape, deaf, marked, free, failing, dying, refusing, no_picture,
             no_engine, killed)


def main() -> None:
    parser = scenario_arguments(__doc__, "runs the fake engine; needs Pillow and numpy")
    args = parser.parse_args()
    prepare_screen(args)
    with tempfile.TemporaryDirectory(prefix="gradvec-window-") as folder:
        private = Inkscape(Path(folder), args.python)
        private.set_parameters()
        play = Play(private, args.shots)
        facts = play_all(play, SCENARIOS, args, play.open_dialog)
        log = private.log.read_text("utf-8") if private.log.exists() else ""
        print(json.dumps({**facts, "log": log}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("LANGUAGE", "en")
    main()
