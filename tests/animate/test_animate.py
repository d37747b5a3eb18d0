"""A drawing's making: what is there when, seen by renderers that are not ours: resvg for frames, rlottie for Lottie."""

import json
import re
import sys

import numpy as np
import pytest
from gradvec.animate.frames import count, drawing_at, frame_size, frames_of
from gradvec.animate.lottie import left_out, lottie
from gradvec.animate.parts import drawing, parts_of
from gradvec.animate.smil import animated_svg
from gradvec.animate.timing import EASINGS, Timing
from gradvec.cli import main
from gradvec.errors import Cancelled, InputError
from gradvec.io import svg
from gradvec.io.video import frames_of as film_frames
from gradvec.io.video import rate_of
from gradvec.model import (
    Document,
    Layer,
    Line,
    LinearGradient,
    Outline,
    RadialGradient,
    Rim,
    Shape,
    SolidColor,
    Stop,
)
from gradvec.progress import CancelToken, Run
from gradvec.tools.render_svg import render_svg
from lxml import etree

W, H = 48, 32


def square(left, top, right, bottom):
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)
    after = np.roll(corners, -1, 0)
    return Outline((np.stack([corners, corners + (after - corners) / 3, corners + (after - corners) * 2 / 3],
                             1).reshape(-1, 2),))


def stops(*colors):
    return tuple(Stop(k / (len(colors) - 1), color) for k, color in enumerate(colors))


def document(texture="none", mask=()):
    """Five parts in three layers, the lowest as large as the picture."""
    red, blue, white = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9), (1.0, 1.0, 1.0)
    ground = Shape(square(0, 0, W, H), LinearGradient(0, 0, W, H, stops(red, (0.9, 0.8, 0.2), blue)), id="a")
    round_ = Shape(square(4, 4, 28, 28), RadialGradient(16, 16, 14, stops(white, blue)), id="b")
    sheer = Shape(square(20, 10, 44, 30), LinearGradient(20, 0, 44, 0, (Stop(0, white, 0.2), Stop(1, red))),
                  opacity=0.5, id="c")
    rimmed = Shape(square(30, 2, 40, 12), SolidColor((0.1, 0.6, 0.2)), rim=Rim((0, 0, 0), 2.0), id="d")
    line = Line(np.array([(6, 20), (12, 8), (30, 30), (42, 20)], float), (0, 0, 0), 3.0, id="e")
    layers = Layer("one", (ground,)), Layer("two", (round_, sheer)), Layer("three", (rimmed,), "", (line,))
    return Document(W, H, layers, texture=texture, mask=mask)


DRAWING = svg.write(document())
COUNT = 5


@pytest.mark.parametrize("easing", EASINGS)
def test_when_and_how_much_are_inverse(easing):
    place, there = EASINGS[easing]
    shares = np.linspace(0, 1, 41)
    assert there(place(shares)) == pytest.approx(shares, abs=1e-12)
    assert (np.diff(place(shares)) > 0).all()
    assert place(shares[[0, -1]]) == pytest.approx([0, 1])


@pytest.mark.parametrize("easing", EASINGS)
@pytest.mark.parametrize("reverse", [False, True])
def test_parts_come_one_after_the_other_and_go_the_other_way_round(easing, reverse):
    timing = Timing(6.0, 2.0, reverse, easing)
    spans = timing.spans(7)
    ordered = spans[::-1] if reverse else spans
    assert ordered[1:, 0] == pytest.approx(ordered[:-1, 1])
    assert (ordered[0, 0], ordered[-1, 1]) == pytest.approx((2, 8) if reverse else (0, 6))
    for number, (begin, end) in enumerate(spans):
        at = timing.opacities((begin + end) / 2, 7)
        assert 0 < at[number] < 1
        assert at.tolist() == [1.0] * number + [at[number]] + [0.0] * (6 - number)
    assert timing.opacities(0.0 if reverse else 8.0, 7).tolist() == [1] * 7
    assert timing.opacities(8.0 if reverse else 0.0, 7).tolist() == [0] * 7


def test_the_nth_frame_holds_the_first_n_strokes_and_the_last_is_the_drawing():
    timing = Timing(COUNT / 10, 0.2, easing="linear")
    frames = list(frames_of(DRAWING, timing, "stroke", 10, (W, H), "#ffffff", Run()))
    assert len(frames) == count(timing, 10) == COUNT + 2
    for number, frame in enumerate(frames, 1):
        root = drawing(DRAWING)
        for later in parts_of(root, "stroke")[number:]:
            later.getparent().remove(later)
        assert (frame == render_svg(etree.tostring(root), W, H)).all()
    assert (frames[-1] == render_svg(DRAWING, W, H)).all()


def test_backwards_the_drawing_comes_first():
    timing = Timing(0.5, 0.2, reverse=True, easing="linear")
    frames = list(frames_of(DRAWING, timing, "layer", 10, (W, H), "#336699", Run()))
    assert (frames[0] == render_svg(DRAWING, W, H, "#336699")).all()
    assert (frames[-1] == (0x33, 0x66, 0x99)).all()


