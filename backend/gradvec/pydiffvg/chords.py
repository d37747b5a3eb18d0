"""Fills' cubics as chords: where each begins, differentiable in the control points.

Kernels, since torch would gather and scatter a vertex at a time for what is one pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from ..render.kernel_cache import njit


class Chords(torch.autograd.Function):
    """chords(control, segments, counts): (V, 2) starts of each segment's chords, float32.

    control: (M, 2) float32 px on the processor. segments: (S, 4) int64 control points of each cubic. counts: (S,) int64
    chords of each, at equal steps of its parameter; a segment of one chord gives its start.
    """

    @staticmethod
    def forward(ctx: Any, control: torch.Tensor, segments: np.ndarray, counts: np.ndarray) -> torch.Tensor:
        ctx.segments, ctx.counts, ctx.control = segments, counts, len(control)
        vertices = np.empty((int(counts.sum()), 2), np.float32)
        starts(control.detach().numpy(), segments, counts, vertices)
        return torch.from_numpy(vertices)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        total = np.zeros((ctx.control, 2))
        starts_backward(grad.contiguous().numpy(), ctx.segments, ctx.counts, total)
        return torch.from_numpy(total).float(), None, None


@njit(nogil=True, error_model="numpy")
def starts(control, segments, counts, vertices):
    """Fills vertices. From a cubic's start on, so that chords of a side that is level or upright are exactly so."""
    at = 0
    for s in range(len(segments)):
        a, b, c, d = segments[s]
        x, y = control[a, 0], control[a, 1]
        for k in range(counts[s]):
            second, third, last = _weights(k / counts[s])
            vertices[at, 0] = (x + second * (control[b, 0] - x) + third * (control[c, 0] - x)
                               + last * (control[d, 0] - x))
            vertices[at, 1] = (y + second * (control[b, 1] - y) + third * (control[c, 1] - y)
                               + last * (control[d, 1] - y))
            at += 1


@njit(nogil=True, error_model="numpy")
def starts_backward(grad, segments, counts, total):
    """Adds to total (M, 2) float64 what :func:`starts` makes of the vertices' derivative."""
    at = 0
    for s in range(len(segments)):
        a, b, c, d = segments[s]
        for k in range(counts[s]):
            second, third, last = _weights(k / counts[s])
            first = 1 - second - third - last
            for axis in range(2):
                value = grad[at, axis]
                total[a, axis] += first * value
                total[b, axis] += second * value
                total[c, axis] += third * value
                total[d, axis] += last * value
            at += 1


@njit(nogil=True, error_model="numpy", forceinline=True)
def _weights(t):
    """Of a cubic's last three control points at t."""
    return 3 * (1 - t) * (1 - t) * t, 3 * (1 - t) * t * t, t * t * t
