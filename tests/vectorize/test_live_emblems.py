"""Emblems of known shapes come back as those shapes, judged by resvg."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from gradvec.errors import Cancelled
from gradvec.geometry.attention import Attention
from gradvec.geometry.repair import crossings
from gradvec.io import images
from gradvec.io.images import png_bytes
from gradvec.io.svg import write
from gradvec.jobs import run_job
from gradvec.model import Document, Layer, LinearGradient, Shape, SolidColor, Target
from gradvec.options import Options
from gradvec.pipeline import vectorize_picture
from gradvec.progress import CancelToken, Run
from gradvec.settings import vectorize_settings
from gradvec.stages.vectorize import build as work
from gradvec.stages.vectorize.initialize import circle
from gradvec.stages.vectorize.schedule import stages
from gradvec.stages.vectorize.weights import distance_weight, patience
from gradvec.tools.compare import compare, psnr, render_svg
from live_emblems import EMBLEMS, paths, png


def build(target, schedule, options, run):
    """Paths for these options."""
    return work.build(target, schedule, vectorize_settings(options), run)


FLAT = Options(gradient="flat", cubics=16, opaque=True)


@pytest.mark.parametrize(("name", "gradient"), [("badge", "flat"), ("cross", "flat"), ("ring", "refined"),
                                                ("gradients", "auto"), ("letters", "refined"), ("clear", "flat")])
def test_an_emblem_is_found_with_its_own_number_of_paths(name, gradient):
    data, options = png(name), replace(FLAT, gradient=gradient, strokes=paths(name))
    result = vectorize_picture(data, options, name=name)
    found = compare(write(result.document, relative=True), data)
    shapes = [s for s in result.document.shapes if s.id != "underpainting"]
    assert len(shapes) == paths(name)
    assert found.psnr >= 36
    assert all(crossings(shape.outline) == 0 for shape in shapes)
    assert all(shape.outline.segments <= 2 * options.cubics for shape in shapes)
    assert result.document.meta["schedule"] == list(stages(paths(name)))
    if EMBLEMS[name][0] is None:
        assert result.document.layers[0].key == "level-1", "nothing is painted under a transparent picture"
        on_black = render_svg(write(result.document), 200, 200, "#000000")
        seen = images.load(data, 512)
        assert np.abs(on_black - seen.rgb * seen.alpha[..., None] * 255).mean() < 1


@pytest.mark.parametrize("name", ["badge", "cross"])
def test_shapes_that_hide_each_other_are_found_in_one_stage(name):
    data = png(name)
    result = vectorize_picture(data, FLAT, schedule=(4,))
    assert result.report.paths == 4
    assert compare(write(result.document), data).psnr >= 36


@pytest.fixture(scope="module")
def small():
    """The cross at a size that is quick."""
    return images.load(png("cross"), 64)


def test_fills_are_as_asked_for(small):
    flat = build(small, (1, 1), FLAT, Run())
    assert all(isinstance(s.fill, SolidColor) for s in flat.shapes)
    refined = build(small, (1, 1), replace(FLAT, gradient="kmeans"), Run())
    assert all(isinstance(s.fill, LinearGradient) for s in refined.shapes)
    auto = build(images.load(png("cross"), 100), (1, 1, 2), replace(FLAT, gradient="auto"), Run())
    assert all(isinstance(s.fill, SolidColor) for s in auto.shapes), "the eye sees no gradient in a flat bar"


def test_opaque_paths_are_opaque_and_others_may_fade(small):
    assert all(s.opacity == 1.0 for s in build(small, (2,), FLAT, Run()).shapes)
    veil = np.full((64, 64, 3), 1.0, np.float32)
    veil[10:50, 10:50] = (0.5, 0.5, 1.0)
    fading = build(Target(veil, np.ones((64, 64), np.float32), (64, 64)), (1,), replace(FLAT, opaque=False), Run())
    assert 0 < fading.shapes[0].opacity <= 1.0


def test_the_ground_is_trained_given_or_bare(small):
    assert np.allclose(build(small, (4,), FLAT, Run()).ground, 1.0, atol=0.01)
    assert build(small, (1,), replace(FLAT, background="#336699"), Run()).ground == (0.2, 0.4, 0.6)
    assert build(small, (1,), replace(FLAT, background="none"), Run()).ground is None


def checks() -> Target:
    """Fields of 8 px, each in a tone of its own, everywhere alike."""
    tones = np.random.default_rng(5).uniform(0, 1, (8, 16, 3))
    return Target(np.kron(tones, np.ones((8, 8, 1))).astype(np.float32), np.ones((64, 128), np.float32), (128, 64))


def test_paths_gather_and_are_closer_where_a_detail_map_is_bright():
    target, left = checks(), np.zeros((8, 16))
    left[:, :8] = 1
    settings = vectorize_settings(replace(FLAT, detail=0.8))
    shown, there = [], []
    for attention in (Attention.marked(left), None):
        built = work.build(target, (1, 3, 12), settings, Run(), attention)
        middles = [np.concatenate(shape.outline.loops).mean(0)[0] for shape in built.shapes]
        there.append(np.mean(np.array(middles) < 64))
        document = Document(128, 64, (Layer("paths", tuple(built.shapes)),))
        ground = "#" + "".join(f"{round(255 * value):02x}" for value in built.ground)
        error = np.square(render_svg(write(document), 128, 64, ground) / 255 - target.rgb).mean(-1)
        shown.append(error[:, :64].mean())
    assert there[0] > there[1] + 0.2
    assert shown[0] < 0.9 * shown[1]


def test_the_shapes_look_heeds_a_detail_map():
    picture, left = png_bytes(checks().rgb), np.zeros((8, 16))
    left[:, :8] = 1
    plain, marked = (run_job("paint", {"look": "shapes", "strokes": 6, "size": 64},
                             {"picture": picture, **more}, {}, Run())[0]["svg"]
                     for more in ({}, {"detail-map": png_bytes(left)}))
    assert plain != marked


def test_a_picture_of_one_color_needs_no_path():
    plain = Target(np.full((20, 30, 3), 0.25, np.float32), np.ones((20, 30), np.float32), (30, 20))
    found = build(plain, (1, 1, 2), FLAT, Run())
    assert found.shapes == []
    assert np.allclose(found.ground, 0.25)
    result = vectorize_picture(images.png_bytes(plain.rgb), FLAT, schedule=(2,))
    assert result.report.paths == 0
    assert result.report.psnr > 45


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 2)])
def test_tiny_pictures_are_no_trouble(size):
    rng = np.random.default_rng(1)
    data = images.png_bytes(rng.uniform(size=(*size, 3)).astype(np.float32))
    result = vectorize_picture(data, FLAT, schedule=(1, 1))
    assert min(result.document.height, result.document.width) == 8, "pictures are at least 8 px wide"
    assert result.report.paths == 0 if size == (1, 1) else 1 <= result.report.paths <= 2


def test_the_same_picture_gives_the_same_paths(small):
    one, other = (build(small, (1, 2), FLAT, Run()) for _ in range(2))
    for a, b in zip(one.shapes, other.shapes, strict=True):
        assert a.fill == b.fill
        assert all(np.array_equal(p, q) for p, q in zip(a.outline.loops, b.outline.loops, strict=True))


def test_stages_become_layers_unless_asked_otherwise():
    boxes = np.ones((64, 64, 3), np.float32)
    boxes[4:40, 4:30], boxes[4:24, 36:58], boxes[46:58, 40:58] = (0.8, 0, 0), (0, 0.5, 0), (0, 0, 0.8)
    data = images.png_bytes(boxes)
    layered = vectorize_picture(data, FLAT, schedule=(1, 1, 1)).document
    assert [layer.key for layer in layered.layers] == ["underpainting", "level-1", "level-2", "level-3"]
    single = vectorize_picture(data, replace(FLAT, layers="none"), schedule=(1, 1, 1)).document
    assert [layer.key for layer in single.layers] == ["underpainting", "strokes"]


def test_stop_and_keep_ends_early_with_what_there_is():
    data, token = png("cross"), CancelToken()
    token.stop_and_keep()
    result = vectorize_picture(data, FLAT, Run(token=token), (1, 1, 2))
    assert result.report.paths == 1
    assert result.report.refined.steps == 0
    assert result.report.psnr > 9


def test_cancel_ends_it():
    token, steps = CancelToken(), []

    def progress(report):
        steps.append(report)
        if len(steps) == 20:
            token.cancel()

    with pytest.raises(Cancelled):
        vectorize_picture(png("cross"), FLAT, Run(on_progress=progress, token=token), (2, 2))
    assert len(steps) == 20


def test_progress_rises_to_the_end_and_previews_are_offered(small):
    seen, previews = [], []
    run = Run(on_progress=lambda p: seen.append(p.fraction), on_preview=lambda make: previews.append(make()))
    build(small, (1, 1), FLAT, run)
    assert seen == sorted(seen)
    assert seen[-1] > 0.9
    assert previews[0].shape == (64, 64, 3)
    assert previews[0].dtype == np.uint8


def test_the_engine_process_knows_the_job():
    payloads, facts = run_job("vectorize", {**FLAT.to_dict(), "strokes": 3, "size": 64}, {"picture": png("ring")},
                              {"name": "ring.png", "schedule": "1,2"}, Run())
    assert payloads["svg"].count(b"<path") == 4, "the underpainting and three paths"
    assert facts["paths"] == 3
    assert threading.active_count() < 50


def test_the_weight_is_largest_at_the_contours():
    plain = Target(np.zeros((80, 80, 3), np.float32), np.ones((80, 80), np.float32), (80, 80))
    weight = distance_weight([Shape(circle(40, 40, 20), SolidColor((0, 0, 0)))], plain)
    assert weight.mean() == pytest.approx(1, abs=1e-4)
    assert weight[40, 60] > 3 * weight[40, 40]
    assert weight[40, 60] > 3 * weight[2, 2]
    assert (distance_weight([], plain) == 1).all()


def test_patience_spares_what_is_wrong_all_over_but_not_edges():
    error = np.zeros((40, 40))
    error[:, 20] = 1.0
    error[5:15, 5:15] = 1.0
    factor = patience(error)
    assert factor[30, 20] == 1
    assert factor[10, 10] < 0.05


def test_a_large_picture_is_looked_at_smaller_and_comes_back_in_its_own_size(monkeypatch):
    monkeypatch.setattr(work, "REDUCED_AREA", 4000)
    monkeypatch.setattr(work, "REDUCED_SHAPE_AREA", 100)
    data, seen = png("cross"), []
    target = images.load(data, 192)
    run = Run(on_preview=lambda make: seen.append(make().shape))
    result = vectorize_picture(data, replace(FLAT, strokes=paths("cross"), size=192), run)
    assert (result.document.width, result.document.height) == (target.width, target.height)
    assert max(seen)[0] < 80
    wanted = np.rint(target.rgb * 255).astype(np.uint8)
    shown = render_svg(write(result.document), target.width, target.height)
    assert psnr(wanted, shown) > 26
