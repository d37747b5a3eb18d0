"""A card that fails while a refinement's variables lie on it: the processor goes on from what was kept, and the outcome
is that of a run that nothing happened to. The cpu engine plays the card and fails when it is told to."""

import itertools
import logging

import numpy as np
import pytest
import torch
from gradvec.errors import Cancelled
from gradvec.model import StrokePatch, Target
from gradvec.optimize import Refinement, fallback, loop, refine
from gradvec.optimize.loss import PictureLoss
from gradvec.progress import Run
from gradvec.render import card, render_flat
from gradvec.stages.outline import refine as outlining
from gradvec.stages.paint import fit_strokes as fitting
from gradvec.stages.paint.canvas import Goal
from painted_strokes import painted
from refined_shapes import SIDE, some_shapes

LOST = RuntimeError("CUDA error: unspecified launch failure")
FULL = torch.cuda.OutOfMemoryError("CUDA out of memory")
WHITE = (1.0, 1.0, 1.0, 1.0)


class _Back(torch.autograd.Function):
    """Nothing, but ``count`` is called on the way back."""

    @staticmethod
    def forward(ctx, picture, count):
        ctx.count = count
        return picture.clone()

    @staticmethod
    def backward(ctx, *grads):
        ctx.count()
        return grads[0], None


@pytest.fixture(autouse=True)
def forget():
    """What is remembered of the card is for one test."""
    card._passing.trouble, card._passing.until = None, 0.0
    yield
    card._passing.trouble, card._passing.until = None, 0.0


@pytest.fixture(autouse=True)
def as_a_card_does(monkeypatch):
    """The processor writes pictures, too, where it would compare band by band: sums then end in the same bits."""
    monkeypatch.setattr(PictureLoss, "backward_of", lambda loss, scene: loss.backward(render_flat(scene, "cpu")))


@pytest.fixture
def plays_card(monkeypatch):
    """plays_card(n, error): the engine is chosen as a card that fails at its n-th call, there and back counted."""
    calls = []

    def play(fails: int, error: Exception = LOST):
        def count():
            calls.append(None)
            if len(calls) >= fails:
                raise error

        def render(scene, engine):
            if engine != "cuda":
                return render_flat(scene, engine)
            count()
            return _Back.apply(render_flat(scene, "cpu"), count)

        def choose(*asked):
            lost = card._passing.trouble is not None and card._passing.trouble.kind == card.LOST
            return ("cpu", "cpu") if lost else ("cuda", "cpu")

        monkeypatch.setattr(loop, "render_flat", render)
        monkeypatch.setattr(fallback, "choose", choose)
        return calls

    return play


def refined(run: Run | None = None, steps: int = 45):
    target = Target(np.random.default_rng(1).random((SIDE, SIDE, 3), np.float32), np.ones((SIDE, SIDE), np.float32),
                    (SIDE, SIDE))
    return refine(some_shapes(6), target, WHITE, Refinement(steps=steps, reseeds=0, engine="cpu"),
                  run or Run())


def alike(a, b) -> bool:
    return all(np.array_equal(p, q) for s, t in zip(a.shapes, b.shapes, strict=True)
               for p, q in zip(s.outline.loops, t.outline.loops, strict=True)) and np.array_equal(a.shown, b.shown)


@pytest.mark.parametrize("fails", [1, 2, 3, 30, 41, 42, 90, 91])
@pytest.mark.parametrize("error", [LOST, FULL], ids=["lost", "full"])
def test_whenever_it_fails_the_outcome_is_the_same(fails, error, plays_card, caplog):
    whole = refined()
    calls = plays_card(fails, error)
    with caplog.at_level(logging.WARNING):
        broken = refined()
    assert len(calls) == fails, "it was not asked again"
    assert alike(whole, broken)
    assert (broken.steps, broken.mse, broken.mse_before) == (whole.steps, whole.mse, whole.mse_before)
    assert [r.getMessage().startswith("The graphics card failed") for r in caplog.records] == [True]


