import pytest

from inkscape_ext.document import image_header

KINDS = ("png", "jpeg", "gif", "bmp", "webp", "tiff")


@pytest.mark.parametrize("kind", KINDS)
def test_size_and_kind_of_plain_pictures(data, kind):
    found = image_header.read((data / f"plain.{kind}").read_bytes())
    assert (found.kind, found.width, found.height, found.orientation) == (kind, 40, 20, 1)
    assert found.shown == (40, 20)


@pytest.mark.parametrize(("name", "shown"), [
    ("turned.jpeg", (20, 40)), ("turned.tiff", (20, 40)), ("turned.png", (40, 20)), ("turned.webp", (40, 20)),
    ("alpha.webp", (40, 20))])
def test_inkscape_turns_only_some_kinds(data, name, shown):
    found = image_header.read((data / name).read_bytes())
    assert (found.orientation, found.shown) == (6, shown)


@pytest.mark.parametrize("name", ["turned.png", "turned.webp", "alpha.webp"])
def test_an_orientation_that_inkscape_ignores_is_taken_out(data, name):
    raw = (data / name).read_bytes()
    cleaned = image_header.as_shown(raw, image_header.read(raw))
    assert image_header.read(cleaned).orientation == 1
    assert image_header.read(cleaned).shown == (40, 20)
    assert len(raw) - 60 < len(cleaned) < len(raw)


@pytest.mark.parametrize("name", ["turned.jpeg", "turned.tiff", "plain.png", "plain.webp"])
def test_other_bytes_are_handed_on_as_they_are(data, name):
    raw = (data / name).read_bytes()
    assert image_header.as_shown(raw, image_header.read(raw)) is raw


def test_lossless_webp(data):
    found = image_header.read((data / "lossless.webp").read_bytes())
    assert (found.width, found.height) == (40, 20)


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_survived(data, kind):
    raw = (data / f"turned.{kind}" if kind in ("png", "jpeg", "webp", "tiff") else data / f"plain.{kind}").read_bytes()
    for length in range(len(raw)):
        found = image_header.read(raw[:length])
        assert found is None or found.kind == kind
        image_header.as_shown(raw[:length], found)


def test_unknown_bytes_have_no_size():
    assert image_header.read(b"") is None
    assert image_header.read(b"not a picture") is None
    assert image_header.read(b"\x89PNG\r\n\x1a\n" + bytes(30)) is None


@pytest.mark.parametrize(("start", "drawing"), [
    (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', True), (b"\xef\xbb\xbf <svg/>", True),
    (b"\x1f\x8b\x08", True), (b"<html>", False), (b"\x89PNG", False), (b"", False)])
def test_drawings_are_told_from_pictures(start, drawing):
    assert image_header.is_drawing(start) is drawing
