"""What reads things from outside, each as a function of bytes that must end in time, with a result or a GradvecError.

``SEEDS`` are small good inputs from which a fuzzer sets out; ``tests/fuzz/found/READER/`` holds those that once failed.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
from gradvec.errors import GradvecError
from gradvec.io import images, svg
from gradvec.io.params import Params, read_params, write_params
from gradvec.io.svg.path import FARTHEST, parse_path
from gradvec.io.svg.read import parse, size_of, stored_run
from gradvec.io.svg.write import NAMESPACE
from gradvec.ipc.protocol import STRANGER, TRUSTED, Frame, assemble, encode
from gradvec.model import Outline, Painting, Stamp, Strokes
from gradvec.options import Options
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[2]))
from inkscape_ext.document import image_header  # standard library only

FOUND = Path(__file__).with_name("found")
HEAD = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:gradvec="{NAMESPACE}" viewBox="0 0 9 9">'.encode()


def read_picture(data: bytes) -> None:
    target = images.load(data, 32)
    assert np.isfinite(target.rgb).all()
    assert min(target.rgb.shape[:2]) >= images.SIDE_MIN


def read_path(data: bytes) -> None:
    for loop in parse_path(data.decode("utf-8", "replace")).loops:
        assert np.abs(loop).max() <= FARTHEST


def read_svg(data: bytes) -> None:
    root = parse(data)
    size_of(root)
    stored_run(root)
    document = svg.read(data)
    assert svg.write(document) == svg.write(svg.read(svg.write(document))), "what was read is not what was written"


def read_options(data: bytes) -> None:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(values, dict):
        options = Options.from_dict(values)
        assert Options.from_dict(options.to_dict()) == options


def read_frame(data: bytes) -> None:
    for limits in (STRANGER, TRUSTED):
        frame = _assembled(data, limits)
        if frame is not None:
            assert _assembled(b"".join(encode(frame)), TRUSTED) == frame, "what was taken cannot be sent on"


def _assembled(data: bytes, limits: object) -> Frame | None:
    """The frame at the start of ``data``; None where more bytes are wanted than there are."""
    parser, at = assemble(limits), 0
    wanted = next(parser)
    while at + wanted <= len(data):
        at += wanted
        try:
            wanted = parser.send(data[at - wanted:at])
        except StopIteration as end:
            return end.value
        except GradvecError:
            return None
    parser.close()
    return None


def read_strokes(data: bytes) -> None:
    # Without the sums that would give every change away, so that changes reach what is behind them.
    with mock.patch.object(zipfile.ZipExtFile, "_update_crc", return_value=None):
        params = read_params(data)
    again = write_params(params)
    assert write_params(read_params(again)) == again, "what was read is not what was written"


def read_in_the_host(data: bytes) -> None:
    header = image_header.read(data)
    image_header.is_drawing(data)
    assert isinstance(image_header.as_shown(data, header), bytes)


READERS = {"picture": read_picture, "path": read_path, "svg": read_svg, "options": read_options,
           "strokes": read_strokes, "frame": read_frame, "host": read_in_the_host}


def _picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((12, 9), 60).convert(mode).save(out, kind, **options)
    return out.getvalue()


_PICTURES = [_picture("PNG"), _picture("PNG", "LA"), _picture("PNG", "P"), _picture("JPEG", progressive=True),
             _picture("GIF", "P"), _picture("WEBP"), _picture("TIFF", compression="tiff_lzw"), _picture("BMP"),
             _picture("TIFF", "CMYK"), _picture("TGA"), _picture("ICO"), _picture("PCX"), _picture("PPM")]


def _strokes(stamps: int, stored: bool) -> bytes:
    """A file of three strokes; stored: not compressed, so that changes reach the numbers."""
    strokes = Strokes(np.arange(3, dtype=np.int8), np.zeros(3, np.int16), np.ones((3, 8), np.float32),
                      np.ones((3, 4), np.float32), np.zeros((3, 3), np.float32), np.ones((3, 3), np.float32),
                      np.ones(3, np.float32), np.zeros(3, np.int16))
    own = Stamp(Outline((np.linspace(-0.5, 0.5, 18).reshape(9, 2),)), np.full((2, 3), 0.5, np.float32))
    data = write_params(Params(Painting(strokes, 9, 9, (0.0, 0.5, 1.0), stamps=(own,) * stamps), Options(strokes=3)))
    if not stored:
        return data
    out = io.BytesIO()
    with np.load(io.BytesIO(data)) as arrays:
        np.savez(out, **arrays)
    return out.getvalue()


SEEDS = {
    "strokes": [_strokes(0, True), _strokes(1, False)],
    "picture": _PICTURES, "host": _PICTURES,
    "path": [b"M1 2c0.5 0 2-1 3-1 0 2-2 2-3 1z", b"M0 0A5 3 30 1 0 7,7T3 4S1 2 3 4Q1 1 2 2H3V4h-1v1z", b"m1e2.5-3z"],
    "svg": [HEAD + b'<g transform="rotate(3) scale(2)"><path d="M0 0h4v4z" fill="url(#a)" style="opacity:.5"/></g>'
            b'<linearGradient id="a" gradientTransform="matrix(1 0 0 1 2 3)"><stop offset="1%" stop-color="#123"/>'
            b'<stop offset="1" stop-color="rgb(1,2,3)"/></linearGradient></svg>',
            HEAD + b'<metadata><gradvec:run>{"seed":1}</gradvec:run></metadata>'
            b'<radialGradient id="b" href="#b"/></svg>'],
    "options": [json.dumps(Options().to_dict()).encode(), b'{"strokes": 3, "palette": "#aabbcc"}', b'{"size": 1e400}'],
    "frame": [b"".join(encode(Frame("submit", {"kind": "paint", "options": {}, "info": {}}, {"picture": b"xyz"}))),
              b"".join(encode(Frame("auth", {"nonce": "00" * 32, "proof": "ab", "warm": True})))],
}


def run(name: str, data: bytes) -> None:
    """One input through one reader; only what must not happen gets out."""
    try:
        READERS[name](data)
    except GradvecError:
        return


def known_failures(name: str) -> list[bytes]:
    """Inputs that once made the reader fail."""
    return [path.read_bytes() for path in sorted((FOUND / name).glob("*"))] if (FOUND / name).is_dir() else []
