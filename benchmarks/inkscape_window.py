"""How does a real Inkscape window answer with 300, 1,000 and 3,000 of our strokes, and in which structure best?

    dbus-run-session -- xvfb-run -a -s "-screen 0 1280x900x24" /usr/bin/python3 benchmarks/inkscape_window.py \\
        --python .venv/bin/python --window-manager

    ... benchmarks/inkscape_window.py --python .venv/bin/python --window-manager --redraw oil.svg plain.svg

The second line measures how long drawings take to be drawn anew: the page fitted into the window, and then at its own
size, by turns.

For the system's Python with python3-gi and lxml; needs inkscape, xdotool, openbox, and gradvec in --python. Each action
is a real key or click. It counts as answered when Inkscape's main loop, asked every few milliseconds over D-Bus, has
answered promptly and the process has rested for a while. Printed are seconds by the clock until the last slow answer,
and in brackets Inkscape's processor time with all drawing, which other programs on the machine disturb less; both the
best of --repeat.
"""

from __future__ import annotations

import argparse
import base64
import copy
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "tests" / "inkscape")]

import gi  # noqa: E402

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402
from lxml import etree  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
NAME, PATH = "org.inkscape.Inkscape", "/org/inkscape/Inkscape"
#: An answer that takes longer is slow; the window rests when nothing was slow or computed for so long.
SLOW, REST, MOST = 0.03, 0.5, 120.0
#: Share of a core that Inkscape takes at most while it rests and is asked all the time.
BUSY = 0.3
#: What takes longer is not tried again.
LONG = 8.0
TICK = os.sysconf("SC_CLK_TCK")


class Window:
    """One Inkscape with one document, driven by keys and clicks."""

    def __init__(self, document: Path, environment: dict[str, str], log: Path) -> None:
        self._bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(["inkscape", str(document)], env=environment, stdin=subprocess.DEVNULL,
                                             stdout=out, stderr=subprocess.DEVNULL)
        self._shell("xdotool", "search", "--sync", "--onlyvisible", "--name", document.name)
        self._settle(time.monotonic(), least=3.0)
        self._shell("xdotool", "search", "--onlyvisible", "--name", document.name, "windowactivate", "--sync")
        self.key("5")

    def timed(self, action: Callable[[], None]) -> tuple[float, float]:
        """(seconds by the clock, seconds of Inkscape's processor time) until the window rests after ``action``."""
        before, start = self._computed(), time.monotonic()
        action()
        answered = self._settle(start)
        return answered - start, self._computed() - before

    def key(self, *keys: str) -> None:
        """Presses keys and waits until the window rests."""
        self.press(*keys)
        self._settle(time.monotonic())

    @staticmethod
    def press(*keys: str) -> None:
        Window._shell("xdotool", "key", *keys)

    @staticmethod
    def click(x: int, y: int) -> None:
        Window._shell("xdotool", "mousemove", str(x), str(y), "click", "1")

    def selected(self) -> int:
        """How many objects are selected, as Inkscape lists them."""
        before = self._log.stat().st_size
        self._call("org.gtk.Actions", "Activate", GLib.Variant("(sava{sv})", ("select-list", [], {})))
        time.sleep(0.5)
        return len([line for line in self._log.read_bytes()[before:].splitlines() if line.strip()])

    def action(self, name: str, argument: str) -> None:
        self._call("org.gtk.Actions", "Activate",
                   GLib.Variant("(sava{sv})", (name, [GLib.Variant("s", argument)], {})))
        self._settle(time.monotonic())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _settle(self, start: float, least: float = 0.0) -> float:
        """Waits until the window rests; returns when it last answered slowly or computed much, or ``start``."""
        answered, computed, quiet = start, self._computed(), time.monotonic()
        while time.monotonic() - quiet < REST or time.monotonic() - start < least:
            asked = time.monotonic()
            self._call("org.gtk.Actions", "Describe", GLib.Variant("(s)", ("quit",)))
            now = time.monotonic()
            if now - asked > SLOW:
                answered = quiet = now
            elif now - quiet > REST / 2 and self._computed() - computed > BUSY * (now - quiet):
                quiet = now
            if quiet == now:
                computed = self._computed()
            if now - start > MOST:
                raise TimeoutError(f"Inkscape did not come to rest within {MOST:.0f} s")
            time.sleep(0.005)
        return answered

    def _computed(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def _call(self, interface: str, method: str, arguments: GLib.Variant | None) -> None:
        self._bus.call_sync(NAME, PATH, interface, method, arguments, None, Gio.DBusCallFlags.NONE,
                            int(MOST * 1000), None)

    @staticmethod
    def _shell(*command: str) -> None:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)


