"""Pictures of every kind through the whole command line: what cannot be painted is one sentence and costs nothing."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.errors import UsageError
from gradvec.io.images import png_bytes
from gradvec.io.svg import read
from gradvec.render.threads import check_environment
from PIL import Image

SMALL = ("--strokes", "3", "--size", "32", "--fidelity", "0")


def photo(width=40, height=30, mode="RGB"):
    """A smooth picture with something in it."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 / width, y * 255 / height, 128 + 0 * x], -1).astype(np.uint8)
    rgb[height // 4:height // 2, width // 4:width // 2] = 250, 240, 30
    return Image.fromarray(rgb).convert(mode)


def file_of(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def sixteen_bit():
    return file_of(Image.fromarray((np.arange(1200, dtype=np.uint16) * 50).reshape(30, 40)))


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_of(photo(), "JPEG", exif=exif)


def animated():
    return file_of(photo(), "GIF", save_all=True, append_images=[photo().rotate(180)])


def with_alpha():
    picture = photo().convert("RGBA")
    alpha = Image.new("L", picture.size, 0)
    alpha.paste(255, (5, 5, 30, 25))
    picture.putalpha(alpha)
    return file_of(picture)


def bomb(side):
    """A PNG of a few bytes that says it is side x side px."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def paint(tmp_path, data, *more):
    """(exit code, the output's bytes) of painting a file that holds ``data`` over an older output."""
    (tmp_path / "picture.x").write_bytes(data)
    (tmp_path / "o.svg").write_bytes(b"old")
    code = main(["paint", str(tmp_path / "picture.x"), "-o", str(tmp_path / "o.svg"), *SMALL, *more])
    return code, (tmp_path / "o.svg").read_bytes()


BAD = {
    "text": b"hello, this is no picture\n" * 20,
    "empty": b"",
    "truncated PNG": file_of(photo(200, 200))[:-400],
    "truncated JPEG": file_of(photo(200, 200), "JPEG")[:700],
    "no size": b"BM" + (54).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
               + bytes(8) + b"\x01\x00\x18\x00" + bytes(24),
    "all transparent": png_bytes(np.zeros((20, 20, 4), np.uint8)),
    "a bomb": bomb(60000),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_painted(name, tmp_path, capsys):
    code, left = paint(tmp_path, BAD[name])
    told = capsys.readouterr().err
    assert (code, left) == (3, b"old")
    assert told.startswith("gradvec: ")
    assert told.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.svg", "picture.x"]
    if name == "a bomb":
        assert "60000" in told, "it is refused with its size"


GOOD = {
    "one pixel": (file_of(Image.new("RGB", (1, 1), (200, 30, 60))), None),
    "16 bit": (sixteen_bit(), (32, 24)),
    "grey": (file_of(photo(mode="L")), (32, 24)),
    "palette": (file_of(photo(mode="P")), (32, 24)),
    "one bit": (file_of(photo(mode="1")), (32, 24)),
    "CMYK": (file_of(photo(mode="CMYK"), "JPEG"), (32, 24)),
    "animated": (animated(), (32, 24)),
    "turned by EXIF": (turned(), (24, 32)),
    "with alpha": (with_alpha(), (32, 24)),
    "very wide": (file_of(photo(400, 5)), None),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_painted(name, tmp_path, capsys):
    data, size = GOOD[name]
    code, svg = paint(tmp_path, data)
    assert code == 0, capsys.readouterr().err
    document = read(svg)
    assert document.shapes
    if size:
        assert (document.width, document.height) == size


@pytest.mark.parametrize(("files", "words"), [
    ({}, "no"), ({"notes.txt": b"hello"}, ""), ({"1.png": file_of(photo()), "2.png": file_of(photo(20, 20))}, "20"),
    ({"1.png": b"not a picture"}, "1.png")])
def test_folders_without_usable_strokes(files, words, tmp_path, capsys):
    folder = tmp_path / "strokes"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert main(["strokes", str(folder), "-o", str(tmp_path / "o.svg")]) == 3
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not (tmp_path / "o.svg").exists()


@pytest.mark.parametrize(("name", "value"), [("NUMBA_NUM_THREADS", "0"), ("NUMBA_NUM_THREADS", "-1"),
                                             ("NUMBA_NUM_THREADS", "100000"), ("NUMBA_THREADING_LAYER", "several")])
def test_an_environment_that_ends_numba_is_told(name, value, picture, tmp_path, monkeypatch, capsys):
    """A crash in C, or an error of numba's own while it is loaded."""
    monkeypatch.setenv(name, value)
    assert main(["paint", str(picture), "-o", str(tmp_path / "o.svg")]) == 2
    assert f"{name} is {value!r}" in capsys.readouterr().err.replace(f" {value};", f" {value!r};")


def test_a_threading_layer_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("NUMBA_THREADING_LAYER", "tbb")
    monkeypatch.setitem(sys.modules, "numba.np.ufunc.tbbpool", None)  # as where its library is missing
    with pytest.raises(UsageError, match="'tbb', which cannot be loaded"):
        check_environment()


@pytest.mark.parametrize("value", ["", "4", "1.5", "two"])
def test_numbers_that_numba_takes_or_passes_over_are_no_error(value, monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", value)
    check_environment()
