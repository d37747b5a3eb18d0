"""Films in and out, through PyAV, which brings FFmpeg's libraries along: frame by frame, without sound."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EngineError, InputError, UsageError

#: Encoder and its settings by a file's ending; the quality is what hardly shows a difference.
ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    ".mp4": ("libx264", {"crf": "18"}),
    ".webm": ("libvpx-vp9", {"crf": "24", "b:v": "0"}),
}
#: Where a film does not say how many frames it shows a second.
RATE = 25.0
#: BT.709, the colours that players expect, by its number in ITU-T H.273.
_BT709 = 1


def _library() -> Any:
    try:
        import av
    except ModuleNotFoundError as error:
        raise UsageError("Films need PyAV, which is not installed.",
                         "pip install 'gradvec[film]', or hand over a folder of pictures.") from error
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


def film_bytes(frames: Iterable[np.ndarray], rate: float, ending: str) -> bytes:
    """A film of frames (H, W, 3) uint8 sRGB of one size with even sides. ending: a key of :data:`ENCODERS`.

    Raises:
        UsageError: PyAV is not installed. EngineError: there are no frames, or they cannot be encoded.
    """
    av = _library()
    encoder, settings = ENCODERS[ending]
    buffer, stream = io.BytesIO(), None
    try:
        with av.open(buffer, "w", format=ending[1:]) as film:
            for frame in frames:
                if stream is None:
                    stream = film.add_stream(encoder, rate=Fraction(rate).limit_denominator(1001), options=settings)
                    stream.height, stream.width = frame.shape[:2]
                    stream.pix_fmt = "yuv420p"
                    about = stream.codec_context
                    about.colorspace = about.color_primaries = about.color_trc = _BT709
                    about.color_range = 1
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
                film.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709",
                                                        dst_color_range="MPEG")))
            if stream is None:
                raise EngineError("There is no frame to make a film of.", "Choose a longer film.")
            film.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError) as error:
        raise EngineError(f"The film cannot be encoded: {error}.",
                          "Write another kind of film, or a folder.") from error
    return buffer.getvalue()
