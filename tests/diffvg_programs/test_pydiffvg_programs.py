"""Small programs as people write them for diffvg, run unchanged; its SVG files; and whole SVGs that are optimized."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import gradvec.pydiffvg as pydiffvg
import numpy as np
import pytest
import resvg_py as resvg
import torch
from gradvec.errors import InputError, UsageError
from PIL import Image

FIT = """
import sys
import pydiffvg
import torch
import diffvg
pydiffvg.set_use_gpu(torch.cuda.is_available())
render = pydiffvg.RenderFunction.apply

def shown(shapes, groups, seed):
    args = pydiffvg.RenderFunction.serialize_scene(64, 64, shapes, groups,
        filter=pydiffvg.PixelFilter(type=diffvg.FilterType.box, radius=torch.tensor(0.5)))
    return render(64, 64, 2, 2, seed, None, *args)

def start(kind):
    t = torch.tensor
    if kind == 'circle':
        return pydiffvg.Circle(t(10.0), t([32.0, 32.0])), {'radius': t(16.0), 'center': t([24.0, 36.0])}
    if kind == 'ellipse':
        return pydiffvg.Ellipse(t([15.0, 7.5]), t([32.0, 32.0])), {'radius': t([7.0, 12.0]), 'center': t([26.0, 35.0])}
    if kind == 'rect':
        return pydiffvg.Rect(t([10.0, 10.0]), t([40.0, 40.0])), {'p_min': t([20.0, 5.0]), 'p_max': t([25.0, 15.0])}
    if kind == 'polygon':
        return (pydiffvg.Polygon(t([[30.0, 8.0], [15.0, 54.5], [54.0, 24.0], [5.7, 24.0]]), True),
                {'points': t([[36.0, 12.0], [12.0, 50.0], [50.0, 27.0], [10.0, 20.0]])})
    if kind == 'path':
        return (pydiffvg.Path(t([2, 2, 2]), t([[30.0, 8.0], [38.0, 15.0], [22.0, 49.0], [15.0, 54.0], [22.0, 45.0],
                                              [42.0, 25.0], [55.0, 24.0], [51.0, 23.0], [13.0, 10.0]]), True),
                {'points': t([[25.0, 10.0], [39.0, 16.0], [25.0, 45.0], [16.0, 59.0], [22.0, 43.0], [44.0, 33.0],
                              [61.0, 27.0], [51.0, 26.0], [15.0, 15.0]])})
    if kind == 'stroke':
        return (pydiffvg.Path(t([2]), t([[30.0, 8.0], [38.0, 15.0], [22.0, 49.0], [15.0, 54.0]]), False, t(4.0)),
                {'points': t([[25.0, 10.0], [39.0, 16.0], [25.0, 45.0], [16.0, 59.0]]), 'stroke_width': t(1.3)})
    return (pydiffvg.Path(t([2, 1]), t([[30.0, 8.0], [38.0, 15.0], [22.0, 49.0], [15.0, 54.0], [40.0, 60.0],
                                       [50.0, 40.0]]), False, t([2.0, 5.0, 4.0, 2.0, 3.0, 1.0])),
            {'points': t([[25.0, 10.0], [39.0, 16.0], [25.0, 45.0], [16.0, 59.0], [44.0, 56.0], [48.0, 36.0]]),
             'stroke_width': t([3.0] * 6)})

kind = sys.argv[1]
shape, moved = start(kind)
stroked = 'stroke' in kind or 'thickness' in kind
color = torch.tensor([0.3, 0.6, 0.3, 1.0])
group = pydiffvg.ShapeGroup(shape_ids=torch.tensor([0]), fill_color=None if stroked else color,
                            stroke_color=color if stroked else None)
