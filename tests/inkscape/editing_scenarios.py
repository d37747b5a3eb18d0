"""Edits strokes in one real Inkscape window through the menu and prints what happened as JSON.

For the system's Python with python3-gi and Atspi; see window_scenarios.py for what it needs and how to start it:

    dbus-run-session -- xvfb-run -a -s "-screen 0 1280x900x24" /usr/bin/python3 \\
        tests/inkscape/editing_scenarios.py --python .venv/bin/python --window-manager --shots shots

--document opens a painted document of your own with the real engine, for the screenshots: "photo" names its picture,
"area" a shape on it and "mine" a closed path.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOST = HERE.parent / "host"
sys.path[:0] = [str(HERE.parents[1] / "backend"), str(HERE), str(HOST)]

from driver import PROGRESS, Driver  # noqa: E402
from inkscape import Inkscape, play_all, prepare_screen, scenario_arguments  # noqa: E402

#: What the dialogs remember from an earlier time: every colour counts as similar.
REMEMBERED = 'org.gradvec.select.host_tolerance="100"'
STROKE = re.compile(r"gradvec:stroke=")
MOVED = re.compile(r'transform="translate\((30, ?20)\)"')


class Play:
    """The window with a painted picture, and the ways through its menu."""

    def __init__(self, private: Inkscape, document: Path, real: bool, shots: Path | None) -> None:
        self.private = private
        self.folder = private.directory
        self.real = real
        fake = {"GRADVEC_ENGINE_JOBS": "still_editor:run_job", "GRADVEC_ENGINE_PATH": str(HOST)}
        environment = private.environment(**({} if real else fake))
        if real:
            environment = {name: value for name, value in environment.items() if name not in fake}
        self.seconds = 300.0 if real else 30.0
        strokes = re.findall(r'id="(gv1-s[^"]*\d)"', document.read_text("utf-8"))
        self.some, self.one = (strokes[-20:], strokes[0]) if real else (["gv1-s2"], "gv1-s1")
        self.driver = Driver(document, environment, shots)

    def select(self, *ids: str) -> None:
        self.driver.action("select-clear")
        if ids:
            self.driver.action("select-by-id", ",".join(ids))

    def run(self, name: str, *ids: str, **numbers: float) -> dict:
        """Runs a command on ``ids`` through its dialog, and undoes it again."""
        done = self.command(name, *ids, **numbers)
        self.driver.undo()
        self.driver.wait(lambda: not self.driver.changed, f"an unchanged document after undoing {name}")
        return {**done, "after_undo": self.state()}

    def command(self, name: str, *ids: str, **numbers: float) -> dict:
        """Runs a command on ``ids`` through its dialog."""
        self.select(*ids)
        dialog = self.open(name)
        for label, value in numbers.items():
            self.driver.set_number(label, value, dialog)
        self.driver.shot(f"{name}-dialog")
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", "Apply", within=dialog), "Apply"))
        if self.real:
            time.sleep(6)
            self.driver.shot(f"{name}-running")
        self.driver.wait(lambda: self.driver.changed, f"a changed document after {name}", self.seconds)
        self.driver.wait(lambda: self.driver.answers(dialog), "an answer from Inkscape")
        time.sleep(0.5)
        self.close(dialog)
        time.sleep(0.4)
        self.driver.shot(f"{name}-done")
        done = self.state()
        time.sleep(0.5)
        return done

    def change(self, *ids: str, **actions: str) -> None:
        """Does Inkscape's own actions on ``ids``; in their names an underscore stands for a dash."""
        self.select(*ids)
        for action, argument in actions.items():
            self.driver.action(action.replace("_", "-"), argument)
        self.driver.wait(lambda: self.driver.changed, "a changed document")

    def back(self) -> None:
        """Undoes everything."""
        for _step in range(12):
            if not self.driver.changed:
                return
            self.driver.undo()
            time.sleep(0.3)
        raise TimeoutError("the document did not become unchanged")

    def open(self, name: str):
        self.driver.choose_menu("Extensions", "Gradvec", f"{name}...")
        return self.driver.wait(lambda: self.driver.find("dialog", name), f"the dialog {name}")

    def close(self, dialog) -> None:
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", "Close", within=dialog), "Close"))

    def state(self) -> dict:
        text = self.driver.save(self.folder / "now.svg")
        return {"strokes": len(STROKE.findall(text)), "photo": 'id="photo"' in text, "moved": MOVED.findall(text),
                "drawings": len(re.findall(r"gradvec:run=", text)), "faded": text.count("opacity:0.5"),
                "counts": re.findall(r"&quot;strokes&quot;:(\d+)", text),
                "ids": re.findall(r'<path[^>]*?\sid="([^"]+)"', text, re.DOTALL),
                "layers": re.findall(r'inkscape:label="([^"]*)"', text), "red": text.count("#ff0000"),
                "changed": self.driver.changed}

    def message(self) -> str:
        """What our own message says; presses its button."""
        def look():
            program = self.driver.application(PROGRESS)
            return program and self.driver.find("alert", within=program, exact=False)
        window = self.driver.wait(look, "a message")
        texts = self.driver.wait(lambda: [text for text in self.driver.texts(window) if " " in text], "its text")
        self.driver.press(self.driver.wait(lambda: self.driver.find("button", "OK", within=window), "its button"))
        self.driver.wait(lambda: self.driver.application(PROGRESS) is None, "the end of the message")
        return " ".join(texts)


