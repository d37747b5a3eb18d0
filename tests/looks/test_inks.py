"""True inks: nothing but the inks away from edges, in layers by ink, no hairs; palettes in an artist's words."""

import numpy as np
import pytest
from gradvec.color import inks
from gradvec.color.oklab import oklab
from gradvec.color.swatches import NAMED, palette_words
from gradvec.errors import UsageError
from gradvec.geometry.inside import polygons
from gradvec.geometry.sizes import HAIR, compactness
from gradvec.io import svg
from gradvec.io.images import png_bytes
from gradvec.model import Outline, SolidColor, Target
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.tools.compare import psnr, render_svg
from scipy import ndimage

SIDE = 64


def picture():
    """Three soft areas and a small strong spot."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    rgb = np.stack([0.85 - 0.5 * (y > 0.55) + 0.05 * x, 0.75 - 0.35 * (x > 0.5), 0.5 + 0.1 * y - 0.3 * (x > 0.5)], -1)
    rgb[(x - 0.3) ** 2 + (y - 0.3) ** 2 < 0.02] = (0.8, 0.1, 0.1)
    return np.clip(rgb + np.random.default_rng(0).normal(0, 0.01, rgb.shape), 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def printed():
    options = Options.for_job("paint", {"look": "print", "strokes": 40, "palette": "4", "size": SIDE})
    return paint_picture(png_bytes(picture()), options)


def test_pixels_away_from_edges_are_inks(printed):
    data = svg.write(printed.document)
    shown = render_svg(data, 4 * SIDE, 4 * SIDE)
    own = np.array([[round(255 * v) for v in shape.fill.color] for shape in printed.document.shapes])
    number = np.abs(shown[:, :, None].astype(int) - np.unique(own, axis=0)[None, None]).max(-1)
    exact = number.min(-1) <= 1
    index = number.argmin(-1)
    edge = ndimage.grey_dilation(index, (5, 5)) != ndimage.grey_erosion(index, (5, 5))
    assert exact[~edge].mean() >= 0.98
    assert (~edge).mean() > 0.4
    assert len(np.unique(own, axis=0)) <= 4


def test_strokes_lie_in_layers_by_ink(printed):
    colors = [{shape.fill.color for shape in layer.shapes} for layer in printed.document.layers]
    assert all(len(own) == 1 for own in colors)
    assert all(shape.opacity == 1 and isinstance(shape.fill, SolidColor) for shape in printed.document.shapes)
    strokes = [own for layer, own in zip(printed.document.layers, colors, strict=True) if layer.key != "underpainting"]
    assert len(set().union(*strokes)) == len(strokes)


def test_there_are_no_more_strokes_than_wanted(printed):
    strokes = [shape for layer in printed.document.layers if layer.key != "underpainting" for shape in layer.shapes]
    assert 10 < len(strokes) <= 40


def test_no_stroke_is_a_hair(printed):
    assert min(compactness(polygons(shape.outline)) for shape in printed.document.shapes) >= HAIR


def test_it_is_about_as_close_as_the_picture_in_those_inks(printed):
    own = np.unique([shape.fill.color for shape in printed.document.shapes], axis=0)
    wanted = picture()
    reduced = own[inks.nearest(wanted, own)]
    got = render_svg(svg.write(printed.document), SIDE, SIDE)
    bytes_of = [np.rint(255 * p).astype(np.uint8) for p in (wanted, reduced)]
    assert psnr(bytes_of[0], got) > psnr(*bytes_of) - 2.5


def test_inks_are_what_the_eye_tells_apart():
    rgb = picture()
    target = Target(rgb, np.ones(rgb.shape[:2], np.float32), (SIDE, SIDE))
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    spot = (x - 0.3) ** 2 + (y - 0.3) ** 2 < 0.02
    areas = [spot, *(~spot & (low == (y > 0.55)) & (right == (x > 0.5)) for low in (0, 1) for right in (0, 1))]
    colors = np.array([rgb[area].mean(0) for area in areas], float)
    # Four areas and a red spot on 6 % of the picture: five inks, one for each.
    apart = np.abs(inks.choose(target, 5)[:, None] - colors).max(-1)
    assert apart.min(1).max() < 0.02
    assert sorted(apart.argmin(1)) == [0, 1, 2, 3, 4]
    # With one ink less, two share theirs: those that lose least by it, area by area and as far as the eye is concerned.
    found, lab = inks.choose(target, 4), oklab(colors) * [inks.LIGHTNESS, 1, 1]
    share = [area.mean() for area in areas]
    loss = {(i, j): share[i] * share[j] / (share[i] + share[j]) * np.square(lab[i] - lab[j]).sum()
            for i in range(5) for j in range(i)}
    alone = np.delete(colors, min(loss, key=loss.get), 0)
    assert np.abs(found[:, None] - alone).max(-1).min(0).max() < 0.02


def test_compactness_of_known_shapes():
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]])
    step = np.roll(square, -1, 0) - square
    loop = np.stack([square, square + step / 3, square + step * 2 / 3], 1).reshape(-1, 2)
    assert compactness(polygons(Outline((loop,)))) == pytest.approx(np.pi / 4, rel=1e-6)
    assert compactness(polygons(Outline((loop * (20, 0.2),)))) == pytest.approx(4 * np.pi * 400 / 404**2, rel=1e-3)


@pytest.mark.parametrize(("words", "kept"), [
    ("", ""), (" 5 ", "5"), ("#abc", "#aabbcc"), ("#AABBCC, navy", "#aabbcc,#000080"), ("red green;blue",
     "#ff0000,#008000,#0000ff"), ("Rebeccapurple", "#663399")])
def test_palettes_in_an_artists_words(words, kept):
    assert palette_words(words) == kept
    assert Options(palette=words).palette == kept
    assert Options(palette=kept).palette == kept


@pytest.mark.parametrize("words", ["0", "1000", "5 6", "#abcd", "no such colour", "#12345g"])
def test_what_is_no_palette_is_refused(words):
    with pytest.raises(UsageError, match="palette"):
        Options(palette=words)


def test_names_are_those_of_css():
    from PIL import ImageColor

    assert len(NAMED) == 148
    assert all(ImageColor.getrgb(name) == ImageColor.getrgb("#" + code) for name, code in NAMED.items())


@pytest.mark.parametrize("way", [{"inks": True}, {}])
def test_a_faint_picture_has_its_own_colours(way):
    """Nothing in it is even half opaque: what is most opaque gives the colours."""
    rgba = np.empty((24, 32, 4), np.float32)
    rgba[:, :16], rgba[:, 16:] = (0.9, 0.2, 0.1, 0.4), (0.1, 0.3, 0.8, 0.4)
    options = Options(strokes=6, size=32, palette="2", **way)
    document = paint_picture(png_bytes(rgba), options).document
    fills = [shape.fill for layer in document.layers for shape in layer.shapes]
    used = {fill.color for fill in fills if isinstance(fill, SolidColor)} | {
        stop.color for fill in fills if not isinstance(fill, SolidColor) for stop in fill.stops}
    assert used
    assert all(min(np.abs(np.subtract(color, own)).max() for own in (rgba[0, 0, :3], rgba[0, -1, :3])) < 0.01
               for color in used)