target = shown([shape], [group], 0).clone()
pydiffvg.imwrite(target.cpu(), 'results/target.png', gamma=2.2)
variables = {name: (v / 64).requires_grad_() for name, v in moved.items()}
paint = torch.tensor([0.3, 0.2, 0.5, 1.0], requires_grad=True)
optimizer = torch.optim.Adam([*variables.values(), paint], lr=1e-2)
for t in range(int(sys.argv[2])):
    optimizer.zero_grad()
    for name, v in variables.items():
        setattr(shape, name, v * 64)
    if stroked:
        group.stroke_color = paint
    else:
        group.fill_color = paint
    img = shown([shape], [group], t + 1)
    loss = (img - target).pow(2).sum()
    if t == 0:
        first = loss.item()
    loss.backward()
    optimizer.step()
pydiffvg.save_svg('results/final.svg', 64, 64, [shape], [group])
print(first, loss.item())
"""


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join(p for p in sys.path if p)
    return subprocess.run([sys.executable, "-m", "gradvec.pydiffvg", str(program), *arguments], capture_output=True,
                          text=True, check=False, cwd=program.parent, env={**os.environ, "PYTHONPATH": path})


@pytest.mark.parametrize("kind", ["circle", "ellipse", "rect", "polygon", "path", "stroke", "thickness"])
def test_a_program_for_diffvg_runs_unchanged_and_finds_its_target(tmp_path, kind):
    program = tmp_path / "fit.py"
    program.write_text(FIT)
    done = run(program, kind, "120")
    assert done.returncode == 0, done.stderr
    first, last = (float(v) for v in done.stdout.split())
    assert last <= 0.02 * first
    with Image.open(tmp_path / "results/target.png") as target:
        assert target.size == (64, 64)
    assert (tmp_path / "results/final.svg").read_text().startswith("<svg")


def test_a_program_gets_its_own_arguments_folder_and_errors(tmp_path):
    (tmp_path / "beside.py").write_text("word = 'beside'")
    program = tmp_path / "asks.py"
    program.write_text("import sys, beside, pydiffvg, torch\nprint(sys.argv, beside.word, __name__)\n"
                       "pydiffvg.RenderFunction.serialize_scene(4, 4, [], [], use_prefiltering=True)\n")
    done = run(program, "--fast", "2")
    assert done.stdout.split("\n")[0] == f"{[str(program), '--fast', '2']} beside __main__"
    assert done.returncode == UsageError.exit_code
    assert done.stderr.startswith("gradvec.pydiffvg has no prefiltering")


def test_without_a_program_it_says_how_it_is_used(tmp_path):
    done = run(tmp_path / "nothing.py")
    assert (done.returncode, done.stderr.split()[:3]) == (2, ["There", "is", "no"])


def elsewhere(svg: str) -> torch.Tensor:
    """(H, W, 3) on white, by resvg."""
    image = Image.open(io.BytesIO(bytes(resvg.svg_to_bytes(svg_string=svg)))).convert("RGBA")
    picture = torch.from_numpy(np.asarray(image, np.float32) / 255)
    return picture[..., :3] * picture[..., 3:] + 1 - picture[..., 3:]


def ours(width, height, shapes, groups) -> torch.Tensor:
    """(H, W, 3) on white."""
    args = pydiffvg.RenderFunction.serialize_scene(width, height, shapes, groups)
    return pydiffvg.RenderFunction.apply(width, height, 2, 2, 0, torch.ones(height, width, 3), *args)[..., :3]


def every_kind():
    t = torch.tensor
    stops = t([0.1, 0.9]), t([[0.9, 0.1, 0.2, 1.0], [0.2, 0.3, 0.8, 1.0]])
    shapes = [pydiffvg.Circle(t(7.3), t([12.1, 11.3]), t(1.3)),
              pydiffvg.Rect(t([4.3, 24.2]), t([18.6, 33.7])), pydiffvg.Rect(t([8.0, 26.0]), t([12.0, 30.0])),
              pydiffvg.Path(t([2, 1, 0]), t([[24.2, 22.1], [30, 18.3], [41.2, 20], [44.6, 28.2], [40.1, 38.3],
                                             [30.2, 35.7]]), True),
              pydiffvg.Path(t([2]), t([[26.0, 4.3], [30, 20], [40, 2], [44.2, 15.3]]), False, t(1.7))]
    turn = t([[0.98, -0.17, 6.0], [0.17, 0.98, -3.0], [0, 0, 1]])
    groups = [pydiffvg.ShapeGroup(t([0]), pydiffvg.RadialGradient(t([12.0, 11.0]), t([8.0, 8.0]), *stops),
                                  stroke_color=t([0.1, 0.2, 0.3, 1.0]), id="sun"),
              pydiffvg.ShapeGroup(t([1, 2]), pydiffvg.LinearGradient(t([4.0, 24.0]), t([18.0, 34.0]), *stops),
                                  shape_to_canvas=turn),
              pydiffvg.ShapeGroup(t([3]), pydiffvg.RadialGradient(t([34.0, 28.0]), t([[9.0, 4], [-3, 7]]), *stops)),
              pydiffvg.ShapeGroup(t([4]), None, stroke_color=t([0.5, 0.1, 0.6, 1.0]))]
    return 48, 40, shapes, groups


def test_what_is_saved_looks_the_same_elsewhere():
    """resvg against ours, on white; edges are antialiased differently, colours are rounded to 8 bits."""
    scene = every_kind()
    want, got = ours(*scene), elsewhere(pydiffvg.svg_to_str(*scene))
    assert float(((got - want) ** 2).mean().sqrt()) <= 0.02


def test_what_is_saved_is_read_again(tmp_path):
    scene = every_kind()
    pydiffvg.save_svg(str(tmp_path / "new/scene.svg"), *scene)
    width, height, shapes, groups = pydiffvg.svg_to_scene(str(tmp_path / "new/scene.svg"))
    assert (width, height) == (48, 40)
    assert float(((ours(48, 40, shapes, groups) - ours(*scene)) ** 2).mean().sqrt()) <= 0.004
    assert any(g.id == "sun" for g in groups)


SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 60 50">
<style>.leaf { fill: #2a7f3b; fill-opacity: 0.5 } .leaf, .line { stroke-width: 3px }</style>
<defs><linearGradient id="base"><stop offset="0" stop-color="#ff0000"/>
<stop offset="100%" style="stop-color:#0000ff;stop-opacity:0.5"/></linearGradient>
<linearGradient id="sky" xlink:href="#base" x1="5" y1="0" x2="25" y2="0" gradientUnits="userSpaceOnUse"/></defs>
<g transform="translate(2 1)" fill="none" stroke="black">
  <path class="leaf" stroke="none" d="M5 5 C10 0 20 0 25 5 S 20 20 5 15 Z"/>
  <path id="open" class="line" d="M30 5 q 10 20 20 0 t 5 10" style="stroke:#804020"/>
  <polyline points="5,30 15,25 25,35" stroke-width="2"/>
</g>
<rect x="5" y="36" width="20" height="10" fill="url(#sky)"/>
<ellipse cx="45" cy="38" rx="10" ry="6" fill="rgb(10, 200, 30)" transform="rotate(20 45 38)"/>
<path d="M30 25 H40 V33 h-10 z M33 27 v3 h4 v-3 z" fill-rule="evenodd" fill="#333"/>
<path d="M50 20 A 5 5 0 0 1 55 28" stroke="red" stroke-width="2" fill="none" stroke-linecap="round"/>
<line x1="2" y1="48" x2="58" y2="48" stroke="navy" stroke-opacity="0.5"/>
</svg>"""


