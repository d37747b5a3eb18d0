"""What a stroke contributes: the definition, in bands of rows, and with little memory."""

import numpy as np
import pytest
import torch
from gradvec.brushes import outlines as brushes
from gradvec.render import render
from gradvec.render.scene import LINEAR, Scene, Topology
from gradvec.stages.paint import contribution
from gradvec.stages.paint.contribution import contributions

WIDTH, HEIGHT, COUNT = 40, 33, 7


def some_strokes(kept=range(COUNT)):
    """Oil strokes here and there, some over the border; those of ``kept`` only."""
    rng = np.random.default_rng(5)
    shape = np.stack([rng.uniform(0, WIDTH, COUNT), rng.uniform(0, HEIGHT, COUNT), rng.uniform(8, 24, COUNT),
                      rng.uniform(4, 9, COUNT), rng.uniform(0, 3, COUNT), *np.zeros((3, COUNT))], 1)
    loops = brushes.points(brushes.TAPE, torch.from_numpy(shape).float(),
                           brushes.template_points(brushes.TAPE, 4)[torch.zeros(COUNT, dtype=torch.int64)], 4)
    color = torch.from_numpy(rng.uniform(0, 1, (COUNT, 2, 4))).float()
    line = torch.from_numpy(rng.uniform(0, 33, (COUNT, 4))).float()
    opacity = torch.from_numpy(rng.uniform(0.4, 1, COUNT)).float()
    kept, n = list(kept), len(list(kept))
    each = np.arange(n + 1)
    topology = Topology(loops.shape[1] * each, each, 2 * each, np.full(n, LINEAR, np.uint8), np.zeros(n, np.int64),
                        np.array([[WIDTH, HEIGHT]]))
    return Scene(topology, loops[kept].reshape(-1, 2), line[kept], torch.tensor([0.0, 1.0]).repeat(n),
                 color[kept].reshape(-1, 4), opacity[kept], torch.tensor([[0.9, 0.8, 0.7, 1.0]]))


@pytest.fixture(scope="module")
def goal():
    rng = np.random.default_rng(8)
    picture = rng.uniform(0, 1, (HEIGHT, WIDTH, 4)).astype(np.float32)
    return picture, rng.uniform(0.5, 2, (HEIGHT, WIDTH)).astype(np.float32)


def error(scene, goal):
    return float((((render(scene, "reference").numpy() - goal[0]) ** 2).sum(2) * goal[1]).sum())


@pytest.mark.parametrize("pixels", [contribution.CROP_PIXELS, 300, 1])
def test_it_is_what_the_error_rises_by_without_the_stroke(goal, pixels, monkeypatch):
    monkeypatch.setattr(contribution, "CROP_PIXELS", pixels)
    found = contributions(some_strokes(), *goal, engine="reference")
    whole = error(some_strokes(), goal)
    expected = [error(some_strokes([i for i in range(COUNT) if i != gone]), goal) - whole for gone in range(COUNT)]
    assert found == pytest.approx(expected, rel=2e-3, abs=2e-2)


def test_bands_hold_no_more_than_they_may():
    boxes = contribution._Boxes.of(some_strokes())
    area = (boxes.high - boxes.low).prod(1).sum()
    for most in (60, 300, 10_000):
        bands = boxes.bands(HEIGHT, most)
        assert [a for a, _ in bands[1:]] == [b for _, b in bands[:-1]]
        assert (bands[0][0], bands[-1][1]) == (0, HEIGHT)
        held = [(part.high - part.low).prod(1).sum() for _, part in (boxes.within(*band) for band in bands)]
        assert sum(held) == area
        assert all(px <= most or bottom - top == 1 for px, (top, bottom) in zip(held, bands, strict=True))


def test_where_memory_runs_out_bands_become_smaller(goal, monkeypatch):
    tried, whole = [], contribution._in_bands

    def short_of_memory(boxes, scene, target, weight, where, look, most):
        tried.append(most)
        if most > 3_000_000:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return whole(boxes, scene, target, weight, where, look, most)

    monkeypatch.setattr(contribution, "_in_bands", short_of_memory)
    assert np.isfinite(contributions(some_strokes(), *goal, engine="reference")).all()
    assert tried == [8_000_000, 4_000_000, 2_000_000]
    monkeypatch.setattr(contribution, "CROP_PIXELS_LEAST", 5_000_000)
    with pytest.raises(RuntimeError, match="allocate"):
        contributions(some_strokes(), *goal, engine="reference")


def test_it_can_be_ended_on_the_way(goal):
    class Enough(Exception):
        pass

    def look():
        raise Enough

    with pytest.raises(Enough):
        contributions(some_strokes(), *goal, engine="reference", look=look)
