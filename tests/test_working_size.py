"""An automatic size: painted small, sharpened at what the picture has; explicit sizes stay what they are."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import resvg_py
import torch
from gradvec import settings
from gradvec.cli import saving
from gradvec.edit import refine_some
from gradvec.errors import UsageError
from gradvec.io import images, svg
from gradvec.model import LinearGradient, Outline, RadialGradient, Shape, SolidColor, Stop, Target
from gradvec.optimize import Refinement, refine
from gradvec.optimize.affine import AffineImages
from gradvec.optimize.constraints import Constraint
from gradvec.optimize.variables import Freedom, Variables
from gradvec.options import Options
from gradvec.pipeline import Result, paint_picture
from gradvec.progress import Run
from PIL import Image

WIDTH, HEIGHT = 150, 110


def picture() -> np.ndarray:
    """(H, W, 3): slanted bars and a disc with edges that a small copy blurs."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    rgb = np.stack([0.3 + 0.3 * y / HEIGHT, 0.5 + 0.2 * x / WIDTH, np.full(x.shape, 0.6)], -1)
    rgb[(x + 0.4 * y) % 52 < 17] = (0.95, 0.9, 0.8)
    rgb[np.hypot(x - 96, y - 52) < 27] = (0.8, 0.15, 0.1)
    return rgb


