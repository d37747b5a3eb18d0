"""The cuda engine: Triton kernels behind one autograd function.

Works on CUDA tensors, and under TRITON_INTERPRET=1 on CPU tensors, which is how it is tested without a graphics card.
Where Triton is missing or cannot launch, the reference runs on the device instead: right, but slow.

Out of memory: the canvases of a batch are rendered in halves, whose backward renders again instead of keeping what
was behind; a single canvas that does not fit goes to the cpu engine. Either is logged.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from .. import card, reference
from ..card import triton_present
from ..scene import LINEAR, Scene, Topology

_LOG = logging.getLogger("gradvec.render")
#: Line pieces a segment of the scenes that painting, refinement, outlining and patches make: what is compiled for them.
PIECES = (4, 8, 12, 16)
_SUPER_TILE = 128  # px; grown where the lists of a scene would need more than _MOST_LISTED numbers
_MOST_LISTED = 1 << 26
_BLOCK = 128
_TOO_LARGE = "The graphics card's memory does not hold all strokes at once; working in parts, more slowly."
_PICTURE_TOO_LARGE = "The graphics card's memory does not hold this picture; working on the processor."


def render_flat(scene: Scene) -> torch.Tensor:
    """(P, 4) premultiplied RGBA of all canvases on the scene's device; differentiable once."""
    if not triton_present() or (scene.points.is_cuda and card.kernels_fail()):
        return reference.render_flat(scene)
    return _render_what_fits(scene, False)


def warm_up(device: str = "cuda") -> None:
    """Compiles what a job's pictures and derivatives need, or loads it from Triton's cache on the disk, so that nobody
    waits for it in the middle of a run."""
    each = np.arange(2)
    for pieces in PIECES:
        topology = Topology(3 * each, each, 2 * each, np.array([LINEAR], np.uint8), each[:1],
                            np.array([[4, 4]], np.int64), pieces)
        scene = Scene(topology, torch.tensor([[0.0, 0], [4, 1], [1, 4]]), torch.tensor([[0.0, 0, 4, 4]]),
                      torch.tensor([0.0, 1]), torch.rand(2, 4), torch.ones(1), torch.ones(1, 4)).to(device=device)
        render_flat(scene)
        render_flat(scene.with_parameters(*(p.requires_grad_() for p in scene.parameters))).sum().backward()


def _render_what_fits(scene: Scene, again: bool) -> torch.Tensor:
    t = scene.topology
    too_large = vars(t).setdefault("_cuda_too_large", set())
    if scene.points.device not in too_large:
        try:
            return render_with(scene, recompute=again)[0]
        except torch.cuda.OutOfMemoryError:
            # The next step of the same scene need not try again. No more is done here: while the exception is
            # handled its traceback holds the tensors that were to make room.
            too_large.add(scene.points.device)
        _make_room()
        _LOG.warning(_TOO_LARGE if len(t.sizes) > 1 else _PICTURE_TOO_LARGE)
    if len(t.sizes) > 1:
        return torch.cat([_render_what_fits(half, True) for half in _halves(scene)])
    from .. import cpu
    return cpu.render_flat(scene.to(device="cpu")).to(scene.points.device)


