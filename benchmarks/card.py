"""What a graphics card is worth to gradvec: one report of everything, in under ten minutes, whatever fails on the way.

    make card                                       # or: python benchmarks/card.py -o out/card.md
    TRITON_INTERPRET=1 python benchmarks/card.py --tiny    # the script itself, without a card and with tiny pictures

The report: versions, memory and driver; gradvec doctor; four jobs cold (nothing compiled yet), from the disk (a new
process, kernels compiled before) and warm (again in one process), beside the processor; the engine's benchmark step by
step and as a graph, with the bytes that it moves a second against what the card can copy; a profile of a refinement;
the engine's tests on the card. Every part is a process of its own with a time limit, and the report is written after
each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
try:
    import gradvec  # noqa: F401
except ImportError:
    sys.path.insert(0, str(ROOT / "backend"))

JOBS = ("painting", "fidelity 1", "vectorize", "editing")
TESTS = ("tests/render/test_render_cuda.py", "tests/render/test_cuda_memory.py", "tests/render/test_cuda_graph.py",
         "tests/render/test_card.py", "tests/render/test_away.py", "tests/card")
SERIES = "500@512,2000@1024,20000@4096"


class Report:
    """Parts of a report, written as soon as they are known, and the time that is left for the others."""

    def __init__(self, path: Path, minutes: float, patience: float) -> None:
        self.path, self.end, self.patience, self.failed = path, time.monotonic() + 60 * minutes, patience, 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# gradvec on this machine's card\n", encoding="utf-8")

    def part(self, title: str, command: list[str], seconds: float, environment: dict[str, str] | None = None) -> str:
        """Runs one part; what it printed goes into the report and is returned, "" where it failed."""
        left = min(seconds * self.patience, self.end - time.monotonic())
        started = time.monotonic()
        if left < 5:
            return self._write(title, "left out: the time was over", failed=True)
        try:
            done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=left,
                                  check=False, env=os.environ | (environment or {}), stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            said = error.stdout or b""
            text = said.decode(errors="replace") if isinstance(said, bytes) else said
            return self._write(title, f"{text}\nended after {left:.0f} s", failed=True)
        text = done.stdout if done.returncode == 0 else f"{done.stdout}\n{done.stderr[-4000:]}\nexit {done.returncode}"
        self._write(f"{title} ({time.monotonic() - started:.0f} s)", text, failed=done.returncode != 0)
        return done.stdout if done.returncode == 0 else ""

    def _write(self, title: str, text: str, failed: bool) -> str:
        self.failed += failed
        print(f"{'FAILED  ' if failed else 'ok      '}{title}", flush=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"\n## {title}{' FAILED' if failed else ''}\n\n```\n{text.strip()}\n```\n")
        return ""


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    if args.part:
        PARTS[args.part](args)
        return 0
    # The interpreter, as slow as it is, may take its time; a card that does is not worth more of it.
    report = Report(args.output, args.minutes, 4 if args.tiny else 1)
    own = [str(Path(__file__).resolve()), *(["--tiny"] if args.tiny else [])]
    report.part("Versions, memory, driver", [*own, "--part", "machine"], 60)
    report.part("gradvec doctor", ["-m", "gradvec", "doctor"], 90)
    report.part("What the card copies a second", [*own, "--part", "copy"], 60)
    with tempfile.TemporaryDirectory(prefix="gradvec-card-") as kernels:
        for job in JOBS:
            for state in ("cold", "from the disk"):
                report.part(f"{job}, {state}", [*own, "--part", "job", "--job", job, "--state", state], 90,
                            {"TRITON_CACHE_DIR": str(Path(kernels, job.replace(" ", "_")))})
    for graph in ([], ["--graph"]):
        title = "Engine, as a graph" if graph else "Engine, step by step"
        series = "3@24" if args.tiny else SERIES
        scenes = ["--scenes", str(args.scenes)] if args.scenes else []
        only = ["--only", "paths_"] if args.tiny else []
        report.part(title, ["benchmarks/engine.py", "--engine", "cuda", "--series", series, *scenes, *only, *graph], 90)
    report.part("A profile of 30 steps of a refinement", [*own, "--part", "profile"], 60)
    tests = ["tests/render/test_cuda_graph.py"] if args.tiny else list(TESTS)
    report.part("Tests", ["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], 240)
    print(f"{report.path}: {report.failed} parts failed" if report.failed else f"{report.path}: all well")
    return 1 if report.failed else 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "out" / "card.md", help="the report")
    parser.add_argument("--minutes", type=float, default=9.5, help="for everything (default 9.5)")
    parser.add_argument("--scenes", type=Path, help="folder of scenes for the engine's benchmark")
    parser.add_argument("--tiny", action="store_true", help="tiny pictures, to try the script")
    parser.add_argument("--part", choices=tuple(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--state", default="", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


# -- parts, each in a process of its own ---------------------------------------------------------------------------


def machine(args: argparse.Namespace) -> None:
    import torch
    from engine import environment
    print("\n".join(f"{k}: {v}" for k, v in environment().items()))
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        properties = torch.cuda.get_device_properties(0)
        print(f"card: {properties.name}, compute capability {properties.major}.{properties.minor}, "
              f"{properties.multi_processor_count} multiprocessors, {free / 1e9:.1f} of {total / 1e9:.1f} GB free")
        print(subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=False).stdout)
    else:
        print("card: none; Triton's interpreter" if where() == "cuda" else "card: none")


def where() -> str:
    """cuda where its kernels run, on a card or under the interpreter, else cpu."""
    from gradvec.errors import EngineError
    from gradvec.render import choose
    try:
        return choose("cuda")[0]
    except EngineError:
        return "cpu"


def copy(args: argparse.Namespace) -> None:
    """GB read and written a second by copies of a large array: what a kernel may at best move."""
    import torch
    device = "cuda" if torch.cuda.is_available() else "cpu"
    count = 1 << (16 if args.tiny else 28)
    one, two = torch.ones(count, device=device), torch.empty(count, device=device)
    least = min(timed(lambda: two.copy_(one)) for _ in range(10))
    print(f"{8 * count / least / 1e9:.0f} GB/s")


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call, to its end on the card."""
    import torch
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    wait()
    started = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - started


