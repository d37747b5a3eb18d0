"""Line drawings: where lines go, how wide and dark they become, and whole runs."""

from pathlib import Path

import numpy as np
import pytest
from gradvec.errors import Cancelled
from gradvec.io import svg
from gradvec.io.images import png_bytes
from gradvec.jobs import run_job
from gradvec.model import Document, Layer, Line, Target
from gradvec.optimize.lines import LineRefinement, refine_lines
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.progress import CancelToken, Run
from gradvec.render.lines import outlined
from gradvec.render.predict import predict
from gradvec.stages.layers import of_lines
from gradvec.stages.lines import portraits
from gradvec.stages.lines.contours import contours
from gradvec.stages.lines.draw import LineSettings, draw
from gradvec.stages.lines.edges import edges_of
from gradvec.stages.lines.hatching import hatching
from gradvec.stages.lines.pens import PENS
from gradvec.stages.lines.streams import follow
from PIL import Image

SIDE = 96
EXAMPLES = Path(__file__).parents[2] / "examples"


def disk(radius=30.0):
    """A dark disk on a light ground, its lower half darker."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    inside = np.clip(radius + 0.5 - np.hypot(x - 48, y - 48), 0, 1)[..., None]
    dark = np.where(y > 48, 0.15, 0.55)[..., None]
    return (0.95 * (1 - inside) + dark * inside).repeat(3, 2).astype(np.float32)


def test_the_strongest_line_runs_once_round_the_disk_on_its_dark_side():
    line, *_ = contours(edges_of(disk()), 5)
    far = np.hypot(*(line - 48).T)
    assert np.quantile(np.abs(far - 29), 0.9) < 1.6
    turned = np.unwrap(np.arctan2(*(line - 48).T[::-1]))
    assert np.ptp(turned) / (2 * np.pi) <= 1.1


def astronaut() -> Target:
    rgb = np.asarray(Image.open(EXAMPLES / "astronaut.jpg").convert("RGB"), np.float32) / 255
    return Target(rgb, np.ones(rgb.shape[:2], np.float32), (512, 512))


def in_her_face(lines):
    """Lines that lie inside the oval of the face around her nose."""
    return [line for line in lines
            if np.hypot((line.points[:, 0] - 224) / 45, (line.points[:, 1] - 117) / 55).max() < 1]


def test_faces_are_drawn_finer(monkeypatch):
    """Each eye and the mouth have a line of their own, thinner than what the pen draws elsewhere."""
    settings = LineSettings(150, steps=0)
    lines, report = draw(astronaut(), settings, (), Run())
    assert len(lines) == report.contours + report.hatched <= 150
    own = in_her_face(lines)
    for x, y, reach in ((204, 107, 9), (244, 109, 9), (223, 143, 14)):
        assert any(np.hypot(*(line.points - (x, y)).T).max() < reach + 9 for line in own), (x, y)
    assert max(line.width for line in own) < 0.6 * max(line.width for line in lines)
    fine = draw(astronaut(), LineSettings(150, "fineliner", steps=0), (), Run())[0]
    assert len({round(line.width, 6) for line in fine}) == 1
    monkeypatch.setattr(portraits, "faces", lambda rgb: [])
    assert len(in_her_face(draw(astronaut(), settings, (), Run())[0])) < len(own) / 2


def test_a_few_lines_leave_faces_as_they_are(monkeypatch):
    monkeypatch.setattr(portraits, "faces", lambda rgb: pytest.fail("nobody should look for them"))
    assert draw(astronaut(), LineSettings(20, steps=0), (), Run())[0]


def test_lines_keep_apart_and_do_not_exceed_what_is_asked_for():
    rng = np.random.default_rng(2)
    rough = np.clip(disk() + rng.normal(0, 0.05, disk().shape), 0, 1).astype(np.float32)
    lines = contours(edges_of(rough), 12)
    assert len(lines) == 12
    for n, line in enumerate(lines):
        for other in lines[:n]:
            near = np.hypot(*(line[:, None] - other[None]).transpose(2, 0, 1)).min(1) < 0.4
            assert near.mean() < 0.2


def test_an_even_picture_has_no_lines():
    assert contours(edges_of(np.full((40, 60, 3), 0.5, np.float32)), 10) == []


def test_lines_follow_a_field_over_gaps_and_stop_at_its_end():
    direction = np.stack([np.ones((20, 60)), np.zeros((20, 60))])
    (line,) = follow(np.array([[30.0, 10.0]]), direction, lambda at, _: ((at[:, 0] > 10) & (at[:, 0] < 50) & (
        np.abs(at[:, 0] - 40) > 1.5)), 100, 4)
    assert line[:, 0].min() == pytest.approx(11, abs=1)
    assert line[:, 0].max() == pytest.approx(49, abs=1)
    assert np.allclose(line[:, 1], 10)


def test_hatching_gives_the_tone_that_is_missing():
    wanted = np.zeros((80, 160))
    wanted[20:60, 20:70], wanted[20:60, 90:140] = 0.6, 0.2
    level = np.stack([np.ones_like(wanted), np.zeros_like(wanted)])
    lines = hatching(wanted, level, 2.0, 0.5, 500, np.random.default_rng(0))
    inked = [2.0 * sum(((line[:, 0] > a) & (line[:, 0] < b)).sum() for line in lines) for a, b in ((20, 70), (90, 140))]
    assert inked[0] / (0.6 * 2000) == pytest.approx(1, abs=0.35)
    assert inked[1] / (0.2 * 2000) == pytest.approx(1, abs=0.5)
    assert len(hatching(wanted, level, 2.0, 0.5, 7, np.random.default_rng(0))) == 7


def test_refinement_finds_place_width_and_colour_of_a_line():
    true = Line(np.array([[10, 40], [22, 18], [40, 46], [54, 24.0]]), (0.8, 0.2, 0.1), 5.0)
    start = Line(true.points + np.array([2.5, -2.0]), (0.3, 0.3, 0.3), 2.0)
    goal = predict(Document(64, 64, (Layer("", (), lines=(true,)),)))
    plan = LineRefinement(np.array([[1.0, 9.0]]), colors=True, steps=120)
    refined = refine_lines([start], goal, (1.0, 1.0, 1.0), plan, Run())
    (line,) = refined.lines
    assert refined.after < 0.05 * refined.before
    assert line.width == pytest.approx(5.0, abs=0.5)
    assert line.color == pytest.approx(true.color, abs=0.06)
    assert np.abs(line.points[[0, 3]] - true.points[[0, 3]]).max() < 1.2


@pytest.mark.parametrize("pen", PENS)
def test_a_drawing_is_what_its_pen_can_draw(pen):
    target = Target(disk(), np.ones((SIDE, SIDE), np.float32), (SIDE, SIDE))
    lines, report = draw(target, LineSettings(40, pen, steps=12), [], Run())
    own, unit = PENS[pen], SIDE / 512
    assert 10 <= len(lines) <= 40
    assert len(lines) == report.contours + report.hatched
    for line in lines:
        low, high = own.hatched if line.level else own.widths
        assert low * unit - 1e-4 <= line.width <= high * unit + 1e-4
        assert own.opacities[0] - 1e-6 <= line.opacity <= own.opacities[1] + 1e-6
        assert own.color is None or line.color == pytest.approx(own.color)
    assert report.after < report.before
    # Darker below than above, inside the disk.
    shown = predict(_document(lines))[..., 0]
    assert shown[50:72, 34:62].mean() < shown[24:46, 34:62].mean() - 0.04


def _document(lines):
    return Document(SIDE, SIDE, of_lines(lines, "size", (1.0, 1.0, 1.0), SIDE, SIDE))


@pytest.fixture(scope="module")
def drawn():
    options = Options.for_job("paint", {"look": "lines", "strokes": 30, "size": 64})
    return paint_picture(png_bytes(disk()), options)


def test_a_whole_run_gives_lines_in_layers(drawn):
    data = svg.write(drawn.document)
    back = svg.read(data)
    assert [layer.key for layer in back.layers] == ["underpainting", "hatching", "contours"]
    assert len(back.lines) == drawn.report.paths <= 30
    assert [s.id for s in back.shapes] == ["underpainting"]
    assert drawn.report.gradients == 0
    assert back.meta["job"] == "lines"
    assert all(line.cap == "round" for line in back.lines)
    # The same once more is the same.
    again = Options.for_job("lines", back.meta["options"])
    assert svg.write(paint_picture(png_bytes(disk()), again).document) == data


def test_a_palette_is_what_the_pens_have_in_them():
    options = Options.for_job("paint", {"look": "lines", "strokes": 20, "size": 48, "palette": "navy #a03020",
                                        "pen": "fineliner", "background": "none", "layers": "none"})
    result = paint_picture(png_bytes(disk()), options)
    assert {tuple(np.rint(255 * np.array(line.color)).astype(int)) for line in result.document.lines} <= {
        (0, 0, 128), (160, 48, 32)}
    assert len({line.width for line in result.document.lines}) == 1
    assert result.document.shapes == []
    assert [layer.key for layer in result.document.layers] == ["strokes"]


def test_a_draft_of_a_drawing_is_a_drawing():
    answer, facts = run_job("draft", {"look": "lines", "strokes": 100, "size": 48}, {"picture": png_bytes(disk())},
                            {"crop": [0, 0, 1, 0.5]}, Run())
    assert 0 < facts["paths"] <= 60
    assert len(svg.read(answer["svg"]).lines) == facts["paths"]


def test_a_drawing_can_be_cancelled_and_kept():
    target, token = Target(disk(), np.ones((SIDE, SIDE), np.float32), (SIDE, SIDE)), CancelToken()
    token.stop_and_keep()
    lines, report = draw(target, LineSettings(20), [], Run(token=token))
    assert lines
    assert report.steps == 0
    token.cancel()
    with pytest.raises(Cancelled):
        draw(target, LineSettings(20), [], Run(token=token))


def test_outlines_of_lines_cover_what_the_lines_do():
    line = Line(np.array([[10, 20], [20, 20], [30, 20], [40, 20.0]]), (0, 0, 0), 6.0)
    (shape,) = outlined([line])
    left, top, right, bottom = shape.outline.bounds()
    assert (left, top, right, bottom) == pytest.approx((7, 17, 43, 23), abs=0.1)
