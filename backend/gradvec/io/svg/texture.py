"""Texture of a whole drawing as one SVG filter: relief of paint, grain of paper, pigment that gathers at edges.

Only primitives that scale with the drawing are used (noise, blur, offset, displacement, sums), no lights, whose relief
would change with the zoom; so Inkscape, browsers and resvg show the same at any size. The strokes below stay what they
are: taking the filter off the layer takes the texture away.
"""

from __future__ import annotations

#: Longest side of a picture, px, at which one unit of grain is one px.
UNIT_SIDE = 512.0

NAMES = ("impasto", "canvas", "paper", "watercolor", "cut")
_GREY = "0.3 0.6 0.1 0 0 0.3 0.6 0.1 0 0 0.3 0.6 0.1 0 0 0 0 0 0 1"
#: Noise is taken from its opacity, because programs do not agree whether its colours are premultiplied with that: as
#: grey, as red alone, as green alone.
_NOISE = "0 0 0 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 0 1"
_AS_RED = "0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1"
_AS_GREEN = "0 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 1"
_NEGATIVE = "-1 0 0 0 1 0 -1 0 0 1 0 0 -1 0 1 0 0 0 0 1"


def texture_filter(name: str, identifier: str, width: int, height: int) -> str:
    """The ``<filter>`` element of a texture for a drawing of width x height px.

    name: one of :data:`NAMES`.
    """
    unit = max(width, height) / UNIT_SIDE
    return (f'<filter id="{identifier}" filterUnits="userSpaceOnUse" x="0" y="0" width="{width}" height="{height}" '
            f'color-interpolation-filters="sRGB">{_MAKERS[name](unit)}'
            '<feComposite in="textured" in2="SourceAlpha" operator="in"/></filter>')


def _n(value: float) -> str:
    return f"{value:.4g}"


def _noise(result: str, across: float, down: float, octaves: int, seed: int, matrix: str = _NOISE) -> str:
    """Noise around 0.5; across, down: waves a px. matrix: which channels it is put into."""
    return (f'<feTurbulence type="fractalNoise" baseFrequency="{_n(across)} {_n(down)}" numOctaves="{octaves}" '
            f'seed="{seed}"/><feColorMatrix values="{matrix}" result="{result}"/>')


def _sum(a: str, b: str, result: str, k: tuple[float, float, float, float]) -> str:
    """k1 a b + k2 a + k3 b + k4."""
    return (f'<feComposite in="{a}" in2="{b}" operator="arithmetic" k1="{_n(k[0])}" k2="{_n(k[1])}" k3="{_n(k[2])}" '
            f'k4="{_n(k[3])}" result="{result}"/>')


def _relief(height: str, result: str, step: float, soft: float) -> str:
    """Half of how much higher a place is than one ``step`` px to the lower right, around 0.5: light from there."""
    return (f'<feGaussianBlur in="{height}" stdDeviation="{_n(soft)}" result="soft"/>'
            f'<feOffset in="soft" dx="{_n(step)}" dy="{_n(step)}"/>'
            f'<feColorMatrix values="{_NEGATIVE}" result="behind"/>'
            + _sum("soft", "behind", result, (0, 0.5, 0.5, 0)))


def _lit(picture: str, relief: str, strength: float, result: str = "textured") -> str:
    """The picture with a relief's light and shade."""
    return _sum(picture, relief, result, (0, 1, strength, -strength / 2))


def _impasto(u: float) -> str:
    """Strokes stand out as paint does, and the brush leaves fine ridges."""
    return (_noise("hair", 0.16 / u, 0.16 / u, 3, 7)
            + f'<feDisplacementMap in="SourceGraphic" in2="hair" scale="{_n(3 * u)}" xChannelSelector="R" '
            f'yChannelSelector="R"/><feColorMatrix values="{_GREY}" result="grey"/>'
            + _sum("grey", "hair", "height", (0, 0.75, 0.35, 0))
            + _relief("height", "relief", 0.9 * u, 0.55 * u) + _lit("SourceGraphic", "relief", 0.55))


def _canvas(u: float) -> str:
    return (_noise("warp", 0.5 / u, 0.03 / u, 2, 3) + _noise("weft", 0.03 / u, 0.5 / u, 2, 5)
            + _sum("warp", "weft", "height", (0, 0.5, 0.5, 0))
            + _relief("height", "relief", 0.7 * u, 0.3 * u) + _lit("SourceGraphic", "relief", 0.5))


def _paper(u: float) -> str:
    return (_noise("height", 0.22 / u, 0.22 / u, 4, 11)
            + _relief("height", "relief", 0.8 * u, 0.35 * u) + _lit("SourceGraphic", "relief", 0.4))


def _watercolor(u: float) -> str:
    """Edges that wander, pigment that gathers at them and in the paper's hollows."""
    return (_noise("wander-x", 0.04 / u, 0.04 / u, 3, 21, _AS_RED)
            + _noise("wander-y", 0.04 / u, 0.04 / u, 3, 22, _AS_GREEN)
            + _sum("wander-x", "wander-y", "wander", (0, 1, 1, 0))
            + f'<feDisplacementMap in="SourceGraphic" in2="wander" scale="{_n(4.5 * u)}" xChannelSelector="R" '
            'yChannelSelector="G" result="moved"/>'
            '<feMerge result="wash"><feMergeNode in="SourceGraphic"/><feMergeNode in="moved"/></feMerge>'
            f'<feGaussianBlur in="wash" stdDeviation="{_n(2.2 * u)}" result="blurred"/>'
            '<feMerge result="around"><feMergeNode in="wash"/><feMergeNode in="blurred"/></feMerge>'
            + _sum("wash", "around", "pooled", (0, 1.45, -0.45, 0))
            + _noise("grain", 0.33 / u, 0.33 / u, 3, 13)
            + _sum("pooled", "grain", "grained", (-0.42, 1.21, 0.2, -0.1))
            + _relief("grain", "relief", 0.8 * u, 0.4 * u) + _lit("grained", "relief", 0.16))


def _cut(u: float) -> str:
    """Sheets that lie on each other, of a paper with some grain."""
    return (f'<feColorMatrix in="SourceGraphic" values="{_GREY}" result="height"/>'
            + _relief("height", "edges", 1.1 * u, 0.6 * u) + _lit("SourceGraphic", "edges", 0.35, "lit")
            + _noise("grain", 0.35 / u, 0.35 / u, 3, 17) + _relief("grain", "relief", 0.8 * u, 0.3 * u)
            + _lit("lit", "relief", 0.22))


_MAKERS = {"impasto": _impasto, "canvas": _canvas, "paper": _paper, "watercolor": _watercolor, "cut": _cut}
