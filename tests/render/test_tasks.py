"""Tasks of kernels: each is done once, whoever does it, and a thread that has nothing left helps the others."""

import numba
import numpy as np
import pytest
from gradvec.render.cpu.tasks import next_task, queues_of
from numba import prange


@numba.njit(parallel=True)
def _counted(queues, done, by):
    for me in prange(queues.shape[0]):
        task = next_task(queues, me)
        while task >= 0:
            done[task] += 1
            by[task] = me
            task = next_task(queues, me)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_each_task_is_done_once(count):
    work = np.concatenate([[0], np.cumsum(np.random.default_rng(count).integers(0, 9, count))])
    done, by = np.zeros(count, np.int64), np.full(count, -1)
    for again in range(1, 20):
        _counted(queues_of(work), done, by)
        assert (done == again).all()


def test_queues_are_alike_in_work():
    sizes = np.array([100] * 10 + [1] * 1000)
    queues = queues_of(np.concatenate([[0], np.cumsum(sizes)]))
    shares = [sizes[first:end].sum() for first, end in queues[:, :2]]
    assert sum(shares) == sizes.sum()
    assert max(shares) - min(shares) <= 2 * 100
    assert (queues[1:, 0] == queues[:-1, 1]).all()


def test_a_thread_without_tasks_takes_those_of_another():
    queues = np.zeros((3, 16), np.int64)
    queues[1, :2] = 5, 400
    done, by = np.zeros(400, np.int64), np.full(400, -1)
    _counted(queues, done, by)
    assert (done[5:] == 1).all()
    assert (done[:5] == 0).all()
