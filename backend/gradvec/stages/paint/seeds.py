"""Where the next strokes should go: matching pursuit with a bank of stroke-shaped masks.

For every place, width, aspect and direction of a stroke the gain is known in closed form: the squared error that is
there now, less the squared error of the best one-axis gradient under the mask. Sums under masks are convolutions on
a picture reduced so far that a stroke is about four cells wide, so coarse strokes cost next to nothing.
The strokes with the most gain are taken greedily, each one leaving nothing to gain where it lies.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

from ...render.threads import side_by_side
from .greedy import choose, peaks

#: Cells across a stroke in the reduced picture.
CELLS = 4.5
#: Places are tried this many cells apart.
STRIDE = 2
WIDTH_RATIO = 1.5
ASPECTS = (1.4, 2.6, 4.8)
DIRECTIONS = 8
#: Candidates of one size that are looked at: so many, or so many for each stroke that is wanted.
CANDIDATES, CANDIDATES_EACH = 200, 3
#: A candidate of which less than this share lies clear of strokes chosen before it is not worth a stroke.
CLEAR_MIN = 0.3
#: What is known of pictures of more px is not kept: it takes about 1 KB a px.
KNOWN_AREA = 200_000
#: What a stroke loses of its gain where it runs across a clear form, and where it is too short to follow one.
ACROSS, STUBBY = 0.85, 0.35


@dataclass(frozen=True)
class Seeds:
    """n strokes to be. center (n, 2), length, width (n,), angle (n,), axis (n, 4) px along and across the stroke from
    its centre, color0, color1 (n, 3), gain (n,): squared error saved."""

    center: np.ndarray
    length: np.ndarray
    width: np.ndarray
    angle: np.ndarray
    axis: np.ndarray
    color0: np.ndarray
    color1: np.ndarray
    gain: np.ndarray

    def __len__(self) -> int:
        return len(self.gain)

    def take(self, index: np.ndarray) -> Seeds:
        return Seeds(**{name: value[index] for name, value in vars(self).items()})

    def scaled(self, factor: float) -> Seeds:
        """The same seeds on a picture ``factor`` times as large."""
        f = np.float32(factor)
        return replace(self, center=self.center * f, length=self.length * f, width=self.width * f, axis=self.axis * f,
                       gain=self.gain * f * f)


@dataclass(frozen=True)
class _Bank:
    """Masks of one length and width (cells) in all M directions, angles (M,) radians.

    kernels: (3 M, 1, k, k) = mask, mask * along, mask * across. area, along2, across2: (M,) sum and second moments of
    each mask.
    """

    length: float
    width: float
    angles: torch.Tensor
    kernels: torch.Tensor
    area: torch.Tensor
    along2: torch.Tensor
    across2: torch.Tensor


@lru_cache(128)
def _bank(length: float, width: float) -> _Bank:
    reach = math.ceil(math.hypot(length, width) / 2)
    y, x = np.mgrid[-reach:reach + 1, -reach:reach + 1].astype(np.float64)
    angles = np.arange(DIRECTIONS) * math.pi / DIRECTIONS
    cos, sin = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    along, across = x * cos + y * sin, y * cos - x * sin
    mask = np.clip(length / 2 - np.abs(along) + 0.5, 0, 1) * np.clip(width / 2 - np.abs(across) + 0.5, 0, 1)
    kernels = np.stack([mask, mask * along, mask * across], 1).reshape(-1, 1, *x.shape)
    area, along2, across2 = ((mask * power).sum((1, 2)) for power in (1, along**2, across**2))
    # A stroke of a cell or less may touch no cell beside its axis: then it spreads as far as its own width.
    moments = [area, np.maximum(along2, area * length**2 / 12), np.maximum(across2, area * width**2 / 12)]
    angle, kernel, area, along2, across2 = (torch.from_numpy(m).float() for m in (angles, kernels, *moments))
    return _Bank(length, width, angle, kernel, area, along2, across2)


def propose(target: torch.Tensor, error: torch.Tensor, weight: torch.Tensor, cost: torch.Tensor, count: int,
            widths: tuple[float, float], longest: float, gradient: bool = True, aspects: tuple[float, ...] = ASPECTS,
            form: torch.Tensor | None = None, enough: Callable[[], bool] = lambda: False,
            known: Known | None = None) -> Seeds:
    """The ``count`` strokes (or fewer) with the most gain.

    target: (H, W, 3) colours. error: (H, W) squared error now, weighted. weight: (H, W) how much an error counts. cost:
    (H, W) weighted squared error that any stroke makes there besides (over transparent parts). widths: narrowest and
    widest stroke, px. longest: px. gradient: whether strokes have two colours. aspects: lengths over widths to try.
    form: (3, H, W) as Form.planes, the way that strokes are to run. enough: asked before each of them; once it is true,
    no further ones are tried. known: what earlier calls found out about the same target, weight, cost, gradient and
    form; is read and added to.
    """
    height, width = error.shape
    widest = min(widths[1], max(height, width))
    narrowest = min(widths[0], widest)
    steps = max(1, math.ceil(math.log(widest / narrowest, WIDTH_RATIO)))
    planes = torch.cat([target.permute(2, 0, 1), (target**2).sum(-1)[None], cost[None], weight[None]])
    planes = planes if form is None else torch.cat([planes, form])
    most = max(CANDIDATES, CANDIDATES_EACH * count)
    known = {} if known is None or height * width > KNOWN_AREA else known
    wrong = {w: _Reduced.of(error[None], w) for w in np.geomspace(narrowest, widest, steps + 1).tolist()}
    sizes = [(w, aspect) for w in wrong
             for aspect in [a for a in aspects if w * a <= longest] or [max(1.0, longest / w)]]

    def of_size(size: tuple[float, float]) -> np.ndarray:
        w, aspect = size
        if size != sizes[0] and enough():
            return np.zeros((0, 16))
        if size not in known:
            known[size] = _explained(_Reduced.of(planes, w), w * aspect, w, gradient)
        return _candidates(known[size], wrong[w], most)

    # What is not kept is large: one after the other then.
    candidates = (side_by_side if height * width <= KNOWN_AREA else map)(of_size, sizes)
    return _greedy(np.concatenate(list(candidates)), error, count, max(1.0, narrowest / 3))


@dataclass(frozen=True)
class _Reduced:
    """A picture on which a stroke is about CELLS cells wide. planes: (n, h, w). cell: px a cell; scale: (2,) px a cell
    along x and y."""

    planes: torch.Tensor
    cell: float
    scale: torch.Tensor

    @classmethod
    def of(cls, planes: torch.Tensor, width: float) -> _Reduced:
        """For strokes of ``width`` px."""
        height, wide = planes.shape[1:]
        factor = max(1.0, width / CELLS)
        size = (max(1, round(height / factor)), max(1, round(wide / factor)))
        cell = math.sqrt(height / size[0] * wide / size[1])
        return cls(F.interpolate(planes[None], size=size, mode="area")[0], cell,
                   torch.tensor([wide / size[1], height / size[0]]))


@dataclass(frozen=True)
class _Explained:
    """What strokes of one size explain of the target, whatever is painted now. For M directions at (h, w) places:

    left: (M, h, w) squared error that the best stroke leaves there, and extra: what it makes besides, 0 where no stroke
    does. mean, along, across: (3, M, h, w) its colour and how that changes, where the mask's moments are one. follows:
    (M, h, w) share of the gain that is left to a stroke in that direction.
    """

    bank: _Bank
    gradient: bool
    left: torch.Tensor
    extra: torch.Tensor | float
    mean: torch.Tensor
    along: torch.Tensor
    across: torch.Tensor
    follows: torch.Tensor | float


#: By width, px, and aspect of strokes.
Known = dict[tuple[float, float], _Explained]


def _explained(reduced: _Reduced, length: float, width: float, gradient: bool) -> _Explained:
    """For strokes of one size; length, width: px. Planes: the three colours, the sum of their squares, the cost
    and the weight; where strokes follow a form, three more for it."""
    planes, cell = reduced.planes, reduced.cell
    bank = _bank(length / cell, width / cell)
    reach = bank.kernels.shape[-1] // 2
    # Beyond the border the picture is thought to go on as it ends, but there is nothing to gain there.
    color = F.pad(planes[None, :4], (reach,) * 4, mode="replicate")[0]
    sums = F.conv2d(color[:3, None], bank.kernels, stride=STRIDE)
    sums = sums.reshape(3, DIRECTIONS, 3, *sums.shape[2:])
    mean = sums[:, :, 0] / bank.area[:, None, None]
    along = sums[:, :, 1] / bank.along2.sqrt()[:, None, None]
    across = sums[:, :, 2] / bank.across2.sqrt()[:, None, None]
    left = _sums(color[3:], bank) - (mean**2).sum(0) * bank.area[:, None, None]
    if gradient:
        aa, bb, ab = (along**2).sum(0), (across**2).sum(0), (along * across).sum(0)
        left = left - 0.5 * (aa + bb + ((aa - bb) ** 2 + 4 * ab**2).sqrt())
    # Outside the picture a stroke explains nothing and harms nothing. What it leaves weighs what its place does.
    weight = _sums(_bordered(planes[5:6], bank), bank) / bank.area[:, None, None]
    extra = _sums(_bordered(planes[4:5], bank), bank) if bool(planes[4].any()) else 0.0
    follows = _following(planes[6:, ::STRIDE, ::STRIDE], bank) if len(planes) > 6 else 1.0
    return _Explained(bank, gradient, left.clamp(min=0) * weight, extra, mean, along, across, follows)


def _bordered(planes: torch.Tensor, bank: _Bank) -> torch.Tensor:
    """Planes (n, h, w) with nothing around them, as far as masks reach."""
    return F.pad(planes, (bank.kernels.shape[-1] // 2,) * 4)


def _sums(plane: torch.Tensor, bank: _Bank) -> torch.Tensor:
    """(M, h, w) sums of a plane (1, H, W) under all masks."""
    return F.conv2d(plane[None], bank.kernels[0::3], stride=STRIDE)[0]


def _candidates(known: _Explained, wrong: _Reduced, most: int) -> np.ndarray:
    """At most ``most`` strokes of one size that gain more than their neighbours, as the rows of :func:`_rows`.

    wrong: the error now, (1, h, w).
    """
    bank = known.bank
    now = _sums(_bordered(wrong.planes, bank), bank)
    places, gains = peaks(*(_plain(part) for part in (now, known.left, known.extra, known.follows)))
    order = np.argsort(-gains, kind="stable")[:most]
    best = torch.from_numpy(gains[order])
    m, y, x = (torch.from_numpy(i) for i in np.unravel_index(places[order], now.shape))
    along, across = known.along[:, m, y, x], known.across[:, m, y, x]
    theta = 0.5 * torch.atan2(2 * (along * across).sum(0), (along**2).sum(0) - (across**2).sum(0))
    axis = torch.stack([theta.cos(), theta.sin()], -1)
    slope = (along * axis[:, 0] + across * axis[:, 1]).T * known.gradient
    center = (torch.stack([x, y], 1) * STRIDE + 0.5) * wrong.scale
    return _rows(bank, m, wrong.cell, best * wrong.scale.prod(), center, axis, known.mean[:, m, y, x].T, slope)


def _plain(part: torch.Tensor | float) -> np.ndarray:
    """A tensor as a contiguous array, an empty one for what changes nothing."""
    return part.contiguous().numpy() if isinstance(part, torch.Tensor) else np.zeros((0, 0, 0), np.float32)


def _following(form: torch.Tensor, bank: _Bank) -> torch.Tensor:
    """(M, h, w) in [0, 1]: how well strokes of a bank run along with the form (3, h, w), long ones more than short."""
    angle = 2 * bank.angles[:, None, None]
    across = (1 - angle.cos() * form[0] - angle.sin() * form[1]) / 2
    slender = 1 - bank.width / bank.length
    return 1 - ACROSS * form[2] * across * slender - STUBBY * form[2] * (1 - slender)


def _rows(bank: _Bank, m: torch.Tensor, cell: float, gain: torch.Tensor, center: torch.Tensor, axis: torch.Tensor,
          mean: torch.Tensor, slope: torch.Tensor) -> np.ndarray:
    """Candidates as (n, 16) float64: gain, x, y, length, width, angle, axis (4), colour at its start (3) and end (3).

    m: (n,) which mask. axis: (n, 2) unit vector and slope (n, 3) change of colour along it, both where the mask's
    moments are one. mean: (n, 3) colour at the centre.
    """
    w = axis / torch.stack([bank.along2[m].sqrt(), bank.across2[m].sqrt()], -1)
    extent = (w[:, 0].abs() * bank.length + w[:, 1].abs() * bank.width) / 2
    end = w / (w**2).sum(-1, keepdim=True) * extent[:, None] * cell
    swing = slope * extent[:, None]
    numbers = torch.stack([torch.full_like(gain, bank.length * cell), torch.full_like(gain, bank.width * cell),
                           bank.angles[m]], 1)
    rows = [gain[:, None], center, numbers, -end, end, (mean - swing).clamp(0, 1), (mean + swing).clamp(0, 1)]
    return torch.cat(rows, 1).double().numpy()


def _greedy(candidates: np.ndarray, error: torch.Tensor, count: int, cell: float) -> Seeds:
    """Takes the candidates with the most gain that is still there to be had. cell: px of what is looked at as one."""
    size = tuple(math.ceil(extent / cell) + 1 for extent in error.shape)
    left = F.interpolate(error[None, None], size=size, mode="bilinear", align_corners=True)[0, 0].contiguous().numpy()
    chosen, gains = choose(candidates, left, count, cell, CLEAR_MIN)
    rows = candidates[chosen].astype(np.float32)
    return Seeds(rows[:, 1:3], rows[:, 3], rows[:, 4], rows[:, 5], rows[:, 6:10], rows[:, 10:13], rows[:, 13:16],
                 gains.astype(np.float32))
