"""A drawing keeps what the artist did to it: ungrouping, moving, fading, naming, clipping, changing single strokes."""

import pytest
from documents import load
from edited import LABEL, PICTURE, SVG, G, corners, find, ids, painted
from inkex import Transform

from inkscape_ext.commands import paint

INSENSITIVE = "{http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd}insensitive"


def ungrouped(svg, *groups: str):
    """What Inkscape leaves of groups: their children in their place, under the group's transform."""
    for name in groups:
        group = find(svg, name)
        for child in list(group):
            moved = Transform(group.get("transform")) @ Transform(child.get("transform"))
            if moved != Transform():
                child.set("transform", str(moved))
            group.addprevious(child)
        group.getparent().remove(group)
    return svg


def layers_of(svg) -> list:
    return [group for group in svg.iter(SVG + "g") if group.get(G + "run")]


# -- ungrouping -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("command", "selected", "strokes"), [
    ("refine", "gv1-s2", ["gv1-s1", "gv1-s2"]), ("palette", "gv1-s1", ["gv1-s1", "gv1-s2"]),
    ("refit", "gv1-s1", ["gv1-s1", "gv1-s2"]), ("again", "gv1-s2", ["gv2-s1", "gv2-s2"]),
    ("again", "a", ["gv2-s1", "gv2-s2"]), ("detail", "gv1-s1", ["gv1-s1", "gv1-s2", "gv3-stroke-0001"])])
def test_an_ungrouped_drawing_can_be_edited(editing, command, selected, strokes):
    groups = ["gv1-layer"] if selected == "a" else ["gv1-layer", "gv1-gradvec-size-1", "gv1-gradvec-size-2"]
    svg = ungrouped(painted(PICTURE.replace("<image", '<image transform="translate(3 1)"') + '<rect id="over"/>'),
                    *groups)
    arguments = {"detail": ["--strokes=1"], "palette": ["--host_count=1"]}.get(command, [])
    after, said = editing.run(command, svg, f"--id={selected}", *arguments)
    assert said == ""
    assert sorted(ids(after)) == sorted(strokes)
    assert after[-1].get("id") == "over", "it stays below what lay above it"
    if command == "again":
        assert corners(find(after, "gv2-s1"))[0] == pytest.approx((13, 21))
        assert not [g for g in after.iter(SVG + "g") if not len(g)]


def test_settings_and_place_of_an_ungrouped_drawing_come_from_the_metadata(editing):
    svg = ungrouped(painted(seed=7), "gv1-layer")
    editing.run("refine", svg, "--id=gv1-s2")
    sent = next(p for p in editing.asked()["svg"].iter(SVG + "path") if p.get("id") == "p00001")
    assert editing.asked()["options"]["seed"] == 7
    assert [float(n) for n in sent.get("d")[1:].split("C")[0].split()] == [0, 0]


@pytest.mark.parametrize("command", ["refine", "again", "detail"])
def test_strokes_that_nothing_tells_of_any_more_are_named(editing, command):
    svg = ungrouped(painted(), "gv1-layer")
    svg.remove(svg.find(SVG + "metadata"))
    after, said = editing.run(command, svg, "--id=gv1-s1", "--id=gv1-s2")
    assert after is None
    assert said.startswith("2 selected strokes were painted by gradvec, but what made them is not stored")


@pytest.mark.parametrize("runs", ["[", "[]", '{"gv1": 3}', '{"gv1": {"run": 7}}', "[" * 5000])
def test_damaged_metadata_does_not_get_in_the_way(editing, runs):
    svg = painted()
    svg.find(SVG + "metadata").set(G + "runs", runs)
    after, said = editing.run("refine", svg, "--id=gv1-s2")
    assert (len(ids(after)), said) == (2, "")


# -- run again, and painting again -----------------------------------------------------------------------------------

KEPT = {"style": "opacity:0.5;mix-blend-mode:multiply", LABEL: "My sky", INSENSITIVE: "true",
        "transform": "translate(100, 50)", "clip-path": "url(#mine)", "id": "gv1-layer"}


