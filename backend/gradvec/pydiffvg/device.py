"""Where pictures are computed and handed back: diffvg's global settings."""

from __future__ import annotations

import torch

_device = torch.device("cpu")
_use_gpu = False


def set_use_gpu(use: bool) -> None:
    """Pictures on the graphics card from now on, or on the processor."""
    set_device(torch.device("cuda" if use else "cpu"))


def get_use_gpu() -> bool:
    return _use_gpu


def set_device(device: torch.device | str) -> None:
    global _device, _use_gpu
    _device = torch.device(device)
    _use_gpu = _device.type == "cuda"


def get_device() -> torch.device:
    return _device


if torch.cuda.is_available():
    set_use_gpu(True)