def job(args: argparse.Namespace) -> None:
    """Seconds of one job, of a second one in the same process, and of the same on the processor."""
    engine = where()
    for name, chosen, times in ((engine, engine, 1 if args.state == "cold" else 2), ("cpu", "cpu", 2)):
        if name == "cpu" and args.state == "cold":
            continue
        run, facts = prepared(args.job, chosen, args.tiny), {}
        for number in range(times):
            seconds = timed(lambda run=run, facts=facts: facts.update(run()))
            state = args.state if number == 0 else "warm"
            print(f"{name:<6}{state:<15}{seconds:8.2f} s   {facts.get('paths')} paths, {facts.get('psnr')} dB, stages "
                  f"{facts.get('stage_seconds')}", flush=True)
    if engine == "cuda":
        from gradvec.render.cuda import graph
        print(f"steps that are replayed, and whether a replay did what they do: {graph.trusted}")


def prepared(name: str, engine: str, tiny: bool) -> Callable[[], dict]:
    """The job as a call that returns its report; its drawing, if it needs one, comes from the processor."""
    from gradvec.jobs import run_job
    from gradvec.progress import Run
    picture = (ROOT / "examples" / "astronaut.jpg").read_bytes()
    size = {"size": 16, "strokes": 2} if tiny else {"size": 512, "strokes": 500}
    options = {**size, "engine": engine}
    info: dict = {}
    payloads, kind = {"picture": picture}, "paint"
    if name == "vectorize":
        kind, options = "vectorize", options | {"strokes": 1 if tiny else 64}
    elif name == "fidelity 1":
        options |= {"fidelity": 1.0}
    elif name == "editing":
        svg = run_job("paint", {**size, "engine": "cpu", "fidelity": 0.0}, payloads, {}, Run())[0]["svg"]
        from gradvec.io.svg import read
        kind, payloads = "refine", payloads | {"svg": svg}
        info = {"selected": [s.id for s in read(svg).shapes][:1 if tiny else 100], "what": "both"}
    return lambda: dict(run_job(kind, options, payloads, info, hurried() if tiny else Run())[1])


def hurried() -> object:
    """A run that is told to stop and keep after a few steps: the interpreter takes a tenth of a second for a tile."""
    from gradvec.progress import Progress, Run
    reports: list[Progress] = []

    def hurry(report: Progress) -> None:
        reports.append(report)
        if len(reports) > 8:
            run.token.stop_and_keep()

    run = Run(on_progress=hurry)
    return run


def profile(args: argparse.Namespace) -> None:
    """Which kernels and calls 30 steps of a refinement of 500 strokes spend their time in."""
    import torch
    from torch.profiler import ProfilerActivity
    steps = 1 if args.tiny else 30
    refine = refinement(args, steps)
    refine()
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])]
    with torch.profiler.profile(activities=activities) as seen:
        seconds = timed(refine)
    print(f"{seconds / steps * 1e3:.2f} ms a step, profiled")
    rows = list(seen.key_averages())
    for name in ("cudaLaunchKernel", "cuLaunchKernelEx", "cudaGraphLaunch", "cudaMemcpyAsync", "cudaStreamSynchronize",
                 "cudaDeviceSynchronize"):
        print(f"{name}: {sum(r.count for r in rows if r.key == name) / steps:.1f} a step")
    order = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    print(seen.key_averages().table(sort_by=order, row_limit=25, max_name_column_width=50))


def refinement(args: argparse.Namespace, steps: int) -> Callable[[], object]:
    """A refinement of painted strokes as a call."""
    from gradvec.io import images
    from gradvec.io.svg import read
    from gradvec.jobs import run_job
    from gradvec.optimize.loop import Refinement, refine
    from gradvec.progress import Run
    side, strokes = (16, 2) if args.tiny else (512, 500)
    picture = (ROOT / "examples" / "astronaut.jpg").read_bytes()
    svg = run_job("paint", {"size": side, "strokes": strokes, "engine": "cpu", "fidelity": 0.0}, {"picture": picture},
                  {}, Run())[0]["svg"]
    shapes, target = list(read(svg).shapes), images.load(picture, side)
    work = Refinement(steps=steps, reseeds=0, engine=where())
    return lambda: refine(shapes, target, (1.0, 1.0, 1.0, 1.0), work, Run())


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "machine": machine, "copy": copy, "job": job, "profile": profile}


if __name__ == "__main__":
    sys.exit(main())
