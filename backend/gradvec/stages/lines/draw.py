"""A picture as a drawing of lines: contours where edges are, hatching where tone is missing, then all of it refined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from ...geometry import spline
from ...geometry.form import form_of
from ...model import Color, Line, Target
from ...optimize.lines import LineRefinement, refine_lines
from ...progress import Run
from .contours import contours
from .edges import Edges, edges_of
from .hatching import hatching
from .pens import PENS, Pen
from .portraits import Portraits, portraits_of

#: So many lines all follow edges, if there are as many; of those above, the pen says how many.
CONTOURS_FIRST = 60
#: px of a 512 px picture that a curve may stray from the line that was followed.
STRAY = 0.75
#: How long a line of the hatching is, in px of a 512 px picture, when it is reckoned how many there must be.
HATCH_LENGTH = 48
#: Lightness above this quantile of the picture stays paper, below the other it is as dark as the pen.
LIGHT, DARK = 0.88, 0.03


@dataclass(frozen=True)
class LineSettings:
    """strokes: lines at most. pen: one of PENS. segments: most cubics of a line. paper: None where it stays bare.
    inks: (k, 3) colours that lines must have, None: the pen's own. opaque: lines that let nothing through."""

    strokes: int
    pen: str = "ink"
    segments: int = 16
    paper: Color | None = (1.0, 1.0, 1.0)
    inks: np.ndarray | None = None
    opaque: bool = False
    steps: int = 50
    seed: int = 0
    engine: str = "auto"
    device: str = "auto"


@dataclass(frozen=True)
class DrawReport:
    """What was drawn: lines along edges, and lines that give tone; steps of the refinement, in seconds; the mean
    squared difference to what the drawing should look like, over several sizes, before and after."""

    contours: int
    hatched: int
    steps: int
    seconds: float
    before: float
    after: float


def draw(target: Target, settings: LineSettings, guides: Sequence[np.ndarray],
         run: Run) -> tuple[list[Line], DrawReport]:
    """Lines from bottom to top: hatching (level 1), then contours (level 0).

    guides: polylines (n, 2) px that hatching near them follows.
    """
    pen = PENS[settings.pen]
    paper = settings.paper or (1.0, 1.0, 1.0)
    rgb = target.rgb * target.alpha[..., None] + (1 - target.alpha[..., None]) * np.array(paper, np.float32)
    edges = edges_of(rgb)
    portraits = portraits_of(rgb, edges.unit, settings.strokes)
    run.step(0.1)
    tone = wanted_tone(edges.light, pen)
    edge_lines, tone_lines, share = _placed(rgb, edges, portraits, tone, pen, settings, guides)
    run.step(0.25)
    choices = tuple(n for n in (1, 2, 3, 5, 8, 12, 16, 24, 32) if n <= settings.segments)
    unit = max(rgb.shape[:2]) / 512
    # Short lines lie on long ones, those of faces on all.
    lines = sorted((_line(points, rgb, unit, unit, pen, settings, choices, level)
                    for level, some in ((1, tone_lines), (0, edge_lines)) for points in some),
                   key=lambda line: (-line.level, -line.segments))
    thin = [unit if pen.has_one_width else own for _, own in portraits.lines]
    units = np.array([unit] * len(lines) + thin)
    lines += [_line(points, rgb, own, wide, pen, settings, choices, 0)
              for (points, own), wide in zip(portraits.lines, thin, strict=True)]
    goal = _goal(rgb, portraits.together(edges), share * tone, paper, pen, settings)
    with run.part(0.3, 1.0):
        refined = refine_lines(lines, goal, paper, _plan(lines, units, unit, pen, settings), run)
    return refined.lines, DrawReport(len(lines) - len(tone_lines), len(tone_lines), refined.steps, refined.seconds,
                                     refined.before, refined.after)


def wanted_tone(light: np.ndarray, pen: Pen) -> np.ndarray:
    """(H, W) in [0, 1]: how much of each place lines are to cover, from its lightness."""
    high, low = np.quantile(light, LIGHT), np.quantile(light, DARK)
    darkness = np.clip((high - light) / max(high - low, 0.05), 0, 1)
    share, power = pen.tone
    tone: np.ndarray = share * darkness**power
    return tone


