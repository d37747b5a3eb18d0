"""What the variables of a refinement keep to, each constraint a small object that acts around every step.

A further one (smooth joints, a brush's own limits) is a subclass of :class:`Constraint`, handed over in
``Refinement.constraints``. One that loops over control points has a kernel besides, in :mod:`.outline_kernels`, for
variables on the processor; a test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..geometry.self_intersection import Untangler
from ..model import Shape
from ..render import card
from . import outline_kernels
from .variables import Freedom, Variables

if TYPE_CHECKING:
    from ..geometry.self_intersection_cuda import CardUntangler

#: Of the full rates: a number, or, where a step is captured on a card, a tensor of one number.
Share = float | torch.Tensor


class Constraint:
    """What one keeps to. Methods may change the variables' values and derivatives in place; torch records none of it.
    """

    @property
    def replayable(self) -> bool:
        """Whether steps from now on may be captured on a card and replayed: the constraint waits for nothing there,
        its shapes stay, and nothing of Python's decides or changes in a step but ``share``, which is then a tensor."""
        return False

    def flat(self, shape: Shape) -> bool:
        """Whether a shape that came in with one colour has to keep to one."""
        return False

    def begin(self, variables: Variables) -> None:
        """At the start, and again whenever shapes were dropped or reordered."""

    def enlarged(self, scale: tuple[float, float]) -> None:
        """The picture, and all variables with it, are now ``scale`` (x, y) times as large."""

    def before_step(self, variables: Variables) -> None:
        """The picture's derivative is there, the values are still those that it belongs to."""

    def after_step(self, variables: Variables, share: Share) -> None:
        """The values moved by ``share`` of the full rates and are to be brought back into what is allowed."""


class Tension(Constraint):
    """A px of control polygon costs ``cost`` in summed squared colour difference: pulls in spikes that gain nothing."""

    replayable = True

    def __init__(self, cost: float) -> None:
        self._cost = cost

    def before_step(self, variables: Variables) -> None:
        p = variables.points
        if p.grad is None:
            return
        if variables.on_processor:
            outline_kernels.pull_taut(*variables.sloped(), self._cost)
            return
        step = p.index_select(0, variables.following) - p
        # Short rows are what torch reduces slowest, here and below: columns by hand take half the time.
        length = torch.hypot(step[:, 0], step[:, 1])
        pull = step * (self._cost / (length + 1e-3)).unsqueeze(1)
        p.grad.add_(pull, alpha=-1).add_(pull.index_select(0, variables.preceding))


class EvenSpacing(Constraint):
    """Slides every control point along its outline towards the middle of its neighbours, ``amount`` of the way at full
    rates.

    Points may slide along an outline without changing it, so nothing else keeps them from bunching up and folding
    the outline over.
    """

    replayable = True

    def __init__(self, amount: float) -> None:
        self._amount = amount

    def after_step(self, variables: Variables, share: Share) -> None:
        p = variables.points
        if variables.on_processor:
            outline_kernels.space_evenly(*variables.looped(), float(self._amount * share))
            return
        after, before = p.index_select(0, variables.following), p.index_select(0, variables.preceding)
        along, middle = after - before, (after + before).add_(p, alpha=-2)
        (x, y), (dx, dy) = along.unbind(1), middle.unbind(1)
        amount = (x * dx + y * dy) / (x * x + y * y + 1e-3)
        p.add_(along * (amount * (self._amount * share / 2)).unsqueeze(1))


class ColorRange(Constraint):
    """Colours, and the ground's where it is trained, lie in [0, 1]; without ``opacity`` they are opaque."""

    replayable = True

    def __init__(self, opacity: bool) -> None:
        self._opacity = opacity

    def after_step(self, variables: Variables, share: Share) -> None:
        if variables.freedom.colors:
            variables.stop_color.clamp_(0.0, 1.0)
            if not self._opacity:
                variables.stop_color[:, 3] = 1.0
        if variables.freedom.ground:
            variables.background.clamp_(0.0, 1.0)
            variables.background[:, 3] = 1.0


class WithinReach(Constraint):
    """No control point leaves the best affine image of its brush by more than ``reach`` times the shape's size."""

    replayable = True

    def __init__(self, reach: float) -> None:
        self._reach = reach

    def after_step(self, variables: Variables, share: Share) -> None:
        points = variables.points
        if variables.on_processor:
            starts, basis, solve = variables.affine.packed()
            outline_kernels.hold_within(points.detach().numpy(), starts, basis, solve,
                                        self._reach * variables.size.numpy())
            return
        image = variables.affine.of(points)
        rest = points - image
        length = rest.norm(dim=-1, keepdim=True)
        limit = (self._reach * variables.size[variables.owner])[:, None]
        points.copy_(image + rest * torch.clamp(limit / (length + 1e-12), max=1.0))


class HeldStill(Constraint):
    """Shapes with these ids stay as they are and only take part in the picture."""

    replayable = True

    def __init__(self, ids: frozenset[str]) -> None:
        self._ids = ids

    def begin(self, variables: Variables) -> None:
        self._rows = variables.indices_of(np.array([shape.id in self._ids for shape in variables.meta], bool))

    def before_step(self, variables: Variables) -> None:
        self._values = [leaf.index_select(0, rows) for leaf, rows in zip(variables.leaves(), self._rows, strict=True)]

    def after_step(self, variables: Variables, share: Share) -> None:
        for leaf, rows, values in zip(variables.leaves(), self._rows, self._values, strict=True):
            leaf.index_copy_(0, rows, values)


class NoSelfIntersection(Constraint):
    """Takes back what would make an outline cross itself. pieces: line pieces per segment when crossings are looked
    for. A card whose kernels run does it alone; else the processor does, and the card waits."""

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces

    @property
    def replayable(self) -> bool:
        return self._on_card is not None

    def begin(self, variables: Variables) -> None:
        home, topology = variables.points.device, variables.topology
        self._on_card: CardUntangler | None = None
        if home.type != "cpu" and card.triton_present() and not card.kernels_fail():
            from ..geometry.self_intersection_cuda import CardUntangler
            self._on_card = CardUntangler(topology, home, self._pieces)
        else:
            self._untangler = Untangler(topology, self._pieces)

    def before_step(self, variables: Variables) -> None:
        points = variables.points.detach()
        if self._on_card is not None:
            self._points_before = points.clone()
        else:
            self._before = points.cpu().numpy().copy()

    def after_step(self, variables: Variables, share: Share) -> None:
        points = variables.points.detach()
        if self._on_card is not None:
            self._on_card.hold(points, self._points_before)
            return
        moved = points.cpu().numpy()
        if self._untangler.hold(moved, self._before) and points.device.type != "cpu":
            points.copy_(torch.from_numpy(moved))


def constraints_for(freedom: Freedom, fixed: frozenset[str], tension: float, evenness: float,
                    pieces: int, further: Iterable[Constraint] = ()) -> list[Constraint]:
    """The constraints of a refinement in the order in which they act, ``further`` ones among them: crossings come last,
    for every other one may make them."""
    constraints: list[Constraint] = []
    if freedom.outlines:
        constraints += [Tension(tension), EvenSpacing(evenness)]
    constraints.append(ColorRange(freedom.opacity))
    if freedom.outlines and freedom.reach != float("inf"):
        constraints.append(WithinReach(freedom.reach))
    constraints += further
    if fixed:
        constraints.append(HeldStill(fixed))
    # Affine images of brushes cross themselves no more than the brushes do.
    if freedom.outlines and freedom.reach > 0:
        constraints.append(NoSelfIntersection(pieces))
    return constraints
