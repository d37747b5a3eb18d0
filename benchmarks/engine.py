"""How fast an engine renders, forward and forward + backward, and what memory it takes.

    python benchmarks/engine.py --scenes DIR --engine cpu
    python benchmarks/engine.py --series 500@512,8000@2048 --engine cuda --graph --json
    python benchmarks/engine.py --scenes DIR --against diffvg

Scenes: every .npz (or .svg without one) in DIR; 500 separate strokes of 64 x 64 px in one call (random ones that fill
their canvas, and b_1path_64_grad 500 times where DIR has it); and a series of random
scenes, paths@side, of strokes of about 40 px. forward_ms: without derivatives. forward_backward_ms: with the
derivative of every parameter but the background, from a fixed derivative of the picture. Medians over as many runs as
fit into --seconds (at least 3; 1 for the other engine of --against), after one run that is thrown away. cpu_ms:
processor time of one forward + backward over all threads, which a busy machine spoils least (most so with --threads 1).
peak_mb: growth of the process's resident memory during the scene, on Linux; on a card its peak of allocated memory.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

try:
    import gradvec  # noqa: F401
except ImportError:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

SERIES = "500@512,2000@1024,8000@2048,20000@4096"


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as gradvec itself runs: idle threads sleep
    if args.threads:  # before numba and torch count the processors
        os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(args.threads)
    import torch
    if args.threads:
        torch.set_num_threads(args.threads)
    engines = [args.engine, *([args.against] if args.against else [])]
    rows = []
    if not args.json:
        print("\n".join(f"{k}: {v}" for k, v in environment().items()) + "\n")
    shown = Table(engines) if not args.json else None
    for name, scene in scenes(args):
        results = [measure(name, scene, e, args, first=e == args.engine) for e in engines]
        if args.against:
            results[0]["ratio"] = round(results[1]["forward_backward_ms"] / results[0]["forward_backward_ms"], 1)
            results[0]["rms_difference"] = difference(scene, *engines)
        rows += results
        if shown:
            shown.row(results)
    if args.json:
        print(json.dumps({"environment": environment(), "results": rows} if args.with_environment else rows, indent=1))
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=Path, metavar="DIR", help="folder of scenes to time")
    parser.add_argument("--series", default=None, help=f"random scenes, paths@side,...; '' for none; default {SERIES}, "
                        "or none where --scenes is given")
    parser.add_argument("--only", default="", help="time scenes whose name contains this")
    parser.add_argument("--engine", default="cpu", choices=("reference", "cpu", "cuda", "diffvg"))
    parser.add_argument("--against", choices=("reference", "cpu", "cuda", "diffvg"), help="also time this engine")
    parser.add_argument("--threads", type=int, default=0, help="threads of numba, torch and OpenMP; default: all")
    parser.add_argument("--seconds", type=float, default=1.0, help="time to spend on each figure")
    parser.add_argument("--graph", action="store_true", help="cuda: time forward + backward replayed as a CUDA graph")
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of a table")
    parser.add_argument("--with-environment", action="store_true", help="wrap the JSON list with the environment")
    args = parser.parse_args(argv)
    if args.series is None:
        args.series = "" if args.scenes else SERIES
    if args.scenes and not args.scenes.is_dir():
        parser.error(f"{args.scenes} is not a folder")
    return args


def environment() -> dict[str, Any]:
    import numba
    import torch

    def version(module: str) -> str:
        from importlib import metadata
        try:
            return metadata.version(module)
        except metadata.PackageNotFoundError:
            return "none"

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False,
                            cwd=Path(__file__).parent).stdout.strip()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {"commit": commit or "unknown", "machine": f"{processor()}, {os.cpu_count()} cores, load {load}",
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            "threads": f"numba {numba.config.NUMBA_NUM_THREADS}, torch {torch.get_num_threads()}",
            "versions": f"python {platform.python_version()}, torch {torch.__version__}, numba {numba.__version__}, "
                        f"triton {version('triton')}"}


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def scenes(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """Names and scenes, made one by one, so that memory is the scene's own."""
    if args.scenes:
        stems = sorted({p.with_suffix("") for p in args.scenes.iterdir() if p.suffix in (".npz", ".svg")})
        for stem in stems:
            if args.only in stem.name:
                arrays = stem.with_suffix(".npz")
                yield stem.name, from_npz(np.load(arrays)) if arrays.exists() else from_svg(
                    stem.with_suffix(".svg").read_bytes())
        one = args.scenes / "b_1path_64_grad.npz"
        if one.exists() and args.only in "500_times_b_1path_64":
            yield "500_times_b_1path_64", from_npz(np.load(one), 500)
    if args.only in "500_strokes_64":
        yield "500_strokes_64", separate_strokes(500, 64)
    for entry in filter(None, args.series.split(",")):
        paths, side = (int(v) for v in entry.split("@"))
        if args.only in f"{paths}paths_{side}":
            yield f"{paths}paths_{side}", random_strokes(paths, side)


