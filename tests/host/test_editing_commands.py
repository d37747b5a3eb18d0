"""The editing commands as Inkscape starts them, on documents that the artist has worked on."""

import re

import numpy as np
import pytest
from documents import embedded
from edited import LABEL, PICTURE, SVG, G, corners, find, gradient, ids, painted
from inkex import Transform
from lxml import etree
from still_editor import DROPPING, FAILING, GARBAGE

from inkscape_ext.document import outlines


def moved(svg, identifier: str, transform: str):
    find(svg, identifier).set("transform", transform)
    return svg


def sent(editing, key: str):
    return next(path for path in editing.asked()["svg"].iter(SVG + "path") if path.get("id") == key)


# -- refine -----------------------------------------------------------------------------------------------------------

def test_documents_of_an_older_gradvec_are_understood_and_brought_up_to_date(editing):
    old = etree.tostring(painted()).replace(G[1:-1].encode(), b"https://gradvec.org/ns/1")
    after, said = editing.run("refine", etree.fromstring(old), "--id=gv1-s2")
    assert said == ""
    assert editing.asked()["options"]["seed"] == 7
    assert find(after, "gv1-s2").get(G + "stroke") == "gv1"
    assert not any("gradvec.org" in name for e in after.iter("{*}*") for name in e.attrib)


def test_refine_changes_the_selected_strokes_alone(editing):
    svg = painted()
    untouched = etree.tostring(find(svg, "gv1-s1"))
    after, said = editing.run("refine", svg, "--id=gv1-s2", "--what=outlines")
    assert said == ""
    assert etree.tostring(find(after, "gv1-s1")) == untouched
    assert corners(find(after, "gv1-s2")) == [pytest.approx(p) for p in ((13, 22.5), (15.5, 22.5), (15.5, 25),
                                                                           (13, 25))]
    assert find(after, "gv1-s2").get("fill") == "#ff0000"
    asked = editing.asked()
    assert (asked["kind"], asked["info"]["what"], len(asked["info"]["selected"])) == ("refine", "outlines", 1)
    assert asked["svg"].get("viewBox") == "0 0 40 20"
    assert asked["options"]["seed"] == 7


def test_strokes_reach_the_engine_in_picture_px_wherever_the_artist_took_them(editing):
    svg = moved(painted(), "gv1-s2", "translate(4 1) scale(1.5) rotate(20)")
    find(svg, "gv1-layer").set("opacity", "0.5")
    stroke = find(svg, "gv1-s2")
    before = corners(stroke)
    find(svg, "gv1-gradvec-size-1").append(stroke)
    after, said = editing.run("refine", svg, "--id=gv1-s2")
    assert said == ""
    path = sent(editing, editing.asked()["info"]["selected"][0])
    assert corners(path) == [pytest.approx((2 * (x - 10), 2 * (y - 20)), abs=0.01) for x, y in before]
    assert path.get("fill-opacity") == "0.5"
    stroke = find(after, "gv1-s2")
    assert corners(stroke) == [pytest.approx((x + 0.5, y), abs=0.01) for x, y in before]
    assert stroke.get("transform")
    assert stroke.get("fill-opacity") is None


def test_the_picture_and_the_layer_moved_together(editing):
    svg = painted()
    for name in ("a", "gv1-layer"):
        moved(svg, name, "matrix(0 2 -2 0 200 5)")
    _after, said = editing.run("refine", svg, "--id=gv1-layer")
    assert said == ""
    assert corners(sent(editing, "p00001"))[0] == pytest.approx((0, 0), abs=0.01)
    assert len(editing.asked()["info"]["selected"]) == 2


def test_a_layer_beside_its_picture_takes_the_picture_along_in_mind(editing):
    """The artist compares the two: the strokes still show the same parts of the picture."""
    after, said = editing.run("refine", moved(painted(), "gv1-layer", "translate(100 0)"), "--id=gv1-s2")
    assert said == ""
    assert corners(sent(editing, editing.asked()["info"]["selected"][0]))[0] == pytest.approx((5, 5))
    assert corners(find(after, "gv1-s2"))[0] == pytest.approx((113, 22.5))


