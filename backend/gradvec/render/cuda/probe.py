"""The smallest kernel: whether Triton can compile and launch at all."""

from __future__ import annotations

import triton
import triton.language as tl

SIZE = 16
_SIZE = tl.constexpr(SIZE)


@triton.jit
def double(numbers, result):
    """result = numbers + numbers, SIZE of them."""
    at = tl.arange(0, _SIZE)
    value = tl.load(numbers + at)
    tl.store(result + at, value + value)