def from_npz(z: Any, times: int = 1) -> Any:
    """The scene of a file, on its own or ``times`` over, each on a canvas of its own."""
    flat = bool(z["flat"])
    count = len(z["points"])
    stops = z["color"] if flat else z["stop_colors"].reshape(-1, 4)
    offsets = np.zeros(count) if flat else z["offsets"].ravel()
    axes = np.concatenate([z["grad_begin"], z["grad_end"]], 1)
    points, axes, stops = (np.tile(a, (times,) + (1,) * (a.ndim - 1)) for a in (z["points"], axes, stops))
    return make_scene(points, axes, np.tile(offsets, times), stops, np.repeat(np.arange(times), count),
                      [(int(z["width"]), int(z["height"]))] * times)


def from_svg(data: bytes) -> Any:
    from gradvec.io.svg import read
    from gradvec.render.scene import scene_from_shapes
    document = read(data)
    return scene_from_shapes(document.shapes, document.width, document.height, (1, 1, 1, 1))


def make_scene(points: np.ndarray, geometry: np.ndarray, offsets: np.ndarray, colors: np.ndarray, canvas: np.ndarray,
               sizes: list[tuple[int, int]]) -> Any:
    """points: (N, 12, 2). One stop an outline: solid; two: linear gradient. White ground."""
    import torch
    from gradvec.render.scene import LINEAR, SOLID, Scene, Topology
    count, stops = len(points), len(colors) // len(points)
    topology = Topology(np.arange(count + 1) * points.shape[1], np.arange(count + 1), np.arange(count + 1) * stops,
                        np.full(count, SOLID if stops == 1 else LINEAR, np.uint8), canvas.astype(np.int64),
                        np.array(sizes, np.int64))

    def tensor(values: Any) -> Any:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32))

    return Scene(topology, tensor(points.reshape(-1, 2)), tensor(geometry), tensor(offsets), tensor(colors),
                 torch.ones(count), torch.ones(len(sizes), 4))


def blobs(rng: np.random.Generator, centers: np.ndarray, size: float) -> np.ndarray:
    """(N, 12, 2) rough closed loops of four cubics around ``centers``."""
    count = len(centers)
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)[None] + rng.uniform(0, 2 * np.pi, (count, 1))
    radius = rng.uniform(0.6, 1.4, (count, 12)) * size / 2
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius], -1) + centers[:, None]


def random_strokes(count: int, side: int) -> Any:
    """Strokes of about 40 px, linear gradients, on one canvas."""
    rng = np.random.default_rng(count)
    centers = rng.uniform(0, side, (count, 2))
    axis = rng.uniform(-20, 20, (count, 2))
    return make_scene(blobs(rng, centers, 40), np.concatenate([centers - axis, centers + axis], 1),
                      np.tile([0.0, 1.0], count), with_alpha(rng, count), np.zeros(count), [(side, side)])


def separate_strokes(count: int, side: int) -> Any:
    """One stroke a canvas, filling most of it: what the outline stage refines in one call."""
    rng = np.random.default_rng(0)
    centers = np.full((count, 2), side / 2) + rng.uniform(-3, 3, (count, 2))
    axis = rng.uniform(-25, 25, (count, 2))
    return make_scene(blobs(rng, centers, side * 0.8), np.concatenate([centers - axis, centers + axis], 1),
                      np.tile([0.0, 1.0], count), with_alpha(rng, count), np.arange(count), [(side, side)] * count)


