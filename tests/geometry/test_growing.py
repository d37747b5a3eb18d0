"""Further nodes where a picture is wrong: the shape stays, and nodes go to the error."""

import numpy as np
import pytest
from gradvec.geometry.cubics import flatten
from gradvec.geometry.growing import grown
from gradvec.model import Outline

SQUARE = np.array([[10, 10], [50, 10], [50, 50], [10, 50]], float)


def square(x: float = 0.0) -> Outline:
    after = np.roll(SQUARE, -1, 0)
    loop = np.stack([SQUARE, SQUARE + (after - SQUARE) / 3, after + (SQUARE - after) / 3], 1).reshape(-1, 2)
    return Outline((loop + np.array([x, 0.0]),))


def error_at(*places: tuple[int, int]) -> np.ndarray:
    error = np.zeros((64, 128))
    for x, y in places:
        error[y - 2:y + 3, x - 2:x + 3] = 1.0
    return error


def test_nodes_go_where_the_error_is_and_the_shape_stays() -> None:
    """The wrong place lies on the right side of the first square; a line's fourths are every second of its eighths."""
    near, far = grown([square(), square(60)], error_at((50, 30)), 1, 16)
    assert (near.segments, far.segments) == (5, 4)
    assert [50.0, 30.0] in near.loops[0][0::3].tolist()
    same = flatten(near.loops[0], 8)
    np.testing.assert_allclose(same[:8:2], flatten(square().loops[0], 4)[:4], atol=1e-9)
    np.testing.assert_allclose(same[8:24], flatten(square().loops[0], 16)[16:32], atol=1e-9)


def test_a_half_may_be_halved_again() -> None:
    """Half of the nodes are put in each of two rounds."""
    [one] = grown([square()], error_at((50, 22)), 2, 16)
    assert one.segments == 6
    np.testing.assert_allclose(one.loops[0][3:12:3], [[50, 10], [50, 20], [50, 30]], atol=1e-9)


@pytest.mark.parametrize(("more", "most", "segments"), [(0, 16, 4), (100, 16, 16), (100, 6, 6), (100, 3, 4)])
def test_no_more_than_may_be(more: int, most: int, segments: int) -> None:
    [one] = grown([square()], np.ones((64, 128)), more, most)
    assert one.segments == min(segments, 16)


def test_where_nothing_is_wrong_or_there_is_no_room_nothing_changes() -> None:
    tiny = Outline((square().loops[0] / 20,))
    for outline, error in ((square(), np.zeros((64, 128))), (square(200), np.ones((64, 128))),
                           (tiny, np.ones((64, 128)))):
        [same] = grown([outline], error, 9, 16)
        np.testing.assert_array_equal(same.loops[0], outline.loops[0])
    assert grown([], np.zeros((4, 4)), 9, 16) == []


def test_every_loop_keeps_its_own() -> None:
    ring = Outline((square().loops[0], (square().loops[0][::-1] - (30, 30)) / 2 + (30, 30)))
    [one] = grown([ring], error_at((50, 30)), 3, 16)
    assert [len(loop) // 3 for loop in one.loops] == [7, 4]
    assert one.loops[0].dtype == ring.loops[0].dtype
