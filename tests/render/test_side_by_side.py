"""Work that is shared out to threads comes back in order, and ends with its first error."""

import threading
import time

import numba
import pytest
from gradvec.errors import Cancelled
from gradvec.render.threads import side_by_side


@pytest.fixture(params=[1, 2])
def threads(request):
    before = numba.get_num_threads()
    numba.set_num_threads(min(request.param, before))
    yield request.param
    numba.set_num_threads(before)


def test_results_come_in_the_order_of_their_items(threads):
    later = threading.Event()

    def square(n):
        if n == 0 and threads > 1 and numba.get_num_threads() > 1:
            assert later.wait(20)  # the first item ends last
        later.set()
        return n * n

    assert side_by_side(square, range(9)) == [n * n for n in range(9)]
    assert side_by_side(square, []) == []


def test_an_error_ends_it_and_is_handed_on(threads):
    seen = []

    def work(n):
        seen.append(n)
        time.sleep(0.001)
        if n == 1:
            raise Cancelled()

    with pytest.raises(Cancelled):
        side_by_side(work, range(1000))
    assert len(seen) < 1000
