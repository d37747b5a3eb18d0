"""What a run shows of itself on the way: pictures of the working size, a few a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from ..progress import Run

#: Seconds between two previews that are offered.
EVERY_SECONDS = 0.3


class Previews:
    """Offers pictures to a run, not more often than anyone looks."""

    def __init__(self, run: Run) -> None:
        self._run, self._offered = run, 0.0

    def offer(self, draw: Callable[[], torch.Tensor], height: int, width: int) -> None:
        """draw: makes H W pixels of premultiplied RGBA in its last dimension, in rows; called only when it is time and
        somebody may look, and read only if it is wanted."""
        now = time.monotonic()
        if self._run.on_preview is not None and now - self._offered >= EVERY_SECONDS:
            self._offered = now
            shown = draw().detach()
            self._run.preview(lambda: eight_bit(shown).reshape(height, width, 3))


def eight_bit(picture: torch.Tensor) -> np.ndarray:
    """(..., 3) uint8 of premultiplied RGBA (..., 4), on white."""
    on_white = picture[..., :3] + (1 - picture[..., 3:])
    return (on_white.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy()
