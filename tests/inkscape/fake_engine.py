"""A stand-in for the engine: draws the four quarters of the picture in its own colours, at once.

The seed of the options chooses a scenario: see the names below. For tests to look at, a detail map is left in
$GRADVEC_STATE_DIR's neighbour ``detail-map.png``, and what was asked for in ``asked.jsonl``, a line a job. Runs in the
engine's Python, through $GRADVEC_ENGINE_JOBS=fake_engine:run_job and $GRADVEC_ENGINE_PATH.
"""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

from gradvec.errors import EngineError, InputError

CANVAS = 64
SUCCESS, SLOW, FAILING, DYING, DEAF, REFUSING = range(6)


def run_job(kind, options, payloads, info, run):
    if kind in ("animate", "export"):  # quick enough to be what they are
        from gradvec import jobs

        return jobs.run_job(kind, options, payloads, info, run)
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(payloads["picture"])) as stored:
        picture = ImageOps.exif_transpose(stored).convert("RGB")
    scenario = options["seed"]
    if "detail-map" in payloads:
        Path(os.environ["GRADVEC_STATE_DIR"]).with_name("detail-map.png").write_bytes(payloads["detail-map"])
    with Path(os.environ["GRADVEC_STATE_DIR"]).with_name("asked.jsonl").open("a") as file:
        file.write(json.dumps({"kind": kind, "options": options, "info": info, "payloads": sorted(payloads)}) + "\n")
    if scenario == REFUSING:
        raise InputError("The picture is not to the fake engine's taste.", "Choose another one.")
    with run.stage("Painting shapes", 0.0, 1.0):
        run.step(0.25)
        run.preview(lambda: _pixels(picture.resize((48, round(48 * picture.height / picture.width)))))
        if scenario == FAILING:
            raise EngineError("The fake engine failed, as it was told to.", "Ask for another seed.")
        if scenario == DYING:
            os._exit(7)
        if scenario in (SLOW, DEAF):
            _take_time(run, 20.0, deaf=scenario == DEAF)
        run.step(1.0)
    answer = {"svg": drawing(picture, options, kind, "kept" if run.keep else "whole")}
    if kind == "draft":
        answer["png"] = _part(picture, info.get("crop"))
    return answer, {"kept": run.keep}


def _part(picture, crop) -> bytes:
    """A PNG of a part of the picture."""
    left, top, width, height = crop or (0, 0, 1, 1)
    box = (left * picture.width, top * picture.height, (left + width) * picture.width, (top + height) * picture.height)
    file = io.BytesIO()
    picture.crop(tuple(map(round, box))).save(file, "PNG")
    return file.getvalue()


def _take_time(run, seconds: float, deaf: bool) -> None:
    """Works for ``seconds``, a step each twentieth of one; deaf: without ever looking whether it should stop."""
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds and (deaf or not run.keep):
        time.sleep(0.05)
        if not deaf:
            run.step(0.25 + 0.7 * passed / seconds)


def _pixels(picture):
    import numpy as np

    return np.asarray(picture)


def drawing(picture, options, kind: str, how: str) -> bytes:
    """The engine's kind of SVG: its longest side is CANVAS px, one path a quarter, in two layers."""
    scale = CANVAS / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    paths = []
    for index, (column, row) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        middle = picture.width * (1 + 2 * column) // 4, picture.height * (1 + 2 * row) // 4
        red, green, blue = picture.getpixel(middle)
        left, top, right, bottom = (column * width / 2, row * height / 2, (column + 1) * width / 2,
                                    (row + 1) * height / 2)
        gradient = f"s{index}-fill"
        paths.append((
            f'<linearGradient id="{gradient}" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
            f' inkscape:collect="always" gradientUnits="userSpaceOnUse" x1="{left}" y1="{top}" x2="{right}"'
            f' y2="{bottom}"><stop offset="0" stop-color="#{red:02x}{green:02x}{blue:02x}"/>'
            f'<stop offset="1" stop-color="#{red:02x}{green:02x}{blue:02x}"/></linearGradient>',
            f'<path id="s{index}" d="M{left} {top}C{right} {top} {right} {top} {right} {top}L{right} {bottom}'
            f'L{left} {bottom}Z" fill="url(#{gradient})"/>'))
    meta = {"options": options, "job": kind, "source_width": picture.width,
            "source_height": picture.height, "how": how}
    definitions = "".join(gradient for gradient, _path in paths)
    layers = "".join(
        f'<g inkscape:groupmode="layer" inkscape:label="{label}" id="gradvec-{key}">{"".join(p for _g, p in part)}</g>'
        for label, key, part in (("1 shapes", "size-1", paths[:2]), ("2 details", "size-2", paths[2:])))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
            f' xmlns:gradvec="urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}"><metadata gradvec:run={quoteattr(json.dumps(meta))}/>'
            f"<defs>{definitions}</defs>{layers}</svg>").encode()
