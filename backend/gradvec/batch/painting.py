"""One picture of many, painted wherever there is room: bytes or a path in, the drawing's bytes and its figures out."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..progress import Run

#: Longest side of each half of a contact sheet's picture, px, and the quality of its JPEG.
THUMB_PX, THUMB_QUALITY = 240, 82


@dataclass(frozen=True)
class ToPaint:
    """source: the picture's bytes, or its path where whoever paints can read it. name: what it is called. job: its job
    in gradvec.jobs. options: by name. payloads: what else the job takes. thumb: whether a small picture is wanted."""

    source: bytes | str
    name: str
    job: str
    options: dict[str, Any]
    payloads: dict[str, bytes] = field(default_factory=dict)
    thumb: bool = True


@dataclass(frozen=True)
class Painted:
    """svg: the drawing. figures: of it. sha256, size (bytes): of the picture's file. thumb: JPEG of picture and drawing
    side by side; empty where none was wanted."""

    svg: bytes
    figures: dict[str, Any]
    sha256: str
    size: int
    thumb: bytes = b""


def paint_one(item: ToPaint, run: Run) -> Painted:
    """Paints one picture. Raises GradvecError as gradvec.jobs.run_job, and InputError where it cannot be read."""
    from ..io.files import read_file
    from ..jobs import run_job

    data = item.source if isinstance(item.source, bytes) else read_file(Path(item.source), repr(item.name))
    answer, facts = run_job(item.job, item.options, {"picture": data, **item.payloads},
                            {"name": item.name, "relative": True}, run)
    svg = answer["svg"]
    figures = {name: facts[name] for name in ("width", "height", "paths", "gradients", "segments", "psnr")}
    figures["svg_bytes"] = len(svg)
    return Painted(svg, figures, hashlib.sha256(data).hexdigest(), len(data),
                   thumb_of(data, svg, facts["width"], facts["height"]) if item.thumb else b"")


def thumb_of(picture: bytes, svg: bytes, width: int, height: int) -> bytes:
    """A JPEG with the picture, on white, on the left and the drawing, of width x height px, on the right."""
    from PIL import Image

    from ..io.images import load
    from ..tools.render_svg import render_svg

    scale = min(1.0, THUMB_PX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    target = load(picture, max(size))
    alpha = target.alpha[..., None]
    seen = Image.fromarray(np.rint((target.rgb * alpha + 1 - alpha) * 255).astype(np.uint8))
    both = Image.new("RGB", (2 * size[0] + 4, size[1]), "white")
    both.paste(seen.resize(size), (0, 0))
    both.paste(Image.fromarray(render_svg(svg, *size)), (size[0] + 4, 0))
    buffer = io.BytesIO()
    both.save(buffer, "JPEG", quality=THUMB_QUALITY)
    return buffer.getvalue()
