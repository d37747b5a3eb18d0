"""The cpu engine: numba kernels behind one class and one autograd function.

:class:`Renderer` owns the buffers of one topology and reuses them from step to step. :func:`render_flat` lends such a
renderer to autograd: forward takes one from the topology's pool, and it goes back when the graph is gone, so two
pictures of one topology may be alive at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import torch

from ...errors import EngineError
from .. import threads
from ..scene import Scene, Topology
from . import composite as compositing
from . import composite_backward as compositing_derivative
from . import coverage as coverage
from . import coverage_backward as coverage_derivative
from . import kernels as kernels
from .tasks import queues_of

#: Rows of one compositing task, and px of it in narrow canvases, whose bands are higher. 16 rows of 1024 px in 4 planes
#: are 256 KiB: they stay in a core's second level cache.
BAND, BAND_PIXELS = 16, 8192
#: px of picture and crops up to which one thread does all.
SMALL = 20_000
#: What an outline costs beside its crop, and a band beside the crops in it: as much as so many px of a crop.
OUTLINE_WORK, BAND_WORK = 5000, 500
_ONCE = EngineError("A picture is differentiated once, and not inside torch.vmap.",
                    "Leave create_graph off, or take second derivatives by differences of first ones.")


class _Pictures:
    """Lends (4, P) arrays and takes each back when the last view of it is gone, to lend it again.

    Memory that is new to a process costs as much as rendering into it: the system hands it out page by page, each
    filled with zeros.
    """

    def __init__(self, shape: tuple[int, int], dtype: Any) -> None:
        self._shape, self._dtype = shape, dtype
        self._spare: list[np.ndarray] = []

    def lend(self) -> np.ndarray:
        """An array with undefined contents."""
        array = self._spare.pop() if self._spare else np.empty(self._shape, self._dtype)
        return np.asarray(_Lent(self, array))

    def take_back(self, array: np.ndarray) -> None:
        """Keeps one."""
        self._spare[:] = [array]


class _Lent:
    """What views of a lent array hold on to."""

    def __init__(self, pictures: _Pictures, array: np.ndarray) -> None:
        self._pictures, self._array = pictures, array
        self.__array_interface__ = array.__array_interface__

    def __del__(self) -> None:
        self._pictures.take_back(self._array)


class Renderer:
    """Forward and backward of scenes with one topology, on numpy arrays of one dtype."""

    def __init__(self, topology: Topology, dtype: Any) -> None:
        # A copy: the topology itself keeps the renderers that nobody uses, and should take them along when it goes.
        self.topology, self.dtype = replace(topology), np.dtype(dtype).type
        t = self.topology
        self._basis = kernels.bezier_basis(t.pieces)
        self._tie = kernels.TIE_EPS * float(np.finfo(self.dtype).eps)
        self._canvas_start = t.canvas_start
        self.pixels = int(self._canvas_start[-1])
        segments = int(t.loop_points[-1]) // 3
        self._poly = np.empty((segments * t.pieces, 2))
        self._d_poly = np.empty_like(self._poly)
        self._box = np.zeros((t.count, 4), np.int64)
        self._crop, self._row, self._entry, self._part = (np.zeros(t.count + 1, np.int64) for _ in range(4))
        self._band = max(BAND, min(128, BAND_PIXELS // max(1, int(t.sizes[:, 0].max(initial=1)))))
        bands = (t.sizes[:, 1] + self._band - 1) // self._band
        self._band_start = np.concatenate([[0], np.cumsum(bands)]).astype(np.int64)
        jobs = int(self._band_start[-1])
        self._job_canvas = np.repeat(np.arange(len(bands)), bands)
        self._job_top = (np.arange(jobs) - self._band_start[self._job_canvas]) * self._band
        self._job_start, self._job_cells = np.zeros(jobs + 1, np.int64), np.zeros(jobs, np.int64)
        # Outlines that have a canvas to themselves that one thread paints at once.
        alone = (np.bincount(t.canvas, minlength=len(t.sizes)) == 1) & (np.diff(self._canvas_start) <= SMALL)
        self._lone = alone[t.canvas]
        self._nothing = np.empty(0, self.dtype)
        self._grown: dict[str, np.ndarray] = {}
        self._pictures = _Pictures((4, self.pixels), self.dtype)

    @contextmanager
    def _few_threads_for_little(self) -> Iterator[None]:
        """One thread where the work is not worth waking another, which may have to wait for a processor first."""
        before = numba.get_num_threads()
        if max(self.pixels, int(self._crop[-1])) <= SMALL:
            numba.set_num_threads(1)
        try:
            yield
        finally:
            numba.set_num_threads(before)

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
        """An array of at least this size, its contents undefined, kept from step to step."""
        size = int(np.prod(shape))
        old = self._grown.get(name)
        if old is None or old.size < size:
            old = self._grown[name] = np.empty(size + size // 4 + 64, dtype or self.dtype)
        return old[:size].reshape(shape)

    def forward(self, points: np.ndarray, geometry: np.ndarray, stop_offset: np.ndarray, stop_color: np.ndarray,
                opacity: np.ndarray, background: np.ndarray) -> np.ndarray:
        """The picture as a (4, P) array of premultiplied planes: the caller's for as long as any view of it lives."""
        threads.refuse_in_a_fork()
        picture = self._pictures.lend()
        parameters = (points, geometry, stop_offset, stop_color, opacity, background)
        with threads.ALONE, self._few_threads_for_little():
            self._cover(parameters, self._lone, picture)
            members, winding, span = self._buffers
            t = self.topology
            compositing.composite(
                self._bands.copy(), self._lone, winding, span, self._box, self._crop, self._row, self._band,
                self._job_canvas, self._job_top, self._job_start, members, t.sizes, self._canvas_start, t.kind,
                geometry, t.stop_index, stop_offset, stop_color, opacity, background, picture)
        return picture

    def _cover(self, parameters: tuple[np.ndarray, ...], lone: np.ndarray, picture: np.ndarray) -> None:
        """What each outline covers and who is where; paints outlines that are alone."""
        t = self.topology
        points, geometry, stop_offset, stop_color, opacity, background = self._parameters = parameters
        kernels.flatten(points, t.loop_points, t.outline_loops, t.canvas, t.sizes, self._basis, self._tie, self._poly,
                        self._box)
        kernels.lay_out(self._box, self._band, self._crop, self._row, self._entry, t.stop_index, self._part)
        members = self._buffer("members", (int(self._entry[-1]),), np.int64)
        kernels.bin_outlines(self._box, self._band, t.canvas, self._band_start, self._job_start, members,
                             self._job_cells)
        self._outlines = queues_of(self._crop + OUTLINE_WORK * np.arange(len(self._crop)))
        self._bands = queues_of(np.concatenate([[0], np.cumsum(self._job_cells + BAND_WORK)]))
        winding = self._buffer("winding", (int(self._crop[-1]),))
        span = self._buffer("span", (int(self._row[-1]), 2), np.int64)
        coverage.coverage(self._outlines.copy(), self._poly, t.loop_points, t.outline_loops, self._box, self._crop,
                          self._row, t.pieces, self._tie, t.even_odd, winding, span, lone, t.canvas, t.sizes,
                          self._canvas_start, t.kind, geometry, t.stop_index, stop_offset, stop_color, opacity,
                          background, picture)
        self._buffers = (members, winding, span)

    def backward(self, d_picture: np.ndarray, wants_background: bool = True) -> tuple[np.ndarray, ...]:
        """Derivatives with respect to the parameters of the last forward, from the (4, P) derivative of its picture.

        wants_background: without it the background's derivative is 0 and bare pixels are not even read.
        """
        threads.refuse_in_a_fork()
        with threads.ALONE, self._few_threads_for_little():
            return self._derivative(self._lone, d_picture, self._nothing, wants_background)[1]

    def squared_error(self, parameters: tuple[np.ndarray, ...], goal: np.ndarray, weight: np.ndarray,
                      wants_background: bool = True) -> tuple[float, tuple[np.ndarray, ...]]:
        """Sum of weight * (picture - goal)^2 and its derivatives by the parameters, band by band: the picture itself is
        never in memory.

        goal: (3, P) or (4, P). weight: (P,).
        """
        threads.refuse_in_a_fork()
        none = np.zeros_like(self._lone)
        with threads.ALONE, self._few_threads_for_little():
            self._cover(parameters, none, np.empty((4, 0), self.dtype))
            error, slopes = self._derivative(none, goal, weight, wants_background)
        return float(error.sum()), slopes

    def _derivative(self, lone: np.ndarray, d_picture: np.ndarray, weight: np.ndarray,
                    wants_background: bool) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        t = self.topology
        points, geometry, stop_offset, stop_color, opacity, background = self._parameters
        members, winding, span = self._buffers
        d_points, d_geometry, d_offset, d_color, d_opacity = (
            np.empty_like(a) for a in (points, geometry, stop_offset, stop_color, opacity))
        cells, outlines = (int(a.max(initial=1)) for a in (self._job_cells, np.diff(self._job_start)))
        count = numba.get_num_threads()
        stack = self._buffer("stack", (count, 4, cells))
        rows = self._buffer("rows", (count, 2, 4, self._band * (int(t.sizes[:, 0].max()) + kernels.PAD)))
        places = self._buffer("places", (count, outlines), np.int64)
        d_cover = self._buffer("d_cover", (int(self._crop[-1]),))
        partial = self._buffer("partial", (int(self._part[-1]),))
        d_ground = self._buffer("d_ground", (len(self._job_canvas), 4))
        error = np.zeros(len(self._job_canvas))
        compositing_derivative.composite_backward(
            self._bands.copy(), lone, winding, span, self._box, self._crop, self._row, self._band,
            self._job_canvas, self._job_top, self._job_start, members, t.sizes, self._canvas_start, t.kind, geometry,
            t.stop_index, stop_offset, stop_color, opacity, background, self._part, d_picture, d_cover, partial,
            d_ground, stack, rows, places, wants_background, weight, error)
        coverage_derivative.coverage_backward(
            self._outlines.copy(), self._poly, t.loop_points, t.outline_loops, self._box, self._crop, self._basis,
            self._tie, t.even_odd, d_cover, self._d_poly, d_points, lone, t.canvas, t.sizes, self._canvas_start, t.kind,
            geometry, t.stop_index, stop_offset, stop_color, opacity, background, self._row, winding, span,
            self._band_start, self._part, d_picture, partial, d_ground, wants_background)
        compositing_derivative.reduce_partials(
            t.kind, geometry, t.stop_index, stop_offset, self._entry, self._part, partial, d_geometry, d_offset,
            d_color, d_opacity)
        return error, (d_points, d_geometry, d_offset, d_color, d_opacity, self._d_background(d_ground, background))

    def _d_background(self, d_ground: np.ndarray, background: np.ndarray) -> np.ndarray:
        """From the premultiplied ground of every band to the straight RGBA of every canvas."""
        total = np.zeros_like(background)
        np.add.at(total, self._job_canvas, d_ground)
        result = total * background[:, 3:4]
        result[:, 3] = total[:, 3] + (total[:, :3] * background[:, :3]).sum(1)
        return result


