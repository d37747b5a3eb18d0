"""Pictures from and to files, as diffvg's programs do it: linear floats in memory, gamma-encoded in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import InputError


def imwrite(img: torch.Tensor | np.ndarray, filename: str, gamma: float = 2.2, normalize: bool = False) -> None:
    """Writes (H, W), (H, W, 3) or (H, W, 4) floats in [0, 1]; the folder is made where it is missing.

    normalize: stretch to [0, 1] first.
    """
    from PIL import Image
    picture = img.detach().cpu().numpy() if isinstance(img, torch.Tensor) else np.asarray(img)
    picture = picture.astype(np.float64)
    if normalize and np.ptp(picture) > 0:
        picture = (picture - picture.min()) / np.ptp(picture)
    picture = np.clip(picture, 0, 1)
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    if picture.ndim == 2:
        picture = picture ** (1 / gamma)
    else:
        picture[..., :3] **= 1 / gamma
    path = Path(filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((picture * 255).astype(np.uint8)).save(path)


def imread(filename: str, gamma: float = 2.2) -> Any:
    """(H, W, 3) or (H, W, 4) float32 array of a picture file, to the power of gamma."""
    from PIL import Image
    try:
        with Image.open(filename) as opened:
            picture = np.asarray(opened.convert("RGBA" if "A" in opened.getbands() else "RGB"), np.float32) / 255
    except OSError as error:
        raise InputError(f"{filename} cannot be read as a picture.") from error
    return np.concatenate([picture[..., :3] ** gamma, picture[..., 3:]], 2).astype(np.float32)
