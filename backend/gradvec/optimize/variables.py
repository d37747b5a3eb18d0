"""The optimizer's view of a list of shapes, and the way back to plain shapes.

Every shape becomes loops of the same cubics with a linear gradient of at least two stops (or one colour where the run
asks for flat fills). What the values have to keep to is said by :mod:`.constraints`.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch

from ..model import LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop
from ..render.scene import LINEAR, RADIAL, SOLID, Scene, Topology, scene_from_shapes
from .affine import AffineImages

T = TypeVar("T")


@dataclass(frozen=True)
class Places:
    """Where k shapes go: centre (k, 2) px, size (k,) px (square root of the area), angle (k,), color (k, 3)."""

    centre: np.ndarray
    size: np.ndarray
    angle: np.ndarray
    color: np.ndarray


@dataclass(frozen=True)
class Freedom:
    """What an optimization may change.

    outlines: control points move at all. reach: how far a control point may leave the best affine image of the
    shape that came in, as a share of the shape's own size (square root of its area); 0 keeps every shape an affine
    image of itself, infinity frees it. gradients: geometry of the fills. colors: colours of the stops. opacity: stops
    may fade. ground: the colour under all shapes is trained, too.
    """

    outlines: bool = True
    reach: float = float("inf")
    gradients: bool = True
    colors: bool = True
    opacity: bool = True
    ground: bool = False


def reach_of(fidelity: float) -> float:
    """The dial: 0 at fidelity 0, a fifth of the shape's size at 0.5, without bound at 1."""
    return float("inf") if fidelity >= 1 else 0.2 * fidelity / (1 - fidelity)


