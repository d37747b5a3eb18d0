"""Makes the picture at the top of the README: a photograph, the same in strokes, and a detail with its paths drawn.

usage: python scripts/before_and_after.py PICTURE SVG OUT.jpg [LEFT TOP SIDE]

LEFT TOP SIDE: the detail, px of the SVG.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from lxml import etree
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.compare import both, render_svg  # noqa: E402
from gradvec.svg import read  # noqa: E402
from gradvec.svg.path import path_data  # noqa: E402
from gradvec.svg.read import parse, size_of  # noqa: E402
from gradvec.svg.write import SVG  # noqa: E402

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
    if len(sys.argv) not in (4, 7):
        print(__doc__, file=sys.stderr)
        return 2
    picture, svg = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()
    wanted, got = both(svg, picture)
    height = got.shape[0]
    width, tall = size_of(parse(svg))
    left, top, side = map(float, sys.argv[4:7] or (width * 0.35, tall * 0.1, min(width, tall) * 0.35))
    gap = np.full((height, GAP, 3), 255, np.uint8)
    row = [wanted, gap, got, gap, detail(svg, left, top, side, height)]
    Image.fromarray(np.concatenate(row, 1)).save(sys.argv[3], quality=88, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
