"""Few colours that stand for many, in OKLab (gradvec.color.oklab), in which distance is what the eye sees."""

from __future__ import annotations

import numpy as np

ROUNDS = 60


def nearest(lab: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """(n,) index of the colour of ``palette`` (k, 3) that is nearest to each colour."""
    return ((lab[:, None, :] - palette[None]) ** 2).sum(-1).argmin(1)


def few(lab: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """(k, 3) colours, at most ``count``, that stand for ``lab`` (n, 3) best: weighted K-means.

    It starts from the heaviest colour and then, again and again, the one that is worst served; so there is nothing
    random in it.
    """
    centers = lab[[int(weight.argmax())]]
    while len(centers) < count:
        far = ((lab[:, None, :] - centers[None]) ** 2).sum(-1).min(1) * weight
        if far.max() <= 1e-12:
            break
        centers = np.concatenate([centers, lab[[int(far.argmax())]]])
    for _round in range(ROUNDS):
        owner = nearest(lab, centers)
        moved = np.array([np.average(lab[owner == k], 0, weight[owner == k]) if weight[owner == k].sum() > 0
                          else centers[k] for k in range(len(centers))])
        if np.abs(moved - centers).max() < 1e-7:
            break
        centers = moved
    return centers