def test_an_svg_of_many_kinds_is_read_as_it_looks():
    """Caps are always round here: butt ends, which SVG's default is, are covered."""
    text = SVG.replace("<svg ", '<svg stroke-linecap="round" stroke-linejoin="round" ')
    text = text.replace("navy", "#000080")
    width, height, shapes, groups = pydiffvg.svg_str_to_scene(text)
    difference = ours(width, height, shapes, groups) - elsewhere(text)
    assert float((difference**2).mean().sqrt()) <= 0.03
    assert [g.use_even_odd_rule for g in groups].count(True) == 1
    opened = next(s for s in shapes if s.id == "open")
    assert opened.num_control_points.tolist() == [1, 1]
    assert not opened.is_closed
    assert float(opened.stroke_width) == 1.5


GRADIENTS = """<svg xmlns="http://www.w3.org/2000/svg" width="80" height="60" viewBox="0 0 80 60"><defs>
<linearGradient id="a"><stop offset="0" stop-color="#e02020"/><stop offset="1" stop-color="#2040e0"/></linearGradient>
<radialGradient id="b" href="#a"/>
<radialGradient id="c" href="#a" gradientUnits="userSpaceOnUse" cx="60" cy="12" r="9"
 gradientTransform="rotate(30 60 12) scale(1 0.6)"/>
<linearGradient id="d" href="#a" x1="10%" y1="20%" x2="0.9" y2="1" gradientTransform="skewX(20)"/>
<linearGradient id="e" href="#a" gradientUnits="userSpaceOnUse" x1="50%" x2="100%"/>
<linearGradient id="f" href="#a" x1="0.3" x2="0.3"/></defs>
<path fill="url(#a)" d="M2 3H28V15Z"/><ellipse fill="url(#b)" cx="18" cy="26" rx="14" ry="7" transform="rotate(9)"/>
<rect fill="url(#c)" x="44" y="2" width="30" height="20"/><path fill="url(#d)" d="M4 40C9 30 30 44 34 38V56H4Z"/>
<rect fill="url(#e)" x="44" y="26" width="33" height="12"/>
<path fill="url(#f)" transform="translate(44 42) scale(1.5)" d="M0 0H20V9H0Z"/>
</svg>"""


