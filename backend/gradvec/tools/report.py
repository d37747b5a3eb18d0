"""The comparison as one self-contained page: input, painting, SVG, difference, layers as they build up, figures."""

from __future__ import annotations

import base64
import copy
from html import escape
from pathlib import Path

import numpy as np
from lxml import etree

from .. import __version__
from ..io.images import load, png_bytes
from ..io.svg.read import parse, size_of, stored_run
from ..io.svg.write import INKSCAPE, SVG
from . import compare

#: Longest side of the pictures that show the layers building up, px.
STEP_PX = 280
#: Never more of them than this.
STEPS_MAX = 12
#: How much the difference is brightened.
GAIN = 4

_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.steps { grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); }
figure { margin: 0; } figcaption { padding: .25rem 0; }
img { display: block; width: 100%; background: #fff; outline: 1px solid var(--line); }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--line); padding: .25rem 1.5rem .25rem 0;
text-align: left; font-variant-numeric: tabular-nums; } th { font-weight: 600; }
.swipe { position: relative; max-width: 48rem; } .swipe img + img { position: absolute; inset: 0; height: 100%;
clip-path: inset(0 0 0 var(--at, 50%)); } .swipe input { width: 100%; margin: .5rem 0; }
"""


def report(svg: bytes, picture: Path | bytes, name: str, painting: Path | bytes | None = None,
           at_picture_size: bool = False) -> str:
    """The page as HTML text that needs no other file.

    painting: the picture that ``gradvec paint --save-painting`` wrote, shown where it is given.

    Raises:
        InputError: as :func:`gradvec.tools.compare.compare`.
    """
    wanted, got = compare.both(svg, picture, at_picture_size)
    figures = compare.compare(svg, picture, at_picture_size)
    difference = np.abs(wanted.astype(np.int16) - got).mean(-1) * GAIN
    shown = [("Picture", _png(wanted)), ("SVG", _svg(svg)),
             (f"Difference, {GAIN} times", _png(np.clip(difference, 0, 255).astype(np.uint8)))]
    if painting is not None:
        shown.insert(1, ("Painting, before vectorization", _png(_on_white(painting))))
    steps = "".join(_figure(f"{label}: {count} path{'' if count == 1 else 's'}", source)
                    for label, count, source in build_up(svg))
    title = f"{name} compared with its picture"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>Rendered by resvg on white at {figures.width} x {figures.height} px. gradvec {__version__}.</p>
<div class="grid">{"".join(_figure(label, source) for label, source in shown)}</div>
<h2>Side by side</h2>
<div class="swipe"><img src="{shown[0][1]}" alt="picture"><img src="{_svg(svg)}" alt="SVG"></div>
<div class="swipe"><input type="range" value="50" aria-label="where the picture ends and the SVG begins"
oninput="this.parentNode.previousElementSibling.style.setProperty('--at', this.value + '%')"></div>
<h2>Layer by layer</h2>
<div class="grid steps">{steps}</div>
<h2>Figures</h2>
{_table(figures)}
{_settings(svg)}
</body></html>
"""


def build_up(svg: bytes) -> list[tuple[str, int, str]]:
    """(layer's name, paths so far, picture as a data URI) after each Inkscape layer, from bottom to top.

    Above STEPS_MAX layers, evenly chosen ones; an SVG without layers is one step.
    """
    root = parse(svg)
    width, height = size_of(root)
    scale = STEP_PX / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    layers = [g for g in root.iter(f"{{{SVG}}}g") if g.get(f"{{{INKSCAPE}}}groupmode") == "layer"
              and g.find(f".//{{{SVG}}}g[@{{{INKSCAPE}}}groupmode='layer']") is None]
    if not layers:
        return [("All", compare.counts(svg)[0], _png(compare.render_svg(svg, *size)))]
    chosen = sorted({round(i) for i in np.linspace(0, len(layers) - 1, min(len(layers), STEPS_MAX))})
    steps = []
    for last in chosen:
        part = _without(root, layers[last + 1:])
        label = layers[last].get(f"{{{INKSCAPE}}}label") or layers[last].get("id") or f"Layer {last + 1}"
        steps.append((label, compare.counts(part)[0], _png(compare.render_svg(part, *size))))
    return steps


def _without(root: etree._Element, layers: list[etree._Element]) -> bytes:
    tree = root.getroottree()
    left = copy.deepcopy(root)
    for path in [tree.getelementpath(layer) for layer in layers]:
        left.find(path).set("gone", "1")
    for element in left.xpath("//*[@gone]"):
        element.getparent().remove(element)
    return etree.tostring(left)


def _on_white(painting: Path | bytes) -> np.ndarray:
    target = load(painting, compare.FULL_SIZE)
    alpha = target.alpha[..., None]
    return np.rint((target.rgb * alpha + 1 - alpha) * 255).astype(np.uint8)


def _figure(label: str, source: str) -> str:
    return f'<figure><img src="{source}" alt="{escape(label)}"><figcaption>{escape(label)}</figcaption></figure>'


def _png(picture: np.ndarray) -> str:
    return f"data:image/png;base64,{base64.b64encode(png_bytes(picture)).decode()}"


def _svg(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def rows(figures: compare.Comparison) -> list[tuple[str, str]]:
    """(name, value) of each figure, as a reader sees them."""
    return [("PSNR", f"{figures.psnr:.2f} dB"), ("SSIM", f"{figures.ssim:.4f}"),
            ("SSIM, the paper's way", f"{figures.ssim_paper:.4f}"),
            ("MSE of grey, the paper's way", f"{figures.mse_grey:.5f}"), ("Paths", str(figures.paths)),
            ("Gradients", str(figures.gradients)), ("Nodes", str(figures.nodes)),
            ("Bytes", str(figures.bytes))]


def _table(figures: compare.Comparison) -> str:
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows(figures))
    return f"<table>{body}</table>"


def _settings(svg: bytes) -> str:
    """The settings that the document stores, if it stores any."""
    options = stored_run(parse(svg)).get("options") or {}
    body = "".join(f"<tr><th>{escape(str(k))}</th><td>{escape(str(v))}</td></tr>" for k, v in sorted(options.items()))
    return f"<h2>Settings</h2><table>{body}</table>" if body else ""
