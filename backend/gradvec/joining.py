"""Where one step of the pipeline is several stages in a row: a picture made ready, strokes as shapes in layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from . import settings
from .brushes import again
from .brushes.manner import Manner, manner_of
from .brushes.stamps import stamp_from_paint
from .color import ground as grounds
from .color import inks, palette
from .color.transfer import in_colors_of
from .errors import InputError
from .geometry.attention import Attention, attention_of, faces_alone
from .io import images
from .io.crop import Crop, load_part
from .io.params import Params
from .model import Color, Painting, Shape, Stamp, StrokePatch, Target
from .optimize.reduced import ReducedTarget
from .options import Options
from .progress import Run
from .stages import fills, holes, isolate, layers, outline, paper, soft_edges
from .stages.paint import paint
from .stages.paint.settings import PaintSettings


@dataclass(frozen=True)
class Subject:
    """What is painted, and all that the painter looks at beside it.

    picture: as read, in the colours of a style. view: how the small picture that is painted comes from it. target,
    small: what strokes are to show of the two. mask: the shapes that the picture's soft opacity becomes. manner: a
    style's strokes. attention: what draws the eye in it, as a detail map says or else as picture has it; None: all
    counts alike. dabs: own brushes. guides: polylines (n, 2), px of small.
    options: with their inks named.
    """

    picture: Target
    view: ReducedTarget
    target: Target
    small: Target
    mask: tuple[Shape, ...]
    manner: Manner | None
    attention: Attention | None
    dabs: list[Stamp]
    guides: list[np.ndarray]
    options: Options

    @classmethod
    def read(cls, source: Path | bytes, options: Options, draft: Crop | None = None, style: Path | bytes | None = None,
             detail_map: Path | bytes | None = None, own_brushes: Sequence[Path | bytes] = (),
             guides: Sequence[np.ndarray] = ()) -> Subject:
        """Args and errors: as pipeline.paint_picture, whose options have been through settings.for_painting."""
        size = settings.painted_size(options)
        picture = load_part(source, settings.working_size(options, options.strokes) if draft is None else size, draft)
        picture, manner = in_style(picture, style, options)
        view = settings.painted_view(options, picture)
        options = settings.with_inks(options, view.target)
        target, mask = goal_of(picture, options)
        small = target if view.target is picture else goal_of(view.target, options)[0]
        return cls(picture, view, target, small, mask, manner,
                   attention=looked_at(picture, detail_map, options, size, draft),
                   dabs=[stamp_from_paint(images.dab(one)) for one in own_brushes],
                   guides=in_px(guides, small, draft), options=options)

    def on_ground(self, color: Color | None) -> Subject:
        """The same, its pictures on the colour that lies under all strokes."""
        picture, target, small = (grounds.on_ground(one, color) for one in (self.picture, self.target, self.small))
        return replace(self, picture=picture, target=target, small=small)


def in_style(picture: Target, style: Path | bytes | None, options: Options) -> tuple[Target, Manner | None]:
    """A picture in the colours of another, and how that one's strokes are; as it is where there is no other."""
    if style is None:
        return picture, None
    reference = images.load(style, settings.painted_size(options), "The style's picture")
    return in_colors_of(picture, reference, options.seed), manner_of(reference, options.seed)


def looked_at(picture: Target, detail_map: Path | bytes | None, options: Options, size: int = 0,
              part: Crop | None = None) -> Attention | None:
    """What draws the eye: as a detail map, read at ``size`` px, says of the whole of which the picture is a part, or as
    the picture has it: where the options ask for no detail, its faces alone; None where nothing does."""
    if detail_map is not None:
        bright = images.brightness(detail_map, size)
        return Attention.marked(bright if part is None else part.plane(bright))
    return (attention_of if options.detail > 0 else faces_alone)(picture.rgb, picture.alpha)


def in_px(guides: Sequence[np.ndarray], picture: Target, part: Crop | None = None) -> list[np.ndarray]:
    """Polylines (n, 2) in px of a picture, from shares of its width and height, or of those that it is a part of."""
    guides = guides if part is None else part.lines(guides)
    return [np.asarray(line, float) * (picture.width, picture.height) for line in guides]


def goal_of(picture: Target, options: Options) -> tuple[Target, tuple[Shape, ...]]:
    """What strokes are to show of a picture, and the mask that its soft opacity becomes (no shapes: it has none).

    Light places stay bare where the brush leaves them to the paper.
    """
    target = paper.left_bare(picture, *settings.bare_paper(options))
    mask = () if settings.fixed_background(options) != "auto" else soft_edges.soft_mask(picture)
    return soft_edges.whole(target) if mask else target, mask


