import os
from pathlib import Path
from urllib.parse import quote

import pytest
from documents import embedded, load
from gradvec.errors import InputError

from inkscape_ext.document import sources


def image(address: str, extra: str = ""):
    escaped = address.replace("&", "&amp;").replace('"', "&quot;")
    return load(f'<image id="photo" xlink:href="{escaped}" {extra}/>').getElementById("photo")


@pytest.fixture
def picture(tmp_path, data) -> Path:
    """A picture whose name has all that links stumble over."""
    folder = tmp_path / "my pictures"
    folder.mkdir()
    path = folder / "a b#\u00fc%20\u5716.png"
    path.write_bytes((data / "plain.png").read_bytes())
    return path


def test_embedded_pictures(data):
    for name in ("plain.png", "plain.jpeg", "plain.webp", "plain.gif", "plain.bmp", "plain.tiff"):
        source = sources.load(image(embedded(name)), [])
        assert source.data == (data / name).read_bytes()
        assert source.size == (40, 20)
    assert source.name == "photo"


@pytest.mark.parametrize("mangle", [
    lambda text: text.replace("base64,", "base64,\n  "),
    lambda text: text[:60] + "\n" + text[60:100] + "\r\n " + text[100:],
    lambda text: text.replace("+", "%2B").replace("/", "%2F").replace("image%2Fpng", "image/png"),
    lambda text: text.rstrip("="),
    lambda text: text.replace("image/png", "image/png;charset=utf-8"),
])
def test_base64_is_read_however_it_was_written(data, mangle):
    assert sources.load(image(mangle(embedded())), []).data == (data / "plain.png").read_bytes()


def test_percent_encoded_data_address(data):
    address = "data:image/png," + quote((data / "plain.png").read_bytes())
    assert sources.load(image(address), []).data == (data / "plain.png").read_bytes()


def test_an_orientation_that_inkscape_ignores_does_not_reach_the_engine(data):
    source = sources.load(image(embedded("turned.png")), [])
    assert source.data != (data / "turned.png").read_bytes()
    assert source.size == (40, 20)
    assert sources.load(image(embedded("turned.jpeg")), []).size == (20, 40)


def test_linked_by_every_kind_of_address(picture):
    folder = picture.parent
    relative = quote(picture.name)
    for address, folders in [
            (relative, [folder]), (picture.name.replace("%20", "%2520"), [folder]),
            (f"../my%20pictures/{relative}", [folder]), (picture.as_uri(), []), (f"file:{quote(str(picture))}", []),
            (f"file://localhost{quote(str(picture))}", []), (str(picture), []), (quote(str(picture)), []),
            (relative, [folder / "elsewhere", folder])]:
        source = sources.load(image(address), folders)
        assert source.data == picture.read_bytes(), address
        assert source.name == picture.name, address


def test_the_first_folder_wins(tmp_path, data):
    for name, kind in (("one", "plain.png"), ("two", "plain.jpeg")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "photo").write_bytes((data / kind).read_bytes())
    found = sources.load(image("photo"), [tmp_path / "one", tmp_path / "two"])
    assert found.data == (data / "plain.png").read_bytes()


def test_absref_is_the_last_resort(picture):
    assert sources.load(image("gone.png", f'sodipodi:absref="{picture}"'), []).data == picture.read_bytes()


def test_plain_href_wins_over_xlink(data):
    element = load(f'<image id="photo" href="{embedded()}" xlink:href="gone.png"/>').getElementById("photo")
    assert sources.load(element, []).data == (data / "plain.png").read_bytes()


@pytest.mark.parametrize(("address", "word"), [
    ("gone.png", "missing"), ("file:///nowhere/gone.png", "/nowhere/gone.png"), ("", "no file"),
    ("https://example.org/photo.png", "internet"), ("data:image/png;base64,", "empty"),
    ("data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'/%3E", "drawing")])
def test_what_cannot_be_had_is_one_sentence(tmp_path, address, word):
    with pytest.raises(InputError) as caught:
        sources.load(image(address), [tmp_path])
    assert word in caught.value.message
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_unreadable_file_is_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "photo.png"
    path.write_bytes(b"x")
    element = image(str(path))

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        sources.load(element, [])


def test_names_that_artists_know():
    assert sources.picture_name(image("../my%20photos/a%23b.jpg")) == "a#b.jpg"
    assert sources.picture_name(image("C:\\photos\\cat.png")) == "cat.png"
    assert sources.picture_name(image("data:,x", 'inkscape:label="Holiday"')) == "Holiday"
    assert sources.picture_name(image("data:,x", 'sodipodi:absref="/home/me/cat.jpg"')) == "cat.jpg"
    assert sources.picture_name(image("data:,x")) == "photo"
    for identifier in ("image33", "image1-2", "img_7"):
        element = load(f'<image id="{identifier}" xlink:href="data:,x"/>').getElementById(identifier)
        assert sources.picture_name(element) == "picture"


@pytest.mark.parametrize("address", ["file://[::1", "file:///%00", "//[", "file:", "x" * 5000, "\u0000", "?#"])
def test_addresses_that_are_none_are_one_sentence(tmp_path, address):
    element = load('<image id="photo"/>').getElementById("photo")
    element.attrib["href"] = address.replace("\u0000", "%00")
    with pytest.raises(InputError, match="missing"):
        sources.load(element, [tmp_path])


def test_only_regular_files_up_to_a_size_are_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "fifo.png")
    for address in ("fifo.png", "/dev/zero", "."):
        with pytest.raises(InputError, match="missing"):
            sources.load(image(address), [tmp_path])
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(InputError, match="has 3221 MB; at most 256 MB can be painted"):
        sources.load(image("huge.png"), [tmp_path])


@pytest.mark.parametrize("address", [r"\\\\server\\share\\a.png", "//server/share/a.png", "file://server/share/a.png"])
def test_on_windows_no_other_computer_is_asked(monkeypatch, address):
    monkeypatch.setattr(sources, "WINDOWS", True)
    monkeypatch.setattr(Path, "is_file", lambda self: pytest.fail(f"looked for {self}"))
    with pytest.raises(InputError, match="lies on another computer"):
        sources.load(image(address), [])


def test_links_are_remembered_where_they_can_be_found(tmp_path, data):
    (tmp_path / "photo one.png").write_bytes((data / "plain.png").read_bytes())
    svg = load('<image id="a" xlink:href="photo%20one.png"/><image id="b" xlink:href="gone.png"/>'
               '<image id="c" xlink:href="{png}"/><image id="d" xlink:href="/absolute.png"/>'
               '<image id="e" xlink:href="file:///x.png"/><image id="f" xlink:href="https://example.org/x.png"/>')
    sources.remember_links(svg, [tmp_path])
    absrefs = {e.get("id"): e.get(sources.ABSREF) for e in svg.iter("{http://www.w3.org/2000/svg}image")}
    assert absrefs == {"a": os.path.join(str(tmp_path), "photo one.png"), "b": None, "c": None, "d": None, "e": None,
                       "f": None}