class _Pool:
    """The renderers of one topology that nobody is using."""

    def __init__(self) -> None:
        self.free: list[Renderer] = []


class _Loan:
    """A renderer on loan for one picture; goes back to its pool when the last reference is gone."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.renderer: Renderer | None = None

    def take(self, dtype: Any) -> Renderer:
        pools = vars(self.topology).setdefault("_cpu_pools", {})
        self._pool = pools.setdefault(np.dtype(dtype), _Pool())
        try:
            self.renderer = self._pool.free.pop()
        except IndexError:
            self.renderer = Renderer(self.topology, dtype)
        return self.renderer

    def __del__(self) -> None:
        if self.renderer is not None:
            self._pool.free.append(self.renderer)


class _NotInVmap(torch.autograd.Function):
    """Says what is wrong where torch.vmap is tried."""

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        raise _ONCE


class _Last(_NotInVmap):
    """A derivative as a function of its own, so that who differentiates it again is told what is wrong."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        raise _ONCE


class _Render(_NotInVmap):
    """(4, P) picture. The loan travels as an argument, which leaves forward free of a context, as torch.func wants."""

    @staticmethod
    def forward(loan: _Loan, *parameters: torch.Tensor) -> torch.Tensor:
        arrays = [p.detach().contiguous().numpy() for p in parameters]
        return torch.from_numpy(loan.take(arrays[0].dtype).forward(*arrays))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        if any(ctx.needs_input_grad):
            # An optimizer that changes a parameter in place before backward would spoil the derivative silently.
            ctx.save_for_backward(*inputs[1:])
            ctx.loan = inputs[0]

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return (None, *_Derivative.apply(ctx.loan, ctx.needs_input_grad[-1], grads[0], *ctx.saved_tensors))


