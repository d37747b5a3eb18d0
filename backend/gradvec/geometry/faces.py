"""Faces that look at the viewer. People look at them first, and squared error hardly at all.

The detector is the cascade of local binary patterns that comes with scikit-image (method: Liao and others, Learning
multi-scale block local binary patterns for face recognition, 2007). Alone it takes gables and wheels for faces and
misses every fourth face, as a window hits it or not. So it is asked at several sizes, and what it finds anywhere counts
where it is found again in most of six further views, three sizes of both the place and its mirror image, and has the
colours of skin. It sees upright faces, so heads that are held to one side are looked for in a picture that is turned;
what is found there has to be seen in pictures that are turned somewhat more and less, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from ..render.threads import side_by_side
from .scaling import averaged, interpolated

#: Areas, px, at which a picture is searched, and side of the smallest face there, which is the cascade's own window.
AREAS, SMALLEST = (150_000, 60_000, 25_000), 24
#: One area, in which faces narrower than an eighth of the picture are not found, in a sixth of the time.
ONE_AREA = (40_000,)
#: From one size of faces to the next, while they are looked for and while they are looked at again.
STEP, FINE_STEP = 1.15, 1.1
#: Sides, px, that a face has when it is looked at again, and in how many of those views, plain and mirrored, it is one.
SIDES, VIEWS = (28, 33, 39), 6
#: Degrees by which a picture is turned for heads that are held to one side, the area, px, at which they are looked for,
#: and how much more and less it is turned to look at them again.
TURNS, TURNED_AREA, FURTHER = (-25.0, 25.0), 25_000, (-7.0, 7.0)
#: How many windows have to see it at first, and in how many of the views of all three turns together it is a face. The
#: shadow of a spoon has all the views that a face has, but from few windows.
TURNED_AGREEING, TURNED_VIEWS = 9, 16
#: Shares of a face's width: how far off it may be found again; how much is looked at around its centre.
NEAR, AROUND = 0.25, 0.95
#: Colours of skin in CIELAB, as a median: hue (degrees), chroma, least lightness. Of any people, in any usual light.
SKIN_HUE, SKIN_CHROMA, SKIN_LIGHT = (0.0, 85.0), (5.0, 50.0), 15.0
#: Share of a face's width, to both sides of its centre, that is skin; below this mean chroma a picture has no colours.
SKIN, GREY = 0.35, 3.0
#: Half axes of a face's oval, shares of its width, and over how much of the oval its edge is soft.
OVAL, SOFT = (0.46, 0.56), 0.3


@dataclass(frozen=True)
class Face:
    """x, y, width: its centre and the width that the cascade gives it, from ear to ear, px."""

    x: float
    y: float
    width: float

    def scaled(self, factor: float) -> Face:
        return Face(self.x * factor, self.y * factor, self.width * factor)

    def mirrored(self, width: int) -> Face:
        """In the mirror image of a picture that is ``width`` px wide."""
        return Face(width - self.x, self.y, self.width)

    def turned(self, degrees: float, before: tuple[int, ...], after: tuple[int, ...]) -> Face:
        """Where :func:`turned` takes it, from a picture of the shape ``before`` to one of the shape ``after``."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        x, y = self.x - before[1] / 2, self.y - before[0] / 2
        return Face(cos * x + sin * y + after[1] / 2, cos * y - sin * x + after[0] / 2, self.width)

    def far_from(self, other: Face) -> float:
        return math.hypot(self.x - other.x, self.y - other.y)


def faces(rgb: np.ndarray, areas: tuple[int, ...] = AREAS) -> list[Face]:
    """Those of a picture (H, W, 3) in [0, 1] that are seen from in front, widest first.

    Those wider than about a seventh of the picture are found in heads that are held to one side, too.
    """
    if _cascade() is None:
        return []
    # A picture that has no more px than an area is searched as it is, and not again.
    areas = areas[:1 + next((n for n, area in enumerate(areas) if area >= rgb.shape[0] * rgb.shape[1]), len(areas))]
    searches = [*(partial(_upright, rgb, area) for area in areas), *(partial(_tilted, rgb, turn) for turn in TURNS)]
    found = side_by_side(lambda search: search(), searches)
    upright = _each_once(list(chain(*found[:len(areas)])))
    tilted = [face for face in _each_once(list(chain(*found[len(areas):])))
              if not any(face.far_from(other) < max(face.width, other.width) / 2 for other in upright)]
    return sorted(upright + tilted, key=lambda face: -face.width)


def _upright(rgb: np.ndarray, area: int) -> list[Face]:
    """Faces of heads that are held upright, as they are found in a picture of so many px."""
    picture, share = _of_area(rgb, area)
    if min(picture.shape[:2]) < SMALLEST:
        return []
    is_skin = _skin(picture)
    return [face.scaled(1 / share) for face in _candidates(picture, (SMALLEST, min(picture.shape[:2])), STEP)
            if is_skin(face) and _views(picture, face) >= VIEWS]


def _tilted(rgb: np.ndarray, turn: float) -> list[Face]:
    """Faces of heads that are held to one side, about as far as the picture is turned, degrees, to find them."""
    picture, share = _of_area(rgb, TURNED_AREA)
    if min(picture.shape[:2]) < SMALLEST:
        return []
    is_skin, found, whole = _skin(picture), [], turned(picture, turn)
    for there in _candidates(whole, (SMALLEST, min(picture.shape[:2])), FINE_STEP, TURNED_AGREEING):
        face = there.turned(-turn, whole.shape, picture.shape)
        inside = 0 <= face.x < picture.shape[1] and 0 <= face.y < picture.shape[0]
        if inside and is_skin(face) and _turned_views(picture, face, turn) >= TURNED_VIEWS:
            found.append(face.scaled(1 / share))
    return found


def turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    """A picture (H, W, ...), turned around its middle and as large as it becomes; its border goes on."""
    return np.ascontiguousarray(ndimage.rotate(picture, degrees, axes=(1, 0), order=1, mode="nearest"))


def _turned_views(picture: np.ndarray, face: Face, turn: float) -> int:
    """In how many views it is a face; none further are looked at where it is one in few."""
    part, face = around(picture, face, 2 * AROUND * face.width)
    views = 0
    for count, further in enumerate((0.0, *FURTHER)):
        seen = turned(part, turn + further)
        views += _views(seen, face.turned(turn + further, part.shape, seen.shape))
        if views + 2 * len(SIDES) * (len(FURTHER) - count) < TURNED_VIEWS:
            break
    return views


def shown(found: list[Face], size: tuple[int, int]) -> np.ndarray:
    """(H, W) float32 of ``size``: 1 on faces (px of it), 0 away from them, soft at their edge."""
    out = np.zeros(size, np.float32)
    y, x = np.mgrid[:size[0], :size[1]].astype(np.float32) + 0.5
    for face in found:
        away = np.hypot((x - face.x) / (OVAL[0] * face.width), (y - face.y) / (OVAL[1] * face.width))
        np.maximum(out, np.clip((1 - away) / SOFT + 0.5, 0, 1), out=out)
    return out


def around(picture: np.ndarray, face: Face, half: float) -> tuple[np.ndarray, Face]:
    """What lies within ``half`` px of a face's centre in a picture (H, W, ...), and the face in it."""
    left, top = max(0, int(face.x - half)), max(0, int(face.y - half))
    part = picture[top:math.ceil(face.y + half), left:math.ceil(face.x + half)]
    return part, Face(face.x - left, face.y - top, face.width)


def _each_once(found: list[Face]) -> list[Face]:
    """Of those that lie over each other their median, widest first."""
    groups: list[list[Face]] = []
    for face in sorted(found, key=lambda one: -one.width):
        same = next((group for group in groups if face.far_from(group[0]) < group[0].width / 2), None)
        if same is None:
            groups.append([face])
        else:
            same.append(face)
    return [Face(*np.median([(one.x, one.y, one.width) for one in group], axis=0).tolist()) for group in groups]


@cache
def _cascade() -> Any:
    """None where scikit-image was packaged without its data, which it would fetch over the network."""
    import skimage
    from skimage.feature import Cascade

    path = Path(skimage.__file__).parent / "data" / "lbpcascade_frontalface_opencv.xml"
    return Cascade(str(path)) if path.is_file() else None


def _of_area(rgb: np.ndarray, area: int) -> tuple[np.ndarray, float]:
    """The picture in bytes with no more px than ``area``, and its size as a share of what it was."""
    height, width = rgb.shape[:2]
    share = min(1.0, math.sqrt(area / (height * width)))
    return _resized(rgb, (round(height * share), round(width * share))), share


def _resized(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) bytes."""
    rgb = np.asarray(rgb, np.float32)
    sized = averaged(rgb, size) if size[0] <= rgb.shape[0] else interpolated(rgb, size)
    return np.ascontiguousarray((np.clip(sized, 0, 1) * 255 + 0.5).astype(np.uint8))


def _candidates(picture: np.ndarray, sides: tuple[float, float], step: float, agreeing: int = 1) -> list[Face]:
    """What the cascade takes for faces in a picture (h, w, 3) of bytes. sides: least and greatest width, px. agreeing:
    how many windows beside one have to see the same."""
    boxes = _cascade().detect_multi_scale(picture, scale_factor=step, step_ratio=1, min_size=(sides[0],) * 2,
                                          max_size=(sides[1],) * 2, min_neighbor_number=agreeing)
    return [Face(box["c"] + box["width"] / 2, box["r"] + box["height"] / 2, float(box["width"])) for box in boxes]


def _views(picture: np.ndarray, face: Face) -> int:
    """In how many of six views of a place it is a face."""
    part, face = around(picture, face, AROUND * face.width)
    views = 0
    for side in SIDES:
        share = side / face.width
        sized = _resized(part / np.float32(255), (round(part.shape[0] * share), round(part.shape[1] * share)))
        here = face.scaled(share)
        views += _is_there(sized, here)
        views += _is_there(np.ascontiguousarray(sized[:, ::-1]), here.mirrored(sized.shape[1]))
    return views


def _is_there(picture: np.ndarray, face: Face) -> bool:
    sides = (max(SMALLEST, 0.6 * face.width), 1.6 * face.width)
    return any(face.far_from(other) < NEAR * face.width
               for other in _candidates(picture, sides, FINE_STEP, agreeing=2))


def _skin(picture: np.ndarray) -> Callable[[Face], bool]:
    """Whether a face in a picture (h, w, 3) of bytes is of the colours of skin; in a grey one all are."""
    from skimage.color import rgb2lab

    lab = rgb2lab(picture)
    grey = np.hypot(lab[..., 1], lab[..., 2]).mean() < GREY

    def is_skin(face: Face) -> bool:
        lightness, a, b = np.median(around(lab, face, SKIN * face.width)[0].reshape(-1, 3), axis=0)
        return bool(grey or (SKIN_HUE[0] < math.degrees(math.atan2(b, a)) < SKIN_HUE[1]
                             and SKIN_CHROMA[0] < math.hypot(a, b) < SKIN_CHROMA[1] and lightness > SKIN_LIGHT))

    return is_skin
