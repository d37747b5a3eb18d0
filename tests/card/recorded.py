"""A CUDA graph without a card: what torch is asked to do is noted once and done again on the same memory.

As in a real one, whatever is Python's at the time of capture stays as it was: numbers, branches, shapes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from fake_card import tensors_in
from torch.utils._python_dispatch import TorchDispatchMode


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result


class RecordedGraph:
    """In the place of Graph. state: the tensors that a step changes; capturing changes nothing, as on a card."""

    state: Callable[[], list[torch.Tensor]]
    replays = 0

    def capture(self, work: Callable[[], None]) -> None:
        tensors = list(type(self).state())
        before = [t.detach().clone() for t in tensors]
        with _Recorder() as recorder:
            work()
        self._calls = recorder.calls
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.copy_(value)

    def wait(self) -> None:
        """Nothing is ever under way."""

    def replay(self) -> None:
        type(self).replays += 1
        with torch._C._AutoDispatchBelowAutograd():
            for func, args, kwargs, noted in self._calls:
                fresh = func(*args, **kwargs)
                inputs = {t.untyped_storage().data_ptr() for t in tensors_in((*args, *kwargs.values()))}
                for old, new in zip(tensors_in([noted]), tensors_in([fresh]), strict=True):
                    if old.untyped_storage().data_ptr() not in inputs:  # else it is changed in place, or a view
                        old.copy_(new)
