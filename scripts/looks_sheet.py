"""Paints two pictures in every look, and makes of them the sheets and the figures of docs/looks.md.

    python scripts/looks_sheet.py --work out/looks --output docs

An SVG that is in the work folder already is not painted again.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

import numpy as np
from lxml import etree
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.geometry.inside import polygons  # noqa: E402
from gradvec.io.svg import read, write  # noqa: E402
from gradvec.io.svg.read import parse  # noqa: E402
from gradvec.io.svg.write import SVG  # noqa: E402
from gradvec.looks import LOOKS, Look, look_of  # noqa: E402
from gradvec.model import Line, Shape, SolidColor  # noqa: E402
from gradvec.options import Options  # noqa: E402
from gradvec.pipeline import paint_picture  # noqa: E402
from gradvec.tools.compare import both, psnr, render_svg  # noqa: E402

#: Pictures of the sheets and where their enlarged detail begins, shares of width and height.
PICTURES = (("astronaut", 0.27, 0.02), ("coffee", 0.30, 0.42))
SIZE, SHARE = 256, 0.4
TILE, ENLARGED, LABEL, GAP = 288, 4, 22, 6
#: Brushes whose strokes are sweeps, which bend.
SWEPT = ("marker", "watercolor")
#: Pictures of the menu: side and columns; words that can be read on a light and on a dark dialog.
SMALL, COLUMNS, WORDS = 84, 6, (128, 128, 128, 255)


def paint(look: Look, picture: Path, target: Path) -> bytes:
    """The SVG of a picture in a look, painted with a share of the look's strokes on a smaller picture."""
    if not target.exists():
        strokes = look.options.get("strokes", 500)
        strokes = strokes if look.job == "vectorize" else round(SHARE * strokes)
        options = Options.for_job("paint", {"look": look.name, "size": SIZE, "strokes": strokes})
        target.write_bytes(write(paint_picture(picture, options).document, relative=True))
    return target.read_bytes()


def enlarged(svg: bytes, left: float, top: float, side: float, pixels: int) -> np.ndarray:
    """(pixels, pixels, 3) uint8: a square of the drawing, drawn larger."""
    root = parse(svg)
    root.set("viewBox", f"{round(left)} {round(top)} {round(side)} {round(side)}")
    return render_svg(etree.tostring(root), pixels, pixels)