def test_layers_appear_as_wholes_and_fade_in():
    timing = Timing(3.0, 0.0, easing="linear")
    half = drawing_at(DRAWING, timing, "layer", 1.5)
    root = etree.fromstring(half)
    assert len(root.findall(".//{*}path")) == 3
    opacity = [g.get("opacity") for g in root.iter("{*}g") if g.get("opacity")]
    assert opacity == ["0.5000"]
    wanted = (render_svg(drawing_at(DRAWING, timing, "layer", 1.0), W, H).astype(float)
              + render_svg(drawing_at(DRAWING, timing, "layer", 2.0), W, H)) / 2
    assert np.abs(render_svg(half, W, H) - wanted).max() <= 1.5


def test_what_lies_over_the_drawing_stays():
    textured = svg.write(document(texture="impasto", mask=(Shape(square(5, 5, 40, 30), SolidColor((1, 1, 1))),)))
    assert (render_svg(drawing_at(textured, Timing(), "stroke", 10.0), W, H) == render_svg(textured, W, H)).all()
    early = render_svg(drawing_at(textured, Timing(easing="linear"), "stroke", 8 / 5), W, H)
    assert (early[0] == 255).all()
    assert early[10, 10].min() < 200


def test_frames_end_when_the_user_cancels():
    token = CancelToken()
    frames = frames_of(DRAWING, Timing(), "stroke", 10, (W, H), "#ffffff", Run(token=token))
    next(frames)
    token.cancel()
    with pytest.raises(Cancelled):
        list(frames)


@pytest.mark.parametrize("by", ["stroke", "layer"])
@pytest.mark.parametrize("reverse", [False, True])
def test_animations_of_an_svg_follow_the_timing(by, reverse):
    timing = Timing(4.0, 1.0, reverse, "in-out")
    root = etree.fromstring(animated_svg(DRAWING, timing, by, loop=True))
    moving = root.findall(".//{*}animate")
    assert len(moving) == {"stroke": COUNT, "layer": 3}[by]
    spans = timing.spans(len(moving))
    for one, span in zip(moving, spans, strict=True):
        times = [float(time) for time in one.get("keyTimes").split(";")]
        values = [float(value) for value in one.get("values").split(";")]
        assert (one.get("dur"), one.get("repeatCount"), one.getparent().index(one)) == ("5s", "indefinite", 0)
        assert times[0] == 0
        assert times == sorted(times)
        assert times[1:3] == pytest.approx(span / 5, abs=2e-5)
        assert (values[0], values[-1]) == ((1, 0) if reverse else (0, 1))
    once = etree.fromstring(animated_svg(DRAWING, timing, by, loop=False)).find(".//{*}animate")
    assert (once.get("fill"), once.get("repeatCount")) == ("freeze", None)


def test_an_animated_svg_shows_the_drawing_where_nothing_plays_and_can_be_animated_again():
    once = animated_svg(DRAWING, Timing(), "stroke", loop=False, size=96)
    assert (render_svg(once, W, H) == render_svg(DRAWING, W, H)).all()
    assert animated_svg(once, Timing(), "stroke", loop=False, size=96) == once
    scripted = DRAWING.replace(b"<defs>", b"<script>1</script><defs>")
    assert b"<script" not in animated_svg(scripted, Timing(), "layer", True)
    assert re.search(rb'width="96" height="64"', once)


def test_a_part_keeps_its_own_opacity():
    sheer = DRAWING.replace(b'<path id="b"', b'<path id="b" style="opacity:0.25"')
    found = etree.fromstring(animated_svg(sheer, Timing(easing="linear"), "stroke", False)).findall(".//{*}animate")
    assert found[1].get("values") == "0;0;0.25;0.25"
    assert (render_svg(drawing_at(sheer, Timing(), "stroke", 10.0), W, H) == render_svg(sheer, W, H)).all()


def played(data, frame):
    """(H, W, 3) of one frame of a Lottie, on white, by rlottie."""
    from rlottie_python import LottieAnimation

    animation = LottieAnimation.from_data(data.decode())
    width, height = animation.lottie_animation_get_size()
    assert animation.lottie_animation_get_totalframe() >= frame
    pixels = np.frombuffer(animation.lottie_animation_render(frame_num=frame), np.uint8)
    pixels = pixels.reshape(height, width, 4).astype(float)  # blue, green, red, opacity; premultiplied
    return pixels[..., 2::-1] + (255 - pixels[..., 3:])


@pytest.mark.parametrize("by", ["stroke", "layer"])
def test_a_lottie_player_shows_the_drawing_at_its_end(by):
    timing = Timing(4.0, 1.0, easing="linear")
    data = lottie(DRAWING, timing, by, 10, size=2 * W)
    shown, wanted = played(data, 49), render_svg(DRAWING, 2 * W, 2 * H).astype(float)
    assert np.abs(shown - wanted).mean() < 1.5  # 8 bits a colour on the way, and edges that are antialiased otherwise
    assert np.percentile(np.abs(shown - wanted), 97) < 8
    assert (played(data, 0) == 255).all()