def test_a_stroke_that_became_a_rectangle_is_a_path_again(editing):
    svg = painted()
    stroke = find(svg, "gv1-s2")
    rectangle = etree.SubElement(stroke.getparent(), SVG + "rect")
    for name, value in (("x", "12"), ("y", "22"), ("width", "4"), ("height", "2"), ("id", "r"), (G + "stroke", "gv1"),
                        ("style", "fill:#0000ff;stroke:#000000")):
        rectangle.set(name, value)
    after, said = editing.run("refine", svg, "--id=r")
    assert said == ""
    path = find(after, "r")
    assert path.tag == SVG + "path"
    assert corners(path)[0] == pytest.approx((12.5, 22))
    assert path.get("style") == "stroke:#000000;fill:#ff0000"
    assert path.get("x") is None


def test_strokes_that_vanish_take_their_gradients_along(editing):
    after, said = editing.run("refine", painted(seed=DROPPING), "--id=gv1-s1")
    assert said == ""
    assert ids(after) == ["gv1-s2"]
    assert ids(after, "linearGradient") == []


def test_fills_as_other_programs_write_them(editing):
    svg = painted()
    base = etree.SubElement(svg.defs, SVG + "linearGradient", id="base")
    for offset, color in (("0%", "red"), ("100%", "rgb(0, 0, 255)")):
        etree.SubElement(base, SVG + "stop", offset=offset, style=f"stop-color:{color};stop-opacity:.5")
    derived = etree.SubElement(svg.defs, SVG + "linearGradient", id="derived", gradientTransform="rotate(90 .5 .5)")
    derived.set("{http://www.w3.org/1999/xlink}href", "#base")
    stroke = find(svg, "gv1-s2")
    stroke.attrib.pop("fill")
    stroke.set("style", "fill:url(#derived);opacity:.8")
    after, said = editing.run("refine", svg, "--id=gv1-s2")
    assert said == ""
    path = sent(editing, editing.asked()["info"]["selected"][0])
    asked = gradient(editing.asked()["svg"], path)
    assert [float(asked.get(n)) for n in ("x1", "y1", "x2", "y2")] == pytest.approx([10, 5, 10, 10])
    assert [stop.get("stop-color") for stop in asked] == ["#ff0000", "#0000ff"]
    assert {stop.get("stop-opacity") for stop in asked} == {"0.5"}
    assert path.get("fill-opacity") == "0.8"
    assert find(after, "gv1-s2").get("style") == "opacity:.8;fill:#ff0000"
    assert find(after, "base") is not None


def saved_by_inkscape(svg):
    """Fills stand in the style beside the attribute, and stops have names, as after any change in Inkscape."""
    for stroke in svg.iter(SVG + "path"):
        stroke.set("style", f"fill:{stroke.get('fill')}")
    for number, stop in enumerate(svg.iter(SVG + "stop")):
        stop.set("id", f"stop{number}")
    return svg


@pytest.mark.parametrize(("command", "more"), [
    ("refine", ()), ("refit", ()), ("again", ()), ("palette", ("--host_count=2",)), ("palette", ("--host_count=1",))])
def test_nothing_is_left_behind_where_inkscape_has_saved(editing, command, more):
    svg = saved_by_inkscape(painted())
    find(svg, "gv1-s2").set("fill", "url(#gv1-s1-fill)")  # of old: the style holds
    after, said = editing.run(command, svg, "--id=gv1-s1", "--id=gv1-s2", *more)
    assert said == ""
    every = [e.get("id") for e in after.iter() if e.get("id")]
    assert len(every) == len(set(every))
    text = etree.tostring(after).decode()
    named = set(re.findall(r"url\(#([^)]+)\)", text))
    assert named <= set(every)
    assert {e.get("id") for e in after.iter(SVG + "linearGradient")} <= named


def test_hidden_and_deleted_strokes_are_not_part_of_the_drawing(editing):
    svg = painted()
    find(svg, "gv1-s1").set("style", "display:none")
    editing.run("refine", svg, "--id=gv1-s2")
    assert len(list(editing.asked()["svg"].iter(SVG + "path"))) == 1
    svg = painted()
    find(svg, "gv1-s1").getparent().remove(find(svg, "gv1-s1"))
    editing.run("refine", svg, "--id=gv1-s2")
    assert len(list(editing.asked()["svg"].iter(SVG + "path"))) == 1


def test_a_copy_of_a_layer_is_a_drawing_of_its_own(editing):
    svg = painted()
    layer = find(svg, "gv1-layer")
    copy = etree.fromstring(etree.tostring(layer))
    for element in copy.iter():
        if element.get("id"):
            element.set("id", "copy-" + element.get("id"))
    svg.append(copy)
    editing.run("refine", svg, "--id=copy-gv1-s2")
    assert len(list(editing.asked()["svg"].iter(SVG + "path"))) == 2


