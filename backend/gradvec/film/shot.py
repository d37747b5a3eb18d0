"""One shot: its first frame is painted, every further one begins with the strokes of the one before.

Strokes are moved along with what they show (Litwinowicz 1997) and settle towards a picture that is mostly what they
showed before, moved, and a little the new frame: so the painting comes closer and nothing trembles. Where nothing
changed, nothing is touched (Hertzmann and Perlin 2000). Where the picture is new, new strokes are painted; strokes that
nobody sees any more go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import binary_opening, gaussian_filter, label

from ..color import ground as grounds
from ..color.transfer import ColorMap
from ..io import images
from ..joining import goal_of, looked_at
from ..model import Color, Document, Layer, Shape, Target
from ..optimize import refine
from ..optimize.visibility import UNSEEN, visible
from ..options import Options
from ..pipeline import paint_picture
from ..progress import Run
from ..render import render
from ..render.scene import scene_from_shapes
from ..settings import keeps_brushes, paint_settings, painted_size, refine_settings
from ..stages import isolate, layers, paper
from ..stages.paint import paint
from ..stages.refine import RefineSettings, tidy
from ..stages.refine import prepared as made_ready
from . import flow as flows
from .moving import covers, in_light, moved

#: Steps that strokes settle in for each frame, and their share of the full rates: where strokes keep their brushes'
#: shapes, cannot come much closer and would only move about; and where outlines are free to follow.
HELD_SETTLING, FREE_SETTLING = (60, 0.15), (120, 0.3)
#: Steps that new strokes alone are fitted in before.
FRESH_STEPS = 60
#: How much of the goal is what was shown before, moved, where that is known.
HOLD = 0.85
#: Strokes over which goal and painting differ by less than this (root of the mean square) stay as they are.
STILL = 0.008
#: A place is new where moved strokes are more wrong than they were in the first frame by so many times its average.
MORE = 3.0
#: How much the hold yields for each such excess.
YIELD = 0.5
#: Smallest new area, as a share of the picture; how many strokes it gets, of what its share would have; and how many
#: more strokes than at the start there may be.
LEAST, DENSITY, GROWN = 0.002, 1.3, 1.25
#: Share of a level's steps that new strokes are painted in.
PACE = 0.35


@dataclass(frozen=True)
class FrameFigures:
    """strokes: how many there are. new, gone: how many came and went. psnr: dB between what our engine shows and the
    frame, with the reference's colours where there is a style."""

    strokes: int
    new: int
    gone: int
    psnr: float


