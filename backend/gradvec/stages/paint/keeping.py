"""Holds strokes to the rules of their brushes while they are painted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from ...brushes import outlines as brushes
from ...brushes.manner import Manner
from ...brushes.rules import FREE, BrushRules, rules_of
from ...geometry.form import Form

#: A gradient along a stroke is at least this share of it long: paint changes gradually.
LENGTHWISE = 0.6
#: How far a stroke may leave the direction of a line drawn by hand, radians.
GUIDED_TURN = 0.3


@dataclass(frozen=True)
class Keeping:
    """rules: one for each of brushes.NAMES. form: the way strokes run, None where they may run as they like."""

    rules: tuple[BrushRules, ...]
    form: Form | None = None

    @classmethod
    def of(cls, fidelity: float, form: Form | None = None, guided: bool = False,
           manner: Manner | None = None) -> Keeping | None:
        """The rules that hold at a fidelity; None where no brush has any left. guided: the form was drawn by hand and
        binds strokes in any case. manner: of a painting that strokes are to be like."""
        rules = tuple(rules_of(name, fidelity, manner) for name in brushes.NAMES)
        if guided:
            rules = tuple(replace(own, turn=min(own.turn, GUIDED_TURN)) for own in rules)
        return None if all(own == FREE for own in rules) else cls(rules, form)

    def of_strokes(self, brush: np.ndarray, device: torch.device) -> Held:
        """The rules of strokes of these brushes (N,), made once for as long as their number stays."""
        kinds = torch.from_numpy(np.asarray(brush, np.int64))

        def each(of: Callable[[BrushRules], float | bool]) -> torch.Tensor:
            return torch.tensor([of(own) for own in self.rules])[kinds].to(device)

        stamped = torch.from_numpy(brushes.is_stamped(brush)).to(device)
        form = None if self.form is None or not len(kinds) else self.form.to(device)
        return Held(each(lambda own: own.opacity[0]), each(lambda own: own.opacity[1]),
                    each(lambda own: own.gradient == "none"), each(lambda own: own.gradient == "along") & stamped,
                    stamped, each(lambda own: own.aspect[0]), each(lambda own: own.aspect[1]),
                    each(lambda own: own.turn), form)


@dataclass(frozen=True)
class Held:
    """What holds N strokes, all (N,), on their device. faint, dense: least and most opacity. flat: one colour. along:
    gradients run along the stroke. stamped: of a stamped brush. short, long: least and most length over width. turn:
    radians off the form."""

    faint: torch.Tensor
    dense: torch.Tensor
    flat: torch.Tensor
    along: torch.Tensor
    stamped: torch.Tensor
    short: torch.Tensor
    long: torch.Tensor
    turn: torch.Tensor
    form: Form | None

    def put(self, other: Held) -> None:
        """From now on what ``other`` says of as many strokes, in the same tensors."""
        for field in fields(self):
            own, given = getattr(self, field.name), getattr(other, field.name)
            if isinstance(own, torch.Tensor):
                own.copy_(given)

    def hold(self, shape: torch.Tensor, axis: torch.Tensor, color: torch.Tensor, opacity: torch.Tensor) -> None:
        """Brings the tensors of StrokeVariables to the rules, in place."""
        opacity.copy_(torch.minimum(torch.maximum(opacity, self.faint), self.dense))
        mean = ((color[:, :3] + color[:, 3:]) / 2).repeat(1, 2)
        color.copy_(torch.where(self.flat[:, None], mean, color))
        _lengthwise(axis, self.along, shape[:, 2])
        _slender(shape, self.stamped, self.short, self.long)
        if self.form is not None:
            _turn(shape, self.stamped, self.turn, self.form)


def _lengthwise(axis: torch.Tensor, rows: torch.Tensor, length: torch.Tensor) -> None:
    """Gradients of these strokes along their middle line, at least as long as a good part of the stroke."""
    span = axis[:, 2] - axis[:, 0]
    middle = (axis[:, 0] + axis[:, 2]) / 2
    least = LENGTHWISE * length
    half = torch.where(span < 0, -1.0, 1.0) * torch.maximum(span.abs(), least) / 2
    along = torch.stack([middle - half, torch.zeros_like(half), middle + half, torch.zeros_like(half)], 1)
    axis.copy_(torch.where(rows[:, None], along, axis))


def _slender(shape: torch.Tensor, stamped: torch.Tensor, short: torch.Tensor, long: torch.Tensor) -> None:
    """Length over width within [short, long], the area kept; a sweep that is too short becomes narrower."""
    length, width = shape[:, 2], shape[:, 3]
    aspect = length / width.clamp(min=1e-6)
    wanted = torch.minimum(torch.maximum(aspect, short), long)
    change = (wanted / aspect.clamp(min=1e-6)).sqrt()
    rows = (stamped & (wanted != aspect))[:, None]
    sized = torch.stack([length * change, width / change], 1)
    shape[:, 2:4] = torch.where(rows, sized, shape[:, 2:4])
    chord = (shape[:, 4:6] - shape[:, 0:2]).norm(dim=1)
    widest = chord / (2 * (short - 1)).clamp(min=1e-3)
    factor = (widest / shape[:, 6:8].amax(1).clamp(min=1e-6)).clamp(max=1.0)
    rows = (~stamped & (factor < 1))[:, None]
    shape[:, 6:8] = torch.where(rows, shape[:, 6:8] * factor[:, None], shape[:, 6:8])


def _turn(shape: torch.Tensor, stamped: torch.Tensor, turn: torch.Tensor, form: Form) -> None:
    """Directions within ``turn`` (N,) of the form's where that is clear, and as they are where it is not."""
    middle = torch.where(stamped[:, None], shape[:, :2], (shape[:, 0:2] + shape[:, 4:6]) / 2)
    chord = shape[:, 4:6] - shape[:, 0:2]
    angle = torch.where(stamped, shape[:, 4], torch.atan2(chord[:, 1], chord[:, 0]))
    along, strength = form.at(middle)
    off = torch.remainder(angle - along + math.pi / 2, math.pi) - math.pi / 2
    # Half the right angle is free where the form is half clear, all of it where there is none.
    most = turn + (math.pi / 2) * (1 - strength)
    back = torch.maximum(torch.minimum(off, most), -most) - off
    rows = (~stamped & (back != 0))[:, None]
    cos, sin = torch.cos(back)[:, None], torch.sin(back)[:, None]
    turned = []
    for k in (0, 2, 4):
        d = shape[:, k:k + 2] - middle
        turned.append(middle + torch.cat([cos * d[:, :1] - sin * d[:, 1:], sin * d[:, :1] + cos * d[:, 1:]], 1))
    swept = torch.where(rows, torch.cat(turned, 1), shape[:, :6])
    swept[:, 4] = torch.where(stamped, angle + back, swept[:, 4])
    shape[:, :6] = swept
