"""Editing jobs as the host runs them: bytes in, an SVG in the picture's own px out, nothing else changed."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from gradvec.edit import Workspace
from gradvec.edit.workspace import bounds
from gradvec.errors import InputError, UsageError
from gradvec.io import svg
from gradvec.jobs import run_job
from gradvec.model import Document, Layer, LinearGradient, Outline, Shape, SolidColor, Stop
from gradvec.progress import Run
from gradvec.render import render
from gradvec.render.scene import scene_from_shapes
from PIL import Image

SIZE = 96
BLUE, RED, PAPER = (0.1, 0.2, 0.7), (0.8, 0.15, 0.1), (0.9, 0.9, 0.8)


def ellipse(cx: float, cy: float, rx: float, ry: float, fill: object, name: str) -> Shape:
    k = 4 / 3 * math.tan(math.pi / 8)
    loop = []
    for n in range(4):
        a, b = n * math.pi / 2, (n + 1) * math.pi / 2
        p, q = np.array([math.cos(a), math.sin(a)]), np.array([math.cos(b), math.sin(b)])
        loop += [p, p + k * np.array([-p[1], p[0]]), q - k * np.array([-q[1], q[0]])]
    return Shape(Outline((np.array(loop) * [rx, ry] + [cx, cy],)), fill, id=name)  # type: ignore[arg-type]


def ground(size: float = SIZE) -> Shape:
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], float)
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    return Shape(Outline((loop,)), SolidColor(PAPER), id="ground")


def picture(shapes: list[Shape], size: int = SIZE) -> bytes:
    rgba = render(scene_from_shapes(shapes, size, size), "cpu").numpy()
    out = io.BytesIO()
    Image.fromarray((rgba[..., :3] * 255 + 0.5).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def drawing(*shapes: Shape) -> bytes:
    return svg.write(Document(SIZE, SIZE, (Layer("strokes", shapes, "strokes"),)))


def iou(a: Shape, b: Shape) -> float:
    x, y = (render(scene_from_shapes([s], SIZE, SIZE), "cpu").numpy()[..., 3] for s in (a, b))
    return float(np.minimum(x, y).sum() / np.maximum(x, y).sum())


def likeness(shapes: list[Shape]) -> float:
    """dB between the shapes and what is wanted."""
    a, b = (render(scene_from_shapes(s, SIZE, SIZE), "cpu").numpy()[..., :3] for s in (shapes, WANTED))
    return -10 * math.log10(((a - b) ** 2).mean())


WANTED = [ground(), ellipse(30, 40, 18, 12, SolidColor(BLUE), "one"), ellipse(66, 60, 14, 18, SolidColor(RED), "two")]
OPTIONS = {"size": SIZE, "fidelity": 1.0, "opaque": True, "seed": 3}


def run(kind: str, payloads: dict[str, bytes], info: dict | None = None, **options: object) -> tuple[list[Shape], dict]:
    answer, facts = run_job(kind, {**OPTIONS, **options}, payloads, info or {}, Run())
    return svg.read(answer["svg"]).shapes, facts


def test_refine_moves_the_selected_stroke_alone() -> None:
    off = ellipse(34, 46, 14, 14, SolidColor((0.4, 0.4, 0.4)), "one")
    shapes, facts = run("refine", {"picture": picture(WANTED), "svg": drawing(WANTED[0], off, WANTED[2])},
                        {"selected": ["one"], "what": "both"}, gradient="flat")
    assert [s.id for s in shapes] == ["one"]
    assert facts["dropped"] == []
    assert iou(shapes[0], WANTED[1]) > 0.95


def test_refine_gradients_leaves_the_outline_and_outlines_leave_the_colours() -> None:
    fill = LinearGradient(20, 40, 40, 40, (Stop(0, (0.3, 0.3, 0.3)), Stop(1, (0.5, 0.5, 0.5))))
    start = ellipse(33, 43, 16, 12, fill, "one")
    payloads = {"picture": picture(WANTED), "svg": drawing(WANTED[0], start, WANTED[2])}
    (colored,), _ = run("refine", payloads, {"selected": ["one"], "what": "gradients"})
    (moved,), _ = run("refine", payloads, {"selected": ["one"], "what": "outlines"})
    assert iou(colored, start) > 0.99
    assert likeness([WANTED[0], colored, WANTED[2]]) > likeness([WANTED[0], start, WANTED[2]]) + 2
    ours, theirs = (scene_from_shapes([shape], SIZE, SIZE).stop_color.numpy() for shape in (moved, start))
    assert ours[:, :3].min() >= theirs[:, :3].min() - 0.01
    assert ours[:, :3].max() <= theirs[:, :3].max() + 0.01
    assert iou(moved, WANTED[1]) > iou(start, WANTED[1])


def test_an_artists_path_keeps_its_nodes() -> None:
    """A star of 22 sides, more than strokes get: gradients leave it alone, outlines move what there is."""
    angle = np.arange(22) * math.pi / 11
    corners = np.stack([np.cos(angle), np.sin(angle)], 1) * np.where(np.arange(22) % 2, 9, 16)[:, None] + [33, 43]
    step = np.roll(corners, -1, 0) - corners
    loop = np.stack([corners, corners + step / 3, corners + step * 2 / 3], 1).reshape(-1, 2)
    start = Shape(Outline((loop,)), SolidColor((0.3, 0.3, 0.3)), id="one")
    payloads = {"picture": picture(WANTED), "svg": drawing(WANTED[0], start, WANTED[2])}
    (colored,), _ = run("refine", payloads, {"selected": ["one"], "what": "gradients"}, cubics=8)
    assert np.abs(colored.outline.loops[0] - loop).max() < 0.02
    (moved,), _ = run("refine", payloads, {"selected": ["one"], "what": "outlines"}, cubics=8)
    assert moved.outline.segments >= 18
    assert iou(moved, WANTED[1]) > iou(start, WANTED[1])


def test_strokes_get_no_more_nodes_than_they_need() -> None:
    """Free outlines may have 16 segments while they move; an ellipse needs four or five of them."""
    start = ellipse(33, 43, 16, 12, SolidColor(BLUE), "one")
    payloads = {"picture": picture(WANTED), "svg": drawing(WANTED[0], start, WANTED[2])}
    (moved,), _ = run("refine", payloads, {"selected": ["one"], "what": "both"})
    assert moved.outline.segments <= 8
    assert iou(moved, WANTED[1]) > 0.97


def test_refine_says_when_nothing_is_selected() -> None:
    payloads = {"picture": picture(WANTED), "svg": drawing(*WANTED)}
    with pytest.raises(InputError, match="None of the selected"):
        run("refine", payloads, {"selected": ["nobody"]})
    with pytest.raises(UsageError, match="sideways"):
        run("refine", payloads, {"selected": ["one"], "what": "sideways"})


def test_refit_finds_the_colours_under_any_path_and_keeps_its_outline() -> None:
    ramp = np.tile(np.linspace(0.2, 0.8, SIZE)[None, :, None], (SIZE, 1, 3))
    out = io.BytesIO()
    Image.fromarray((ramp * 255 + 0.5).astype(np.uint8)).save(out, "PNG")
    start = ellipse(48, 48, 30, 20, SolidColor((0, 1, 0)), "theirs")
    away = ellipse(300, 48, 10, 10, SolidColor((0, 1, 0)), "away")
    (fitted, untouched), _ = run("refit", {"picture": out.getvalue(), "svg": drawing(start, away)})
    assert iou(fitted, start) > 0.999
    assert isinstance(fitted.fill, LinearGradient)
    shown = render(scene_from_shapes([fitted], SIZE, SIZE), "cpu").numpy()
    inside = shown[..., 3] > 0.99
    assert np.abs(shown[..., :3] - ramp)[inside].max() < 0.02
    assert untouched.fill == SolidColor((0.0, 1.0, 0.0))


def test_repaint_replaces_the_strokes_in_the_area_and_no_others() -> None:
    wrong = [ellipse(26, 38, 10, 10, SolidColor((0.5, 0.5, 0.5)), "wrong-1"),
             ellipse(36, 42, 9, 9, SolidColor((0.6, 0.5, 0.5)), "wrong-2")]
    region = drawing(ellipse(30, 40, 22, 16, SolidColor((0, 0, 0)), "region"))
    shapes, facts = run("repaint", {"picture": picture(WANTED), "svg": drawing(WANTED[0], *wrong, WANTED[2]),
                                    "region": region}, strokes=6)
    assert facts["removed"] == ["wrong-1", "wrong-2"]
    assert facts["above"] == "wrong-2"
    assert 1 <= len(shapes) <= 6
    assert likeness([WANTED[0], *shapes, WANTED[2]]) > likeness([WANTED[0], *wrong, WANTED[2]]) + 10


def test_repaint_outside_the_picture_is_told() -> None:
    region = drawing(ellipse(400, 400, 20, 20, SolidColor((0, 0, 0)), "region"))
    with pytest.raises(InputError, match="does not lie over the picture"):
        run("repaint", {"picture": picture(WANTED), "svg": drawing(*WANTED), "region": region}, strokes=3)


def test_add_detail_puts_strokes_where_the_drawing_is_wrong() -> None:
    shapes, _ = run("add-detail", {"picture": picture(WANTED), "svg": drawing(WANTED[0], WANTED[1])}, strokes=4)
    assert 1 <= len(shapes) <= 4
    assert likeness([WANTED[0], WANTED[1], *shapes]) > 28


def test_detail_goes_where_a_map_is_bright() -> None:
    """Both ellipses are missing; the marked one is put back, and the other place stays as it is."""
    bright = picture([Shape(ground().outline, SolidColor((0, 0, 0)), id="black"),
                      ellipse(30, 40, 22, 16, SolidColor((1, 1, 1)), "white")])
    shapes, _ = run("add-detail", {"picture": picture(WANTED), "svg": drawing(WANTED[0]), "detail-map": bright},
                    strokes=4)
    assert likeness([WANTED[0], *shapes]) > likeness(WANTED[:1]) + 1
    for shape in shapes:
        left, top, right, bottom = shape.outline.bounds()
        assert ((left + right) / 2 - 30) ** 2 + ((top + bottom) / 2 - 40) ** 2 < 25 ** 2


def test_trace_makes_one_path_of_each_raster_in_its_own_px() -> None:
    def raster(shape: Shape, width: int, height: int) -> bytes:
        rgba = render(scene_from_shapes([shape], width, height), "cpu").numpy()
        alpha = rgba[..., 3:]
        out = io.BytesIO()
        straight = np.concatenate([rgba[..., :3] / np.maximum(alpha, 1e-6), alpha], -1)
        Image.fromarray((straight * 255 + 0.5).clip(0, 255).astype(np.uint8), "RGBA").save(out, "PNG")
        return out.getvalue()

    one = ellipse(30, 40, 18, 12, SolidColor(BLUE), "x")
    two = ellipse(120, 60, 50, 30, SolidColor(RED), "x")
    out = io.BytesIO()
    Image.new("RGBA", (20, 20)).save(out, "PNG")
    shapes, facts = run("trace", {"a": raster(one, 96, 80), "b": out.getvalue(), "c": raster(two, 200, 120)})
    assert facts["of"] == {"stroke-0001": "a", "stroke-0002": "c"}
    assert iou(shapes[0], one) > 0.97
    assert iou(shapes[1], two) > 0.97


def test_a_workspace_and_back_is_where_it_was() -> None:
    shape = ellipse(70, 30, 12, 5, LinearGradient(60, 30, 82, 31, (Stop(0, RED), Stop(1, BLUE))), "a")
    space = Workspace.open(picture(WANTED), 64, SIZE, SIZE, bounds([shape], 0.1))
    assert max(space.target.width, space.target.height) <= 97
    (back,) = space.back(space.into([shape]))
    assert np.allclose(back.outline.loops[0], shape.outline.loops[0], atol=1e-3)
    assert back.fill.x2 == pytest.approx(82, abs=1e-6)


def test_a_missing_payload_is_told() -> None:
    with pytest.raises(InputError, match="without its picture"):
        run("refit", {"svg": drawing(*WANTED)})