class Variables:
    """Control points, gradient geometry and stops of N shapes as leaf tensors, all on one device.

    background: (1, 4) straight RGBA that lies under everything. origin: (K, 2) control points as they came in. size:
    (N,) px, square root of each outline's area. owner: (K,) outline of each control point; following, preceding: (K,)
    its neighbours on its loop. opaque_ground: whether nothing shows through the ground, trained or not. wrong: squared
    colour difference of a pixel at the last step, summed over its planes, on average.
    """

    def __init__(self, shapes: list[Shape], width: int, height: int, background: tuple[float, ...],
                 freedom: Freedom, device: str = "cpu") -> None:
        self.freedom = freedom
        self.wrong: float | torch.Tensor = 0.0
        self.meta = [replace(shape, fill=SolidColor((0.0, 0.0, 0.0))) for shape in shapes]
        scene = scene_from_shapes(shapes, width, height, background)
        size = torch.from_numpy(np.sqrt(np.maximum(areas(scene), 4.0)))
        scene = scene.to(device=device)
        self.topology = scene.topology
        self.background = scene.background.clone().requires_grad_(freedom.ground)
        self.stop_offset = scene.stop_offset.clone()
        self.opacity = scene.opacity.clone()
        self.points = scene.points.clone().requires_grad_(freedom.outlines)
        self.geometry = scene.geometry.clone().requires_grad_(freedom.gradients)
        self.stop_color = scene.stop_color.clone().requires_grad_(freedom.colors)
        self.origin = self.points.detach().clone()
        self.size = size.to(self.points)
        self.opaque_ground = background[3] >= 1.0
        self._index()

    def _index(self) -> None:
        """What follows from the topology and the shapes that came in."""
        self.owner = self._here(self.topology.point_outline)
        self.following = self._here(following(self.topology))
        self.preceding = torch.argsort(self.following)
        self._affine: AffineImages | None = None

    def _here(self, index: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(index).to(self.points.device)

    def copied_to(self, device: str) -> Variables:
        """The same variables, values copied, on another device (or this one)."""
        other = copy.copy(self)
        for name in ("background", "stop_offset", "opacity", "points", "geometry", "stop_color", "origin", "size"):
            own = getattr(self, name)
            setattr(other, name, own.detach().to(device, copy=True).requires_grad_(own.requires_grad))
        other._index()
        return other

    @property
    def count(self) -> int:
        return self.topology.count

    @property
    def on_processor(self) -> bool:
        """Whether the variables are where numba's kernels are."""
        return self.points.device.type == "cpu"

    def looped(self) -> tuple[np.ndarray, np.ndarray]:
        """Control points, sharing memory, and the loops that they are on, as kernels take them."""
        return self.points.detach().numpy(), self.topology.loop_points

    def sloped(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As :meth:`looped`, with the points' derivative, which must be there, after them."""
        points, loops = self.looped()
        assert self.points.grad is not None
        self.points.grad = self.points.grad.contiguous()
        return points, self.points.grad.numpy(), loops

    @property
    def canvas(self) -> tuple[int, int]:
        """(width, height) px."""
        width, height = self.topology.sizes[0]
        return int(width), int(height)

    @torch.no_grad()
    def enlarge(self, scale: tuple[float, float], width: int, height: int) -> None:
        """The same picture, ``scale`` (x, y) times as large, on a canvas of width x height px."""
        pair = torch.tensor(scale).to(self.points)
        self.topology = replace(self.topology, sizes=np.array([[width, height]], np.int64))
        self.points.mul_(pair)
        self.origin.mul_(pair)
        self.geometry.mul_(fill_scale(self.topology.kind, scale).to(self.geometry))
        self.size = self.size * pair.prod().sqrt()

    @property
    def affine(self) -> AffineImages:
        """The best affine images of the outlines that came in."""
        if self._affine is None:
            self._affine = AffineImages(self.origin, self.topology)
        return self._affine

    def scene(self) -> Scene:
        return Scene(self.topology, self.points, self.geometry, self.stop_offset, self.stop_color, self.opacity,
                     self.background)

    def leaves(self) -> list[torch.Tensor]:
        """The tensors that are optimized: points, geometry, stop colours and ground, as far as they are free."""
        return self.of_leaves(self.points, self.geometry, self.stop_color, self.background)

    def of_leaves(self, points: T, geometry: T, stops: T, ground: T) -> list[T]:
        """Of what belongs to points, geometry, stop colours and ground, that which belongs to :meth:`leaves`."""
        free = self.freedom
        parts = (points, free.outlines), (geometry, free.gradients), (stops, free.colors), (ground, free.ground)
        return [part for part, on in parts if on]

    def rows_of(self, marked: np.ndarray) -> list[torch.Tensor]:
        """Which rows of each leaf belong to the shapes ``marked`` (N,) bool."""
        return self.of_leaves(*(self._here(rows) for rows in self._marked_rows(marked)))

    def indices_of(self, marked: np.ndarray) -> list[torch.Tensor]:
        """Where the rows of each leaf are that belong to the shapes ``marked`` (N,) bool: on a card, unlike a mask,
        nobody has to wait to know how many they are."""
        return self.of_leaves(*(self._here(np.flatnonzero(rows)) for rows in self._marked_rows(marked)))

    def _marked_rows(self, marked: np.ndarray) -> tuple[np.ndarray, ...]:
        t = self.topology
        return marked[t.point_outline], marked, marked[t.stop_outline], np.zeros(1, bool)

    def drift(self) -> np.ndarray:
        """(N,) how far each outline left the best affine image of its brush: root mean square over its control points
        of the distance across that image's outline, as a share of its size. Sliding along it changes no shape."""
        points = self.points.detach()
        image = self.affine.of(points)
        along = image[self.following] - image[self.preceding]
        rest = points - image
        across = (rest[:, 0] * along[:, 1] - rest[:, 1] * along[:, 0]) / (along.norm(dim=1) + 1e-6)
        total = torch.zeros(self.count).to(points).index_add_(0, self.owner, across.square())
        count = torch.bincount(self.owner, minlength=self.count).to(points)
        return ((total / count).sqrt() / self.size).cpu().numpy()

    # -- dropping, moving to the top ------------------------------------------------------------------------------

    def index_of(self, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where points, outlines and stops of the outlines in ``order`` lie today, one after the other."""
        t = self.topology
        starts, ends = t.loop_points[t.outline_loops[:-1]], t.loop_points[t.outline_loops[1:]]
        return _ranges(starts, ends, order), order, _ranges(t.stop_index[:-1], t.stop_index[1:], order)

    @torch.no_grad()
    def take(self, order: np.ndarray) -> list[torch.Tensor]:
        """Keeps the outlines that ``order`` names, in that order (and paint order). Returns where each leaf's rows were
        before, so that an optimizer's state can follow."""
        t = self.topology
        points, outlines, stops = (self._here(i) for i in self.index_of(order))
        loops = _ranges(t.outline_loops[:-1], t.outline_loops[1:], order)
        self.topology = replace(
            t, loop_points=_starts(np.diff(t.loop_points)[loops]),
            outline_loops=_starts(np.diff(t.outline_loops)[order]),
            stop_index=_starts(np.diff(t.stop_index)[order]), kind=t.kind[order],
            canvas=t.canvas[order])
        self.origin = self.origin[points]
        self.size, self.opacity, self.stop_offset = self.size[outlines], self.opacity[outlines], self.stop_offset[stops]
        self.meta = [self.meta[i] for i in order]
        self.points = self.points.detach()[points].requires_grad_(self.freedom.outlines)
        self.geometry = self.geometry.detach()[outlines].requires_grad_(self.freedom.gradients)
        self.stop_color = self.stop_color.detach()[stops].requires_grad_(self.freedom.colors)
        self._index()
        return self.of_leaves(points, outlines, stops, self._here(np.zeros(1, np.int64)))

    @torch.no_grad()
    def place(self, which: np.ndarray, places: Places) -> None:
        """Puts the outlines ``which`` (k,) elsewhere as affine images of what they were, each in one colour."""
        t = self.topology
        like: dict[str, Any] = {"dtype": self.points.dtype, "device": self.points.device}
        for k, n in enumerate(which):
            a, b = int(t.loop_points[t.outline_loops[n]]), int(t.loop_points[t.outline_loops[n + 1]])
            home = self.origin[a:b] - self.origin[a:b].mean(0)
            size, angle = float(places.size[k]), places.angle[k]
            turn = float(angle) - _axis_angle(home)
            c, s = np.cos(turn), np.sin(turn)
            matrix = torch.tensor([[c, s], [-s, c]], **like) * (size / float(self.size[n]))
            middle = torch.tensor(places.centre[k], **like)
            self.points[a:b] = self.origin[a:b] = home @ matrix + middle
            self.size[n] = size
            reach = torch.tensor([np.cos(angle), np.sin(angle)], **like) * size
            self.geometry[n] = torch.cat([middle - reach, middle + reach])
            i, j = int(t.stop_index[n]), int(t.stop_index[n + 1])
            self.stop_color[i:j, :3] = torch.tensor(places.color[k], **like)
            self.stop_color[i:j, 3] = 1.0
        self._affine = None

    # -- the way back ---------------------------------------------------------------------------------------------

    def shapes(self) -> list[Shape]:
        """Plain shapes, with the ids, labels and levels that came in."""
        t = self.topology
        points = self.points.detach().cpu().numpy()
        geometry = self.geometry.detach().cpu().numpy().astype(float).tolist()
        offsets = self.stop_offset.detach().cpu().numpy().astype(float)
        colors = self.stop_color.detach().cpu().numpy().astype(float)
        result = []
        for n, shape in enumerate(self.meta):
            loops = tuple(points[t.loop_points[k]:t.loop_points[k + 1]].copy()
                          for k in range(t.outline_loops[n], t.outline_loops[n + 1]))
            stops = tuple(Stop(float(o), (float(c[0]), float(c[1]), float(c[2])), float(c[3]))
                          for o, c in zip(offsets[t.stop_index[n]:t.stop_index[n + 1]],
                                          colors[t.stop_index[n]:t.stop_index[n + 1]], strict=True))
            result.append(_with_fill(replace(shape, outline=Outline(loops)), int(t.kind[n]), geometry[n], stops))
        return result


def _with_fill(shape: Shape, kind: int, numbers: list[float], stops: tuple[Stop, ...]) -> Shape:
    if kind == SOLID:
        return replace(shape, fill=SolidColor(stops[0].color), opacity=shape.opacity * stops[0].opacity)
    if kind == RADIAL:
        return replace(shape, fill=RadialGradient(numbers[0], numbers[1], numbers[2], stops))
    assert kind == LINEAR
    x1, y1, x2, y2 = numbers
    return replace(shape, fill=LinearGradient(x1, y1, x2, y2, stops))


def with_gradient(shape: Shape) -> Shape:
    """The same look with a gradient of two equal stops along the outline's longest extent, ready to be refined."""
    if not isinstance(shape.fill, SolidColor):
        return shape
    points = np.concatenate(shape.outline.loops)
    middle = points.mean(0)
    angle = _axis_angle(torch.from_numpy(points - middle))
    along = np.array([np.cos(angle), np.sin(angle)])
    reach = (points - middle) @ along
    a, b = middle + along * reach.min(), middle + along * reach.max()
    stop = Stop(0.0, shape.fill.color)
    return replace(shape, fill=LinearGradient(float(a[0]), float(a[1]), float(b[0]), float(b[1]),
                                              (stop, replace(stop, offset=1.0))))


def fill_scale(kind: np.ndarray, scale: tuple[float, float]) -> torch.Tensor:
    """(N, 4) factors on the geometry of fills of these kinds (N,) where a picture gets ``scale`` (x, y) times as large.
    """
    x, y = scale
    factors = torch.tensor([x, y, x, y]).repeat(len(kind), 1)
    factors[torch.from_numpy(kind == RADIAL), 2] = math.sqrt(x * y)
    return factors


def areas(scene: Scene) -> np.ndarray:
    """(N,) area px^2 of each outline's control polygon, holes counted as they wind: close enough for a size."""
    t = scene.topology
    p = scene.points.detach().cpu().numpy().astype(np.float64)
    after = following(t)
    cross = p[:, 0] * p[after, 1] - p[after, 0] * p[:, 1]
    return np.abs(np.bincount(t.point_outline, cross, minlength=t.count)) / 2


def following(t: Topology) -> np.ndarray:
    """(K,) index of the control point that comes next on the same loop."""
    after = np.arange(int(t.loop_points[-1])) + 1
    after[t.loop_points[1:] - 1] = t.loop_points[:-1]
    return after


def _axis_angle(centred: torch.Tensor) -> float:
    """Angle of the longest axis of points around the origin."""
    x, y = centred[:, 0].double(), centred[:, 1].double()
    return 0.5 * float(torch.atan2(2 * (x * y).sum(), (x * x - y * y).sum()))


def _ranges(starts: np.ndarray, ends: np.ndarray, order: np.ndarray) -> np.ndarray:
    parts = [np.arange(starts[i], ends[i]) for i in order]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
