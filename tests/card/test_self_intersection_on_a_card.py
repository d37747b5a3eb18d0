"""The card's check for self-crossings does what the processor's does, to the last bit; without a card under Triton's
interpreter."""

import numpy as np
import pytest
import torch
from gradvec.geometry.self_intersection import Untangler
from gradvec.model import Outline, Shape, SolidColor
from gradvec.render.scene import Topology, scene_from_shapes

pytest.importorskip("triton", "3.3", reason="Triton exists for Linux only")
from gradvec.geometry import self_intersection_cuda
from gradvec.geometry.self_intersection_cuda import CardUntangler

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture
def large_squares(monkeypatch):
    """The interpreter takes as long for a square of pairs, however large it is."""
    monkeypatch.setattr(self_intersection_cuda, "_SIDE", 64)


def rough(segments: int, rng: np.random.Generator, spread: float = 1.0, centre: float = 10.0) -> np.ndarray:
    """A loop around a centre whose control points are off a circle by about ``spread`` px."""
    angle = np.linspace(0, 2 * np.pi, 3 * segments, endpoint=False)
    loop = centre + 6 * np.stack([np.cos(angle), np.sin(angle)], -1) + rng.normal(0, spread, (3 * segments, 2))
    return loop.astype(np.float32)


def sliver(apart: float) -> np.ndarray:
    """A strip there and back, its sides ``apart`` px from each other; negative: they changed places."""
    there = np.stack([np.linspace(0, 20, 7), np.zeros(7)], 1)[:6]
    back = np.stack([np.linspace(20, 0, 7), np.full(7, apart)], 1)[:6]
    return np.concatenate([there, back]).astype(np.float32)


def fold() -> np.ndarray:
    """One side runs back over itself before it goes on."""
    loop = np.array([[0, 0], [14, 1], [-4, 1], [10, 0], [10, 4], [10, 6], [10, 10], [6, 10], [4, 10], [0, 10], [0, 6],
                     [0, 4]], np.float32)
    return loop


def scenes(seed: int) -> tuple[Topology, np.ndarray]:
    """Outlines of one and two segments and of many, with holes, folds, and sides that all but touch."""
    rng = np.random.default_rng(seed)
    outlines = [(rough(1, rng),), (rough(2, rng, 0.3),), (rough(4, rng, 0.5),), (rough(16, rng, 0.05),),
                (rough(6, rng, 0.1), 10 + (rough(5, rng, 0.1, 0.0) / 2)[::-1].copy()), (fold(),),
                *((sliver(apart),) for apart in (1e-6, 1e-4, -1e-4, 0.0, 0.5))]
    scene = scene_from_shapes([Shape(Outline(loops), SolidColor((0, 0, 0))) for loops in outlines], 20, 20)
    return scene.topology, scene.points.numpy().copy()


@pytest.mark.parametrize(("seed", "pieces"), [(0, 8), (1, 8), (2, 3), (3, 16)])
def test_the_card_finds_the_same_crossings(seed, pieces, large_squares):
    topology, points = scenes(seed)
    own = CardUntangler(topology, torch.device(DEVICE), pieces)
    found = own.crossings(torch.from_numpy(points).to(DEVICE)).cpu().numpy()
    assert found.tolist() == Untangler(topology, pieces).crossings(points).tolist()
    assert found.any()
    assert not found.all()


@pytest.mark.parametrize(("seed", "size"), [(0, 0.05), (1, 0.4), (2, 2.0)])
def test_the_card_takes_back_the_same(seed, size, large_squares):
    """Step after step: what came in tangled stays free until it is simple."""
    topology, points = scenes(seed)
    rng = np.random.default_rng(seed)
    plain, own, touched = Untangler(topology), CardUntangler(topology, torch.device(DEVICE)), 0
    on_card = torch.from_numpy(points.copy()).to(DEVICE)
    for _ in range(3):
        step = rng.normal(0, size, points.shape).astype(np.float32)
        before, before_on_card = points.copy(), on_card.clone()
        points += step
        on_card += torch.from_numpy(step).to(DEVICE)
        touched += plain.hold(points, before)
        own.hold(on_card, before_on_card)
        assert np.array_equal(on_card.cpu().numpy(), points)
    assert touched > 0


def test_an_outline_that_nothing_helps_goes_back_whole():
    """A step that throws every second control point far away is tried ROUNDS times and then taken back."""
    rng = np.random.default_rng(3)
    scene = scene_from_shapes([Shape(Outline((rough(8, rng, 0.0),)), SolidColor((0, 0, 0)))], 20, 20)
    before = scene.points.clone()
    after = before.clone()
    after[::2] = 10 + 3 * (before[::2] - 10).flip(1)
    want = after.numpy().copy()
    assert Untangler(scene.topology).hold(want, before.numpy()) == 1
    moved = after.to(DEVICE)
    CardUntangler(scene.topology, moved.device).hold(moved, before.to(DEVICE))
    assert np.array_equal(moved.cpu().numpy(), want)


def test_a_scene_without_outlines():
    topology = scene_from_shapes([], 20, 20).topology
    own = CardUntangler(topology, torch.device(DEVICE))
    none = torch.zeros(0, 2, device=DEVICE)
    own.hold(none, none)
    assert own.crossings(none).tolist() == []
