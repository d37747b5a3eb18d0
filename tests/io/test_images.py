"""Pictures of every kind come in as the same Target; unusable ones are told apart in one sentence each."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from gradvec.errors import InputError
from gradvec.io import images
from PIL import Image, ImageCms


def photo(height: int = 40, width: int = 60, channels: int = 3) -> np.ndarray:
    """(H, W, channels) uint8 with smooth and fine structure."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [128 + 90 * np.sin(x / (3 + c) + c) * np.cos(y / (5 + c)) for c in range(channels)]
    return np.stack(planes, -1).round().astype(np.uint8)


def encoded(picture: Image.Image | np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, kind: int, raw: bytes, extra: bytes = b"") -> bytes:
    """A PNG file by hand: raw holds the filter byte and the samples of each row."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def png16(samples: np.ndarray, kind: int, extra: bytes = b"") -> bytes:
    rows = samples.reshape(samples.shape[0], -1).astype(">u2")
    return png(samples.shape[1], samples.shape[0], 16, kind, b"".join(b"\0" + row.tobytes() for row in rows), extra)


def sixteen(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 65536, (height, width, channels))


# ---- what comes in as it is ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM"])
def test_lossless_kinds_come_in_exactly(kind: str) -> None:
    picture = Image.fromarray(photo()).quantize(200) if kind == "GIF" else Image.fromarray(photo())
    data = encoded(picture, kind, **({"lossless": True} if kind == "WEBP" else {}))
    target = images.load(data, 512)
    assert target.rgb.dtype == target.alpha.dtype == np.float32
    assert target.source_size == (60, 40)
    assert target.opaque
    np.testing.assert_array_equal(np.rint(target.rgb * 255), np.asarray(picture.convert("RGB")))


def test_a_file_is_the_same_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "ä picture.png"
    path.write_bytes(encoded(photo()))
    np.testing.assert_array_equal(images.load(path, 32).rgb, images.load(path.read_bytes(), 32).rgb)
    np.testing.assert_array_equal(images.load(str(path), 32).rgb, images.load(path, 32).rgb)


def test_grey_becomes_three_equal_channels() -> None:
    grey = photo(channels=1)[..., 0]
    rgb = images.load(encoded(grey), 512).rgb
    np.testing.assert_array_equal(np.rint(rgb * 255), np.stack([grey] * 3, -1))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_keep_their_precision(channels: int) -> None:
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    samples = sixteen(9, 11, channels)
    if channels in (2, 4):
        samples[..., -1] = 40000
    target = images.load(png16(samples, kind), 512)
    colors = samples[..., :3] if channels >= 3 else np.repeat(samples[..., :1], 3, -1)
    np.testing.assert_allclose(target.rgb * 65535, colors, atol=0.1)
    np.testing.assert_allclose(target.alpha, 40000 / 65535 if channels in (2, 4) else 1, atol=1e-6)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_sixteen_bit_tiff_keeps_its_precision(byte_order: str) -> None:
    samples = sixteen(10, 8, 3)
    data = samples.astype(byte_order + "u2").tobytes()
    fields = [(256, 3, 1, 8), (257, 3, 1, 10), (258, 3, 3, 8 + 2 + 9 * 12 + 4), (259, 3, 1, 1), (262, 3, 1, 2),
              (273, 4, 1, 8 + 2 + 9 * 12 + 4 + 6), (277, 3, 1, 3), (278, 3, 1, 10), (279, 4, 1, len(data))]
    o = byte_order
    entries = b"".join(struct.pack(o + "HHI", tag, form, n) + (struct.pack(o + "HH", value, 0) if form == 3 and n == 1
                       else struct.pack(o + "I", value)) for tag, form, n, value in fields)
    head = (b"II" if o == "<" else b"MM") + struct.pack(o + "HIH", 42, 8, 9)
    tiff = head + entries + struct.pack(o + "IHHH", 0, 16, 16, 16) + data
    np.testing.assert_allclose(images.load(tiff, 512).rgb * 65535, samples, atol=0.1)


def test_sixteen_bit_colour_key_is_transparent() -> None:
    samples = sixteen(9, 8, 3)
    samples[2, 3] = (1000, 2000, 3000)
    key = struct.pack(">HHH", 1000, 2000, 3000)
    chunk = struct.pack(">I", 6) + b"tRNS" + key + struct.pack(">I", zlib.crc32(b"tRNS" + key))
    alpha = images.load(png16(samples, 2, chunk), 512).alpha
    assert alpha[2, 3] == 0
    assert alpha.sum() == 71


def test_sixteen_bit_grey_ramp_does_not_wrap() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.int64)[None, :, None].repeat(4, 0)
    rgb = images.load(png16(ramp, 0), 64).rgb
    assert (np.diff(rgb[0, :, 0]) > 0).all()


def test_palette_with_transparency() -> None:
    picture = Image.new("P", (16, 16), 1)
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.paste(0, (0, 0, 8, 16))
    target = images.load(encoded(picture, transparency=0), 512)
    np.testing.assert_array_equal(target.alpha[0], [0] * 8 + [1] * 8)
    np.testing.assert_allclose(target.rgb, np.broadcast_to([0, 1, 0], (16, 16, 3)))


def test_cmyk_jpeg() -> None:
    picture = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    rgb = images.load(encoded(picture, "JPEG", quality=95), 32).rgb
    np.testing.assert_allclose(rgb.mean((0, 1)), [1, 0, 0], atol=0.02)


def test_one_bit_and_floating_point() -> None:
    bits = Image.fromarray(photo(channels=1)[..., 0] > 128)
    assert set(np.unique(images.load(encoded(bits), 512).rgb)) == {0, 1}
    values = np.linspace(0, 1, 48 * 16, dtype=np.float32).reshape(16, 48)
    values[0, 0] = np.nan
    rgb = images.load(encoded(Image.fromarray(values), "TIFF"), 512).rgb
    np.testing.assert_allclose(rgb[..., 1], np.nan_to_num(values), atol=1e-6)


def test_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "lime", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        np.testing.assert_allclose(images.load(data, 512).rgb.mean((0, 1)), [1, 0, 0], atol=0.01)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_exif_orientation(orientation: int, kind: str) -> None:
    """Pillow's own exif_transpose is the oracle."""
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(photo(), kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    expected = expected.resize((expected.width // 2, expected.height // 2), Image.Resampling.LANCZOS)
    target = images.load(data, 30)
    assert target.source_size == ((40, 60) if orientation >= 5 else (60, 40))
    np.testing.assert_allclose(target.rgb * 255, np.asarray(expected), atol=1.01)


def test_a_damaged_exif_block_turns_nothing() -> None:
    data = encoded(photo(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff broken")
    assert images.load(data, 512).source_size == (60, 40)


def wide_gamut_profile() -> bytes:
    """A profile whose red and blue are exchanged, so that applying it cannot be overlooked."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    tags = {bytes(profile[132 + 12 * i:136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    profile[red:red + 4], profile[blue:blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_icc_profile_is_applied() -> None:
    picture = photo()
    expected = picture[..., ::-1] / 255
    rgb = images.load(encoded(picture, icc_profile=wide_gamut_profile()), 512).rgb
    np.testing.assert_allclose(rgb, expected, atol=3 / 255)
    rgba = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    np.testing.assert_allclose(images.load(encoded(rgba, icc_profile=wide_gamut_profile()), 512).rgb, expected,
                               atol=3 / 255)


def test_useless_icc_profiles_are_ignored() -> None:
    plain = images.load(encoded(photo()), 512).rgb
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (b"not a profile at all", wide_gamut_profile()[:200], srgb):
        np.testing.assert_array_equal(images.load(encoded(photo(), icc_profile=profile), 512).rgb, plain)


# ---- size and opacity ------------------------------------------------------------------------------------------------

def test_scaling_is_lanczos_on_srgb_values() -> None:
    picture = photo(300, 400)
    expected = Image.fromarray(picture).resize((100, 75), Image.Resampling.LANCZOS)
    np.testing.assert_allclose(images.load(encoded(picture), 100).rgb * 255, np.asarray(expected), atol=1.01)


def test_bands_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(photo(333, 217, 4))
    whole = images.load(data, 77)
    monkeypatch.setattr(images, "_BAND_PIXELS", 3000)
    banded = images.load(data, 77)
    np.testing.assert_allclose(banded.rgb, whole.rgb, atol=2e-6)
    np.testing.assert_allclose(banded.alpha, whole.alpha, atol=2e-6)


@pytest.mark.parametrize(("size", "wanted"), [((2000, 1000), (512, 256)), ((100, 80), (100, 80)), ((1, 1), (8, 8)),
                                              ((3, 900), (8, 512)), ((10, 20), (10, 20)), ((512, 512), (512, 512))])
def test_target_size(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert images.target_size(*size, 512) == wanted
    target = images.load(encoded(Image.new("RGB", size, (10, 200, 30))), 512)
    assert (target.width, target.height) == wanted
    assert target.source_size == size
    np.testing.assert_allclose(target.rgb, np.broadcast_to(np.array([10, 200, 30]) / 255, target.rgb.shape), atol=1e-5)


def test_hidden_colour_does_not_bleed() -> None:
    """A red disc on transparent black stays red to its edge and, where invisible, around it."""
    y, x = np.mgrid[0:200, 0:200]
    disc = (x - 100) ** 2 + (y - 100) ** 2 < 70**2
    rgba = np.zeros((200, 200, 4), np.uint8)
    rgba[disc] = (255, 40, 40, 255)
    target = images.load(encoded(rgba), 50)
    np.testing.assert_allclose(target.rgb, np.broadcast_to(np.array([255, 40, 40]) / 255, (50, 50, 3)), atol=1e-3)
    assert target.alpha[0, 0] == 0
    assert target.alpha[25, 25] == 1
    assert 0.2 < target.alpha.mean() / (np.pi * 0.35**2) / 1 < 1.05
    assert not target.opaque


def test_half_opacity_survives() -> None:
    rgba = np.full((64, 64, 4), (200, 100, 50, 128), np.uint8)
    target = images.load(encoded(rgba), 16)
    np.testing.assert_allclose(target.alpha, 128 / 255, atol=1e-5)
    np.testing.assert_allclose(target.rgb[3, 3] * 255, [200, 100, 50], atol=0.01)


def test_large_jpeg_is_decoded_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder is asked for a reduced scale, and the result is what full decoding would give."""
    data = encoded(photo(1600, 2400), "JPEG", quality=95)
    sizes = []
    row_reader = images.decode.decode_smaller

    def watched(stream: object, picture: Image.Image, *given: object) -> object:
        rows = row_reader(stream, picture, *given)
        sizes.append(picture.size)
        return rows

    monkeypatch.setattr(images.decode, "decode_smaller", watched)
    target = images.load(data, 150)
    assert sizes == [(600, 400)]
    assert target.source_size == (2400, 1600)
    full = Image.open(io.BytesIO(data)).resize((150, 100), Image.Resampling.LANCZOS)
    assert np.abs(target.rgb * 255 - np.asarray(full)).mean() < 1


# ---- what is refused -------------------------------------------------------------------------------------------------

def truncated(kind: str) -> bytes:
    data = encoded(np.random.default_rng(0).integers(0, 255, (80, 80, 3)).astype(np.uint8), kind)
    return data[: len(data) // 2]


@pytest.mark.parametrize(("data", "words"), [
    (b"", "empty"),
    (b"\x00\x01 this is not a picture" * 40, "not a picture"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "vector drawing"),
    (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "vector drawing"),
    (b"%PDF-1.7 ...", "PDF"),
    (b"\x00\x00\x00\x18ftypheic....", "HEIC"),
    (png(0, 0, 8, 2, b""), "0 x 0"),
    (png(0, 7, 8, 2, b""), "0 x 7"),
    (b"GIF89a" + bytes(30), "0 x 0"),
    (encoded(photo())[:8], "not a picture"),
    (png(4, 4, 8, 2, b"\0" * 10), "damaged"),
    (encoded(np.zeros((9, 9, 4), np.uint8)), "fully transparent"),
])
def test_unusable_pictures_are_told_apart(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        images.load(data, 64, name="'cat.png'")
    assert caught.value.message.startswith("'cat.png'")
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"])
def test_cut_off_pictures(kind: str) -> None:
    with pytest.raises(InputError, match=r"damaged|not a picture"):
        images.load(truncated(kind), 64)


def test_a_tiff_that_lacks_strips_is_damaged() -> None:
    """Pillow would fill what no strip covers with black: millions of rows out of some hundred bytes."""
    data = bytearray(encoded(photo(), "TIFF"))
    rows = struct.pack("<HHI", 257, 4, 1)
    at = data.index(rows) + len(rows)
    data[at:at + 4] = struct.pack("<I", 3_000_000)
    with pytest.raises(InputError, match="damaged"):
        images.load(bytes(data), 64)


def test_random_damage_never_escapes_as_another_error() -> None:
    random.seed(4)
    good = [encoded(photo(channels=n), kind) for n, kind in ((3, "JPEG"), (4, "PNG"), (4, "TIFF"), (3, "GIF"))]
    for turn in range(200):
        data = bytearray(good[turn % 4])
        for _ in range(6):
            data[random.randrange(8, len(data))] = random.randrange(256)
        try:
            target = images.load(bytes(data), 32)
        except InputError:
            continue
        assert np.isfinite(target.rgb).all()


def test_a_bomb_is_refused_with_its_size_before_it_is_decoded() -> None:
    with pytest.raises(InputError, match=r"50000 x 60000 px, 3000 million"):
        images.load(png(50000, 60000, 8, 6, b"\0" * 1000), 512)


def test_paths_that_are_no_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="There is no file"):
        images.load(tmp_path / "none.png", 64)
    with pytest.raises(InputError, match="is a folder"):
        images.load(tmp_path, 64)
    with pytest.raises(InputError, match="not an ordinary file"):
        images.load("/dev/null", 64)
    with pytest.raises(InputError, match=r"There is no file|cannot be read"):
        images.load("a\0b.png", 64)
    locked = tmp_path / "locked.png"
    locked.write_bytes(encoded(photo()))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        images.load(locked, 64)


# ---- what goes out ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("channels", [3, 4])
def test_png_pictures_come_back(channels: int) -> None:
    picture = photo(channels=channels)
    if channels == 4:
        picture[..., 3] = 77
    for given in (picture, picture / np.float32(255)):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(images.png_bytes(given)))), picture)


def test_a_huge_run_length_bmp_is_refused_before_it_is_decoded():
    """A file of 60 bytes whose first line would be padded px by px."""
    def bmp(width, height):
        head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 6, 0, 0, 0, 0)
        return b"BM" + struct.pack("<IHHI", 60, 0, 0, 54) + head + b"\0\0\0\0\0\1"
    with pytest.raises(InputError, match="run-length encoded BMP of 6000 x 5000 px"):
        images.load(bmp(6000, 5000), 512)
    with pytest.raises(InputError, match="damaged or cut off"):
        images.load(bmp(60, 50), 512)
