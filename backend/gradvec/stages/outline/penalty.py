"""What keeps outlines in shape while only pixels are looked at. Torch, vectorized, differentiable, any device.

All take points (K, 2) px and the scene's topology, and give a scalar in px that is 0 for well-behaved outlines and
whose derivative does not grow as handles get short.
"""

from __future__ import annotations

import numpy as np
import torch

from ...render.scene import Topology

_TINY = 1e-6


def crossing(points: torch.Tensor, topology: Topology) -> torch.Tensor:
    """How far segments have gone into crossing themselves, px: 0 exactly when no cubic does.

    A cubic without its place, turn and skew is one point (x, y): its last point, where the first three are (0, 0),
    (0, 1) and (1, 1). It crosses itself when that point lies between three curves (Stone and DeRose, A geometric
    characterization of parametric cubic curves, 1989). The depth inside them counts, up to a limit, times the size
    of the control polygon. LIVE's crossing loss (Ma et al., CVPR 2022, section 3.3) judges by the turn between the
    handles instead, which holds back S and bulging shapes that never cross themselves.
    """
    before, inner, after = _sides(points, topology)
    whole = before + inner + after
    area = _cross(before, inner)
    flat = area.abs() < _TINY
    area = area.masked_fill(flat, 1.0)
    x, y = _cross(before, whole) / area, _cross(whole, inner) / area
    cusp = (3.0 + 2.0 * x - x * x) / 4.0
    arc = x.clamp(1e-4, 1.0)
    end = torch.where(x < 0, x - x * x / 3.0, ((3.0 * (4.0 * arc - arc * arc)).sqrt() - arc) / 2.0)
    depth = torch.relu(torch.minimum(cusp - y, y - end)).masked_fill(flat | (x > 1), 0.0)
    return (area.abs().sqrt().detach() * depth / (1.0 + depth)).sum()


def spikes(points: torch.Tensor, topology: Topology) -> torch.Tensor:
    """How sharply joints turn back on themselves, from 120 degrees of turn on, times their shorter handle, px."""
    _, previous, following = neighbours(topology, points.device)
    anchors = points[0::3]
    arriving, leaving = anchors - points[previous], points[following] - anchors
    cosine = (arriving * leaving).sum(1) / (_length(arriving) * _length(leaving) + _TINY)
    reach = torch.minimum(_length(arriving), _length(leaving)).detach()
    return (reach * torch.relu(-0.5 - cosine)).sum()


def neighbours(topology: Topology, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Per anchor: its index, that of the handle before it and that of the handle after it, all (K / 3,).

    Made once for a topology and a device: a step that brought them to a card would wait for it.
    """
    kept = vars(topology).setdefault("_neighbours", {})
    if device not in kept:
        kept[device] = _neighbours(topology, device)
    return kept[device]  # type: ignore[no-any-return]


def _neighbours(topology: Topology, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    first, last = topology.loop_points[:-1], topology.loop_points[1:]
    anchor = np.arange(0, int(last[-1]) if len(last) else 0, 3)
    begins = np.isin(anchor, first)
    previous = anchor - 1
    previous[begins] = last[np.searchsorted(first, anchor[begins])] - 1
    return tuple(torch.from_numpy(i).to(device) for i in (anchor, previous, anchor + 1))  # type: ignore[return-value]


def _sides(points: torch.Tensor, topology: Topology) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The three sides of every segment's control polygon, (K / 3, 2) each."""
    _, last_handle, _ = neighbours(topology, points.device)
    start = points[0::3]
    # The handle before an anchor ends the segment before it: looked up the other way round, it names the next anchor.
    end = torch.empty_like(start)
    end = end.index_copy(0, torch.div(last_handle, 3, rounding_mode="floor"), start)
    return points[1::3] - start, points[2::3] - points[1::3], end - points[2::3]


def _cross(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def _length(v: torch.Tensor) -> torch.Tensor:
    # The square root of a tiny number instead of 0 keeps its derivative finite.
    return (v.square().sum(1) + _TINY**2).sqrt()
