#!/usr/bin/env python3
"""How like the picture a painting gets: by fidelity, by number of strokes, in dB and seconds.

usage: fidelity.py PICTURE [PICTURE ...] [--strokes 500] [--size 512] [--fidelity 0,0.25,0.5,0.75,1] [--plot DIAL.svg]

Every result is rendered by resvg on white and compared with the picture at the working size. Columns: fidelity, paths,
segments, PSNR (dB), SSIM (RGB, 7 x 7), drift (how far outlines left the best affine image of their brush, as a share of
their size, on average), bytes, seconds by the clock and of the processor. --plot draws PSNR and drift over the dial
for the first picture.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def run(picture: Path, strokes: int, size: int, fidelity: float, extra: dict) -> dict:
    import numpy as np
    from gradvec.io import svg
    from gradvec.options import Options
    from gradvec.pipeline import paint_picture
    from gradvec.tools.compare import psnr, render_svg, ssim

    clock, cpu = time.perf_counter(), time.process_time()
    options = Options.from_dict({"strokes": strokes, "size": size, "fidelity": fidelity, **extra})
    result = paint_picture(picture, options)
    data = svg.write(result.document)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    assert result.target is not None
    seen = render_svg(data, result.target.width, result.target.height)
    shown = result.target.rgb * result.target.alpha[..., None] + 1 - result.target.alpha[..., None]
    wanted = np.rint(shown * 255).astype(np.uint8)
    return {"picture": picture.name, "fidelity": fidelity, "paths": result.report["paths"],
            "segments": result.report["segments"], "psnr": psnr(wanted, seen), "ssim": ssim(wanted, seen),
            "drift": result.report["refined"]["drift"], "bytes": len(data), "seconds": clock, "cpu": cpu}


def plot(rows: list[dict], path: Path) -> None:
    """PSNR (left axis) and drift (right axis) over fidelity."""
    width, height, left, top = 560, 300, 60, 30
    inner_w, inner_h = width - 2 * left, height - 2 * top
    low, high = min(r["psnr"] for r in rows) - 0.5, max(r["psnr"] for r in rows) + 0.5
    most = max(r["drift"] for r in rows) * 1.05 or 1.0

    def line(values: list[float], color: str) -> str:
        points = [(left + inner_w * r["fidelity"], top + inner_h * (1 - v)) for r, v in zip(rows, values, strict=True)]
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points)
        return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="{color}" ' \
               f'stroke-width="2"/>{dots}'

    def text(x: float, y: float, words: str, color: str = "#444", anchor: str = "middle") -> str:
        return f'<text x="{x:.0f}" y="{y:.0f}" fill="{color}" text-anchor="{anchor}">{words}</text>'

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             f'font-size="12"><rect width="{width}" height="{height}" fill="#fff"/>',
             f'<rect x="{left}" y="{top}" width="{inner_w}" height="{inner_h}" fill="none" stroke="#ccc"/>',
             line([(r["psnr"] - low) / (high - low) for r in rows], "#1f5fa8"),
             line([r["drift"] / most for r in rows], "#b5541c")]
    for r in rows:
        parts.append(text(left + inner_w * r["fidelity"], height - top + 16, f'{r["fidelity"]:g}'))
    parts += [text(width / 2, height - 2, "fidelity"), text(left, top - 10, "PSNR, dB", "#1f5fa8"),
              text(width - left, top - 10, "drift from the brush", "#b5541c")]
    for share in (0.0, 0.5, 1.0):
        y = top + inner_h * (1 - share) + 4
        parts.append(text(left - 6, y, f"{low + share * (high - low):.1f}", "#1f5fa8", "end"))
        parts.append(text(width - left + 6, y, f"{share * most:.2f}", "#b5541c", "start"))
    path.write_text("\n".join(parts) + "\n</svg>\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--strokes", default="500", help="numbers of strokes, separated by commas")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--fidelity", default="0,0.25,0.5,0.75,1")
    parser.add_argument("--brush", default="oil")
    parser.add_argument("--opaque", action="store_true")
    parser.add_argument("--plot", type=Path)
    args = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("picture fidelity paths segments psnr ssim drift bytes seconds cpu")
    rows = []
    for picture in args.pictures:
        for strokes in (int(n) for n in args.strokes.split(",")):
            for fidelity in (float(f) for f in args.fidelity.split(",")):
                r = run(picture, strokes, args.size, fidelity, {"brush": args.brush, "opaque": args.opaque})
                rows.append(r)
                print(f"{r['picture']} {r['fidelity']:g} {r['paths']} {r['segments']} {r['psnr']:.2f} {r['ssim']:.4f} "
                      f"{r['drift']:.3f} {r['bytes']} {r['seconds']:.1f} {r['cpu']:.1f}", flush=True)
    if args.plot:
        plot([r for r in rows if r["picture"] == args.pictures[0].name], args.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