def test_gradients_of_a_file_look_as_elsewhere():
    """In parts of the box and in user space, with percentages and transforms; corners are where edges differ."""
    width, height, shapes, groups = pydiffvg.svg_str_to_scene(GRADIENTS)
    difference = ours(width, height, shapes, groups) - elsewhere(GRADIENTS)
    assert float((difference**2).mean().sqrt()) <= 0.01
    again = pydiffvg.svg_to_str(width, height, shapes, groups)
    difference = elsewhere(again) - elsewhere(GRADIENTS)
    assert float((difference**2).mean().sqrt()) <= 0.01


def test_path_data_keeps_its_kinds_of_segments():
    (path,) = pydiffvg.from_svg_path("M0 0 L 10 0 Q 15 5 10 10 C 8 12 2 12 0 10 Z")
    assert path.num_control_points.tolist() == [0, 1, 2, 0]
    assert path.is_closed
    assert path.points.shape == (7, 2)
    first, second = pydiffvg.from_svg_path("M0 0 h5 v5 M 9 9 l 3 3", torch.diag(torch.tensor([2.0, 3.0, 1.0])))
    assert not first.is_closed
    assert second.points.tolist() == [[18.0, 27.0], [24.0, 36.0]]
    (closed,) = pydiffvg.from_svg_path("M0 0 h5 v5", force_close=True)
    assert closed.is_closed
    assert closed.num_control_points.tolist() == [0, 0, 0]


@pytest.mark.parametrize("text", ["no svg", "<html/>", '<svg xmlns="http://www.w3.org/2000/svg"/>'])
def test_what_is_no_svg_is_told(tmp_path, text):
    (tmp_path / "x.svg").write_text(text)
    with pytest.raises(InputError):
        pydiffvg.svg_to_scene(str(tmp_path / "x.svg"))
    with pytest.raises(InputError, match="cannot be read"):
        pydiffvg.svg_to_scene(str(tmp_path / "missing.svg"))


