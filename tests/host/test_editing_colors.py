"""Few colours for many, and strokes found by colour or size: the commands that need no engine."""

import os
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from edited import PICTURE, SVG, find, gradient, painted
from gradvec.color.oklab import oklab, srgb

from inkscape_ext.document import colors, styles
from inkscape_ext.ui import selection

COLORS = ("#ff0000", "#f00505", "#0000ff", "#0505f0", "#00c000")


def flat_strokes(extra: str = ""):
    """A painted document with five more strokes, squares of rising size in :data:`COLORS`."""
    svg = painted(PICTURE + extra)
    layer = find(svg, "gv1-gradvec-size-2")
    for number, color in enumerate(COLORS):
        path = layer.makeelement(SVG + "path")
        side = number + 1
        for name, value in (("id", f"t{number}"), ("d", f"M12 22h{side}v{side}h-{side}z"), ("style", f"fill:{color}"),
                            ("{urn:uuid:83444402-4a95-4bda-a0ae-cbe0ced3f869}stroke", "gv1")):
            path.set(name, value)
        layer.append(path)
    return svg


def fills(svg) -> list:
    return [styles.own(find(svg, f"t{number}"), "fill") for number in range(len(COLORS))]


def test_oklab_by_its_authors_own_numbers():
    lab = oklab(np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    assert lab[0] == pytest.approx([1, 0, 0], abs=1e-3)
    assert lab[1] == pytest.approx([0, 0, 0], abs=1e-6)
    assert lab[2] == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-3)


def test_oklab_and_back():
    rgb = np.random.default_rng(1).uniform(0, 1, (50, 3))
    assert np.allclose(srgb(oklab(rgb)), rgb, atol=1e-5)


def test_few_colours_are_those_of_the_clusters():
    rng = np.random.default_rng(2)
    middles = np.array([[0.2, 0.1, 0.0], [0.8, -0.1, 0.1], [0.5, 0.0, -0.2]])
    lab = np.concatenate([middle + rng.normal(0, 0.01, (40, 3)) for middle in middles])
    found = colors.few(lab, np.ones(len(lab)), 3)
    assert sorted(colors.nearest(middles, found)) == [0, 1, 2]
    assert np.abs(found[colors.nearest(middles, found)] - middles).max() < 0.01
    assert len(colors.few(lab[:1].repeat(5, 0), np.ones(5), 4)) == 1


def test_a_layer_in_three_colours(editing):
    after, said = editing.run("palette", flat_strokes(), "--id=gv1-gradvec-size-2", "--host_count=3")
    assert said == ""
    assert len(set(fills(after))) == 3
    assert fills(after)[0] == fills(after)[1]
    assert fills(after)[2] == fills(after)[3]
    stroke = find(after, "gv1-s1")
    assert [stop.get("stop-color") for stop in gradient(after, stroke)] == ["#ff0000", "#0000ff"]


def test_a_gradient_between_equal_colours_becomes_that_colour(editing):
    after, said = editing.run("palette", painted(), "--id=gv1-s1", "--host_count=1")
    assert said == ""
    assert find(after, "gv1-s1").get("fill").startswith("#")
    assert find(after, "gv1-s1-fill") is None


def test_what_shares_a_gradient_keeps_its_colours(editing):
    svg = painted(PICTURE + '<rect id="mine" width="9" height="9" fill="url(#gv1-s1-fill)"/>')
    after, _said = editing.run("palette", svg, "--id=gv1-s1", "--host_count=1")
    assert [stop.get("stop-color") for stop in gradient(after, find(after, "mine"))] == ["#ff0000", "#0000ff"]
    assert find(after, "gv1-s1").get("fill") not in ("#ff0000", "#0000ff")


SWATCHES = ('<linearGradient id="w1" inkscape:swatch="solid"><stop stop-color="#ee1111"/></linearGradient>'
            '<linearGradient id="w2" xmlns:osb="http://www.openswatchbook.org/uri/2009/osb" osb:paint="solid">'
            '<stop style="stop-color:#1111ee"/></linearGradient>')


