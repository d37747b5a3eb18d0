"""Films in and out, through PyAV, which brings FFmpeg's libraries along: frame by frame, without sound."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import EngineError, InputError, UsageError

#: Encoder and its settings by a file's ending; the quality is what hardly shows a difference.
ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    ".mp4": ("libx264", {"crf": "18"}),
    ".webm": ("libvpx-vp9", {"crf": "24", "b:v": "0"}),
    ".gif": ("gif", {}),
}
#: Colours of a frame of a GIF, and how far a fixed pattern moves its colours before the nearest is taken, of 255: what
#: stands still then looks the same in every frame, which an error that is handed on from px to px would not.
_COLORS, _PATTERN = 256, 10
#: A GIF tells how long a frame stays in hundredths of a second, and players show none for less than two of them.
GIF_RATE_MAX = 50.0
#: Where a film does not say how many frames it shows a second.
RATE = 25.0
#: BT.709, the colours that players expect, by its number in ITU-T H.273.
_BT709 = 1


def check_installed(instead: str = "hand over a folder of pictures") -> None:
    """Raises UsageError where PyAV is not installed. instead: what to do without it."""
    try:
        import av  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError("Films need PyAV, which is not installed.",
                         f"pip install 'gradvec[film]', or {instead}.") from error


def _library() -> Any:
    check_installed()
    import av
    return av


def rate_of(path: Path) -> float:
    """Frames a second of a film. Raises InputError as :func:`frames_of`."""
    av = _library()
    with _opened(av, path) as film:
        return float(film.streams.video[0].average_rate or RATE)


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 sRGB of each frame of a film, one at a time.

    Raises:
        UsageError: PyAV is not installed. InputError: the file is no film, or damaged.
    """
    av = _library()
    with _opened(av, path) as film:
        try:
            for frame in film.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
        except av.error.FFmpegError as error:
            raise InputError(f"The film {path.name!r} is damaged ({error}).", "Choose another film.") from error


def _opened(av: Any, path: Path) -> Any:
    try:
        film = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"The film {path.name!r} cannot be read: it is none, or of an unknown kind.",
                         "Hand over an MP4, WebM, MOV or GIF, or a folder of pictures.") from error
    if not film.streams.video:
        film.close()
        raise InputError(f"The film {path.name!r} has sound but no pictures.", "Choose another film.")
    return film


def film_bytes(frames: Iterable[np.ndarray], rate: float, ending: str, loop: bool = False,
               palette_of: np.ndarray | None = None) -> bytes:
    """A film of frames (H, W, 3) uint8 sRGB of one size with even sides.

    Args:
        ending: a key of :data:`ENCODERS`. loop: a GIF is played again and again; the other kinds leave it to players.
        palette_of: (H, W, 3) uint8, a picture with the colours of all frames of a GIF; None: each frame has its own.

    Raises:
        UsageError: PyAV is not installed. EngineError: there are no frames, or they cannot be encoded.
    """
    av = _library()
    buffer, stream = io.BytesIO(), None
    gif = ending == ".gif"
    palette = None if palette_of is None else _palette(palette_of)
    try:
        with av.open(buffer, "w", format=ending[1:], options={"loop": "0" if loop else "-1"} if gif else {}) as film:
            for frame in frames:
                if stream is None:
                    stream = _stream(film, ending, rate, *frame.shape[:2])
                film.mux(stream.encode(_in_few_colors(av, frame, palette) if gif else _in_yuv(av, frame)))
            if stream is None:
                raise EngineError("There is no frame to make a film of.", "Choose a longer film.")
            film.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError) as error:
        raise EngineError(f"The film cannot be encoded: {error}.",
                          "Write another kind of film, or a folder.") from error
    return buffer.getvalue()


def _stream(film: Any, ending: str, rate: float, height: int, width: int) -> Any:
    encoder, settings = ENCODERS[ending]
    stream = film.add_stream(encoder, rate=Fraction(rate).limit_denominator(1001), options=settings)
    stream.height, stream.width = height, width
    stream.pix_fmt = "pal8" if ending == ".gif" else "yuv420p"
    if ending != ".gif":
        about = stream.codec_context
        about.colorspace = about.color_primaries = about.color_trc = _BT709
        about.color_range = 1
    return stream


def _in_yuv(av: Any, frame: np.ndarray) -> Any:
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    return picture.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")


def _in_few_colors(av: Any, frame: np.ndarray, palette: Image.Image | None) -> Any:
    height, width = frame.shape[:2]
    shifts = np.tile(_bayer() * _PATTERN, (-(-height // 8), -(-width // 8)))[:height, :width, None]
    moved = np.clip(np.rint(frame + shifts), 0, 255).astype(np.uint8)
    palette = _palette(frame) if palette is None else palette
    indices = np.asarray(Image.fromarray(moved).quantize(palette=palette, dither=Image.Dither.NONE))
    colors = np.full((_COLORS, 4), 255, np.uint8)
    named = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)[:_COLORS]
    colors[:len(named), 1:] = named
    return av.VideoFrame.from_ndarray((np.ascontiguousarray(indices), colors), format="pal8")


def _palette(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture).quantize(_COLORS - 1, Image.Quantize.MEDIANCUT)


def _bayer() -> np.ndarray:
    """(8, 8) thresholds of ordered dithering around 0, within half a unit (Bayer 1973)."""
    pattern = np.zeros((1, 1))
    for _ in range(3):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return (pattern + 0.5) / pattern.size - 0.5
