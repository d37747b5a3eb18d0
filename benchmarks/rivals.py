#!/usr/bin/env python3
"""What other vectorizers make of the same pictures with as many paths: VTracer, Potrace, and ours.

usage: rivals.py PICTURE [PICTURE ...] [--paths 64,128] [--factor 2] [-o docs] [--detail X,Y,SIDE]

A picture is reduced by the factor, vectorized, and drawn by resvg at both sizes. Needs vtracer and potracer (PyPI),
whichever of the two is there. Each rival gets the best PSNR that it reaches with at most as many paths, over a grid of
its own settings, which the table names. Potrace knows two colours: as in Inkscape's Trace Bitmap with several scans,
which is built on it, colours are first reduced, and each scan covers what is at least so bright. A closed piece with
its holes counts as a path there, for one path of Inkscape's holds thousands of them.

Columns: paths; nodes; stored numbers (coordinates, colours, stops); bytes of the SVG after gzip; seconds of the
processor for the one run that is shown; PSNR (dB) and SSIM against the reduced picture; smooth joints (tangents turn by
less than 10 degrees); turning of an outline over 2 pi, median; hairs (4 pi area / length^2 below .05); gain: PSNR at
full size, less that of the drawing's own pixels enlarged (Lanczos). -o: a plot, rivals.svg, of PSNR against paths and
bytes, and rivals-detail.jpg, SIDE px of the first reduced picture at X, Y, eight times as large.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gradvec.geometry.cubics import flatten
from gradvec.geometry.trace import inside, shoelace
from gradvec.io import svg
from gradvec.io.svg.path import commands, parse_path
from gradvec.options import Options
from gradvec.pipeline import paint_picture, vectorize_picture
from gradvec.tools.compare import psnr, ssim
from gradvec.tools.render_svg import render_svg
from lxml import etree
from PIL import Image, ImageDraw

#: Settings of VTracer that are tried: colour bits, difference of layers, speckles that are left out, px.
VTRACER = {"color_precision": (5, 6, 7, 8), "layer_difference": (4, 8, 16, 24, 32, 48, 64),
           "filter_speckle": (1, 2, 3, 4, 6, 8, 12, 16, 24)}
#: Numbers of colours that Potrace is tried with.
SCANS = (4, 6, 8, 12, 16, 24)
#: How many times larger a detail is shown.
ZOOM = 8
NUMBERS = {"linearGradient": ("x1", "y1", "x2", "y2"), "radialGradient": ("cx", "cy", "r"), "stop": ("offset",)}


@dataclass(frozen=True)
class Drawing:
    """One result. how: the settings, in words. paths: None to count path elements. seconds: of the processor."""

    data: bytes
    how: str
    seconds: float
    paths: int | None = None


@dataclass(frozen=True)
class Outlines:
    """Measures of all closed loops: joints that are smooth (share), turning over 2 pi (median), hairs (share)."""

    smooth: float
    turning: float
    hairs: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--paths", default="64,128", help="numbers of paths, with commas")
    parser.add_argument("--factor", type=int, default=2, help="how many times smaller the vectorized picture is")
    parser.add_argument("-o", "--output", type=Path, help="folder for the plot and the detail")
    parser.add_argument("--detail", default="", help="X,Y,SIDE px of the first picture, reduced; default its middle")
    args = parser.parse_args()
    budgets = [int(word) for word in args.paths.split(",")]
    print(f"{platform.machine()}, Python {platform.python_version()}\n")
    print("| picture | | settings | paths | nodes | numbers | gzip KB | s | PSNR | SSIM | smooth | turning | hairs | "
          "gain |\n" + "|---" * 14 + "|", flush=True)
    rows, details = [], {}
    for picture, budget in itertools.product(args.pictures, budgets):
        full, small = reduced(picture, args.factor)
        for name, drawing in drawings(small, budget):
            row = measured(drawing, full, small)
            rows.append({"name": name, "budget": budget, **row})
            print(f"| {picture.stem}, {budget} | {name} | {drawing.how} | {table_row(row)} |", flush=True)
            if picture == args.pictures[0]:
                details[name] = (drawing.data, np.asarray(small))
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "rivals.svg").write_text(plot(rows), encoding="utf-8")
        where = tuple(int(word) for word in args.detail.split(",")) if args.detail else None
        detail(details, where).save(args.output / "rivals-detail.jpg", quality=88)


def reduced(path: Path, factor: int) -> tuple[Image.Image, Image.Image]:
    """(the picture, cut to whole multiples of the factor; reduced by it, each pixel the mean of its block)."""
    full = Image.open(path).convert("RGB")
    width, height = (side // factor for side in full.size)
    full = full.crop((0, 0, width * factor, height * factor))
    return full, full.resize((width, height), Image.Resampling.BOX)


def drawings(small: Image.Image, budget: int) -> Iterator[tuple[str, Drawing]]:
    """What each program makes of the picture with at most ``budget`` paths."""
    for name, draw in (("VTracer", by_vtracer), ("Potrace", by_potrace)):
        try:
            found = draw(small, budget)
        except ImportError as error:
            print(f"{name} left out: {error}", flush=True)
            continue
        if found is not None:
            yield name, found
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "picture.png")
        small.save(picture)
        for name, job, options in (("gradvec paint, .5", paint_picture, {"fidelity": 0.5, "strokes": budget}),
                                   ("gradvec paint, 1", paint_picture, {"fidelity": 1.0, "strokes": budget}),
                                   ("gradvec vectorize", vectorize_picture,
                                    {"strokes": budget, "cubics": 16, "opaque": True})):
            begin = time.process_time()
            data = svg.write(job(picture, Options.from_dict(options)).document)
            yield name, Drawing(data, "as it comes", time.process_time() - begin)


def best(small: Image.Image, tries: Iterator[Drawing], budget: int) -> Drawing | None:
    """The one of at most ``budget`` paths that is closest to the picture."""
    wanted, found, most = np.asarray(small), None, -np.inf
    for drawing in tries:
        paths = drawing.paths or drawing.data.count(b"<path")
        if paths <= budget and (value := psnr(wanted, render_svg(drawing.data, *small.size))) > most:
            found, most = drawing, value
    return found


def by_vtracer(small: Image.Image, budget: int) -> Drawing | None:
    """The best of VTracer, stacked, splines."""
    import vtracer

    def tries() -> Iterator[Drawing]:
        pixels = [tuple(pixel) for pixel in np.asarray(small.convert("RGBA")).reshape(-1, 4).tolist()]
        for values in itertools.product(*VTRACER.values()):
            settings = dict(zip(VTRACER, values, strict=True))
            begin = time.process_time()
            text = vtracer.convert_pixels_to_svg(pixels, size=small.size, mode="spline", path_precision=2, **settings)
            words = "{} bits, layers {} apart, speckles of {}".format(*values)
            yield Drawing(sized(text, small).encode(), words, time.process_time() - begin)

    return best(small, tries(), budget)


def sized(text: str, small: Image.Image) -> str:
    """The SVG with a view box, so that it can be drawn at any size."""
    return text if "viewBox" in text else text.replace("<svg ", f'<svg viewBox="0 0 {small.width} {small.height}" ', 1)


def by_potrace(small: Image.Image, budget: int) -> Drawing | None:
    """The best of Potrace over colours; the smallest pieces are left out until there are few enough, as its own setting
    for speckles does."""
    import potrace

    def tries() -> Iterator[Drawing]:
        for colors in SCANS:
            begin = time.process_time()
            table = small.quantize(colors, kmeans=3)
            palette = np.array(table.getpalette()[:3 * colors], float).reshape(-1, 3)
            order = np.argsort(palette @ (0.299, 0.587, 0.114))
            rank = np.argsort(order)[np.asarray(table)]
            pieces = [piece for level in range(1, colors)
                      for piece in scan(potrace, rank >= level, palette[order[level]])]
            taken = sorted(range(len(pieces)), key=lambda n: -pieces[n][0])[:budget - 1]
            ground = f'<path d="M0 0H{small.width}V{small.height}H0z" fill="{css(palette[order[0]])}"/>'
            body = "".join(pieces[n][1] for n in sorted(taken))
            text = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{small.width}" height="{small.height}" '
                    f'viewBox="0 0 {small.width} {small.height}">{ground}{body}</svg>')
            yield Drawing(text.encode(), f"{colors} scans, stacked", time.process_time() - begin)

    return best(small, tries(), budget)


def scan(potrace: object, mask: np.ndarray, color: np.ndarray) -> list[tuple[float, str]]:
    """(area px^2, path element) of each piece of a mask, with its holes."""
    outlines = []
    for curve in potrace.Bitmap(~mask).trace():  # type: ignore[attr-defined]
        points = [(curve.start_point.x, curve.start_point.y)]
        words = ["M{:.2f} {:.2f}".format(*points[0])]
        for segment in curve.segments:
            ends = [segment.c, segment.end_point] if segment.is_corner else [segment.c1, segment.c2, segment.end_point]
            points += [(end.x, end.y) for end in ends]
            step = "L" if segment.is_corner else "C"
            words.append(step + " ".join(f"{end.x:.2f} {end.y:.2f}" for end in ends))
        outlines.append((abs(shoelace(np.array(points))), np.array(points), "".join(words) + "z"))
    pieces: list[tuple[float, list[str]]] = []
    seen: list[tuple[np.ndarray, int]] = []
    for area, points, word in sorted(outlines, key=lambda o: -o[0]):
        around = [piece for loop, piece in seen if inside(loop, points[0] + 1e-3)]
        # With an odd number of loops around it this one is a hole in the piece of the smallest of them.
        if len(around) % 2:
            pieces[around[-1]][1].append(word)
        else:
            pieces.append((area, [word]))
        seen.append((points, around[-1] if len(around) % 2 else len(pieces) - 1))
    return [(area, f'<path fill-rule="evenodd" fill="{css(color)}" d="{"".join(words)}"/>') for area, words in pieces]


def css(color: np.ndarray) -> str:
    return "#" + "".join(f"{round(float(part)):02x}" for part in color)


def measured(drawing: Drawing, full: Image.Image, small: Image.Image) -> dict[str, float]:
    """All figures of a drawing."""
    root = etree.fromstring(drawing.data)
    data = [e.get("d", "") for e in root.iter("{*}path")]
    own = outlines_of(data)
    once, wanted = render_svg(drawing.data, *small.size), np.asarray(small)
    enlarged = np.asarray(Image.fromarray(once).resize(full.size, Image.Resampling.LANCZOS))
    large = render_svg(drawing.data, *full.size)
    return {"paths": drawing.paths or len(data), "nodes": sum(c not in "MmZz" for d in data for c, _ in commands(d)),
            "numbers": stored_numbers(root), "bytes": len(gzip.compress(drawing.data, 9)), "seconds": drawing.seconds,
            "psnr": psnr(wanted, once), "ssim": ssim(wanted, once), "smooth": own.smooth, "turning": own.turning,
            "hairs": own.hairs, "gain": psnr(np.asarray(full), large) - psnr(np.asarray(full), enlarged)}


def stored_numbers(root: etree._Element) -> int:
    """Coordinates of all paths, three for a colour (and one more where it fades), a stop's place, a gradient's line."""
    total = 0
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        kind = etree.QName(element).localname
        style = element.get("style", "")
        if kind == "path":
            total += sum(len(numbers) for _, numbers in commands(element.get("d", "")))
            total += 3 * ("url(" not in element.get("fill", style))
        total += sum(name in element.attrib for name in NUMBERS.get(kind, ()))
        total += (3 + ("stop-opacity" in style or "stop-opacity" in element.attrib)) * (kind == "stop")
    return total


def outlines_of(data: list[str]) -> Outlines:
    """Measures of the loops of path data."""
    smooth, turning, compact = [], [], []
    for loop in (loop for d in data for loop in parse_path(d).loops):
        points = flatten(loop, 16)
        steps = np.diff(points, axis=0, append=points[:1])
        steps = steps[np.hypot(*steps.T) > 1e-6]
        if len(steps) < 4:
            continue
        turning.append(np.abs(turned(np.roll(steps, 1, axis=0), steps)).sum() / (2 * np.pi))
        compact.append(4 * np.pi * abs(shoelace(points)) / np.hypot(*steps.T).sum() ** 2)
        anchors = len(loop) // 3
        arriving = np.array([direction(loop, 3 * k, -1) for k in range(anchors)])
        leaving = np.array([direction(loop, 3 * k, 1) for k in range(anchors)])
        smooth += (np.abs(turned(-arriving, leaving)) < np.radians(10)).tolist()
    return Outlines(float(np.mean(smooth)), float(np.median(turning)), float((np.array(compact) < 0.05).mean()))


def turned(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles from vectors a to b (n, 2), radians."""
    return np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(1))


