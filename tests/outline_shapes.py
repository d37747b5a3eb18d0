"""Known shapes, and how far two shapes are apart."""

import numpy as np
from gradvec.geometry.cubics import flatten
from gradvec.model import Outline, Shape, SolidColor, StrokePatch
from gradvec.render import render
from gradvec.render.scene import scene_from_shapes
from scipy.spatial import cKDTree

#: Handle length of a quarter circle of radius 1.
QUARTER = 4.0 / 3.0 * np.tan(np.pi / 8)


def ellipse(cx, cy, rx, ry=None, hole=False):
    """Four cubics; clockwise on the screen, or the other way round for a hole."""
    ry = rx if ry is None else ry
    k = QUARTER
    unit = np.array([[1, 0], [1, k], [k, 1], [0, 1], [-k, 1], [-1, k],
                     [-1, 0], [-1, -k], [-k, -1], [0, -1], [k, -1], [1, -k]])
    loop = unit * [rx, ry] + [cx, cy]
    return np.roll(loop[::-1], 1, axis=0) if hole else loop


def polygon(*corners):
    """Straight cubics through the corners."""
    corners = np.array(corners, float)
    following = np.roll(corners, -1, axis=0)
    third = (following - corners) / 3
    return np.stack([corners, corners + third, following - third], 1).reshape(-1, 2)


def blob(seed, cx=40.0, cy=40.0, radius=22.0, segments=8, roughness=0.2):
    """A smooth random closed curve."""
    rng = np.random.default_rng(seed)
    angle = np.arange(segments) * 2 * np.pi / segments
    reach = radius * (1 + rng.uniform(-roughness, roughness, segments))
    anchors = np.stack([cx + reach * np.cos(angle), cy + reach * np.sin(angle)], 1)
    along = (np.roll(anchors, -1, axis=0) - np.roll(anchors, 1, axis=0)) / 6
    return np.stack([anchors, anchors + along, np.roll(anchors - along, -1, axis=0)], 1).reshape(-1, 2)


def coverage(outline, width, height):
    """(h, w) as the engine renders it."""
    shape = Shape(outline, SolidColor((1.0, 1.0, 1.0)))
    return render(scene_from_shapes([shape], width, height, pieces=32))[..., 3].numpy()


def patch_of(outline, width=80, height=80, color=(0.8, 0.3, 0.1), offset=(0, 0), opacity=1.0):
    """The outline painted in one colour on a patch of its own."""
    alpha = coverage(outline, width, height) * opacity
    return StrokePatch(alpha, np.broadcast_to(np.float32(color), (height, width, 3)).copy(), offset)


def apart(a, b):
    """Hausdorff distance of two outlines, px."""
    return max(_reach(a, b), _reach(b, a))


def _reach(a, b):
    """How far a point of one outline can be from the other."""
    few, many = (np.concatenate([flatten(loop, n) for loop in o.loops]) for o, n in ((a, 64), (b, 2048)))
    return cKDTree(many).query(few)[0].max()


def overlap(a, b, width=80, height=80):
    """Intersection over union of what two outlines cover."""
    one, other = coverage(a, width, height), coverage(b, width, height)
    return float(np.minimum(one, other).sum() / np.maximum(one, other).sum())


def outline(*loops):
    return Outline(tuple(loops))
