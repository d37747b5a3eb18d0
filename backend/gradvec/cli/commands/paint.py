"""``gradvec paint``: a picture becomes an SVG of brush strokes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import EXIT_DONE, Cancelled, UsageError
from ...io.files import read_file, read_stream
from ...looks import look_of
from ...options import Options
from ...progress import Run
from ..arguments import add_options, add_page, add_reporting, number, options_from
from ..output import FileOutput, FolderOutput, check_apart, check_painting
from ..running import NO_PATHS, NO_SAVED_STROKES, check_input, finish, hand_out, running

if TYPE_CHECKING:
    from ...io.params import Params

NAME = "paint"
USAGE = "[PICTURE] -o OUT.svg [options]"
HELP = "paint a picture with gradient strokes"
DESCRIPTION = """\
Paints PICTURE with brush strokes and writes them as an SVG: every stroke one closed
path with a gradient fill, in named layers."""
EXAMPLES = """\
  gradvec paint photo.jpg -o photo.svg
  gradvec paint photo.jpg -o photo.svg --look watercolor --strokes 1000
  gradvec paint photo.jpg -o photo.svg --inks --palette '#204060 #fc0 ivory'
  gradvec paint photo.jpg -o photo.svg --fidelity 1 --gradient auto
  gradvec paint photo.jpg -o photo.svg --background '#f4efe6' --seed 3
  gradvec paint photo.jpg -o photo.svg --save-painting painting.png --painting-scale 2
  gradvec paint photo.jpg -o photo.svg --save-strokes strokes
  gradvec paint photo.jpg -o photo.svg --detail-map faces.png --own-brush leaf.png
  gradvec paint photo.jpg -o photo.svg --style monet.jpg
  gradvec paint photo.jpg -o photo.svg --save-params strokes.npz
  gradvec paint --params strokes.npz -o marker.svg --brush marker --size 2048
  gradvec paint photo.jpg -o photo.svg --look lines --pen fineliner --page-mm 210x297
  gradvec paint photo.jpg -o photo.svg --time-limit 10
  gradvec paint - -o - < photo.jpg > photo.svg"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", metavar="PICTURE", nargs="?",
                        help="any picture file: PNG, JPEG, WebP, TIFF, ...; - is stdin; none is needed with --params")
    parser.add_argument("-o", "--output", metavar="OUT.svg", required=True, help="the SVG to write; - is stdout")
    also = parser.add_argument_group("what else to read")
    also.add_argument("--detail-map", metavar="PICTURE",
                      help="bright where strokes are to be small and many; --detail says how strongly (0 means 0.75)")
    also.add_argument("--own-brush", metavar="PNG", action="append", default=[],
                      help="a brush of your own: one dab, opaque on transparent ground or dark on white; replaces the "
                           "oil brush's shapes (may be given several times)")
    also.add_argument("--style", metavar="PICTURE",
                      help="a painting whose colours, and whose strokes' sizes, directions and opacity, are taken over")
    also.add_argument("--params", metavar="NPZ",
                      help="paint again from strokes that --save-params saved, as they are, or refined once more where "
                           "the picture is given; options are as they were, where no others are given")
    more = parser.add_argument_group("what else to write")
    more.add_argument("--save-painting", metavar="PNG", help="the painting with its bristles, before vectorization")
    more.add_argument("--painting-scale", metavar="FACTOR", default=1.0,
                      type=number("factor", 0.1, 16, "is no factor between 0.1 and 16"),
                      help="how much larger than it was painted to save the painting, from 0.1 to 16 (default: 1)")
    more.add_argument("--save-strokes", metavar="DIR",
                      help="every painted stroke as a transparent PNG, in paint order, as `gradvec strokes` reads them")
    more.add_argument("--save-params", metavar="NPZ",
                      help="the numbers of the painted strokes, for --params and for NumPy")
    more.add_argument("--engine-process", choices=("none", "auto"), default="none",
                      help="auto: let the engine process paint, which stays ready for the next run (default: none)")
    add_options(parser)
    add_page(parser)
    add_reporting(parser)


