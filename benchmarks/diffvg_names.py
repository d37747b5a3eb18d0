#!/usr/bin/env python3
"""What a step costs a program that was written for diffvg: served by gradvec, and by the real one where there is one.

usage: diffvg_names.py [--paths 512] [--size 512] [--rounds 2] [--steps 8] [--only strokes|fills]

A step is everything: serialize_scene, apply, a mean of squares, backward. Scenes: fills, closed paths of four cubics
and about 40 px; strokes, open paths of four cubics with a width; all points, widths and colours are variables.
Each is measured in processes of its own, in turn, on one thread of torch. Columns: processor time of a step, least and
median, ms; how many times that of gradvec; root mean square between the two pictures.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

SCENES = ("fills", "strokes")


def scene_of(pydiffvg: Any, kind: str, count: int, size: int) -> tuple[list[Any], list[Any], list[Any]]:
    """Shapes, groups and all their variables."""
    import torch

    rng = np.random.default_rng(0)
    shapes, groups, variables = [], [], []
    for n in range(count):
        center = rng.uniform(0.04 * size, 0.96 * size, 2)
        if kind == "fills":
            angle = np.linspace(0, 2 * np.pi, 12, endpoint=False) + rng.uniform(0, 6)
            points = center + rng.uniform(12, 28, (12, 1)) * np.stack([np.cos(angle), np.sin(angle)], 1)
        else:
            points = center + np.cumsum(rng.normal(size=(13, 2)) * 5, 0)
        place = torch.tensor(points, dtype=torch.float32, requires_grad=True)
        width = torch.tensor(float(rng.uniform(1, 3)), requires_grad=kind == "strokes")
        color = torch.tensor([*rng.uniform(0, 1, 3), 1.0], dtype=torch.float32, requires_grad=True)
        shapes.append(pydiffvg.Path(torch.full((4,), 2, dtype=torch.int32), place, kind == "fills", width))
        fill, stroke = (color, None) if kind == "fills" else (None, color)
        groups.append(pydiffvg.ShapeGroup(torch.tensor([n]), fill, stroke_color=stroke))
        variables += [v for v in (place, width, color) if v.requires_grad]
    return shapes, groups, variables


def measure(library: str, kind: str, args: argparse.Namespace, picture: str) -> dict[str, float]:
    """Steps in this process; the picture goes to a file."""
    import torch

    torch.set_num_threads(1)
    if library == "gradvec":
        import gradvec.pydiffvg as pydiffvg
    else:
        import pydiffvg
    pydiffvg.set_use_gpu(False)
    shapes, groups, variables = scene_of(pydiffvg, kind, args.paths, args.size)
    ground = torch.ones(args.size, args.size, 4)
    times = []
    for step in range(args.steps + 1):  # the first one compiles or loads
        for v in variables:
            v.grad = None
        start = time.process_time()
        told = pydiffvg.RenderFunction.serialize_scene(args.size, args.size, shapes, groups)
        shown = pydiffvg.RenderFunction.apply(args.size, args.size, 2, 2, step, ground, *told)
        (shown[..., :3] - 0.5).pow(2).mean().backward()
        times.append(1e3 * (time.process_time() - start))
    np.save(picture, shown.detach().numpy())
    return {"least": min(times[1:]), "median": float(np.median(times[1:]))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--paths", type=int, default=512)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--only", choices=SCENES)
    parser.add_argument("--measure", nargs=3, metavar=("LIBRARY", "SCENE", "NPY"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        library, kind, picture = args.measure
        print(json.dumps(measure(library, kind, args, picture)))
        return
    real = getattr(importlib.util.find_spec("pydiffvg"), "origin", None) is not None
    libraries = ("gradvec", "diffvg") if real else ("gradvec",)
    print(platform.platform(), f"{os.cpu_count()} cores", "" if real else "(no pydiffvg can be imported here)")
    print(f"{'scene':8} {'library':8} {'least':>9} {'median':>9} {'times':>6} {'rms':>7}")
    for kind in (args.only,) if args.only else SCENES:
        report(kind, libraries, args)


def report(kind: str, libraries: tuple[str, ...], args: argparse.Namespace) -> None:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in libraries}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(args.rounds):
            for name in libraries:
                command = [sys.executable, __file__, "--measure", name, kind, str(Path(folder, f"{name}.npy")),
                           "--paths", str(args.paths), "--size", str(args.size), "--steps", str(args.steps)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
        pictures = [np.load(Path(folder, f"{name}.npy")) for name in libraries]
    own = np.median([r["median"] for r in found["gradvec"]])
    for name, picture in zip(libraries, pictures, strict=True):
        median = float(np.median([r["median"] for r in found[name]]))
        rms = float(np.sqrt(((picture - pictures[0])**2).mean()))
        print(f"{kind:8} {name:8} {min(r['least'] for r in found[name]):9.1f} {median:9.1f} {median / own:6.1f} "
              f"{rms:7.4f}", flush=True)


if __name__ == "__main__":
    main()
