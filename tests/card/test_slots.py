"""Strokes in slots, of which some are empty, are the strokes themselves: the same pictures, derivatives and ranges."""

import numpy as np
import pytest
import torch
from gradvec.geometry.form import Form
from gradvec.render import render
from gradvec.stages.paint import fit_strokes as fitting
from gradvec.stages.paint.canvas import Goal
from gradvec.stages.paint.keeping import Keeping
from gradvec.stages.paint.slots import BOTH, Slots, kind_of
from gradvec.stages.paint.stroke_variables import Limits, SceneMaker, StrokeVariables
from painted_strokes import painted

SIDE = 24
WHITE = (1.0, 1.0, 1.0, 1.0)
LIMITS = Limits(2.5, 30.0, SIDE, SIDE)


def shown(maker, variables: StrokeVariables) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The picture and the derivatives of a loss of it."""
    leaves = [t.requires_grad_() for t in variables.tensors()]
    picture = render(maker.scene(variables), "cpu")
    slope = torch.linspace(-1, 1, picture.numel()).reshape(picture.shape)
    return picture.detach(), list(torch.autograd.grad((picture * slope).sum(), leaves))


@pytest.mark.parametrize("cubics", [4, 7, 8])
@pytest.mark.parametrize("brush", ["oil", "tape", "dry", "watercolor", "marker", "mixed"])
def test_strokes_in_slots_look_as_they_do_and_move_as_they_do(brush, cubics):
    strokes = painted(brush, 6)
    slots = Slots(painted(brush, 4), 9, BOTH if brush == "mixed" else kind_of(strokes.brush), LIMITS, (SIDE, SIDE),
                  WHITE, cubics)
    slots.put(strokes)
    wanted, slopes = shown(SceneMaker(strokes, (SIDE, SIDE), WHITE, cubics), strokes)
    picture, own = shown(slots, slots.variables)
    assert (picture - wanted).abs().max() < 1e-6
    for got, want in zip(own, slopes, strict=True):
        assert (got[:6] - want).norm() <= 1e-5 * want.norm()
        assert not got[6:].any(), "what is not there does not move"


@pytest.mark.parametrize("brush", ["oil", "mixed"])
def test_ranges_are_those_of_the_strokes_that_are_there(brush):
    form = Form(torch.ones(2, SIDE, SIDE), torch.ones(SIDE, SIDE), 1.0)
    limits = Limits(2.5, 12.0, SIDE, SIDE, keeping=Keeping.of(0.0, form))
    slots = Slots(painted(brush, 4), 9, BOTH, limits, (SIDE, SIDE), WHITE)
    strokes = painted(brush, 7)
    slots.put(strokes)
    slots.apply(slots.variables)
    strokes.project(limits)
    for own, want in zip(slots.variables.tensors(), strokes.tensors(), strict=True):
        assert torch.equal(own[:7], want)


def test_a_view_serves_what_it_has_room_for():
    """Else there is another one; nothing is taken for another goal's."""
    settings = fitting.FitSettings(LIMITS, WHITE, opaque=False)
    goal, other = (Goal(torch.ones(4, SIDE, SIDE), torch.ones(SIDE, SIDE), 1.0) for _ in range(2))
    views = fitting.Views(8, mixed=False)

    def state(brush: str, count: int) -> fitting.FitState:
        return fitting.FitState.of(painted(brush, count), False)

    first = views.of(state("oil", 3), goal, settings, "cpu")
    assert views.of(state("tape", 8), goal, settings, "cpu") is first
    assert first.slots.count == 8
    assert views.of(state("oil", 5), other, settings, "cpu") is not first
    assert views.of(state("marker", 5), goal, settings, "cpu") is not first
    more = views.of(state("oil", 9), goal, settings, "cpu")
    assert (more.slots.room, more is first) == (9, False)
    assert fitting.Views(8, mixed=True).of(state("oil", 3), goal, settings, "cpu").slots.kind == BOTH


def test_progress_goes_with_the_strokes():
    """Into a view that others were fitted in, and back."""
    settings = fitting.FitSettings(LIMITS, WHITE, opaque=False)
    goal = Goal(torch.ones(4, SIDE, SIDE), torch.ones(SIDE, SIDE), 1.0)
    views = fitting.Views(8)
    views.of(fitting.FitState.of(painted("oil", 8), False), goal, settings, "cpu").bench.state.adam.first[0].fill_(5.0)
    given = fitting.FitState.of(painted("oil", 5), False)
    given.adam.steps = 20
    for moment in given.adam.first + given.adam.second:
        moment.copy_(torch.from_numpy(np.random.default_rng(0).random(moment.shape, np.float32)))
    view = views.of(given, goal, settings, "cpu")
    view.bench.look_at_sizes()
    back = view.bench.state.first(view.slots.count).copied_to("cpu")
    assert back.adam.steps == 20
    assert not view.bench.state.adam.first[0][5:].any()
    for got, want in zip(back.adam.first + back.adam.second, given.adam.first + given.adam.second, strict=True):
        assert torch.equal(got, want)
    for got, want in zip(back.variables.tensors(), given.variables.tensors(), strict=True):
        assert torch.equal(got, want)
    assert [rate.shape for rate in back.adam.rates] == [(5, 8), (), (), ()]