class _Derivative(_Last):
    """The backward of _Render."""

    @staticmethod
    def forward(loan: _Loan, wants_background: bool, d_picture: torch.Tensor,
                *parameters: torch.Tensor) -> tuple[torch.Tensor, ...]:
        assert loan.renderer is not None
        slope = d_picture.detach().contiguous()
        results = [torch.from_numpy(r) for r in loan.renderer.backward(slope.numpy(), wants_background)]
        if not bool(torch.isfinite(torch.stack([r.sum() for r in results]).sum())):
            refuse_what_is_not_finite(loan.topology, slope.t())
        return tuple(results)


class _SquaredError(_NotInVmap):
    """The sum of weight * (picture - goal)^2, whose derivative is there as soon as it is."""

    @staticmethod
    def forward(loan: _Loan, goal: torch.Tensor, weight: torch.Tensor, wants_background: bool,
                *parameters: torch.Tensor) -> tuple[torch.Tensor, ...]:
        error, slopes = _compared(loan, goal, weight, wants_background, parameters)
        return parameters[0].new_tensor(error), *slopes

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*output[1:], *inputs[4:])
        ctx.mark_non_differentiable(*output[1:])

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor, *_: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return (None, None, None, None, *_Slopes.apply(grad, *ctx.saved_tensors))


