"""Figures and the page that `gradvec compare` makes, held to closed forms, to Pillow and to scikit-image."""

import json
import math
import re
from base64 import b64decode

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.errors import InputError
from gradvec.io.images import png_bytes
from gradvec.tools import compare
from gradvec.tools.report import build_up, report
from lxml import etree
from PIL import Image
from skimage.metrics import structural_similarity

HEAD = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        'viewBox="0 0 40 30" width="40" height="30">')
GRADIENT = ('<linearGradient id="g" gradientUnits="userSpaceOnUse" x2="40"><stop stop-color="#ff0000"/>'
            '<stop offset="1" stop-color="#0000ff"/></linearGradient><linearGradient id="h" href="#g"/>')
LAYERS = (HEAD + "<metadata><run xmlns='https://gradvec.org/ns/1'>{\"options\": {\"brush\": \"&lt;oil&gt;\"}}</run>"
          "</metadata>" + GRADIENT +
          '<g inkscape:groupmode="layer" inkscape:label="Gradvec">'
          '<g inkscape:groupmode="layer" inkscape:label="1 wide">'
          '<path d="M0 0H40V30H0z" fill="url(#g)"/></g><g inkscape:groupmode="layer" inkscape:label="2 &amp; narrow">'
          '<path d="M5 5h9v9h-9z" fill="#0f0"/><path d="M20 5c5 0 5 9 0 9z"/></g></g></svg>').encode()


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def test_psnr_closed_forms():
    flat = np.full((4, 5, 3), 100, np.uint8)
    assert compare.psnr(flat, flat) == math.inf
    assert compare.psnr(flat, flat + np.uint8(10)) == pytest.approx(20 * math.log10(255 / 10))


def test_figures_agree_with_pillow_and_scikit_image(noise):
    shift = np.random.default_rng(1).integers(-30, 30, noise.shape)
    other = np.clip(noise + shift, 0, 255).astype(np.uint8)
    greys = [np.asarray(Image.fromarray(p).convert("L")) / 255 for p in (noise, other)]
    paper = structural_similarity(*greys, win_size=3, data_range=greys[1].max() - greys[1].min())
    assert compare.ssim_paper(noise, other) == pytest.approx(paper, abs=1e-4)
    assert compare.mse_grey(noise, other) == pytest.approx(((greys[0] - greys[1]) ** 2).mean(), abs=1e-5)
    assert compare.ssim(noise, other) == structural_similarity(noise, other, channel_axis=-1, data_range=255)
    assert compare.ssim(noise, noise) == pytest.approx(1)


def test_tiny_and_flat_pictures_have_figures():
    flat = np.full((4, 5, 3), 100, np.uint8)
    assert compare.ssim_paper(flat, flat) == pytest.approx(1)
    assert compare.ssim(flat, flat) == pytest.approx(1)
    assert math.isnan(compare.ssim(flat[:2], flat[:2]))


def test_an_exact_svg_is_equal_to_its_picture():
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:, 20:] = (10, 200, 30)
    svg = f'{HEAD}<path d="M0 0h20v30H0z"/><path d="M20 0h20v30H20z" fill="#0ac81e"/></svg>'.encode()
    found = compare.compare(svg, png_bytes(picture))
    assert (found.psnr, found.ssim, found.ssim_paper) == (math.inf, pytest.approx(1), pytest.approx(1))
    assert (found.width, found.height, found.paths, found.gradients, found.nodes) == (40, 30, 2, 0, 6)
    assert found.bytes == len(svg)
    assert found.to_dict()["psnr"] is None


def test_counts_leave_out_gradients_that_only_refer():
    assert compare.counts(LAYERS) == (3, 1, 3 + 3 + 1)


def test_transparent_pictures_are_compared_on_white():
    picture = np.zeros((30, 40, 4), np.uint8)
    picture[:, :20] = 255, 0, 0, 255
    svg = f'{HEAD}<path d="M0 0h20v30H0z" fill="#f00"/></svg>'.encode()
    assert compare.compare(svg, png_bytes(picture)).psnr > 40