def test_the_documents_swatches(editing):
    after, said = editing.run("palette", flat_strokes(f"<defs>{SWATCHES}</defs>"), "--id=a", "--host_source=swatches")
    assert said == ""
    assert fills(after)[:4] == ["#ee1111", "#ee1111", "#1111ee", "#1111ee"]
    after, said = editing.run("palette", flat_strokes(), "--id=a", "--host_source=swatches")
    assert after is None
    assert said.startswith("This document has no swatches of one colour.")


def marked(svg) -> list:
    return [e.get("id") for e in svg.iter() if "gradvec-found" in (e.get("class") or "")]


@pytest.mark.parametrize(("arguments", "expected"), [
    (("--id=t0", "--host_tolerance=10"), ["t0", "t1"]),
    (("--id=t0", "--host_tolerance=0"), ["t0"]),
    (("--host_color_from=color", "--host_color=65535", "--host_tolerance=10"), ["t2", "t3"]),
    (("--tab=size_page", "--host_percent=30"), ["t0", "t1"]),
    (("--tab=size_page", "--host_which=largest", "--host_percent=15"), ["gv1-s1"]),
    (("--tab=size_page", "--host_which=similar", "--id=t3", "--host_percent=30"), ["t3", "t4"]),
])
def test_where_inkscape_cannot_be_asked_to_select_strokes_are_marked(editing, arguments, expected):
    after, said = editing.run("select", flat_strokes(), *arguments)
    assert marked(after) == expected
    assert "Edit > Find" in said


def test_marks_of_an_earlier_search_go(editing):
    svg = flat_strokes()
    find(svg, "t4").set("class", "mine gradvec-found")
    after, _said = editing.run("select", svg, "--id=t0")
    assert marked(after) == ["t0", "t1"]
    assert find(after, "t4").get("class") == "mine"


def test_nothing_like_that(editing):
    after, said = editing.run("select", flat_strokes(), "--host_color_from=color", "--host_color=0xff00ffff",
                              "--host_tolerance=1")
    assert after is None
    assert said.startswith("No stroke is like that.")
    after, said = editing.run("select", flat_strokes(), "--id=a")
    assert after is None
    assert "no strokes that gradvec has painted" in said


@pytest.fixture
def bus(tmp_path):
    """A program ``gdbus`` that writes down what it is asked, and says that Inkscape is there."""
    said = tmp_path / "said"
    program = tmp_path / "bin" / "gdbus"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {said}\necho "(true,)"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return said, {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "DBUS_SESSION_BUS_ADDRESS": "unix:x"}


def test_inkscape_is_asked_to_select_after_the_command_has_ended(editing, bus):
    said, environment = bus
    after, told = editing.run("select", flat_strokes(), "--id=t0", **environment)
    assert (after, told) == (None, "")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and "t0,t1" not in said.read_text():
        time.sleep(0.05)
    lines = said.read_text().splitlines()
    assert "NameHasOwner org.inkscape.Inkscape" in lines[0]
    assert [line.split("Activate ")[1] for line in lines[1:]] == ["select-clear [] {}", 'select-by-id [<"t0,t1">] {}']


def test_without_a_bus_nothing_is_asked(monkeypatch):
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert not selection.possible()


