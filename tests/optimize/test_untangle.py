"""Outlines that never cross themselves: known crossings are seen, and no step leaves one behind."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gradvec.geometry.self_intersection import Untangler
from gradvec.model import Outline, Shape, SolidColor
from gradvec.render.scene import scene_from_shapes


def polygon(*corners: tuple[float, float]) -> np.ndarray:
    c = np.array(corners, float)
    step = np.roll(c, -1, 0) - c
    return np.stack([c, c + step / 3, c + step * 2 / 3], 1).reshape(-1, 2).astype(np.float32)


def circle(cx: float = 0, cy: float = 0, r: float = 10, segments: int = 8) -> np.ndarray:
    k = 4 / 3 * math.tan(math.pi / 2 / segments)
    loop = []
    for n in range(segments):
        a, b = (2 * math.pi * v / segments for v in (n, n + 1))
        p, q = np.array([math.cos(a), math.sin(a)]), np.array([math.cos(b), math.sin(b)])
        loop += [p, p + k * np.array([-p[1], p[0]]), q - k * np.array([-q[1], q[0]])]
    return (np.array(loop) * r + [cx, cy]).astype(np.float32)


def untangler(*outlines: tuple[np.ndarray, ...]) -> tuple[Untangler, np.ndarray]:
    scene = scene_from_shapes([Shape(Outline(loops), SolidColor((0, 0, 0))) for loops in outlines], 50, 50)
    return Untangler(scene.topology), scene.points.numpy().copy()


SQUARE = polygon((0, 0), (10, 0), (10, 10), (0, 10))
BOW_TIE = polygon((0, 0), (10, 10), (10, 0), (0, 10))


def test_simple_outlines_and_known_crossings_are_told_apart() -> None:
    curl = np.array([[0, 0], [30, 20], [-20, 20], [10, 0], [8, -5], [2, -5]], np.float32)
    ring = (circle(), circle(r=5)[::-1].copy())
    overlap = (circle(), circle(cx=8))
    check, points = untangler((SQUARE,), (BOW_TIE,), (circle(),), (curl,), ring, overlap)
    assert check.crossings(points).tolist() == [False, True, False, True, False, True]


def test_one_segment_alone_can_close_a_loop() -> None:
    drop = np.array([[0, 0], [20, 15], [-20, 15]], np.float32)
    check, points = untangler((drop,))
    assert not check.crossings(points).any()


def test_hold_takes_back_only_what_crosses() -> None:
    check, before = untangler((circle(),), (circle(cx=30),))
    after = before.copy()
    after[9] += [40.0, 0.0]  # an anchor of the first circle is thrown through its other side
    after[24:] += 1.0        # the second circle only moves
    assert check.hold(after, before) == 1
    assert not check.crossings(after).any()
    assert np.array_equal(after[24:], before[24:] + 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_random_steps_never_leave_a_crossing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    check, points = untangler(*[(circle(30 * n, 0, 10, 6),) for n in range(12)])
    touched = 0
    for _ in range(60):
        before = points.copy()
        points += rng.normal(0, 1.5, points.shape).astype(np.float32)
        touched += check.hold(points, before)
        assert not check.crossings(points).any()
    assert touched > 0
    assert np.abs(points - before).max() > 0


def test_an_outline_that_came_in_tangled_moves_until_it_is_simple_and_then_stays_so() -> None:
    check, before = untangler((BOW_TIE,))
    half = before + 0.5
    check.hold(half, before)
    assert np.array_equal(half, before + 0.5)
    simple = SQUARE.copy()
    check.hold(simple, half)
    assert np.array_equal(simple, SQUARE)
    again = BOW_TIE.copy()
    check.hold(again, simple)
    assert not check.crossings(again).any()


def crosses(points: np.ndarray, pieces: int = 8) -> bool:
    """Whether any two line pieces of a closed outline that share no end cross: all pairs, in float64."""
    t = np.arange(pieces)[:, None] / pieces
    closed = np.concatenate([points, points[:1]]).astype(np.float64)
    weights = np.concatenate([(1 - t)**3, 3 * t * (1 - t)**2, 3 * t**2 * (1 - t), t**3], 1)
    line = np.concatenate([weights @ closed[a:a + 4] for a in range(0, len(points), 3)])
    start, along = line, np.roll(line, -1, 0) - line
    off = start[None] - start[:, None]
    first = along[:, None, 0] * off[..., 1] - along[:, None, 1] * off[..., 0]  # of each start beside each piece
    second = first + along[:, None, 0] * along[None, :, 1] - along[:, None, 1] * along[None, :, 0]
    sides = (first > 0) != (second > 0)
    number = np.arange(len(line))
    apart = np.abs(number[:, None] - number) % (len(line) - 1) > 1
    return bool((sides & sides.T & apart).any())


@pytest.mark.parametrize("segments", [3, 5, 14])
def test_what_crosses_is_what_all_pairs_of_pieces_say(segments: int) -> None:
    rng = np.random.default_rng(segments)
    loops = [circle(25, 25, 15, segments) + rng.normal(0, rng.choice([0.3, 3, 8]), (3 * segments, 2)).astype(np.float32)
             for _ in range(60)]
    check, points = untangler(*((loop,) for loop in loops))
    expected = [crosses(loop) for loop in np.split(points, len(loops))]
    assert 5 < sum(expected) < 55
    assert check.crossings(points).tolist() == expected
