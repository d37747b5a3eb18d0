"""Scenes for the engine's tests and the one comparison that every engine has to pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from gradvec.model import Fill, LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop
from gradvec.render import reference, render_flat
from gradvec.render.scene import ELLIPTIC, RADIAL, Scene, scene_from_shapes

PARAMETERS = ("points", "geometry", "stop_offset", "stop_color", "opacity", "background")


def polygon(*corners: tuple[float, float], at: float = 0.25) -> np.ndarray:
    """(3 S, 2) loop of straight cubics; handles at ``at`` and 1 - ``at``: 1/4 keeps chords exact in binary."""
    corner = np.array(corners, float)
    step = np.roll(corner, -1, 0) - corner
    return np.stack([corner, corner + at * step, corner + (1 - at) * step], 1).reshape(-1, 2)


def turned_round(loop: np.ndarray) -> np.ndarray:
    """The same loop in the other direction; it still begins with an anchor."""
    return np.roll(loop[::-1], 1, 0)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def circle(cx: float, cy: float, r: float) -> np.ndarray:
    """Four cubics that stay within 0.03 % of the radius."""
    k = 0.5522847498
    unit = [(1, 0), (1, k), (k, 1), (0, 1), (-k, 1), (-1, k), (-1, 0), (-1, -k), (-k, -1), (0, -1), (k, -1), (1, -k)]
    return np.array(unit) * r + (cx, cy)


def blob(rng: np.random.Generator, center: np.ndarray, size: float, segments: int = 4) -> np.ndarray:
    """A rough closed loop that may cross itself a little."""
    angle = np.linspace(0, 2 * np.pi, 3 * segments, endpoint=False)
    loop = np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.6, 1.4, (3 * segments, 1)) * size / 2
    return loop[:: rng.choice([-1, 1])] + center


def random_fill(rng: np.random.Generator, center: np.ndarray, size: float, kind: int, stops: int) -> Fill:
    def color() -> tuple[float, float, float]:
        r, g, b = rng.uniform(0, 1, 3)
        return float(r), float(g), float(b)

    if kind == 0:
        return SolidColor(color())
    offsets = np.sort(rng.choice(64, stops, replace=False)) / 63
    made = tuple(Stop(float(o), color(), float(rng.uniform(0.4, 1))) for o in offsets)
    a, b = center + rng.uniform(-0.6, 0.6, (2, 2)) * size
    return LinearGradient(*a, *b, made) if kind == 1 else RadialGradient(*a, float(rng.uniform(0.4, 1) * size), made)


def random_shapes(rng: np.random.Generator, count: int, width: int, height: int, size: float = 12) -> list[Shape]:
    """Blobs of about ``size`` px with all kinds of fill, one in five with a hole or a second part."""
    shapes = []
    for i in range(count):
        center = rng.uniform(-0.1, 1.1, 2) * (width, height)
        loops = [blob(rng, center, size, int(rng.integers(2, 6)))]
        if i % 5 == 0:
            loops.append(blob(rng, center + rng.uniform(-0.4, 0.4, 2) * size, size * 0.5, 3))
        fill = random_fill(rng, center, size, i % 3, 2 + i % 4)
        shapes.append(Shape(Outline(tuple(loops)), fill, float(rng.uniform(0.3, 1))))
    return shapes


def random_scene(seed: int, count: int = 12, width: int = 40, height: int = 32, size: float = 12,
                 background: tuple[float, ...] = (0.2, 0.5, 0.3, 0.6)) -> Scene:
    """float32; use .to() for another dtype."""
    rng = np.random.default_rng(seed)
    return scene_from_shapes(random_shapes(rng, count, width, height, size), width, height, background)


def painted(loops: list[np.ndarray], seed: int = 0) -> list[Shape]:
    """One shape a loop, with a two-stop linear gradient that crosses it."""
    rng = np.random.default_rng(seed)
    return [Shape(Outline((loop,)), random_fill(rng, loop.mean(0), max(float(np.ptp(loop)), 4.0), 1, 2), 0.8)
            for loop in loops]


def under_even_odd(scene: Scene) -> Scene:
    return replace(scene, topology=replace(scene.topology, even_odd=np.ones(scene.topology.count, np.uint8)))


def with_ellipses(scene: Scene, seed: int = 0) -> Scene:
    """The scene with every radial gradient pulled and turned into an ellipse."""
    rng = np.random.default_rng(seed)
    t, geometry = scene.topology, torch.zeros(scene.topology.count, 6, dtype=scene.points.dtype)
    geometry[:, :4] = scene.geometry
    round_ones = t.kind == RADIAL
    for n in np.flatnonzero(round_ones):
        axes = rng.normal(size=(2, 2)) * 0.3 + np.diag(rng.uniform(0.5, 1.2, 2)) * rng.choice([-1, 1])
        geometry[n, 2:] = torch.from_numpy(axes.ravel()) * float(scene.geometry[n, 2])
    topology = replace(t, kind=np.where(round_ones, ELLIPTIC, t.kind).astype(np.uint8))
    return replace(scene, topology=topology, geometry=geometry)


def hard_scenes() -> dict[str, Scene]:
    """One scene for each of the cases in which an engine is most likely to differ. 32 x 24 px unless it says more."""
    rng = np.random.default_rng(7)
    ring = [rectangle(4, 4, 20, 20), rectangle(8, 8, 16, 16)]
    twice = np.concatenate([circle(12, 12, 8), circle(12, 12, 6)])
    eight = polygon((4.3, 4.2), (20.1, 18.6), (20.4, 4.7), (4.6, 18.1))
    cases: dict[str, list[Shape]] = {
        "edges on pixel borders": painted([rectangle(4, 4, 12, 10), rectangle(12, 10, 20, 16)]),
        "edges on pixel borders, turned the other way": painted([turned_round(rectangle(4, 4, 12, 10))]),
        "horizontal and vertical off the grid": painted([rectangle(4.25, 3.5, 11.75, 9.125)]),
        "side by side on the grid": [Shape(Outline((rectangle(4, 4, 9, 10), rectangle(9, 2, 14, 12))),
                                           SolidColor((1, 0, 0)))],
        "on and beside the canvas' border": painted([rectangle(0, 0, 32, 24), rectangle(32, 3, 40, 9),
                                                     rectangle(3, -5, 9, 0), rectangle(-3, 4, 0, 9)]),
        "zero length edges": painted([polygon((5, 5), (5, 5), (14.5, 6), (14.5, 6), (9, 15.5))]),
        "collapsed to a point": painted([polygon((7.5, 7.5), (7.5, 7.5), (7.5, 7.5)), rectangle(2.5, 2.5, 6.5, 9.5)]),
        "collinear": painted([polygon((3.5, 4), (18.5, 13), (8.5, 7)), rectangle(2.5, 14.5, 9.5, 16.5)]),
        "crosses itself": painted([eight]),
        "winds twice": painted([twice]),
        "two loops, one way": [Shape(Outline(tuple(ring)), painted([ring[0]])[0].fill)],
        "a hole": [Shape(Outline((ring[0], turned_round(ring[1]))), painted([ring[0]])[0].fill)],
        "out of the canvas on every side": painted([circle(0, 12, 7), circle(32, 12, 7), circle(16, 0, 7),
                                                    circle(16, 24, 7), circle(0, 0, 5), circle(32, 24, 5)]),
        "larger than the canvas": painted([circle(16, 12, 40), rectangle(-50, 5.5, 90, 9.25)]),
        "far outside": painted([circle(-4000, 12, 7), circle(16, 9000, 7), circle(4000, -4000, 50),
                                circle(16, 12, 5)]),
        "one pixel and less": painted([rectangle(3, 3, 4, 4), rectangle(6.25, 6.25, 6.75, 6.5),
                                       circle(10.5, 10.5, 0.5), circle(13.1, 13.3, 0.05), circle(17, 17, 0.5)]),
        "hair thin": painted([rectangle(2, 5.25, 30, 5.3125), rectangle(9.5, 1, 9.53125, 23)]),
        "a stop on another": [Shape(Outline((circle(12, 12, 8),)), LinearGradient(5.2, 6, 19.1, 17, (
            Stop(0.2, (1, 0, 0)), Stop(0.5, (0, 1, 0), 0.7), Stop(0.5, (0, 0, 1)), Stop(0.9, (1, 1, 0), 0.5))))],
        "two stops in one place": [Shape(Outline((circle(12, 12, 8),)), LinearGradient(5.2, 6, 19.1, 17, (
            Stop(0.5, (1, 0, 0)), Stop(0.5, (0, 0, 1), 0.6))))],
        "gradients that are a point": [
            Shape(Outline((circle(8, 12, 6),)),
                  LinearGradient(5, 5, 5, 5, (Stop(0, (1, 0, 0)), Stop(1, (0, 0, 1), 0.5)))),
            Shape(Outline((circle(20, 12, 6),)), RadialGradient(20, 12, 0, (Stop(0, (1, 0, 0)), Stop(1, (0, 1, 1)))))],
        "gradient starts and ends on pixel centres": [
            Shape(Outline((rectangle(2.5, 2.25, 22.5, 20.25),)),
                  LinearGradient(6.5, 0, 14.5, 0, (Stop(0, (1, 0.2, 0)), Stop(0.5, (0, 1, 0)), Stop(1, (0, 0, 1))))),
            Shape(Outline((rectangle(2.5, 2.25, 22.5, 12.25),)),
                  LinearGradient(0, 4.5, 0, 8.5, (Stop(0, (1, 0, 0), 0.5), Stop(1, (0, 0, 1), 0.75)))),
            Shape(Outline((rectangle(12.5, 12.25, 30.5, 22.25),)),
                  RadialGradient(20.5, 16.5, 4, (Stop(0, (1, 0, 0), 0.5), Stop(1, (0, 0, 1), 0.75))))],
        "a single stop": [
            Shape(Outline((circle(12, 12, 8),)), LinearGradient(5, 5, 9, 9, (Stop(0.4, (1, 0.5, 0), 0.6),))),
            Shape(Outline((circle(18, 12, 8),)), RadialGradient(5, 5, 9, (Stop(0.4, (0, 0.5, 0), 0.6),)))],
        "clear and full opacity": [Shape(s.outline, s.fill, o) for s, o in zip(
            painted([circle(8, 8, 6), circle(12, 12, 6), circle(16, 16, 6)]), (0.0, 1.0, 0.5), strict=True)],
        "many loops": [Shape(Outline(tuple(blob(rng, rng.uniform(2, 22, 2), 5) for _ in range(20))),
                             SolidColor((0.3, 0.9, 0.2)), 0.7)],
        "nothing at all": [],
    }
    scenes = {name: scene_from_shapes(shapes, 32, 24, (0.9, 0.8, 0.1, 0.7)) for name, shapes in cases.items()}
    stack = random_shapes(rng, 1000, 32, 24, 14)
    scenes["1,000 overlapping"] = scene_from_shapes(stack, 32, 24, (1, 1, 1, 1))
    for name in ("crosses itself", "winds twice", "two loops, one way", "many loops", "edges on pixel borders"):
        scenes[f"{name}, even-odd"] = under_even_odd(scenes[name])
    stops = (Stop(0, (1, 0, 0), 0.5), Stop(0.5, (0, 1, 0)), Stop(1, (0, 0, 1), 0.75))
    scenes["ellipses"] = with_ellipses(scene_from_shapes(random_shapes(rng, 9, 32, 24, 12), 32, 24, (1, 1, 1, 1)))
    bare = with_ellipses(scene_from_shapes([Shape(Outline((circle(16, 12, 9),)), RadialGradient(16.5, 12.5, 4, stops))
                                            for _ in range(5)], 32, 24))
    bare.geometry[:, 2:] = torch.tensor([[4.0, 0, 0, 0], [0, 0, 0, 0], [3, 1, 6, 2], [4, 0, 0, 8], [0, 8, -4, 0]])
    for n, name in enumerate(("one half axis", "a point", "all in one line", "on the grid", "a quarter turn")):
        only = Scene(replace(bare.topology, loop_points=np.array([0, 12]), outline_loops=np.array([0, 1]),
                             stop_index=np.array([0, 3]), kind=np.array([ELLIPTIC]), canvas=np.array([0]),
                             even_odd=np.array([0])), bare.points[:12], bare.geometry[n:n + 1], bare.stop_offset[:3],
                     bare.stop_color[:3], bare.opacity[:1], bare.background)
        scenes[f"an ellipse: {name}"] = only
    scenes["a canvas of one pixel"] = scene_from_shapes(painted([circle(0.5, 0.5, 0.4)]), 1, 1)
    scenes["a tall canvas"] = scene_from_shapes(random_shapes(rng, 10, 5, 150), 5, 150)
    scenes["a wide canvas"] = scene_from_shapes(random_shapes(rng, 10, 150, 5), 150, 5)
    return scenes


Engine = str | Callable[[Scene], torch.Tensor]


def derivatives(scene: Scene, engine: Engine, weight: torch.Tensor,
                tie: float | None = None) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The flat picture and the derivatives of (weight * picture).sum() with respect to all parameters."""
    moving = scene.with_parameters(*(p.detach().clone().requires_grad_() for p in scene.parameters))
    if engine == "reference":
        picture = reference.render_flat(moving, tie)
    else:
        picture = engine(moving) if callable(engine) else render_flat(moving, engine)
    (picture * weight).sum().backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in moving.parameters]
    return picture.detach(), grads


