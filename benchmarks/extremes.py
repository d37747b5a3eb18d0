"""What the main job takes at its extremes: ``python benchmarks/extremes.py [CASE ...]``.

Each case paints a picture made here with ``gradvec paint`` in a process of its own and prints its exit code, seconds of
the clock and of the processor, and the most memory that it held, as a table. Pictures and drawings are thrown away.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

#: px of the side of an ordinary picture.
SIDE = 512


@dataclass(frozen=True)
class Case:
    """picture: what is painted. arguments: of ``gradvec paint``."""

    picture: Callable[[], np.ndarray]
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What a case took: code, clock and processor in s, memory in bytes, size of the SVG in bytes, its last message."""

    code: int
    clock: float
    processor: float
    memory: int
    written: int
    said: str


def waves(width: int, height: int) -> np.ndarray:
    """(H, W, 3) uint8: smooth colours with edges, made row by row, so that a large picture is not held as floats."""
    picture = np.empty((height, width, 3), np.uint8)
    across = np.linspace(0, 12 * np.pi, width)
    for row in range(height):
        tone = np.sin(across + 9 * row / height) + np.sin(across * 0.37 - 17 * row / height)
        picture[row] = np.stack([127 + 60 * tone, 127 + 90 * np.sign(tone), 200 - 50 * tone], -1).clip(0, 255)
    return picture


def noise() -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: every pixel at random."""
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def clear(visible: int) -> np.ndarray:
    """(SIDE, SIDE, 4) uint8: transparent but for ``visible`` px."""
    picture = np.zeros((SIDE, SIDE, 4), np.uint8)
    picture.reshape(-1, 4)[SIDE * SIDE // 2:SIDE * SIDE // 2 + visible] = 200, 30, 60, 255
    return picture


CASES = {
    "1 x 1 px": Case(lambda: waves(1, 1)),
    "1 x 10000 px": Case(lambda: waves(1, 10000)),
    "12000 x 8000 px": Case(lambda: waves(12000, 8000)),
    "one colour": Case(lambda: np.full((SIDE, SIDE, 3), 90, np.uint8)),
    "noise": Case(noise),
    "transparent": Case(lambda: clear(0)),
    "one visible px": Case(lambda: clear(1)),
    "1 stroke": Case(lambda: waves(SIDE, SIDE), ("--strokes", "1")),
    "2 strokes": Case(lambda: waves(SIDE, SIDE), ("--strokes", "2")),
    "20,000 strokes, 4096 px": Case(lambda: waves(4096, 4096), ("--strokes", "20000", "--size", "4096", "--force")),
}


def take(name: str, folder: Path) -> Taken:
    """Runs a case in a process of its own."""
    picture, drawing = folder / "picture.png", folder / "drawing.svg"
    drawing.unlink(missing_ok=True)
    # The system counts what a parent held towards its child's memory: pictures are made in processes of their own.
    subprocess.run([sys.executable, __file__, name, "--picture", picture], check=True)
    command = [sys.executable, "-m", "gradvec", "paint", str(picture), "-o", str(drawing), "--quiet",
               *CASES[name].arguments]
    began = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stderr is not None
        said = process.stderr.read().strip()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Taken(process.returncode, time.perf_counter() - began, used.ru_utime + used.ru_stime,
                 used.ru_maxrss * 1024, drawing.stat().st_size if drawing.exists() else 0, said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"which (default: all of {'; '.join(CASES)})")
    parser.add_argument("--picture", type=Path, help="write the picture of the one case that is named there, no more")
    args = parser.parse_args()
    if unknown := set(args.cases) - set(CASES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if args.picture is not None:
        Image.fromarray(CASES[args.cases[0]].picture()).save(args.picture, compress_level=1)
        return 0
    print(f"{date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n")
    print("| case | exit code | clock | processor | memory | SVG | says |\n|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in args.cases or CASES:
            taken = take(name, Path(folder))
            print(f"| {name} | {taken.code} | {taken.clock:.1f} s | {taken.processor:.1f} s | "
                  f"{taken.memory / 2**30:.2f} GB | {taken.written / 1024:.0f} kB | {taken.said} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
