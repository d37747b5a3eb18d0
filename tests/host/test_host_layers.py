import json

import pytest
from documents import DRAWING, load
from gradvec.errors import EngineError
from inkex import Transform
from lxml import etree

from inkscape_ext.document import layers, pictures

G = "{urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869}"
SVG = "{http://www.w3.org/2000/svg}"
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"
PLAIN = '<image id="a" x="10" y="20" width="40" height="20" xlink:href="{png}"/>'


def placed(body: str, *ids: str, drawing: bytes = DRAWING, size=(40, 20), **wishes):
    """(document, layers) after ``drawing`` was placed over every selected picture."""
    svg = load(body)
    placer = layers.Placer(svg, layers.Wishes(**wishes))
    return svg, [placer.place(layers.NewDrawing(picture, "photo.png", size, drawing))
                 for picture in pictures.selected(svg, list(ids) or ["a"])]


def stroke(layer):
    """The path that covers the whole canvas, as its corner points in the document."""
    path = next(layer.iter(SVG + "path"))
    matrix = path.getparent().composed_transform()
    words = path.get("d").replace("M", " ").replace("C", " ").replace("Z", " ").split()
    points = [matrix.apply_to_point((float(x), float(y))) for x, y in zip(words[::2], words[1::2], strict=True)]
    return [tuple(point) for point in points[:-1:3]]


def test_the_layer_lies_directly_above_the_picture():
    svg, (layer,) = placed(f'<g id="g">{PLAIN}<rect id="r"/></g>')
    assert [child.get("id") for child in svg.getElementById("g")] == ["a", "gv1-layer", "r"]
    assert layer.get(INKSCAPE + "groupmode") == "layer"
    assert layer.get(INKSCAPE + "label") == "Gradvec: photo.png"
    assert [child.get(INKSCAPE + "label") for child in layer] == ["1 shapes", "2 details"]


def test_strokes_cover_the_picture_in_user_units():
    _svg, (layer,) = placed(PLAIN)
    assert stroke(layer) == [pytest.approx(p) for p in ((10, 20), (50, 20), (50, 40), (10, 40))]
    assert all(element.get("transform") is None for element in layer.iter())


@pytest.mark.parametrize("transform", ["rotate(30 20 20)", "scale(-1 1) translate(-80)", "skewX(20) scale(2 .5)",
                                       "matrix(1 .2 -.3 1 5 6)"])
def test_the_layer_takes_the_pictures_transform_as_it_is(transform):
    body = f'<g transform="translate(3 4) scale(.5)"><g transform="rotate(10)">{PLAIN}</g></g>'
    svg, (layer,) = placed(body.replace("<image", f'<image transform="{transform}"'))
    expected = tuple(Transform(transform).to_hexad())
    assert tuple(Transform(layer.get("transform")).to_hexad()) == pytest.approx(expected, abs=1e-5)
    matrix = svg.getElementById("a").composed_transform()
    corners = ((10, 20), (50, 20), (50, 40), (10, 40))
    assert stroke(layer) == [pytest.approx(tuple(matrix.apply_to_point(p)), abs=1e-6) for p in corners]


def test_through_a_clone():
    body = f'<g transform="rotate(20)">{PLAIN}</g><use id="u" xlink:href="#a" x="100" transform="scale(2)"/>'
    _svg, (layer,) = placed(body, "u")
    assert layer.getprevious().get("id") == "u"
    assert stroke(layer)[0] == pytest.approx((220, 40))
    assert stroke(layer)[2] == pytest.approx((300, 80))


def test_a_slice_is_always_clipped_to_the_viewport():
    body = PLAIN.replace("<image", '<image preserveAspectRatio="xMidYMid slice"').replace('width="40"', 'width="20"')
    svg, (layer,) = placed(body, clip=False)
    assert stroke(layer)[0] == pytest.approx((0, 20))
    rectangle = svg.getElementById(layer.get("clip-path")[5:-1])[0]
    assert [float(rectangle.get(n)) for n in ("x", "y", "width", "height")] == [10, 20, 20, 20]