def with_alpha(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.concatenate([rng.uniform(0, 1, (2 * count, 3)), np.ones((2 * count, 1))], 1)


def measure(name: str, scene: Any, engine: str, args: argparse.Namespace, first: bool) -> dict[str, Any]:
    """One row: medians and spread of both figures, and memory."""
    import torch
    from gradvec.render import choose, render_flat
    device = choose(engine)[1]  # under Triton's interpreter the cuda engine is at home on the processor
    scene = scene.to(device=device)
    moving = scene.with_parameters(*(p.clone().requires_grad_() for p in scene.parameters[:-1]), scene.background)
    pixels = int(scene.topology.canvas_start[-1])
    slope = torch.from_numpy(np.random.default_rng(1).normal(size=(4, pixels)).astype(np.float32)).to(device).t()

    def forward() -> None:
        with torch.no_grad():
            render_flat(scene, engine)

    def both() -> None:
        for p in moving.parameters:
            p.grad = None
        render_flat(moving, engine).backward(slope)

    memory = Memory(device)
    step = graphed(moving, slope) if args.graph and engine == "cuda" else both
    least = 3 if first else 1
    f, _ = timed(forward, args.seconds, least, device)
    b, cpu = timed(step, args.seconds, least, device)
    row = {"scene": name, "paths": scene.topology.count, "size": int(scene.topology.sizes.max()), "engine": engine,
           "forward_ms": round(statistics.median(f), 3), "forward_backward_ms": round(statistics.median(b), 3),
           "cpu_ms": round(statistics.median(cpu), 3), "fastest_ms": round(min(b), 3), "slowest_ms": round(max(b), 3),
           "runs": len(b),
           "peak_mb": round(memory.peak(), 1)}
    if engine == "cuda":
        row["gb_per_s"] = round(bytes_moved(moving) / row["forward_backward_ms"] / 1e6, 1)
    return row


def graphed(moving: Any, slope: Any) -> Callable[[], None]:
    """Forward and backward as a graph; an optimizer that moves nothing stands in for the last kernel launches."""
    import torch
    from gradvec.optimize.adam import Adam
    from gradvec.render import render_flat
    from gradvec.render.cuda.graph import ReplayedSteps
    leaves = [p for p in moving.parameters if p.requires_grad]
    still = Adam(leaves, [torch.zeros((), device=p.device) for p in leaves])

    def make(render: Callable[[Any], Any], numbers: tuple[Any, ...]) -> Any:
        picture = render(moving)
        picture.backward(slope)
        still.move(*numbers)
        return picture.detach()

    steps = ReplayedSteps(make, still.state, lambda scene: render_flat(scene, "cuda"), "benchmark")
    return lambda: (steps(still.numbers(1.0)), None)[1]


def bytes_moved(scene: Any) -> float:
    """What forward + backward must write and read: five planes an entry twice, the picture three times."""
    import torch
    from gradvec.render.cuda import render_with
    with torch.no_grad():
        entries = int(render_with(scene)[1])
    return entries * 5 * 256 * 4 * 2 + int(scene.topology.canvas_start[-1]) * 16 * 3


def timed(call: Callable[[], None], seconds: float, least: int, device: str) -> tuple[list[float], list[float]]:
    """Milliseconds of each run by the clock and of the processors, after one run that is thrown away."""
    import torch

    def run() -> tuple[float, float]:
        if device == "cuda":
            torch.cuda.synchronize()
        start, busy = time.perf_counter(), time.process_time()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1e3, (time.process_time() - busy) * 1e3

    thrown_away, _ = run()
    runs = max(least, min(1000, int(seconds * 1e3 / max(thrown_away, 0.01))))
    times: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while len(times) < least or (len(times) < runs and time.perf_counter() < end):
        times.append(run())
    return [t for t, _ in times], [c for _, c in times]


class Memory:
    """Peak memory since it was made, in MB: of the card, or growth of this process's resident memory on Linux."""

    def __init__(self, device: str) -> None:
        self.device = device
        gc.collect()
        if device == "cuda":
            import torch
            torch.cuda.reset_peak_memory_stats()
            return
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # forget the highest resident size so far
        self.before = status("VmRSS")

    def peak(self) -> float:
        if self.device == "cuda":
            import torch
            return torch.cuda.max_memory_allocated() / 1e6
        return max(0.0, status("VmHWM") - self.before)


def status(field: str) -> float:
    """A field of /proc/self/status in MB; NaN where there is no such file."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1e3
    except OSError:
        pass
    return float("nan")


def difference(scene: Any, one: str, other: str) -> float:
    """Root mean square difference of the two engines' pictures."""
    import torch
    from gradvec.render import render_flat
    with torch.no_grad():
        return round(float(((render_flat(scene, one) - render_flat(scene, other)) ** 2).mean().sqrt()), 5)


class Table:
    def __init__(self, engines: list[str]) -> None:
        self.engines = engines
        ratio = f" {'ratio':>8} {'rms':>8}" if len(engines) > 1 else ""
        print(f"{'scene':<26}{'engine':>10}{'forward ms':>12}{'fwd+bwd ms':>12}{'cpu ms':>10}"
              f"{'fastest..slowest':>24}{'runs':>6}{'peak MB':>9}{ratio}")

    def row(self, results: list[dict[str, Any]]) -> None:
        for r in results:
            spread = f"{r['fastest_ms']}..{r['slowest_ms']}"
            extra = f" {r['ratio']:>8} {r['rms_difference']:>8}" if "ratio" in r else ""
            extra += f"  {r['gb_per_s']} GB/s" if "gb_per_s" in r else ""
            print(f"{r['scene']:<26}{r['engine']:>10}{r['forward_ms']:>12}{r['forward_backward_ms']:>12}{r['cpu_ms']:>10}{spread:>20}"
                  f"{r['runs']:>6}{r['peak_mb']:>9}{extra}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