def test_pictures_go_to_files_and_come_back(tmp_path):
    picture = torch.rand(5, 7, 4)
    pydiffvg.imwrite(picture, str(tmp_path / "deep/a.png"), gamma=2.2)
    back = pydiffvg.imread(str(tmp_path / "deep/a.png"), gamma=2.2)
    assert back.shape == (5, 7, 4)
    assert np.abs(back - picture.numpy()).max() <= 0.012
    pydiffvg.imwrite(torch.rand(4, 6) * 9 + 3, str(tmp_path / "b.png"), normalize=True)
    with Image.open(tmp_path / "b.png") as stretched:
        assert np.asarray(stretched).max() == 255


def test_a_whole_svg_is_optimized(tmp_path):
    svg = SVG.replace("navy", "#000080")
    (tmp_path / "a.svg").write_text(svg)
    settings = pydiffvg.SvgOptimizationSettings()
    settings.global_override(["optimize_color"], False)
    settings.global_override(["transforms", "translation_mult"], 10.0)
    settings.undefault("open")["paths"]["shape_lr"] = 0.0
    with (tmp_path / "settings.json").open("w") as f:
        settings.save(f)
    with (tmp_path / "settings.json").open() as f:
        again = pydiffvg.SvgOptimizationSettings(f)
    assert again.retrieve("open") == settings.retrieve("open")
    assert not again.retrieve("other")[1]

    whole = pydiffvg.OptimizableSvg(str(tmp_path / "a.svg"), again)
    target = pydiffvg.OptimizableSvg(str(tmp_path / "a.svg"), again).render().detach().roll(1, 0)
    losses = []
    for _ in range(15):
        whole.zero_grad()
        loss = (whole.render() - target).pow(2).mean()
        loss.backward()
        whole.step()
        losses.append(float(loss.detach()))
    assert losses[-1] <= 0.7 * losses[0]
    (tmp_path / "b.svg").write_text(whole.write_xml())
    kept = pydiffvg.OptimizableSvg(str(tmp_path / "b.svg"))
    assert float((kept.render() - whole.render()).detach().abs().mean()) <= 0.01
    assert whole.render(scale=2.0).shape == (100, 120, 4)


def test_settings_name_what_they_do_not_know(tmp_path):
    (tmp_path / "a.svg").write_text(SVG.replace("navy", "#000080"))
    settings = pydiffvg.SvgOptimizationSettings()
    settings.global_override(["transforms", "transform_mode"], "liquid")
    with pytest.raises(UsageError, match="no transform mode 'liquid'"):
        pydiffvg.OptimizableSvg(str(tmp_path / "a.svg"), settings)
    assert json.dumps(settings.store)


@pytest.mark.parametrize(("text", "color"), [
    ("lime", (0, 1, 0, 1)), ("hsl(240, 100%, 50%)", (0, 0, 1, 1)), ("rgb(255 0 0 / 0.5)", (1, 0, 0, 0.5))])
def test_colours_are_read_as_css_has_them(text, color, tmp_path):
    path = tmp_path / "color.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
                    f'<rect width="5" height="5" fill="{text}"/>'
                    '<rect width="9" height="9" style="display:none"/></svg>', "utf-8")
    (group,) = pydiffvg.svg_to_scene(str(path))[3]
    assert group.fill_color.tolist() == pytest.approx(color)


def test_a_dot_is_written_and_read_back(tmp_path):
    path = tmp_path / "dot.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
                    '<path d="M 4 4 L 4 4" fill="none" stroke="red" stroke-width="3"/></svg>', "utf-8")
    sums = []
    for name in ("dot.svg", "again.svg"):
        width, height, shapes, groups = pydiffvg.svg_to_scene(str(tmp_path / name))
        told = pydiffvg.RenderFunction.serialize_scene(width, height, shapes, groups)
        sums.append(float(pydiffvg.RenderFunction.apply(width, height, 2, 2, 0, None, *told)[..., 3].sum()))
        pydiffvg.save_svg(str(tmp_path / "again.svg"), width, height, shapes, groups)
    assert sums == pytest.approx([math.pi * 1.5**2] * 2, rel=0.03)
