"""Brush shapes under affine maps: for every outline the image of its original that lies closest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from ..render.scene import Topology


class AffineImages:
    """Least-squares affine maps of outlines, all outlines of equally many control points at once.

    origin: (K, 2) px, control points of the originals.
    """

    def __init__(self, origin: torch.Tensor, topology: Topology) -> None:
        starts, ends = (topology.loop_points[at] for at in (topology.outline_loops[:-1], topology.outline_loops[1:]))
        self._topology = topology
        self._packed: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._groups: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        for count in np.unique(ends - starts):
            chosen = starts[(ends - starts) == count]
            index = torch.from_numpy(chosen[:, None] + np.arange(count)).to(origin.device)
            home = origin[index]
            # Around the shape's own middle and in units of its spread the pseudo-inverse is well conditioned.
            home = home - home.mean(1, keepdim=True)
            home = home / (home.norm(dim=-1).mean(1)[:, None, None] + 1e-6)
            basis = torch.cat([home, torch.ones_like(home[..., :1])], -1)
            # Many small decompositions: a card would take longer for them than for a hundred steps.
            solve = torch.linalg.pinv(basis.cpu(), rtol=1e-4).to(basis.device)
            self._groups.append((index, basis, solve))

    def groups(self, points: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """For all outlines of equally many control points: (index (n, k) of their points, basis (n, k, 3), maps
        (n, 3, 2) whose images basis @ map are those of :meth:`of`)."""
        for index, basis, solve in self._groups:
            yield index, basis, solve @ points[index]

    def packed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of all outlines one after the other, for variables on the processor: (N + 1,) first control point of each,
        (K, 3) basis, (K, 3) what each control point adds to the rows of its outline's map."""
        if self._packed is None:
            t = self._topology
            starts = t.loop_points[t.outline_loops]
            basis, solve = np.empty((2, int(starts[-1]), 3))
            for index, own, inverse in self._groups:
                rows = index.numpy()
                basis[rows], solve[rows] = own.numpy(), inverse.transpose(1, 2).numpy()
            self._packed = starts, basis, solve
        return self._packed

    def of(self, points: torch.Tensor) -> torch.Tensor:
        """(K, 2) the control points of the affine images closest to ``points`` (K, 2)."""
        image = torch.empty_like(points)
        for index, basis, solve in self._groups:
            image[index] = basis @ (solve @ points[index])
        return image
