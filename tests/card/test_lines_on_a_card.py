"""Lines refined on a card: nothing of a step is left on the processor, and a card that fails costs no line."""

import numpy as np
import pytest
from fake_card import CARD, on_a_card, render_shapes
from gradvec.model import Line
from gradvec.optimize import fallback, lines
from gradvec.progress import Run
from gradvec.render import card, render

SIDE = 24


def some_lines() -> list[Line]:
    rng = np.random.default_rng(0)
    return [Line(rng.uniform(4, 20, (3 * segments + 1, 2)), (0.3, 0.3, 0.3), 2.0) for segments in (1, 1, 2)]


def plan(steps: int = 45) -> lines.LineRefinement:
    return lines.LineRefinement(np.array([[1.0, 9.0]] * 3), (0.3, 1.0), True, steps, engine="cpu")


def test_steps_stay_on_the_card(monkeypatch):
    monkeypatch.setattr(lines, "render", lambda scene, *asked: render_shapes(scene).reshape(SIDE, SIDE, 4))
    own = lines._Drawing(some_lines(), SIDE, SIDE, (1.0, 1.0, 1.0), plan())
    own.recount()
    state = lines._State(own, lines.Adam(own.leaves(), own.rates()))
    with on_a_card() as watch:
        goal = np.ones((SIDE, SIDE, 3), np.float32)
        refining = lines._Refining(state.copied_to(CARD), goal, plan(), "cuda", Run(), False)
        for _ in range(3):
            refining.step(0.5)
            if refining._state.adam.steps == 1:
                watch.waits.clear()
    assert watch.waits == []
    assert {leaf.device.type for leaf in refining._state.own.leaves()} == {CARD}


@pytest.mark.parametrize("fails", [1, 2, 21, 35, 46])
def test_a_card_that_fails_changes_nothing(fails, monkeypatch):
    """The cpu engine plays the card; lines' chords are counted anew at step 30, and step 20 is kept."""
    monkeypatch.setattr(card._passing, "trouble", None)
    monkeypatch.setattr(card._passing, "until", 0.0)
    goal = np.random.default_rng(1).random((SIDE, SIDE, 3), np.float32)
    whole = lines.refine_lines(some_lines(), goal, (1.0, 1.0, 1.0), plan(), Run())
    calls = []

    def fragile(scene, engine):
        if engine == "cuda":
            calls.append(None)
            if len(calls) == fails:
                raise RuntimeError("CUDA error: unspecified launch failure")
        return render(scene, "cpu")

    monkeypatch.setattr(lines, "render", fragile)
    monkeypatch.setattr(fallback, "choose", lambda *asked: ("cpu", "cpu") if len(calls) >= fails else ("cuda", "cpu"))
    broken = lines.refine_lines(some_lines(), goal, (1.0, 1.0, 1.0), plan(), Run())
    assert len(calls) == fails
    assert (broken.steps, broken.before, broken.after) == (whole.steps, whole.before, whole.after)
    for one, other in zip(whole.lines, broken.lines, strict=True):
        assert np.array_equal(one.points, other.points)
        assert (one.width, one.color, one.opacity) == (other.width, other.color, other.opacity)