@pytest.mark.parametrize("command", ["again", "paint"])
def test_the_layer_keeps_what_the_artist_did_to_it(editing, command):
    svg = painted(PICTURE + '<clipPath id="mine"><circle r="400"/></clipPath><rect id="over"/>')
    layer = find(svg, "gv1-layer")
    for name, value in KEPT.items():
        layer.set(name, value)
    note = layer.makeelement(SVG + "text", id="note")
    layer.append(note)
    after, said = editing.run(command, svg, "--id=a")
    assert said == ""
    (layer,) = layers_of(after)
    assert {name: layer.get(name) for name in KEPT} == KEPT
    assert [child.get("id") for child in layer] == ["note", "gv2-gradvec-size-1", "gv2-gradvec-size-2"]
    assert corners(find(after, "gv2-s1"))[0] == pytest.approx((110, 70))
    assert after[-1].get("id") == "over"
    assert find(after, "gv1-s1-fill") is None


def test_a_hidden_layer_is_painted_again_and_stays_hidden(editing):
    svg = painted()
    find(svg, "gv1-layer").set("style", "display:none")
    after, said = editing.run("again", svg, "--id=a")
    assert (said, ids(after)) == ("", ["gv2-s1", "gv2-s2"])
    assert find(after, "gv1-layer").get("style") == "display:none"


def test_the_old_layer_is_kept_hidden_under_one_like_it(editing):
    svg = painted()
    find(svg, "gv1-layer").set("style", "opacity:0.5")
    after, said = editing.run("again", svg, "--id=gv1-s1", "--host_keep_old=true")
    assert (said, ids(after)) == ("", ["gv1-s1", "gv1-s2", "gv2-s1", "gv2-s2"])
    old, new = layers_of(after)
    assert (old.get("id"), new.get("id")) == ("gv1-layer", "gv2-layer")
    assert [(e.get("style"), e.get("display")) for e in (old, new)] == [("opacity:0.5", "none"), ("opacity:0.5", None)]
    assert new.get("clip-path") == "url(#gv1-frame)"


def test_painting_twice_leaves_one_drawing_unless_both_are_wanted(editing):
    once, _said = editing.run("paint", load(PICTURE), "--id=a")
    twice, said = editing.run("paint", once, "--id=a")
    assert (said, len(layers_of(twice)), ids(twice)) == ("", 1, ["gv2-s1", "gv2-s2"])
    both, said = editing.run("paint", once, "--id=a", "--host_replace=false")
    assert (said, len(layers_of(both)), len(ids(both))) == ("", 2, 4)


def test_painting_again_with_or_without_the_clip(editing):
    open_, _said = editing.run("paint", painted(), "--id=a", "--host_clip=false")
    assert find(open_, "gv1-layer").get("clip-path") is None
    closed, _said = editing.run("paint", open_, "--id=a", "--host_clip=true")
    assert find(closed, "gv1-layer").get("clip-path") == "url(#gv3-frame)"
    box = find(closed, "gv3-frame-shape")
    matrix = Transform(box.get("transform"))
    assert tuple(matrix.apply_to_point((float(box.get("x")), float(box.get("y"))))) == pytest.approx((10, 20))


def test_the_same_picture_shown_twice_has_two_drawings(editing):
    svg = load(PICTURE + '<use id="u" xlink:href="#a" x="100"/>')
    after, said = editing.run("paint", svg, "--id=a", "--id=u")
    assert (said, len(layers_of(after))) == ("", 2)
    again, said = editing.run("paint", after, "--id=u")
    assert (said, ids(again)) == ("", ["gv1-s1", "gv1-s2", "gv3-s1", "gv3-s2"])


# -- strokes that were changed by hand -------------------------------------------------------------------------------

CHANGES = {"moved": ("gv1-s2", "transform", "translate(5 0)"), "reshaped": ("gv1-s2", "d", "M0 0L5 0L5 5Z"),
           "recoloured": ("gv1-s2", "fill", "#123456"), "faded": ("gv1-s2", "opacity", "0.5")}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("command", ["again", "paint"])
