"""Documents in which a picture was painted and then edited, and the commands that edit them, as Inkscape runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import inkex
from documents import DRAWING, load
from gradvec.tools.install import install_extension
from inkex import Transform
from lxml import etree

from inkscape_ext.document import layers, pictures
from inkscape_ext.document.placement import to_root

HERE = Path(__file__).resolve().parent
SVG = "{http://www.w3.org/2000/svg}"
G = "{urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869}"
LABEL = "{http://www.inkscape.org/namespaces/inkscape}label"
#: The picture is 40 x 20 px and lies at (10, 20) in units of 2 px; its strokes are gv1-s1 (all of it) and gv1-s2.
PICTURE = '<image id="a" x="10" y="20" width="20" height="10" xlink:href="{png}"/>'


def painted(body: str = PICTURE, seed: int = 7, **wishes):
    """A document whose picture ``a`` was painted."""
    svg = load(body)
    drawing = DRAWING.replace(b'"seed":7', b'"seed":%d' % seed)
    placer = layers.Placer(svg, layers.Wishes(**wishes))
    placer.place(layers.NewDrawing(pictures.selected(svg, ["a"])[0], "photo.png", (40, 20), drawing))
    return svg


def find(svg, identifier: str):
    """The element of this id, None where there is none."""
    return next((element for element in svg.iter() if element.get("id") == identifier), None)


def ids(svg, tag: str = "path") -> list:
    return [element.get("id") for element in svg.iter(SVG + tag)]


def corners(element) -> list:
    """Points of a path in root units; curves give their control points too."""
    matrix = to_root(element)
    words = element.get("d")
    for letter in "MLCZz,":
        words = words.replace(letter, " ")
    numbers = [float(word) for word in words.split()]
    return [tuple(Transform(matrix).apply_to_point(point)) for point in zip(numbers[::2], numbers[1::2], strict=True)]


def gradient(svg, element):
    """The gradient that fills ``element``."""
    style = element.get("style") or ""
    fill = element.get("fill") or next(r.split(":")[1] for r in style.split(";") if r.startswith("fill:"))
    return find(svg, fill[5:-1])


class Editing:
    """The installed extension, with the still editor for an engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.installed = install_extension(folder / "extensions", sys.executable)
        extra = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        unwanted = ("DOCUMENT_PATH", "DBUS_SESSION_BUS_ADDRESS")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in unwanted},
            "PYTHONPATH": os.pathsep.join([str(Path(inkex.__file__).parent.parent), *extra]),
            "GRADVEC_STATE_DIR": str(folder / "engine"), "XDG_STATE_HOME": str(folder / "state"),
            "GRADVEC_ENGINE_JOBS": "still_editor:run_job", "GRADVEC_ENGINE_PATH": str(HERE),
            "GRADVEC_NO_WINDOW": "1", "LANGUAGE": "en", "LC_ALL": "C.UTF-8"}

    def run(self, command: str, svg, *arguments: str, **environment: str):
        """(document, sentences); the document is None where it was left untouched.

        Inkscape takes no output for an untouched document, so the script writes none.
        """
        before = etree.tostring(svg.getroottree())
        done = self._started(command, before, *arguments, **environment)
        changed = done.stdout and etree.tostring(etree.fromstring(done.stdout)) != etree.tostring(
            etree.fromstring(before))
        return (inkex.load_svg(done.stdout).getroot() if changed else None), done.stderr.decode()

    def output(self, command: str, svg, *arguments: str) -> bytes:
        """What the script writes for Inkscape, empty where it leaves the document alone."""
        return self._started(command, etree.tostring(svg.getroottree()), *filter(None, arguments)).stdout

    def _started(self, command: str, document: bytes, *arguments: str, **environment: str):
        path = self.folder / "document.svg"
        path.write_bytes(document)
        return subprocess.run([sys.executable, str(self.installed / "inkscape_ext" / "main.py"),
                               f"--command={command}", *arguments, str(path)], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, env={**self.environment, **environment},
                              cwd=str(self.installed / "inkscape_ext"), check=False)

    def asked(self) -> dict:
        """What the last job was asked: kind, options, info, and its payloads as XML by name."""
        folder = self.folder / "asked"
        found = json.loads((folder / "job.json").read_text())
        for name in ("svg", "region"):
            if (folder / name).exists():
                found[name] = etree.fromstring((folder / name).read_bytes())
        return found
