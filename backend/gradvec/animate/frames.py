"""A drawing's making as frames, each of them rendered by resvg from the SVG without what is not there yet.

A frame at a time: memory does not grow with the length of the film.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from lxml import etree

from ..io.svg.read import size_of
from ..io.svg.write import SVG
from ..progress import Run
from ..tools.render_svg import render_svg
from .parts import drawing, parts_of
from .timing import Timing


def count(timing: Timing, fps: float) -> int:
    """How many frames there are, at least one."""
    return max(1, round(timing.total * fps))


def frame_size(data: bytes, size: float | None) -> tuple[int, int]:
    """(width, height) px, even as encoders ask for. size: of the longest side, px; None: as the drawing is."""
    width, height = size_of(drawing(data))
    scale = 1.0 if size is None else size / max(width, height)
    return (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))


def drawing_at(data: bytes, timing: Timing, by: str, time: float) -> bytes:
    """The SVG as it is after ``time`` seconds."""
    return _Stages(data, timing, by).at(time)


class _Stages:
    """A drawing by the opacities of its parts."""

    def __init__(self, data: bytes, timing: Timing, by: str) -> None:
        self._root, self._timing, self._by = drawing(data), timing, by
        self._parts = len(parts_of(self._root, by))

    def at(self, time: float) -> bytes:
        root = copy.deepcopy(self._root)
        opacities = self._timing.opacities(time, self._parts)
        for part, opacity in zip(parts_of(root, self._by), opacities.tolist(), strict=True):
            if opacity <= 0:
                part.getparent().remove(part)
            elif opacity < 1:
                # A group of its own leaves the part's own opacity and style as they are.
                group = etree.Element(f"{{{SVG}}}g", opacity=f"{opacity:.4f}")
                part.getparent().replace(part, group)
                group.append(part)
        return etree.tostring(root)


def frames_of(data: bytes, timing: Timing, by: str, fps: float, size: tuple[int, int], background: str, run: Run,
              workers: int = 2) -> Iterator[np.ndarray]:
    """(height, width, 3) uint8 of each frame; the n-th shows what is there n / fps seconds after the beginning.

    size: (width, height) px. background: a colour as SVG writes it. workers: renderers at the same time.

    Raises:
        InputError: nothing to see, or resvg cannot render it. Cancelled.
    """
    stages, total = _Stages(data, timing, by), count(timing, fps)
    before: tuple[bytes, Future[np.ndarray]] | None = None
    waiting: deque[Future[np.ndarray]] = deque()
    done = 0
    with ThreadPoolExecutor(workers) as pool, run.stage("Rendering frames", 0.0, 1.0):
        for number in range(1, total + 1):
            svg = stages.at(min(number / fps, timing.total))
            if before is None or before[0] != svg:  # a drawing that is held is rendered once
                before = svg, pool.submit(render_svg, svg, *size, background)
            waiting.append(before[1])
            while len(waiting) > (2 * workers if number < total else 0):
                yield waiting.popleft().result()
                done += 1
                run.step(done / total)
