"""Editing jobs that answer at once with results that tests can foresee: see :func:`run_job`.

Every job's payloads and words lie afterwards in $GRADVEC_STATE_DIR's neighbour ``asked``, for tests to look at.
"""

import json
import os
import re
import struct
from pathlib import Path

from gradvec.errors import EngineError
from lxml import etree

SVG = "{http://www.w3.org/2000/svg}"
PLAIN, FAILING, DROPPING, GARBAGE = 7, 2, 5, 4
ASKED = Path(os.environ.get("GRADVEC_STATE_DIR", ".")).parent / "asked"
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")


def run_job(kind, options, payloads, info, run):
    """refine: red paths 1 px to the right. repaint: squares in place of what has all its points in the area's box.

    refit: red to blue, left to right. add-detail: squares along the top. trace: the whole raster, green to black.
    animate, export: a file of some words.
    """
    ASKED.mkdir(exist_ok=True)
    for left_over in ASKED.iterdir():
        left_over.unlink()
    for name, data in payloads.items():
        (ASKED / name).write_bytes(data)
    (ASKED / "job.json").write_text(json.dumps({"kind": kind, "options": options, "info": info}))
    if options.get("seed") == FAILING:
        raise EngineError("The still editor failed.", "Try another seed.")
    with run.stage("Refining", 0.0, 1.0):
        run.step(0.5)
    if options.get("seed") == GARBAGE:
        return {"svg": b"garbage"}, {}
    if kind in ("animate", "export"):
        return {"file": b"what the engine made"}, {
            "notes": ["The still editor says something."] if kind == "export" else []}
    body, facts = JOBS[kind](options, payloads, info)
    return {"svg": body if isinstance(body, bytes) else document("".join(body))}, facts


def document(body: str) -> bytes:
    return (f'<svg xmlns="{SVG[1:-1]}" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" width="40" '
            f'height="20" viewBox="0 0 40 20">{body}</svg>').encode()


def paths(payloads, name="svg"):
    return list(etree.fromstring(payloads[name]).iter(SVG + "path"))


def box(path):
    numbers = [float(n) for n in _NUMBER.findall(path.get("d"))]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def square(name: str, left: float, top: float, right: float, bottom: float, start: str, end: str) -> str:
    return (f'<linearGradient id="{name}-fill" inkscape:collect="always" gradientUnits="userSpaceOnUse" x1="{left}" '
            f'y1="{top}" x2="{right}" y2="{top}"><stop offset="0" stop-color="{start}"/><stop offset="1" '
            f'stop-color="{end}"/></linearGradient><path id="{name}" inkscape:label="{name}" fill="url(#{name}-fill)" '
            f'd="M{left} {top}L{right} {top}L{right} {bottom}L{left} {bottom}z"/>')


def refine(options, payloads, info):
    chosen = [path for path in paths(payloads) if path.get("id") in info["selected"]]
    dropped = [chosen.pop().get("id")] if options["seed"] == DROPPING else []
    moved = []
    for path in chosen:
        numbers = iter(range(10 ** 6))
        data = _NUMBER.sub(lambda m, n=numbers: str(float(m[0]) + (next(n) % 2 == 0)), path.get("d"))
        opacity = path.get("fill-opacity")
        extra = f' fill-opacity="{opacity}"' if opacity else ""
        moved.append(f'<path id="{path.get("id")}" d="{data}" fill="#ff0000"{extra}/>')
    return moved, {"dropped": dropped}


def repaint(options, payloads, info):
    (region,) = paths(payloads, "region")
    left, top, right, bottom = box(region)
    going = [path.get("id") for path in paths(payloads) if box(path)[0] >= left and box(path)[1] >= top
             and box(path)[2] <= right and box(path)[3] <= bottom]
    new = [square(f"stroke-{n + 1:04d}", left, top, right, bottom, "#ffff00", "#ff00ff")
           for n in range(options["strokes"])]
    return new, {"removed": going, "above": going[-1] if going else None}


def refit(options, payloads, info):
    return [square(path.get("id"), *box(path), "#ff0000", "#0000ff") for path in paths(payloads)], {}


def add_detail(options, payloads, info):
    return [square(f"stroke-{n + 1:04d}", n, 0, n + 1, 1, "#00ffff", "#ffffff") for n in range(options["strokes"])], {}


def trace(options, payloads, info):
    answer, of = [], {}
    for n, (name, data) in enumerate(sorted(payloads.items())):
        if data.startswith(b"\x89PNG"):
            width, height = struct.unpack(">II", data[16:24])
            answer.append(square(f"stroke-{n + 1:04d}", 0, 0, width, height, "#00ff00", "#000000"))
            of[f"stroke-{n + 1:04d}"] = name
    return answer, {"of": of}


def paint(options, payloads, info):
    from documents import DRAWING

    stored = {"options": options, "job": "paint", "source_width": 40, "source_height": 20}
    if "detail-map" in payloads:  # as the real engine does
        stored["options"] = {**options, "detail": options["detail"] or 0.75}
    return re.sub(rb"\{.*\}", json.dumps(stored).encode(), DRAWING, count=1), {}


def vectorize(options, payloads, info):
    from documents import DRAWING

    stored = {"options": options, "job": "vectorize", "schedule": [1, 1], "source_width": 40, "source_height": 20}
    return re.sub(rb"\{.*\}", json.dumps(stored).encode(), DRAWING, count=1), {}


def lines(options, payloads, info):
    """Two open paths, one across and one down."""
    pen = 'fill="none" stroke="#102030" stroke-width="2" stroke-linecap="round"'
    return [f'<path id="s1" d="M0 10L40 10" {pen}/><path id="s2" d="M20 0L20 20" {pen}/>'], {}


JOBS = {"refine": refine, "repaint": repaint, "refit": refit, "add-detail": add_detail, "trace": trace, "paint": paint,
        "vectorize": vectorize, "lines": lines}
