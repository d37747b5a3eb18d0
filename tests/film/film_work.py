"""What workers do with a shot in tests: nothing that takes time."""

import zlib

from gradvec.errors import InputError
from gradvec.film.run import PaintedFrame
from gradvec.film.shot import FrameFigures

#: A shot of so many frames fails.
FATAL = 5


def name_frames(shot, run):
    if len(shot.frames) == FATAL:
        raise InputError("This shot cannot be painted.", "Cut it out.")
    return [PaintedFrame(zlib.compress(b"<svg>%d of %d</svg>" % (n, len(shot.frames))), FrameFigures(7, 1, 0, 30.0))
            for n in range(len(shot.frames))]
