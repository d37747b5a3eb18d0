"""Shapes that mark where detail goes: what they cover of the picture, and the way to the engine, the layer and back."""

import base64
import struct
import zlib

import numpy as np
import pytest
from documents import load
from edited import LABEL, PICTURE, SVG, find, painted
from inkex import Transform

from inkscape_ext.document import marks, pictures
from inkscape_ext.document.drawings import Place, place_of_picture

#: 40 x 20 px at (10, 20), 20 x 10 units large.
EYE = '<ellipse id="eye" cx="15" cy="25" rx="2" ry="2" style="fill:#ff0000;fill-opacity:.4"/>'


LINE = '<path id="line" d="M 12,21 H 20 C 24,21 28,23 28,29" style="fill:none;stroke:#000000"/>'
#: The same in shares of the picture: its ends, and a point of the curve where t is one half.
FROM, CORNER, HALF, TO = (0.1, 0.1), (0.5, 0.1), (0.125 * 0.5 + 0.375 * 0.7 + 0.375 * 0.9 + 0.125 * 0.9,
                                                  0.125 * 0.1 + 0.375 * 0.1 + 0.375 * 0.3 + 0.125 * 0.9), (0.9, 0.9)


def pixels(png: bytes) -> np.ndarray:
    """(height, width) in [0, 1] of a grey PNG without filters."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) == (8, 0)
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at:at + 4])
        name, body = png[at + 4:at + 8], png[at + 8:at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length:at + 12 + length]) == (zlib.crc32(name + body),)
        data += body if name == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:] / 255


def drawn_on(body: str, *ids: str):
    """(map or None, ids of the shapes that mark) for the picture ``a`` selected together with ``ids``."""
    svg = load(body)
    shown = pictures.selected(svg, ["a", *ids])
    (place,) = (place_of_picture(p, []) for p in shown if p.image.get("id") == "a")
    png, marking = marks.detail_map(place, marks.drawn(svg, ["a", *ids], shown))
    return (pixels(png) if png else None), [shape.get("id") for shape in marking]


def test_a_shape_is_bright_where_it_lies_on_the_picture():
    seen, marking = drawn_on(PICTURE + EYE, "eye")
    assert (seen.shape, marking) == ((20, 40), ["eye"])
    assert seen[10, 10] == 1, "the only shape counts fully, however transparent it is"
    assert seen.sum() == pytest.approx(np.pi * 4 * 4, rel=0.03)
    rows, columns = np.nonzero(seen > 0.5)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((10, 10), abs=0.1)


@pytest.mark.parametrize("transform", ["rotate(30)", "matrix(-2 0 0 1 100 0)", "skewX(30) scale(3 .5)"])
def test_the_map_lies_in_the_pictures_own_frame(transform):
    straight, _marking = drawn_on(PICTURE + EYE, "eye")
    turned, _marking = drawn_on(f'<g transform="{transform}">{PICTURE}</g><g transform="{transform}"><g id="group">'
                                + EYE + "</g></g>", "group")
    assert np.abs(turned - straight).max() < 0.15
    pair = PICTURE.replace("<image", '<image transform="rotate(90)"') + EYE.replace(
        "<ellipse", '<ellipse transform="rotate(90)"')
    assert np.abs(drawn_on(pair, "eye")[0] - straight).max() < 0.15


def test_each_kind_of_mark():
    line = '<path id="line" d="M 12,21 H 28" style="fill:none;stroke:#000000;stroke-width:2"/>'
    seen, _marking = drawn_on(PICTURE + line, "line")
    assert (seen[1, 20], seen[3, 20], seen[6, 20], seen[2, 1]) == (1, 1, 0, 0)
    ring = '<path id="ring" d="M12 22H18V28H12Z M14 24H16V26H14Z" style="fill-rule:evenodd"/>'
    seen, _marking = drawn_on(PICTURE + ring, "ring")
    assert (seen[5, 5], seen[10, 10]) == (1, 0)
    loop = '<rect id="loop" x="12" y="22" width="6" height="6" style="fill:none;stroke:#000000"/>'
    seen, _marking = drawn_on(PICTURE + loop, "loop")
    assert (seen[10, 10], seen[10, 20]) == (1, 0)


def guides_on(body: str, *ids: str):
    """(lines in shares, ids of the elements that they come from) for the picture ``a`` selected with ``ids``."""
    svg = load(body)
    shown = pictures.selected(svg, ["a", *ids])
    (place,) = (place_of_picture(p, []) for p in shown if p.image.get("id") == "a")
    drawn, used = marks.marks_on(place, marks.drawn(svg, ["a", *ids], shown))
    assert drawn.detail_map == b""
    return [np.array(line) for line in drawn.guides], [shape.get("id") for shape in used]


@pytest.mark.parametrize("body", [
    PICTURE + LINE, f'<g transform="rotate(30 7 7) skewX(20) scale(-3 .5)">{PICTURE}{LINE}</g>',
    f'<g transform="rotate(9)">{PICTURE}</g><g transform="scale(2)"><g transform="scale(.5) rotate(9)">{LINE}</g></g>',
    PICTURE.replace("<image", '<image transform="matrix(1 2 -1 3 40 50)"')
    + LINE.replace("<path", '<path transform="matrix(1 2 -1 3 40 50)"')])
def test_an_open_line_is_a_guide_in_the_pictures_own_frame(body):
    (line,), used = guides_on(body, "line")
    assert used == ["line"]
    for point, wanted in zip(line[[0, 1, 4, -1]], (FROM, CORNER, HALF, TO), strict=True):
        assert point == pytest.approx(wanted, abs=1e-4)
    steps = np.diff(line, axis=0)
    angles = np.arctan2(steps[:, 1], steps[:, 0])
    assert np.all(np.abs(np.diff(angles)) < 0.45), "a curve becomes short straight pieces"


def test_each_kind_of_guide():
    straight = '<line id="l" x1="10" y1="20" x2="30" y2="30" style="fill:none;stroke:#000000"/>'
    assert guides_on(PICTURE + straight, "l")[0][0] == pytest.approx(np.array([[0, 0], [1, 1]]))
    bent = '<polyline id="l" points="10,20 20,20 20,30" style="fill:none;stroke:#000000"/>'
    assert guides_on(PICTURE + bent, "l")[0][0] == pytest.approx(np.array([[0, 0], [0.5, 0], [0.5, 1]]))
    two = '<path id="l" d="M10 20H30M10 30H30" style="fill:none;stroke:#000000"/>'
    assert [line[0].tolist() for line in guides_on(PICTURE + two, "l")[0]] == [[0, 0], [0, 1]]
    across = '<path id="l" d="M-90 25H190" style="fill:none;stroke:#000000"/>'
    assert guides_on(PICTURE + across, "l")[0][0] == pytest.approx(np.array([[-5, 0.5], [9, 0.5]]))
    beside = '<path id="l" d="M-90 45H190" style="fill:none;stroke:#000000"/>'
    assert guides_on(PICTURE + beside, "l") == ([], [])


def test_the_engine_gets_the_lines_and_run_again_takes_those_of_that_time(editing):
    document, said = editing.run("paint", load(PICTURE + EYE + LINE), "--id=a", "--id=eye", "--id=line")
    assert said == ""
    sent = editing.asked()["info"]["guides"]
    assert [sent[0][0], sent[0][-1]] == [list(FROM), list(TO)]
    assert sent_map(editing)[10, 10] == 1
    assert sent_map(editing)[2, 20] == 0, "a line marks no detail"
    assert marks.kept(find(document, "gv1-layer")).guides == tuple(sent)
    document.remove(find(document, "line"))
    after, said = editing.run("again", document, "--id=a")
    assert (said, editing.asked()["info"]["guides"]) == ("", sent)
    new = after.makeelement(SVG + "path", id="new", d="M10 25H30", style="fill:none;stroke:#000000")
    after.append(new)
    editing.run("again", after, "--id=gv2-s1", "--id=new")
    assert editing.asked()["info"]["guides"] == [[[0, 0.5], [1, 0.5]]]
    assert sent_map(editing)[10, 10] == 1, "the shapes of that time still mark"


@pytest.mark.parametrize(("look", "lines", "hidden"), [("oil", True, True), ("lines", True, True),
                                                       ("shapes", False, False)])
def test_which_looks_follow_lines(editing, look, lines, hidden):
    document, said = editing.run("paint", load(PICTURE + LINE), "--id=a", "--id=line", f"--look={look}",
                                 "--host_hide_marks=true")
    assert (said, "guides" in editing.asked()["info"]) == ("", lines)
    assert (find(document, "line").get("display") == "none") == hidden


@pytest.mark.parametrize("damage", ["", "???", "[[1]]", '[[["a", 1], [2, 3]]]', "[[[1, 2]]]", "7",
                                    "[[[1, 2], [3, NaN]]]"])
def test_damaged_lines_on_a_layer_are_no_lines(damage):
    layer = find(painted(), "gv1-layer")
    layer.set(marks.GUIDES, damage)
    assert marks.kept(layer).guides == ()


def test_the_most_opaque_shape_counts_fully_and_others_by_their_share():
    faint = '<rect id="faint" x="20" y="20" width="4" height="4" style="fill:#000000;opacity:.2"/>'
    seen, marking = drawn_on(PICTURE + EYE + faint, "eye", "faint")
    assert marking == ["eye", "faint"]
    assert (seen[10, 10], seen[4, 24]) == (1, pytest.approx(0.5, abs=0.01))
    invisible = '<rect id="nothing" x="12" y="22" width="4" height="4" style="fill:none"/>'
    assert drawn_on(PICTURE + invisible, "nothing")[0][8, 8] == 1


@pytest.mark.parametrize(("body", "selected"), [
    ('<rect id="far" x="200" y="200" width="9" height="9"/>', "far"),
    ('<rect id="ground" width="400" height="400"/>', "ground"),
    ('<rect id="hidden" x="12" y="22" width="4" height="4" style="display:none"/>', "hidden"),
    ('<text id="words" x="12" y="25">detail</text>', "words"),
    ('<g id="group">' + PICTURE.replace('"a"', '"b"') + EYE + "</g>", "group")])
def test_what_marks_nothing(body, selected):
    assert drawn_on(PICTURE + body, selected) == (None, [])


def test_strokes_of_ours_and_their_layer_mark_nothing():
    svg = painted()
    shown = pictures.selected(svg, ["a"])
    assert marks.drawn(svg, ["a", "gv1-layer", "gv1-s2"], shown) == []


def test_a_large_picture_has_a_small_map():
    svg = load(PICTURE + EYE)
    shown = pictures.selected(svg, ["a"])
    place = place_of_picture(shown[0], [])
    large = Place(place.picture, place.source, (4000, 2000), place.to_root @ Transform(scale=0.01))
    png, _marking = marks.detail_map(large, marks.drawn(svg, ["eye"], shown))
    assert pixels(png).shape == (128, 256)
    assert pixels(png).mean() == pytest.approx(np.pi * 4 / 200, rel=0.03)
    assert len(png) < 2000


# -- the whole way ----------------------------------------------------------------------------------------------------

def sent_map(editing):
    path = editing.folder / "asked" / "detail-map"
    return pixels(path.read_bytes()) if path.exists() else None


def test_the_engine_gets_the_map_and_the_layer_keeps_it(editing):
    document, said = editing.run("paint", load(PICTURE + EYE), "--id=a", "--id=eye")
    assert said == ""
    assert sent_map(editing)[10, 10] == 1
    assert [child.get("id") for child in document][-3:] == ["a", "gv1-layer", "eye"], "marks stay above the strokes"
    assert find(document, "eye").get("style") == "fill:#ff0000;fill-opacity:.4"
    kept = base64.b64decode(find(document, "gv1-layer").get(marks.DETAIL_MAP))
    assert np.array_equal(pixels(kept), sent_map(editing))


def test_without_marks_nothing_is_sent_or_kept(editing):
    document, said = editing.run("paint", load(PICTURE + EYE), "--id=a")
    assert (said, sent_map(editing)) == ("", None)
    assert find(document, "gv1-layer").get(marks.DETAIL_MAP) is None


def test_marks_are_hidden_where_that_is_wished(editing):
    body = PICTURE + EYE + '<rect id="far" x="200" width="9" height="9"/>'
    document, said = editing.run("paint", load(body), "--id=a", "--id=eye", "--id=far", "--host_hide_marks=true")
    assert said == ""
    assert (find(document, "eye").get("display"), find(document, "far").get("display")) == ("none", None)


def test_each_picture_gets_the_marks_that_lie_on_it(editing):
    other = PICTURE.replace('"a"', '"b"').replace('x="10"', 'x="100"')
    document, said = editing.run("paint", load(PICTURE + other + EYE), "--id=a", "--id=b", "--id=eye")
    assert said == ""
    layers = [find(document, name) for name in ("gv1-layer", "gv2-layer")]
    assert [bool(layer.get(marks.DETAIL_MAP)) for layer in layers] == [True, False]
    assert sent_map(editing) is None, "the picture b was painted last"


def test_run_again_takes_the_marks_of_that_time_unless_others_are_selected(editing):
    document, _said = editing.run("paint", load(PICTURE + EYE), "--id=a", "--id=eye")
    before = sent_map(editing)
    document.remove(find(document, "eye"))
    after, said = editing.run("again", document, "--id=a")
    assert said == ""
    assert np.array_equal(sent_map(editing), before)
    assert editing.asked()["options"]["detail"] == 0.75
    kept = find(after, "gv1-layer")
    assert np.array_equal(pixels(base64.b64decode(kept.get(marks.DETAIL_MAP))), before)
    new = after.makeelement(SVG + "rect", id="new", x="26", y="22", width="2", height="2")
    after.append(new)
    again, said = editing.run("again", after, "--id=gv2-s1", "--id=new")
    assert said == ""
    assert (sent_map(editing)[6, 34], sent_map(editing)[10, 10]) == (1, 0)
    assert marks.kept(find(again, "gv1-layer")) != marks.kept(kept)


def test_an_area_is_painted_anew_without_the_strength_of_marks(editing):
    document, _said = editing.run("paint", load(PICTURE + EYE), "--id=a", "--id=eye")
    editing.run("repaint", document, "--id=gv1-s2")
    assert editing.asked()["options"]["detail"] == 0
    document, _said = editing.run("paint", load(PICTURE), "--id=a", "--detail=0.5")
    editing.run("repaint", document, "--id=gv1-s2")
    assert editing.asked()["options"]["detail"] == 0.5


def test_marks_say_where_further_detail_may_go(editing):
    document, said = editing.run("detail", painted(PICTURE + EYE), "--id=gv1-layer", "--id=eye", "--strokes=2")
    assert said == ""
    assert (editing.asked()["kind"], sent_map(editing)[10, 10], sent_map(editing)[2, 30]) == ("add-detail", 1, 0)
    assert find(document, "eye") is not None
    editing.run("detail", painted(PICTURE + EYE), "--id=gv1-layer", "--strokes=2")
    assert sent_map(editing) is None


def test_a_damaged_map_on_a_layer_is_no_map():
    svg = painted()
    layer = find(svg, "gv1-layer")
    for damage in ("", "???", "abc"):
        layer.set(marks.DETAIL_MAP, damage)
        assert marks.kept(layer).detail_map == b""


# -- brushes of one's own ---------------------------------------------------------------------------------------------

def sent_brushes(editing) -> list:
    return [path.read_bytes() for path in sorted((editing.folder / "asked").glob("brush-*"))]


def test_brushes_of_ones_own_travel_and_are_remembered(editing, tmp_path):
    dabs = [tmp_path / "a dab.png", tmp_path / "b.png"]
    for number, dab in enumerate(dabs):
        dab.write_bytes(b"dab %d" % number)
    names = f"--host_own_brushes={dabs[0]}|{dabs[1]}"
    document, said = editing.run("paint", load(PICTURE), "--id=a", names)
    assert (said, sent_brushes(editing)) == ("", [b"dab 0", b"dab 1"])
    after, said = editing.run("again", document, "--id=a")
    assert (said, sent_brushes(editing)) == ("", [b"dab 0", b"dab 1"])
    dabs[1].unlink()
    again, said = editing.run("again", after, "--id=a")
    assert again is None
    assert said.startswith(f"The picture of a brush, {dabs[1]}, cannot be read: No such file")
    document, said = editing.run("paint", load(PICTURE), "--id=a", names)
    assert (document, said.count("\n")) == (None, 1)
    document, said = editing.run("paint", load(PICTURE), "--id=a", "--host_own_brushes=/dev/zero")
    assert (document, "/dev/zero, cannot be read" in said) == (None, True)
    document, said = editing.run("paint", load(PICTURE), "--id=a", names, "--brush=free")
    assert (said, sent_brushes(editing)) == ("", [])
    editing.run("paint", load(PICTURE), "--id=a", "--host_own_brushes=")
    assert sent_brushes(editing) == []


# -- the style of a painting ------------------------------------------------------------------------------------------

def sent_style(editing):
    path = editing.folder / "asked" / "style"
    return path.read_bytes() if path.exists() else None


def test_a_style_travels_and_is_remembered(editing, tmp_path):
    picture = tmp_path / "a painting.jpg"
    picture.write_bytes(b"a painting")
    document, said = editing.run("paint", load(PICTURE), "--id=a", f"--host_style={picture}")
    assert (said, sent_style(editing)) == ("", b"a painting")
    after, said = editing.run("again", document, "--id=a")
    assert (said, sent_style(editing)) == ("", b"a painting")
    picture.unlink()
    again, said = editing.run("again", after, "--id=a")
    assert again is None
    assert said.startswith(f"The picture of the style, {picture}, cannot be read: there is no such file")
    document, said = editing.run("paint", load(PICTURE), "--id=a", "--host_style=/dev/zero")
    assert (document, "/dev/zero, cannot be read" in said) == (None, True)
    picture.write_bytes(b"again")
    editing.run("paint", load(PICTURE), "--id=a", f"--host_style={picture}", "--brush=free", "--strokes=2")
    assert sent_style(editing) == b"again"
    editing.run("paint", load(PICTURE), "--id=a", "--host_style=")
    assert sent_style(editing) is None


# -- free shapes ------------------------------------------------------------------------------------------------------

def test_free_shapes_are_made_by_a_job_of_their_own_and_made_again(editing):
    document, said = editing.run("paint", load(PICTURE + EYE), "--id=a", "--id=eye", "--brush=free", "--strokes=2")
    assert said == ""
    asked = editing.asked()
    assert (asked["kind"], asked["options"]["strokes"], asked["options"]["brush"]) == ("vectorize", 2, "oil")
    assert sent_map(editing)[10, 10] == 1
    layer = find(document, "gv1-layer")
    assert layer.get(LABEL) == "Gradvec: a"
    assert marks.kept(layer).detail_map
    after, said = editing.run("again", document, "--id=gv1-s2", "--id=eye")
    assert said == ""
    asked = editing.asked()
    assert (asked["kind"], asked["info"]["schedule"], asked["options"]["strokes"]) == ("vectorize", "1,1", 2)
    assert find(after, "gv1-s1") is None
    assert find(after, "gv2-s1") is not None


@pytest.mark.parametrize(("kind", "words"), [
    ("vectorize", "1 selected shape marks where detail goes\n"
                  "1 selected line or shape does nothing: free shapes heed closed shapes over the picture"),
    ("lines", "1 selected line gives strokes near it their direction\n"
              "The selected shape marks nothing: a line drawing needs no marks")])
def test_the_window_says_which_marks_do_nothing_in_other_jobs(kind, words):
    shapes = list(load(EYE + LINE))
    assert marks.note_for(kind, shapes, shapes) == words


@pytest.mark.parametrize(("body", "others", "words"), [
    ("", 0, ""), (EYE, 0, "1 selected shape marks where detail goes"),
    (EYE + EYE + LINE, 1, "2 selected shapes mark where detail goes\n"
                          "1 selected line gives strokes near it their direction\n"
                          "1 selected shape lies beside the picture or covers all of it, and marks nothing")])
def test_what_the_window_says(body, others, words):
    assert marks.note(list(load(body)), others) == words


def test_what_is_only_looked_at_is_not_changed(editing):
    """inkex rewrites a transform when it is read; a run that comes to nothing must not leave that in the document."""
    body = f'<g transform="rotate(8 105 105)">{PICTURE}{EYE}</g>'.replace(
        '<ellipse id="eye"', '<ellipse transform="translate(1,0) scale(1)" id="eye"')
    for command, selected in (("paint", "--id=a"), ("again", "--id=a"), ("refine", "--id=a"), ("trace", "--id=eye")):
        output = editing.output(command, load(body), selected, "--id=eye", "--seed=2" if command == "paint" else "")
        assert output == b"", command
