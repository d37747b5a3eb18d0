"""Stop and keep, and cancel, between two reports: how soon loops over many shapes hear it, and what they then leave."""

import numpy as np
import pytest
from gradvec import progress, settings
from gradvec.errors import Cancelled
from gradvec.geometry import repair
from gradvec.gradients.perceptual import simplify_all
from gradvec.model import LinearGradient, Outline, Shape, SolidColor, Stop, Target
from gradvec.optimize import freeing
from gradvec.options import Options
from gradvec.progress import CancelToken, Run
from gradvec.stages.refine import refine_layers


def polygon(*corners):
    corners = np.array(corners, float)
    following = np.roll(corners, -1, 0)
    return np.stack([corners, corners + (following - corners) / 3, following - (following - corners) / 3],
                    1).reshape(-1, 2)


#: A figure eight: one crossing.
CROSSED = Outline((polygon((0, 0), (20, 20), (20, 0), (0, 20)),))
FADE = LinearGradient(0, 0, 20, 0, (Stop(0.0, (0.5, 0.5, 0.5)), Stop(1.0, (0.501, 0.5, 0.5))))


def crossed(count):
    return [Shape(CROSSED, FADE, id=f"s{n}") for n in range(count)]


class CountedToken(CancelToken):
    """Counts how often it is looked at, and does something at a look of choice."""

    def __init__(self, at=-1, then=lambda token: None):
        super().__init__()
        self.looks, self._at, self._then = 0, at, then

    @property
    def cancelled(self):
        self.looks += 1
        if self.looks == self._at:
            self._then(self)
        return super().cancelled


@pytest.fixture
def no_grace(monkeypatch):
    monkeypatch.setattr(progress, "GRACE_S", -1.0)


def test_keeping_is_heard_at_once_and_hurried_after_a_grace(monkeypatch):
    run = Run()
    assert (run.look(), run.hurry()) == (False, False)
    monkeypatch.setattr(progress, "GRACE_S", 1e9)
    run.token.stop_and_keep()
    assert (run.look(), run.hurry()) == (True, False)
    monkeypatch.setattr(progress, "GRACE_S", -1.0)
    run.token.stop_and_keep()
    assert (run.look(), run.hurry()) == (True, True)
    run.token.cancel()
    for ask in (run.look, run.hurry):
        with pytest.raises(Cancelled):
            ask()


def test_repairs_look_at_the_token_every_few_outlines(monkeypatch):
    done, longest, token = [], [], CountedToken()
    monkeypatch.setattr(repair, "clean", lambda outline, most: done.append(token.looks) or outline)
    freeing.repaired(crossed(100), 8, Run(token=token))
    for looks in set(done):
        longest.append(done.count(looks))
    assert len(done) == 100
    assert max(longest) <= freeing.LOOK_EVERY


def test_a_cancel_ends_repairs_and_simplifying():
    with pytest.raises(Cancelled):
        freeing.repaired(crossed(100), 8, Run(token=CountedToken(2, CancelToken.cancel)))
    token = CountedToken()
    token.cancel()
    with pytest.raises(Cancelled):
        freeing.simplified(crossed(1), 8, 0.1, Run(token=token))


def test_repairs_that_a_kept_run_has_no_time_for_leave_the_rest_as_it_is(no_grace):
    assert all(repair.crossings(s.outline) == 0 for s in freeing.repaired(crossed(40), 8, Run()))
    found = freeing.repaired(crossed(100), 8, Run(token=CountedToken(3, CancelToken.stop_and_keep)))
    assert len(found) == 100
    assert [repair.crossings(s.outline) for s in found] == [0] * 64 + [1] * 36


def test_a_small_kept_drawing_is_repaired_all_the_same(monkeypatch):
    monkeypatch.setattr(progress, "GRACE_S", 1e9)
    run = Run()
    run.token.stop_and_keep()
    assert all(repair.crossings(s.outline) == 0 for s in freeing.repaired(crossed(40), 8, run))


def test_gradients_that_nobody_sees_are_left_once_it_is_enough():
    asked = []
    found = simplify_all(crossed(4), 24, 24, enough=lambda: asked.append(None) or len(asked) > 2)
    assert [isinstance(s.fill, SolidColor) for s in found] == [False, False, True, True]
    assert [s.id for s in found] == ["s0", "s1", "s2", "s3"]


def test_a_refinement_that_is_not_to_begin_hands_out_what_came(no_grace):
    target = Target(np.zeros((24, 24, 3), np.float32), np.ones((24, 24), np.float32), (24, 24))
    token, shapes = CancelToken(), crossed(3)
    token.stop_and_keep()
    how = settings.refine_settings(Options())
    found, layer, report = refine_layers(shapes, [0, 1, 2], target, None, how, Run(token=token))
    assert (found, layer) == (shapes, [0, 1, 2])
    assert (report.steps, report.dropped, report.psnr_after) == (0, 0, None)
    flat, _, _ = refine_layers(shapes, [0, 1, 2], target, None, settings.refine_settings(Options(one_color=True)),
                               Run(token=token))
    assert all(isinstance(s.fill, SolidColor) for s in flat)