class ShotPainter:
    """Paints the frames of one shot in turn. shapes: the strokes now, bottom to top; ids stay with their stroke."""

    def __init__(self, options: Options, run: Run, style: bytes | None = None,
                 own_brushes: Sequence[bytes] = ()) -> None:
        self._wanted = replace(options, size=painted_size(options))
        self._run, self._style, self._own = run, style, list(own_brushes)
        self._colors: ColorMap | None = None

    def first(self, frame: bytes) -> tuple[Document, FrameFigures]:
        """The shot's first frame (a picture file's bytes), painted as `gradvec paint` paints it."""
        result = paint_picture(frame, self._wanted, self._run, style=self._style, own_brushes=self._own)
        self.options = Options.from_dict(result.document.meta["options"])
        self._meta, self._softness = result.document.meta, result.document.softness
        if self._style is not None:
            size = painted_size(self.options)
            reference = images.load(self._style, size)
            self._colors = ColorMap.between(images.load(frame, size), reference, self.options.seed)
        drawn = [layer for layer in result.document.layers if layer.key != layers.UNDERPAINTING]
        under = [layer for layer in result.document.layers if layer.key == layers.UNDERPAINTING]
        fill = under[0].shapes[0].fill if under else None
        self._ground: Color | None = getattr(fill, "color", None)
        self.shapes = [shape for layer in drawn for shape in layer.shapes]
        self._layer_of = {shape.id: n for n, layer in enumerate(drawn) for shape in layer.shapes}
        self._layers = [(layer.name, layer.key) for layer in drawn] or [("strokes", "strokes")]
        self._count = self._last_id = len(self.shapes)
        self._settings = self._settling()
        self._frame = self._target(frame)
        self._shown = self._show(self.shapes)
        self._usual_wrong = self._wrongness(self._shown, self._wanted_pixels(self._frame))
        self._usual = max(float(self._usual_wrong.mean()), 1e-4)
        return result.document, FrameFigures(len(self.shapes), len(self.shapes), 0, result.report.psnr)

    def next(self, frame: bytes) -> tuple[Document, FrameFigures]:
        """A further frame."""
        target = self._target(frame)
        light = flows.Light.between(self._frame.rgb, target.rgb)
        before = light.on(self._frame.rgb)
        back = flows.flow_back(before, target.rgb)
        known = flows.known(before, target.rgb, back)
        forward = flows.inverted(back)
        # How sure it is where things went is looked up where they came to.
        sure = flows.moved_along(known, forward)
        strokes = moved(self._lit(light), forward, sure)
        held = flows.moved_along(self._shown, back)
        held[..., :3] = np.minimum(light.on(held[..., :3]), held[..., 3:])
        wanted = self._wanted_pixels(target)
        # What a place may be wrong by goes along with it; where it is not known, it is the average.
        self._usual_wrong = known * flows.moved_along(self._usual_wrong, back) + (1 - known) * self._usual
        excess = np.maximum(0, self._wrongness(self._show(strokes), wanted) - self._usual_wrong) / self._usual
        new = self._new_places(excess)
        fresh = self._fresh(target, new, strokes, wanted) if new is not None else []
        hold = (HOLD * known / (1 + YIELD * excess))[..., None]
        goal = np.clip(hold * held + (1 - hold) * wanted, 0, 1)
        strokes = self._settled([*strokes, *fresh], goal, {shape.id for shape in fresh})
        gone = len({shape.id for shape in self.shapes} - {shape.id for shape in strokes})
        self.shapes = paper.with_rims(strokes, self.options.fidelity)
        self._frame, self._shown = target, self._show(strokes)
        figures = FrameFigures(len(strokes), len(fresh), gone, self._psnr(wanted))
        return self._document(target), figures

    def _target(self, frame: bytes) -> Target:
        picture = images.load(frame, painted_size(self._wanted))
        if self._colors is not None:
            picture = self._colors.applied(picture)
        return grounds.on_ground(goal_of(picture, self.options)[0], self._ground)

    def _lit(self, light: flows.Light) -> list[Shape]:
        """The strokes in a new light; where colours are fixed, as they are."""
        if light.same or self.options.palette:
            return self.shapes
        if self._ground is not None and self.options.background == "auto":
            red, green, blue = light.on(np.array(self._ground)).tolist()
            self._ground = (red, green, blue)
        return [in_light(shape, light.on) for shape in self.shapes]

    @property
    def _background(self) -> tuple[float, ...]:
        return (0.0, 0.0, 0.0, 0.0) if self._ground is None else (*self._ground, 1.0)

    @staticmethod
    def _wanted_pixels(target: Target) -> np.ndarray:
        """(H, W, 4) premultiplied."""
        alpha = target.alpha[..., None]
        return np.concatenate([target.rgb * alpha, alpha], -1)

    def _show(self, shapes: list[Shape]) -> np.ndarray:
        """(H, W, 4) premultiplied, what the engine shows."""
        scene = scene_from_shapes(shapes, self._frame.width, self._frame.height, self._background)
        shown: np.ndarray = render(scene, self.options.engine, self.options.device).cpu().numpy()
        return shown

    def _psnr(self, wanted: np.ndarray) -> float:
        on_white = [one[..., :3] + 1 - one[..., 3:] for one in (self._shown, wanted)]
        return round(-10 * math.log10(max(float(((on_white[0] - on_white[1]) ** 2).mean()), 1e-12)), 2)

    def _settling(self) -> RefineSettings:
        usual = refine_settings(self.options)
        steps, peak = HELD_SETTLING if keeps_brushes(self.options) else FREE_SETTLING
        plan = replace(usual.plan, steps=steps, peak=peak, reseeds=0)
        return replace(usual, plan=plan, settle=0)

    @staticmethod
    def _wrongness(shown: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """(H, W): squared difference, smoothed over about a stroke's width."""
        wrong = ((shown - wanted) ** 2).sum(-1)
        smooth: np.ndarray = gaussian_filter(wrong, max(1.0, max(wrong.shape) / 60))
        return smooth

    @staticmethod
    def _new_places(excess: np.ndarray) -> np.ndarray | None:
        """(H, W) bool: where strokes are missing; None where there is no such place."""
        new = binary_opening(excess > MORE)
        return new if new.mean() > LEAST else None

    def _fresh(self, target: Target, new: np.ndarray, strokes: list[Shape], wanted: np.ndarray) -> list[Shape]:
        """New strokes, to lie on top of the others, for the places that are new; none where they would not help."""
        wide = gaussian_filter(new.astype(np.float32), max(1.0, max(new.shape) / 100)) > 0.1
        room = math.ceil(GROWN * self._count) - len(self.shapes)
        count = min(room, max(label(wide)[1], math.ceil(DENSITY * self._count * float(wide.mean()))))
        if count < 1:
            return []
        alpha = np.where(wide, target.alpha, 0).astype(np.float32)
        options = replace(self.options, strokes=count, background="none", mode="progressive")
        how = replace(paint_settings(options, 0.0), pace=PACE)
        place = Target(target.rgb, alpha, target.source_size)
        painted = isolate.as_shapes(paint(place, how, self._run, looked_at(place, None, options)),
                                    keeps_brushes(options))
        named = []
        for number, shape in enumerate(painted, self._last_id + 1):
            own = replace(shape, id=f"stroke-{number:04d}", label=f"stroke {number}")
            named.append(made_ready(own, self._settings))
        ids = {shape.id for shape in named}
        plan = replace(self._settings.plan, steps=FRESH_STEPS, peak=1.0, fixed=frozenset(s.id for s in strokes))
        fitted = [s for s in refine([*strokes, *named], target, self._background, plan, self._run).shapes
                  if s.id in ids]
        before, after = (float(((self._show(some) - wanted) ** 2).sum()) for some in (strokes, [*strokes, *fitted]))
        if after >= before:
            return []
        self._last_id += len(fitted)
        self._layer_of.update(dict.fromkeys(ids, len(self._layers) - 1))
        return fitted

    def _settled(self, strokes: list[Shape], goal: np.ndarray, fresh: set[str]) -> list[Shape]:
        """Strokes that show something, settled towards the goal (H, W, 4) where they do not show it yet."""
        height, width = goal.shape[:2]
        areas = visible(strokes, width, height, self._background, self.options.engine, self.options.device)
        strokes = [shape for shape, area in zip(strokes, areas, strict=True) if area >= UNSEEN]
        wrong = ((self._show(strokes) - goal) ** 2).mean(-1)
        still = set()
        for shape, cover in zip(strokes, covers(strokes, width, height), strict=True):
            if cover is None or shape.id in fresh:
                continue
            x0, y0, x1, y1 = cover.box
            where = cover.seen if cover.seen.any() else cover.mask
            if float(wrong[y0:y1, x0:x1][where].mean()) < STILL**2:
                still.add(shape.id)
        if len(still) == len(strokes):
            return strokes
        alpha = goal[..., 3]
        rgb = goal[..., :3] / np.maximum(alpha, 1e-3)[..., None]
        target = Target(np.clip(rgb, 0, 1).astype(np.float32), alpha.astype(np.float32), (width, height))
        plan = replace(self._settings.plan, fixed=frozenset(still))
        refined = refine(strokes, target, self._background, plan, self._run).shapes
        loose = [shape for shape in refined if shape.id not in still]
        neat = tidy(loose, refined, target, self._background, self._settings, self._run)
        tidied = {shape.id: shape for shape in neat}
        kept = {shape.id: shape for shape in strokes if shape.id in still}
        return [tidied.get(shape.id) or kept[shape.id] for shape in refined
                if shape.id in tidied or shape.id in kept]

    def _document(self, target: Target) -> Document:
        """The strokes now, in the layers of the first frame."""
        members: list[list[Shape]] = [[] for _ in self._layers]
        for shape in self.shapes:
            members[self._layer_of[shape.id]].append(shape)
        built = [Layer(name, tuple(own), key) for (name, key), own in zip(self._layers, members, strict=True) if own]
        if self._ground is not None:
            under = layers.underpainting(self._ground, target.width, target.height)
            built.insert(0, Layer(layers.UNDERPAINTING, (under,), layers.UNDERPAINTING))
        return Document(target.width, target.height, tuple(built), self._meta, self.options.texture,
                        softness=self._softness)
