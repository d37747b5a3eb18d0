"""Where pictures are computed and handed back: diffvg's global settings."""

from __future__ import annotations

import torch

from ..errors import UsageError

_device = torch.device("cpu")
_use_gpu = False


def set_use_gpu(use: bool) -> None:
    """Pictures on the graphics card from now on, or on the processor; as :func:`set_device`."""
    set_device(torch.device("cuda" if use else "cpu"))


def get_use_gpu() -> bool:
    return _use_gpu


def set_device(device: torch.device | str) -> None:
    """Where pictures are handed back, and computed.

    Raises:
        UsageError: torch sees no such graphics card.
    """
    global _device, _use_gpu
    wanted = torch.device(device)
    cards = torch.cuda.device_count()
    if wanted.type == "cuda" and (wanted.index or 0) >= cards:
        raise UsageError(f"There is no device {wanted}: torch sees {cards} graphics cards.",
                         "Write pydiffvg.set_use_gpu(torch.cuda.is_available()), as most programs do.")
    _device, _use_gpu = wanted, wanted.type == "cuda"


def get_device() -> torch.device:
    return _device


if torch.cuda.is_available():
    set_use_gpu(True)
