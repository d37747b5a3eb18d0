"""The cpu engine against the reference, in value and derivative."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch
from gradvec.model import Outline, Shape, SolidColor
from gradvec.render import render_flat
from gradvec.render.cpu import Renderer
from gradvec.render.scene import Scene, Topology, scene_from_shapes
from render_scenes import assert_agrees, hard_scenes, painted, polygon, random_scene, random_shapes, weight_for

HARD = hard_scenes()


@pytest.mark.parametrize("seed", range(6))
def test_random_scenes(seed):
    assert_agrees("cpu", random_scene(seed))


@pytest.mark.parametrize("name", HARD)
def test_hard_scenes(name):
    assert_agrees("cpu", HARD[name])


@pytest.mark.parametrize("name", [name for name in HARD if name != "1,000 overlapping"])
def test_hard_scenes_in_float64(name):
    assert_agrees("cpu", HARD[name].to(torch.float64), value=1e-12, norm=1e-10)


def test_large_coordinates_keep_their_digits():
    """At 900 px float32 has steps of 6e-5 px; the engine must not lose more than the coordinates themselves have."""
    assert_agrees("cpu", random_scene(3, count=30, width=1000, height=70, size=30))


@pytest.mark.parametrize("far", [1e5, 1e12, 1e20, 1e30])
@pytest.mark.parametrize("turned", [False, True])
def test_what_lies_far_away_changes_nothing(far, turned):
    """A bar that leaves the picture, with a further edge out there that lies on a line between pixels."""
    bar = polygon((4.5, 4.25), (far, 4.25), (far, 9.5), (2 * far, 9.5), (2 * far, 9.75), (4.5, 9.75))
    loop = bar[:, ::-1] if turned else bar
    scene = scene_from_shapes([Shape(Outline((loop,)), SolidColor((0.2, 0.4, 0.6)))], 16, 16)
    points = scene.points.requires_grad_()
    picture = render_flat(scene, "cpu")
    (slope,) = torch.autograd.grad(picture[:, 3].sum(), points)
    across, along = slope[:, int(turned)], slope[:, 1 - int(turned)]
    # All points together move the one side that is in the picture, 5.5 px long.
    assert float(picture[:, 3].sum().detach()) == pytest.approx(11.5 * 5.5, rel=1e-5)
    assert float(across.sum()) == pytest.approx(-5.5, rel=1e-4)
    assert bool(torch.isfinite(along).all())


def test_nothing_is_read_that_nobody_wrote():
    """Buffers are not cleared; edges on the lines between pixels look at cells where nothing is painted."""
    corners = np.array([[2, 2], [14, 2], [14, 6], [6, 6], [6, 12], [2, 12]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    scene = scene_from_shapes([Shape(Outline((loop,)), SolidColor((0.2, 0.4, 0.6)))], 16, 16)
    results = []
    for before in (0.0, float("nan")):
        renderer = Renderer(scene.topology, np.float32)
        picture = renderer.forward(*(p.numpy() for p in scene.parameters))
        renderer._buffer("d_cover", (int(renderer._crop[-1]),))[:] = before
        results.append(renderer.backward(np.ones_like(picture)))
    for clean, poisoned in zip(*results, strict=True):
        np.testing.assert_array_equal(clean, poisoned)


def one_outline_a_canvas():
    """Twelve canvases of different sizes, one outline or none on each, some in several bands of rows."""
    rng = np.random.default_rng(5)
    sizes = [(int(w), int(h)) for w, h in zip(rng.integers(1, 80, 12), rng.integers(1, 300, 12), strict=True)]
    scenes = [scene_from_shapes(random_shapes(rng, 1, w, h, max(w, h) * 0.9), w, h, tuple(rng.uniform(0, 1, 4)))
              for w, h in sizes]
    topologies = [s.topology for s in scenes]

    def joined(name):
        return np.concatenate([[0], np.cumsum([n for t in topologies for n in np.diff(getattr(t, name))])])

    topology = Topology(joined("loop_points"), joined("outline_loops"), joined("stop_index"),
                        np.concatenate([t.kind for t in topologies]), np.arange(12), np.array(sizes))
    return Scene(topology, *(torch.cat(p) for p in zip(*(s.parameters for s in scenes), strict=True)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bands_with_one_outline(dtype):
    exact = {"value": 1e-12, "norm": 1e-10} if dtype == torch.float64 else {}
    assert_agrees("cpu", one_outline_a_canvas().to(dtype), **exact)


def test_the_background_takes_nothing_from_the_others():
    """Without a derivative for the background less is computed; what is left stays the same."""
    for scene in (one_outline_a_canvas(), random_scene(2)):
        renderer = Renderer(scene.topology, np.float32)
        slope = weight_for(scene).numpy().T.astype(np.float32).copy()
        renderer.forward(*(p.numpy() for p in scene.parameters))
        full = renderer.backward(slope, wants_background=True)
        part = renderer.backward(slope, wants_background=False)
        assert all(np.array_equal(a, b) for a, b in zip(full[:-1], part[:-1], strict=True))
        assert full[-1].any()
        assert not part[-1].any()


@pytest.mark.parametrize("name", ["an L on the grid", *HARD])
def test_what_an_earlier_step_left_does_not_come_back(name):
    scene = HARD.get(name)
    if scene is None:
        corner = polygon((2, 2), (20, 2), (20, 18), (14, 18), (14, 8), (2, 8))
        scene = scene_from_shapes(painted([corner]), 32, 24)
    renderer = Renderer(scene.topology, np.float32)
    parameters = [p.numpy() for p in scene.parameters]
    slope = weight_for(scene).numpy().T.astype(np.float32).copy()
    first = renderer.forward(*parameters).copy(), *renderer.backward(slope)
    for dirty in (*renderer._grown.values(), *renderer._pictures._spare):
        dirty[...] = np.nan if dirty.dtype.kind == "f" else 1 << 40
    second = renderer.forward(*parameters).copy(), *renderer.backward(slope)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_what_is_not_a_number_stays_on_its_canvas():
    scene = one_outline_a_canvas()
    renderer = Renderer(scene.topology, np.float32)
    slope = weight_for(scene).numpy().T.astype(np.float32).copy()
    renderer.forward(*(p.numpy() for p in scene.parameters))
    want = renderer.backward(slope)[0]
    start = scene.topology.canvas_start
    slope[:, start[4]:start[5]] = np.nan
    got = renderer.backward(slope)[0]
    here = scene.topology.point_outline == 4
    assert np.isnan(got[here]).any()
    assert np.array_equal(got[~here], want[~here])


def test_a_picture_lives_as_long_as_somebody_looks_at_it():
    scene = random_scene(1)
    first = render_flat(scene, "cpu")
    kept = first.clone()
    column = first[:, 2]
    del first
    dimmer = scene.with_parameters(*scene.parameters[:4], scene.opacity * 0.5, scene.background)
    second = render_flat(dimmer, "cpu")
    assert torch.equal(column, kept[:, 2])
    assert not torch.equal(second, kept)
    where = column.data_ptr() - 2 * column.element_size() * len(column)
    del column
    assert render_flat(scene, "cpu").data_ptr() == where, "memory is used again"


def test_buffers_go_with_their_scene():
    """Not when the garbage collector comes by: pictures of many scenes would pile up until then."""
    scene = random_scene(1)
    render_flat(scene, "cpu")
    (pool,) = vars(scene.topology)["_cpu_pools"].values()
    (renderer,) = pool.free
    gone = weakref.ref(renderer)
    gc.disable()
    try:
        del scene, pool, renderer
        assert gone() is None
    finally:
        gc.enable()
