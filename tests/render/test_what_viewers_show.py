"""What the engine computes is what a renderer that we did not write shows of the same SVG.

Tolerances. resvg antialiases with 4 scan lines a pixel and 8-bit layers. So

- where every outline covers a pixel fully or not at all, only rounding to 8 bits is left: half a level for the result
  and half a level for each layer, of which the upper ones hide the lower ones' (2.2 levels is the most seen in 60
  random scenes of up to 12 shapes): 3 levels;
- on edges a shape's coverage may be off by up to a quarter (an edge along a scan line, missed or taken; 0.13 seen),
  on average by far less: the root of the mean square over a scene's edge pixels is held to 0.03 (0.023 seen);
- the errors have no common sign: their mean over the picture is held to half a level.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
import resvg_py
import torch
from gradvec.model import LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop
from gradvec.render import reference, render
from gradvec.render.scene import scene_from_shapes
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from render_scenes import blob, polygon, random_fill, rectangle, turned_round

WIDTH, HEIGHT = 48, 40


def svg_of(shapes: list[Shape], width: int, height: int) -> str:
    """The smallest SVG that says the same: one path and one gradient a shape, full precision."""
    paths, gradients = [], []
    for i, shape in enumerate(shapes):
        loops = []
        for loop in shape.outline.loops:
            turned = np.roll(loop, -1, 0).reshape(-1, 3, 2)
            curves = " ".join("C" + " ".join(f"{x:.9g},{y:.9g}" for x, y in three) for three in turned)
            loops.append(f"M{loop[0, 0]:.9g},{loop[0, 1]:.9g} {curves} Z")
        paint = shape.fill
        if isinstance(paint, SolidColor):
            fill = css(paint.color)
        else:
            fill = f"url(#g{i})"
            stops = "".join(f'<stop offset="{s.offset:.9g}" stop-color="{css(s.color)}" '
                            f'stop-opacity="{s.opacity:.9g}"/>' for s in paint.stops)
            if isinstance(paint, LinearGradient):
                gradients.append(f'<linearGradient id="g{i}" gradientUnits="userSpaceOnUse" x1="{paint.x1}" '
                                 f'y1="{paint.y1}" x2="{paint.x2}" y2="{paint.y2}">{stops}</linearGradient>')
            else:
                gradients.append(f'<radialGradient id="g{i}" gradientUnits="userSpaceOnUse" cx="{paint.cx}" '
                                 f'cy="{paint.cy}" r="{paint.r}">{stops}</radialGradient>')
        paths.append(f'<path d="{" ".join(loops)}" fill="{fill}" opacity="{shape.opacity:.9g}"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}"><defs>{"".join(gradients)}</defs>{"".join(paths)}</svg>')


def strokes(seed: int, count: int, size: float) -> list[Shape]:
    """Loops that do not cross themselves, one in four with a hole: what gradvec writes."""
    rng = np.random.default_rng(seed)
    shapes = []
    for i in range(count):
        center = rng.uniform(-0.1, 1.1, 2) * (WIDTH, HEIGHT)
        loops = [blob(rng, center, size, int(rng.integers(3, 7)))]
        if i % 4 == 3:
            loops.append(turned_round(loops[0] * 0.4 + center * 0.6))
        shapes.append(Shape(Outline(tuple(loops)), random_fill(rng, center, size, i % 3, 2 + i % 3),
                            float(rng.uniform(0.3, 1))))
    return eighths(shapes)


def css(color: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(c * 255):02x}" for c in color)


def eighths(shapes: list[Shape]) -> list[Shape]:
    """The shapes with colours that eight bits can hold, so that both renderers start from the same numbers."""
    def level(color: tuple[float, float, float]) -> tuple[float, float, float]:
        r, g, b = (round(c * 255) / 255 for c in color)
        return r, g, b

    def fill(paint):
        if isinstance(paint, SolidColor):
            return SolidColor(level(paint.color))
        stops = tuple(Stop(s.offset, level(s.color), s.opacity) for s in paint.stops)
        if isinstance(paint, LinearGradient):
            return LinearGradient(paint.x1, paint.y1, paint.x2, paint.y2, stops)
        return RadialGradient(paint.cx, paint.cy, paint.r, stops)

    return [Shape(s.outline, fill(s.fill), s.opacity) for s in shapes]


def both(shapes: list[Shape], width: int = WIDTH, height: int = HEIGHT) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W, 4) premultiplied by the engine and by resvg, and (H, W) whether an edge runs through the pixel."""
    scene = scene_from_shapes(shapes, width, height, pieces=16)
    ours = render(scene, "cpu").numpy()
    png = resvg_py.svg_to_bytes(svg_string=svg_of(shapes, width, height))
    theirs = np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGBA")).astype(np.float32) / 255
    theirs[..., :3] *= theirs[..., 3:]
    edge = np.zeros((height, width), bool)
    for n in range(len(shapes)):
        begin, end = reference.flatten(scene)
        edges = reference.outline_edges(scene.topology)
        part = slice(int(edges[n]), int(edges[n + 1]))
        w = reference.signed_area(begin[part].double(), end[part].double(), (0, 0, width, height))
        edge |= ((w - w.round()).abs() > 1e-4).numpy()
    return ours, theirs, edge


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12), size=st.floats(6, 40))
def test_random_scenes_look_as_resvg_shows_them(seed, count, size):
    ours, theirs, edge = both(strokes(seed, count, size))
    difference = np.abs(ours - theirs)
    if (~edge).any():
        assert difference[~edge].max() <= 3 / 255
    if edge.any():
        assert np.sqrt((difference[edge] ** 2).mean()) <= 0.03
        assert difference[edge].max() <= 0.25
    assert abs((ours - theirs).mean()) <= 0.002


def test_shapes_on_the_grid_are_the_same_to_rounding():
    red_to_blue = LinearGradient(2, 3, 40, 31, (Stop(0, (1, 0, 0)), Stop(1, (0, 0, 1))))
    shapes = eighths([
        Shape(Outline((rectangle(2, 3, 40, 31),)), red_to_blue),
        Shape(Outline((rectangle(10, 10, 30, 36),)), RadialGradient(20, 20, 12, (
            Stop(0.1, (1, 1, 0)), Stop(0.6, (0, 1, 0), 0.4), Stop(1, (0, 0, 0)))), 0.7)])
    ours, theirs, edge = both(shapes)
    assert not edge.any()
    assert np.abs(ours - theirs).max() <= 2.5 / 255


@pytest.mark.parametrize("turn", [0.1, 0.9, 2.3])
def test_half_covered_pixels_are_half_covered(turn):
    """A turned square on its own: both renderers give its area, resvg to the step of its scan lines."""
    corners = [(24 + 15 * np.cos(a), 20 + 15 * np.sin(a)) for a in turn + np.arange(4) * np.pi / 2]
    ours, theirs, edge = both([Shape(Outline((polygon(*corners),)), SolidColor((1, 1, 1)))])
    assert ours[..., 3].sum() == pytest.approx(2 * 15**2, rel=1e-5)
    assert theirs[..., 3].sum() == pytest.approx(2 * 15**2, rel=1e-2)
    assert np.abs(ours - theirs)[~edge].max() <= 0.5 / 255
    assert torch.from_numpy(ours).isfinite().all()