def png(rgb: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray((rgb * 255 + 0.5).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def decibels(result: Result) -> float:
    """Of the SVG drawn by resvg at the picture's full size."""
    drawn = resvg_py.svg_to_bytes(svg_string=svg.write(result.document).decode(), width=WIDTH, height=HEIGHT,
                                  background="#ffffff")
    seen = np.asarray(Image.open(io.BytesIO(bytes(drawn))).convert("RGB").resize((WIDTH, HEIGHT)), float) / 255
    return -10 * math.log10(float(((seen - picture()) ** 2).mean()))


@pytest.mark.parametrize(("paths", "width", "height", "side"), [
    (500, 300, 200, 1500), (64, 4000, 3000, 512), (500, 1300, 860, 1506), (500, 4000, 3000, 1414),
    (5000, 4000, 3000, 2048), (500, 40_000, 10, 2048)])
def test_a_picture_is_as_large_as_its_paths_can_use(paths, width, height, side):
    size = settings.working_size(Options(), paths)
    assert callable(size)
    assert size(width, height) == side
    assert settings.working_size(Options(size=700), paths) == 700


def test_no_picture_is_enlarged_for_it():
    loaded = images.load(png(picture()), settings.working_size(Options(), 500))
    assert (loaded.width, loaded.height) == (WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    small = {"strokes": 14, "look": "photo", "fidelity": 0.6}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "PAINTED_SIDE", 60)
        patch.setattr(settings, "COARSE", (0.65, 200))
        automatic = paint_picture(png(picture()), Options.from_dict(small))
    return {"auto": automatic, "small": paint_picture(png(picture()), Options.from_dict({**small, "size": 60}))}


def test_it_is_painted_small_and_drawn_from_the_pictures_own_edges(results):
    auto, small = results["auto"], results["small"]
    assert (auto.document.width, auto.document.height) == (WIDTH, HEIGHT)
    assert auto.painting is not None
    # 14 strokes of PAINTED_EACH px are 82 x 60 px.
    assert (auto.painting.width, auto.painting.height) == (82, 60)
    assert auto.document.meta["options"]["size"] is None, "running it again decides again"
    assert decibels(auto) > decibels(small) + 1.0


def test_the_painting_is_saved_in_the_px_that_it_was_painted_in(results):
    saved = Image.open(io.BytesIO(saving.painting_png(results["auto"], Options(), 2.0)))
    assert saved.size == (164, 120)
    with pytest.raises(UsageError, match="too large to save"):
        saving.painting_png(results["auto"], Options(), 200.0)


def test_an_edit_of_a_few_strokes_takes_an_automatic_size(results):
    drawing = results["auto"].document
    some = [shape.id for shape in drawing.shapes[-2:]]
    found = refine_some(png(picture()), drawing, some, "both", Options(fidelity=0.5), Run())
    assert {shape.id for shape in found} <= set(some)
    assert all(np.isfinite(loop).all() for shape in found for loop in shape.outline.loops)


def blob(x: float, y: float, r: float) -> Outline:
    """A rough disc of four cubics."""
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    return Outline(((np.stack([np.cos(angle), 0.7 * np.sin(angle)], 1) * r + (x, y)).astype(np.float32),))


def three() -> list[Shape]:
    stops = Stop(0.0, (0.9, 0.2, 0.1), 0.8), Stop(1.0, (0.1, 0.3, 0.9))
    return [Shape(blob(40, 50, 30), LinearGradient(20, 30, 60, 70, stops), id="a"),
            Shape(blob(90, 40, 25), RadialGradient(95, 42, 22, stops), id="b"),
            Shape(blob(80, 80, 20), SolidColor((0.2, 0.6, 0.3)), id="c")]


def target() -> Target:
    return Target(picture().astype(np.float32), np.ones((HEIGHT, WIDTH), np.float32), (WIDTH, HEIGHT))


class Sizes(Constraint):
    """Notes on which canvas the steps were made."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def before_step(self, variables: Variables) -> None:
        self.seen.append(variables.canvas)


def test_what_does_not_move_comes_back_from_the_smaller_picture_as_it_was():
    sizes = Sizes()
    plan = Refinement(steps=5, peak=0.0, reseeds=0, coarse=(0.6, 900), flat=True, constraints=(sizes,))
    refined = refine(three(), target(), (1.0, 1.0, 1.0, 1.0), plan, Run())
    assert sizes.seen == [(61, 44)] * 3 + [(WIDTH, HEIGHT)] * 2
    assert refined.shown.shape == (HEIGHT, WIDTH, 4)
    for before, after in zip(three(), refined.shapes, strict=True):
        np.testing.assert_allclose(after.outline.loops[0], before.outline.loops[0], atol=1e-4)
        for name, value in vars(before.fill).items():
            if name not in ("color", "stops"):
                # The radius goes back by the mean of two scales that differ by rounding.
                assert getattr(after.fill, name) == pytest.approx(value, rel=1e-5, abs=1e-4)
    measured = refine(refined.shapes, target(), (1.0, 1.0, 1.0, 1.0), replace(plan, steps=0), Run())
    assert refined.mse == pytest.approx(measured.mse, rel=1e-4)


def test_strokes_stay_affine_images_of_their_brush_across_both_sizes():
    plan = Refinement(steps=12, freedom=Freedom(reach=0.0), reseeds=0, coarse=(0.6, 900))
    refined = refine(three(), target(), (1.0, 1.0, 1.0, 1.0), plan, Run())
    before, after = (Variables(shapes, WIDTH, HEIGHT, (1.0,) * 4, Freedom()) for shapes in (three(), refined.shapes))
    image = AffineImages(before.points.detach(), before.topology).of(after.points.detach())
    assert float((image - after.points.detach()).abs().max()) < 0.02
    assert float((after.points - before.points).detach().abs().max()) > 1.0, "they did move"


def test_stop_and_keep_on_the_smaller_picture_ends_in_the_wholes_px():
    run = Run()
    plan = Refinement(steps=10, peak=0.0, reseeds=0, coarse=(0.6, 900), constraints=(Keep(run),))
    refined = refine(three(), target(), (1.0, 1.0, 1.0, 1.0), plan, run)
    assert refined.steps == 2
    np.testing.assert_allclose(refined.shapes[2].outline.loops[0], three()[2].outline.loops[0], atol=1e-4)


class Keep(Constraint):
    def __init__(self, run: Run) -> None:
        self._run, self._steps = run, 0

    def after_step(self, variables: Variables, share: float) -> None:
        self._steps += 1
        if self._steps == 2:
            self._run.token.stop_and_keep()


def test_fills_scale_with_their_kind():
    from gradvec.optimize.variables import fill_scale
    from gradvec.render.scene import LINEAR, RADIAL

    factors = fill_scale(np.array([LINEAR, RADIAL]), (2.0, 8.0))
    assert torch.equal(factors, torch.tensor([[2.0, 8.0, 2.0, 8.0], [2.0, 8.0, 4.0, 8.0]]))
