"""From finished shapes to a document with everything that it takes to run it again, and the figures of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from ..model import Document, Layer, SolidColor, Target
from ..options import Options

if TYPE_CHECKING:
    from ..stages.lines.draw import DrawReport
    from ..stages.refine import RefineReport
    from ..stages.vectorize.build import BuildReport

    Refined = RefineReport | BuildReport | DrawReport

#: What of the refinement's report a document remembers.
REMEMBERED = ("dropped", "reseeded", "replaced")


@dataclass(frozen=True)
class Report:
    """Figures of a run.

    paths, gradients, segments: of the document without its underpainting. psnr: dB on white, by our own engine.
    seconds: per stage. refined: what the refinement says of itself.
    """

    paths: int
    gradients: int
    segments: int
    psnr: float
    seconds: dict[str, float]
    refined: Refined | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON types."""
        return asdict(self)


def run_record(job: str, options: Options, target: Target, name: str, source: Path | bytes | None,
               refined: Refined, schedule: Sequence[int] | None = None,
               style: Path | bytes | None = None) -> dict[str, Any]:
    """Settings, seed and where it came from: enough to run it again; and how many shapes the refinement left out
    because nobody sees them (dropped) or put elsewhere (reseeded, replaced).

    name: what the picture is called; empty: as its file.
    """
    name = name or (source.name if isinstance(source, Path) else "")
    meta: dict[str, Any] = {"job": job, "version": __version__, "options": options.to_dict(), "name": name,
                            "source_width": target.source_size[0], "source_height": target.source_size[1],
                            "width": target.width, "height": target.height}
    meta["refined"] = {key: getattr(refined, key) for key in REMEMBERED if hasattr(refined, key)}
    for key, origin in (("source_sha256", source), ("style_sha256", style)):
        if origin is not None:
            data = origin.read_bytes() if isinstance(origin, Path) else origin
            meta[key] = hashlib.sha256(data).hexdigest()
    if schedule is not None:
        meta["schedule"] = list(schedule)
    return meta


def report(document: Document, ground: Layer | None, predicted: np.ndarray, target: Target,
           seconds: dict[str, float], refined: Refined) -> Report:
    """Figures of a finished document; ``ground`` is the layer that counts as no stroke."""
    shapes, lines = [s for layer in document.layers if layer is not ground for s in layer.shapes], document.lines
    return Report(len(shapes) + len(lines), sum(not isinstance(s.fill, SolidColor) for s in shapes),
                  sum(s.outline.segments for s in shapes) + sum(line.segments for line in lines),
                  _psnr(predicted, target), seconds, refined)


def _psnr(predicted: np.ndarray, target: Target) -> float:
    """dB between what is shown and the picture on white."""
    from ..render.predict import strips

    squared = sum(float(np.square(predicted[rows] - _on_white(target, rows)).sum(dtype=np.float64))
                  for rows in strips(target.width, target.height))
    return round(-10 * float(np.log10(max(squared / predicted.size, 1e-12))), 2)


def _on_white(target: Target, rows: slice) -> np.ndarray:
    alpha = target.alpha[rows][..., None]
    return target.rgb[rows] * alpha + (1 - alpha)
