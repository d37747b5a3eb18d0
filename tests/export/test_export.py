"""What goes to printers, cutters and plotters: areas add up, what is seen stays, and other programs show the same."""

import io
import re
import subprocess
import sys

import numpy as np
import pypdfium2
import pytest
import shapely
import shapely.affinity
from gradvec.cli import main
from gradvec.errors import InputError, UsageError
from gradvec.export import profiles, tiles
from gradvec.export.printed import printed
from gradvec.export.profiles import Machine, cut, hatching, plot
from gradvec.export.still import is_see_through, is_textured, plain
from gradvec.export.visible import (
    Part,
    area_of,
    flat,
    flattened,
    in_few_colors,
    parts_of,
    path_data,
    polygons,
    without_hairs,
)
from gradvec.io import svg
from gradvec.model import Document, Layer, Line, LinearGradient, Outline, RadialGradient, Rim, Shape, SolidColor, Stop
from gradvec.progress import Run
from gradvec.tools.render_svg import render_svg
from lxml import etree
from PIL import Image
from scipy.ndimage import binary_dilation, maximum_filter, minimum_filter

W, H = 60, 40


def loop(points):
    corners = np.array(points, float)
    after = np.roll(corners, -1, 0)
    return np.stack([corners, corners + (after - corners) / 3, corners + (after - corners) * 2 / 3], 1).reshape(-1, 2)


def square(left, top, right, bottom):
    return loop([(left, top), (right, top), (right, bottom), (left, bottom)])


def circle(x, y, rx, ry):
    handle = 4 / 3 * np.tan(np.pi / 8)
    points = []
    for turn in np.arange(4) * np.pi / 2:
        at, along = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        points += [at, at + handle * along, along + handle * at]
    return np.array(points) * (rx, ry) + (x, y)


def blend(*colors):
    return tuple(Stop(k / (len(colors) - 1), color) for k, color in enumerate(colors))


