"""Steps of the one optimizer on a fake card: nothing of it is left on the processor, and nobody waits for the card."""

import numpy as np
import pytest
import torch
from fake_card import CARD, on_a_card, render_shapes
from gradvec.geometry import self_intersection_cuda
from gradvec.model import Target
from gradvec.optimize import Refinement, loop
from gradvec.optimize.brush_constraint import BrushConstraint
from gradvec.optimize.reduced import ReducedTarget
from gradvec.optimize.smooth import SmoothJoints, TurningPrice
from gradvec.optimize.variables import Freedom, Variables, reach_of, with_gradient
from gradvec.progress import Run
from refined_shapes import SIDE, some_shapes

pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")

RULES = BrushConstraint(0.0), SmoothJoints(30.0, 0.1), TurningPrice(0.01)
WAYS = {
    "brush rules and smooth joints": Refinement(freedom=Freedom(reach=reach_of(0.2)), constraints=RULES, reseeds=0),
    "fidelity 0": Refinement(freedom=Freedom(reach=reach_of(0.0)), reseeds=0),
    "fidelity .5": Refinement(freedom=Freedom(reach=reach_of(0.5)), reseeds=0),
    "fidelity 1": Refinement(freedom=Freedom(reach=reach_of(1.0))),
    "K-means gradients": Refinement(freedom=Freedom(gradients=False, colors=False), reseeds=0),
    "vectorize": Refinement(last=0.03, freedom=Freedom(opacity=False, ground=True), reseeds=0, evenness=0.02),
    "flat": Refinement(flat=True, reseeds=0),
    "refine some": Refinement(fixed=frozenset({"1", "3"}), reseeds=0),
    "refit gradients": Refinement(freedom=Freedom(outlines=False), reseeds=0),
    "recolour among others": Refinement(freedom=Freedom(outlines=False, gradients=False), fixed=frozenset({"0"})),
}


def launch(count: int, *arguments: object) -> None:
    """In the place of the kernel that looks for self-crossings, which has no numbers to look at."""
    tensors = [a for a in arguments if isinstance(a, torch.Tensor)]
    assert len(tensors) == 7
    assert {t.device.type for t in tensors} == {CARD}, "nothing of an outline may stay behind"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("weighted", [False, True])
def test_steps_stay_on_the_card(way, weighted, monkeypatch):
    plan = WAYS[way]
    monkeypatch.setattr(loop, "render_flat", render_shapes)
    monkeypatch.setattr(self_intersection_cuda, "launch", launch)
    shapes = [s if plan.flat else with_gradient(s) for s in some_shapes(5)]
    target = Target(np.full((SIDE, SIDE, 3), 0.5, np.float32), np.ones((SIDE, SIDE), np.float32), (SIDE, SIDE))
    weight = np.ones((SIDE, SIDE), np.float32) if weighted else None
    state = loop.State.of(Variables(shapes, SIDE, SIDE, (1.0, 1.0, 1.0, 1.0), plan.freedom), np.ones(5), 0)
    with on_a_card() as watch:
        under_way = loop._Loop(state.copied_to(CARD), target, ReducedTarget(target), plan, "cuda", Run(), weight, False)
        under_way._step(1.0)  # what is made once, such as affine images, is made here
        watch.waits.clear()
        for _ in range(2):
            under_way._step(0.5)
        under_way._make(render_shapes, torch.ones(3, device=CARD).unbind())  # as a step is captured
    assert watch.waits == []
    assert under_way.state.steps == 3
    assert {leaf.device.type for leaf in under_way.state.variables.leaves()} == {CARD}