def test_a_lottie_player_shows_the_first_strokes_in_between():
    timing = Timing(5.0, 0.0, easing="linear")
    data = lottie(DRAWING, timing, "stroke", 10)
    for number in range(1, COUNT):
        wanted = render_svg(drawing_at(DRAWING, timing, "stroke", number), W, H).astype(float)
        assert np.abs(played(data, 10 * number) - wanted).mean() < 2.0
    backwards = lottie(DRAWING, Timing(5.0, 1.0, True, "linear"), "stroke", 10)
    assert np.abs(played(backwards, 5) - render_svg(DRAWING, W, H)).mean() < 2.0
    assert np.abs(played(backwards, 59) - 255.0).mean() < 15


def test_a_lottie_has_the_gradients_of_the_drawing():
    made = json.loads(lottie(DRAWING, Timing(), "stroke", 25))
    items = [item for layer in made["layers"] for group in layer["shapes"] for item in group["it"]]
    gradients = [item for item in items if item["ty"] == "gf"]
    assert sorted((item["t"], item["g"]["p"]) for item in gradients) == [(1, 3), (1, 9), (2, 2)]
    assert (made["op"], made["fr"], made["w"], made["h"]) == (250, 25, W, H)
    assert left_out(DRAWING) == []
    assert left_out(svg.write(document(texture="paper"))) == ["its texture"]


def test_what_shows_nothing_is_refused():
    empty = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><defs><path d="M0 0h4v4z"/></defs></svg>'
    for make in (lambda: animated_svg(empty, Timing(), "stroke", False), lambda: lottie(empty, Timing(), "stroke", 25),
                 lambda: drawing_at(empty, Timing(), "stroke", 1)):
        with pytest.raises(InputError, match="nothing in this drawing"):
            make()


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.svg").write_bytes(DRAWING)
    return tmp_path


@pytest.mark.parametrize("ending", ["mp4", "webm", "gif"])
def test_films_are_written_by_the_command_line(ending, drawn):
    assert main(["animate", "in.svg", "-o", f"out.{ending}", "--seconds", "0.6", "--hold", "0.2", "--fps", "10",
                 "--size", "96", "--quiet", "--easing", "linear"]) == 0
    frames = list(film_frames(drawn / f"out.{ending}"))
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 8
    wanted = render_svg(DRAWING, 96, 64).astype(float)
    assert np.abs(frames[-1] - wanted).mean() < 6  # few colours, or halved colour planes
    assert np.abs(frames[0] - wanted).mean() > 20
    assert rate_of(drawn / f"out.{ending}") == pytest.approx(10)
    assert frame_size(DRAWING, 35) == (36, 24)


@pytest.mark.parametrize("loops", [False, True])
def test_a_gif_says_whether_it_is_played_again(loops, drawn):
    assert main(["animate", "in.svg", "-o", "out.gif", "--seconds", "0.2", "--hold", "0", "--quiet",
                 *(["--loop"] if loops else [])]) == 0
    assert (b"NETSCAPE2.0" in (drawn / "out.gif").read_bytes()) is loops


def test_vectors_are_written_by_the_command_line(drawn, capsys):
    (drawn / "textured.svg").write_bytes(svg.write(document(texture="paper")))
    assert main(["animate", "in.svg", "-o", "out.svg", "--by", "layer", "--loop"]) == 0
    assert len(etree.parse("out.svg").findall(".//{*}animate")) == 3
    assert main(["animate", "textured.svg", "-o", "out.json"]) == 0
    assert "its texture" in capsys.readouterr().err
    assert json.loads((drawn / "out.json").read_text())["op"] == 250


@pytest.mark.parametrize(("words", "code", "says"), [
    (["in.svg", "-o", "out.avi"], 2, "none of .svg"), (["gone.svg", "-o", "out.svg"], 3, "no file"),
    (["in.svg", "-o", "out.mp4", "--loop"], 2, "how often"), (["in.svg", "-o", "in.svg"], 3, "input itself"),
    (["in.svg", "-o", "out.gif", "--fps", "60"], 2, "at most 50"),
    (["in.svg", "-o", "out.svg", "--seconds", "0"], 2, "0.1"),
    (["in.svg", "-o", "out.mp4", "--background", "mud"], 3, "no colour")])
def test_wrong_use_is_told(words, code, says, drawn, capsys):
    assert main(["animate", *words]) == code
    assert says in capsys.readouterr().err
    assert sorted(path.name for path in drawn.iterdir()) == ["in.svg"]


def test_without_the_library_a_film_is_refused_and_a_vector_is_not(drawn, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert main(["animate", "in.svg", "-o", "out.mp4"]) == 2
    assert "pip install 'gradvec[film]', or write .svg or .json" in capsys.readouterr().err
    assert main(["animate", "in.svg", "-o", "out.json"]) == 0
