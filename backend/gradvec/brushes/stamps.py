"""A brush of the user's own, from a picture of one dab or stroke of it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, label
from skimage.measure import find_contours

from ..errors import InputError
from ..model import Outline, Stamp
from .loop_fit import fit_loop
from .templates import SEGMENTS_MAX

#: Least part of a pixel that counts as paint.
PAINT = 0.5


def stamp_from_paint(texture: np.ndarray) -> Stamp:
    """The brush that leaves so much paint at each pixel, (h, w) in [0, 1]. The stroke runs from left to right.

    Raises:
        InputError: there is nothing on it.
    """
    parts, count = label(texture >= PAINT)
    if count == 0:
        raise InputError("The brush picture shows no paint.", "Draw dark on white, or opaque on transparent ground.")
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    rows, columns = np.nonzero(parts == largest)
    texture = texture[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
    height, width = texture.shape
    soft = gaussian_filter(np.pad(texture, 4), max(height, width) / 200)
    contour = max(find_contours(soft, PAINT / 2), key=lambda c: abs(_signed_area(c)))[:-1, ::-1] - 4 + 0.5
    if len(contour) < 8:
        raise InputError("The brush picture shows less paint than a stroke needs.", "Draw the brush larger.")
    if _signed_area(contour) < 0:
        contour = contour[::-1]
    loop = fit_loop(contour / (width, height) - 0.5, SEGMENTS_MAX)
    return Stamp(Outline((loop,)), texture.astype(np.float32))


def _signed_area(contour: np.ndarray) -> float:
    """Positive where a contour (n, 2) runs clockwise on a screen."""
    x, y = contour.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2

