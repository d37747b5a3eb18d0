"""A drawing's making as the bytes of a file, whatever its kind: one way for the command line and the engine's jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..color.css import hex_color, parse_color
from ..errors import UsageError
from ..io import video
from ..progress import Run
from ..tools.render_svg import render_svg
from . import frames, lottie
from .smil import animated_svg
from .timing import EASINGS, Timing

#: What can be written, by the ending of its name.
VECTORS, FILMS = (".svg", ".json"), (".mp4", ".webm", ".gif")
#: Processes that render frames at the same time.
RENDERERS = 4


@dataclass(frozen=True)
class Wanted:
    """ending: one of :data:`VECTORS` and :data:`FILMS`. by: "stroke" or "layer". loop: again and again. fps: frames a
    second. size: longest side, px; None: the drawing's own. background: under a film's first stroke."""

    ending: str
    timing: Timing
    by: str = "stroke"
    loop: bool = False
    fps: float = 25.0
    size: float | None = None
    background: str = "#ffffff"

    def __post_init__(self) -> None:
        """Raises UsageError for what cannot be written."""
        if self.ending not in VECTORS + FILMS:
            raise UsageError(f"A file {self.ending or 'without an ending'} is none of "
                             f"{', '.join(VECTORS + FILMS)}.", "Give the output one of these endings.")
        if self.by not in ("stroke", "layer") or self.timing.easing not in EASINGS:
            raise UsageError("What appears is a stroke or a layer, and how is " + ", ".join(EASINGS) + ".",
                             "Choose one of these words.")
        if self.loop and self.ending not in (".svg", ".gif"):
            raise UsageError(f"A file {self.ending} does not say how often it is played.",
                             "Leave out --loop and tell the player, or write .svg or .gif.")
        if self.ending in FILMS:
            video.check_installed("write .svg or .json")
        if self.ending == ".gif" and self.fps > video.GIF_RATE_MAX:
            raise UsageError(f"Players show at most {video.GIF_RATE_MAX:g} frames of a GIF a second.",
                             "Lower --fps, or write a .webm.")


def made(data: bytes, wanted: Wanted, run: Run) -> tuple[bytes, list[str]]:
    """(the file's bytes, sentences about what it cannot show).

    Raises:
        InputError: not an SVG, or nothing to see in it. Cancelled. EngineError: a film cannot be encoded.
    """
    timing, notes = wanted.timing, list[str]()
    if wanted.ending == ".svg":
        return animated_svg(data, timing, wanted.by, wanted.loop, wanted.size), notes
    if wanted.ending == ".json":
        if missing := lottie.left_out(data):
            notes.append(f"Lottie shows this drawing without {' and '.join(missing)}.")
        return lottie.lottie(data, timing, wanted.by, wanted.fps, wanted.size), notes
    background = hex_color(parse_color(wanted.background)[0])
    size = frames.frame_size(data, wanted.size)
    colors = render_svg(data, *size, background) if wanted.ending == ".gif" else None
    shown = frames.frames_of(data, timing, wanted.by, wanted.fps, size, background, run,
                             workers=max(1, min(RENDERERS, os.cpu_count() or 1)))
    return video.film_bytes(shown, wanted.fps, wanted.ending, wanted.loop, colors), notes