def run(args: argparse.Namespace) -> int:
    inputs = [*filter(None, [args.picture, *args.own_brush, args.detail_map, args.style, args.params])]
    for name in inputs:
        if name != "-" or name != args.picture:
            check_input(name)
    saved = _saved(args)
    options = options_from(args, base=saved.options.to_dict() if saved else {})
    if saved and look_of(options.look).job != "paint":
        raise UsageError(f"The look {options.look} has no brush strokes, so it cannot be painted from saved ones.",
                         "Choose another look; `gradvec looks` lists them.")
    if look_of(options.look).job != "paint" and (args.save_painting or args.save_strokes or args.save_params):
        raise UsageError(f"The look {options.look} has no brush strokes, so there is no painting to save besides.",
                         "Leave out --save-..., or choose another look; `gradvec looks` lists them.")
    output = FileOutput(args.output, inputs)
    painting = FileOutput(args.save_painting, inputs) if args.save_painting else None
    if args.painting_scale != 1.0 and painting is None:
        raise UsageError("--painting-scale says how large to save the painting, but it is not saved.",
                         "Add --save-painting PNG.")
    check_painting(options.size or 0, args.painting_scale)
    params = FileOutput(args.save_params, inputs) if args.save_params else None
    strokes = FolderOutput(args.save_strokes) if args.save_strokes else None
    check_apart([output, painting, params, strokes])
    with running(args, "painting" if look_of(options.look).job == "paint" else "all") as (say, token):
        source = read_stream(sys.stdin.buffer) if args.picture == "-" else Path(args.picture or "")
        if args.engine_process == "auto":
            if painting or params or strokes or args.page_mm or len(inputs) > 1:
                raise UsageError("The engine process takes a picture and hands back the SVG, and nothing else.",
                                 "Leave out --engine-process, or --save-..., --page-mm and the other things to read.")
            from ..remote import paint_remotely

            hand_out(*paint_remotely(source, options, say, token), output, say, args.started)
            return EXIT_DONE
        for sentence in _of_no_use(args, options):
            say.note(sentence)
        run = Run(on_progress=say.progress, token=token)
        if saved is not None and args.picture is None:
            from ...edit.saved_strokes import repaint_strokes

            result = repaint_strokes(saved, options, run)
        else:
            from ...pipeline import paint_picture

            result = paint_picture(source, options, run, **_also(args, saved))
        run.step(1.0)  # a last chance to cancel before anything is written
        # The SVG first: where the disk fills up with what else is wanted, it is there.
        none_saved = saved is not None and not len(saved.painting.strokes)
        finish(result.document, result.report.to_dict(), output, say, args,
               NO_SAVED_STROKES if none_saved else NO_PATHS)
        try:
            if painting or params or strokes:
                from .. import saving

                if painting:
                    painting.write(saving.painting_png(result, options, args.painting_scale))
                if params:
                    run.step(1.0)
                    params.write(saving.params_npz(result, options))
                if strokes:
                    strokes.write(_while_wanted(saving.stroke_pngs(result, options), run))
        except Cancelled:
            raise Cancelled(f"Cancelled; {output.name} is written, and not all of what was to be saved besides.") \
                from None
    return EXIT_DONE


def _saved(args: argparse.Namespace) -> Params | None:
    """The strokes to paint again from.

    Raises:
        UsageError: there are none, nor a picture; or something does not go with them. InputError: the file is damaged.
    """
    if args.params is None:
        if args.picture is None:
            raise UsageError("There is nothing to paint.", "Name a picture, or strokes with --params NPZ.")
        return None
    if args.detail_map or args.own_brush or (args.style and args.picture is None):
        raise UsageError("Strokes that are there already take no detail map, brush of one's own or style.",
                         "Leave them out, or leave out --params.")
    from ...io.params import BYTES_MAX, read_params

    return read_params(read_file(Path(args.params), args.params, BYTES_MAX))


def _while_wanted(files: Iterable[tuple[str, bytes]], run: Run) -> Iterator[tuple[str, bytes]]:
    """The same files. Raises Cancelled between two of them."""
    for file in files:
        run.step(1.0)
        yield file


def _of_no_use(args: argparse.Namespace, options: Options) -> list[str]:
    """A sentence for each thing besides the picture that these options leave out."""
    job = look_of(options.look).job
    given = [("--detail-map", args.detail_map, job != "lines"), ("--style", args.style, job != "lines"),
             ("--own-brush", args.own_brush, job == "paint")]
    told = [f"{name} is left out: the look {options.look} has no use for it." for name, value, useful in given
            if value and not useful]
    if args.own_brush and job == "paint" and options.brush not in ("oil", "mixed"):
        told.append(f"--own-brush is left out: only --brush oil and mixed paint with it, not {options.brush}.")
    return told


def _also(args: argparse.Namespace, saved: Params | None) -> dict[str, Any]:
    """What the user hands in besides the picture."""
    also: dict[str, Any] = {} if saved is None else {"strokes": saved}
    if args.detail_map:
        also["detail_map"] = Path(args.detail_map)
    if args.style:
        also["style"] = Path(args.style)
    if args.own_brush:
        also["own_brushes"] = [Path(name) for name in args.own_brush]
    return also
