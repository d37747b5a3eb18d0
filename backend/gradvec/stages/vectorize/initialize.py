"""From regions to new paths: contour, cubics, a fill to begin with; and which of the regions are taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ...geometry import cubics, repair, trace
from ...geometry.inside import box_of, inside
from ...gradients.fills import fit
from ...model import Outline, Shape, SolidColor, StrokePatch, Target
from ...progress import Run
from .error_regions import LEAST_PX, SEEN, components, fit_planes, mended
from .occlusion import Whole, owners, whole
from .settings import VectorizeSettings

#: So many regions are tried for each path that is wanted, and so many at least.
TRIED, TRIED_LEAST = 3, 12
#: A pixel is free to be painted over while painting it wrong would not make it this much worse, as a ratio of errors.
FREE = 0.05
#: What harm done to free pixels counts: something else will be painted there.
FREE_HARM = 0.25
#: A region that shares more than this of its pixels with one already taken has to wait.
SHARED = 0.25
#: A region lies under another where that covers more than this share of its bridge; where it would cover as much of
#: the region itself, too, they are not taken together.
COVERED = 0.1
#: A region that goes on behind others is preferred to what is seen of it by this factor.
WHOLE = 1.1
#: Regions reach this far under what will be painted beside them, px, so that no hairline shows between.
UNDER_PX = 2
#: How far regions that touch the picture's border reach beyond it, px.
BEYOND_PX = 3
#: Beside a region so many px of the picture are looked at when its outline is made.
MARGIN_PX = 16
#: Handle length of a quarter circle of radius 1.
_QUARTER = 4.0 / 3.0 * (2.0**0.5 - 1.0)


@dataclass(frozen=True)
class _Try:
    """A region with the outline that would show it. mask: (H, W) bool; gain: what the outline itself would mend.

    reach: (H, W) bool, the mask with what it covers besides; bridge: those of these pixels that something else shows.
    below: as in :class:`Start`.
    """

    mask: np.ndarray
    patch: StrokePatch
    outline: Outline
    gain: float
    reach: np.ndarray
    bridge: np.ndarray
    below: int | None = None


@dataclass(frozen=True)
class Start:
    """A new path. below: it belongs right under the path of that index; None: on top of all."""

    shape: Shape
    below: int | None


def new_paths(shapes: list[Shape], target: Target, wanted: np.ndarray, shown: np.ndarray, count: int,
              settings: VectorizeSettings, run: Run, importance: np.ndarray | None = None) -> list[Start]:
    """``count`` new paths, larger ones first; fewer where nothing is wrong.

    Args:
        shapes: those that are there, bottom to top.
        wanted, shown: (H, W, 4) premultiplied RGBA of the picture and of what the paths show so far.
        importance: (H, W) how much each px counts; None: all alike.
    """
    most = max(TRIED * count, TRIED_LEAST)
    regions = components(wanted, shown, most, settings.flat, importance)
    parts = whole(regions, wanted, shown, owners(shapes, *wanted.shape[:2]), most)
    taken = _choose(_tries(parts, target, wanted, shown, settings, importance), count)
    if len(taken) < count:
        taken += _circles(taken, target, wanted, shown, count - len(taken))
    taken = _ordered(taken)
    # Gradients start refined (the joint refinement and its end decide what becomes of them), flat ones flat.
    found = fit([t.patch for t in taken], [t.outline for t in taken], "flat" if settings.flat else "refined",
                Run(token=run.token))
    return [Start(Shape(t.outline, fill), t.below) for t, fill in zip(taken, found, strict=True)]


@dataclass(frozen=True)
class _View:
    """The picture around one region: all that its outline depends on.

    window: (rows, columns) slices of the picture. wanted: (h, w, 4). error: (h, w) squared difference to what is shown.
    mask, bridge: (h, w) bool, the region's. free: (h, w) bool, px outside it that are so wrong now that something else
    has to be painted there.
    """

    window: tuple[slice, slice]
    wanted: np.ndarray
    error: np.ndarray
    mask: np.ndarray
    bridge: np.ndarray
    free: np.ndarray

    @classmethod
    def around(cls, part: Whole, wanted: np.ndarray, error: np.ndarray) -> _View:
        window = _window(part.mask | part.bridge)
        mask, near, wrong = part.mask[window], wanted[window], error[window]
        after = np.square(near - near[mask].mean(0)).sum(-1)
        free = ~mask & (wrong > 3 * SEEN**2) & (wrong > FREE**2 * after) & (near[..., 3] > 0.5)
        return cls(window, near, wrong, mask, part.bridge[window], free)


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """The px that a mask needs, and MARGIN_PX more on each side where the picture has them."""
    rows, columns = (slice(max(0, part.start - MARGIN_PX), part.stop + MARGIN_PX) for part in box_of(mask))
    return rows, columns


def _tries(parts: list[Whole], target: Target, wanted: np.ndarray, shown: np.ndarray,
           settings: VectorizeSettings, importance: np.ndarray | None) -> list[_Try]:
    error = np.square(wanted - shown).sum(-1)
    views = [_View.around(part, wanted, error) for part in parts]
    reaches = []
    for view in views:
        reach = np.zeros(error.shape, bool)
        reach[view.window] = _reaching(view.mask | view.bridge, view.free)
        reaches.append(reach)
    contours = [trace.contours(_patch(reach, target), holes=settings.holes) for reach in reaches]
    outlines = [Outline(loops) for loops in cubics.fit_contours(contours, settings.segments, settings.accuracy)]
    result = []
    for part, view, reach, traced in zip(parts, views, reaches, outlines, strict=True):
        outline = repair.clean(traced, most=settings.segments) if traced.loops else None
        if outline is not None:
            gain = _gain(outline, view, settings.flat) * (WHOLE if part.bridge.any() else 1.0)
            if importance is not None:
                gain *= float(importance[part.mask].mean())
            # Colours are fitted to the region alone, not to what it reaches over.
            result.append(_Try(part.mask, _patch(part.mask, target), outline, gain, reach, part.bridge, part.below))
    return result


def _reaching(mask: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The region, reaching over holes and a little under neighbours that will be painted later."""
    whole = mask | (ndimage.binary_dilation(mask, iterations=UNDER_PX) & _solid(free))
    holes, count = ndimage.label(~whole)
    if count == 0:
        return whole
    border = np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]]))
    index = np.arange(1, count + 1)
    loose = ndimage.mean(free, holes, index) > 0.5
    loose[np.isin(index, border)] = False
    return whole | np.isin(holes, index[loose])


