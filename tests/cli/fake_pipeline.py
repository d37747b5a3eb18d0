"""A pipeline that is quick and knows what it did: stands in for gradvec.pipeline in tests of the command line."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gradvec.errors import InputError
from gradvec.io.document import Report
from gradvec.model import (
    Document,
    Layer,
    LinearGradient,
    Outline,
    Painting,
    Shape,
    Stop,
    StrokePatch,
    Strokes,
)


@dataclass
class Result:
    document: Document
    painting: Painting | None = None
    report: Report | None = None


def rectangle(left, top, right, bottom):
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    following = np.roll(corners, -1, 0)
    step = (following - corners) / 3
    return Outline((np.stack([corners, corners + step, following - step], 1).reshape(-1, 2),))


def result_of(count, width=32, height=24):
    fill = LinearGradient(0, 0, width, 0, (Stop(0, (1, 0, 0)), Stop(1, (0, 0, 1))))
    shapes = tuple(Shape(rectangle(i, i, i + 8, i + 6), fill, id=f"stroke-{i}") for i in range(count))
    strokes = Strokes(np.zeros(count, np.int8), np.zeros(count, np.int16), np.zeros((count, 8), np.float32),
                      np.zeros((count, 4), np.float32), np.zeros((count, 3), np.float32),
                      np.ones((count, 3), np.float32), np.ones(count, np.float32), np.zeros(count, np.int16))
    painting = Painting(strokes, width, height, (1.0, 1.0, 1.0))
    return Result(Document(width, height, (Layer("All", shapes, "all"),), {"seed": 1}), painting,
                  Report(count, count, 4 * count, 25.5, {"paint": 0.1}))


def some_patches(count):
    """Strokes of 8 x 6 px, two columns of the first outside the picture."""
    return [StrokePatch(np.ones((6, 8), np.float32), np.full((6, 8, 3), 0.5, np.float32), (i - 2, i))
            for i in range(count)]


class FakePipeline:
    """seconds: how long a run takes. fail: raised in the middle. calls: what was asked for."""

    def __init__(self, seconds=0.0, fail=None):
        self.seconds, self.fail, self.calls = seconds, fail, []

    def paint_picture(self, source, options, run):
        self.calls.append((source, options))
        if isinstance(source, Path) and b"picture" not in source.read_bytes():
            raise InputError(f"{source.name!r} is not a picture.", "Choose a PNG.")
        return self._run(options, run)

    def vectorize_strokes(self, folder, options, run):
        self.calls.append((folder, options))
        return self._run(options, run)

    def _run(self, options, run):
        for stage, start in (("painting", 0.0), ("outlines", 0.5)):
            with run.stage(stage, start, start + 0.5):
                for i in range(20):
                    time.sleep(self.seconds / 40)
                    run.step(i / 20)
                if self.fail:
                    raise self.fail
        return result_of(min(options.strokes, 5))