def test_sizes(noise):
    big = png_bytes(noise.repeat(3, 0).repeat(3, 1))
    at_svg, at_picture = (compare.both(f"{HEAD}</svg>".encode(), big, flag) for flag in (False, True))
    assert [p.shape for p in at_svg] == [(30, 40, 3)] * 2
    assert [p.shape for p in at_picture] == [(90, 120, 3)] * 2
    rounded = png_bytes(np.zeros((61, 80, 3), np.uint8))  # 40 x 30.5
    assert compare.both(f"{HEAD}</svg>".encode(), rounded)[1].shape in ((30, 40, 3), (31, 40, 3))
    with pytest.raises(InputError, match="not the same shape"):
        compare.both(f"{HEAD}</svg>".encode(), png_bytes(np.zeros((40, 40, 3), np.uint8)))


def test_an_svg_without_viewbox_is_stretched_all_the_same():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="40px" height="30px"><path d="M0 0h40v30H0z"/></svg>'
    assert compare.render_svg(svg, 80, 61).max() == 0


def test_layers_build_up():
    steps = build_up(LAYERS)
    assert [(label, count) for label, count, _ in steps] == [("1 wide", 1), ("2 & narrow", 3)]
    assert steps[0][2] != steps[1][2]
    assert [label for label, _, _ in build_up(f"{HEAD}</svg>".encode())] == ["All"]


def test_many_layers_are_thinned_out():
    layers = "".join(f'<g inkscape:groupmode="layer" inkscape:label="{i}"><path d="M0 0h1v1z"/></g>' for i in range(40))
    steps = build_up(f"{HEAD}{layers}</svg>".encode())
    assert len(steps) == 12
    assert (steps[0][:2], steps[-1][:2]) == (("0", 1), ("39", 40))


def test_the_page_is_complete_and_self_contained(noise):
    page = report(LAYERS, png_bytes(noise), "<photo>.svg", painting=png_bytes(noise))
    tree = etree.HTML(page)
    sources = tree.xpath("//img/@src")
    assert len(sources) == 4 + 2 + 2
    assert all(re.match(r"data:image/(png|svg\+xml);base64,", s) and b64decode(s.partition(",")[2]) for s in sources)
    assert tree.xpath("//link | //script | //iframe") == []
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?https?:""", page)
    captions = [c.strip() for c in tree.xpath("//figcaption/text()")]
    assert captions == ["Picture", "Painting, before vectorization", "SVG", "Difference, 4 times", "1 wide: 1 path",
                        "2 & narrow: 3 paths"]
    assert "<oil>" in tree.xpath("//td/text()")
    assert tree.xpath("//h1/text()") == ["<photo>.svg compared with its picture"]


def test_from_the_command_line(tmp_path, noise, capsys):
    (tmp_path / "o.svg").write_bytes(LAYERS)
    (tmp_path / "p.png").write_bytes(png_bytes(noise))
    arguments = ["compare", str(tmp_path / "o.svg"), str(tmp_path / "p.png")]
    assert main([*arguments, "--html", str(tmp_path / "r.html")]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0] == "compared at 40 x 30 px, on white"
    assert table[5].split() == ["Paths", "3"]
    assert (tmp_path / "r.html").read_text().startswith("<!DOCTYPE html>")
    assert main([*arguments, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["nodes"] == 7
    assert 5 < figures["psnr"] < 15
    assert main([*arguments, "--html", arguments[1]]) == 3
    assert "is the input itself" in capsys.readouterr().err
    assert main(["compare", arguments[2], arguments[2]]) == 3
    assert "not a readable SVG" in capsys.readouterr().err
    assert main(["compare", arguments[1], arguments[1]]) == 3
    assert "Traceback" not in capsys.readouterr().err