# -- repaint ----------------------------------------------------------------------------------------------------------

AREA = '<rect id="area" x="12" y="22" width="4" height="4" style="fill:none;stroke:#f00"/>'


def test_repaint_replaces_what_lies_under_a_shape(editing):
    svg = painted(PICTURE + AREA)
    after, said = editing.run("repaint", svg, "--id=area", "--host_density=finest")
    assert said == ""
    assert editing.asked()["options"]["strokes"] == 4
    assert corners(next(editing.asked()["region"].iter(SVG + "path")))[0] == pytest.approx((4, 4))
    layer = find(after, "gv1-gradvec-size-2")
    assert [path.get("id") for path in layer] == [f"gv2-stroke-000{n}" for n in (1, 2, 3, 4)]
    assert {path.get(G + "stroke") for path in layer} == {"gv1"}
    assert corners(layer[0])[0] == pytest.approx((12, 22))
    filled = gradient(after, layer[0])
    assert [float(filled.get(n)) for n in ("x1", "y1", "x2", "y2")] == pytest.approx([12, 22, 16, 22])
    assert find(after, "area") is None
    every = [e.get("id") for e in after.iter() if e.get("id")]
    assert len(every) == len(set(every))


def test_repaint_where_strokes_are_selected(editing):
    after, said = editing.run("repaint", painted(), "--id=gv1-s2", "--host_density=coarser")
    assert said == ""
    assert editing.asked()["options"]["strokes"] == 3
    assert ids(after)[-3:] == [f"gv2-stroke-000{n}" for n in (1, 2, 3)]
    assert find(after, "gv1-s2") is None


def test_the_shape_stays_where_that_is_wished(editing):
    after, _said = editing.run("repaint", painted(PICTURE + AREA), "--id=area", "--host_remove_shape=false")
    assert find(after, "area") is not None


def test_new_strokes_can_be_edited_again(editing):
    after, _said = editing.run("repaint", painted(PICTURE + AREA), "--id=area")
    again, said = editing.run("refine", after, "--id=gv2-stroke-0001")
    assert said == ""
    assert find(again, "gv2-stroke-0001").get("fill") == "#ff0000"
    assert find(again, "gv2-stroke-0001-fill") is None


# -- refit ------------------------------------------------------------------------------------------------------------

def test_refit_works_on_any_closed_path_over_a_picture(editing):
    svg = painted(PICTURE + '<ellipse id="e" cx="20" cy="25" rx="4" ry="2" style="fill:#000000;stroke:#ffffff"/>')
    after, said = editing.run("refit", svg, "--id=e", "--gradient=kmeans")
    assert said == ""
    assert editing.asked()["options"]["gradient"] == "kmeans"
    ellipse = find(after, "e")
    assert (ellipse.tag, ellipse.get("style")) == (SVG + "ellipse", "stroke:#ffffff;fill:url(#e-fill)")
    filled = gradient(after, ellipse)
    left, right, top = (float(filled.get(n)) for n in ("x1", "x2", "y1"))
    assert 15 < left <= 16  # the still editor takes the control points' box
    assert 24 <= right < 25
    assert top == pytest.approx(23, abs=0.5)


def test_refit_brings_a_gradient_into_a_skewed_path(editing):
    svg = moved(painted(), "gv1-s2", "skewX(20)")
    after, said = editing.run("refit", svg, "--id=gv1-s2")
    assert said == ""
    stroke = find(after, "gv1-s2")
    assert stroke.get("transform") is not None
    filled = gradient(after, stroke)
    across = float(filled.get("x2")) - float(filled.get("x1")), float(filled.get("y2")) - float(filled.get("y1"))
    assert across[1] / across[0] == pytest.approx(0.364, abs=0.01)


def test_refit_needs_a_picture(editing):
    svg = painted(PICTURE + '<rect id="far" x="300" y="300" width="9" height="9"/>')
    after, said = editing.run("refit", svg, "--id=far")
    assert after is None
    assert said.startswith("There is no picture under the path far.")
    after, said = editing.run("refit", svg, "--id=far", "--id=a")
    assert (find(after, "far").get("fill"), said) == ("url(#far-fill)", "")


# -- detail, trace, again ---------------------------------------------------------------------------------------------

def test_detail_comes_in_a_layer_on_top(editing):
    after, said = editing.run("detail", painted(), "--id=a", "--strokes=5")
    assert said == ""
    layer = find(after, "gv1-layer")[-1]
    assert (layer.get(LABEL), len(layer)) == ("3 added details", 5)
    assert corners(layer[4])[0] == pytest.approx((12, 20))
    assert editing.asked()["options"]["strokes"] == 5


