"""Paths refined together after every stage, and the background with them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy import ndimage

from ...geometry.cubics import flatten
from ...geometry.self_intersection import Untangler
from ...model import Shape, Target
from ...optimize.adam import Adam
from ...optimize.loss import PictureLoss
from ...optimize.variables import Freedom, Variables, with_gradient
from ...render import choose, render_flat

#: Full rates a step, decayed by a cosine: control points and gradient end points as a share of the shape's size, with
#: the least and the most px; stop colours; the background's colour.
POINT_RATE, AXIS_RATE, COLOR_RATE, GROUND_RATE = (0.04, 0.3, 1.6), (0.1, 0.5, 4.0), 0.04, 0.01
#: What a px of outline costs, in summed squared colour difference, and how far a step evens out control points.
TENSION, EVEN = 0.0005, 0.02
#: Paths of earlier stages move at this share of the rates of new ones.
OLDER = 0.4
#: Near the contours of new paths a pixel counts so many times more, fading over a share of the picture's longest side.
NEAR, FADE = 4.0, 0.02
#: A squared error that counts a quarter while further paths are to come.
OUTSTANDING = 3 * (16.0 / 255.0) ** 2
PREVIEW_EVERY = 0.3
RGBA = tuple[float, float, float, float]


@dataclass(frozen=True)
class Setting:
    """What may change and who computes. train_ground: the background's colour is trained, too."""

    flat: bool
    opacity: bool
    train_ground: bool
    engine: str
    device: str


@dataclass(frozen=True)
class Refined:
    """shapes bottom to top; ground: straight RGBA; shown: (H, W, 4) premultiplied; mse: over the compared planes."""

    shapes: list[Shape]
    ground: RGBA
    shown: np.ndarray
    mse: float


def refine_together(shapes: list[Shape], fresh: list[bool], target: Target, ground: RGBA, setting: Setting, steps: int,
                    patient: bool, peak: float, goes_on: Callable[[int], bool],
                    preview: Callable[[Callable[[], object]], None]) -> Refined:
    """All shapes, moved and coloured together for ``steps`` steps to look like the picture.

    Args:
        fresh: which shapes are new: they move at the full rate, and the picture counts more near their contours. Where
            none is, everything moves alike and counts alike.
        patient: what is still solidly wrong is left to later paths and hardly counts.
        peak: share of the full rates that the first step has.
        goes_on: asked before each step with its number; False ends early.
        preview: offered a function that makes an (H, W, 3) uint8 picture, now and then.
    """
    engine, device = choose(setting.engine, setting.device)
    if not shapes:
        return _bare(target, ground, engine, device)
    if not setting.flat:
        shapes = [with_gradient(shape) for shape in shapes]
    variables = Variables(shapes, target.width, target.height, ground, Freedom(opacity=setting.opacity), device)
    if setting.train_ground:
        variables.background = variables.background.clone().requires_grad_()
    new = np.array(fresh) if any(fresh) else np.ones(len(shapes), bool)
    loss = PictureLoss(target, ground[3] >= 1.0, device)
    if any(fresh) or patient:
        weight = distance_weight([s for s, n in zip(shapes, fresh, strict=True) if n], target)
        if patient:
            _result(variables, loss, target, engine)
            weight *= patience(loss.error_map())
        loss = PictureLoss(target, ground[3] >= 1.0, device, 2.0 * weight)
    adam = Adam(*_leaves(variables, new, setting))
    untangler = Untangler(variables.topology)
    seen = 0.0
    for step in range(steps):
        if not goes_on(step):
            break
        picture = render_flat(variables.scene(), engine)
        loss.backward(picture)
        variables.pull_taut(TENSION)
        _move(variables, adam, untangler, peak * (0.03 + 0.485 * (1 + math.cos(math.pi * step / steps))), setting)
        if time.monotonic() - seen > PREVIEW_EVERY:
            seen = time.monotonic()
            preview(partial(_bytes, picture.detach(), target))
    return _result(variables, loss, target, engine)


