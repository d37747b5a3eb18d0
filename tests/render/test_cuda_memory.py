"""What the cuda engine keeps of a card's memory, and what it does where that is full."""

from __future__ import annotations

import gc
import logging
import sys
import weakref

import pytest
import torch
from gradvec.render import cuda, render_flat
from gradvec.render.scene import Scene
from render_scenes import derivatives, joined, random_scene, weight_for

pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def on_card(scene: Scene) -> torch.Tensor:
    """The cuda engine on a scene that lives on the processor."""
    return cuda.render_flat(scene.to(device=DEVICE)).cpu()


@pytest.fixture
def passes(monkeypatch) -> list[weakref.ref]:
    """Weak references to all passes that are made, in a Python that does not look for cycles."""
    made: list[weakref.ref] = []
    run = cuda._Pass.__init__

    def init(self, *rest):
        made.append(weakref.ref(self))
        run(self, *rest)

    monkeypatch.setattr(cuda._Pass, "__init__", init)
    gc.collect()
    gc.disable()
    yield made
    gc.enable()


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("back", [False, True])
def test_a_pass_is_gone_with_its_picture(passes, recompute, back):
    scene = random_scene(3, count=1, width=9, height=8).to(device=DEVICE)
    moving = scene.with_parameters(*(p.clone().requires_grad_() for p in scene.parameters))
    picture, _ = cuda.render_with(moving, recompute=recompute)
    if back:
        picture.sum().backward()
    del picture
    assert passes
    assert not any(made() for made in passes)


def test_a_picture_that_is_kept_keeps_no_pass(passes):
    scene = random_scene(3, count=1, width=9, height=8).to(device=DEVICE)
    points = scene.points.clone().requires_grad_()
    picture, _ = cuda.render_with(scene.with_parameters(points, *scene.parameters[1:]))
    assert passes[0]() is not None
    picture.sum().backward()
    assert passes[0]() is None
    assert picture.shape == (72, 4)


def test_room_is_made_when_nothing_holds_the_tensors_any_more(monkeypatch, passes):
    """A traceback holds what its frames hold: memory is given back after it is gone."""
    def full(self):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(cuda._Pass, "picture", full)
    seen = []
    monkeypatch.setattr(cuda, "_make_room", lambda: seen.append((sys.exc_info()[0], [made() for made in passes])))
    on_card(random_scene(3, count=1, width=9, height=8))
    assert seen == [(None, [None])]


def test_a_scene_that_is_too_large_is_not_tried_again(monkeypatch, caplog):
    scene = joined([random_scene(n, count=1, width=9, height=8) for n in range(4)])
    tried = out_of_memory_above(monkeypatch, 2)
    with caplog.at_level(logging.WARNING):
        first = on_card(scene)
        halves = [id(part.topology) for part in cuda._halves(scene)]
        again = on_card(scene)
    assert tried == [4, 2, 2, 2, 2]
    assert [id(part.topology) for part in cuda._halves(scene)] == halves, "tables of a topology are made once"
    assert len(caplog.records) == 1
    assert torch.equal(first, again)


def out_of_memory_above(monkeypatch, most: int) -> list[int]:
    """Makes passes over more than ``most`` canvases fail as a full card does; returns the sizes that were tried."""
    tried = []
    run = cuda._Pass.__init__

    def init(self, t, *rest):
        tried.append(len(t.sizes))
        if len(t.sizes) > most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        run(self, t, *rest)

    monkeypatch.setattr(cuda._Pass, "__init__", init)
    return tried


def test_out_of_memory_works_in_halves_and_says_so(monkeypatch, caplog):
    scene = joined([random_scene(n, count=1, width=9, height=8) for n in range(4)])
    weight = weight_for(scene).float()
    want, want_grads = derivatives(scene, on_card, weight)
    tried = out_of_memory_above(monkeypatch, 2)
    with caplog.at_level(logging.WARNING):
        got, grads = derivatives(scene, on_card, weight)
    assert tried == [4, 2, 2, 2, 2]  # two halves forward, and each again in backward
    assert "does not hold all strokes at once" in caplog.text
    assert (got - want).abs().max() <= 1e-6
    for g, w in zip(grads, want_grads, strict=True):
        assert (g - w).norm() <= 1e-5 * w.norm() + 1e-6


def test_out_of_memory_with_one_canvas_works_on_the_processor(monkeypatch, caplog):
    scene = random_scene(3, count=3, width=12, height=9)
    out_of_memory_above(monkeypatch, 0)
    with caplog.at_level(logging.WARNING):
        got = on_card(scene)
    assert "working on the processor" in caplog.text
    assert (got - render_flat(scene, "cpu")).abs().max() == 0


def test_out_of_memory_in_backward_works_on_the_processor(monkeypatch, caplog):
    scene = joined([random_scene(n, count=1, width=9, height=8) for n in range(2)])
    weight = weight_for(scene).float()
    _, want = derivatives(scene, "cpu", weight)
    moving = scene.with_parameters(*(p.to(DEVICE).clone().requires_grad_() for p in scene.parameters))
    picture, _ = cuda.render_with(moving, recompute=True)
    out_of_memory_above(monkeypatch, 0)
    with caplog.at_level(logging.WARNING):
        (picture * weight.to(DEVICE)).sum().backward()
    assert "working on the processor" in caplog.text
    for p, w in zip(moving.parameters, want, strict=True):
        assert (p.grad.cpu() - w).norm() <= 1e-5 * w.norm() + 1e-6
