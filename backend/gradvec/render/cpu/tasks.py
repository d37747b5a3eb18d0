"""Tasks for threads of which none waits while another still has some.

numba's ``prange`` gives each thread an equal number of rounds beforehand. Outlines and bands differ in size, and a
thread whose core something else uses is slower: the others would wait for it. Here each thread has a queue, a run of
tasks that are together as much work as any other thread's, and goes on with the other queues when its own is empty.
From step to step it meets the same tasks again, most of them, and finds their arrays in its core's own cache. A kernel
opens one round a thread::

    for me in prange(queues.shape[0]):
        task = next_task(queues, me)
        while task >= 0:
            ...
            task = next_task(queues, me)

Which thread does a task may change from call to call, so a task must write nothing that another one writes or reads.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from ..kernel_cache import njit
from .kernels import _SHARED

#: Numbers of a queue's row: two are used, the others keep queues on cache lines of their own.
_ROW = 16


def queues_of(work: np.ndarray) -> np.ndarray:
    """(threads, .) queues for one call of a kernel: the next task of each, and where it ends.

    work: (tasks + 1,) sums of what the tasks before each are worth, in any unit.
    """
    count = numba.get_num_threads()
    ends = np.searchsorted(work, work[-1] * np.arange(1, count) / count)
    queues = np.empty((count, _ROW), np.int64)
    queues[1:, 0] = queues[:-1, 1] = ends
    queues[0, 0], queues[-1, 1] = 0, len(work) - 1
    return queues


def _taking(typing_context: Any, queues: Any, queue: Any) -> Any:
    """What _take(queues, queue) does: gives the next task's number, which is one higher for who asks next."""

    def atomic_add(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [builder.mul(arguments[1], context.get_constant(types.int64, _ROW))])
        return builder.atomic_rmw("add", place, context.get_constant(types.int64, 1), "monotonic")

    return types.int64(queues, types.int64), atomic_add


_take: Any = intrinsic(_taking)


@njit(**_SHARED)
def next_task(queues, me):
    """The number of a task that nobody has taken, from queue ``me`` first; -1: there is none."""
    count = queues.shape[0]
    for k in range(count):
        queue = (me + k) % count
        if queues[queue, 0] < queues[queue, 1]:
            task = _take(queues, queue)
            if task < queues[queue, 1]:
                return task
    return np.int64(-1)