def test_the_selecting_program_needs_the_standard_library_only():
    subprocess.run([sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({selection.__file__!r})"],
                   check=True, timeout=30)


@pytest.mark.parametrize(("text", "expected"), [
    ("#f00", (255, 0, 0)), ("#12aB34cc", (0x12, 0xAB, 0x34)), ("rgb(10%, 50 , 0)", (25.5, 50, 0)), ("red", (255, 0, 0)),
    ("rgba(1,2,3,.5)", (1, 2, 3)), ("#102030 icc-color(x, 1)", (16, 32, 48)), ("none", None), ("url(#a)", None),
    ("currentColor", None), ("#xyz", None), ("rgb(1,2)", None), ("nonsense", None)])
def test_colours_as_documents_write_them(text, expected):
    assert styles.rgb(text) == (None if expected is None else pytest.approx(expected))


def test_properties_are_set_where_they_are():
    path = next(painted().iter(SVG + "path"))
    path.set("style", "fill:#111111;stroke:none")
    styles.put(path, "fill", "#222222")
    assert (path.get("style"), path.get("fill")) == ("stroke:none;fill:#222222", None)
    styles.put(path, "opacity", "0.5")
    assert path.get("opacity") == "0.5"
    styles.put(path, "stroke", None)
    styles.put(path, "fill", None)
    assert path.get("style") is None


@pytest.mark.parametrize(("text", "rgb", "alpha"), [
    ("RebeccaPurple", (102, 51, 153), 1), ("rgba(255, 0, 0, .5)", (255, 0, 0), 0.5),
    ("rgb(100% 0% 50% / 25%)", (255, 0, 127.5), 0.25), ("hsl(120, 100%, 25%)", (0, 127.5, 0), 1),
    ("hsla(0.5turn 100% 50% / 0.1)", (0, 255, 255), 0.1), ("hsl(-240deg,100%,50%)", (0, 255, 0), 1),
    ("HWB(200 10% 20% / 50%)", (25.5, 144.5, 204), 0.5), ("color(srgb 0 1 none / .25)", (0, 255, 0), 0.25),
    ("#1234", (17, 34, 51), 68 / 255), ("#11223380", (17, 34, 51), 128 / 255), ("transparent", (0, 0, 0), 0)])
def test_css_colours_of_every_kind(text, rgb, alpha):
    assert styles.rgb(text) == pytest.approx(rgb, abs=1e-6)
    assert styles.alpha(text) == pytest.approx(alpha)


@pytest.mark.parametrize("text", ["none", "puce", "#12", "rgb(a,b,c)", "rgb(nan,0,0)", "hsl(1,2)", "url(#x)", ""])
def test_what_is_no_colour(text):
    assert (styles.rgb(text), styles.alpha(text)) == (None, 1)


@pytest.mark.parametrize(("fill", "color", "opacity"), [
    ("currentColor", "#204060", None), ("hsla(0,100%,50%,.5)", "#ff0000", "0.5"), ("teal", "#008080", None),
    ("oklch(51.975% 0.17686 142.495 / 0.5)", "#008000", "0.5"), ("lab(46.2775% -47.5621 48.5837)", "#008000", None)])
def test_colours_of_every_kind_reach_the_engine(editing, fill, color, opacity):
    svg = painted()
    svg.set("color", "#204060")
    find(svg, "gv1-s2").set("fill", fill)
    find(svg, "gv1-s1-fill")[0].set("stop-color", fill)
    _after, said = editing.run("refine", svg, "--id=gv1-s1")
    assert said == ""
    sent = editing.asked()["svg"]
    stroke = next(p for p in sent.iter(SVG + "path") if p.get("id") == "p00002")
    stop = next(sent.iter(SVG + "stop"))
    assert (stroke.get("fill"), stroke.get("fill-opacity")) == (color, opacity)
    assert (stop.get("stop-color"), stop.get("stop-opacity")) == (color, opacity)


def test_a_palette_that_changes_nothing_says_so(editing):
    once, said = editing.run("palette", flat_strokes(), "--id=t0", "--id=t2", "--host_count=1")
    assert said == ""
    twice, said = editing.run("palette", once, "--id=t0", "--id=t2", "--host_count=1")
    assert twice is None
    assert said.startswith("The selected strokes have no other colours than these already; nothing was changed.")


def test_a_palette_keeps_what_colours_let_through(editing):
    svg = flat_strokes()
    find(svg, "t0").set("style", "fill:rgba(250,0,0,.5)")
    after, _said = editing.run("palette", svg, "--id=t0", "--id=t1", "--host_count=1")
    assert float(styles.own(find(after, "t0"), "fill-opacity")) == 0.5
