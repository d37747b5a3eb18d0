"""Texture of a whole drawing as one SVG filter: relief of paint, grain of paper, pigment that gathers in its hollows,
or edges that are as soft as a lens makes them.

Only primitives that scale with the drawing are used (noise, offset, sums of layers), no lights, whose relief would
change with the zoom; so Inkscape, browsers and resvg show the same at any size. The strokes below stay what they are:
taking the filter off the layer takes the texture away.

What a redraw costs decides how it is built. Layers that are put over, into or out of each other and the plain blend
modes cost Inkscape next to nothing; sums by ``arithmetic``, colour matrices, blur and displacement each cost as much as
all strokes together, and so does every octave of noise. Hence one or two octaves of it, and no others of these. Soft
edges are one blur, of less than a px as a rule, which takes a fifth of the time of see-through strokes.
"""

from __future__ import annotations

import math

#: Longest side of a picture, px, at which one unit of grain is one px.
UNIT_SIDE = 512.0

#: By how many units the filter reaches over the left and upper border: as far as anything is shifted from there.
REACH = 2.0

NAMES = ("impasto", "canvas", "paper", "watercolor", "cut", "soft")


def texture_filter(name: str, identifier: str, width: int, height: int, softness: float) -> str:
    """The ``<filter>`` element of a texture for a drawing of width x height px.

    name: one of :data:`NAMES`. softness: px, the blur of the one that is called soft.
    """
    unit = softness if name == "soft" else max(width, height) / UNIT_SIDE
    over = math.ceil(REACH * unit)
    return (f'<filter id="{identifier}" filterUnits="userSpaceOnUse" x="{-over}" y="{-over}" width="{width + over}" '
            f'height="{height + over}" color-interpolation-filters="sRGB">{_MAKERS[name](unit)}'
            '<feComposite in="textured" in2="SourceAlpha" operator="in"/></filter>')


def _n(value: float) -> str:
    return f"{value:.4g}"


def _noise(result: str, across: float, down: float, octaves: int, seed: int) -> str:
    """Noise of which only the opacity is used, around a half: programs do not agree whether its colours are
    premultiplied with that. across, down: waves a px."""
    return (f'<feTurbulence type="fractalNoise" baseFrequency="{_n(across)} {_n(down)}" numOctaves="{octaves}" '
            f'seed="{seed}" result="{result}"/>')


def _away(layer: str, result: str, step: float) -> str:
    """A layer as it is ``step`` px to the upper left: light comes from there. At the border it goes on as it ends."""
    return (f'<feOffset in="{layer}" dx="{_n(step)}" dy="{_n(step)}" result="shifted"/>'
            f'<feMerge result="{result}"><feMergeNode in="{layer}"/><feMergeNode in="shifted"/></feMerge>')


def _part(layer: str, share: float, result: str) -> str:
    """A layer, ``share`` as opaque."""
    return (f'<feFlood flood-opacity="{_n(share)}" result="share"/>'
            f'<feComposite in="{layer}" in2="share" operator="in" result="{result}"/>')


def _grain(picture: str, noise: str, step: float, share: float, result: str = "textured") -> str:
    """The picture, lighter where noise is and darker where that of ``step`` px away is; black and white stay."""
    return (_part(picture, share, "paint") + f'<feOffset in="{noise}" dx="{_n(step)}" dy="{_n(step)}" result="off"/>'
            f'<feComposite in="paint" in2="{noise}" operator="in" result="light"/>'
            '<feComposite in="paint" in2="off" operator="in" result="dark"/>'
            f'<feBlend in="light" in2="{picture}" mode="screen" result="lit"/>'
            f'<feBlend in="dark" in2="lit" mode="multiply" result="{result}"/>')


def _edges(step: float, result: str = "edged") -> str:
    """The picture with light and shade where a stroke ends: half of how it changes over ``step`` px, around a half."""
    return ('<feFlood flood-color="#ffffff" result="white"/>' + _away("SourceGraphic", "away", step)
            + '<feBlend in="away" in2="white" mode="difference" result="negative"/>' + _part("negative", 0.5, "behind")
            + '<feMerge result="relief"><feMergeNode in="SourceGraphic"/><feMergeNode in="behind"/></feMerge>'
            + _part("relief", 0.7, "lights")
            + f'<feBlend in="lights" in2="SourceGraphic" mode="hard-light" result="{result}"/>')


def _hollows(picture: str, noise: str, color: str, share: float, result: str = "textured") -> str:
    """The picture with a colour that lies where noise is: also what is white has grain."""
    return (f'<feFlood flood-color="{color}" flood-opacity="{_n(share)}" result="pigment"/>'
            f'<feComposite in="pigment" in2="{noise}" operator="in" result="lying"/>'
            f'<feMerge result="{result}"><feMergeNode in="{picture}"/><feMergeNode in="lying"/></feMerge>')


def _impasto(u: float) -> str:
    """Strokes stand out as paint does, and the canvas's tooth shows through. Ridges of a brush would all run one way,
    whichever way strokes do, and look like scan lines."""
    return _edges(0.9 * u) + _noise("tooth", 0.45 / u, 0.45 / u, 1, 7) + _grain("edged", "tooth", 0.6 * u, 0.5)


def _canvas(u: float) -> str:
    return (_noise("warp", 0.5 / u, 0.03 / u, 1, 3) + _grain("SourceGraphic", "warp", 0.7 * u, 0.7, "warped")
            + _noise("weft", 0.03 / u, 0.5 / u, 1, 5) + _grain("warped", "weft", 0.7 * u, 0.7))


def _paper(u: float) -> str:
    """Chalk on the paper's ridges and shade in its hollows. No relief: blend modes take as long as all flat strokes."""
    return (_noise("grain", 0.6 / u, 0.6 / u, 1, 11)
            + '<feFlood flood-color="#ffffff" flood-opacity="0.06" result="chalk"/>'
            '<feComposite in="chalk" in2="grain" operator="out" result="ridges"/>'
            '<feMerge result="chalky"><feMergeNode in="SourceGraphic"/><feMergeNode in="ridges"/></feMerge>'
            + _hollows("chalky", "grain", "#201810", 0.07))


def _watercolor(u: float) -> str:
    """Pigment that is unevenly spread and lies in the paper's hollows."""
    return (_noise("grain", 0.5 / u, 0.5 / u, 1, 13) + _grain("SourceGraphic", "grain", 0.6 * u, 0.5, "grained")
            + _hollows("grained", "grain", "#30302c", 0.09))


def _cut(u: float) -> str:
    """Sheets that lie on each other. Their flat colours are drawn so quickly that noise would take longer than all."""
    return _edges(1.2 * u, "textured")


def _soft(deviation: float) -> str:
    """Edges as a lens shows them. At the border nothing is to shine through, so the drawing itself lies below."""
    return (f'<feGaussianBlur in="SourceGraphic" stdDeviation="{_n(deviation)}" result="blurred"/>'
            '<feMerge result="textured"><feMergeNode in="SourceGraphic"/><feMergeNode in="blurred"/></feMerge>')


_MAKERS = {"impasto": _impasto, "canvas": _canvas, "paper": _paper, "watercolor": _watercolor, "cut": _cut,
           "soft": _soft}
