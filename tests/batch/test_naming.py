"""Which pictures are meant, and what their drawings are called."""

import pytest
from gradvec.batch.naming import outputs, pictures
from gradvec.errors import InputError, UsageError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    (tmp_path / "inside").mkdir()
    return tmp_path


def test_a_folder_stands_for_the_pictures_in_it(folder):
    assert pictures([str(folder)]) == [str(folder / "a.JPG"), str(folder / "b.png")]


def test_each_picture_once_in_the_order_of_their_naming(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert pictures(["b.png", str(folder), "gone.png"]) == ["b.png", str(folder / "a.JPG"), "gone.png"]


def test_lists_name_pictures_line_by_line(folder):
    listed = folder / "list.txt"
    listed.write_text(f"{folder}/x y.png\n\n{folder}\n")
    assert [name.rpartition("/")[2] for name in pictures([], [str(listed)])] == ["x y.png", "a.JPG", "b.png"]
    with pytest.raises(InputError, match="cannot be read"):
        pictures([], [str(folder / "none.txt")])


def test_no_picture_at_all_is_wrong_use(folder):
    with pytest.raises(UsageError, match="no picture"):
        pictures([str(folder / "inside")])


@pytest.mark.parametrize(("pattern", "expected"), [
    ("{stem}.svg", ["a.svg", "b.c.svg"]), ("{name}", ["a.png.svg", "b.c.jpg.svg"]),
    ("{number:03d}-{stem}", ["001-a.svg", "002-b.c.svg"]), ("{folder}/{stem}.svg", ["p/a.svg", "q/b.c.svg"]),
    ("{ending}/{number}.SVG", ["png/1.SVG", "jpg/2.SVG"])])
def test_patterns(pattern, expected):
    assert outputs(["p/a.png", "p/q/b.c.jpg"], pattern) == expected


@pytest.mark.parametrize("pattern", ["../{stem}.svg", "/x/{stem}.svg", "{size}.svg", "{0}", "{stem", "", "{stem.x}",
                                     "{stem!z}", "x/../../{stem}"])
def test_patterns_that_lead_nowhere_are_refused(pattern):
    with pytest.raises(UsageError, match="pattern"):
        outputs(["a.png"], pattern)


def test_no_two_drawings_have_one_name():
    with pytest.raises(UsageError, match=r"a.png and A.jpg would both become A.svg"):
        outputs(["a.png", "A.jpg"])
    assert outputs(["a.png", "a.jpg"], "{name}.svg") == ["a.png.svg", "a.jpg.svg"]
