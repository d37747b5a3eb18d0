"""Makes the picture at the top of the README: a photograph, the same in strokes, and a detail with its paths drawn."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from lxml import etree
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.io.svg import read  # noqa: E402
from gradvec.io.svg.path import path_data  # noqa: E402
from gradvec.io.svg.read import parse  # noqa: E402
from gradvec.io.svg.write import SVG  # noqa: E402
from gradvec.tools.compare import both, render_svg  # noqa: E402

GAP = 8
#: How many outlines are drawn over the detail, from the top; all of them would hide the picture.
OUTLINES = 14


def detail(svg: bytes, left: float, top: float, side: float, pixels: int) -> np.ndarray:
    """(pixels, pixels, 3) uint8: a square of the SVG, enlarged, some strokes drawn as Inkscape shows selected paths."""
    root = parse(svg)
    root.set("viewBox", f"{left} {top} {side} {side}")
    shown = [s for s in read(svg).shapes if _fits(s.outline.bounds(), left, top, side)]
    for shape in shown[-OUTLINES:]:
        for width, color in ((side / 110, "#ffffff"), (side / 260, "#2a5bd7")):
            etree.SubElement(root, f"{{{SVG}}}path", d=path_data(shape.outline), fill="none", stroke=color,
                             attrib={"stroke-width": f"{width:.3f}"})
        half = side / 130
        for x, y in np.concatenate([loop[::3] for loop in shape.outline.loops]):
            etree.SubElement(root, f"{{{SVG}}}path", fill="#ffffff", stroke="#2a5bd7",
                             d=f"M{x - half:.2f} {y - half:.2f}h{2 * half:.2f}v{2 * half:.2f}h{-2 * half:.2f}z",
                             attrib={"stroke-width": f"{side / 260:.3f}"})
    return render_svg(etree.tostring(root), pixels, pixels)


def _fits(box: tuple[float, float, float, float], left: float, top: float, side: float) -> bool:
    """Whether a shape lies inside the detail and is neither a speck nor as large as all of it."""
    size = max(box[2] - box[0], box[3] - box[1])
    inside = left < box[0] and top < box[1] and box[2] < left + side and box[3] < top + side
    return inside and 0.12 * side < size < 0.6 * side


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("picture", type=Path)
    cli.add_argument("svg", type=Path, nargs="+", help="results; the detail is cut out of the last one")
    cli.add_argument("--output", type=Path, required=True, help="the JPEG to write")
    cli.add_argument("--detail", type=float, nargs=3, metavar=("LEFT", "TOP", "SIDE"), required=True,
                     help="where the detail is, px of the SVG")
    args = cli.parse_args()
    results = [path.read_bytes() for path in args.svg]
    pictures = [both(svg, args.picture) for svg in results]
    height = pictures[0][0].shape[0]
    row = [pictures[0][0], *(got for _, got in pictures), detail(results[-1], *args.detail, height)]
    gap = np.full((height, GAP, 3), 255, np.uint8)
    joined = np.concatenate([part for panel in row for part in (panel, gap)][:-1], 1)
    Image.fromarray(joined).save(args.output, quality=88, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
