"""A whole film: read, cut into shots, each shot painted by a worker, put together again in order."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import GradvecError, InputError, UsageError
from ..io.decode import translated
from ..io.images import png_bytes
from ..looks import look_of
from ..options import Options
from ..progress import Progress, Run
from ..settings import painted_size
from ..workers.pool import Outcome, Pool, Work, map_work
from .flow import Cuts
from .shot import FrameFigures, ShotPainter


@dataclass(frozen=True)
class Shot:
    """What a worker gets. frames: PNG each, at working size. style, own_brushes: as `gradvec paint` takes them."""

    frames: list[bytes]
    options: dict[str, Any]
    style: bytes | None = None
    own_brushes: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class PaintedFrame:
    """packed: the drawing, an SVG compressed by zlib. figures: of it."""

    packed: bytes
    figures: FrameFigures

    @property
    def svg(self) -> bytes:
        return zlib.decompress(self.packed)


def paint_shot(shot: Shot, run: Run) -> list[PaintedFrame]:
    """Every frame of a shot, each from the one before."""
    from ..io import svg

    painter = ShotPainter(Options.from_dict(shot.options), Run(token=run.token), shot.style, shot.own_brushes)
    result = []
    for number, frame in enumerate(shot.frames):
        document, figures = painter.next(frame) if number else painter.first(frame)
        result.append(PaintedFrame(zlib.compress(svg.write(document, relative=True), 6), figures))
        run.step((number + 1) / len(shot.frames))
    return result


@dataclass
class Summary:
    """frames, shots: how many are painted. psnr: dB of each frame. new, gone: strokes that came and went."""

    frames: int = 0
    shots: int = 0
    psnr: list[float] = field(default_factory=list)
    new: int = 0
    gone: int = 0

    def count(self, frame: PaintedFrame) -> None:
        self.frames += 1
        self.psnr.append(frame.figures.psnr)
        self.new += frame.figures.new
        self.gone += frame.figures.gone


def shots_of(frames: Iterator[np.ndarray], size: int) -> Iterator[list[bytes]]:
    """The frames (H, W, 3) uint8 of each shot in turn, as PNGs with their longest side at most ``size`` px."""
    cuts, shot = Cuts(), list[bytes]()
    for frame in frames:
        picture = Image.fromarray(frame)
        scale = min(1.0, size / max(picture.size))
        if scale < 1:
            picture = picture.resize((max(8, round(picture.width * scale)), max(8, round(picture.height * scale))),
                                     Image.Resampling.LANCZOS)
        small = np.asarray(picture)
        if cuts.begins(small.astype(np.float32) / 255) and shot:
            yield shot
            shot = []
        shot.append(png_bytes(small))
    if shot:
        yield shot


def check_look(options: Options) -> None:
    """Raises UsageError for looks that know no strokes that could go on from frame to frame."""
    if look_of(options.look).job != "paint":
        raise UsageError(f"The look {options.look} has no brush strokes that could move with a film.",
                         "Choose another look; `gradvec looks` lists them.")
    if options.gradient == "kmeans" or options.paths_per_stroke > 1:
        raise UsageError("In a film every stroke is one path with a refined gradient.",
                         "Leave out --gradient kmeans, --paths-per-stroke and the look paper.")


def pictures_in(names: Sequence[str]) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 of some pictures, on white; all have the first one's size."""
    size = None
    for name in names:
        with translated(repr(Path(name).name)):
            picture = Image.open(name).convert("RGBA")
        size = size or picture.size
        if picture.size != size:
            raise InputError(f"The frame {Path(name).name} is {picture.width} x {picture.height} px, but the first one "
                             f"is {size[0]} x {size[1]}.", "Give all frames one size.")
        yield np.asarray(Image.alpha_composite(Image.new("RGBA", size, "white"), picture).convert("RGB"))


def paint_film(frames: Iterator[np.ndarray], options: Options, pool: Pool | AbstractContextManager[Pool], run: Run,
               summary: Summary, style: bytes | None = None, own_brushes: Sequence[bytes] = (), retries: int = 2,
               work: Work = paint_shot, total: int | None = None) -> Generator[PaintedFrame, None, None]:
    """The painted frames in order, as they become ready.

    Args:
        frames: (H, W, 3) uint8 each. total: how many there are, where it is known: progress is by frames. work: what a
            worker does with a shot.

    Raises:
        GradvecError: what a shot failed with after all tries; a film has no gaps.
    """
    lengths: dict[int, int] = {}
    # A film's frames are all as large as what is painted: outlines are moved, not drawn from each frame's own edges.
    options = replace(options, size=painted_size(options))

    def items() -> Iterator[tuple[int, Shot]]:
        for number, shot in enumerate(shots_of(frames, painted_size(options))):
            lengths[number] = len(shot)
            yield number, Shot(shot, options.to_dict(), style, list(own_brushes))

    started = time.monotonic()
    with pool as workers:  # type: ignore[union-attr]
        def report() -> None:
            if run.on_progress is not None and lengths:
                mean = sum(lengths.values()) / len(lengths)
                share = min(1.0, (summary.frames + workers.fractions() * mean) / max(total or sum(lengths.values()), 1))
                left = (time.monotonic() - started) * (1 - share) / share if share > 0 else None
                run.on_progress(Progress(f"{summary.frames} frames", share, left))

        yield from _in_order(map_work(workers, work, items(), retries, run.token, report), summary)


def _in_order(outcomes: Iterator[Outcome], summary: Summary) -> Iterator[PaintedFrame]:
    """The frames of all shots, each shot as soon as those before it are there."""
    waiting: dict[int, list[PaintedFrame]] = {}
    for outcome in outcomes:
        error: GradvecError | None = outcome.ended.error
        if error is not None:
            raise error
        waiting[outcome.ended.key] = outcome.ended.value
        while summary.shots in waiting:
            shot = waiting.pop(summary.shots)
            summary.shots += 1
            for frame in shot:
                summary.count(frame)
                yield frame


Render = Callable[[bytes, int, int], np.ndarray]


def shown(frames: Iterator[PaintedFrame], width: int, height: int, render: Render) -> Iterator[np.ndarray]:
    """(height, width, 3) uint8 of each painted frame; sides are made even, as encoders ask for."""
    for frame in frames:
        yield render(frame.svg, max(2, width // 2 * 2), max(2, height // 2 * 2))
