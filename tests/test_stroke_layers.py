"""Layers: K-means of sizes held to brute force, and grouping that never changes the paint order where it is given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gradvec.geometry.sizes import optimal_cuts, size_classes, sizes
from gradvec.model import Outline, Shape, SolidColor
from gradvec.stages import layers


def square(side: float, level: int = 0) -> Shape:
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    return Shape(Outline((loop,)), SolidColor((0.5, 0.5, 0.5)), level=level)


def spread(values: np.ndarray, cuts: tuple[int, ...]) -> float:
    return sum(((part - part.mean()) ** 2).sum() for part in np.split(values, cuts) if len(part))


@pytest.mark.parametrize("seed", range(5))
def test_optimal_cuts_equal_brute_force(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=12)
    best = min(spread(values, cuts) for cuts in itertools.combinations(range(1, 12), 2))
    found = optimal_cuts(values, 3)
    assert found[0] == 0
    assert found[-1] == 12
    assert spread(values, tuple(found[1:-1])) == pytest.approx(best)


def test_size_of_a_square_is_its_side() -> None:
    assert sizes([square(7.0), square(20.0)]) == pytest.approx([7.0, 20.0])


def test_size_classes_find_three_groups() -> None:
    values = np.array([5.0, 100, 22, 110, 4, 20, 5.5, 19])
    assert size_classes(values).tolist() == [2, 0, 1, 0, 2, 1, 2, 1]


def test_equal_sizes_are_one_class() -> None:
    assert set(size_classes(np.full(6, 9.0))) == {0}


def test_given_paint_order_is_kept() -> None:
    shapes = [square(s) for s in (90, 10, 80, 9, 30, 8, 7, 95, 6)]
    ordered, layer = layers.assign(shapes, "size", keep_order=True)
    assert [id(s) for s in ordered] == [id(s) for s in shapes]
    assert layer == sorted(layer)


def test_own_paint_order_is_sorted_by_size_and_stable_inside() -> None:
    shapes = [square(s) for s in (10, 90, 11, 91, 30, 31)]
    ordered, layer = layers.assign(shapes, "size", keep_order=False)
    assert [round(v) for v in sizes(ordered)] == [90, 91, 30, 31, 10, 11]
    assert layer == [0, 0, 1, 1, 2, 2]


def test_levels_become_layers_with_the_underpainting_below() -> None:
    shapes, layer = layers.assign([square(5, 1), square(9, 0)], "level", keep_order=False)
    built = layers.build(layers.name_strokes(shapes), layer, "level", (1.0, 0.0, 0.0), 40, 30)
    assert [b.name for b in built] == ["1 underpainting", "2 level 1", "3 level 2"]
    assert built[0].shapes[0].outline.bounds() == (0, 0, 40, 30)
    assert [s.id for b in built[1:] for s in b.shapes] == ["stroke-0001", "stroke-0002"]


def test_a_single_layer_is_not_numbered() -> None:
    built = layers.build([square(5)], [0], "none", None, 10, 10)
    assert [b.name for b in built] == ["strokes"]