def tile(svg: bytes, start: tuple[float, float], label: str) -> Image.Image:
    """A drawing at its own size and a detail of it enlarged, with a label below."""
    document = read(svg)
    side = TILE / ENLARGED
    scale = TILE / max(document.width, document.height)
    whole = Image.fromarray(render_svg(svg, document.width, document.height))
    crop = whole.resize((round(document.width * scale), round(document.height * scale)), Image.Resampling.LANCZOS)
    detail = Image.fromarray(enlarged(svg, start[0] * document.width, start[1] * document.height, side, TILE))
    result = Image.new("RGB", (2 * TILE + GAP, TILE + LABEL), "white")
    result.paste(crop, (0, (TILE - crop.height) // 2))
    result.paste(detail, (TILE + GAP, 0))
    ImageDraw.Draw(result).text((4, TILE + 4), label, "black", ImageFont.load_default(13))
    return result


def sheet(tiles: list[Image.Image], columns: int = 2) -> Image.Image:
    """Tiles in rows."""
    width, height = tiles[0].size
    rows = -(-len(tiles) // columns)
    result = Image.new("RGB", (columns * (width + 2 * GAP), rows * (height + GAP)), "white")
    for k, one in enumerate(tiles):
        result.paste(one, (k % columns * (width + 2 * GAP) + GAP, k // columns * (height + GAP)))
    return result


def menu(drawings: list[tuple[Look, bytes]], start: tuple[float, float]) -> Image.Image:
    """A part of each drawing in a row, named, on a transparent ground: what the menu shows."""
    rows = -(-len(drawings) // COLUMNS)
    result = Image.new("RGBA", (COLUMNS * (SMALL + GAP), rows * (SMALL + 18)))
    for k, (look, svg) in enumerate(drawings):
        document = read(svg)
        part = enlarged(svg, start[0] * document.width, start[1] * document.height, 0.5 * document.width, 2 * SMALL)
        x, y = k % COLUMNS * (SMALL + GAP), k // COLUMNS * (SMALL + 18)
        result.paste(Image.fromarray(part).resize((SMALL, SMALL), Image.Resampling.LANCZOS), (x, y))
        ImageDraw.Draw(result).text((x + 1, y + SMALL + 1), look.label, WORDS, ImageFont.load_default(10))
    return result.quantize(224, Image.Quantize.FASTOCTREE)


def line_figures(lines: list[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Opacity, and length to width, of each line."""
    lengths = [np.hypot(*np.diff(line.points[::3], axis=0).T).sum() for line in lines]
    return (np.array([line.opacity for line in lines]),
            np.array([length / line.width for length, line in zip(lengths, lines, strict=True)]))


def opacities(shapes: list[Shape]) -> np.ndarray:
    """(N,) opacity of each stroke, the mean of its stops."""
    return np.array([s.opacity * (1.0 if isinstance(s.fill, SolidColor)
                                  else float(np.mean([stop.opacity for stop in s.fill.stops]))) for s in shapes])


def aspects(shapes: list[Shape]) -> np.ndarray:
    """(N,) length to width of each stroke: of sweeps along their bend, by area and length of their outline as if they
    were straight with round ends; of others along their principal axes."""
    found = []
    for shape in shapes:
        points = np.concatenate(polygons(shape.outline))
        if shape.brush in SWEPT:
            x, y = points.T
            half = np.hypot(*(np.roll(points, -1, 0) - points).T).sum() / 2
            area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
            width = (half - max(half * half - np.pi * area, 0.0) ** 0.5) * 2 / np.pi
            found.append((half - np.pi * width / 2 + width) / width)
            continue
        axes = np.linalg.eigh(np.cov((points - points.mean(0)).T))[1]
        extent = np.ptp(points @ axes, 0)
        found.append(extent.max() / max(float(extent.min()), 0.1))
    return np.array(found)


def rim_contrasts(svg: bytes, most: int = 6) -> np.ndarray:
    """How much darker strokes, each alone on white, are at their edge than inside: share of the paint inside."""
    root = parse(svg)
    large = sorted(read(svg).shapes[1:], key=lambda s: -len(s.outline.loops[0]))
    names = [s.id for s in sorted(large, key=lambda s: -_extent(s))[:most]]
    found = []
    for name in names:
        alone = copy.deepcopy(root)
        for path in list(alone.iter(f"{{{SVG}}}path")):
            if path.get("id") != name:
                path.getparent().remove(path)
        for group in alone.iter(f"{{{SVG}}}g"):
            group.attrib.pop("filter", None)
        box = next(s for s in large if s.id == name).outline.bounds()
        alone.set("viewBox", f"{box[0] - 2} {box[1] - 2} {box[2] - box[0] + 4} {box[3] - box[1] + 4}")
        size = [max(8, round(4 * (box[k + 2] - box[k] + 4))) for k in (0, 1)]
        paint = 1 - render_svg(etree.tostring(alone), *size).mean(2) / 255
        for path in alone.iter(f"{{{SVG}}}path"):
            path.set("stroke", "none")
            path.set("fill", "#000000")
        inside = render_svg(etree.tostring(alone), *size).mean(2) < 250
        least, edge, deep = (ndimage.binary_erosion(inside, iterations=n) for n in (1, 4, 14))
        edge = least & ~edge
        if deep.sum() > 60:
            found.append(paint[edge].mean() / max(paint[deep].mean(), 1e-3) - 1)
    return np.array(found or [0.0])


def _extent(shape: Shape) -> float:
    left, top, right, bottom = shape.outline.bounds()
    return (right - left) * (bottom - top)


def ground_seen(svg: bytes) -> float:
    """Share of the ground that shows through the strokes."""
    root = parse(svg)
    for path in list(root.iter(f"{{{SVG}}}path")):
        if path.get("id") == "underpainting":
            path.getparent().remove(path)
    for group in root.iter(f"{{{SVG}}}g"):
        group.attrib.pop("filter", None)
    document = read(svg)
    white, black = (render_svg(etree.tostring(root), document.width, document.height, ground).astype(float)
                    for ground in ("#ffffff", "#000000"))
    return float(np.mean(white - black) / 255)


def figures(svg: bytes, picture: Path) -> list[str]:
    """One row of the table of figures."""
    document = read(svg)
    shapes = [s for s in document.shapes if s.id != "underpainting"]
    opacity, aspect = (opacities(shapes), aspects(shapes)) if shapes else line_figures(document.lines)
    return [str(len(shapes) + len(document.lines)), f"{np.median(opacity):.2f} ({np.quantile(opacity, 0.1):.2f} to "
            f"{np.quantile(opacity, 0.9):.2f})", f"{100 * np.median(rim_contrasts(svg)):+.0f} %",
            f"{np.median(aspect):.1f}", f"{100 * ground_seen(svg):.0f} %", f"{len(svg) / 1000:.0f} kB",
            f"{psnr(*both(svg, picture)):.1f} dB"]


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--work", type=Path, default=ROOT / "out" / "looks", help="where the SVGs are kept")
    cli.add_argument("--output", type=Path, default=ROOT / "docs", help="where the sheets go")
    cli.add_argument("--menu", type=Path, help="the picture of the menu, a PNG")
    cli.add_argument("--looks", nargs="+", default=[look.name for look in LOOKS], help="only these")
    args = cli.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    rows = ["| look | picture | strokes | opacity, median (10 to 90 %) | rim | length to width | ground seen | SVG "
            "| PSNR |", "|---|---|---|---|---|---|---|---|---|"]
    for name, left, top in PICTURES:
        tiles, drawings = [], []
        for look in map(look_of, args.looks):
            picture = ROOT / "examples" / f"{name}.jpg"
            svg = paint(look, picture, args.work / f"{name}-{look.name}.svg")
            drawings.append((look, svg))
            tiles.append(tile(svg, (left, top), f"{look.label} (--look {look.name})"))
            rows.append(f"| {look.label} | {name} | {' | '.join(figures(svg, picture))} |")
            print(rows[-1], flush=True)
        sheet(tiles).save(args.output / f"looks-{name}.jpg", quality=78, optimize=True)
        if args.menu is not None and name == PICTURES[-1][0]:
            menu(drawings, (0.25, 0.0)).save(args.menu, optimize=True)
    (args.work / "figures.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