def refine(play: Play) -> dict:
    return play.run("Refine selected strokes", *play.some)


def repaint(play: Play) -> dict:
    return play.run("Repaint here", "area")


def refit(play: Play) -> dict:
    return play.run("Re-fit gradients", "mine")


def detail(play: Play) -> dict:
    return play.run("Add detail", "photo", **{"Strokes to add:": 3})


def trace(play: Play) -> dict:
    return play.run("Vectorize selected rasters as strokes", "photo")


def again(play: Play) -> dict:
    return play.run("Run again", play.one)


def palette(play: Play) -> dict:
    return play.run("Limit palette", play.one, **{"How many:": 1})


def ungrouped(play: Play) -> dict:
    """Inkscape ungroups the layer and the layers in it; what is left can still be edited, and painted again."""
    play.change("gv1-layer", selection_ungroup="")
    facts = {"before": play.state(), "refined": play.command("Refine selected strokes", "gv1-s2"),
             "again": play.command("Run again", "gv1-s1")}
    play.back()
    return facts


def moved(play: Play) -> dict:
    """The layer is moved and faded; what is painted again lies where it lay, as faded as it was."""
    play.change("gv1-layer", transform_translate="30,20", object_set_property="opacity,0.5")
    facts = {"before": play.state(), **play.command("Run again", "gv1-s1")}
    play.back()
    return facts


def by_hand(play: Play) -> dict:
    """A stroke is moved by hand: the artist is asked, and keeps it."""
    play.change("gv1-s2", transform_translate="30,20")
    play.select("gv1-s1")
    dialog = play.open("Run again")
    play.driver.press(play.driver.wait(lambda: play.driver.find("button", "Apply", within=dialog), "Apply"))
    program = play.driver.wait(lambda: play.driver.application(PROGRESS), "the question")
    text = play.driver.wait(lambda: [t for t in play.driver.texts(program) if "by hand" in t], "its text")
    play.driver.shot("by-hand")
    play.driver.press(play.driver.wait(lambda: play.driver.find("button", "Keep them on top", within=program), "Keep"))
    play.driver.wait(lambda: play.driver.application(PROGRESS) is None, "the end of the command", play.seconds)
    play.driver.wait(lambda: play.driver.answers(dialog), "an answer from Inkscape")
    play.close(dialog)
    time.sleep(0.5)
    facts = {"text": text[0], **play.state()}
    play.back()
    return facts


def settings(play: Play) -> dict:
    """The window of settings shows those of the layer; one of them is changed."""
    play.select("gv1-s1")
    dialog = play.open("Run again")
    play.driver.press(play.driver.wait(lambda: play.driver.find("check box", "Change the settings first",
                                                                within=dialog), "the check box"))
    play.driver.press(play.driver.wait(lambda: play.driver.find("button", "Apply", within=dialog), "Apply"))
    program = play.driver.wait(lambda: play.driver.application(PROGRESS), "the window of settings")
    play.driver.wait(lambda: play.driver.find("button", "Paint", within=program), "its button")
    play.driver.shot("settings")
    number = play.driver.wait(lambda: play.driver.find("spin button", "Strokes:", within=program), "the strokes")
    number.get_value_iface().set_current_value(3)
    play.driver.press(play.driver.find("button", "Paint", within=program))
    play.driver.wait(lambda: play.driver.application(PROGRESS) is None, "the end of the command", play.seconds)
    play.driver.wait(lambda: play.driver.answers(dialog), "an answer from Inkscape")
    play.close(dialog)
    time.sleep(0.5)
    facts = play.state()
    play.back()
    return facts


def twice(play: Play) -> dict:
    """Painting the picture again replaces its drawing and selects the layer: deleting leaves the picture alone."""
    facts = {"painted": play.command("Paint with gradient strokes", "photo")}
    time.sleep(2.5)
    play.driver.action("delete-selection")
    time.sleep(0.5)
    facts["deleted"] = play.state()
    play.back()
    return facts


