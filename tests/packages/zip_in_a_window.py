"""Starts a real Inkscape whose profile holds the unpacked zip, runs the command and prints what was said as JSON.

For the system's Python with python3-gi and Atspi, inside a D-Bus session with a display:
usage: zip_in_a_window.py PROFILE DOCUMENT SHOTS
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "inkscape")]

from driver import PROGRESS, Driver  # noqa: E402


def main() -> None:
    profile, document, shots = map(Path, sys.argv[1:])
    subprocess.Popen(["openbox"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    environment = {**os.environ, "INKSCAPE_PROFILE_DIR": str(profile), "XDG_STATE_HOME": str(profile / "state"),
                   "GRADVEC_STATE_DIR": str(profile / "engine"), "LANGUAGE": "en", "LC_ALL": "C.UTF-8",
                   "GTK_A11Y": "atspi", "NO_AT_BRIDGE": "0"}
    driver = Driver(document, environment, shots)
    try:
        menu = driver.wait(lambda: driver.find("menu", "Gradvec", within=driver.window), "our menu")
        commands = [driver.name(node) for node in driver.nodes(menu) if driver.role(node) == "menu item"]
        driver.action("select-by-id", "photo")
        with contextlib.suppress(subprocess.CalledProcessError):  # answers only when the message has been closed
            driver.action("org.gradvec.paint.noprefs", seconds=1)

        def message():
            program = driver.application(PROGRESS)
            return program and driver.find("alert", within=program, exact=False)
        window = driver.wait(message, "a message")
        texts = driver.wait(lambda: [text for text in driver.texts(window) if " " in text], "its text")
        driver.shot("message")
        driver.press(driver.wait(lambda: driver.find("button", "OK", within=window), "its button"))
        driver.wait(lambda: driver.application(PROGRESS) is None, "the end of the command")
        print(json.dumps({"commands": commands, "message": " ".join(texts), "changed": driver.changed}), flush=True)
    finally:
        driver.close()


if __name__ == "__main__":
    main()