def _make_room() -> None:
    """Gives back what torch keeps of the card's memory for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _halves(scene: Scene) -> list[Scene]:
    """A scene's canvases in two scenes, whose topologies are made once: they have tables of their own."""
    canvases = len(scene.topology.sizes)
    kept = vars(scene.topology).setdefault("_halves", [])
    parts = [part_of(scene, a, b) for a, b in ((0, canvases // 2), (canvases // 2, canvases))]
    kept += [part.topology for part in parts[len(kept):]]
    return [replace(part, topology=topology) for part, topology in zip(parts, kept, strict=True)]


def render_with(scene: Scene, capacity: int = 0, recompute: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture (P, 4) and how many entries (outlines in tiles) it took, an int32 tensor of one number.

    capacity: room for that many entries, without asking the device for their number: nothing waits for the device,
        as a CUDA graph needs. Entries beyond it are left out. 0: as many as there are.
    recompute: render again in backward instead of keeping what was behind every outline.
    """
    wanted = torch.is_grad_enabled() and any(p.requires_grad for p in scene.parameters)
    picture, needed = _Render.apply(scene.topology, capacity, recompute, wanted, *scene.parameters)
    return picture.t(), needed


def part_of(scene: Scene, first: int, last: int) -> Scene:
    """The canvases ``first`` to ``last`` (exclusive) of a scene as a scene."""
    t = scene.topology
    n0, n1 = (int(i) for i in np.searchsorted(t.canvas, [first, last]))
    l0, l1 = int(t.outline_loops[n0]), int(t.outline_loops[n1])
    k0, k1 = int(t.loop_points[l0]), int(t.loop_points[l1])
    s0, s1 = int(t.stop_index[n0]), int(t.stop_index[n1])
    topology = replace(t, loop_points=t.loop_points[l0:l1 + 1] - k0, outline_loops=t.outline_loops[n0:n1 + 1] - l0,
                       stop_index=t.stop_index[n0:n1 + 1] - s0, kind=t.kind[n0:n1], canvas=t.canvas[n0:n1] - first,
                       sizes=t.sizes[first:last], even_odd=t.even_odd[n0:n1])
    return Scene(topology, scene.points[k0:k1], scene.geometry[n0:n1], scene.stop_offset[s0:s1],
                 scene.stop_color[s0:s1], scene.opacity[n0:n1], scene.background[first:last])


@cache
def _kernels() -> tuple[Any, Any]:
    """The Triton kernels of the picture and of its derivative, loaded when the first scene comes."""
    # Fusing multiply and add is Triton's default up to 3.9, which warns unless it is asked for.
    os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")
    from . import derivative as cuda_derivative
    from . import kernels as cuda_kernels
    return cuda_kernels, cuda_derivative


class _Tables:
    """What the kernels need to know of a topology, on one device."""

    def __init__(self, t: Topology, device: torch.device) -> None:
        def put(array: Any, dtype: Any = np.int32) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array, dtype)).to(device)

        tile = _kernels()[0].TILE.value
        lengths = np.diff(t.loop_points) // 3
        loop_segment = np.concatenate([[0], np.cumsum(lengths)])
        self.segments, self.count, self.chords = int(loop_segment[-1]), t.count, t.pieces
        before = np.arange(self.segments) - 1
        before[loop_segment[:-1][lengths > 0]] = loop_segment[1:][lengths > 0] - 1
        self.segment_points, self.segment_before = put(reference.segment_points(t)), put(before)
        self.outline_segments = put(t.loop_points[t.outline_loops] // 3)
        self.outline_canvas, self.kind, self.stop_index = put(t.canvas), put(t.kind), put(t.stop_index)
        self.even_odd = put(t.even_odd)
        self.basis = put(reference.bernstein(t.pieces), np.float64)
        width, height = t.sizes[:, 0], t.sizes[:, 1]
        tiles_x, tiles_y = -(-width // tile), -(-height // tile)
        outlines = np.searchsorted(t.canvas, np.arange(len(t.sizes) + 1))
        self.side = _SUPER_TILE
        while True:
            supers_x, supers_y = -(-width // self.side), -(-height // self.side)
            lists = supers_x * supers_y
            listed = np.repeat(np.diff(outlines), lists)
            if listed.sum() <= _MOST_LISTED or lists.max() <= 1:
                break
            self.side *= 2
        self.pixels, self.tiles, self.supers = (int(v) for v in (
            (width * height).sum(), (tiles_x * tiles_y).sum(), lists.sum()))
        self.listed = int(listed.sum())
        firsts = [np.concatenate([[0], np.cumsum(v)])[:-1] for v in (width * height, tiles_x * tiles_y, lists)]
        self.canvases = put(np.stack([width, height, firsts[0], firsts[1], tiles_x, firsts[2], supers_x,
                                      outlines[:-1], outlines[1:]], 1), np.int64)
        self.tile_canvas = put(np.repeat(np.arange(len(t.sizes)), tiles_x * tiles_y))
        self.super_canvas = put(np.repeat(np.arange(len(t.sizes)), lists))
        self.super_start = put(np.concatenate([[0], np.cumsum(listed)])[:-1], np.int64)
        self.lanes = 1 << (t.pieces - 1).bit_length()


def _tables(t: Topology, device: torch.device) -> _Tables:
    kept = vars(t).setdefault("_cuda_tables", {})
    if device not in kept:
        kept[device] = _Tables(t, device)
    return kept[device]


class _Pass:
    """One forward pass: the arrays that backward needs. The picture is not among them: autograd's node of the picture
    keeps the pass, and one that led back to the picture would be a cycle, alive until Python looks for cycles."""

    def __init__(self, t: Topology, parameters: tuple[torch.Tensor, ...], capacity: int, save: bool) -> None:
        k, _ = _kernels()
        points = parameters[0]
        self.parameters, self.save = parameters, save
        tab = self.tables = _tables(t, points.device)

        def new(*shape: int, dtype: torch.dtype = torch.int32) -> torch.Tensor:
            return torch.empty(shape, dtype=dtype, device=points.device)

        self.chain = new(max(1, tab.segments), tab.chords + 1, 4, dtype=points.dtype)
        self.segment_box, outline_box = new(max(1, tab.segments), 4), new(max(1, tab.count), 4)
        tile_count = torch.zeros(tab.tiles + 1, dtype=torch.int32, device=points.device)
        self.tile_start = tile_count
        if tab.segments:
            k.flatten[(-(-tab.segments // _BLOCK),)](points, tab.segment_points, tab.basis, self.chain,
                                                     self.segment_box, tab.segments,
                                                     TIE=reference.tolerance(points.dtype), CHORDS=tab.chords,
                                                     BLOCK=_BLOCK)
            k.outline_boxes[(tab.count,)](self.segment_box, tab.outline_segments, tab.outline_canvas, tab.canvases,
                                          outline_box, BLOCK=16)
            lists, counts = new(max(1, tab.listed)), new(tab.supers)
            k.fill_super_tiles[(tab.supers,)](outline_box, tab.canvases, tab.super_canvas, tab.super_start, counts,
                                              lists, SIDE=tab.side, BLOCK=_BLOCK)
            sources = (outline_box, tab.canvases, tab.tile_canvas, tab.super_start, counts, lists)
            k.fill_tiles[(tab.tiles,)](*sources, tile_count, lists, 0, SIDE=tab.side, STORE=False, BLOCK=_BLOCK)
            self.tile_start = tile_count.cumsum(0, dtype=torch.int32)
            self.capacity = capacity or int(self.tile_start[-1])
            self.entries = new(max(1, self.capacity))
            k.fill_tiles[(tab.tiles,)](*sources, self.tile_start, self.entries, self.capacity, SIDE=tab.side,
                                       STORE=True, BLOCK=_BLOCK)
        else:
            self.capacity, self.entries = 0, new(1)
        self.saved = new(max(1, self.capacity) if save else 1, 5, k.TILE.value**2, dtype=points.dtype)

    def picture(self) -> torch.Tensor:
        """(4, P) premultiplied planes."""
        k, _ = _kernels()
        tab = self.tables
        points, geometry, stop_offset, stop_color, opacity, background = self.parameters
        picture = torch.empty(4, tab.pixels, dtype=points.dtype, device=points.device)
        k.composite[(tab.tiles,)](
            self.chain, self.segment_box, tab.outline_segments, tab.canvases, tab.tile_canvas, self.tile_start,
            self.entries, self.capacity, tab.kind, tab.even_odd, geometry, tab.stop_index, stop_offset, stop_color,
            opacity, background, picture, tab.pixels, self.saved, CHORDS=tab.chords, LANES=tab.lanes, SAVE=self.save,
            COLUMNS=geometry.shape[1])
        return picture

    def backward(self, d_picture: torch.Tensor) -> tuple[torch.Tensor, ...]:
        _, k = _kernels()
        tab = self.tables
        points, geometry, stop_offset, stop_color, opacity, background = self.parameters
        d_points, d_geometry = torch.empty_like(points), torch.empty_like(geometry)
        d_offset, d_color, d_opacity, d_ground = (torch.zeros_like(p) for p in (
            stop_offset, stop_color, opacity, background))
        d_chain = points.new_zeros(max(1, tab.segments), tab.chords + 1, 2)
        columns = geometry.shape[1]
        moments = points.new_zeros(max(1, tab.count), columns - 1)
        k.composite_backward[(tab.tiles,)](
            self.chain, self.segment_box, tab.outline_segments, tab.canvases, tab.tile_canvas, self.tile_start,
            self.entries, self.capacity, tab.kind, tab.even_odd, geometry, tab.stop_index, stop_offset, stop_color,
            opacity, d_picture, tab.pixels, self.saved, d_chain, moments, d_offset, d_color, d_opacity, d_ground,
            TIE=reference.tolerance(points.dtype), CHORDS=tab.chords, LANES=tab.lanes, COLUMNS=columns)
        if tab.segments:
            k.flatten_backward[(-(-tab.segments // _BLOCK),)](
                d_chain, tab.segment_points, tab.segment_before, tab.basis, d_points, tab.segments,
                CHORDS=tab.chords, BLOCK=_BLOCK)
        if tab.count:
            k.finish_geometry[(-(-tab.count // _BLOCK),)](tab.kind, geometry, moments, d_geometry, tab.count,
                                                          BLOCK=_BLOCK, COLUMNS=columns)
        d_alpha = d_ground[:, 3:] + (d_ground[:, :3] * background[:, :3]).sum(1, keepdim=True)
        d_background = torch.cat([d_ground[:, :3] * background[:, 3:], d_alpha], 1)
        return d_points, d_geometry, d_offset, d_color, d_opacity, d_background


class _Render(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, t: Topology, capacity: int, recompute: bool, wanted: bool,
                *parameters: torch.Tensor) -> Any:
        parameters = tuple(p.detach().contiguous() for p in parameters)
        done = _Pass(t, parameters, capacity, wanted and not recompute)
        picture, needed = done.picture(), done.tile_start[-1:].clone()
        ctx.mark_non_differentiable(needed)
        if wanted:
            ctx.topology, ctx.capacity = t, capacity
            ctx.save_for_backward(*parameters)
            ctx.done = None if recompute else done
        return picture, needed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Any) -> Any:
        parameters = ctx.saved_tensors
        d_picture = grads[0].contiguous()
        # Whoever keeps the picture for a preview must not keep what only the derivative needed.
        done, ctx.done = ctx.done, None
        try:
            if done is None:
                done = _Pass(ctx.topology, parameters, ctx.capacity, True)
                done.picture()
            return (None, None, None, None, *done.backward(d_picture))
        except torch.cuda.OutOfMemoryError:
            done = None
        _LOG.warning("The graphics card's memory does not hold a derivative; working on the processor.")
        return (None, None, None, None, *_backward_on_cpu(ctx.topology, parameters, d_picture))


def _backward_on_cpu(t: Topology, parameters: tuple[torch.Tensor, ...], d_picture: torch.Tensor) -> list[torch.Tensor]:
    from .. import cpu
    moving = [p.cpu().requires_grad_() for p in parameters]
    with torch.enable_grad():
        picture = cpu.render_flat(Scene(t, *moving))
    return [g.to(d_picture.device) for g in torch.autograd.grad(picture, moving, d_picture.t().cpu())]
