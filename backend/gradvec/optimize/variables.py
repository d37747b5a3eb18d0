"""The optimizer's view of a list of shapes, and the way back to plain shapes.

Every shape becomes loops of the same cubics with a linear gradient of at least two stops (or one colour where the run
asks for flat fills). What may move, and how far, is decided here: nobody else sees an optimizer variable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from ..brushes.rules import rules_of
from ..model import LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop
from ..render.scene import LINEAR, RADIAL, SOLID, Scene, Topology, scene_from_shapes
from .keeping import Kept


@dataclass(frozen=True)
class Freedom:
    """What an optimization may change.

    outlines: control points move at all. reach: how far a control point may leave the best affine image of the
    shape that came in, as a share of the shape's own size (square root of its area); 0 keeps every shape an affine
    image of itself, infinity frees it. gradients: geometry of the fills. colors: colours of the stops. opacity: stops
    may fade. keep: the fidelity at which shapes keep to the rules of their brushes, None where they do not.
    """

    outlines: bool = True
    reach: float = float("inf")
    gradients: bool = True
    colors: bool = True
    opacity: bool = True
    keep: float | None = None


def reach_of(fidelity: float) -> float:
    """The dial: 0 at fidelity 0, a fifth of the shape's size at 0.5, without bound at 1."""
    return float("inf") if fidelity >= 1 else 0.2 * fidelity / (1 - fidelity)


