"""The whole way from a picture to an SVG, judged by resvg, which is not ours."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import resvg_py
from gradvec.errors import Cancelled
from gradvec.io import svg
from gradvec.model import SolidColor
from gradvec.options import Options
from gradvec.pipeline import Result, paint_picture, vectorize_strokes
from gradvec.progress import CancelToken, Progress, Run
from gradvec.render import predict
from PIL import Image

SIZE = 72


def scene(alpha: bool = False) -> bytes:
    """Sky, sun and a hill: smooth and sharp, light and dark; with alpha, nothing but the sun."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    rgb = np.stack([0.4 + 0.4 * y, 0.6 + 0.2 * x, 0.9 - 0.3 * y], -1)
    sun = np.hypot(x - 0.6, y - 0.3) < 0.18
    rgb[sun] = (0.95, 0.8, 0.2)
    rgb[y > 0.75 + 0.08 * np.sin(7 * x)] = (0.15, 0.35, 0.15)
    planes = [rgb, sun[..., None].astype(float)] if alpha else [rgb]
    out = io.BytesIO()
    Image.fromarray((np.concatenate(planes, -1) * 255 + 0.5).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def shown(result: Result, ground: str = "#ffffff") -> np.ndarray:
    document = result.document
    png = resvg_py.svg_to_bytes(svg_string=svg.write(document).decode(), background=ground, width=document.width,
                                height=document.height)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB")).astype(float) / 255


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return -10 * math.log10(max(float(((a - b) ** 2).mean()), 1e-12))


def options(**values: object) -> Options:
    return Options.from_dict({"strokes": 24, "size": SIZE, "fidelity": 0.6, **values})


@pytest.fixture(scope="module")
def painted() -> Result:
    return paint_picture(scene(), options())


def test_the_result_looks_like_the_picture_and_as_predicted(painted: Result) -> None:
    assert painted.target is not None
    seen = shown(painted)
    assert decibels(seen, painted.target.rgb) > 26
    assert decibels(seen, painted.predicted) > 38
    assert painted.report.psnr == pytest.approx(decibels(painted.predicted, painted.target.rgb), abs=0.02)


def test_a_large_document_is_predicted_in_strips(painted: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "STRIP_PIXELS", 1)
    tall = replace(painted.document, height=3 * SIZE)  # strips have at least 64 rows
    whole = predict.predict(painted.document)
    np.testing.assert_allclose(whole, painted.predicted, atol=1e-3)
    np.testing.assert_allclose(predict.predict(tall)[:SIZE], whole, atol=1e-3)


def test_no_seam_shows_what_lies_behind_the_picture(painted: Result) -> None:
    assert np.abs(shown(painted, "#000000") - shown(painted, "#ffffff")).max() <= 2 / 255


def test_the_same_seed_gives_the_same_bytes(painted: Result) -> None:
    again = paint_picture(scene(), options())
    other = paint_picture(scene(), options(seed=5))
    assert svg.write(again.document) == svg.write(painted.document)
    assert svg.write(other.document) != svg.write(painted.document)


def test_layers_are_named_and_the_settings_travel_along(painted: Result) -> None:
    document = painted.document
    assert [layer.name for layer in document.layers][:2] == ["1 underpainting", "2 large shapes"]
    assert document.meta["options"] == options().to_dict()
    assert (document.meta["source_width"], document.meta["width"]) == (SIZE, SIZE)
    assert document.meta["refined"] == {key: getattr(painted.report.refined, key) for key in ("dropped", "reseeded")}
    ids = [shape.id for shape in document.shapes]
    assert len(set(ids)) == len(ids)


def test_transparent_parts_stay_bare() -> None:
    result = paint_picture(scene(alpha=True), options(background="none"))
    black, white = shown(result, "#000000"), shown(result, "#ffffff")
    opacity = 1 - (white - black).mean(-1)
    wanted = result.target.alpha
    assert np.abs(opacity - wanted).mean() < 0.03
    assert opacity[:SIZE // 12].max() < 0.05


def of_palette(picture: np.ndarray, palette: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """Every pixel in the palette's closest colour: as like the picture as a painting in these colours can be."""
    colors = np.array(palette) / 255
    return colors[np.square(picture[..., None, :] - colors).sum(-1).argmin(-1)]


@pytest.mark.parametrize(("values", "better"), [
    ({"gradient": "flat"}, 6), ({"gradient": "kmeans"}, 4), ({"gradient": "auto", "brush": "tape"}, 6),
    ({"brush": "marker", "mode": "grid", "layers": "level"}, 3),
])
def test_every_choice_gives_a_picture(values: dict, better: float) -> None:
    """better: dB above the picture's mean colour."""
    result = paint_picture(scene(), options(**values))
    strokes = [s for s in result.document.shapes if s.id != "underpainting"]
    if values.get("gradient") == "flat":
        assert all(isinstance(s.fill, SolidColor) for s in strokes)
    if values.get("layers") == "level":
        assert {layer.key for layer in result.document.layers} >= {"level-1", "level-2"}
    assert decibels(shown(result), result.predicted) > 36
    bare = np.broadcast_to(result.target.rgb.mean((0, 1)), result.target.rgb.shape)
    assert decibels(shown(result), result.target.rgb) > decibels(bare, result.target.rgb) + better


def test_a_picture_in_few_colours_is_about_as_good_as_they_allow() -> None:
    palette = ((255, 255, 255), (32, 64, 192), (16, 48, 16))
    result = paint_picture(scene(), options(palette="#ffffff,#2040c0,#103010", fidelity=0.3))
    best = of_palette(result.target.rgb, palette)
    assert decibels(shown(result), result.target.rgb) > decibels(best, result.target.rgb) - 3


@pytest.mark.parametrize("values", [
    {"one_color": True}, {}, {"gradient": "flat"}, {"gradient": "auto"}, {"gradient": "kmeans"}, {"fidelity": 1.0},
    {"paths_per_stroke": 3},
], ids=str)
def test_a_palette_stays_a_palette(values: dict) -> None:
    wanted = {(255, 255, 255), (32, 64, 192), (16, 48, 16)}
    result = paint_picture(scene(), options(palette="#ffffff,#2040c0,#103010", strokes=12, **values))
    found = set()
    for shape in svg.read(svg.write(result.document)).shapes:
        stops = [shape.fill] if isinstance(shape.fill, SolidColor) else shape.fill.stops
        found |= {tuple(round(255 * v) for v in stop.color) for stop in stops}
    assert found <= wanted
    assert len(found) > 1


def test_strokes_of_a_folder_become_paths_in_their_order(tmp_path: Path) -> None:
    for n, (color, box) in enumerate([((200, 40, 40), (10, 10, 50, 40)), ((40, 40, 200), (30, 20, 60, 60))]):
        picture = Image.new("RGB", (SIZE, SIZE), "white")
        picture.paste(color, box)
        picture.save(tmp_path / f"{n + 1}.png")
    result = vectorize_strokes(tmp_path, options(fidelity=1.0))
    strokes = [s for s in result.document.shapes if s.id != "underpainting"]
    assert len(strokes) == 2
    picture = shown(result)
    assert np.abs(picture[15, 15] - np.array([200, 40, 40]) / 255).max() < 0.03
    assert np.abs(picture[30, 40] - np.array([40, 40, 200]) / 255).max() < 0.03
    assert np.abs(picture[5, 5] - 1).max() < 0.03


def stroke_pictures(folder: Path, *pictures: np.ndarray) -> Path:
    for n, rgba in enumerate(pictures, 1):
        Image.fromarray((rgba * 255 + 0.5).astype(np.uint8), "RGBA").save(folder / f"{n}.png")
    return folder


def test_each_of_a_strokes_paths_finds_its_own_colours(tmp_path: Path) -> None:
    stroke = np.zeros((SIZE, SIZE, 4))
    stroke[10:60, 10:60] = (0.1, 0.5, 0.2, 1)
    stroke[25:45, 25:45] = (0.9, 0.3, 0.2, 1)
    folder = stroke_pictures(tmp_path, stroke)
    for gradient in ("kmeans", "flat", "refined"):
        result = vectorize_strokes(folder, options(gradient=gradient, paths_per_stroke=3))
        assert result.report.paths == 2
        picture = shown(result)
        assert np.abs(picture[35, 35] - stroke[35, 35, :3]).max() < 0.06
        assert np.abs(picture[15, 35] - stroke[15, 35, :3]).max() < 0.06


def test_a_hidden_stroke_is_left_out_and_the_result_says_so(tmp_path: Path) -> None:
    below, above = np.zeros((SIZE, SIZE, 4)), np.zeros((SIZE, SIZE, 4))
    below[20:40, 20:40] = (0.1, 0.5, 0.2, 1)
    above[10:60, 10:60] = (0.9, 0.3, 0.2, 1)
    result = vectorize_strokes(stroke_pictures(tmp_path, below, above), options())
    assert result.report.paths == 1
    assert result.report.refined.dropped == 1
    assert svg.read(svg.write(result.document)).meta["refined"]["dropped"] == 1


@pytest.mark.parametrize("gradient", ["refined", "kmeans"])
def test_tiny_strokes_that_show_stay(tmp_path: Path, gradient: str) -> None:
    """A refinement must not shrink away what is small, like what lies under it, or in colours it may not change."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    sheet = np.ones((SIZE, SIZE, 4)) * (0.5, 0.45, 0.3, 1)
    dots = []
    for n in range(9):
        dot = np.zeros((SIZE, SIZE, 4))
        dot[np.hypot(x - 12 - 22 * (n % 3), y - 12 - 22 * (n // 3)) < 2.2] = (0.5 + 0.04 * (n + 1), 0.45, 0.3, 1)
        dots.append(dot)
    result = vectorize_strokes(stroke_pictures(tmp_path, sheet, *dots), options(fidelity=1.0, gradient=gradient))
    assert result.report.paths == 10
    assert result.report.refined.dropped == 0


def test_a_translucent_stroke_stays_translucent_also_where_colours_are_published(tmp_path: Path) -> None:
    below, above = np.zeros((SIZE, SIZE, 4)), np.zeros((SIZE, SIZE, 4))
    below[5:50, 5:50] = (0.1, 0.5, 0.2, 1)
    above[20:65, 20:65] = (0.9, 0.3, 0.2, 0.5)
    result = vectorize_strokes(stroke_pictures(tmp_path, below, above), options(gradient="kmeans"))
    assert [round(s.opacity, 1) for s in result.document.shapes if s.id != "underpainting"] == [1.0, 0.5]
    assert np.abs(shown(result)[35, 35] - (0.5, 0.4, 0.2)).max() < 0.04


def test_painted_strokes_become_several_paths_where_that_pays() -> None:
    one, several = (paint_picture(scene(), options(strokes=8, paths_per_stroke=most)) for most in (1, 4))
    assert several.report.paths > one.report.paths
    assert several.target is not None
    assert decibels(shown(several), several.target.rgb) > decibels(shown(one), one.target.rgb) + 0.25
    assert decibels(shown(several), several.predicted) > 36


def test_progress_rises_to_the_end_and_cancel_stops() -> None:
    seen: list[Progress] = []
    paint_picture(scene(), options(strokes=6), Run(on_progress=seen.append))
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {"Painting", "Refining"} <= {p.stage for p in seen}
    token = CancelToken()
    with pytest.raises(Cancelled):
        paint_picture(scene(), options(), Run(on_progress=lambda p: p.fraction > 0.2 and token.cancel(), token=token))


def test_stop_and_keep_gives_what_there_is() -> None:
    token = CancelToken()
    result = paint_picture(scene(), options(), Run(on_progress=lambda p: p.fraction > 0.2 and token.stop_and_keep(),
                                                   token=token))
    assert len(result.document.shapes) > 1
    assert svg.write(result.document)


def test_a_detail_map_gathers_strokes_and_a_brush_of_ones_own_shapes_them() -> None:
    rng = np.random.default_rng(0)
    noise = np.kron(rng.integers(0, 255, (18, 18, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    left = np.zeros((SIZE, SIZE), np.uint8)
    left[:, :SIZE // 2] = 255
    dab = np.zeros((24, 48, 4), np.uint8)
    dab[8:16, 4:44, 3] = 255
    files = []
    for array in (noise, left, dab):
        out = io.BytesIO()
        Image.fromarray(array).save(out, "PNG")
        files.append(out.getvalue())
    chosen = options(strokes=60, fidelity=0.0)

    def share_left(result: Result) -> float:
        strokes = [s for s in result.document.shapes if s.id != "underpainting"]
        centres = np.array([np.concatenate(s.outline.loops).mean(0)[0] for s in strokes])
        return float(np.mean(centres < SIZE / 2))

    plain = paint_picture(files[0], chosen)
    mapped = paint_picture(files[0], chosen, detail_map=files[1], own_brushes=[files[2]])
    assert share_left(mapped) > share_left(plain) + 0.1
    assert mapped.painting is not None
    assert len(mapped.painting.stamps) == 1