def _placed(rgb: np.ndarray, edges: Edges, portraits: Portraits, tone: np.ndarray, pen: Pen, settings: LineSettings,
            guides: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray], float]:
    """Polylines along edges beside those of faces, polylines that give tone, and the share of the tone that so few of
    them can give."""
    count = settings.strokes - len(portraits.lines)
    many = max(0, count - CONTOURS_FIRST)
    along = contours(portraits.left_out(edges), min(count, CONTOURS_FIRST) + round(pen.contours * many))
    every = along + [line for line, _ in portraits.lines]
    drawn = _covered(every, rgb.shape[:2], float(np.mean(pen.widths)) * edges.unit)
    form = form_of(rgb, 1.0, guides).double.numpy()
    angle = np.arctan2(form[1], form[0]) / 2
    missing = np.clip(tone - gaussian_filter(drawn, 3 * edges.unit), 0, 1)
    width = float(np.mean(pen.hatched)) * edges.unit
    left = count - len(along)
    needed = missing.sum() / (width * HATCH_LENGTH * edges.unit)
    share = float(min(1.0, left / max(needed, 1.0)))
    across = hatching(share * missing, np.stack([np.cos(angle), np.sin(angle)]), width, edges.unit, left,
                      np.random.default_rng(settings.seed))
    return along, across, share


def _covered(lines: list[np.ndarray], size: tuple[int, ...], width: float) -> np.ndarray:
    """(H, W) in [0, 1]: where polylines of a width in px lie."""
    image = Image.new("L", (size[1], size[0]))
    pen = ImageDraw.Draw(image)
    for line in lines:
        pen.line([(x, y) for x, y in line.tolist()], 255, max(1, round(width)))
    return np.asarray(image, float) / 255


def _line(points: np.ndarray, rgb: np.ndarray, unit: float, wide: float, pen: Pen, settings: LineSettings,
          choices: tuple[int, ...], level: int) -> Line:
    """unit, wide: px that stand for one of a 512 px picture, as for how close the line keeps and for its width."""
    vertices = spline.fit_within(points, STRAY * unit, choices)
    width = wide * float(np.mean(pen.hatched if level else pen.widths))
    return Line(spline.to_bezier(len(vertices) - 3) @ vertices, _color(points, rgb, pen, settings, level), width,
                1.0 if settings.opaque else float(np.mean(pen.opacities)), level=level)


def _color(points: np.ndarray, rgb: np.ndarray, pen: Pen, settings: LineSettings, level: int) -> Color:
    """The pen's colour; or that of the picture along a line, darker for a contour; or the nearest ink to it."""
    x = np.clip(points[:, 0].astype(int), 0, rgb.shape[1] - 1)
    y = np.clip(points[:, 1].astype(int), 0, rgb.shape[0] - 1)
    color = np.median(rgb[y, x], 0) * (1.0 if level else 1 - 0.5 * pen.edge)
    if settings.inks is not None:
        color = settings.inks[np.square(settings.inks - color).sum(1).argmin()]
    elif pen.color is not None:
        return pen.color
    red, green, blue = color.tolist()
    return red, green, blue


def _goal(rgb: np.ndarray, edges: Edges, tone: np.ndarray, paper: Color, pen: Pen,
          settings: LineSettings) -> np.ndarray:
    """(H, W, 3) what the drawing is to look like, as far as these lines can."""
    ground = np.array(paper, np.float32)
    if pen.color is None and settings.inks is None:
        return (rgb * (1 - 0.6 * edges.strength[..., None])).astype(np.float32)
    cover = np.clip(tone + pen.edge * edges.strength**1.5, 0, 1)[..., None]
    ink = np.array(pen.color or paper)
    if settings.inks is not None:
        ink = settings.inks[np.square(rgb[..., None, :] - settings.inks).sum(-1).argmin(-1)]
    return (ground * (1 - cover) + ink * cover).astype(np.float32)


def _plan(lines: list[Line], units: np.ndarray, unit: float, pen: Pen, settings: LineSettings) -> LineRefinement:
    """units: (N,) px that stand for one of a 512 px picture along each line. unit: in the picture as a whole."""
    widths = np.array([pen.hatched if line.level else pen.widths for line in lines]).reshape(-1, 2) * units[:, None]
    opacities = (1.0, 1.0) if settings.opaque else pen.opacities
    return LineRefinement(widths, opacities, pen.color is None and settings.inks is None, settings.steps, unit,
                          settings.engine, settings.device)
