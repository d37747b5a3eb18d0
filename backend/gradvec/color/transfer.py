"""The colours of one picture for another: sliced optimal transport in OKLab.

Source: Bonneel, Rabin, Peyre and Pfister, "Sliced and Radon Wasserstein Barycenters of Measures", 2015; for colours
first Pitie, Kokaram and Dahyot, "N-dimensional probability density function transfer", 2005. Along a line, optimal
transport is sorting; moved along many lines in turn, one set of colours becomes the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from ..model import Target
from .oklab import oklab, srgb

#: Colours that transport is solved on, directions of one round, rounds.
SAMPLES, DIRECTIONS, ROUNDS = 4096, 6, 16
#: Cells along each side of the table that carries what was found for the samples to every other colour, and the
#: standard deviation with which it is smoothed, cells.
CELLS, SMOOTH = 24, 1.0
#: Range of OKLab that the table covers: lightness, and both other axes.
_LOW, _HIGH = np.array([0.0, -0.42, -0.42]), np.array([1.0, 0.42, 0.42])


def sliced_transport(source: np.ndarray, goal: np.ndarray, rng: np.random.Generator, rounds: int = ROUNDS,
                     directions: int = DIRECTIONS) -> np.ndarray:
    """(n, d) where each of n points (n, d) goes so that all of them come to lie as m points (m, d) do.

    Each round projects both on ``directions`` random orthonormal lines and moves every point by the mean of what
    sorting asks for along each, scaled to the space's dimension.
    """
    moved, dimension = np.asarray(source, float).copy(), source.shape[1]
    at = (np.arange(len(moved)) + 0.5) / len(moved)
    for _ in range(rounds):
        step = np.zeros_like(moved)
        lines = np.concatenate([_orthonormal(dimension, rng) for _ in range(-(-directions // dimension))])
        for line in lines:
            order = np.argsort(moved @ line, kind="stable")
            wanted = np.quantile(goal @ line, at)
            step[order] += (wanted - (moved @ line)[order])[:, None] * line
        moved += step * dimension / len(lines)
    return moved


def _orthonormal(dimension: int, rng: np.random.Generator) -> np.ndarray:
    """(d, d) rows of a random rotation."""
    return np.linalg.qr(rng.normal(size=(dimension, dimension)))[0].T


def sliced_distance(a: np.ndarray, b: np.ndarray, rng: np.random.Generator, directions: int = 48) -> float:
    """The sliced Wasserstein-2 distance of two sets of points (n, d) and (m, d), by so many directions."""
    at = (np.arange(512) + 0.5) / 512
    lines = rng.normal(size=(directions, a.shape[1]))
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    return float(np.sqrt(np.mean([(np.quantile(a @ line, at) - np.quantile(b @ line, at)) ** 2 for line in lines])))


@dataclass(frozen=True)
class ColorMap:
    """Where each colour goes, one smooth map for all pixels, so that what was a gradient stays one.

    table: (3, CELLS, CELLS, CELLS) shifts in OKLab.
    """

    table: np.ndarray

    @classmethod
    def between(cls, picture: Target, reference: Target, seed: int = 0) -> ColorMap:
        """The map that gives a picture as much of each colour as a reference has. Transparent pixels do not count."""
        rng = np.random.default_rng(seed)
        own, wanted = (oklab(_sample(one, rng)) for one in (picture, reference))
        return cls(_table(own, sliced_transport(own, wanted, rng) - own))

    def applied(self, picture: Target) -> Target:
        """The picture, or another one like it, in the new colours."""
        lab = oklab(picture.rgb.astype(np.float64))
        at = np.moveaxis((lab - _LOW) / (_HIGH - _LOW) * (CELLS - 1), -1, 0)
        shift = np.stack([map_coordinates(plane, at, order=1, mode="nearest") for plane in self.table], -1)
        return Target(srgb(lab + shift).astype(np.float32), picture.alpha, picture.source_size)


def in_colors_of(picture: Target, reference: Target, seed: int = 0) -> Target:
    """The picture with the reference's colours: the same composition, and as much of each colour."""
    return ColorMap.between(picture, reference, seed).applied(picture)


def _sample(picture: Target, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) float64 colours of visible pixels."""
    seen = picture.rgb[picture.alpha > 0.5].astype(np.float64)
    if len(seen) == 0:
        seen = picture.rgb.reshape(-1, 3).astype(np.float64)
    return seen[rng.choice(len(seen), min(SAMPLES, len(seen)), replace=False)]


def _table(colors: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """(3, CELLS, CELLS, CELLS): how colours (n, 3) of each cell move on average, spread into cells without any."""
    at = (colors - _LOW) / (_HIGH - _LOW) * (CELLS - 1)
    cell = np.clip(np.rint(at).astype(int), 0, CELLS - 1)
    total, weight = np.zeros((3, CELLS, CELLS, CELLS)), np.zeros((CELLS, CELLS, CELLS))
    np.add.at(weight, tuple(cell.T), 1.0)
    for k in range(3):
        np.add.at(total[k], tuple(cell.T), shift[:, k])
    table, filled = np.zeros_like(total), np.zeros_like(weight)
    # Near cells count first; ever wider smoothing reaches those that lie far from every colour of the picture.
    for sigma in (SMOOTH, 2 * SMOOTH, 4 * SMOOTH, 8 * SMOOTH):
        near = gaussian_filter(weight, sigma, mode="constant")
        here = 1 - np.exp(-near / (0.02 / sigma))
        share = (1 - filled) * here
        table += share * np.stack([gaussian_filter(p, sigma, mode="constant") for p in total]) / np.maximum(near, 1e-12)
        filled += share
    mean = shift.mean(0)[:, None, None, None]
    result: np.ndarray = table + (1 - filled) * mean
    return result
