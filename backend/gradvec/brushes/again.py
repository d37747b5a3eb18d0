"""A painting's strokes once more: at another size, with another brush, in other colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..color.oklab import oklab
from ..errors import InputError
from ..model import Color, Painting, Strokes
from .outlines import MARKER, NAMES, STAMPED, is_stamped, template_count

#: Sides may differ by so much from those of the scaled painting, a share: pictures are rounded to whole px.
_SLACK = 0.02
#: Columns of a shape that are no lengths: angle and shear of brushes that are stamped.
_NO_LENGTHS = (4, 5)
#: Columns of a shape that are places, x and y by turns, the first ones: the centre, or the three points of a sweep.
_STAMPED_PLACES, _SWEPT_PLACES = 2, 6


def scaled(painting: Painting, width: int, height: int, widened: int = 0) -> Painting:
    """The painting as one of width x height px.

    widened: px; sides that short may have been widened to that, so that their proportions tell nothing.

    Raises:
        InputError: its sides are of another proportion.
    """
    if (painting.width, painting.height) == (width, height):
        return painting
    across, down = width / painting.width, height / painting.height
    shortest = min(painting.width, painting.height, width, height)
    if shortest > widened and abs(across / down - 1) > _SLACK + 1.5 / shortest:
        raise InputError(f"The strokes were painted for a picture of {painting.width} x {painting.height} px, and this "
                         f"one has other proportions ({width} x {height}).",
                         "Choose the picture they were painted from.")
    strokes = painting.strokes
    stamped = is_stamped(strokes.brush)
    # Places go along with the picture's sides, lengths with both.
    places = np.where(stamped[:, None], np.arange(8) < _STAMPED_PLACES, np.arange(8) < _SWEPT_PLACES)
    factor = np.where(places, np.tile([across, down], 4), np.sqrt(across * down))
    for column in _NO_LENGTHS:
        factor[stamped, column] = 1
    return replace(painting, width=width, height=height, strokes=replace(
        strokes, shape=strokes.shape * factor.astype(np.float32),
        axis=strokes.axis * np.array([across, down, across, down], np.float32)))


def with_brush(painting: Painting, name: str, seed: int = 0) -> Painting:
    """The painting with every stroke laid by another brush, where it was, as long and as wide; "mixed": as it is.

    Templates are drawn from ``seed``. A brush that is swept goes straight from end to end of one that was stamped.
    """
    if name not in NAMES:
        return painting
    brush, strokes = NAMES.index(name), painting.strokes
    other = strokes.brush != brush
    from_stamp, to_stamp = is_stamped(strokes.brush), brush in STAMPED
    shape = strokes.shape.copy()
    swept, stamped = other & ~from_stamp & to_stamp, other & from_stamp & (not to_stamp)
    shape[swept] = _stamped(strokes.take(swept))
    shape[stamped] = _swept(strokes.shape[stamped])
    if brush == MARKER:
        thin = other & ~from_stamp
        shape[thin, 6] = strokes.shape[thin, 6:8].mean(1)
        shape[:, 7] = 0
    elif not to_stamp:  # one radius becomes two
        shape[other & (strokes.brush == MARKER), 7] = shape[other & (strokes.brush == MARKER), 6]
    drawn = np.random.default_rng(seed).integers(0, template_count(brush), len(strokes))
    return replace(painting, strokes=replace(
        strokes, brush=np.full_like(strokes.brush, brush), shape=shape,
        template=np.where(other, drawn, strokes.template).astype(strokes.template.dtype)))


def _stamped(strokes: Strokes) -> np.ndarray:
    """(n, 8) shapes of stamped brushes where swept ones were: from tip to tip, as wide as both radii on average."""
    x0, y0, _, _, x2, y2, first, last = strokes.shape.T
    last = np.where(strokes.brush == MARKER, first, last)
    along = np.arctan2(y2 - y0, x2 - x0)
    length = np.hypot(x2 - x0, y2 - y0)
    shift = (last - first) / 2
    return np.stack([(x0 + x2) / 2 + shift * np.cos(along), (y0 + y2) / 2 + shift * np.sin(along),
                     length + first + last, first + last, along, 0 * along, 0 * along, 0 * along], 1)


def _swept(shape: np.ndarray) -> np.ndarray:
    """(n, 8) shapes of swept brushes where stamped ones (n, 8) were; a dab wider than long is swept across."""
    x, y, length, width, angle = shape[:, :5].T
    turned = width > length
    length, width = np.maximum(length, width), np.minimum(length, width)
    angle = np.where(turned, angle + np.pi / 2, angle)
    reach, radius = (length - width) / 2, width / 2
    dx, dy = reach * np.cos(angle), reach * np.sin(angle)
    return np.stack([x - dx, y - dy, x, y, x + dx, y + dy, radius, radius], 1)


def with_palette(painting: Painting, palette: int | tuple[Color, ...], seed: int = 0) -> Painting:
    """The painting in few colours: each of a stroke's colours is the nearest of those, in OKLab.

    palette: the colours, or how many that stand for those that there are (K-means).
    """
    strokes = painting.strokes
    own = np.concatenate([strokes.color0, strokes.color1]).astype(np.float64)
    if isinstance(palette, int):
        from sklearn.cluster import KMeans

        count = min(palette, len(np.unique(own, axis=0)))
        found = KMeans(count, n_init=2, random_state=seed % 2**32).fit(oklab(own))
        colors = np.array([own[found.labels_ == k].mean(0) for k in range(count)])
    else:
        colors = np.array(palette, np.float64)
    colors = np.round(colors * 255) / 255  # as they will be written
    distance = np.square(oklab(own)[:, None] - oklab(colors)[None]).sum(-1)
    nearest = colors[distance.argmin(1)].astype(np.float32)
    return replace(painting, strokes=replace(strokes, color0=nearest[:len(strokes)], color1=nearest[len(strokes):]))