def shapes_of_painting(painting: Painting, target: Target, options: Options,
                       run: Run) -> tuple[list[Shape], list[int], list[StrokePatch]]:
    """Strokes as paths in layers. A painted stroke's outline is known exactly; its isolated picture is asked for only
    where the K-means gradients, or several paths a stroke, are wanted."""
    shapes = isolate.as_shapes(painting, settings.keeps_brushes(options))
    shapes, layer = layers.assign(shapes, options.layers, keep_order=False)
    patches: list[StrokePatch] = []
    if options.gradient == "kmeans":
        patches = isolate.isolate(painting, engine=options.engine, device=options.device)
        shapes, layer = layers.assign(shapes_of_patches(patches, options, run), options.layers, keep_order=False)
    elif options.paths_per_stroke > 1:
        seen = isolate.seen_alone(painting, shapes, target, options.engine, options.device)
        outlined, filled = settings.outline_settings(options), settings.fill_settings(options)
        outlines = outline.add_paths(seen, [(shape.outline,) for shape in shapes], outlined, run)
        parts = outline.parts(seen, outlines, outlined)
        shapes, layer = fills.fill_further(shapes, layer, parts, outlines, filled, run)
    own_inks = settings.ink_colors(options)
    if own_inks is not None:
        return *inks.in_order(shapes, own_inks), []
    return (palette.in_palette(shapes, palette.palette_of(painting)) if options.palette else shapes), layer, patches


def mended(shapes: list[Shape], layer: list[int], subject: Subject, ground: Color | None,
           run: Run) -> tuple[list[Shape], list[int]]:
    """Refined shapes and their layers without slivers and holes, where strokes are opaque on a ground of our choice; a
    run that is to end soon keeps what there is. Of strokes in true inks, of which more are painted, those that are seen
    most."""
    options, how = subject.options, settings.below(subject.options)
    if options.inks:
        shapes, layer = inks.without_hairs(shapes, layer)
        return holes.most_seen(shapes, layer, subject.target, options.strokes, options.engine, options.device)
    if how is None or ground is None or run.hurry():
        return shapes, layer
    return holes.closed(shapes, layer, subject.target, ground, how)


def painted(subject: Subject, how: PaintSettings, strokes: Params | None, run: Run) -> Painting:
    """The subject painted anew, or with the strokes of an earlier painting of it."""
    painting = (paint(subject.small, how, run, subject.attention, subject.dabs, subject.guides) if strokes is None
                else once_more(strokes, subject.options, subject.small.width, subject.small.height))
    return palette.with_ground(painting) if settings.snaps_ground(subject.options) else painting


def once_more(strokes: Params, options: Options, width: int, height: int) -> Painting:
    """Saved strokes as a painting of width x height px, with the brush and the palette that the options name where they
    were painted with others."""
    painting, was = again.scaled(strokes.painting, width, height, images.SIDE_MIN), strokes.options
    if options.brush != was.brush:
        painting = again.with_brush(painting, options.brush, options.seed)
    own_inks, colors = settings.ink_colors(options), settings.paint_settings(options).palette
    if own_inks is not None:
        return again.with_palette(painting, tuple((r, g, b) for r, g, b in own_inks.tolist()))
    if colors and (options.palette, options.inks) != (was.palette, was.inks):
        painting = again.with_palette(painting, colors, options.seed)
    return painting


def shapes_of_patches(patches: list[StrokePatch], options: Options, run: Run) -> list[Shape]:
    """Every patch as one or more shapes: outline, then fill."""
    outlined = settings.outline_settings(options)
    outlines = outline.fit(patches, outlined, run)
    parts = outline.parts(patches, outlines, outlined)
    return fills.fill(parts, outlines, settings.fill_settings(options), run)


def shapes_of_folder(patches: list[StrokePatch], folder: Path, options: Options, run: Run) -> list[Shape]:
    """As :func:`shapes_of_patches`, of strokes that were read from a folder.

    Raises:
        InputError: no stroke shows anything.
    """
    shapes = shapes_of_patches(patches, options, run)
    if not shapes:
        raise InputError(f"None of the {len(patches)} strokes in {folder} shows anything.",
                         "Use pictures of single strokes on a white or transparent ground.")
    return shapes


def composited(patches: list[StrokePatch], size: tuple[int, int], options: Options) -> tuple[Target, Color | None]:
    """Strokes over each other in a picture of ``size`` (width, height) px, and the ground that it was put on."""
    target = isolate.composited(patches, *size)
    ground = grounds.choose_ground(settings.fixed_background(options), target.alpha, grounds.white)
    return grounds.on_ground(target, ground), ground