def test_the_clip_is_the_artists_choice():
    svg, (layer,) = placed(PLAIN, clip=True)
    rectangle = svg.getElementById(layer.get("clip-path")[5:-1])[0]
    assert [float(rectangle.get(n)) for n in ("x", "y", "width", "height")] == [10, 20, 40, 20]
    svg, (layer,) = placed(PLAIN, clip=False)
    assert layer.get("clip-path") is None
    assert len(svg.defs.findall(SVG + "clipPath")) == 0


def test_the_pictures_own_clip_and_mask_are_copied():
    body = ('<defs><clipPath id="c"><circle id="k" r="9"/></clipPath><mask id="m"><rect id="l" fill="url(#k)"/></mask>'
            '</defs>' + PLAIN.replace("<image", '<image clip-path="url(#c)" mask="url(#m)"'))
    svg, (layer,) = placed(body)
    assert (layer.get("clip-path"), layer.get("mask")) == ("url(#gv1-crop0)", "url(#gv1-crop1)")
    assert svg.getElementById("gv1-crop0")[0].get("r") == "9"
    assert svg.getElementById("gv1-crop1")[0].get("fill") == "url(#k)"
    (inner,) = layer
    assert inner.get("clip-path") == "url(#gv1-frame)"
    assert [child.get(INKSCAPE + "label") for child in inner] == ["1 shapes", "2 details"]
    ids = [e.get("id") for e in svg.iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_a_clip_in_shares_of_the_bounding_box_is_rewritten():
    body = ('<defs><clipPath id="c" clipPathUnits="objectBoundingBox"><rect width=".5" height="1"/></clipPath></defs>'
            + PLAIN.replace("<image", '<image clip-path="url(#c)"'))
    svg, (layer,) = placed(body)
    copy = svg.getElementById(layer.get("clip-path")[5:-1])
    assert copy.get("clipPathUnits") == "userSpaceOnUse"
    assert tuple(Transform(copy[0].get("transform")).to_hexad()) == pytest.approx((40, 0, 0, 20, 10, 20))


def test_a_clip_inside_what_is_cloned_goes_along():
    body = ('<defs><clipPath id="c"><rect/></clipPath></defs><g id="g" transform="translate(5)">'
            + PLAIN.replace("<image", '<image clip-path="url(#c)" transform="scale(2)"') + '</g>'
            '<use id="u" xlink:href="#g"/>')
    svg, (layer,) = placed(body, "u", clip=False)
    moved = Transform(svg.getElementById(layer.get("clip-path")[5:-1])[0].get("transform"))
    assert tuple(moved.to_hexad()) == pytest.approx((2, 0, 0, 2, 5, 0))


def test_what_is_written_on_the_layer():
    _svg, (layer,) = placed(PLAIN)
    run = json.loads(layer.get(G + "run"))
    assert run["options"] == {"seed": 7, "strokes": 2}
    assert layer.get(G + "picture") == "a"
    assert layer.get(G + "canvas") == "80 40"
    assert [float(n) for n in layer.get(G + "frame").split()] == [0.5, 0, 0, 0.5, 10, 20]
    assert [path.get(G + "stroke") for path in layer.iter(SVG + "path")] == ["gv1", "gv1"]
    assert b'xmlns:gradvec="urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869"' in etree.tostring(layer)


def test_ids_stay_unique_from_run_to_run():
    svg, _first = placed(PLAIN + '<path id="gv4-old"/><path id="s1"/>')
    again = layers.Placer(svg, layers.Wishes())
    layer = again.place(layers.NewDrawing(pictures.selected(svg, ["a"])[0], "photo.png", (40, 20), DRAWING))
    assert layer.get("id") == "gv6-layer"
    ids = [e.get("id") for e in svg.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    path = next(layer.iter(SVG + "path"))
    assert path.get("id") == "gv6-s1"
    assert [e.tag for e in svg.iter() if e.get("id") == path.get("fill")[5:-1]] == [SVG + "linearGradient"]


def test_two_pictures_shown_by_one_clone_keep_their_order():
    body = f'<g id="g">{PLAIN}{PLAIN.replace(chr(34) + "a", chr(34) + "b")}</g><use id="u" xlink:href="#g"/>'
    svg, (first, second) = placed(body, "u")
    assert [e.get("id") for e in svg][-3:] == ["u", first.get("id"), second.get("id")]
    assert (first.get(G + "picture"), second.get(G + "picture")) == ("a", "b")


def test_hiding_and_locking_the_picture():
    svg, _layers = placed(PLAIN.replace("<image", '<image style="opacity:.5;display:inline"'),
                          hide_picture=True, lock_picture=True)
    picture = svg.getElementById("a")
    assert picture.get("style") == "opacity:.5;display:none"
    assert picture.get("{http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd}insensitive") == "true"
    svg, _layers = placed(PLAIN)
    assert svg.getElementById("a").get("style") is None


def test_a_picture_of_unknown_size_is_fitted_by_what_the_engine_saw():
    """The canvas is rounded to whole pixels, so its own proportions would be a little off."""
    body = PLAIN.replace('height="20"', 'height="40"')
    drawing = DRAWING.replace(b'"source_width":40,"source_height":20', b'"source_width":40,"source_height":30')
    _svg, (layer,) = placed(body, size=None, drawing=drawing)
    assert stroke(layer)[0] == pytest.approx((10, 25))
    _svg, (layer,) = placed(body, size=None, drawing=DRAWING.replace(b'"source_width"', b'"other"'))
    assert stroke(layer)[0] == pytest.approx((10, 30))


def test_a_drawing_that_cannot_be_rewritten_gets_a_transform():
    _svg, (layer,) = placed(PLAIN, drawing=DRAWING.replace(b"L20 10", b"H20"))
    assert stroke(layer) == [pytest.approx(p) for p in ((10, 20), (50, 20), (50, 40), (10, 40))]
    assert {child.get("transform") for child in layer} == {"matrix(0.5 0 0 0.5 10 20)"}


@pytest.mark.parametrize("drawing", [b"", b"garbage", b"<html/>", b'<svg xmlns="http://www.w3.org/2000/svg"/>',
                                     DRAWING.replace(b'viewBox="0 0 80 40"', b'viewBox="0 0 0 0"'), DRAWING[:-300]])
def test_a_broken_drawing_leaves_the_document_alone(drawing):
    svg = load(PLAIN)
    before = etree.tostring(svg)
    with pytest.raises(EngineError):
        layers.Placer(svg, layers.Wishes()).place(
            layers.NewDrawing(pictures.selected(svg, ["a"])[0], "x", (40, 20), drawing))
    assert etree.tostring(svg) == before


def test_texture_and_soft_edges_come_along_in_the_documents_units():
    """The engine wraps all layers in one group for each; both refer to definitions, which are renamed and scaled."""
    start, end = DRAWING.index(b"<g "), DRAWING.rindex(b"</g>") + len(b"</g>")
    around = (b'<defs><filter id="gradvec-paper" filterUnits="userSpaceOnUse" x="0" y="0" width="80" height="40">'
              b'<feOffset dx="2" dy="2"/></filter><mask id="gradvec-mask" maskUnits="userSpaceOnUse" x="0" y="0" '
              b'width="80" height="40"><path d="M0 0L80 0L80 40Z" fill="#ffffff"/></mask></defs>'
              b'<g id="gradvec-soft" mask="url(#gradvec-mask)"><g id="gradvec-texture" filter="url(#gradvec-paper)">')
    svg, (layer,) = placed(PLAIN, drawing=DRAWING[:start] + around + DRAWING[start:end] + b"</g></g>" + DRAWING[end:])
    (soft,) = [child for child in layer if child.get("mask")]
    (texture,) = list(soft)
    for reference in (soft.get("mask"), texture.get("filter")):
        assert [e for e in svg.defs if e.get("id") == reference[len("url(#"):-1]]
        assert reference.startswith("url(#gv1-")
    (kept,) = svg.defs.iter(SVG + "filter")
    assert [float(kept.get(name)) for name in ("x", "y", "width", "height")] == [10, 20, 40, 20]
    assert float(kept[0].get("dx")) == pytest.approx(1)
    assert stroke(layer) == [pytest.approx(p) for p in ((10, 20), (50, 20), (50, 40), (10, 40))]
    assert all(path.get("transform") is None for path in layer.iter(SVG + "path"))
