"""The contract: one call, several engines, canvases in one batch, and errors that say what to do."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import pytest
import torch
from gradvec.errors import EngineError
from gradvec.render import choose, render, render_flat
from render_scenes import PARAMETERS, derivatives, joined, random_scene, weight_for

ENGINES = ("reference", "cpu")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_of_canvases_is_each_canvas_alone(engine):
    alone = [random_scene(n, count=n, width=9 + 3 * n, height=40 - 4 * n, background=(0.1, n / 9, 0.3, 0.5))
             for n in range(8)]
    batch = joined(alone)
    weight = weight_for(batch)
    picture, grads = derivatives(batch, engine, weight.float())
    start = batch.topology.canvas_start
    at = [0] * len(PARAMETERS)
    for b, scene in enumerate(alone):
        part = slice(int(start[b]), int(start[b + 1]))
        want, want_grads = derivatives(scene, engine, weight[part].float())
        assert (picture[part] - want).abs().max() <= 1e-6
        for k, w in enumerate(want_grads):
            got = grads[k][at[k]:at[k] + len(w)]
            at[k] += len(w)
            assert (got - w).norm() <= 1e-5 * w.norm() + 1e-6, PARAMETERS[k]


@pytest.mark.parametrize("engine", ENGINES)
def test_picture_of_one_canvas_is_shaped_like_it(engine):
    scene = random_scene(1, width=21, height=13)
    picture = render(scene, engine)
    assert picture.shape == (13, 21, 4)
    assert torch.equal(picture.reshape(-1, 4), render_flat(scene, engine))
    assert picture[..., :3].max() <= picture[..., 3].max()


@pytest.mark.parametrize("engine", ENGINES)
def test_two_pictures_may_be_alive_at_once(engine):
    """A renderer whose buffers are shared between two graphs would give the second one's derivative to the first."""
    scene = random_scene(2)
    weight = weight_for(scene).float()
    one = scene.with_parameters(*(p.clone().requires_grad_() for p in scene.parameters))
    two = scene.with_parameters(*((p * 0.9).requires_grad_() for p in scene.parameters))
    first = render_flat(one, engine)
    second = render_flat(two, engine)
    (second * weight).sum().backward()
    (first * weight).sum().backward()
    for moving in (one, two):
        plain = scene.with_parameters(*(p.detach() for p in moving.parameters))
        for p, want in zip(moving.parameters, derivatives(plain, engine, weight)[1], strict=True):
            assert (p.grad - want).norm() <= 1e-5 * want.norm() + 1e-6


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_number_that_is_none_names_its_outline(engine, bad, name):
    scene = random_scene(3, count=5)
    owner = {"points": scene.topology.point_outline, "geometry": range(5), "stop_offset": scene.topology.stop_outline,
             "stop_color": scene.topology.stop_outline, "opacity": range(5), "background": [0]}[name]
    value = getattr(scene, name).clone()
    value.reshape(len(value), -1)[-1, 0] = bad
    where = "canvas 0" if name == "background" else f"outline {owner[len(value) - 1]}"
    with pytest.raises(EngineError, match=rf"Scene\.{name} of {where} "):
        render(dataclasses.replace(scene, **{name: value}), engine)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_wrong_shape_is_told_with_both_shapes(name):
    scene = random_scene(3, count=5)
    wrong = torch.cat([getattr(scene, name)] * 2)
    with pytest.raises(EngineError, match=rf"Scene\.{name} expects shape \(.*\), got \({len(wrong)}"):
        render(dataclasses.replace(scene, **{name: wrong}))


def test_render_refuses_a_batch():
    with pytest.raises(EngineError, match="one canvas, got 2"):
        render(joined([random_scene(0), random_scene(1)]))


@pytest.mark.parametrize("pair", [("cpu", "cuda"), ("cuda", "cpu")])
def test_engine_and_device_that_contradict_each_other(pair):
    with pytest.raises(EngineError, match="does not run on"):
        choose(*pair)


@pytest.mark.parametrize("pair", [("gpu", "auto"), ("auto", "tpu")])
def test_unknown_names_are_told_with_the_known_ones(pair):
    with pytest.raises(EngineError, match="Choose one of auto"):
        choose(*pair)


def test_importing_the_contract_loads_no_engine():
    code = "import sys, gradvec.render; sys.exit(any(m in sys.modules for m in ('torch', 'numba', 'triton', 'diffvg')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_parameters_that_need_no_derivative_cost_none():
    scene = random_scene(1)
    picture = render(scene, "cpu")
    assert not picture.requires_grad
    moving = dataclasses.replace(scene, opacity=scene.opacity.clone().requires_grad_())
    render(moving, "cpu").sum().backward()
    assert moving.opacity.grad is not None
    assert moving.points.grad is None
