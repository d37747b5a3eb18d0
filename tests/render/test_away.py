"""A card that fails in the middle: the processor goes on with the same step. The card is played by an engine that fails
when it is told to, so the way there and back, and what is lost on it, are the real ones."""

from __future__ import annotations

import logging

import pytest
import torch
from gradvec.render import card, choose, cpu, reference
from gradvec.render.away import render_away
from gradvec.render.scene import Scene
from render_scenes import derivatives, random_scene, weight_for

LOST = [RuntimeError("CUDA error: unspecified launch failure"), torch.cuda.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered")]


class Card:
    """The cpu engine as a card that fails at the ``fails``-th call, forward and backward counted alike."""

    def __init__(self, fails: int = 10**9, error: Exception = LOST[0]) -> None:
        self.calls, self.fails, self.error = 0, fails, error

    def count(self) -> None:
        self.calls += 1
        if self.calls >= self.fails:
            raise self.error

    def render(self, scene: Scene) -> torch.Tensor:
        self.count()
        return _Counting.apply(cpu.render_flat(scene), self)


class _Counting(torch.autograd.Function):
    @staticmethod
    def forward(ctx, picture, engine):
        ctx.engine = engine
        return picture.clone()

    @staticmethod
    def backward(ctx, *grads):
        ctx.engine.count()
        return grads[0], None


@pytest.fixture(autouse=True)
def forget():
    """What is remembered of the card is for one test."""
    before = card._passing.trouble, card._passing.until
    card._passing.trouble, card._passing.until = None, 0.0
    yield
    card._passing.trouble, card._passing.until = before


def descent(engine: Card, steps: int = 6) -> list[torch.Tensor]:
    """Outlines after each step of a descent to another scene's picture."""
    scene = random_scene(4, count=6, width=40, height=30)
    goal = reference.render_flat(random_scene(5, count=6, width=40, height=30))
    points = scene.points.clone().requires_grad_()
    passed = []
    for _ in range(steps):
        picture = render_away(scene.with_parameters(points, *scene.parameters[1:]), "cpu", engine.render,
                              cpu.render_flat)
        ((picture - goal) ** 2).sum().backward()
        with torch.no_grad():
            points -= 0.05 * points.grad
        points.grad = None
        passed.append(points.detach().clone())
    return passed


@pytest.mark.parametrize("error", LOST, ids=["lost", "full", "Triton"])
@pytest.mark.parametrize("call", range(1, 13))
def test_a_card_that_fails_at_any_moment_costs_nothing_but_time(call, error, caplog):
    """Six steps, forward and backward: after the fault every step is the one that it would have been."""
    whole = descent(Card())
    with caplog.at_level(logging.WARNING):
        broken = descent(Card(call, error))
    assert all(torch.equal(a, b) for a, b in zip(whole, broken, strict=True))
    assert [r.getMessage().startswith("The graphics card failed") for r in caplog.records] == [True]
    assert choose() == ("cpu", "cpu")


def test_every_derivative_comes_back():
    scene = random_scene(3, count=5, width=30, height=20)
    weight = weight_for(scene).float()
    got, grads = derivatives(scene, lambda s: render_away(s, "cpu", reference.render_flat, cpu.render_flat), weight)
    want, want_grads = derivatives(scene, "reference", weight)
    assert torch.equal(got, want)
    assert all(torch.equal(g, w) for g, w in zip(grads, want_grads, strict=True))


def test_what_needs_no_derivative_gets_none():
    scene = random_scene(3, count=5, width=30, height=20)
    assert not render_away(scene, "cpu", cpu.render_flat, cpu.render_flat).requires_grad
    color = scene.stop_color.clone().requires_grad_()
    moving = Scene(scene.topology, *scene.parameters[:3], color, *scene.parameters[4:])
    with torch.no_grad():
        assert not render_away(moving, "cpu", cpu.render_flat, cpu.render_flat).requires_grad
    engine = Card(2)  # fails on the way back
    render_away(moving, "cpu", engine.render, cpu.render_flat).sum().backward()
    assert color.grad is not None
    assert engine.calls == 2


@pytest.mark.parametrize("call", [1, 2])
def test_a_mistake_of_ours_is_not_hidden(call):
    scene = random_scene(3, count=2, width=12, height=9)
    points = scene.points.clone().requires_grad_()
    engine = Card(call, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        render_away(scene.with_parameters(points, *scene.parameters[1:]), "cpu", engine.render,
                    cpu.render_flat).sum().backward()
    assert card._passing.trouble is None