def test_strokes_changed_by_hand_stay_on_top_where_they_lay(editing, change, command):
    svg = painted(PICTURE.replace("<image", '<image transform="translate(3 1)"'))
    name, attribute, value = CHANGES[change]
    find(svg, name).set(attribute, value)
    before = corners(find(svg, name))
    after, said = editing.run(command, svg, "--id=a")
    assert (said, ids(after)) == ("", ["gv2-s1", "gv2-s2", "gv1-s2"])
    stroke = find(after, "gv1-s2")
    assert corners(stroke) == [pytest.approx(point) for point in before]
    assert stroke.getparent().get(LABEL) == "3 changed by hand"
    further, said = editing.run("refine", after, "--id=gv1-s2")
    assert (said, len(ids(further))) == ("", 3)


def test_a_changed_gradient_is_a_change_and_its_stroke_keeps_it(editing):
    svg = painted()
    find(svg, "gv1-s1-fill")[0].set("stop-color", "#00ff00")
    after, _said = editing.run("again", svg, "--id=a")
    assert ids(after) == ["gv2-s1", "gv2-s2", "gv1-s1"]
    assert find(after, "gv1-s1-fill") is not None


def test_changed_strokes_go_where_that_is_wished(editing):
    svg = painted()
    find(svg, "gv1-s2").set("d", "M0 0L5 0L5 5Z")
    after, _said = editing.run("again", svg, "--id=a", "--host_changed=drop")
    assert ids(after) == ["gv2-s1", "gv2-s2"]


@pytest.mark.parametrize("command", [("refine", "--id=gv1-s2"), ("palette", "--id=gv1-s1", "--host_count=1"),
                                     ("refit", "--id=gv1-s1"), ("detail", "--id=a", "--strokes=1")])
def test_what_our_own_commands_change_is_not_changed_by_hand(editing, command):
    after, _said = editing.run(command[0], painted(), *command[1:])
    again, _said = editing.run("again", after, "--id=a")
    assert [name[3:] for name in ids(again)] == ["-s1", "-s2"]


def test_strokes_of_an_older_gradvec_count_as_unchanged(editing):
    svg = painted()
    for stroke in svg.iter(SVG + "path"):
        stroke.attrib.pop(G + "made", None)
    after, _said = editing.run("again", svg, "--id=a")
    assert ids(after) == ["gv2-s1", "gv2-s2"]


# -- hidden pictures -------------------------------------------------------------------------------------------------

def test_nothing_is_painted_where_it_would_not_be_seen(editing):
    svg = load(f'<g id="l" style="display:none">{PICTURE}</g>')
    after, said = editing.run("paint", svg, "--id=a")
    assert after is None
    assert said.startswith("The picture a lies in a hidden layer or group")


def test_hidden_pictures_in_a_group_are_named(editing):
    other = PICTURE.replace('"a"', '"b" inkscape:label="dog" style="display:none"')
    after, said = editing.run("paint", load(f'<g id="g">{PICTURE}{other}</g>'), "--id=g")
    assert len(layers_of(after)) == 1
    assert said.startswith("Hidden pictures in the selected group were left out: dog.")


# -- what is left alone, and what is said ----------------------------------------------------------------------------

LINE = '<path id="line" d="M12 22L28 22L28 28" style="fill:none;stroke:#000"/>'


@pytest.mark.parametrize("command", ["refit", "repaint"])
def test_an_open_line_without_a_fill_is_left_alone(editing, command):
    after, said = editing.run(command, painted(PICTURE + LINE), "--id=line", "--id=gv1-s2")
    assert said == ""
    line = find(after, "line")
    assert (line.get("style"), line.get("fill"), line.get("d")) == ("fill:none;stroke:#000", None, "M12 22L28 22L28 28")
    after, said = editing.run(command, painted(PICTURE + LINE), "--id=line")
    assert after is None
    assert "closed" in said


@pytest.mark.parametrize(("brush", "names", "said"), [
    ("marker", "/a.png", True), ("free", "/a.png", True), ("oil", "/a.png", False), ("mixed", "/a.png", False),
    ("marker", " | ", False)])
def test_own_brushes_that_are_of_no_use_are_told(brush, names, said):
    note = paint._brushes_note(names, "vectorize" if brush == "free" else "paint", brush)
    assert note == ("Own brushes are left out: only Oil paints with them" if said else "")
