#!/usr/bin/env python3
"""Compares the gradient methods inside the strokes of a folder, each stroke alone and its mask exact.

usage: gradients.py STROKES_DIR [--points CONTROL_POINTS.json] [--outlines] [--json]

Columns: PSNR over all covered pixels of all strokes (weighted by coverage), mean of the strokes' own PSNR, how many
strokes got which kind of fill, processor seconds of gradients.fills.fit (best of three).
--points: control points of another program for the same strokes, a list per stroke of {"coord": [x, y], "color_rgb":
[r, g, b]}: how far ours agree, and what theirs are worth as gradients. --outlines: fit under traced outlines instead
of bare masks.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gradvec.gradients.fills import fit
from gradvec.gradients.kmeans import control_points
from gradvec.gradients.perceptual import colors
from gradvec.io.stroke_folder import read_folder
from gradvec.model import Fill, LinearGradient, Outline, SolidColor, Stop, StrokePatch
from gradvec.progress import Run
from gradvec.stages import outline
from gradvec.stages.outline import OutlineSettings

METHODS = ("flat", "kmeans", "refined", "auto")
TOLERANCE = 12


def score(patches: Sequence[StrokePatch], found: Sequence[Fill]) -> dict[str, float]:
    """PSNR inside the strokes: over all pixels, and the mean over strokes."""
    errors, weights = [], []
    for patch, fill in zip(patches, found, strict=True):
        rows, columns = np.nonzero(patch.alpha > 0.02)
        painted = colors(fill, np.stack([columns, rows], 1) + patch.offset + np.array(0.5))
        weight = patch.alpha[rows, columns]
        errors.append(float((((painted - patch.color[rows, columns]) ** 2).mean(1) * weight).sum()))
        weights.append(float(weight.sum()))
    each = -10 * np.log10(np.maximum(np.array(errors) / weights, 1e-9))
    return {"db": float(-10 * np.log10(sum(errors) / sum(weights))), "db_mean": float(each.mean())}


def measured(method: str, patches: Sequence[StrokePatch], outlines: Sequence[Outline]) -> dict:
    seconds = []
    for _ in range(3):
        start = time.process_time()
        found = fit(patches, outlines, method, Run())
        seconds.append(time.process_time() - start)
    kinds = collections.Counter(f"{type(f).__name__} {len(getattr(f, 'stops', ())) or ''}".strip() for f in found)
    return {"method": method, **score(patches, found), "kinds": dict(kinds), "cpu_s": min(seconds)}


def agreement(patches: Sequence[StrokePatch], theirs: list) -> dict:
    """Against another program's control points: same number, and all colours within TOLERANCE / 255 too."""
    same = agree = 0
    for patch, points in zip(patches, theirs, strict=True):
        ours = [np.array(p.color) * 255 for p in control_points(patch)]
        given = [np.array(p["color_rgb"]) for p in points]
        if len(ours) != len(given):
            continue
        same += 1
        agree += any(all(np.abs(a - b).max() <= TOLERANCE for a, b in zip(ours, order, strict=True))
                     for order in itertools.permutations(given))
    return {"same_number": same / len(patches), "and_colours": agree / len(patches)}


def as_fill(points: list, mean: tuple[float, float, float]) -> Fill:
    stops = [tuple(c / 255 for c in p["color_rgb"]) for p in points]
    if not stops:
        return SolidColor(mean)
    (x1, y1), (x2, y2) = points[0]["coord"], points[-1]["coord"]
    if (x1, y1) == (x2, y2):
        return SolidColor(stops[0])
    return LinearGradient(x1 + 0.5, y1 + 0.5, x2 + 0.5, y2 + 0.5, (Stop(0, stops[0]), Stop(1, stops[-1])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--points", type=Path)
    parser.add_argument("--outlines", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    patches, _ = read_folder(args.strokes)
    outlines: list[Outline] = [Outline(())] * len(patches)
    theirs = json.loads(args.points.read_text()) if args.points else None
    if args.outlines:
        traced = outline.fit(patches, OutlineSettings(), Run())
        kept = [k for k, some in enumerate(traced) if some]
        patches, outlines = [patches[k] for k in kept], [traced[k][0] for k in kept]
        theirs = [theirs[k] for k in kept] if theirs else None
    rows = [measured(method, patches, outlines) for method in METHODS]
    if theirs:
        flat = fit(patches, outlines, "flat", Run())
        given = [as_fill(points, mean.color) for points, mean in zip(theirs, flat, strict=True)]
        rows.append({"method": "theirs", **score(patches, given), "kinds": {}, "cpu_s": 0.0,
                     **agreement(patches, theirs)})
    if args.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{len(patches)} strokes")
    for row in rows:
        kinds = ", ".join(f"{count} {kind}" for kind, count in row["kinds"].items())
        print(f"{row['method']:8} {row['db']:6.2f} dB  mean {row['db_mean']:6.2f} dB  {row['cpu_s']:5.2f} s  {kinds}")
    if theirs:
        print(f"same number of points on {rows[-1]['same_number']:.1%}, colours too on {rows[-1]['and_colours']:.1%}")


if __name__ == "__main__":
    main()
