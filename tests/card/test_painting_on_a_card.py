"""Steps of painting and outlining on a fake card: nothing is left on the processor, and nobody waits for the card."""

import numpy as np
import pytest
import torch
from fake_card import CARD, on_a_card, render_shapes
from gradvec.geometry.form import Form
from gradvec.progress import Run
from gradvec.render.scene import Scene
from gradvec.stages.outline import refine as outlining
from gradvec.stages.paint import fit_strokes as fitting
from gradvec.stages.paint import transport
from gradvec.stages.paint.canvas import Goal
from gradvec.stages.paint.keeping import Keeping
from gradvec.stages.paint.stroke_variables import Limits
from painted_strokes import painted
from refined_shapes import SIDE, some_shapes

PALETTE = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.5, 0.2]])


def goal() -> Goal:
    return Goal(torch.full((4, SIDE, SIDE), 0.5), torch.ones(SIDE, SIDE), 1.0)


def render(scene: Scene, engine: str) -> torch.Tensor:
    return render_shapes(scene).reshape(SIDE, SIDE, 4)


@pytest.mark.parametrize(("brush", "way"), [
    ("oil", "plain"), ("watercolor", "plain"), ("mixed", "plain"), ("oil", "transport"), ("oil", "palette"),
    ("marker", "one colour"), ("tape", "fading"), ("mixed", "rules")])
def test_painting_stays_on_the_card(brush, way, monkeypatch):
    form = Form(torch.ones(2, SIDE, SIDE), torch.ones(SIDE, SIDE), 1.0)
    limits = Limits(2.5, 30.0, SIDE, SIDE, way == "one colour", PALETTE if way == "palette" else None,
                    Keeping.of(0.0, form) if way == "rules" else None)
    settings = fitting.FitSettings(limits, (1.0, 1.0, 1.0, 1.0), opaque=way != "fading",
                                   transport=0.5 if way == "transport" else 0.0)
    monkeypatch.setattr(fitting, "render", render)
    monkeypatch.setattr(transport, "ITERATIONS", 2)
    variables = painted(brush)
    state = fitting.FitState.of(variables, settings.opaque)
    with on_a_card() as watch:
        monkeypatch.setattr(fitting.Fit, "_keep", lambda fit: None)  # fake tensors cannot come back
        views = fitting.Views(9, brush == "mixed")
        fit = fitting.Fit(state.copied_to(CARD), goal(), settings, "cuda", views, 9, (1.0, 0.5), lambda i, p: False)
        fit.step(1.0)  # what is made once is made here
        watch.waits.clear()
        bench = fit._bench
        bench.state.adam.steps = fitting.SIZES_EVERY - 1  # the second step looks at the strokes' lengths again
        for _ in range(2):
            fit.step(0.5)
        bench.make(render_shapes, torch.ones(2, device=CARD).unbind())  # as a step is captured
    assert watch.waits == []
    assert {t.device.type for t in bench.state.variables.tensors()} == {CARD}
    assert len(bench.state.variables.shape) == 9


def test_outlining_stays_on_the_card(monkeypatch):
    monkeypatch.setattr(outlining, "render_flat", render_shapes)
    outlines = [shape.outline for shape in some_shapes(4)]
    points = np.concatenate([loop for outline in outlines for loop in outline.loops])
    scene = outlining.stroke_scene(outlines, points, [(SIDE, SIDE)] * 4)
    leaf = scene.points.clone().requires_grad_()
    state = outlining._State(leaf, outlining.Adam([leaf], [torch.tensor(0.3)]))
    bounds = torch.ones_like(scene.points), torch.zeros_like(scene.points), torch.full_like(scene.points, SIDE)
    work = outlining._Work(scene, outlining.Joints.of(scene.points, scene.topology),
                           torch.ones(2, 4 * SIDE * SIDE), bounds)
    with on_a_card() as watch:
        batch = outlining._Batch(state.copied_to(CARD), work, "cuda", False, 9, Run(), (0.0, 1.0))
        batch.step(1.0)
        watch.waits.clear()
        for _ in range(2):
            batch.step(0.5)
    assert watch.waits == []
    assert batch._state.points.device.type == CARD
