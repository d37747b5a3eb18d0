"""How memory goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

#: Pictures of so many px are large: one plane of numbers is 8 MB then.
LARGE = 2_000_000
#: glibc's own names for what mallopt sets, and bytes from which on memory goes straight back when it is freed.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT, _OWN_PAGES = 4 << 20, 1 << 20


def give_back_at_once(pixels: int) -> None:
    """Lets memory go back to the system when it is freed, for pictures of :data:`LARGE` px and more, where the C
    library is glibc.

    glibc raises, with each larger piece that is freed, the size up to which it keeps memory, and what it keeps is in
    pieces that the next stage's arrays do not fit into: a fifth of all that painting 5,000 strokes on 2.8 million px
    took. With pictures of 512 px new pages would cost 3 % of the time. It holds for the whole process, from then on.
    """
    if pixels < LARGE or not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _OWN_PAGES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