def test_detail_lies_inside_the_clip_of_a_picture_that_has_one(editing):
    body = ('<clipPath id="c"><circle cx="20" cy="25" r="4"/></clipPath>'
            + PICTURE.replace("<image", '<image clip-path="url(#c)"'))
    after, said = editing.run("detail", painted(body), "--id=gv1-s1", "--strokes=2")
    assert said == ""
    added = find(after, "gv2-layer")
    assert added.getparent().get("clip-path") == "url(#gv1-frame)"


def test_the_only_drawing_needs_no_selection(editing):
    after, said = editing.run("detail", painted(), "--strokes=1")
    assert (len(ids(after)), said) == (3, "")


def test_trace_puts_a_path_in_place_of_each_picture(editing):
    body = (PICTURE + PICTURE.replace('"a"', '"b"').replace("<image", '<image transform="rotate(90) translate(0 -80)"')
            + PICTURE.replace('"a"', '"c"').replace("{png}", embedded("plain.jpeg")))
    from documents import load

    svg = load(f'<g id="g" transform="scale(2)">{body}</g>')
    after, said = editing.run("trace", svg, "--id=a", "--id=b", "--id=c")
    assert said.startswith("Nothing was found in c;")
    group = find(after, "g")
    assert [child.get("id") for child in group] == ["a", "gv1-stroke-0001", "b", "gv2-stroke-0002", "c"]
    assert corners(group[1]) == [pytest.approx(p) for p in ((20, 40), (60, 40), (60, 60), (20, 60))]
    assert corners(group[3])[0] == pytest.approx((120, 20))
    assert [("display:none" in (e.get("style") or "")) or e.get("display") == "none" for e in group] == [
        True, False, True, False, False]
    again, said = editing.run("refit", after, "--id=gv1-stroke-0001")
    assert said == ""
    assert gradient(again, find(again, "gv1-stroke-0001"))[0].get("stop-color") == "#ff0000"


def test_trace_keeps_the_crop(editing):
    from documents import load

    body = PICTURE.replace("<image", '<image transform="scale(2)" clip-path="url(#c)"')
    svg = load(f'<clipPath id="c"><circle r="9"/></clipPath>{body}')
    after, said = editing.run("trace", svg, "--id=a", "--host_afterwards=remove")
    assert said == ""
    path = find(after, "gv1-stroke-0001")
    assert path.getparent().get("clip-path") == "url(#c)"
    assert path.getparent().get("transform").startswith("scale(2")
    assert corners(path)[0] == pytest.approx((20, 40))
    assert find(after, "a") is None


def test_again_paints_with_the_settings_of_the_layer(editing):
    svg = painted(PICTURE + '<rect id="over"/>')
    after, said = editing.run("again", svg, "--id=gv1-s2")
    assert said == ""
    asked = editing.asked()
    assert (asked["kind"], asked["options"]["seed"], asked["options"]["strokes"]) == ("paint", 7, 2)
    assert [child.get("id") for child in after][-3:] == ["a", "gv1-layer", "over"]
    assert ids(after) == ["gv2-s1", "gv2-s2"]
    assert find(after, "gv1-s1-fill") is None
    assert find(after, "gv1-layer").get("clip-path") == "url(#gv1-frame)"


def test_again_with_other_numbers_beside_the_old_layer(editing):
    after, _said = editing.run("again", painted(clip=False), "--id=a", "--host_new_seed=true", "--host_keep_old=true")
    assert editing.asked()["options"]["seed"] != 7
    assert find(after, "gv1-layer").get("display") == "none"
    assert find(after, "gv2-layer").get("clip-path") is None


# -- what goes wrong --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("command", ["refine", "repaint", "refit", "detail", "trace", "again"])
def test_engine_failures_are_one_sentence_and_change_nothing(editing, command):
    if command == "trace":
        after, said = editing.run(command, painted(), "--id=gv1-s1")
        assert (after, said) == (None, "The selection holds no picture, only drawn objects. Select a picture made of "
                                       "pixels (PNG, JPEG, ...), or make a bitmap copy of your drawing first (Edit > "
                                       "Make a Bitmap Copy).\n")
        return
    after, said = editing.run(command, painted(seed=FAILING), "--id=gv1-s1")
    assert (after, said) == (None, "The still editor failed. Try another seed.\n")
    after, said = editing.run(command, painted(seed=GARBAGE), "--id=gv1-s1")
    assert (after, said) == (None, "The engine's drawing cannot be read.\n")


