"""One table of looks, read by the command line, the wire and the engine's jobs; textures as filters."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.errors import UsageError
from gradvec.io import svg
from gradvec.io.crop import Crop
from gradvec.io.images import png_bytes
from gradvec.io.svg import texture
from gradvec.jobs import run_job
from gradvec.looks import DEFAULT, LOOKS, NAMES, PLAIN, look_of
from gradvec.model import Document, Layer, LinearGradient, Outline, Rim, Shape, SolidColor, Stop, Target
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.progress import Run
from gradvec.stages import paper
from gradvec.tools.compare import render_svg
from scipy.ndimage import gaussian_filter

ONCE = png_bytes(np.random.default_rng(2).random((32, 32, 3)))
TWICE = png_bytes(np.tile(np.random.default_rng(2).random((32, 32, 3)), (2, 2, 1)))
CLOUDS = png_bytes(gaussian_filter(np.random.default_rng(3).random((64, 64, 3)), (4, 4, 0)) * 4 % 1)
PICTURE = png_bytes(np.random.default_rng(1).random((6, 8, 3)).repeat(6, 0).repeat(6, 1))


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_a_look_is_a_set_of_options_that_others_override(look):
    options = Options.from_dict({"look": look.name})
    assert {name: getattr(options, name) for name in look.options} == look.options
    assert Options.from_dict({"look": look.name, "strokes": 77, "texture": "canvas"}).strokes == 77
    # What was stored of a run gives the same run again.
    assert Options.from_dict(json.loads(json.dumps(options.to_dict()))) == options
    assert look.about
    assert look.label


def test_painting_takes_the_default_look_and_plain_options_none():
    assert Options() == Options.from_dict({"look": PLAIN})
    assert look_of(PLAIN).options == {}
    assert Options.for_job("paint", {}) == Options.from_dict({"look": DEFAULT})
    assert Options.for_job("paint", {"fidelity": 1.0}).fidelity == 1.0
    assert Options.for_job("refine", {}).look == PLAIN


def test_the_command_line_lists_them(capsys):
    assert main(["looks"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{look.label}: {look.about}" in shown for look in LOOKS)
    assert main(["looks", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == list(NAMES)


def test_the_page_about_looks_shows_the_table():
    page = (Path(__file__).resolve().parents[2] / "docs" / "looks.md").read_text(encoding="utf-8")
    for look in LOOKS:
        row = next(line for line in page.splitlines() if line.startswith(f"| {look.label} | `{look.name}` |"))
        assert look.about in row
        for name, value in look.options.items():
            assert f"`{name}` {str(value).lower() if isinstance(value, bool) else value}" in row


def test_the_shapes_look_builds_up_instead_of_painting():
    answer, _ = run_job("paint", {"look": "shapes", "strokes": 3, "size": 32}, {"picture": PICTURE}, {}, Run())
    assert svg.read(answer["svg"]).meta["job"] == "vectorize"


def drawing(name="none", scale=1.0):
    loop = np.array([[10, 10], [20, 10], [30, 10], [40, 10], [40, 20], [40, 30], [40, 40], [30, 40], [20, 40],
                     [10, 40], [10, 30], [10, 20]], float) * scale
    ground = np.array([[0, 0], [20, 0], [40, 0], [64, 0], [64, 20], [64, 40], [64, 64], [40, 64], [20, 64], [0, 64],
                       [0, 40], [0, 20]], float) * scale
    shapes = (Shape(Outline((ground,)), SolidColor((0.9, 0.85, 0.7))),
              Shape(Outline((loop,)), SolidColor((0.2, 0.3, 0.6)), brush="oil"))
    side = round(64 * scale)
    return Document(side, side, (Layer("strokes", shapes),), texture=name)


@pytest.mark.parametrize("name", texture.NAMES)
def test_a_texture_changes_the_picture_a_little_and_keeps_it(name):
    plain, textured = (render_svg(svg.write(drawing(n)), 256, 256).astype(float) for n in ("none", name))
    change = np.abs(plain - textured)
    assert change.mean() > (0.1 if name in ("cut", "soft") else 0.5)  # these change at edges only
    assert np.abs(plain.mean((0, 1)) - textured.mean((0, 1))).max() < 9
    assert (textured > 0).any(-1).all()


@pytest.mark.parametrize("name", texture.NAMES)
def test_a_texture_is_as_large_as_the_picture_asks_for(name):
    small, large = (render_svg(svg.write(drawing(name, scale)), 256, 256).astype(float) for scale in (1.0, 4.0))
    assert np.abs(small - large).mean() < 1.5


@pytest.mark.parametrize("name", texture.NAMES)
def test_a_texture_is_at_the_border_as_bright_as_inside(name):
    side = 512
    reach = [-9, side / 3, side / 1.5, side + 9]
    ground = np.array([(x, -9) for x in reach] + [(side + 9, y) for y in reach[1:]]
                      + [(x, side + 9) for x in reach[-2::-1]] + [(-9, y) for y in reach[-2:0:-1]], float)
    flat = Shape(Outline((ground,)), SolidColor((0.35, 0.4, 0.5)), brush="oil")
    document = Document(side, side, (Layer("strokes", (flat,)),), texture=name)
    seen = render_svg(svg.write(document), 3 * side, 3 * side).astype(float).mean(-1)
    inside = seen[side:-side, side:-side].mean()
    for strip in (seen[0], seen[:, 0], seen[-1], seen[:, -1]):
        assert abs(strip.mean() - inside) < 4


def test_the_file_without_its_texture_is_the_file_without_a_texture():
    plain, textured = svg.read(svg.write(drawing())), svg.read(svg.write(drawing("paper")))
    assert [s.outline.loops[0].tolist() for s in plain.shapes] == [s.outline.loops[0].tolist() for s in textured.shapes]
    assert b"<filter" not in svg.write(drawing())
    assert svg.write(drawing("paper")).count(b"filter=") == 1


def test_a_rim_and_a_brush_survive_the_file():
    stroke = drawing().shapes[1]
    rim = Rim((0.2, 0.4, 0.6), 1.25, 0.5)
    document = Document(64, 64, (Layer("a", (Shape(stroke.outline, stroke.fill, brush="watercolor", rim=rim),)),))
    (back,) = svg.read(svg.write(document)).shapes
    assert back.brush == "watercolor"
    assert back.rim == Rim(back.rim.color, 1.25, 0.5)
    assert back.rim.color == pytest.approx(rim.color, abs=1 / 255)
    shown = render_svg(svg.write(document), 64, 64)
    assert abs(int(shown[25, 9, 0]) - 255) > 20, "half of the rim lies outside"


def test_washes_get_darker_rims_and_light_places_stay_paper():
    stops = (Stop(0.0, (0.8, 0.4, 0.2)), Stop(1.0, (0.4, 0.4, 0.6)))
    wash = Shape(drawing().shapes[1].outline, LinearGradient(10, 10, 40, 10, stops), 0.5, brush="watercolor")
    (rimmed, plain) = paper.with_rims([wash, drawing().shapes[1]], 0.0)
    assert plain.rim is None
    assert np.all(np.array(rimmed.rim.color) < np.array([0.6, 0.4, 0.4]))
    assert paper.with_rims([wash], 0.5)[0].rim is None
    pale = replace(wash, fill=SolidColor((0.93, 0.9, 0.92)))
    thin = paper.with_rims([pale], 0.0)[0].rim
    assert thin.opacity < 0.6 * rimmed.rim.opacity, "or it would be a wire on white"
    assert 0.8 < thin.color[0] < 0.93
    rgb = np.stack([np.full((4, 4, 3), v) for v in (0.1, 0.95)]).reshape(8, 4, 3).astype(np.float32)
    target = Target(rgb, np.ones((8, 4), np.float32), (4, 8))
    bare = paper.left_bare(target, (1.0, 1.0, 1.0), 0.9)
    assert np.array_equal(bare.rgb[:4], rgb[:4])
    assert np.allclose(bare.rgb[4:], 1.0)
    yellow, sky = np.array([0.95, 0.85, 0.2], np.float32), np.array([0.85, 0.93, 1.0], np.float32)
    light = replace(target, rgb=np.broadcast_to([[yellow, sky]], (8, 2, 3)).copy(), alpha=np.ones((8, 2), np.float32))
    left = paper.left_bare(light, (1.0, 1.0, 1.0), 0.86).rgb
    assert np.abs(left[:, 0] - yellow).max() < 0.02  # as light as the sky, and no paper
    assert np.abs(left[:, 1] - 1).max() < 0.02
    assert paper.left_bare(target, (0.2, 0.2, 0.2), 0.9) is target
    assert paper.left_bare(target, None, 0.9) is target


def test_a_draft_shows_a_part_of_the_picture():
    answer, facts = run_job("draft", {"strokes": 200, "size": 32}, {"picture": PICTURE},
                            {"crop": [0.5, 0.0, 0.5, 1.0]}, Run())
    document = svg.read(answer["svg"])
    assert (document.width, document.height) == (16, 24)
    assert facts["paths"] <= 60
    assert answer["png"].startswith(b"\x89PNG")


def test_what_was_drawn_on_the_picture_lies_where_it_was_in_a_part():
    part = Crop(0.5, 0.25, 0.25, 0.5)
    (line,) = part.lines([np.array([[0.5, 0.25], [0.75, 0.75], [0.0, 0.5]])])
    assert line == pytest.approx(np.array([[0, 0], [1, 1], [-2, 0.5]]))
    whole = np.arange(16 * 8).reshape(8, 16)
    assert np.array_equal(part.plane(whole), whole[2:6, 8:12])


def test_a_draft_of_a_part_follows_its_part_of_the_guide_lines():
    """A line down a quarter of the picture is in a draft of that quarter what one down the middle is in the whole."""
    drafts = [svg.read(run_job("draft", {"strokes": 30, "size": 32}, {"picture": picture},
                               {"guides": [[[x, 0.0], [x, 2 * x]]], **crop}, Run())[0]["svg"])
              for picture, x, crop in ((TWICE, 0.25, {"crop": [0, 0, 0.5, 0.5]}), (ONCE, 0.5, {}))]
    assert [shape.outline.loops[0].tolist() for shape in drafts[0].shapes] == [
        shape.outline.loops[0].tolist() for shape in drafts[1].shapes]


def cloudy(*guides) -> list[Document]:
    """Five paintings of a picture that has no direction of its own, since a dozen strokes may lie either way by
    chance."""
    return [svg.read(run_job("paint", {"strokes": 60, "size": 64, "detail": 0.0, "seed": seed}, {"picture": CLOUDS},
                             {"guides": list(guides)}, Run())[0]["svg"]) for seed in range(5)]


@pytest.fixture(scope="module")
def unguided() -> list[Document]:
    return cloudy()


def along(direction: np.ndarray, paintings: list[Document]) -> float:
    """How far strokes near the picture's middle line of that direction run along it: mean of the cosines of twice the
    angles between, so 1 along, -1 across."""
    turned = []
    for painting in paintings:
        for shape in painting.shapes[1:]:
            points = np.concatenate(shape.outline.loops)
            away = (points.mean(0) / 64 - 0.5) @ (-direction[1], direction[0])
            if abs(away) < 0.12:
                axis = np.linalg.svd(points - points.mean(0))[2][0]
                turned.append(2 * (axis @ direction) ** 2 - 1)
    assert len(turned) >= 24
    return float(np.mean(turned))


@pytest.mark.parametrize("angle", [0, 60, 120])
def test_strokes_near_a_guide_line_run_along_it(angle, unguided):
    direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    guided = along(direction, cloudy([(0.5 - 0.45 * direction).tolist(), (0.5 + 0.45 * direction).tolist()]))
    assert guided > 0.45
    assert guided - along(direction, unguided) > 0.3


def test_a_draft_heeds_a_detail_map():
    bright = np.zeros((24, 32))
    bright[:, :8] = 1
    plain, marked = (run_job("draft", {"strokes": 30, "size": 32}, {"picture": ONCE, **more}, {}, Run())[0]["svg"]
                     for more in ({}, {"detail-map": png_bytes(bright)}))
    assert plain != marked


@pytest.mark.parametrize("crop", [[0, 0, 1.2, 1], [-0.1, 0, 1, 1], [0, 0, 0.01, 1], [0, 0, 1], "half"])
def test_parts_outside_the_picture_are_refused(crop):
    with pytest.raises(UsageError, match=r"part of the picture|does not lie in"):
        Crop.from_list(crop)


def test_guide_lines_that_are_none_are_refused():
    with pytest.raises(UsageError, match="guide lines"):
        run_job("paint", {"strokes": 2, "size": 16}, {"picture": PICTURE}, {"guides": [[0.1, 0.2]]}, Run())


def test_soft_opacity_survives_without_rings():
    y, x = np.mgrid[0:64, 0:64] / 32 - 1
    far = np.hypot(x, y)
    alpha = np.clip(1.25 - 1.4 * far, 0, 1)
    rgba = np.dstack([np.full((64, 64), 0.2), np.full((64, 64), 0.3), np.full((64, 64), 0.5), alpha])
    options = Options(strokes=12, size=64, fidelity=0.0, look="photo")
    result = paint_picture(png_bytes(rgba), options)
    data = svg.write(result.document)
    white, black = (render_svg(data, 64, 64, ground).astype(float) for ground in ("#ffffff", "#000000"))
    shown = 1 - (white - black).mean(2) / 255
    assert np.abs(shown - alpha).mean() <= 2 / 255
    # Our own engine shows the same.
    assert np.abs(result.predicted - white / 255).mean() < 0.01


def test_hard_and_opaque_edges_get_no_mask():
    from gradvec.stages.soft_edges import soft_mask

    rgb = np.zeros((40, 40, 3), np.float32)
    y, x = np.mgrid[0:40, 0:40]
    disk = np.clip(15.5 - np.hypot(x - 20, y - 20), 0, 1).astype(np.float32)
    assert soft_mask(Target(rgb, disk, (40, 40))) == ()
    assert soft_mask(Target(rgb, np.ones_like(disk), (40, 40))) == ()
