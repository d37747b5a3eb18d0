"""How many processes this machine has room for, and how its threads are split among them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

#: What a process takes by itself and for each million px of its working picture, GB: see docs/batch.md.
OWN_GB, GB_A_MEGAPIXEL = 0.5, 0.15
#: Share of the free memory that is used.
SHARE = 0.8


@dataclass(frozen=True)
class Capacity:
    """workers: processes. threads: engine threads of each. cards: graphics cards that they are spread over."""

    workers: int
    threads: int
    cards: int


def capacity(size: int, pieces: int, wanted: int | None, device: str, free_gb: float | None, cores: int,
             cards: int) -> Capacity:
    """The room there is.

    Args:
        size: longest side of a working picture, px. pieces: how many there are to do. wanted: processes that the user
            asks for; None: as many as there is room for. device: cpu, cuda or auto. free_gb: None: not known.
    """
    cards = 0 if device == "cpu" else cards
    workers = wanted
    if workers is None:
        need = OWN_GB + GB_A_MEGAPIXEL * size**2 / 1e6
        fit = cores if free_gb is None else int(SHARE * free_gb / need)
        # A card works for one process at a time; the processor does for as many as it has cores.
        workers = max(1, min(fit, cards if device == "cuda" and cards else cores, pieces))
    return Capacity(workers, max(1, cores // workers), cards)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cards() -> int:
    """Graphics cards that torch sees; it is not asked where there is no driver."""
    if not shutil.which("nvidia-smi"):
        return 0
    import torch

    return torch.cuda.device_count()
