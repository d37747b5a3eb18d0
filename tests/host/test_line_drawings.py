"""A drawing of lines in the document: placed in the document's units, told apart from strokes that have a fill."""

import pytest
from documents import load
from edited import PICTURE, SVG, find

from inkscape_ext.document import layers, outlines, pictures, runs
from inkscape_ext.document.gradients import Definitions
from inkscape_ext.document.placement import to_root

DRAWN = (b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:gradvec="urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869" '
         b'viewBox="0 0 40 20"><metadata gradvec:run=\'{"job":"lines","options":{"seed":7,"look":"lines"}}\'/>'
         b'<g id="c"><path id="s1" d="M0 10C10 10 20 10 40 10" fill="none" stroke="#102030" stroke-width="2" '
         b'stroke-linecap="round"/><path id="s2" d="M0 0C2 0 4 0 10 0" fill="none" stroke="#ff0000" stroke-width="1" '
         b'stroke-linecap="round"/></g></svg>')


def drawn():
    svg = load(PICTURE)
    new = layers.NewDrawing(pictures.selected(svg, ["a"])[0], "photo.png", (40, 20), DRAWN)
    layers.Placer(svg, layers.Wishes()).place(new)
    return svg


def test_lines_lie_in_the_documents_units_with_their_width():
    line = find(drawn(), "gv1-s1")
    assert line.get("d").split() == ["M", "10", "25C", "15", "25", "20", "25", "30", "25"]
    assert (line.get("stroke-width"), line.get("stroke-linecap"), line.get("fill")) == ("1", "round", "none")
    assert outlines.extent(line, to_root(line)) == pytest.approx(20 * 1)


def test_a_line_that_was_bent_recoloured_or_made_wider_is_known():
    for name, value in (("stroke", "#00ff00"), ("stroke-width", "3"), ("d", "M 10 25C 15 35 20 25 30 25")):
        svg = drawn()
        line = find(svg, "gv1-s1")
        prints = runs.Fingerprints(svg, Definitions(svg))
        assert not prints.changed(line)
        line.set(name, value)
        assert prints.changed(line)


@pytest.mark.parametrize(("command", "said"), [("refine", "lines"), ("repaint", "lines"), ("detail", "lines"),
                                               ("refit", "lines without a fill")])
def test_what_works_on_fills_says_that_these_are_lines(editing, command, said):
    after, sentence = editing.run(command, drawn(), "--id=gv1-s1")
    assert after is None
    assert said in sentence
    assert "Stroke to Path" in sentence


def test_run_again_draws_lines_with_the_settings_of_the_layer(editing):
    after, said = editing.run("again", drawn(), "--id=gv1-s1")
    assert said == ""
    asked = editing.asked()
    assert (asked["kind"], asked["options"]["look"], asked["options"]["seed"]) == ("lines", "lines", 7)
    assert find(after, "gv1-s1") is None
    assert (find(after, "gv2-s1").get("fill"), find(after, "gv2-s1").get("stroke-width")) == ("none", "1")


def test_lines_are_selected_by_colour_and_size_and_get_few_colours(editing):
    after, _ = editing.run("select", drawn(), "--tab=size_page", "--host_which=largest", "--host_percent=50")
    assert [e.get("id") for e in after.iter(SVG + "path") if "gradvec-found" in (e.get("class") or "")] == ["gv1-s1"]
    after, _ = editing.run("select", drawn(), "--tab=color_page", "--host_color_from=color", "--host_color=#ff0000")
    assert [e.get("id") for e in after.iter(SVG + "path") if "gradvec-found" in (e.get("class") or "")] == ["gv1-s2"]
    after, _ = editing.run("palette", drawn(), "--host_count=1", "--id=gv1-layer")
    assert len({find(after, name).get("stroke") for name in ("gv1-s1", "gv1-s2")}) == 1
    assert find(after, "gv1-s1").get("fill") == "none"