def scattered(count=30, opacity=1.0):
    """A drawing of ellipses all over the picture and over its border, in two layers."""
    random = np.random.default_rng(3)
    shapes = []
    for number in range(count):
        x, y, rx, ry = random.uniform((0, 0, 3, 3), (W, H, 14, 9))
        colors = [tuple(random.uniform(0, 1, 3).tolist()) for _ in range(2)]
        fill = (LinearGradient(x - rx, y, x + rx, y, blend(*colors)), RadialGradient(x, y, rx, blend(*colors)),
                SolidColor(colors[0]))[number % 3]
        shapes.append(Shape(Outline((circle(x, y, rx, ry),)), fill, opacity, id=f"s{number}"))
    return Document(W, H, (Layer("low", tuple(shapes[:count // 2])), Layer("high", tuple(shapes[count // 2:]))))


@pytest.mark.parametrize("tolerance", [1.0, 0.1, 0.001])
def test_polylines_stay_within_their_tolerance(tolerance):
    curve = np.array([(0, 0), (40, -60), (-20, 70), (50, 10), (90, -40), (60, 60), (55, 12)], float)
    line = shapely.LineString(flattened(curve[:1], curve[1:], tolerance))
    t = np.linspace(0, 1, 2000)[:, None]
    for k in (0, 3):
        a, b, c, d = curve[k:k + 4]
        points = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
        assert max(line.distance(shapely.points(points))) <= tolerance


@pytest.mark.parametrize(("loops", "area"), [
    ([square(0, 0, 4, 3)], 12), ([square(0, 0, 6, 6), square(2, 2, 4, 4)], 36),
    ([square(0, 0, 6, 6), np.roll(square(2, 2, 4, 4)[::-1], 1, 0)], 32), ([loop([(0, 0), (4, 4), (4, 0), (0, 4)])], 8),
    ([loop([(0, 0), (6, 0), (6, 6), (2, 6), (2, 2), (8, 2), (8, 8), (0, 8)])], 60),
    ([circle(5, 5, 3, 2)], 6 * np.pi)])
def test_the_inside_of_an_outline_is_that_of_the_nonzero_rule(loops, area):
    turned = [np.roll(one[::-1], 1, 0) for one in loops]
    for outline in (Outline(tuple(loops)), Outline(tuple(turned))):
        assert area_of(outline, 1e-4).area == pytest.approx(area, rel=5e-4)
    data = svg.write(Document(10, 10, (Layer("", (Shape(Outline(tuple(loops)), SolidColor((0, 0, 0))),)),)))
    assert np.mean(1 - render_svg(data, 200, 200) / 255.0) * 100 == pytest.approx(area, abs=0.05)


@pytest.mark.parametrize("opacity", [1.0, 0.4])
def test_parts_do_not_overlap_and_cover_what_was_seen(opacity):
    drawing = scattered(opacity=opacity)
    parts = parts_of(drawing, svg.write(drawing), 0.02)
    areas = [part.area for part in parts]
    union = shapely.union_all(areas)
    assert sum(area.area for area in areas) == pytest.approx(union.area, rel=1e-6)
    everything = shapely.union_all([area_of(shape.outline, 0.02) for shape in drawing.shapes])
    assert union.symmetric_difference(everything.intersection(shapely.box(0, 0, W, H))).area < 0.01 * union.length / 10
    assert {part.layer for part in parts} == {"low", "high"}


def inside(picture):
    """Px whose surroundings have one colour."""
    size = (3, 3, 1)
    return ~binary_dilation((maximum_filter(picture, size) != minimum_filter(picture, size)).any(-1))


def test_parts_look_as_the_flat_drawing_does_but_for_borders():
    drawing = scattered()
    data = svg.write(drawing)
    parts = parts_of(drawing, data, 0.02)
    made, _ = cut(data, Machine(width_mm=W, hair_mm=0.0, tolerance_mm=0.02))
    wanted, got = render_svg(flat(drawing, parts), 8 * W, 8 * H), render_svg(made, 8 * W, 8 * H)
    same = inside(wanted)
    assert same.mean() > 0.8
    assert (wanted[same] == got[same]).all()


def test_a_part_has_the_mean_color_of_what_is_seen_there():
    under = Shape(Outline((square(0, 0, 60, 40),)), SolidColor((1, 1, 1)), id="under")
    over = Shape(Outline((square(0, 0, 30, 40),)), SolidColor((1, 0, 0)), 0.5, id="over")
    across = Shape(Outline((square(30, 0, 60, 20),)), LinearGradient(30, 0, 60, 0, blend((0, 0, 0), (0, 0, 1))), id="c")
    drawing = Document(W, H, (Layer("", (under, over, across)),))
    colors = {part.id: part.color for part in parts_of(drawing, svg.write(drawing), 0.1)}
    assert colors["over"] == pytest.approx((1, 0.5, 0.5), abs=0.01)
    assert colors["across" if "across" in colors else "c"] == pytest.approx((0, 0, 0.5), abs=0.01)
    assert colors["under"] == pytest.approx((1, 1, 1))


def test_lines_and_rims_are_parts_too():
    rimmed = Shape(Outline((square(10, 10, 20, 20),)), SolidColor((1, 1, 0)), id="a", rim=Rim((0, 0, 0), 2.0))
    line = Line(np.array([(30, 5), (32, 5), (38, 5), (40, 5)], float), (0, 0, 1), 4.0, cap="butt", id="b")
    drawing = Document(W, H, (Layer("", (rimmed,), "", (line,)),))
    areas = {part.id: part.area.area for part in parts_of(drawing, svg.write(drawing), 0.01)}
    assert areas == pytest.approx({"a": 64, "a-rim": 144 - 64, "b": 40})


def test_hairs_go_to_their_neighbours_and_alone_nowhere():
    def part(*boxes):
        return Part(polygons(shapely.union_all([shapely.box(*box) for box in boxes])), (0, 0, 0))

    parts = [part((0, 0, 10, 10)), part((10, 0, 10.2, 10), (40, 0, 40.2, 10)), part((10.2, 0, 20, 4))]
    kept = without_hairs(parts, 0.5)
    assert [one.area.area for one in kept] == pytest.approx([102, 9.8 * 4])
    assert [one.area.area for one in without_hairs(parts, 0.1)] == pytest.approx([100, 4, 9.8 * 4])


def test_few_colors_are_a_layer_each_and_cover_the_same():
    drawing = scattered()
    parts = parts_of(drawing, svg.write(drawing), 0.02)
    few = in_few_colors(parts, 4)
    assert len({part.color for part in few}) == len(few) == 4
    assert sum(part.area.area for part in few) == pytest.approx(sum(part.area.area for part in parts), rel=1e-6)
    made, count = cut(svg.write(drawing), Machine(width_mm=90, colors=4))
    root = etree.fromstring(made)
    assert (count, len(root)) == (4, 4)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("90mm", "60mm", "0 0 90 60")


@pytest.mark.parametrize("grey", [0.1, 0.5, 0.8])
def test_hatching_takes_as_much_light_as_the_color(grey):
    part = Part(polygons(shapely.affinity.rotate(shapely.box(5, 5, 105, 65), 30)), (grey, grey, grey))
    lines = hatching(part, 0.25)
    ink = sum(np.hypot(*(line[1] - line[0])) for line in lines) * 0.25
    assert ink / part.area.area == pytest.approx(1 - ((grey + 0.055) / 1.055) ** 2.4, rel=0.03)
    drawn = shapely.MultiLineString([line.tolist() for line in lines])
    assert part.area.buffer(1e-6).covers(drawn.buffer(0.12))
    ways = np.array([np.arctan2(*(line[1] - line[0])[::-1]) for line in lines])
    assert np.cos(ways - np.radians(30)) == pytest.approx(np.tile([1, -1], len(lines))[:len(lines)] * np.cos(
        ways[0] - np.radians(30)), abs=1e-6)


def test_white_stays_bare_and_what_shows_nothing_is_refused():
    assert hatching(Part(polygons(shapely.box(0, 0, 9, 9)), (1, 1, 1)), 0.1) == []
    white = svg.write(Document(W, H, (Layer("", (Shape(Outline((square(0, 0, 9, 9),)), SolidColor((1, 1, 1))),)),)))
    with pytest.raises(InputError, match="pen could draw"):
        plot(white, Machine())
    with pytest.raises(InputError, match="narrower than a hair"):
        cut(white, Machine(hair_mm=50))
    with pytest.raises(InputError, match="nothing in this drawing"):
        cut(svg.write(Document(W, H, ())), Machine())


def test_a_line_drawing_is_plotted_as_it_is():
    line = Line(np.array([(3, 5), (12, 25), (38, 5), (40, 35)], float), (0, 0, 1), 2.0, id="b")
    paper = Shape(Outline((square(0, 0, W, H),)), SolidColor((1, 1, 1)), id="paper")
    drawing = svg.write(Document(W, H, (Layer("", (paper,), "", (line,)),)))
    made, count = plot(drawing, Machine(width_mm=120, pen_mm=0.7))
    path = etree.fromstring(made).find(".//{*}path")
    assert (count, path.get("stroke-width"), path.get("fill")) == (1, "0.7", "none")
    assert path.get("d") == "M6 10C24 50 76 10 80 70"


@pytest.mark.parametrize("texture", ["none", "impasto", "watercolor", "canvas", "paper", "cut"])
def test_a_png_in_strips_is_the_picture(texture, monkeypatch):
    monkeypatch.setattr(tiles, "STRIP_PX", 1200)
    monkeypatch.setattr(tiles, "TILE_SIDE", 70)
    drawing = svg.write(Document(W, H, scattered().layers, texture=texture))
    made = b"".join(tiles.png_parts(drawing, 3 * W, "#203040", Run(), 254.0))
    picture = Image.open(io.BytesIO(made))
    assert picture.info["dpi"] == pytest.approx((254, 254), abs=0.1)
    got, wanted = np.asarray(picture).astype(int), render_svg(drawing, 3 * W, 3 * H, "#203040").astype(int)
    difference = np.abs(got - wanted)
    # A strip begins at another place, so that which of an edge's sampling points lie inside may differ by rounding.
    assert (difference > 2).mean() < 0.04
    assert difference.mean() < 0.6
    for axis in (0, 1):
        steps = [np.abs(np.diff(picture, axis=axis)).mean((1 - axis, 2)) for picture in (got, wanted)]
        assert np.abs(steps[0] - steps[1]).max() < 2


def test_strips_have_one_size_however_long_the_picture(monkeypatch):
    monkeypatch.setattr(tiles, "STRIP_PX", 60 * 16)
    drawing = svg.write(scattered(3))
    asked = []

    def rendered(data, width, height, background):
        asked.append(width * height)
        return np.zeros((height, width, 3), np.uint8)

    monkeypatch.setattr(tiles, "render_svg", rendered)
    made = b"".join(tiles.png_parts(drawing, 1200, "#ffffff", Run()))
    assert Image.open(io.BytesIO(made)).size == (1200, 800)
    assert max(asked) <= 1200 * 16
    with pytest.raises(UsageError, match="larger than other programs open"):
        next(tiles.png_parts(drawing, 70_000, "#ffffff", Run()))


def pdf_picture(data, width):
    page = pypdfium2.PdfDocument(data)[0]
    picture = page.render(scale=width / page.get_width()).to_pil().convert("RGB")
    return np.asarray(picture).astype(float), page.get_size()


@pytest.mark.parametrize("opacity", [1.0, 0.6])
def test_a_pdf_shows_the_drawing_with_gradients_as_gradients(opacity):
    data = svg.write(scattered(opacity=opacity))
    made = printed(plain(data, 120), ".pdf")
    got, size = pdf_picture(made, 8 * W)
    wanted = render_svg(data, 8 * W, 8 * H).astype(float)
    assert size == pytest.approx((120 / 25.4 * 72, 80 / 25.4 * 72), abs=0.5)
    same = inside(np.rint(wanted / 16))
    assert np.abs(got[:8 * H, :8 * W] - wanted).mean() < 2
    assert np.abs(got[:8 * H, :8 * W] - wanted)[same].mean() < 1.5
    document = pypdfium2.PdfDocument(made)
    assert not [one for one in document[0].get_objects(max_depth=6) if one.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]


def test_a_pdf_keeps_soft_edges_and_leaves_the_texture():
    masked = Document(W, H, scattered().layers, texture="impasto",
                      mask=tuple(Shape(Outline((square(10 + k, 5 + k, 50 - k, 30 - k),)), SolidColor((k / 9,) * 3))
                                 for k in range(2, 10)))
    data = svg.write(masked)
    assert (is_textured(data), is_see_through(data), is_see_through(svg.write(scattered()))) == (True, True, False)
    got, _ = pdf_picture(printed(plain(data), ".pdf"), 8 * W)
    wanted = render_svg(plain(data), 8 * W, 8 * H).astype(float)
    assert np.abs(got[:8 * H, :8 * W] - wanted).mean() < 2
    assert (got[:20] == 255).all()


def test_an_eps_has_its_size_and_native_gradients():
    made = printed(plain(svg.write(scattered()), 127), ".eps")
    assert made.startswith(b"%!PS-Adobe-3.0 EPSF")
    box = [float(n) for n in re.search(rb"%%BoundingBox: ([-0-9. ]+)", made)[1].split()]
    assert box[2] - box[0] == pytest.approx(360, abs=1)
    assert made.count(b"/ShadingType") == 20
    assert b"/ImageType" not in made


@pytest.mark.inkscape
def test_inkscape_writes_them_where_cairosvg_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    data = plain(svg.write(scattered()), 100)
    got, _ = pdf_picture(printed(data, ".pdf"), 8 * W)
    assert np.abs(got[:8 * H, :8 * W] - render_svg(data, 8 * W, 8 * H)).mean() < 2
    assert printed(data, ".eps").startswith(b"%!PS")


def test_without_any_program_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    monkeypatch.setattr("gradvec.export.printed.find_inkscape", lambda: None)
    with pytest.raises(UsageError, match=r"gradvec\[export\]"):
        printed(b"", ".pdf")
    monkeypatch.setitem(sys.modules, "shapely", None)
    with pytest.raises(UsageError, match=r"gradvec\[export\]"):
        cut(svg.write(scattered()), Machine())


@pytest.mark.inkscape
def test_inkscape_reads_the_parts_in_mm(tmp_path):
    made, _ = cut(svg.write(scattered()), Machine(width_mm=120))
    (tmp_path / "cut.svg").write_bytes(made)
    told = subprocess.run(["inkscape", "--query-all", str(tmp_path / "cut.svg")], capture_output=True, text=True,
                          timeout=60, check=True).stdout.splitlines()
    widths = {line.split(",")[0]: float(line.split(",")[3]) for line in told}
    assert widths["layer-1"] / 96 * 25.4 == pytest.approx(120, rel=0.1)


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.svg").write_bytes(svg.write(Document(W, H, scattered(opacity=0.5).layers, texture="paper")))
    return tmp_path


def test_the_command_line_writes_all_of_them(drawn, capsys):
    assert main(["export", "in.svg", "-o", "a.pdf", "--width-mm", "100"]) == 0
    assert "textures" in capsys.readouterr().err
    assert main(["export", "in.svg", "-o", "a.eps"]) == 0
    assert "see-through strokes became pixels" in capsys.readouterr().err
    assert main(["export", "in.svg", "-o", "a.png", "--width-mm", "25.4", "--dpi", "200", "--quiet"]) == 0
    assert Image.open(io.BytesIO((drawn / "a.png").read_bytes())).size == (200, 133)
    assert main(["export", "in.svg", "-o", "b.png", "--width", "90", "--quiet"]) == 0
    assert Image.open(io.BytesIO((drawn / "b.png").read_bytes())).size == (90, 60)
    for profile in ("cut", "plot"):
        assert main(["export", "in.svg", "-o", f"{profile}.svg", "--profile", profile, "--width-mm", "60"]) == 0
        assert "paths" in capsys.readouterr().err
        assert etree.parse(f"{profile}.svg").getroot().get("width") == "60mm"


@pytest.mark.parametrize(("words", "code", "says"), [
    (["in.svg", "-o", "a.doc"], 2, "none of .pdf"), (["in.svg", "-o", "a.pdf", "--profile", "cut"], 2, ".svg"),
    (["in.svg", "-o", "a.png", "--width", "9", "--width-mm", "9"], 2, "width of a PNG"),
    (["in.svg", "-o", "a.pdf", "--width", "9"], 2, "width of a PNG"), (["no.svg", "-o", "a.pdf"], 3, "no file"),
    (["in.svg", "-o", "a.png", "--width-mm", "9000"], 2, "larger than other programs open")])
def test_wrong_use_is_told(words, code, says, drawn, capsys):
    assert main(["export", *words]) == code
    assert says in capsys.readouterr().err
    assert [path.name for path in drawn.iterdir()] == ["in.svg"]


def test_path_data_is_even_odd_with_its_holes():
    ring = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2))
    assert path_data(ring, 2.0).count("M") == 2
    assert profiles.Machine().width_mm == 200