def direction(loop: np.ndarray, at: int, way: int) -> np.ndarray:
    """From an anchor to the first of the next three control points that lies elsewhere."""
    away = [loop[(at + way * k) % len(loop)] - loop[at] for k in (1, 2, 3)]
    return next((v for v in away if np.hypot(*v) > 1e-3), away[-1])


def table_row(row: dict[str, float]) -> str:
    return (f"{row['paths']:.0f} | {row['nodes']:.0f} | {row['numbers']:.0f} | {row['bytes'] / 1000:.1f} | "
            f"{row['seconds']:.1f} | {row['psnr']:.2f} | {row['ssim']:.3f} | {row['smooth']:.0%} | "
            f"{row['turning']:.2f} | {row['hairs']:.1%} | {row['gain']:+.2f}")


def plot(rows: list[dict]) -> str:
    """PSNR, mean over the pictures, against paths and against bytes, both in doublings."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    colors = dict(zip(names, ("#888888", "#b58a2c", "#7aa6c2", "#1b5e8a", "#2f7d4f"), strict=False))
    curves: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for name, budget in itertools.product(names, sorted({row["budget"] for row in rows})):
        own = [row for row in rows if (row["name"], row["budget"]) == (name, budget)]
        if own:
            curves[name].append({key: float(np.mean([row[key] for row in own])) for key in ("paths", "bytes", "psnr")})
    low, high = (fit(row["psnr"] for curve in curves.values() for row in curve) for fit in (min, max))
    low, high = np.floor(low - 0.5), np.ceil(high + 0.5)
    parts = []
    for panel, (key, words) in enumerate((("paths", "paths"), ("bytes", "bytes after gzip"))):
        values = [np.log2(row[key]) for curve in curves.values() for row in curve]
        first, last, left = min(values) - 0.2, max(values) + 0.2, 50 + 330 * panel

        def place(row: dict[str, float], key: str = key, first: float = first, last: float = last,
                  left: float = left) -> str:
            return (f"{left + 270 * (np.log2(row[key]) - first) / (last - first):.1f},"
                    f"{240 - 210 * (row['psnr'] - low) / (high - low):.1f}")

        parts.append(f'<path d="M{left} 30V240H{left + 270}" fill="none" stroke="#999"/>')
        parts += [text(left - 6, 244, f"{low:.0f} dB", "end"), text(left - 6, 34, f"{high:.0f} dB", "end"),
                  text(left + 135, 262, f"{words}, {2**first:,.0f} to {2**last:,.0f}", "middle")]
        for name, curve in curves.items():
            dots = [place(row) for row in curve]
            parts.append(f'<polyline points="{" ".join(dots)}" fill="none" stroke="{colors[name]}" stroke-width="2"/>')
            parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colors[name]}"/>'
                      for x, y in (dot.split(",") for dot in dots)]
    parts += [text(50 + 130 * n, 285, name, "start", colors[name]) for n, name in enumerate(names)]
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="720" height="300" viewBox="0 0 720 300" '
            f'font-family="sans-serif" font-size="12"><rect width="720" height="300" fill="#fff"/>{"".join(parts)}'
            '</svg>\n')


def text(x: float, y: float, words: str, anchor: str, color: str = "#444") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{color}">{words}</text>'


def detail(drawn: dict[str, tuple[bytes, np.ndarray]], where: tuple[int, ...] | None) -> Image.Image:
    """The same part of the picture and of every drawing, each enlarged by :data:`ZOOM`, side by side."""
    picture = next(iter(drawn.values()))[1]
    height, width = picture.shape[:2]
    side = min(48, width, height) if where is None else where[2]
    x, y = ((width - side) // 2, (height - side) // 2) if where is None else where[:2]
    cut: Callable[[np.ndarray, int], Image.Image] = lambda pixels, zoom: Image.fromarray(  # noqa: E731
        pixels[y * zoom:(y + side) * zoom, x * zoom:(x + side) * zoom]).resize((side * ZOOM,) * 2,
                                                                           Image.Resampling.NEAREST)
    shown = {"the picture": cut(picture, 1)}
    shown |= {name: cut(render_svg(data, width * ZOOM, height * ZOOM), ZOOM) for name, (data, _) in drawn.items()}
    columns = 3
    sheet = Image.new("RGB", (columns * (side * ZOOM + 8) - 8, -(-len(shown) // columns) * (side * ZOOM + 26)), "white")
    for n, (name, part) in enumerate(shown.items()):
        corner = n % columns * (side * ZOOM + 8), n // columns * (side * ZOOM + 26)
        sheet.paste(part, (corner[0], corner[1] + 20))
        ImageDraw.Draw(sheet).text((corner[0] + 2, corner[1] + 4), name, fill="black")
    return sheet


if __name__ == "__main__":
    main()
