"""How soft the edges of a drawing are to be, so that it is soft where a photograph is.

Outlines are as hard as the screen shows them; a lens is not, and where the ground is out of focus, steps of colour show
as soon as a drawing is enlarged.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from ..color.ground import on_ground
from ..model import Target

#: px, standard deviation: no photograph has edges harder than its px; and candidates from there on, each so many times
#: as soft as the one before it.
LEAST, STEP, MOST = 0.25, 1.4, 4.0
WHITE = (1.0, 1.0, 1.0)


def softness(shown: np.ndarray, target: Target) -> float:
    """px, standard deviation of the blur with which the drawing is most like the picture, at least :data:`LEAST`.

    shown: (H, W, 3), the drawing on white.
    """
    wanted = on_ground(target, WHITE).rgb
    best, least = LEAST, np.inf
    for deviation in LEAST * STEP ** np.arange(np.log(MOST / LEAST) // np.log(STEP) + 1):
        blurred = gaussian_filter(shown, (deviation, deviation, 0), mode="nearest", truncate=3.0)
        error = float(np.square(blurred - wanted).mean())
        if error >= least:
            break
        best, least = float(deviation), error
    return round(best, 3)