class _Slopes(_Last):
    """The derivatives of _SquaredError, given before the parameters."""

    @staticmethod
    def forward(grad: torch.Tensor, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(grad * slope for slope in tensors[:len(tensors) // 2])


def squared_error(scene: Scene, goal: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Sum over all px and planes of weight (P,) * (picture - goal)^2, goal (3 or 4, P), both contiguous; differentiable
    in the scene."""
    return _SquaredError.apply(_Loan(scene.topology), goal, weight, scene.background.requires_grad,
                               *scene.parameters)[0]


def squared_error_and_slopes(scene: Scene, goal: torch.Tensor,
                             weight: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
    """The number of :func:`squared_error` and its derivatives by the scene's parameters."""
    return _compared(_Loan(scene.topology), goal, weight, scene.background.requires_grad, scene.parameters)


def _compared(loan: _Loan, goal: torch.Tensor, weight: torch.Tensor, wants_background: bool,
              parameters: tuple[torch.Tensor, ...]) -> tuple[float, list[torch.Tensor]]:
    arrays = tuple(p.detach().contiguous().numpy() for p in parameters)
    error, slopes = loan.take(arrays[0].dtype).squared_error(arrays, goal.numpy(), weight.numpy(), wants_background)
    return error, [torch.from_numpy(slope) for slope in slopes]


def refuse_what_is_not_finite(topology: Topology, d_picture: torch.Tensor) -> None:
    """Raises EngineError where the derivative (P, 4) that a loss hands back is not finite; names the px."""
    bad = (~torch.isfinite(d_picture)).any(1).nonzero()
    if not len(bad):
        return
    first = int(bad[0, 0])
    canvas = int(np.searchsorted(topology.canvas_start, first, "right")) - 1
    y, x = divmod(first - int(topology.canvas_start[canvas]), int(topology.sizes[canvas, 0]))
    raise EngineError(f"The loss' derivative is not a finite number at px ({x}, {y}) of canvas {canvas}.",
                      "Look for a division by 0, or a root or logarithm of 0, in the loss.")


def render_flat(scene: Scene) -> torch.Tensor:
    """All canvases of ``scene`` as (P, 4) premultiplied RGBA; differentiable once.

    The scene must have passed :meth:`Scene.check`, as every scene has that came through ``gradvec.render``.
    """
    return _Render.apply(_Loan(scene.topology), *scene.parameters).t()
