"""All lines of a drawing refined together through the engine: where they run, how wide they are, their colours.

A line is a B-spline, so it stays smooth whatever the optimization does to it. The drawing is compared with what it
should look like at several sizes: near by, a line has to lie on its edge; from afar, lines have to be as dark as the
picture's tone, which is what sets their widths.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from ..geometry import spline
from ..model import Color, Line
from ..progress import Run
from ..render import render
from ..render.build import as_cubics
from ..render.scene import Scene
from ..render.strokes import Polygons, Structure, finest, strokes, structures
from .adam import Adam, cosine_decay
from .fallback import KEEP_EVERY, run_where_it_works
from .previews import Previews

#: By how much the picture is made smaller for each comparison, and what it counts.
SIZES = ((1, 0.3), (2, 0.5), (4, 1.0), (8, 2.0), (16, 2.0))
#: Full rates a step: vertices in px of a 512 px picture, widths in shares of their range, colours, opacities.
RATES = (0.22, 0.05, 0.03, 0.04)
#: What it costs in squared colour difference that a vertex leaves its place, and that a line changes its bends, each by
#: a px of a 512 px picture.
STAY, CALM = 2e-5, 4e-4
#: Steps after which the chords of lines that have moved are counted anew.
RECOUNT = 30


@dataclass(frozen=True)
class LineRefinement:
    """widths: (N, 2) least and most px of each line. opacities: least and most. colors: whether colours may change.
    unit: px that stand for one px of a 512 px picture."""

    widths: np.ndarray
    opacities: tuple[float, float] = (1.0, 1.0)
    colors: bool = False
    steps: int = 80
    unit: float = 1.0
    engine: str = "auto"
    device: str = "auto"


@dataclass(frozen=True)
class RefinedLines:
    """lines: in the order in which they came. steps: how many were made, in seconds. before, after: what they still
    differ by, mean squared colour difference over all sizes."""

    lines: list[Line]
    steps: int
    seconds: float
    before: float
    after: float


def refine_lines(lines: list[Line], goal: np.ndarray, paper: Color, plan: LineRefinement, run: Run) -> RefinedLines:
    """The lines, bottom to top, moved so that on ``paper`` they look like ``goal`` (H, W, 3)."""
    started = time.monotonic()
    if not lines or plan.steps == 0 or run.keep:
        return RefinedLines(lines, 0, 0.0, 0.0, 0.0)
    own = _Drawing(lines, goal.shape[1], goal.shape[0], paper, plan)
    state = _State(own, Adam(own.leaves(), own.rates()))
    done = run_where_it_works(state, (plan.engine, plan.device), lambda state, engine, on_card: _Refining(
        state, goal, plan, engine, run, on_card))
    before = done.after if done.before is None else done.before
    return RefinedLines(done.lines, done.steps, round(time.monotonic() - started, 2), before, done.after)


@dataclass(frozen=True)
class _State:
    """Where a refinement is; its Adam has counted the steps. before: what the lines differed by, once that is known."""

    own: _Drawing
    adam: Adam
    before: torch.Tensor | None = None

    def copied_to(self, device: str) -> _State:
        """The same state with its tensors on ``device``, sharing nothing that changes."""
        own = self.own.copied_to(device)
        return _State(own, self.adam.copied_to(device, own.leaves()),
                      None if self.before is None else self.before.to(device))


@dataclass(frozen=True)
class _Done:
    """As in RefinedLines; before: None where no step was made."""

    lines: list[Line]
    steps: int
    before: float | None
    after: float


class _Refining:
    """A refinement under way; all that a step needs lies where the lines lie. kept: where it was, on the processor."""

    def __init__(self, state: _State, goal: np.ndarray, plan: LineRefinement, engine: str, run: Run,
                 on_card: bool) -> None:
        self._state, self._plan, self._engine, self._run, self._on_card = state, plan, engine, run, on_card
        self._height, self._width = goal.shape[:2]
        wanted = torch.from_numpy(np.ascontiguousarray(goal, np.float32)).to(state.own.home)
        self._wanted, self._previews = _pyramid(wanted), Previews(run)
        self.kept = state
        self._keep()

    def _keep(self) -> None:
        if self._on_card:
            self.kept = self._state.copied_to("cpu")

    def result(self) -> _Done:
        """The lines after the last step."""
        own, adam, steps = self._state.own, self._state.adam, self._plan.steps
        for step in range(adam.steps, steps):
            self._run.step(step / steps)
            if self._run.keep:
                break
            if step % RECOUNT == 0:
                own.recount()
            picture = self.step(cosine_decay(step, steps, 0.1))
            self._previews.offer(picture.detach, self._height, self._width)
            if adam.steps % KEEP_EVERY == 0:
                self._keep()
        with torch.no_grad():
            own.recount()
            after = float(_difference(_pyramid(render(own.scene(), self._engine)[..., :3]), self._wanted))
        before = self._state.before
        return _Done(own.lines(), adam.steps, None if before is None else float(before), after)

    def step(self, share: float) -> torch.Tensor:
        """One step at ``share`` of the full rates. Returns the picture before it."""
        own, adam = self._state.own, self._state.adam
        picture = render(own.scene(), self._engine)
        loss = _difference(_pyramid(picture[..., :3]), self._wanted)
        (loss + own.price()).backward()
        if self._state.before is None:
            self._state = replace(self._state, before=loss.detach())
        with torch.no_grad():
            adam.step(share)
            own.bound()
        return picture.detach()


def _pyramid(picture: torch.Tensor) -> list[torch.Tensor]:
    """The picture (H, W, 3) at every size that it is compared at."""
    planes = picture.permute(2, 0, 1)[None]
    return [planes if size == 1 else F.avg_pool2d(planes, size, ceil_mode=True, count_include_pad=False)
            for size, _ in SIZES if size <= min(picture.shape[:2])]


def _difference(got: list[torch.Tensor], wanted: list[torch.Tensor]) -> torch.Tensor:
    total = torch.zeros((), device=got[0].device)
    for (_, weight), a, b in zip(SIZES, got, wanted, strict=False):
        total = total + weight * torch.square(a - b).mean()
    return total


class _Drawing:
    """The lines as tensors: vertices by number of segments; width, colour and opacity of each."""

    def __init__(self, lines: list[Line], width: int, height: int, paper: Color, plan: LineRefinement) -> None:
        self._lines, self._size, self._paper, self._plan = lines, (width, height), paper, plan
        # Neighbours of one kind go together; whoever sorts lines by their segments makes this quick.
        ends = [n for n in range(1, len(lines)) if lines[n].segments != lines[n - 1].segments]
        self._members = np.split(np.arange(len(lines)), ends)
        self._rows = [torch.from_numpy(members) for members in self._members]
        kinds = [lines[members[0]].segments for members in self._members]
        self._maps = [torch.from_numpy(spline.to_bezier(kind)).float() for kind in kinds]
        self._vertices = [_leaf(np.stack([spline.vertices_of(lines[n].points) for n in members]))
                          for members in self._members]
        self._start = [v.detach().clone() for v in self._vertices]
        low, high = torch.from_numpy(plan.widths.astype(np.float32)).T
        self._low, self._range = low, high - low
        share = (torch.tensor([line.width for line in lines]) - low) / self._range.clamp_min(1e-6)
        self._width = share.clamp(0, 1).requires_grad_()
        self._color = _leaf(np.array([line.color for line in lines]))
        self._opacity = _leaf(np.array([line.opacity for line in lines]))
        self._structures: list[Structure] = []
        self._counted: Scene  # of the lines as they were then

    @property
    def home(self) -> torch.device:
        """Where the tensors lie."""
        return self._width.device

    def copied_to(self, device: str) -> _Drawing:
        """The same drawing, sharing nothing that changes, with its tensors on ``device``."""
        other = copy.copy(self)
        for name in ("_maps", "_rows", "_start"):
            setattr(other, name, [tensor.to(device) for tensor in getattr(self, name)])
        if self._structures:
            other._counted = self._counted.to(device=device)
        other._low, other._range = self._low.to(device), self._range.to(device)
        other._vertices = [v.detach().to(device, copy=True).requires_grad_() for v in self._vertices]
        for name in ("_width", "_color", "_opacity"):
            setattr(other, name, getattr(self, name).detach().to(device, copy=True).requires_grad_())
        return other

    def leaves(self) -> list[torch.Tensor]:
        fixed = [] if not self._plan.colors else [self._color]
        fades = self._plan.opacities[0] < self._plan.opacities[1]
        return [*self._vertices, self._width, *fixed, *([self._opacity] if fades else [])]

    def rates(self) -> list[torch.Tensor]:
        point, width, color, opacity = (torch.tensor(rate) for rate in RATES)
        fades = self._plan.opacities[0] < self._plan.opacities[1]
        return [*[point * self._plan.unit] * len(self._vertices), width, *([color] if self._plan.colors else []),
                *([opacity] if fades else [])]

    def widths(self) -> torch.Tensor:
        """(N,) px."""
        return self._low + self._range * self._width

    def recount(self) -> None:
        """How many chords each kind of line is drawn with, from where the lines are now."""
        with torch.no_grad():
            wide = self.widths()
            self._structures = [
                replace(finest(structures(m @ v, wide[k], tolerance=0.06, least=4, once=False)), folds=False)
                for m, v, k in zip(self._maps, self._vertices, self._rows, strict=True)]

            fills = self._fills()
            self._counted = Scene.from_tensors(*self._size, self._polygons(), fills, background=(*self._paper, 1.0))

    def _polygons(self) -> list[Polygons]:
        wide = self.widths()
        # What has as many vertices on a card as here, and wherever the lines move.
        return [strokes(m @ v, wide[k], structure=s, once=False) for m, v, k, s in
                zip(self._maps, self._vertices, self._rows, self._structures, strict=True)]

    def _fills(self) -> torch.Tensor:
        return torch.cat([self._color, self._opacity[:, None]], 1)

    def scene(self) -> Scene:
        """What the lines are now; :meth:`recount` comes first."""
        points = as_cubics(torch.cat([kind.points.reshape(-1, 2) for kind in self._polygons()]))
        return replace(self._counted, points=points, stop_color=self._fills())

    def price(self) -> torch.Tensor:
        """What it costs that lines are not as they came."""
        total, unit = torch.zeros((), device=self.home), self._plan.unit
        for now, start in zip(self._vertices, self._start, strict=True):
            moved = (now - start) / unit
            total = total + STAY * torch.square(moved).sum() / len(self._lines)
            total = total + CALM * torch.square(moved.diff(n=2, dim=1)).sum() / len(self._lines)
        return total

    def bound(self) -> None:
        """Widths, colours and opacities back into their ranges."""
        self._width.clamp_(0, 1)
        self._color.clamp_(0, 1)
        self._opacity.clamp_(*self._plan.opacities)

    def lines(self) -> list[Line]:
        result = list(self._lines)
        wide, colors, opacity = self.widths().tolist(), self._color.tolist(), self._opacity.tolist()
        for matrix, vertices, members in zip(self._maps, self._vertices, self._members, strict=True):
            for n, points in zip(members, (matrix @ vertices).detach().cpu().numpy().astype(float), strict=True):
                red, green, blue = colors[n]
                result[n] = replace(result[n], points=points, width=wide[n], color=(red, green, blue),
                                    opacity=opacity[n])
        return result


def _leaf(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).requires_grad_()