def test_few_steps_are_made_again(plays_card):
    """Twice 40 calls there and back, and the first of the next step."""
    plays_card(2 * 41)
    fractions = []
    refined(Run(on_progress=lambda report: fractions.append(round(report.fraction * 45))))
    again = [b for a, b in itertools.pairwise(fractions) if b <= a]
    assert again == [40]
    assert len(fractions) == 45 + 1


@pytest.mark.parametrize("where", ["PictureLoss", "constraints_for"])
def test_a_card_that_is_full_before_the_first_step(where, plays_card, monkeypatch):
    whole = refined()
    plays_card(10**9)
    run = getattr(loop, where)
    tried = []

    def full(*args):
        tried.append(None)
        if len(tried) == 1:
            raise FULL
        return run(*args)

    monkeypatch.setattr(loop, where, full)
    assert alike(whole, refined())


@pytest.mark.parametrize("brush", ["oil", "mixed"])
@pytest.mark.parametrize("fails", [1, 2, 41, 42, 59])
def test_painting_goes_on(fails, brush, plays_card, monkeypatch):
    """Thirty steps, there and back; what is kept on the way is all that a step needs."""
    def painted_strokes():
        strokes = painted(brush)
        limits = fitting.Limits(2.5, 30.0, SIDE, SIDE)
        rgba = torch.from_numpy(np.random.default_rng(2).random((4, SIDE, SIDE), np.float32))
        seen = []
        fitting.fit_strokes(strokes, Goal(rgba, torch.ones(SIDE, SIDE), 1.0),
                            fitting.FitSettings(limits, WHITE, engine="cpu", opaque=False), 30, (1.0, 0.5),
                            lambda i, draw: seen.append(i) or False)
        return strokes, seen

    whole, steps = painted_strokes()
    plays_card(fails)
    flat = loop.render_flat
    monkeypatch.setattr(fitting, "render", lambda scene, engine: flat(scene, engine).reshape(SIDE, SIDE, 4))
    broken, again = painted_strokes()
    # Where outlines are as long as the longest, sums of derivatives end in other bits.
    least = 2e-5 if brush == "mixed" else 0.0  # px: two of the last places of a number of 64 and more
    assert all((a - b).abs().max() <= least for a, b in zip(whole.tensors(), broken.tensors(), strict=True))
    assert not any(t.requires_grad for t in broken.tensors())
    assert steps == list(range(30))
    assert sorted(set(again)) == steps
    assert len(again) <= 30 + fallback.KEEP_EVERY


def test_outlining_goes_on(plays_card, monkeypatch):
    """The few steps of a batch are made again."""
    def outlined():
        outlines = [shape.outline for shape in some_shapes(4)]
        alpha = np.zeros((SIDE, SIDE), np.float32)
        alpha[6:18, 6:18] = 1.0
        patches = [StrokePatch(alpha, np.zeros((SIDE, SIDE, 3), np.float32), (0, 0))] * 4
        return outlining.refine(patches, outlines, None, None, Run(), engine="cpu")

    whole = outlined()
    plays_card(9)
    monkeypatch.setattr(outlining, "render_flat", loop.render_flat)
    broken = outlined()
    assert all(np.array_equal(a.loops[0], b.loops[0]) for a, b in zip(whole, broken, strict=True))
    assert card._passing.trouble is not None


def test_what_is_no_fault_of_the_card_is_raised(plays_card):
    plays_card(5, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        refined()
    run = Run(on_progress=lambda report: run.token.cancel() if report.fraction > 0.2 else None)
    card._passing.trouble = None
    plays_card(10**9)
    with pytest.raises(Cancelled):
        refined(run)


def test_a_processor_that_says_cuda_is_not_tried_again(monkeypatch):
    def fail(scene, engine):
        raise LOST

    monkeypatch.setattr(loop, "render_flat", fail)
    with pytest.raises(RuntimeError, match="unspecified launch failure"):
        refined()
