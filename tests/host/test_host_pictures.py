import pytest
from documents import load
from gradvec.errors import InputError

from inkscape_ext.document import pictures


def found(body: str, *ids: str):
    return pictures.selected(load(body), list(ids))


def corner(picture, point=(0, 0)) -> tuple:
    """Where a point inside the picture lies in the document, anchor's transform and its parents' included."""
    matrix = picture.anchor.composed_transform() @ picture.to_anchor
    return pytest.approx(tuple(matrix.apply_to_point(point)))


def test_a_picture_itself():
    (picture,) = found('<image id="a" transform="scale(2)"/><image id="b"/>', "a")
    assert (picture.image.get("id"), picture.anchor.get("id")) == ("a", "a")
    assert corner(picture, (3, 4)) == (6, 8)


def test_groups_and_layers_are_searched_in_paint_order():
    body = ('<g id="layer" inkscape:groupmode="layer"><g><image id="a"/></g><a><image id="b"/></a>'
            '<image id="hidden" style="fill:red; display: none"/><g display="none"><image id="c"/></g>'
            '<svg><image id="d"/></svg><text>t</text></g><image id="e"/>')
    assert [p.image.get("id") for p in found(body, "e", "layer")] == ["a", "b", "d", "e"]


def test_a_hidden_picture_may_be_chosen_directly():
    (picture,) = found('<image id="a" style="display:none"/>', "a")
    assert picture.image.get("id") == "a"


def test_each_picture_once_however_often_it_is_selected():
    body = '<g id="g"><image id="a"/></g>'
    assert len(found(body, "g", "a", "a")) == 1


def test_shapes_beside_a_picture_are_passed_over():
    assert [p.image.get("id") for p in found('<rect id="r"/><image id="a"/>', "r", "a")] == ["a"]


def test_clones():
    body = ('<g transform="translate(7 0)"><image id="a" transform="rotate(90)" x="1"/></g>'
            '<use id="u" xlink:href="#a" x="100" y="10" transform="scale(2)"/>')
    (picture,) = found(body, "u")
    assert (picture.image.get("id"), picture.anchor.get("id")) == ("a", "u")
    assert corner(picture, (1, 0)) == (200, 22)


def test_clones_of_clones_and_of_groups():
    body = ('<g id="g" transform="translate(1 2)"><image id="a"/><image id="b" transform="translate(10)"/></g>'
            '<use id="u" href="#g" x="100"/><use id="v" xlink:href="#u" y="50"/>')
    first, second = found(body, "v")
    assert (first.image.get("id"), second.image.get("id")) == ("a", "b")
    assert first.anchor.get("id") == second.anchor.get("id") == "v"
    assert corner(first) == (101, 52)
    assert corner(second) == (111, 52)


def test_symbols():
    body = ('<defs><symbol id="s" viewBox="10 5 100 100"><image id="a"/></symbol></defs>'
            '<use id="u" xlink:href="#s" x="200" y="100" width="50" height="80"/>')
    (picture,) = found(body, "u")
    assert corner(picture) == (195, 112.5)
    (picture,) = found(body.replace(' width="50" height="80"', ""), "u")
    assert corner(picture) == (160, 80)


def test_a_picture_inside_a_symbol_selected_by_itself():
    (picture,) = found('<defs><symbol id="s"><image id="a"/></symbol></defs>', "a")
    assert picture.anchor.get("id") == "a"


def test_a_nested_drawing_inside_a_clone():
    body = ('<defs><g id="g"><svg x="10" y="20" width="100" height="50" viewBox="0 0 10 10"><image id="a"/></svg></g>'
            '</defs><use id="u" xlink:href="#g"/>')
    (picture,) = found(body, "u")
    assert corner(picture) == (35, 20)
    assert corner(picture, (10, 10)) == (85, 70)


def test_crops_on_the_way_are_kept():
    body = ('<defs><clipPath id="c"/><mask id="m"/></defs>'
            '<g id="g" style="clip-path:url(#c)" transform="translate(3)">'
            '<image id="a" mask="url(&quot;#m&quot;)"/></g>'
            '<use id="u" xlink:href="#g" clip-path="url(#c)"/>')
    (picture,) = found(body, "u")
    assert [(crop.kind, crop.element.get("id"), crop.on.get("id")) for crop in picture.crops] == [
        ("clip-path", "c", "u"), ("clip-path", "c", "g"), ("mask", "m", "a")]
    (picture,) = found(body, "a")
    assert [crop.kind for crop in picture.crops] == ["mask"]


def test_clones_that_go_round_in_circles_end():
    with pytest.raises(InputError):
        found('<g id="g"><use id="u" xlink:href="#g"/></g>', "u")


@pytest.mark.parametrize(("body", "ids", "word"), [
    ('<image id="a"/>', [], "Nothing is selected"),
    ('<image id="a"/>', ["gone"], "not in this document"),
    ('<rect id="r"/>', ["r"], "no picture, only drawn objects"),
    ('<use id="r" xlink:href="#gone"/>', ["r"], "no picture"),
    ('<g id="r"><rect/></g>', ["r"], "group or layer holds no visible picture"),
    ('<defs><pattern id="p"><image/></pattern></defs><rect id="r" style="fill:url(#p)"/>', ["r"], "pattern"),
    ('<defs><pattern id="p"><image/></pattern><pattern id="q" xlink:href="#p"/></defs><rect id="r" fill="url(#q)"/>',
     ["r"], "pattern"),
    ('<defs><pattern id="p"><rect/></pattern></defs><rect id="r" fill="url(#p)"/>', ["r"], "only drawn objects"),
])
def test_a_selection_without_pictures_is_one_sentence(body, ids, word):
    with pytest.raises(InputError) as caught:
        found(body, *ids)
    assert word in caught.value.message
    assert caught.value.remedy
