"""An SVG as pixels, by resvg in a process of its own: whatever is in the file, this process stays whole.

Links lead nowhere: elements that show another file are left out, as Inkscape's linked pictures beside a painting are.
"""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
from lxml import etree
from PIL import Image

from ..errors import Cancelled, EngineError, InputError
from ..io.decode import translated
from ..io.svg.read import parse, size_of

#: Elements inside each other; resvg overflows its stack not far above.
DEPTH_MAX = 200
#: Processor time and time that rendering may take, s, and memory beside the pictures, bytes.
SECONDS_MAX, MEMORY_BYTES = 60, 2**30
#: Bytes of memory a px of the result: what resvg and the encoder of PNG hold.
_BYTES_A_PX = 24
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
#: By exit code; what the limits or a crash end with is the drawing's fault.
_ENDED_BY = {-getattr(signal, name): name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
_REMEDY = "Choose an SVG that opens in a browser."


def render_svg(svg: bytes, width: int, height: int, background: str = "#ffffff") -> np.ndarray:
    """``svg`` as resvg shows it, stretched to (height, width, 3) uint8.

    Raises:
        InputError: resvg cannot render it, or not within the limits of this module. Cancelled: Ctrl-C ended it.
        EngineError: something else did from outside, or it cannot be started.
    """
    root = parse(svg)
    _check_depth(root)
    without_links(root)
    if not root.get("viewBox"):
        root.set("viewBox", "0 0 {} {}".format(*size_of(root)))
    for name, value in (("width", str(width)), ("height", str(height)), ("preserveAspectRatio", "none")):
        root.set(name, value)
    png = _rendered(etree.tostring(root), background, MEMORY_BYTES + width * height * _BYTES_A_PX)
    with translated("What the renderer made of the SVG"):
        picture = Image.open(io.BytesIO(png), formats=["PNG"])
        if picture.size != (width, height):
            raise InputError(f"The SVG was rendered at {picture.size}, not at {(width, height)}.", _REMEDY)
        return np.asarray(picture.convert("RGB"))


def _check_depth(root: etree._Element) -> None:
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MAX:
            raise InputError(f"The SVG has more than {DEPTH_MAX} elements inside each other, down to line "
                             f"{element.sourceline}.", "Ungroup what is in it.")


def without_links(root: etree._Element) -> None:
    """Takes out what shows other files; links inside the document and embedded pictures stay."""
    for element in list(root.iter(etree.Element)):
        targets = [element.get(name, "").strip() for name in _HREFS]
        if element is not root and any(t and not t.startswith(("#", "data:")) for t in targets):
            if etree.QName(element).localname == "a":
                for name in _HREFS:
                    element.attrib.pop(name, None)
            elif element.getparent() is not None:
                element.getparent().remove(element)


def _rendered(svg: bytes, background: str, memory_bytes: int) -> bytes:
    wanted = json.dumps({"background": background, "memory_bytes": memory_bytes, "seconds": SECONDS_MAX})
    try:
        done = subprocess.run([sys.executable, "-I", str(Path(__file__).with_name("render_child.py")), wanted],
                              input=svg, capture_output=True, timeout=2 * SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"The SVG cannot be rendered within {2 * SECONDS_MAX} s.", _REMEDY) from error
    except OSError as error:
        raise EngineError(f"A process for rendering cannot be started: {error.strerror or error}.") from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == 3:
        raise InputError(f"The SVG cannot be rendered: {done.stderr.decode('utf-8', 'replace')}.", _REMEDY)
    ended = _ENDED_BY.get(done.returncode)
    if ended == "SIGINT":  # Ctrl-C goes to every process of a terminal, and to this one as well
        raise Cancelled()
    if ended:
        raise EngineError(f"The process that renders was ended from outside ({ended}).", "Run the command again.")
    raise InputError("The SVG cannot be rendered: the renderer failed on it, or it takes more than "
                     f"{memory_bytes / 1e9:.1f} GB of memory or {SECONDS_MAX} s.", _REMEDY)
