"""Runs a real Inkscape with a profile of its own, on a virtual display of its own."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EFFECT = "org.gradvec.paint"


class Inkscape:
    """A private Inkscape: its profile with the extension in it, its engine, its log."""

    def __init__(self, directory: Path, python: str = sys.executable) -> None:
        """python: the interpreter that installs the extension and runs the fake engine; it needs Pillow and numpy."""
        self.directory = directory
        self.profile = directory / "profile"
        self.log = directory / "state" / "gradvec" / "inkscape.log"
        code = ("import sys; from pathlib import Path; from gradvec.tools.install import install_extension; "
                "print(install_extension(Path(sys.argv[1]), sys.executable))")
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "backend")}
        done = subprocess.run([python, "-c", code, str(self.profile / "extensions")], env=environment, check=True,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        self.extension = Path(done.stdout.splitlines()[-1])

    def environment(self, **more: str) -> dict[str, str]:
        """Everything private, and the fake engine in the real one's place."""
        return {**os.environ, "INKSCAPE_PROFILE_DIR": str(self.profile),
                "GRADVEC_STATE_DIR": str(self.directory / "engine"), "XDG_STATE_HOME": str(self.directory / "state"),
                "GRADVEC_ENGINE_JOBS": "fake_engine:run_job", "GRADVEC_ENGINE_PATH": str(HERE),
                "LANGUAGE": "en", "LC_ALL": "C.UTF-8", "GTK_A11Y": "atspi", "NO_AT_BRIDGE": "0", **more}

    def set_parameters(self, effect: str = EFFECT, **parameters: object) -> None:
        """What the dialog of the effect would remember."""
        words = " ".join(f"{effect}.{name}={quoteattr(str(value).lower() if isinstance(value, bool) else str(value))}"
                         for name, value in parameters.items())
        (self.profile / "preferences.xml").write_text(
            f'<inkscape version="1"><group id="extensions" {words}/>'
            '<group id="options"><group id="boot" enabled="0"/></group></inkscape>\n', "utf-8")

    def run_effect(self, document: Path, ids: list[str], result: Path, timeout: float = 90, before: str = "",
                   effect: str = EFFECT, **parameters: object) -> None:
        """Selects ``ids``, runs the effect without its dialog, and saves as plain as Inkscape saves.

        before: actions of Inkscape to do first, separated by semicolons.
        """
        self.set_parameters(effect, **parameters)
        actions = (f"{before + ';' if before else ''}select-clear;select-by-id:{','.join(ids)};{effect}.noprefs;"
                   f"export-filename:{result};export-do")
        self._on_display(["inkscape", "--with-gui", "--batch-process", f"--actions={actions}", str(document)], timeout,
                         GRADVEC_NO_WINDOW="1")

    def export(self, document: Path, picture: Path, dpi: float = 96) -> None:
        """``document``'s page as a PNG, transparent where nothing is."""
        subprocess.run(["inkscape", str(document), f"--export-filename={picture}", f"--export-dpi={dpi}",
                        "--export-area-page", "--export-background-opacity=0"], env=self.environment(), check=True,
                       timeout=90, stdin=subprocess.DEVNULL, capture_output=True)

    def boxes(self, document: Path) -> dict[str, tuple[float, float, float, float]]:
        """(x, y, width, height) px of every object, as Inkscape sees them."""
        done = subprocess.run(["inkscape", "--query-all", str(document)], env=self.environment(), check=True,
                              timeout=90, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        rows = (line.split(",") for line in done.stdout.splitlines() if line.count(",") == 4)
        return {row[0]: tuple(float(n) for n in row[1:]) for row in rows}

    def stop_engine(self) -> None:
        """Ends the warm engine that the runs left behind."""
        from gradvec.errors import EngineError
        from gradvec.ipc.client import Client

        try:
            with Client.connect(self.directory / "engine", warm=False) as client:
                client.stop()
        except EngineError:
            pass

    def _on_display(self, command: list[str], timeout: float, **more: str) -> None:
        subprocess.run(["timeout", "-k", "5", str(timeout), "dbus-run-session", "--", "xvfb-run", "-a", "-s",
                        "-screen 0 1280x900x24", *command], env=self.environment(**more), check=False,
                       stdin=subprocess.DEVNULL, capture_output=True)


def scenario_arguments(description: str, python: str) -> argparse.ArgumentParser:
    """What every script of scenarios can be told. python: what the interpreter of --python is for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help=python)
    parser.add_argument("--window-manager", action="store_true", help="start openbox; for a bare virtual display")
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
    parser.add_argument("--only", nargs="*", help="names of scenarios, default all", default=[])
    return parser


def prepare_screen(args: argparse.Namespace) -> None:
    """As a script's arguments say: a folder for screenshots, a window manager."""
    if args.shots:
        args.shots.mkdir(parents=True, exist_ok=True)
    if args.window_manager:
        subprocess.Popen(["openbox"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def play_all(play: Any, scenarios: Iterable[Callable], args: argparse.Namespace,
             before: Callable[[], None] = lambda: None) -> dict[str, dict]:
    """What each scenario that was asked for found, by its name; then Inkscape and the engine are gone.

    play: what scenarios are called with: the window's ``driver`` and ``private`` Inkscape. before: done before them.
    """
    try:
        if args.window_manager:  # a pointer over a menu would open it
            subprocess.run(["xdotool", "mousemove", "1270", "600"], check=False)
        before()
        return {scenario.__name__: scenario(play) for scenario in scenarios
                if not args.only or scenario.__name__ in args.only}
    finally:
        play.driver.close()
        play.private.stop_engine()


def played(script: str, shots: str) -> dict:
    """What happened in each scenario of a script beside this file, played on a virtual display of its own."""
    command = ["timeout", "-k", "5", "400", "dbus-run-session", "--", "xvfb-run", "-a", "-s", "-screen 0 1280x900x24",
               "/usr/bin/python3", str(HERE / script), "--python", sys.executable, "--window-manager", "--shots", shots]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"screenshots in {shots}\n{done.stderr[-4000:]}"
    facts: dict = json.loads(done.stdout.splitlines()[-1])
    return facts
