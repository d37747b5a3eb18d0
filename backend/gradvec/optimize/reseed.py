"""Strokes that do nothing are wasted: which those are, and where they would do more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from ..model import Target
from ..render import render_flat
from .variables import Variables


@dataclass(frozen=True)
class Seeds:
    """Where k strokes go: centre (k, 2) px, size (k,) px (square root of the area), angle (k,), color (k, 3)."""

    centre: np.ndarray
    size: np.ndarray
    angle: np.ndarray
    color: np.ndarray


def visible_areas(variables: Variables, engine: str) -> np.ndarray:
    """(N,) how much of each shape is seen, px: its alpha times what the shapes above let through, summed.

    It is exactly the derivative of a colour plane's sum with respect to the shape's own colour.
    """
    scene = variables.scene()
    color = scene.stop_color.detach().clone().requires_grad_()
    free = scene.with_parameters(scene.points.detach(), scene.geometry.detach(), scene.stop_offset, color,
                                 scene.opacity, scene.background)
    render_flat(free, engine)[:, 0].sum().backward()
    assert color.grad is not None
    seen = np.zeros(variables.count)
    np.add.at(seen, variables.topology.stop_outline, color.grad[:, 0].cpu().numpy())
    return seen


class OrientationField:
    """Along which way the picture runs at every pixel (structure tensor, Gaussian 4 px): angle (H, W)."""

    def __init__(self, target: Target) -> None:
        grey = ndimage.gaussian_filter((target.rgb * target.alpha[..., None]).mean(2), 1.5)
        gy, gx = np.gradient(grey) if min(grey.shape) > 1 else (np.zeros_like(grey), np.zeros_like(grey))
        xx, yy, xy = (ndimage.gaussian_filter(v, 4) for v in (gx * gx, gy * gy, gx * gy))
        self.angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2


def seeds(error: np.ndarray, count: int, target: Target, field: OrientationField, rng: np.random.Generator,
          size: float) -> Seeds:
    """``count`` places, drawn by the error that is left within about ``size`` px, apart from each other."""
    height, width = error.shape
    smooth = ndimage.gaussian_filter(error, size / 2) * (target.alpha > 0.5)
    centres = np.zeros((count, 2))
    rows, columns = np.mgrid[0:height, 0:width]
    for k in range(count):
        total = smooth.sum()
        share = smooth.ravel() if total > 0 else np.ones(height * width)
        at = int(np.searchsorted(np.cumsum(share), rng.uniform() * share.sum()))
        y, x = divmod(min(at, height * width - 1), width)
        centres[k] = x + 0.5, y + 0.5
        far = int(2 * size)
        near = slice(max(0, y - far), y + far + 1), slice(max(0, x - far), x + far + 1)
        distance = (rows[near] - y) ** 2 + (columns[near] - x) ** 2
        smooth[near] *= 1 - np.exp(-distance / (2 * size * size))
    xi, yi = centres[:, 0].astype(int), centres[:, 1].astype(int)
    return Seeds(centres, np.full(count, size), field.angle[yi, xi], target.rgb[yi, xi])


def reseed(variables: Variables, error: np.ndarray, target: Target, field: OrientationField,
           rng: np.random.Generator, engine: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Takes the shapes that are hardly seen to the top of the paint order and puts them where the error is.

    Returns:
        (order, fresh): the new order as old indices, and which of the new places (N,) bool were put elsewhere.
    """
    seen = visible_areas(variables, engine)
    dead = np.flatnonzero(seen < max(8.0, 0.08 * float(np.median(seen))))
    dead = dead[np.argsort(seen[dead], kind="stable")][:most]
    order = np.concatenate([np.setdiff1d(np.arange(variables.count), dead), dead])
    fresh = np.arange(variables.count) >= variables.count - len(dead)
    return order, fresh


def place(variables: Variables, fresh: np.ndarray, places: Seeds) -> None:
    variables.place(np.flatnonzero(fresh), places.centre, places.size, places.angle, places.color)


def rows_of(variables: Variables, fresh: np.ndarray) -> list[torch.Tensor]:
    """``fresh`` per row of points, geometry and stops."""
    t = variables.topology
    return [torch.from_numpy(fresh[t.point_outline]), torch.from_numpy(fresh), torch.from_numpy(fresh[t.stop_outline])]