class Variables:
    """Control points, gradient geometry and stops of N shapes as leaf tensors, and their projection to what is allowed.

    background: straight RGBA that lies under everything and does not change.
    """

    def __init__(self, shapes: list[Shape], width: int, height: int, background: tuple[float, ...],
                 freedom: Freedom, device: str = "cpu") -> None:
        self.freedom = freedom
        self.meta = [replace(shape, fill=SolidColor((0.0, 0.0, 0.0))) for shape in shapes]
        scene = scene_from_shapes(shapes, width, height, background).to(device=device)
        self._build(scene)
        self._origin = self.points.detach().clone()
        self.size = torch.from_numpy(np.sqrt(np.maximum(areas(scene), 4.0))).to(self.points)
        self._groups = self._affine_groups()
        self._kept = self._rules(shapes)

    def _rules(self, shapes: list[Shape]) -> Kept | None:
        if self.freedom.keep is None or self.freedom.reach == float("inf"):
            return None
        kept = Kept(shapes, self.freedom.keep, self.topology, self._origin, self.geometry, self.opacity)
        return kept if kept.binding else None

    def _build(self, scene: Scene) -> None:
        self.topology = scene.topology
        self.background = scene.background
        self.stop_offset = scene.stop_offset.clone()
        self.opacity = scene.opacity.clone()
        self.points = scene.points.clone().requires_grad_(self.freedom.outlines)
        self.geometry = scene.geometry.clone().requires_grad_(self.freedom.gradients)
        self.stop_color = scene.stop_color.clone().requires_grad_(self.freedom.colors)

    @property
    def count(self) -> int:
        return self.topology.count

    def scene(self) -> Scene:
        return Scene(self.topology, self.points, self.geometry, self.stop_offset, self.stop_color, self.opacity,
                     self.background)

    def leaves(self) -> list[torch.Tensor]:
        """The tensors that are optimized: points, geometry, stop colours, as far as they are free."""
        return [leaf for leaf in (self.points, self.geometry, self.stop_color) if leaf.requires_grad]

    @torch.no_grad()
    def pull_taut(self, tension: float) -> None:
        """Adds to the points' derivative that of ``tension`` times the length of every control polygon."""
        if self.points.grad is None:
            return
        step = self.points.index_select(0, self._following) - self.points
        # Short rows are what torch reduces slowest, here and below: columns by hand take half the time.
        length = torch.hypot(step[:, 0], step[:, 1])
        pull = step * (tension / (length + 1e-3)).unsqueeze(1)
        self.points.grad.add_(pull, alpha=-1).add_(pull.index_select(0, self._preceding))

    @torch.no_grad()
    def even_out(self, share: float) -> None:
        """Slides every control point along its outline towards the middle of its neighbours by ``share`` of the way.

        Points may slide along an outline without changing it, so nothing else keeps them from bunching up and folding
        the outline over.
        """
        p = self.points
        after, before = p.index_select(0, self._following), p.index_select(0, self._preceding)
        along, middle = after - before, (after + before).add_(p, alpha=-2)
        (x, y), (dx, dy) = along.unbind(1), middle.unbind(1)
        amount = (x * dx + y * dy) / (x * x + y * y + 1e-3)
        p.add_(along * (amount * (share / 2)).unsqueeze(1))

    # -- what is allowed ------------------------------------------------------------------------------------------

    @torch.no_grad()
    def project(self) -> None:
        """Puts the variables back into what is allowed: colours in [0, 1], outlines within reach of their brush."""
        if self.freedom.colors:
            self.stop_color.clamp_(0.0, 1.0)
            if not self.freedom.opacity:
                self.stop_color[:, 3] = 1.0
            elif self._kept is not None:
                self._kept.fade(self.stop_color)
        if self.freedom.outlines and self.freedom.reach != float("inf"):
            for index, basis, solve in self._groups:
                moved = self.points[index]
                matrix = solve @ moved
                rest = moved - basis @ matrix
                if self._kept is not None:
                    matrix = self._kept.unstretched(matrix, index)
                    self._kept.carry(self.geometry, index, matrix, self._origin)
                affine = basis @ matrix
                length = rest.norm(dim=-1, keepdim=True)
                limit = (self.freedom.reach * self.size[self._owner[index[:, 0]]])[:, None, None]
                self.points[index] = affine + rest * torch.clamp(limit / (length + 1e-12), max=1.0)
            if self._kept is not None:
                self._kept.straighten(self.points)

    def _affine_groups(self) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Shapes of equally many control points together: (index (n, K), basis (n, K, 3), pseudo-inverse (n, 3, K))."""
        t = self.topology
        self._owner = torch.from_numpy(t.point_outline)
        self._following = torch.from_numpy(following(t))
        self._preceding = torch.argsort(self._following)
        starts, ends = t.loop_points[t.outline_loops[:-1]], t.loop_points[t.outline_loops[1:]]
        groups = []
        for count in np.unique(ends - starts):
            chosen = starts[(ends - starts) == count]
            index = torch.from_numpy(chosen[:, None] + np.arange(count))
            home = self._origin[index]
            # Around the shape's own middle and in units of its spread the pseudo-inverse is well conditioned.
            home = home - home.mean(1, keepdim=True)
            home = home / (home.norm(dim=-1).mean(1)[:, None, None] + 1e-6)
            basis = torch.cat([home, torch.ones_like(home[..., :1])], -1)
            groups.append((index, basis, torch.linalg.pinv(basis, rtol=1e-4)))
        return groups

    def drift(self) -> np.ndarray:
        """(N,) how far each outline left the best affine image of its brush: root mean square over its control points
        of the distance across that image's outline, as a share of its size. Sliding along it changes no shape."""
        points = self.points.detach()
        image = torch.empty_like(points)
        for index, basis, solve in self._groups:
            image[index] = basis @ (solve @ points[index])
        along = image[self._following] - image[self._preceding]
        rest = points - image
        across = (rest[:, 0] * along[:, 1] - rest[:, 1] * along[:, 0]) / (along.norm(dim=1) + 1e-6)
        total = torch.zeros(self.count).to(points).index_add_(0, self._owner.to(points.device), across.square())
        count = torch.bincount(self._owner, minlength=self.count).to(points)
        return ((total / count).sqrt() / self.size).cpu().numpy()

    # -- dropping, moving to the top ------------------------------------------------------------------------------

    def index_of(self, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where points, outlines and stops of the outlines in ``order`` lie today, one after the other."""
        t = self.topology
        starts, ends = t.loop_points[t.outline_loops[:-1]], t.loop_points[t.outline_loops[1:]]
        return _ranges(starts, ends, order), order, _ranges(t.stop_index[:-1], t.stop_index[1:], order)

    @torch.no_grad()
    def take(self, order: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Keeps the outlines that ``order`` names, in that order (and paint order). Returns the index of points,
        outlines and stops, so that an optimizer's state can follow."""
        t = self.topology
        points, outlines, stops = (torch.from_numpy(i) for i in self.index_of(order))
        loops = _ranges(t.outline_loops[:-1], t.outline_loops[1:], order)
        self.topology = replace(
            t, loop_points=_starts(np.diff(t.loop_points)[loops]),
            outline_loops=_starts(np.diff(t.outline_loops)[order]),
            stop_index=_starts(np.diff(t.stop_index)[order]), kind=t.kind[order],
            canvas=t.canvas[order])
        self._origin = self._origin[points]
        self.size, self.opacity, self.stop_offset = self.size[outlines], self.opacity[outlines], self.stop_offset[stops]
        self.meta = [self.meta[i] for i in order]
        self.points = self.points.detach()[points].requires_grad_(self.freedom.outlines)
        self.geometry = self.geometry.detach()[outlines].requires_grad_(self.freedom.gradients)
        self.stop_color = self.stop_color.detach()[stops].requires_grad_(self.freedom.colors)
        self._groups = self._affine_groups()
        self._kept = self._rules(self.meta)
        return points, outlines, stops

    @torch.no_grad()
    def place(self, which: np.ndarray, centre: np.ndarray, size: np.ndarray, angle: np.ndarray,
              color: np.ndarray) -> None:
        """Puts outlines elsewhere as affine images of what they were: centre (k, 2) px, size (k,) px, angle (k,),
        in one colour (k, 3)."""
        t = self.topology
        for k, n in enumerate(which):
            a, b = int(t.loop_points[t.outline_loops[n]]), int(t.loop_points[t.outline_loops[n + 1]])
            home = self._origin[a:b] - self._origin[a:b].mean(0)
            turn = float(angle[k]) - _axis_angle(home)
            c, s = np.cos(turn), np.sin(turn)
            matrix = torch.tensor([[c, s], [-s, c]], dtype=home.dtype) * (float(size[k]) / float(self.size[n]))
            middle = torch.tensor(centre[k], dtype=home.dtype)
            self.points[a:b] = self._origin[a:b] = home @ matrix + middle
            self.size[n] = float(size[k])
            reach = torch.tensor([np.cos(angle[k]), np.sin(angle[k])], dtype=home.dtype) * float(size[k])
            self.geometry[n] = torch.cat([middle - reach, middle + reach])
            i, j = int(t.stop_index[n]), int(t.stop_index[n + 1])
            self.stop_color[i:j, :3] = torch.tensor(color[k], dtype=home.dtype)
            self.stop_color[i:j, 3] = 1.0
        self._groups = self._affine_groups()

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


def with_gradient(shape: Shape, keep: float | None = None) -> Shape:
    """The same look with a gradient of two equal stops along the outline's longest extent, ready to be refined."""
    if not isinstance(shape.fill, SolidColor) or (keep is not None and rules_of(shape.brush, keep).gradient == "none"):
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
