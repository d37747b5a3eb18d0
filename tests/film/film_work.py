"""What workers do with a shot in tests: nothing that takes time; and a pool of none, whose last piece ends first."""

import zlib

from gradvec.errors import InputError
from gradvec.film.run import PaintedFrame
from gradvec.film.shot import FrameFigures
from gradvec.progress import Run
from gradvec.workers.pool import done_here

#: A shot of so many frames fails.
FATAL = 5


def name_frames(shot, run):
    if len(shot.frames) == FATAL:
        raise InputError("This shot cannot be painted.", "Cut it out.")
    return [PaintedFrame(zlib.compress(b"<svg>%d of %d</svg>" % (n, len(shot.frames))), FrameFigures(7, 1, 0, 30.0))
            for n in range(len(shot.frames))]


class LastFirst:
    """Takes so many pieces at a time, does them here and hands them back in the opposite order."""

    def __init__(self, room):
        self.room, self.taken = room, []

    def free(self):
        return self.room - len(self.taken)

    def submit(self, key, work, item):
        self.taken.append((key, work, item))

    def wait(self, seconds):
        ended = [done_here(*piece, Run()) for piece in reversed(self.taken)]
        self.taken = []
        return ended

    def fractions(self):
        return 0.0

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