# -- documents --------------------------------------------------------------------------------------------------------

def painted(private, picture: Path, strokes: int, python: str) -> Path:
    """A document with the picture and its strokes, as the extension inserts them."""
    kind = "jpeg" if picture.suffix.lower() in (".jpg", ".jpeg") else picture.suffix[1:].lower()
    plain, result = private.directory / "plain.svg", private.directory / f"ours-{strokes}.svg"
    data = base64.b64encode(picture.read_bytes()).decode()
    plain.write_text(f'<svg xmlns="{SVG[1:-1]}" xmlns:xlink="{XLINK[1:-1]}" width="600" height="600" viewBox="0 0 600 '
                     f'600"><image id="photo" width="600" height="600" xlink:href="data:image/{kind};base64,{data}"/>'
                     '</svg>', "utf-8")
    extensions = subprocess.run(["inkscape", "--system-data-directory"], capture_output=True, text=True, check=True,
                                stdin=subprocess.DEVNULL).stdout.split()[-1] + "/extensions"
    environment = {k: v for k, v in private.environment(GRADVEC_NO_WINDOW="1", PYTHONPATH=extensions).items()
                   if k not in ("GRADVEC_ENGINE_JOBS", "GRADVEC_ENGINE_PATH")}
    script = private.extension / "inkscape_ext" / "main.py"
    done = subprocess.run([sys.executable, str(script), "--command=paint", "--id=photo", f"--strokes={strokes}",
                           "--size=384", "--fidelity=0.3", "--host_hide_picture=true", str(plain)],
                          capture_output=True, check=True, stdin=subprocess.DEVNULL, timeout=900,
                          cwd=str(script.parent), env=environment)
    result.write_bytes(done.stdout)
    return result


def rebuilt(document: Path, structure: str) -> Path:
    """The same drawing in another structure: see STRUCTURES."""
    tree = etree.parse(str(document), etree.XMLParser(huge_tree=True))
    gradients = {e.get("id"): e for e in tree.iter(SVG + "linearGradient")}
    paths = [path for path in tree.iter(SVG + "path") if path.get("fill")]
    STRUCTURES[structure][1](tree, gradients, paths)
    result = document.with_name(f"{structure}-{document.name}")
    tree.write(str(result))
    return result


def _flat(_tree, gradients, paths) -> None:
    for path in paths:
        gradient = gradients.get(path.get("fill")[5:-1])
        if gradient is not None:
            path.set("fill", gradient[0].get("stop-color"))
            gradient.getparent().remove(gradient)


def _shared(_tree, gradients, _paths) -> None:
    """Stops in a gradient of their own, as Inkscape's gradient tool writes them."""
    for name, gradient in gradients.items():
        stops = copy.deepcopy(gradient)
        for key in ("x1", "y1", "x2", "y2", "gradientUnits"):
            stops.attrib.pop(key, None)
        stops.set("id", name + "-stops")
        gradient.addprevious(stops)
        for stop in list(gradient):
            gradient.remove(stop)
        gradient.set(XLINK + "href", f"#{name}-stops")


def _grouped(_tree, _gradients, paths) -> None:
    for path in paths:
        group = etree.Element(SVG + "g")
        path.addprevious(group)
        group.append(path)


def _one_layer(_tree, _gradients, paths) -> None:
    layers = list(dict.fromkeys(path.getparent() for path in paths))
    for path in paths:
        layers[0].append(path)
    for layer in layers[1:]:
        layer.getparent().remove(layer)


#: What else could have been inserted.
STRUCTURES = {"ours": ("as inserted", lambda *_: None), "flat": ("flat colours", _flat),
              "shared": ("stops shared by href", _shared), "grouped": ("a group around each stroke", _grouped),
              "one-layer": ("one layer", _one_layer)}


# -- actions ----------------------------------------------------------------------------------------------------------