@pytest.mark.parametrize(("command", "selected", "words"), [
    ("refine", (), "Nothing is selected."), ("refine", ("a",), "no strokes that gradvec has painted"),
    ("repaint", (), "Nothing is selected."), ("repaint", ("a",), "neither a closed shape nor strokes"),
    ("repaint", ("away",), "no strokes of gradvec under the selected shape"), ("refit", (), "Nothing is selected."),
    ("refit", ("words",), "no closed paths"), ("detail", ("away",), "no strokes that gradvec has painted"),
    ("again", ("away",), "no strokes that gradvec has painted"), ("trace", (), "Nothing is selected."),
    ("palette", ("away",), "no strokes that gradvec has painted"),
])
def test_wrong_selections(editing, command, selected, words):
    svg = painted(PICTURE + '<rect id="away" x="300" width="9" height="9"/><text id="words">hello</text>')
    after, said = editing.run(command, svg, *(f"--id={name}" for name in selected))
    assert after is None
    assert words in said
    assert said.count("\n") == 1


def test_without_the_picture(editing):
    svg = painted()
    svg.remove(find(svg, "a"))
    after, said = editing.run("refine", svg, "--id=gv1-s1")
    assert after is None
    assert said.startswith("The picture that these strokes were painted from is not in the document any more.")
    after, said = editing.run("again", painted(PICTURE.replace("{png}", "gone.png")), "--id=gv1-s1")
    assert after is None
    assert "gone.png" in said


# -- fill rules -------------------------------------------------------------------------------------------------------

RING = "M12 22H18V28H12Z M14 24H16V26H14Z"


def loops_turn(data: str) -> list:
    """Which way each loop runs."""
    return [np.sign(outlines._signed(loop)) for loop in outlines.polygons(data)]


def test_an_even_odd_hole_stays_a_hole(editing):
    svg = painted()
    stroke = find(svg, "gv1-s2")
    stroke.set("d", RING)
    stroke.set("style", "fill-rule:evenodd")
    assert len(set(loops_turn(outlines.plain_data(stroke, Transform())))) == 1
    after, said = editing.run("refine", svg, "--id=gv1-s2")
    assert said == ""
    (key,) = editing.asked()["info"]["selected"]
    assert len(set(loops_turn(sent(editing, key).get("d")))) == 2
    refined = find(after, "gv1-s2")
    assert refined.get("style") == "fill-rule:nonzero"
    assert len(set(loops_turn(refined.get("d")))) == 2


def test_the_same_loops_by_the_non_zero_rule_are_sent_as_they_are(editing):
    svg = painted()
    find(svg, "gv1-s2").set("d", RING)
    editing.run("refine", svg, "--id=gv1-s2")
    (key,) = editing.asked()["info"]["selected"]
    assert len(set(loops_turn(sent(editing, key).get("d")))) == 1


@pytest.mark.parametrize(("command", "selected"), [("refine", "star"), ("refit", "star"), ("repaint", "area")])
def test_even_odd_paths_that_cross_themselves_are_refused_in_a_sentence(editing, command, selected):
    star = "M15 21L17.9 30L10.2 24.4H19.8L12.1 30Z"
    svg = painted(PICTURE + f'<path id="area" d="{star}" style="fill-rule:evenodd"/>')
    stroke = find(svg, "gv1-s2")
    stroke.set("id", "star")
    if command != "repaint":
        stroke.set("d", star)
        find(svg, "gv1-layer").set("fill-rule", "evenodd")
    after, said = editing.run(command, svg, f"--id={selected}")
    assert after is None
    assert "crosses itself and has holes" in said
    assert "Path > Union" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(("data", "turns"), [
    ("M0 0L9 0L9 9L0 9ZM1 1L8 1L8 8L1 8ZM2 2C4 1 6 1 7 2L7 7L2 7Z", [1, -1, 1]),
    ("M0 0L9 0L9 9L0 9ZM1 8L8 8L8 1L1 1Z", [1, -1]),
    ("M0 0L9 0L9 9L0 9ZM20 0L29 0L29 9L20 9Z", [1, 1])])
def test_loops_are_turned_only_where_they_must(data, turns):
    turned = outlines.non_zero(data)
    assert loops_turn(turned) == turns
    for old, new in zip(outlines.polygons(data), outlines.polygons(turned), strict=True):
        assert {tuple(p) for p in np.round(old, 9)} == {tuple(p) for p in np.round(new, 9)}
