"""How much of a file is read and how large a picture may be: refused before it costs memory, and large ones read right.
"""

import io
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.errors import InputError
from gradvec.io import decode, files, images
from PIL import Image


def saved(picture, kind, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


@pytest.fixture(params=["fifo", "socket", "device", "link to a device"])
def strange(request, tmp_path):
    """What looks like a file and is none; reading one would wait or never end."""
    path = tmp_path / "strange"
    with socket.socket(socket.AF_UNIX) as held:
        if request.param == "fifo":
            os.mkfifo(path)
        elif request.param == "socket":
            held.bind(str(path))
        elif request.param == "device":
            path = Path("/dev/zero")
        else:
            path.symlink_to("/dev/zero")
        yield path


def test_what_is_no_ordinary_file_is_refused_by_every_reader(strange, tmp_path, capsys):
    with pytest.raises(InputError):
        images.load(strange, 64)
    (tmp_path / "a.png").write_bytes(images.png_bytes(np.zeros((9, 9, 3))))
    for command in (["paint", strange, "-o", "out.svg"], ["paint", strange, "-o", "out.svg", "--engine-process=auto"],
                    ["vectorize", strange, "-o", "out.svg"], ["compare", strange, tmp_path / "a.png"],
                    ["paint", tmp_path / "a.png", "-o", "out.svg", "--own-brush", strange]):
        assert main([str(word) for word in command]) == 3
        assert "pipe or a device" in capsys.readouterr().err


def test_a_pipe_is_no_place_for_a_result(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(images.png_bytes(np.zeros((9, 9, 3))))
    os.mkfifo(tmp_path / "out.svg")
    assert main(["paint", str(tmp_path / "a.png"), "-o", str(tmp_path / "out.svg")]) == 3
    assert "is a pipe" in capsys.readouterr().err


def test_a_file_is_read_up_to_a_size(tmp_path):
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.truncate(files.BYTES_MAX)
        with files.open_file(path, "it") as stream:
            assert len(stream.read(10)) == 10
        file.truncate(files.BYTES_MAX + 1)
    with pytest.raises(InputError, match=r"1074 MB; at most 1074 MB"):
        images.load(path, 64)
    assert files.read_stream(io.BytesIO(b"x" * 3_000_000)) == b"x" * 3_000_000


def test_a_stream_without_end_is_left(monkeypatch):
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            self.taken += size
            return b"\0" * size

    endless = Endless()
    with pytest.raises(InputError, match="more than 268 MB"):
        files.read_stream(endless)
    assert endless.taken <= files.STDIN_BYTES_MAX + 2**21


@pytest.mark.parametrize(("kind", "side", "refused"), [
    ("WEBP", 11000, True), ("PNG", 11000, False), ("AVIF", 11000, True), ("JPEG", 16000, False), ("TIFF", 15500, False),
    ("TIFF", 16500, True), ("JPEG2000", 11000, True)])
def test_pictures_are_refused_by_the_memory_that_decoding_takes(kind, side, refused, monkeypatch):
    """The header alone decides: nothing is decoded here."""
    monkeypatch.setattr(Image, "open", lambda stream, formats: header(kind, side))
    with decode.translated("it"):
        if not refused:
            assert decode.open_picture(io.BytesIO(), "it", images.PIXELS_MAX).size == (side, side)
            return
        with pytest.raises(InputError, match=f"{side} x {side} px"):
            decode.open_picture(io.BytesIO(), "it", images.PIXELS_MAX)


def header(kind, side):
    picture = Image.Image()
    picture.format, picture._mode, picture._size = kind, "RGB" if kind != "TIFF" else "L", (side, side)
    return picture


def test_pillows_own_limit_does_not_call_large_pictures_damaged(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for kind in ("TIFF", "PNG", "GIF", "WEBP"):
        assert images.load(saved(Image.new("RGB", (90, 60), "#336699"), kind), 64).source_size == (90, 60)
    assert Image.MAX_IMAGE_PIXELS == 1000


def scene(width, height):
    """Smooth waves, with opacity; colour under transparent px is far from what is visible."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([0.5 + 0.5 * np.sin(x / 90), 0.5 + 0.5 * np.cos(y / 70), (x + y) / (width + height)], -1)
    alpha = np.clip(1.5 - np.hypot(x / width - 0.5, y / height - 0.5) * 3, 0, 1)
    rgb[alpha == 0] = (1, 0, 1)
    return np.rint(np.concatenate([rgb, alpha[..., None]], -1) * 255).astype(np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "CMYK", "1"])
def test_a_large_picture_made_smaller_first_looks_the_same(monkeypatch, mode):
    """Sides that no factor divides: the last px is part of one, and nothing moves."""
    rgba = Image.fromarray(scene(1501, 997))
    picture = rgba if mode == "RGBA" else rgba.convert("RGB" if mode != "LA" else "LA").convert(mode)
    data = saved(picture, "TIFF" if mode == "CMYK" else "PNG")
    whole = images.load(data, 100)
    monkeypatch.setattr(images, "_LARGE_PIXELS", 1000)
    steps = []
    monkeypatch.setattr(images, "_whole_steps", lambda *given, real=images._whole_steps: steps.append(real(*given))
                        or steps[-1])
    quick = images.load(data, 100)
    assert steps == [5]
    seen = whole.alpha > 0.02
    assert np.abs(quick.alpha - whole.alpha).max() < 0.01
    assert np.sqrt(((quick.rgb - whole.rgb)[seen] ** 2).mean()) < (0.02 if mode == "1" else 0.004)
