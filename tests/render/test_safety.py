"""What a program can do wrong around the engine: malformed scenes, copies, types, processes, derivatives."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from gradvec.errors import EngineError
from gradvec.render import render, render_flat
from gradvec.render.scene import Topology
from render_scenes import PARAMETERS, derivatives, joined, random_scene, weight_for

ENGINES = ("reference", "cpu")


def topology(**changed):
    """Two outlines, the second with a hole and a gradient, and what is changed of them."""
    arrays = {"loop_points": [0, 12, 21, 30], "outline_loops": [0, 1, 3], "stop_index": [0, 1, 3], "kind": [0, 1],
              "canvas": [0, 1], "sizes": [[8, 9], [5, 6]]}
    arrays.update(changed)
    pieces, even_odd = arrays.pop("pieces", 8), arrays.pop("even_odd", None)
    return Topology(*(np.array(a) for a in arrays.values()), pieces, even_odd)


MALFORMED = {
    "a loop of 11 points": ({"loop_points": [0, 11, 21, 30]}, "loop 0 does not hold 3 points per segment"),
    "loops that end too early": ({"outline_loops": [0, 1, 2]}, "loop_points expects 3 offsets"),
    "loops that go back": ({"outline_loops": [0, 4, 3]}, "outline_loops: entry 1 is followed by a smaller one"),
    "offsets from 1": ({"loop_points": [3, 12, 21, 30]}, "that start at 0"),
    "negative offsets": ({"loop_points": [0, -3, 21, 30]}, "entry 0 is followed by a smaller one"),
    "a canvas too many": ({"canvas": [0, 2]}, "outline 1 is on none of the 2 canvases"),
    "a canvas below 0": ({"canvas": [-1, 0]}, "outline 0 is on none"),
    "canvases that go back": ({"canvas": [1, 0]}, "outline 1 is on an earlier canvas"),
    "no pieces": ({"pieces": 0}, "pieces expects a whole number from 1"),
    "half a piece": ({"pieces": 2.5}, "pieces expects a whole number from 1"),
    "kind 7": ({"kind": [0, 7]}, "outline 1 is no SOLID"),
    "a solid fill with two stops": ({"kind": [0, 0]}, "outline 1 is SOLID"),
    "no stop": ({"stop_index": [0, 1, 1]}, "outline 1 has no stop"),
    "a canvas of no width": ({"sizes": [[8, 9], [0, 6]]}, "canvas 1 is not 1 to"),
    "a canvas without height": ({"sizes": [[8], [5]]}, r"sizes expects shape \(B, 2\)"),
    "a canvas like an ocean": ({"sizes": [[8, 9], [1 << 40, 6]]}, "canvas 1 is not 1 to"),
    "even-odd for one": ({"even_odd": np.array([1])}, "even_odd has 1 entries"),
    "even-odd 3": ({"even_odd": np.array([1, 3])}, "outline 1 is neither 0 nor 1"),
    "broken numbers": ({"loop_points": [0.0, 12.5, 21, 30]}, "loop_points expects an array of whole numbers"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_topology_is_refused_when_it_is_made(name):
    changed, message = MALFORMED[name]
    topology()
    with pytest.raises(EngineError, match=f"topology is malformed: .*{message}"):
        topology(**changed)


def test_what_was_looked_at_cannot_be_changed_from_outside():
    kind = np.zeros(2, np.uint8)
    t = topology(kind=kind, stop_index=[0, 1, 2])
    kind[:] = 7
    assert t.kind.tolist() == [0, 0]


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_leave_the_buffers_behind(copied):
    scene = random_scene(1, width=400, height=300)
    small = len(pickle.dumps(scene))
    want = render(scene, "cpu")
    assert len(pickle.dumps(scene)) == small < 20_000
    twin = copied(scene)
    assert twin == scene
    assert torch.equal(render(twin, "cpu"), want)


def test_scenes_are_equal_where_all_of_them_is():
    scene = random_scene(1)
    assert scene == random_scene(1)
    assert scene != random_scene(2)
    assert scene != scene.with_parameters(scene.points + 1, *scene.parameters[1:])
    assert scene != dataclasses.replace(scene, topology=dataclasses.replace(scene.topology, pieces=5))
    assert scene.topology != "a scene"
    assert len({scene, scene}) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(engine, dtype):
    scene = random_scene(1).to(dtype)
    weight = weight_for(scene)
    def call(scene):
        return render_flat(scene, engine)

    picture, grads = derivatives(scene, call, weight.to(dtype))
    want, want_grads = derivatives(scene.to(torch.float32), call, weight.to(dtype).float())
    assert picture.dtype == dtype
    assert torch.equal(picture, want.to(dtype))
    for g, w in zip(grads, want_grads, strict=True):
        assert g.dtype == dtype
        assert (g.float() - w).norm() <= 2 * torch.finfo(dtype).eps * w.norm()


@pytest.mark.parametrize("name", PARAMETERS[1:])
def test_mixed_types_are_named(name):
    scene = random_scene(1)
    mixed = dataclasses.replace(scene, **{name: getattr(scene, name).double()})
    with pytest.raises(EngineError, match=rf"Scene\.{name} is torch.float64 .* Scene.points is torch.float32"):
        render(mixed)


def test_whole_numbers_are_no_coordinates():
    with pytest.raises(EngineError, match="must be floating point"):
        render(random_scene(1).to(torch.int64))


@pytest.mark.parametrize("engine", ENGINES)
def test_torch_func_gives_the_same_derivative(engine):
    scene = random_scene(1)
    weight = weight_for(scene).float()

    def loss(points):
        return (render_flat(scene.with_parameters(points, *scene.parameters[1:]), engine) * weight).sum()

    assert torch.equal(torch.func.grad(loss)(scene.points), derivatives(scene, engine, weight)[1][0])


def test_a_second_derivative_is_refused_in_a_sentence():
    scene = random_scene(1)
    moving = scene.points.clone().requires_grad_()
    loss = render_flat(scene.with_parameters(moving, *scene.parameters[1:]), "cpu").square().sum()
    (first,) = torch.autograd.grad(loss, moving, create_graph=True)
    with pytest.raises(EngineError, match="differentiated once"):
        first.sum().backward()


@pytest.mark.parametrize("engine", ENGINES)
def test_vmap_is_refused_in_a_sentence(engine):
    scene = random_scene(1)
    with pytest.raises(EngineError, match=r"inside torch\.vmap"):
        torch.vmap(lambda points: render_flat(scene.with_parameters(points, *scene.parameters[1:]), engine))(
            scene.points[None])


def test_a_derivative_that_is_no_number_names_its_px():
    scene = joined([random_scene(1), random_scene(2)])
    moving = scene.points.clone().requires_grad_()
    picture = render_flat(scene.with_parameters(moving, *scene.parameters[1:]), "cpu")
    slope = torch.ones_like(picture)
    second = int(scene.topology.canvas_start[1])
    painted = second + int((picture[second:] - picture[-1]).abs().sum(1).argmax())
    slope[painted, 1] = float("nan")
    y, x = divmod(painted - second, 40)
    with pytest.raises(EngineError, match=rf"at px \({x}, {y}\) of canvas 1"):
        picture.backward(slope)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_picture_may_be_changed_in_place(engine):
    scene = random_scene(1)
    weight = weight_for(scene).float()
    want = derivatives(scene, engine, weight)[1][0]
    moving = scene.points.clone().requires_grad_()
    for flat in (False, True):
        shown = scene.with_parameters(moving, *scene.parameters[1:])
        picture = render_flat(shown, engine) if flat else render(shown, engine)
        picture.mul_(2)
        (picture.reshape(-1, 4) * weight).sum().backward()
        assert (moving.grad - 2 * want).norm() <= 1e-5 * want.norm()
        moving.grad = None


def test_torchs_threads_are_the_callers():
    code = ("import torch; torch.set_num_threads(2); from render_scenes import random_scene\n"
            "from gradvec.render import render; render(random_scene(1), 'cpu'); print(torch.get_num_threads())")
    assert in_a_new_process(code).stdout.strip() == "2"


FORK = """
import os, sys
from gradvec.render import render
from gradvec.errors import EngineError
from render_scenes import random_scene
scene = random_scene(1, width=300, height=300)
want = render(scene, "cpu")
child = os.fork()
if child == 0:
    try:
        os._exit(10 if (render(scene, "cpu") == want).all() else 11)
    except EngineError as error:
        os._exit(12 if "forked" in str(error) and "spawn" in error.remedy else 13)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP ends forked processes")
@pytest.mark.parametrize(("layer", "end"), [("omp", "12"), ("workqueue", "10")])
def test_a_forked_process_is_told_or_renders(layer, end):
    done = in_a_new_process(FORK, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")
    assert done.stdout.strip() == end, done.stderr


def in_a_new_process(code, **environment):
    path = os.pathsep.join(p for p in sys.path if p)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": path, **environment})


def test_the_engine_needs_torch_numba_and_numpy_alone():
    """A fresh interpreter in which nothing else of what gradvec depends on can be found."""
    code = """
import importlib.abc, sys
class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"scipy", "sklearn", "skimage", "PIL", "lxml", "resvg_py", "platformdirs"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nothing())
from render_scenes import random_scene
from gradvec.render import render
import gradvec.render.strokes, gradvec.render.shapes
print(render(random_scene(1), "cpu").shape)
import gradvec
ours = {n.split(".")[1] for n in sys.modules if n.startswith("gradvec.")}
print(*sorted(ours))
"""
    done = in_a_new_process(code)
    assert done.stdout.splitlines() == ["torch.Size([32, 40, 4])", "errors model render"]