def select(play: Play) -> dict:
    """What was found is selected as soon as the command has ended: deleting shows what that is."""
    play.select(*play.some)
    dialog = play.open("Select by colour or size")
    play.driver.shot("select-dialog")
    play.driver.press(play.driver.wait(lambda: play.driver.find("button", "Apply", within=dialog), "Apply"))
    time.sleep(2.5)
    play.driver.wait(lambda: play.driver.answers(dialog), "an answer from Inkscape")
    play.close(dialog)
    play.driver.shot("selected")
    unchanged = not play.driver.changed
    play.driver.action("delete-selection")
    play.driver.wait(lambda: play.driver.changed, "strokes that were deleted")
    done = play.state()
    time.sleep(0.5)
    play.driver.undo()
    play.driver.wait(lambda: not play.driver.changed, "an unchanged document")
    return {**done, "unchanged": unchanged}


def wrong(play: Play) -> dict:
    """A command on what it cannot work on."""
    play.select("photo")
    dialog = play.open("Refine selected strokes")
    play.driver.press(play.driver.wait(lambda: play.driver.find("button", "Apply", within=dialog), "Apply"))
    text = play.message()
    play.driver.wait(lambda: play.driver.answers(dialog), "an answer from Inkscape")
    play.close(dialog)
    return {"message": text, **play.state()}


def engine(play: Play) -> dict:
    """The window of the engine: how it is, the doctor's report, a restart."""
    play.driver.choose_menu("Extensions", "Gradvec", "Engine")
    window = play.driver.wait(lambda: play.driver.application(PROGRESS), "the engine's window")

    def told(words: str):
        return play.driver.wait(lambda: next((t for t in play.driver.texts(window) if words in t), None), words, 120)

    def press(name: str) -> None:
        button = play.driver.wait(lambda: play.driver.find("button", name, within=window), name)
        play.driver.wait(lambda: play.driver.answers(button), f"a button {name} that can be pressed", 60)
        play.driver.press(button)

    before = told("process")
    press("Restart the engine")
    after = play.driver.wait(lambda: next((t for t in play.driver.texts(window)
                                           if "process" in t and t != before), None), "another process", 60)
    press("Doctor's report")
    report = told("inkscape: ")
    time.sleep(0.3)
    play.driver.shot("engine")
    press("Close")
    play.driver.wait(lambda: play.driver.application(PROGRESS) is None, "the end of the window")
    return {"before": before, "after": after, "report": report, **play.state()}


SCENARIOS = (refine, repaint, refit, detail, trace, again, palette, ungrouped, moved, by_hand, twice, settings,
             select, wrong, engine)


def painted(private: Inkscape, environment: dict[str, str]) -> Path:
    """A document with a picture, what was painted of it, an area and a path of the artist's own."""
    data = base64.b64encode((HOST / "data" / "plain.png").read_bytes()).decode()
    plain, result = private.directory / "plain.svg", private.directory / "painted.svg"
    plain.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="400" height="300"'
        f' viewBox="0 0 400 300"><image id="photo" x="20" y="30" width="360" height="180"'
        f' xlink:href="data:image/png;base64,{data}"/><rect id="area" x="60" y="70" width="60" height="60"'
        ' style="fill:none;stroke:#ff8800;stroke-width:2"/><circle id="mine" cx="300" cy="150" r="30"/></svg>', "utf-8")
    script = private.extension / "inkscape_ext" / "main.py"
    done = subprocess.run(["/usr/bin/python3", str(script), "--command=paint", "--id=photo", "--strokes=2", "--seed=7",
                           str(plain)], capture_output=True, check=True, stdin=subprocess.DEVNULL, timeout=60,
                          cwd=str(script.parent), env=environment)
    result.write_bytes(done.stdout)
    return result


def main() -> None:
    parser = scenario_arguments(__doc__, "runs the engine")
    parser.add_argument("--document", type=Path, help="a painted document; the real engine works on it")
    args = parser.parse_args()
    prepare_screen(args)
    with tempfile.TemporaryDirectory(prefix="gradvec-editing-") as folder:
        private = Inkscape(Path(folder), args.python)
        private.set_parameters()
        preferences = private.profile / "preferences.xml"
        preferences.write_text(preferences.read_text("utf-8").replace(
            '<group id="extensions" ', f'<group id="extensions" {REMEMBERED} '), "utf-8")
        extensions = subprocess.run(["inkscape", "--system-data-directory"], capture_output=True, text=True, check=True,
                                    stdin=subprocess.DEVNULL).stdout.split()[-1] + "/extensions"
        environment = private.environment(
            GRADVEC_ENGINE_JOBS="still_editor:run_job", GRADVEC_ENGINE_PATH=str(HOST), GRADVEC_NO_WINDOW="1",
            PYTHONPATH=extensions)
        document = args.document or painted(private, environment)
        play = Play(private, document, args.document is not None, args.shots)
        print(json.dumps(play_all(play, SCENARIOS, args)), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("LANGUAGE", "en")
    main()
