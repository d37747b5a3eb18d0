"""Further paths for strokes that one path with one gradient cannot show: the paper's rule.

After a stroke's path, painted in its best two-stop gradient (or its mean colour, where fills are to be flat), the
largest coherent component of what is still wrong becomes a path of its own, and so on while that pays (Hsieh and Lin
2025, paths per stroke). What later strokes hide counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ...geometry.inside import box_of
from ...geometry.sizes import size_classes
from ...geometry.trace import peak
from ...model import Outline, StrokePatch
from ...progress import Run
from ...render import render_flat
from . import OutlineSettings
from .importance import visibility
from .refine import stroke_scene

#: A further path is kept while it mends at least this share of what the first further path mended.
LEAST_GAIN = 0.1

#: What is wrong by less than this (root mean square over a path) is not seen.
_SEEN = 3.0 / 255.0
#: A path counts as if at least so many px of it were seen: what hardly shows is no path worth.
_LEAST_SHOWN = 4.0

#: What a pixel that nobody sees counts when a path's colours are found.
_UNSEEN = 0.01


@dataclass
class _State:
    """A stroke while paths are added: its target, premultiplied RGBA (h, w, 4), how much an error counts (h, w), and
    its paths from bottom to top. flat: whether a path has one colour."""

    patch: StrokePatch
    target: np.ndarray
    weight: np.ndarray
    flat: bool
    paths: list[Outline]
    coverages: list[np.ndarray]
    error: float = 0.0
    first_gain: float = 0.0
    open: bool = True

    def left(self, *further: np.ndarray) -> np.ndarray:
        """(h, w, 4) what is still wrong, also with further paths of these coverages on top."""
        return self.target - _painted(self.patch, [*self.coverages, *further], self.weight, self.flat)


def add_paths(patches: list[StrokePatch], first: Sequence[tuple[Outline, ...]], settings: OutlineSettings, run: Run,
              span: tuple[float, float] = (0.0, 1.0)) -> list[tuple[Outline, ...]]:
    """Per stroke its paths from bottom to top: ``first`` and up to settings.paths - 1 more.

    Paths are added as long as one gains, in squared error over black and over white ground where the stroke is seen,
    at least :data:`LEAST_GAIN` of what the first added one gained, and mends something that is seen.

    Raises:
        Cancelled: the run was cancelled.
    """
    most = most_paths(patches, settings)
    seen = [i for i, paths in enumerate(first) if paths]
    if not seen:
        return list(first)
    covers = _coverages([patches[i] for i in seen], [first[i][0] for i in seen], settings)
    # What the strokes above let through enters the picture's squared error squared.
    weights = [np.square(share, dtype=np.float64) for share in visibility(patches)]
    states = {i: _State(patches[i], _premultiplied(patches[i]), weights[i], settings.flat, list(first[i]), [cover])
              for i, cover in zip(seen, covers, strict=True)}
    for state in states.values():
        state.error = _error(state.left(), state.weight)
    begin, end = span
    rounds = settings.paths - 1
    for number in range(rounds):
        part = (end - begin) / rounds
        still = [state for i, state in states.items() if state.open and most[i] > number + 1]
        if run.keep or not still:
            break
        _add_one_each(still, settings, run, (begin + part * number, begin + part * (number + 1)))
    return [tuple(states[i].paths) if i in states else () for i in range(len(patches))]


def most_paths(patches: Sequence[StrokePatch], settings: OutlineSettings) -> np.ndarray:
    """(N,) how many paths each stroke may become: settings.paths, or by its size.

    By size: strokes fall into three classes by K-means of their sizes; the largest may become all of the paths, the
    middle ones half as many, the small ones stay one path.
    """
    most = np.full(len(patches), settings.paths)
    sizes = np.sqrt([float(patch.alpha.sum()) for patch in patches])
    if settings.by_size and (sizes > 0).any():
        by_class = np.maximum(1, [settings.paths, settings.paths // 2, 1])
        most[sizes > 0] = by_class[size_classes(sizes[sizes > 0])]
    return most


def _add_one_each(states: list[_State], settings: OutlineSettings, run: Run, span: tuple[float, float]) -> None:
    """One more path for every stroke where that pays; the others are closed."""
    from . import outlines

    parts = []
    for k, state in enumerate(states):
        if k % 16 == 0:
            run.step(span[0])
        parts.append(component(state.left() * np.sqrt(state.weight)[..., None], state.patch))
        state.open = False
    asked = [k for k, part in enumerate(parts) if part is not None]
    fitted = outlines([part for part in parts if part is not None], None, settings, run, span, in_picture=False)
    tried = [(states[k], outline) for k, outline in zip(asked, fitted, strict=True) if outline is not None]
    covers = _coverages([state.patch for state, _ in tried], [outline for _, outline in tried], settings)
    for (state, outline), cover in zip(tried, covers, strict=True):
        error = _error(state.left(cover), state.weight)
        gain = state.error - error
        shown = float((cover * state.weight).sum())
        if gain >= max(_SEEN**2 * max(shown, _LEAST_SHOWN), LEAST_GAIN * state.first_gain):
            state.first_gain = state.first_gain or gain
            state.error, state.open = error, True
            state.paths.append(outline)
            state.coverages.append(cover)


def component(residual: np.ndarray, patch: StrokePatch) -> StrokePatch | None:
    """The largest coherent part of a premultiplied RGBA ``residual`` (h, w, 4), as a patch; None where none is seen.

    Coherent: connected, inside the stroke, and wrong towards the same side along the residual's main direction.
    """
    inside = patch.alpha > 0.5
    if inside.sum() < 4:
        return None
    soft = ndimage.gaussian_filter(residual[..., :3], (0.7, 0.7, 0.0))
    wrong = soft[inside]
    direction = np.linalg.eigh(wrong.T @ wrong)[1][:, -1]
    along = (soft @ direction) * inside
    least = max(0.4 * float(np.quantile(np.abs(along[inside]), 0.95)), _SEEN)
    best, best_error = None, 0.0
    for mask in (along > least, along < -least):
        labels, count = ndimage.label(mask)
        if count:
            errors = ndimage.sum_labels(along**2, labels, np.arange(1, count + 1))
            if errors.max() > best_error:
                best_error = float(errors.max())
                best = labels == 1 + int(np.argmax(errors))
    if best is None or best.sum() < 4:
        return None
    window = box_of(best)
    x, y = patch.offset
    return replace(patch, alpha=best[window].astype(np.float32), color=patch.color[window], outline=None,
                   offset=(x + window[1].start, y + window[0].start))


def _premultiplied(patch: StrokePatch) -> np.ndarray:
    alpha = patch.alpha[..., None].astype(np.float64)
    return np.concatenate([patch.color * alpha, alpha], -1)


def shown_parts(patches: Sequence[StrokePatch], outlines: Sequence[Sequence[Outline]],
                settings: OutlineSettings) -> list[list[StrokePatch]]:
    """Per stroke, for each of its paths from bottom to top, the patch reduced to where that path shows.

    A path's fill is to be found in its own part: what the stroke's upper paths cover says nothing about it.
    """
    several = [i for i, paths in enumerate(outlines) if len(paths) > 1]
    pairs = [(patches[i], outline) for i in several for outline in outlines[i]]
    covers = iter(_coverages([patch for patch, _ in pairs], [outline for _, outline in pairs], settings))
    result = [[patch] * len(paths) for patch, paths in zip(patches, outlines, strict=True)]
    for i in several:
        own = [next(covers) for _ in outlines[i]]
        above = np.ones_like(patches[i].alpha)
        for k in reversed(range(len(own))):
            result[i][k] = replace(patches[i], alpha=(patches[i].alpha * own[k] * above).astype(np.float32))
            above = above * (1.0 - own[k])
    return result


def _error(difference: np.ndarray, weight: np.ndarray) -> float:
    """Squared error, mean over the channels, summed over the weighted pixels, mean of black and white ground."""
    on_black = difference[..., :3]
    on_white = on_black - difference[..., 3:]
    return float(0.5 * ((np.square(on_black) + np.square(on_white)).mean(-1) * weight).sum())


def _painted(patch: StrokePatch, coverages: Sequence[np.ndarray], weight: np.ndarray, flat: bool) -> np.ndarray:
    """Premultiplied RGBA (h, w, 4) of paths over each other, each in the fill that is best where it shows."""
    full = peak(patch.alpha)
    best = mean_color if flat else best_two_stops
    picture = np.zeros((*patch.alpha.shape, 4))
    above = np.ones_like(patch.alpha, np.float64)
    for cover in reversed(coverages):
        color = best(patch, cover * above * (_UNSEEN + (1.0 - _UNSEEN) * weight))
        alpha = (full * cover * above)[..., None]
        picture += np.concatenate([color * alpha, alpha], -1)
        above = above * (1.0 - cover)
    return picture


def _coverages(patches: Sequence[StrokePatch], outlines: Sequence[Outline], settings: OutlineSettings
               ) -> list[np.ndarray]:
    """(h, w) coverage of each outline on its patch."""
    if not patches:
        return []
    offsets = np.repeat([p.offset for p in patches], [3 * o.segments for o in outlines], axis=0)
    points = np.concatenate([loop for o in outlines for loop in o.loops]) - offsets
    scene = stroke_scene(outlines, points, [p.alpha.shape for p in patches])
    alpha = render_flat(scene, settings.engine, settings.device)[:, 3].numpy().astype(np.float64)
    ends = pairwise(scene.topology.canvas_start)
    return [alpha[a:b].reshape(p.alpha.shape) for p, (a, b) in zip(patches, ends, strict=True)]


def mean_color(patch: StrokePatch, coverage: np.ndarray) -> np.ndarray:
    """(h, w, 3) the patch's mean colour where ``coverage`` shows it."""
    weight = patch.alpha * coverage
    mean = (weight[..., None] * patch.color).sum((0, 1)) / max(float(weight.sum()), 1e-6)
    return np.broadcast_to(mean, patch.color.shape)


def best_two_stops(patch: StrokePatch, coverage: np.ndarray) -> np.ndarray:
    """(h, w, 3) colour: the linear gradient of two stops that comes closest to the patch where ``coverage`` shows it.

    The plane that fits the colours best gives the axis; along it colours run linearly over the covered range.
    """
    weight = patch.alpha * coverage
    if weight.sum() < 1e-3:
        return np.zeros((*patch.alpha.shape, 3))
    rows, columns = np.indices(weight.shape)
    total = weight.sum()
    x, y = columns - (weight * columns).sum() / total, rows - (weight * rows).sum() / total
    mean = (weight[..., None] * patch.color).sum((0, 1)) / total
    basis = np.stack([x, y], -1)
    spread = np.einsum("hwi,hwj,hw->ij", basis, basis, weight) + 1e-3 * np.eye(2)
    slope = np.linalg.solve(spread, np.einsum("hwi,hwc,hw->ic", basis, patch.color - mean, weight))
    axis, strength, color = np.linalg.svd(slope)
    return np.clip(mean + (basis @ axis[:, 0])[..., None] * strength[0] * color[0], 0.0, 1.0)