def _solid(free: np.ndarray) -> np.ndarray:
    """Free pixels that are more than the soft edge of something that is right already."""
    return ndimage.binary_propagation(ndimage.binary_erosion(free, np.ones((3, 3))), mask=free)


def _patch(mask: np.ndarray, target: Target) -> StrokePatch:
    """The region as a patch with soft edges, carried on beyond the picture's border where it touches it."""
    pad, near = BEYOND_PX, _window(mask)
    alpha = ndimage.gaussian_filter(np.pad(mask[near], pad, mode="edge").astype(np.float32), 0.6)
    alpha[alpha < 0.02] = 0.0
    window = box_of(alpha > 0)
    color = np.pad(target.rgb[near], ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    top, left = (part.start - pad + own.start for part, own in zip(near, window, strict=True))
    # A copy: a view would keep all that lies around it.
    return StrokePatch(alpha[window].copy(), color[window].copy(), (left, top))


def _gain(outline: Outline, view: _View, flat: bool) -> float:
    """What painting ``outline`` in the region's best fill mends; harm to free pixels counts less, bridges nothing."""
    height, width = view.mask.shape
    covered = inside(outline, view.window[1].start, view.window[0].start, width, height) & ~view.bridge
    if not (covered & view.mask).any():
        return 0.0
    rows, columns = np.nonzero(covered)
    own, values = view.mask[covered], view.wanted[covered]
    nobody = np.where(own, 0, 1)
    coefficients, basis = fit_planes(nobody, rows, columns, values, 2, flat)
    # The plane of the region's own pixels, in the frame of those pixels, also where the outline leaves them.
    painted = _plane_everywhere(coefficients[0], basis, rows, columns, own)
    before = view.error[covered]
    after = np.square(values - painted).sum(-1)
    weight = np.where(own | ~view.free[covered], 1.0, np.where(after > before, FREE_HARM, 0.0))
    return float((mended(before, after) * weight).sum())


def _plane_everywhere(coefficients: np.ndarray, basis: np.ndarray, rows: np.ndarray, columns: np.ndarray,
                      own: np.ndarray) -> np.ndarray:
    if basis.shape[1] == 1:
        return np.broadcast_to(coefficients[0], (len(rows), coefficients.shape[1]))
    x, y = columns - columns[own].mean(), rows - rows[own].mean()
    spread = np.sqrt((x[own] ** 2 + y[own] ** 2).mean() + 1e-6)
    local = np.stack([np.ones(len(rows)), x / spread, y / spread], 1)
    return np.clip(local @ coefficients, 0.0, 1.0)


def _choose(tries: list[_Try], count: int) -> list[_Try]:
    """The best that do not show the same pixels."""
    taken: list[_Try] = []
    if not tries:
        return taken
    owned = np.zeros(tries[0].mask.shape, bool)
    for one in sorted(_sensible(tries), key=lambda t: -t.gain):
        if len(taken) == count or one.gain <= 0:
            break
        if ((owned & one.mask).sum() <= SHARED * one.mask.sum()
                and not any(_under(one, other) and _mostly(other.reach, one.mask) for other in taken)):
            owned |= one.mask
            taken.append(one)
    return taken


def _sensible(tries: list[_Try]) -> list[_Try]:
    """Without those that would go on behind a region that lies around them: they lie on it."""
    plain = [one for one in tries if not one.bridge.any() and one.gain > 0]
    return [one for one in tries if one.below is not None
            or not any(_under(one, other) and _mostly(other.reach & ~other.mask, one.mask) for other in plain)]


def _mostly(cover: np.ndarray, mask: np.ndarray) -> bool:
    return bool((cover & mask).sum() > COVERED * mask.sum())


def _under(one: _Try, other: _Try) -> bool:
    """Whether ``one`` goes on behind ``other``."""
    return bool(one.bridge.any()) and _mostly(other.mask, one.bridge)


def _ordered(taken: list[_Try]) -> list[_Try]:
    """The larger below, but what goes on behind another below that."""
    result: list[_Try] = []
    for one in sorted(taken, key=lambda t: -_area(t.outline)):
        above = [n for n, other in enumerate(result) if _under(one, other)]
        result.insert(min(above, default=len(result)), one)
    return result


def _circles(taken: list[_Try], target: Target, wanted: np.ndarray, shown: np.ndarray, count: int) -> list[_Try]:
    """LIVE's start, where no region is left to trace: circles where the most error is gathered."""
    error = np.square(wanted - shown).sum(-1) * (wanted[..., 3] > 0.5)
    for one in taken:
        error[one.mask] = 0.0
    radius = max(2.0, 0.02 * max(error.shape))
    result: list[_Try] = []
    rows, columns = np.indices(error.shape)
    for _ in range(count):
        soft = ndimage.gaussian_filter(error, radius)
        row, column = np.unravel_index(int(np.argmax(soft)), soft.shape)
        if error.max() <= 3 * SEEN**2:
            break
        mask = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
        error[(rows - row) ** 2 + (columns - column) ** 2 <= (2 * radius) ** 2] = 0.0
        if mask.sum() >= LEAST_PX:
            result.append(_Try(mask, _patch(mask, target), circle(column + 0.5, row + 0.5, radius), 0.0,
                               mask, np.zeros_like(mask)))
    return result


def _area(outline: Outline) -> float:
    """px^2, holes taken off."""
    return abs(sum(trace.shoelace(cubics.flatten(loop)) for loop in outline.loops))


def circle(x: float, y: float, radius: float) -> Outline:
    """A circle around (x, y) px of four cubics."""
    k = _QUARTER
    unit = np.array([[1, 0], [1, k], [k, 1], [0, 1], [-k, 1], [-1, k], [-1, 0], [-1, -k], [-k, -1], [0, -1], [k, -1],
                     [1, -k]])
    return Outline((unit * radius + [x, y],))


def ground_color(target: Target) -> SolidColor:
    """What the background starts as: the colour most of the border has, else most of the picture, else the mean."""
    quantized = np.round(target.rgb * 15).astype(int) @ [256, 16, 1]
    border = np.zeros(quantized.shape, bool)
    border[[0, -1]] = border[:, [0, -1]] = True
    solid = target.alpha > 0.5
    for where, least in ((border & solid, 0.35), (solid, 0.2)):
        values, counts = np.unique(quantized[where], return_counts=True)
        if len(values) and counts.max() >= least * counts.sum():
            color = target.rgb[where & (quantized == values[np.argmax(counts)])].mean(0)
            return SolidColor((float(color[0]), float(color[1]), float(color[2])))
    color = target.rgb[solid].mean(0) if solid.any() else np.ones(3)
    return SolidColor((float(color[0]), float(color[1]), float(color[2])))