def weight_for(scene: Scene, seed: int = 0) -> torch.Tensor:
    """(P, 4) random derivative of a made-up loss; float64."""
    pixels = int(scene.topology.canvas_start[-1])
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(pixels, 4)))


def assert_agrees(engine: Engine, scene: Scene, *, value: float = 1e-5, norm: float = 1e-4) -> None:
    """``engine`` equals the reference on ``scene``, in value and in every derivative.

    The reference works in float64 on the very same numbers, with the tie tolerance of the engine's dtype, so what is
    left is the engine's own rounding: 1e-5 is about a hundred roundings of a number near 1 in float32. A derivative
    that is tiny beside the rounding of its terms is held to an absolute floor, which the norm of the weight sets.
    """
    weight = weight_for(scene)
    tie = reference.tolerance(scene.points.dtype)
    want, want_grads = derivatives(scene.to(torch.float64), "reference", weight, tie)
    got, got_grads = derivatives(scene, engine, weight.to(scene.points.dtype))
    assert got.dtype == scene.points.dtype
    assert (got.double() - want).abs().max().item() <= value if want.numel() else got.numel() == 0
    for name, g, w in zip(PARAMETERS, got_grads, want_grads, strict=True):
        g = g.double()
        assert torch.isfinite(g).all(), name
        error, size = (g - w).norm().item(), w.norm().item()
        floor = 10 * torch.finfo(scene.points.dtype).eps * max(1.0, weight.norm().item())
        assert error <= norm * size + floor, f"{name}: off by {error:.3g} of {size:.3g}"
        if size > 100 * floor:
            cosine = (g * w).sum().item() / (g.norm().item() * size)
            assert cosine >= 0.9999, f"{name}: cosine {cosine:.6f}"


def joined(scenes: list[Scene]) -> Scene:
    """Scenes with one canvas each as one scene with many canvases."""
    def ends(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(a) for a in arrays]))]).astype(np.int64)

    topologies = [s.topology for s in scenes]
    topology = replace(
        topologies[0],
        loop_points=ends([t.loop_points for t in topologies]),
        outline_loops=ends([t.outline_loops for t in topologies]),
        stop_index=ends([t.stop_index for t in topologies]),
        kind=np.concatenate([t.kind for t in topologies]),
        even_odd=np.concatenate([t.even_odd for t in topologies]),
        canvas=np.repeat(np.arange(len(scenes)), [t.count for t in topologies]),
        sizes=np.concatenate([t.sizes for t in topologies]),
    )
    return Scene(topology, *(torch.cat(p) for p in zip(*(s.parameters for s in scenes), strict=True)))
