"""What a job needs of a card is compiled before the first one comes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gradvec import jobs
from gradvec.geometry import self_intersection_cuda
from gradvec.io.images import png_bytes
from gradvec.progress import Run
from gradvec.render import card, cpu, cuda, quicker

pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PICTURE = png_bytes(np.random.default_rng(0).random((20, 24, 3), np.float32))


class Noted:
    """A kernel that notes the constants that it is compiled for."""

    def __init__(self, kernel, name, seen):
        self._kernel, self._name, self._seen = kernel, name, seen

    def __getitem__(self, grid):
        def run(*args, **constants):
            self._seen.add((self._name, *sorted(constants.items())))
            return self._kernel[grid](*args, **constants)

        return run


@pytest.fixture
def seen(monkeypatch) -> set:
    """All (kernel, constants) that are launched."""
    found: set = set()
    names = {0: ("flatten", "outline_boxes", "fill_super_tiles", "fill_tiles", "composite"),
             1: ("composite_backward", "flatten_backward", "finish_geometry")}
    for which, module in enumerate(cuda._kernels()):
        for name in names[which]:
            monkeypatch.setattr(module, name, Noted(getattr(module, name), name, found))
    return found


def test_every_kernel_is_warm_for_every_number_of_pieces(seen):
    cuda.warm_up(DEVICE)
    assert {name for name, *_ in seen} == {"flatten", "outline_boxes", "fill_super_tiles", "fill_tiles", "composite",
                                           "composite_backward", "flatten_backward", "finish_geometry"}
    composites = {(dict(constants)["CHORDS"], dict(constants)["SAVE"]) for name, *constants in seen
                  if name == "composite"}
    assert composites == {(pieces, save) for pieces in cuda.PIECES for save in (True, False)}


@pytest.mark.parametrize(("kind", "options"), [
    ("paint", {"fidelity": 0.0}), ("paint", {"fidelity": 1.0}), ("paint", {"gradient": "kmeans", "brush": "marker"}),
    ("vectorize", {"strokes": 2})])
def test_jobs_need_nothing_else(kind, options, monkeypatch):
    """Neither scenes of other numbers of pieces nor of another precision."""
    needed = set()
    run = cpu.render_flat

    def note(scene):
        needed.add((scene.topology.pieces, scene.points.dtype))
        return run(scene)

    monkeypatch.setattr(cpu, "render_flat", note)
    jobs.run_job(kind, {"size": 16, "strokes": 3, "engine": "cpu", **options}, {"picture": PICTURE}, {}, Run())
    assert needed
    assert needed <= {(pieces, torch.float32) for pieces in cuda.PIECES}


@pytest.fixture
def warmed(monkeypatch) -> list:
    """What is warmed up, in order; nothing is."""
    calls: list = []
    monkeypatch.setattr(cuda, "warm_up", lambda: calls.append("pictures"))
    monkeypatch.setattr(self_intersection_cuda, "warm_up", lambda pieces: calls.append(tuple(pieces)))
    monkeypatch.setattr(card, "trouble", lambda: None)
    monkeypatch.setattr(card, "_passing", card._Passing())
    return calls


@pytest.mark.parametrize(("times", "trouble", "wanted"), [
    (quicker.Times(1.0, 9.0), None, ["pictures", (8, 16)]), (quicker.Times(9.0, 1.0), None, []), (None, None, []),
    (quicker.Times(1.0, 9.0), card.FULL, [])])
def test_a_worker_warms_a_card_that_jobs_run_on_and_no_other(times, trouble, wanted, warmed, monkeypatch):
    monkeypatch.setattr(quicker, "remembered", lambda: times)
    monkeypatch.setattr(card, "trouble", lambda: trouble)
    jobs.warm_up()
    assert warmed == wanted


def test_a_card_that_fails_in_the_warm_up_is_not_asked_again(warmed, monkeypatch):
    def fail():
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(quicker, "remembered", lambda: quicker.Times(1.0, 9.0))
    monkeypatch.setattr(cuda, "warm_up", fail)
    jobs.warm_up()
    assert card._passing.trouble is not None
    assert card._passing.trouble.kind == card.LOST


@pytest.mark.parametrize("hold", [True, False])
def test_the_check_for_self_crossings_is_warm(hold, monkeypatch):
    launched = []
    monkeypatch.setattr(self_intersection_cuda, "launch", lambda *args: launched.append(args[-2:]))
    self_intersection_cuda.warm_up((8, 16), DEVICE)
    assert {pieces for pieces, held in launched if held == hold} == {8, 16}
