"""Holds strokes to the rules of their brushes while they are painted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...brushes import outlines as brushes
from ...brushes.rules import FREE, BrushRules, rules_of
from .form import Form

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
    def of(cls, fidelity: float, form: Form | None = None, guided: bool = False) -> Keeping | None:
        """The rules that hold at a fidelity; None where no brush has any left. guided: the form was drawn by hand and
        binds strokes in any case."""
        rules = tuple(rules_of(name, fidelity) for name in brushes.NAMES)
        if guided:
            rules = tuple(replace(own, turn=min(own.turn, GUIDED_TURN)) for own in rules)
        return None if all(own == FREE for own in rules) else cls(rules, form)

    def hold(self, shape: torch.Tensor, axis: torch.Tensor, color: torch.Tensor, opacity: torch.Tensor,
             brush: np.ndarray) -> None:
        """Brings strokes (the tensors of Variables) of these brushes (N,) to their rules, in place."""
        kinds = np.asarray(brush, np.int64)
        low, high = (self._each(kinds, [own.opacity[k] for own in self.rules]) for k in (0, 1))
        opacity.copy_(torch.minimum(torch.maximum(opacity, low), high))
        flat = self._which(kinds, [own.gradient == "none" for own in self.rules])
        color[flat] = ((color[flat, :3] + color[flat, 3:]) / 2).repeat(1, 2)
        along = self._which(kinds, [own.gradient == "along" for own in self.rules])
        stamped = torch.from_numpy(np.isin(kinds, brushes.STAMPED))
        _lengthwise(axis, along & stamped, shape[:, 2])
        short, long = (self._each(kinds, [own.aspect[k] for own in self.rules]) for k in (0, 1))
        _slender(shape, stamped, short, long)
        if self.form is not None and len(kinds):
            _turn(shape, stamped, self._each(kinds, [own.turn for own in self.rules]), self.form)

    @staticmethod
    def _each(kinds: np.ndarray, values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32)[torch.from_numpy(kinds)]

    @staticmethod
    def _which(kinds: np.ndarray, values: list[bool]) -> torch.Tensor:
        return torch.tensor(values)[torch.from_numpy(kinds)]


def _lengthwise(axis: torch.Tensor, rows: torch.Tensor, length: torch.Tensor) -> None:
    """Gradients of these strokes along their middle line, at least as long as a good part of the stroke."""
    span = axis[:, 2] - axis[:, 0]
    middle = (axis[:, 0] + axis[:, 2]) / 2
    least = LENGTHWISE * length
    half = torch.where(span < 0, -1.0, 1.0) * torch.maximum(span.abs(), least) / 2
    axis[rows] = torch.stack([middle - half, torch.zeros_like(half), middle + half, torch.zeros_like(half)], 1)[rows]


def _slender(shape: torch.Tensor, stamped: torch.Tensor, short: torch.Tensor, long: torch.Tensor) -> None:
    """Length over width within [short, long], the area kept; a sweep that is too short becomes narrower."""
    length, width = shape[:, 2], shape[:, 3]
    aspect = length / width.clamp(min=1e-6)
    wanted = torch.minimum(torch.maximum(aspect, short), long)
    change = (wanted / aspect.clamp(min=1e-6)).sqrt()
    rows = stamped & (wanted != aspect)
    shape[rows, 2] = (length * change)[rows]
    shape[rows, 3] = (width / change)[rows]
    chord = (shape[:, 4:6] - shape[:, 0:2]).norm(dim=1)
    widest = chord / (2 * (short - 1)).clamp(min=1e-3)
    factor = (widest / shape[:, 6:8].amax(1).clamp(min=1e-6)).clamp(max=1.0)
    rows = ~stamped & (factor < 1)
    shape[rows, 6:8] = (shape[:, 6:8] * factor[:, None])[rows]


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
    shape[stamped, 4] = (angle + back)[stamped]
    rows = ~stamped & (back != 0)
    if bool(rows.any()):
        cos, sin = torch.cos(back)[rows, None], torch.sin(back)[rows, None]
        for k in (0, 2, 4):
            d = shape[rows, k:k + 2] - middle[rows]
            shape[rows, k:k + 2] = middle[rows] + torch.cat([cos * d[:, :1] - sin * d[:, 1:],
                                                            sin * d[:, :1] + cos * d[:, 1:]], 1)
