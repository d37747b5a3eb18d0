"""Takes the screenshots of docs/tutorial.md from a real Inkscape window on a virtual display, with the real engine.

usage: python scripts/screenshots.py [FOLDER]        default docs/images

Needs what the window tests need (scripts/install_for_tests.sh brings it). This script starts itself again under the
system's Python, which has GTK and Atspi, inside a D-Bus session with a display.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "examples" / "coffee.jpg"
SCREEN = (1280, 860)
WIDTH = 1000
MENU = ("Extensions", "Gradvec", "Paint with gradient strokes...")
DIALOG = "Paint with gradient strokes"
PATIENCE_S = 600


def play(folder: Path, python: str) -> None:
    """Inside the display: goes through the tutorial and leaves PNGs of the whole screen in ``folder``."""
    sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "tests" / "inkscape")]
    from driver import PROGRESS, Driver
    from inkscape import Inkscape

    def shot(name: str) -> None:
        time.sleep(1.0)  # until what moves on the screen has come to rest
        subprocess.run(["import", "-window", "root", str(folder / f"{name}.png")], check=True, timeout=60)

    def on_canvas(key: str) -> None:
        """Keys mean tools and zooms only while the canvas has the focus; a click beside the page gives it."""
        subprocess.run(["xdotool", "mousemove", "80", "720", "click", "1"], check=True, timeout=20)
        time.sleep(0.5)
        driver.key(key)

    subprocess.Popen(["openbox"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    private = Inkscape(folder / "private", python)
    private.set_parameters(strokes=350, look="oil")
    document = folder / "coffee.svg"
    document.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="600" height="400"'
        ' viewBox="0 0 600 400"><image id="coffee" width="600" height="400"'
        f' xlink:href="data:image/jpeg;base64,{base64.b64encode(PICTURE.read_bytes()).decode()}"/></svg>', "utf-8")
    environment = private.environment()
    for name in ("GRADVEC_ENGINE_JOBS", "GRADVEC_ENGINE_PATH"):  # the tests' stand-in for the engine
        del environment[name]
    driver = Driver(document, environment)
    try:
        subprocess.run(["xdotool", "search", "--name", "coffee.svg", "windowsize", "--sync", *map(str, SCREEN)],
                       check=False, timeout=20)
        on_canvas("5")  # the page fills the window
        driver.action("select-by-id", "coffee")
        shot("picture")
        driver.choose_menu(*MENU)
        dialog = driver.wait(lambda: driver.find("dialog", DIALOG), "the dialog")
        shot("dialog")
        driver.press(driver.wait(lambda: driver.find("button", "Apply", within=dialog), "Apply"))

        def painting():
            window = driver.application(PROGRESS)
            return window and any("Painting" in text for text in driver.texts(window)) and any(
                "left" in text for text in driver.texts(window))
        driver.wait(painting, "progress", PATIENCE_S)
        time.sleep(3.0)
        shot("progress")
        driver.wait(lambda: driver.changed, "the strokes", PATIENCE_S)
        driver.wait(lambda: driver.application(PROGRESS) is None, "the end of the progress window", PATIENCE_S)
        driver.press(driver.wait(lambda: driver.find("button", "Close", within=dialog), "Close"))
        driver.action("select-clear")
        shot("strokes")
        # A double click on a stroke, here one in the cup, takes the node tool to it.
        double = ["click", "--repeat", "2", "--delay", "120", "1"]
        subprocess.run(["xdotool", "mousemove", "620", "420", *double], check=True, timeout=20)
        time.sleep(3.0)
        shot("nodes")
    finally:
        driver.close()
        private.stop_engine()


def finish(folder: Path, target: Path) -> None:
    """Scales the screenshots and writes them with few colours."""
    from PIL import Image

    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as whole:
            small = whole.convert("RGB").resize((WIDTH, round(WIDTH * whole.height / whole.width)),
                                                Image.Resampling.LANCZOS)
        small.quantize(128, dither=Image.Dither.NONE).save(target / path.name, optimize=True)
        print(f"{target / path.name}: {(target / path.name).stat().st_size / 1000:.0f} kB")


def main() -> int:
    if sys.argv[1:2] == ["--inside"]:
        play(Path(sys.argv[2]), sys.argv[3])
        return 0
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    with tempfile.TemporaryDirectory(prefix="gradvec-shots-") as work:
        command = ["timeout", "-k", "5", str(3 * PATIENCE_S), "dbus-run-session", "--", "xvfb-run", "-a", "-s",
                   "-screen 0 {}x{}x24".format(*SCREEN), "/usr/bin/python3", __file__, "--inside", work, sys.executable]
        runtime = Path(work) / "runtime"  # for the accessibility bus: two displays of one user would share one
        runtime.mkdir(mode=0o700)
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                       env={**os.environ, "LANGUAGE": "en", "XDG_RUNTIME_DIR": str(runtime)})
        finish(Path(work), target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
