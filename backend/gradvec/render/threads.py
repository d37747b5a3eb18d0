"""How the cpu engine's threads behave beside everything else that runs on an artist's machine."""

from __future__ import annotations

import os
from functools import cache


@cache
def calm_threads() -> None:
    """Lets idle threads sleep instead of spin, and keeps torch from adding a second pool on the same cores.

    A step enters a parallel kernel a dozen times. Threads that spin between two kernels take the cores from Inkscape
    and from each other: on two cores that something else uses too, steps take twice as long. OpenMP reads the setting
    when it is loaded, that is with torch: programs of ours set it when they start, and whoever uses the package as a
    library does well to do the same. What the user has set in the environment stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(1)
