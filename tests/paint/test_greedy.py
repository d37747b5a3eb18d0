"""The greedy choice of strokes against its definition, written plainly."""

import math

import numpy as np
import pytest
import torch
from gradvec.stages.paint.greedy import choose, peaks
from gradvec.stages.paint.seeds import propose
from scipy import ndimage

HEIGHT, WIDTH, CELL, CLEAR = 60, 90, 1.7, 0.3


def candidates(seed: int, count: int) -> np.ndarray:
    """Some of them reach over the picture's borders, some lie on each other."""
    rng = np.random.default_rng(seed)
    low, high = [0.1, -5, -5, 3, 2, 0], [9, WIDTH + 5, HEIGHT + 5, 40, 12, math.pi]
    return rng.uniform(low, high, (count, 6))


def covered(candidate: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The cells under a candidate, on the whole grid."""
    _, cx, cy, length, width, angle = candidate
    y, x = np.mgrid[:shape[0], :shape[1]] * CELL
    along = (x - cx) * math.cos(angle) + (y - cy) * math.sin(angle)
    across = (y - cy) * math.cos(angle) - (x - cx) * math.sin(angle)
    return (np.abs(along) <= length / 2 + CELL / 4) & (np.abs(across) <= width / 2 + CELL / 4)


SHAPE = math.ceil(HEIGHT / CELL) + 1, math.ceil(WIDTH / CELL) + 1
#: Whole numbers, whose sums are exact in any order.
ERROR = np.random.default_rng(8).integers(1, 9, SHAPE).astype(np.float32)


def plainly(some: np.ndarray, count: int) -> tuple[list[int], list[float]]:
    """Always the one with the largest gain on what is free now; an estimate may be 5 % out of date."""
    shape = SHAPE
    free, gains = np.ones(shape, bool), some[:, 0].copy()
    chosen, worth = [], []
    alive = set(range(len(some)))
    while alive and len(chosen) < count:
        i = min(alive, key=lambda n: (-gains[n], n))
        mask = covered(some[i], shape)
        clear = (free & mask).sum() / mask.sum() if mask.any() else 0.0
        share = float(ERROR[free & mask].sum(dtype=np.float64)) / (1e-12 + float(ERROR[mask].sum(dtype=np.float64)))
        share = min(share, clear)
        if clear < CLEAR:
            alive.remove(i)
        elif some[i, 0] * share < gains[i] * 0.95:
            gains[i] = some[i, 0] * share
        else:
            alive.remove(i)
            free &= ~mask
            chosen.append(i)
            worth.append(some[i, 0] * share)
    return chosen, worth


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [1, 12, 500])
def test_as_it_is_defined(seed, count):
    some = candidates(seed, 120)
    chosen, gains = choose(some, ERROR, count, CELL, CLEAR)
    want, worth = plainly(some, count)
    assert chosen.tolist() == want
    assert gains.tolist() == pytest.approx(worth, rel=1e-12)


def test_a_stroke_on_another_has_nothing_to_gain():
    one, other, below = [9.0, 20, 20, 12, 6, 0.3], [3.0, 60, 40, 12, 6, 0.3], [8.0, 20.5, 20, 12, 6, 0.3]
    chosen, gains = choose(np.array([other, one, below]), ERROR, 3, CELL, CLEAR)
    assert chosen.tolist() == [1, 0]
    assert gains.tolist() == pytest.approx([9.0, 3.0])


def test_a_speck_is_painted_once():
    """All of the error lies in one place: a second stroke over it gains nothing, though most of it is clear."""
    error = np.zeros(SHAPE, np.float32)
    error[12, 24] = 1.0
    x, y = 24 * CELL, 12 * CELL
    star = np.array([[9.0 - k, x, y, 20, 5, k * math.pi / 4] for k in range(4)])
    elsewhere = np.array([[0.1, x + 40, y, 8, 5, 0.0]])
    error[12, 48] = 0.01
    chosen, gains = choose(np.concatenate([star, elsewhere]), error, 2, CELL, CLEAR)
    assert chosen.tolist() == [0, 4]
    assert gains.tolist() == pytest.approx([9.0, 0.1], abs=1e-6)


def test_nothing_to_choose_from():
    for some, count in ((np.zeros((0, 16)), 5), (candidates(0, 3), 0)):
        chosen, gains = choose(some, ERROR, count, CELL, CLEAR)
        assert len(chosen) == len(gains) == 0


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 5), (3, 7, 6)])
@pytest.mark.parametrize("more", [False, True])
def test_peaks_gain_no_less_than_their_neighbours(shape, more):
    """Among them plateaus, places at borders, and such as gain nothing; against scipy's filter."""
    rng = np.random.default_rng(sum(shape))
    wrong, left, extra = (rng.integers(0, 4, shape).astype(np.float32) for _ in range(3))
    follows = rng.integers(1, 3, shape).astype(np.float32) / 2
    none = np.zeros((0, 0, 0), np.float32)
    places, gains = peaks(wrong, left, *((extra, follows) if more else (none, none)))
    gain = (wrong - left - extra) * follows if more else wrong - left
    highest = ndimage.maximum_filter(gain, (1, 3, 3), mode="constant", cval=-np.inf)
    wanted = np.flatnonzero((gain == highest) & (gain > 0))
    assert places.tolist() == wanted.tolist()
    assert gains.tolist() == gain.ravel()[wanted].tolist()


@pytest.mark.parametrize("width", [0.5, 1.0, 1.1, 4.0])
@pytest.mark.parametrize("aspect", [1.0, 2.6])
def test_strokes_as_wide_as_a_pixel_have_an_axis(width, aspect):
    """Their masks touch no cell beside the stroke's axis in some directions, so that these have no second moment."""
    rng = torch.Generator().manual_seed(0)
    target = torch.rand((12, 17, 3), generator=rng)
    error, weight = torch.rand((12, 17), generator=rng), torch.ones(12, 17)
    found = propose(target, error, weight, 0 * error, 40, (width, width), width * aspect, gradient=False)
    assert len(found) > 0
    assert all(np.isfinite(numbers).all() for numbers in vars(found).values())
