#!/usr/bin/env python3
"""What further paths for a stroke buy, on a folder of strokes.

usage: paths_per_stroke.py STROKES_DIR [--picture PAINTING] [--paths 1,2,4] [--gradient refined,flat] [--cubics 8]

Each row is a run of `gradvec strokes`, rendered by resvg on white and scored the paper's way against PAINTING
(without it: against the strokes laid over each other). Columns: gradient method; most paths a stroke ("by size": all of
them for the largest of three size classes, half for the middle one, one for small strokes); paths in the SVG, and how
many of them further ones were in each size class, large to small, before refinement; segments; SSIM (grey, 3 x 3
windows), MSE grey, kB, seconds by the clock and of the processor.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from gradvec.geometry.sizes import CLASSES, size_classes
from gradvec.io import svg
from gradvec.io.stroke_folder import read_folder
from gradvec.model import StrokePatch
from gradvec.options import Options
from gradvec.pipeline import vectorize_strokes
from gradvec.progress import Run
from gradvec.settings import outline_settings
from gradvec.stages import outline
from gradvec.tools.compare import mse_grey, render_svg, ssim_paper
from PIL import Image


def further(patches: list[StrokePatch], options: Options) -> str:
    """How many paths strokes got beyond their first, by size class."""
    if options.paths_per_stroke == 1:
        return "-"
    sizes = np.sqrt([max(1.0, float(patch.alpha.sum())) for patch in patches])
    found = np.array([len(paths) for paths in outline.fit(patches, outline_settings(options), Run())])
    own = size_classes(sizes)
    return "+".join(str(int((found[own == k] - 1).sum())) for k in range(CLASSES))


def row(folder: Path, wanted: np.ndarray | None, patches: list[StrokePatch], options: Options) -> str:
    clock, cpu = time.perf_counter(), time.process_time()
    result = vectorize_strokes(folder, options)
    data = svg.write(result.document, relative=True)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    if wanted is None:
        assert result.target is not None
        alpha = result.target.alpha[..., None]
        wanted = np.rint((result.target.rgb * alpha + 1 - alpha) * 255).astype(np.uint8)
    seen = render_svg(data, wanted.shape[1], wanted.shape[0])
    most = f"{options.paths_per_stroke}{' by size' if options.paths_by_size else ''}"
    return (f"{options.gradient:8} {most:10} {result.report.paths:5} {further(patches, options):>11} "
            f"{result.report['segments']:6} {ssim_paper(wanted, seen):.4f} {mse_grey(wanted, seen):.5f} "
            f"{len(data) / 1000:5.0f} {clock:5.1f} {cpu:5.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--paths", default="1,2,4")
    parser.add_argument("--gradient", default="refined,flat")
    parser.add_argument("--cubics", type=int, default=8)
    args = parser.parse_args()
    wanted = np.asarray(Image.open(args.picture).convert("RGB")) if args.picture else None
    patches, _ = read_folder(args.strokes)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("gradient paths/stroke paths further   segments ssim mse_grey kB seconds cpu")
    for gradient in args.gradient.split(","):
        for most in (int(n) for n in args.paths.split(",")):
            for by_size in (False, True) if most >= 4 else (False,):
                options = Options(gradient=gradient, paths_per_stroke=most, paths_by_size=by_size, cubics=args.cubics)
                print(row(args.strokes, wanted, patches, options), flush=True)


if __name__ == "__main__":
    main()