def distance_weight(shapes: list[Shape], target: Target) -> np.ndarray:
    """(H, W) factor of each pixel's squared difference, mean 1: larger near the contours of ``shapes`` (LIVE's
    distance-weighted loss), so that new paths learn their own edges first."""
    apart = np.ones((target.height, target.width), bool)
    if not shapes:
        return apart.astype(np.float32)
    points = np.concatenate([flatten(loop, 24) for shape in shapes for loop in shape.outline.loops])
    column, row = np.floor(points).astype(int).T
    seen = (column >= 0) & (row >= 0) & (column < target.width) & (row < target.height)
    apart[row[seen], column[seen]] = False
    if apart.all():
        return np.ones(apart.shape, np.float32)
    reach = max(2.0, FADE * max(apart.shape))
    weight = 1.0 + NEAR * np.exp(-0.5 * (ndimage.distance_transform_edt(apart) / reach) ** 2)
    return (weight / weight.mean()).astype(np.float32)


def patience(error: np.ndarray) -> np.ndarray:
    """(H, W) factor in (0, 1] of each pixel, small where the squared error (H, W) is large all around: another path has
    still to come there, and those that are there would only be spoilt by it. Edges that are a pixel off count in full.
    """
    solid = ndimage.grey_opening(error, (5, 5))
    return np.square(OUTSTANDING / (OUTSTANDING + solid)).astype(np.float32)


def _leaves(variables: Variables, new: np.ndarray, setting: Setting) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """What is optimized, and each leaf's rates."""
    t, size = variables.topology, variables.size
    share = torch.from_numpy(np.where(new, 1.0, OLDER).astype(np.float32)).to(size.device)
    points, axis = (torch.clamp(part * size, least, most) * share
                    for part, least, most in (POINT_RATE, AXIS_RATE))
    owner, stops = (torch.from_numpy(index).to(size.device) for index in (t.point_outline, t.stop_outline))
    leaves = [variables.points, variables.geometry, variables.stop_color]
    rates = [points[owner][:, None], axis[:, None], (COLOR_RATE * share)[stops][:, None]]
    if setting.train_ground:
        leaves.append(variables.background)
        rates.append(torch.tensor(GROUND_RATE, device=size.device))
    return leaves, rates


@torch.no_grad()
def _move(variables: Variables, adam: Adam, untangler: Untangler, share: float, setting: Setting) -> None:
    """One step; what would make an outline cross itself is taken back."""
    before = variables.points.detach().cpu().numpy().copy()
    adam.step(share)
    variables.even_out(EVEN * share)
    variables.project()
    if setting.train_ground:
        variables.background.clamp_(0.0, 1.0)
        variables.background[:, 3] = 1.0
    points = variables.points.detach()
    moved = points.cpu().numpy()
    if untangler.hold(moved, before) and points.device.type != "cpu":
        points.copy_(torch.from_numpy(moved))


@torch.no_grad()
def _result(variables: Variables, loss: PictureLoss, target: Target, engine: str) -> Refined:
    picture = render_flat(variables.scene(), engine).detach()
    torch.sub(picture.t()[:len(loss.planes)], loss.planes, out=loss.difference)
    red, green, blue, alpha = (float(c) for c in variables.background.detach().cpu()[0])
    shown = picture.cpu().numpy().reshape(target.height, target.width, 4)
    return Refined(variables.shapes(), (red, green, blue, alpha), shown, loss.mse)


def _bare(target: Target, ground: RGBA, engine: str, device: str) -> Refined:
    """The ground alone."""
    variables = Variables([], target.width, target.height, ground, Freedom(), device)
    return _result(variables, PictureLoss(target, ground[3] >= 1.0, device), target, engine)


def _bytes(picture: torch.Tensor, target: Target) -> np.ndarray:
    """(H, W, 3) uint8 on white."""
    rgb = picture[:, :3] + (1 - picture[:, 3:4])
    return (rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).reshape(target.height, target.width, 3).cpu().numpy()