def measured(window: Window, strokes: int, repeat: int, shots: Path | None) -> dict[str, tuple[float, float]]:
    """Best seconds of each action."""
    found: dict[str, tuple[float, float]] = {}

    def best(name: str, action: Callable[[], None], before: Callable[[], None] = lambda: None) -> None:
        times = []
        for _turn in range(repeat):
            before()
            times.append(window.timed(action))
            if times[-1][0] > LONG:
                break
        found[name] = min(t[0] for t in times), min(t[1] for t in times)

    def count(least: float, most: float) -> None:
        if not least <= window.selected() <= most:
            raise RuntimeError(f"{window.selected()} objects are selected, expected {least:.0f} to {most:.0f}")

    window.key("s")
    best("click on a stroke", lambda: window.click(640, 430), lambda: window.key("Escape"))
    count(1, 1)
    best("move it by a key", lambda: window.press("Right"))
    best("select all", lambda: window.press("ctrl+alt+a"), lambda: window.key("Escape"))
    count(0.85 * strokes, strokes + 5)  # strokes that nobody would see are left out when painting
    best("move all", lambda: window.press("Right"))
    window.key("Escape")
    window.action("select-by-id", "gv1-layer")
    best("move the layer", lambda: window.press("Right"))
    window.key("Escape", "g")
    best("gradient tool: click on a stroke", lambda: window.click(640, 430), lambda: window.key("Escape"))
    window.key("s", "Escape", "ctrl+alt+a")
    best("gradient tool: all selected", lambda: window.press("g"), lambda: window.key("s"))
    window.key("s", "Escape")
    if shots:
        subprocess.run(["import", "-window", "root", str(shots / f"{strokes}.png")], check=False, timeout=30)
    return found


def redrawn(window: Window, repeat: int) -> dict[str, tuple[float, float]]:
    """Best seconds of drawing the whole page fitted into the window, and at its own size."""
    times: dict[str, list[tuple[float, float]]] = {"its own size": [], "fitted": []}
    window.key("s")
    for _turn in range(repeat):
        for name, key in (("its own size", "1"), ("fitted", "5")):
            times[name].append(window.timed(lambda key=key: window.press(key)))  # type: ignore[misc]
    return {name: (min(t[0] for t in found), min(t[1] for t in found)) for name, found in times.items()}


def table(rows: list[tuple[str, dict[str, tuple[float, float]]]]) -> str:
    names = list(rows[0][1])
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for title, row in rows:
        cells = (f"{wall:.2f} s ({cpu:.2f})" if wall else f"at once ({cpu:.2f})" for wall, cpu in row.values())
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    from inkscape import Inkscape

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="runs the engine")
    parser.add_argument("--picture", type=Path, default=ROOT / "examples" / "astronaut.jpg")
    parser.add_argument("--strokes", type=int, nargs="*", default=[300, 1000, 3000])
    parser.add_argument("--structures", nargs="*", choices=sorted(STRUCTURES), default=["ours"])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="folder for the documents; what is there already is not painted anew")
    parser.add_argument("--redraw", type=Path, nargs="+", default=[], help="drawings that are only drawn anew")
    parser.add_argument("--window-manager", action="store_true", help="start openbox; for a bare virtual display")
    args = parser.parse_args()
    if args.window_manager:
        subprocess.Popen(["openbox"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    version = subprocess.run(["inkscape", "--version"], capture_output=True, text=True, check=True).stdout.split("(")[0]
    print(f"{version.strip()}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, best of "
          f"{args.repeat}: clock (processor)\n")
    with tempfile.TemporaryDirectory(prefix="gradvec-window-") as folder:
        private = Inkscape(args.keep.resolve() if args.keep else Path(folder), args.python)
        private.set_parameters()
        rows = []
        for drawing in args.redraw:
            window = Window(drawing.resolve(), private.environment(), private.directory / "said.txt")
            try:
                rows.append((drawing.name, redrawn(window, args.repeat)))
                print("   ", rows[-1], file=sys.stderr, flush=True)
            finally:
                window.close()
        for strokes in () if args.redraw else args.strokes:
            document = private.directory / f"ours-{strokes}.svg"
            if not document.exists():
                document = painted(private, args.picture, strokes, args.python)
            for structure in args.structures:
                window = Window(rebuilt(document, structure), private.environment(), private.directory / "said.txt")
                try:
                    found = measured(window, strokes, args.repeat, args.keep)
                    rows.append((f"{strokes}, {STRUCTURES[structure][0]}", found))
                    print("   ", rows[-1], file=sys.stderr, flush=True)
                finally:
                    window.close()
        private.stop_engine()
    print(table(rows))


if __name__ == "__main__":
    main()
