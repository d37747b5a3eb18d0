"""``gradvec export``: a drawing for print, cutting machines and plotters."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from ...errors import EXIT_DONE, UsageError
from ...io.files import read_file
from ...progress import Run
from ..arguments import add_reporting, number
from ..output import FileOutput
from ..reporting import Silent
from ..running import check_input, running

#: Kinds of file by the ending of the name; the profiles write SVG.
ENDINGS = (".pdf", ".eps", ".png")
#: Px an inch where a width in mm is asked for.
DPI = 300.0
_MM_AN_INCH = 25.4

NAME = "export"
USAGE = "RESULT.svg -o OUT.{pdf,eps,png,svg} [options]"
HELP = "write a drawing for print, cutting or plotting"
DESCRIPTION = """\
Writes RESULT.svg as PDF or EPS with gradients as gradients, as a PNG of any size, or
with --profile as SVG in mm: for cutting (flat, opaque parts that do not overlap) or for
a pen (lines and hatching). docs/outputs.md says which program needs what."""
EXAMPLES = """\
  gradvec export photo.svg -o photo.pdf --width-mm 200
  gradvec export photo.svg -o poster.png --width-mm 600 --dpi 300
  gradvec export photo.svg -o vinyl.svg --profile cut --width-mm 150 --colors 6
  gradvec export photo.svg -o pen.svg --profile plot --width-mm 180 --pen-mm 0.5"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("svg", metavar="RESULT.svg", help="a drawing")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="what to write")
    parser.add_argument("--profile", choices=("cut", "plot"), help="for a cutting machine or a pen; OUT is an SVG")
    group = parser.add_argument_group("how large")
    group.add_argument("--width-mm", metavar="MM", default=None,
                       type=number("width", 1, 10_000, "is no width between 1 and 10000 mm"),
                       help="width of the whole picture (profiles: default 200)")
    group.add_argument("--width", metavar="PX", default=None,
                       type=number("width", 1, 65_000, "is no width between 1 and 65000 px"),
                       help="width of a PNG (default: the drawing's own)")
    group.add_argument("--dpi", metavar="N", default=DPI, type=number("number", 1, 9600, "is not between 1 and 9600"),
                       help=f"px an inch of a PNG that has --width-mm (default: {DPI:g})")
    group = parser.add_argument_group("how it is made")
    group.add_argument("--background", metavar="COLOR", default="#ffffff", help="what a PNG lies on (default: #ffffff)")
    group.add_argument("--colors", metavar="N", default=0, type=number("number", 0, 64, "is not between 0 and 64"),
                       help="cut: at most so many colours, a layer each (default: 0, each part has its own)")
    group.add_argument("--hair-mm", metavar="MM", default=0.3,
                       type=number("width", 0, 100, "is no width between 0 and 100 mm"),
                       help="pieces narrower than this go to their neighbours (default: 0.3)")
    group.add_argument("--pen-mm", metavar="MM", default=0.4,
                       type=number("width", 0.01, 100, "is no width between 0.01 and 100 mm"),
                       help="plot: how wide the pen's line is (default: 0.4)")
    add_reporting(parser)


def run(args: argparse.Namespace) -> int:
    ending = os.path.splitext(args.output)[1].lower()
    _check(args, ending)
    check_input(args.svg)
    output = FileOutput(args.output, [args.svg])
    data = read_file(Path(args.svg), args.svg)
    with running(args) as (say, token):
        report = {}
        if args.profile:
            from ...export.profiles import Machine, cut, plot
            machine = Machine(args.width_mm or Machine.width_mm, args.hair_mm, args.pen_mm, colors=int(args.colors))
            made, report["paths"] = (cut if args.profile == "cut" else plot)(data, machine)
            report["bytes"] = output.write_parts([made])
        elif ending == ".png":
            report["bytes"] = _png(data, args, output, Run(on_progress=say.progress, token=token))
        else:
            report["bytes"] = _printed(data, args, ending, output, say)
        say.done(args.output, {**report, "total_seconds": round(time.monotonic() - args.started, 2)})
    return EXIT_DONE


def _check(args: argparse.Namespace, ending: str) -> None:
    """Raises UsageError for what does not go together."""
    if args.profile and ending != ".svg":
        raise UsageError(f"--profile {args.profile} writes SVG, but {args.output} does not end with .svg.",
                         "Give the output the ending .svg.")
    if not args.profile and ending not in ENDINGS:
        raise UsageError(f"{args.output} ends with none of {', '.join(ENDINGS)}.",
                         "Give the output one of these endings, or ask for --profile cut or plot.")
    if args.width is not None and (ending != ".png" or args.width_mm is not None):
        raise UsageError("--width is the width of a PNG in px.",
                         "Give --width-mm alone, and for a PNG --dpi with it.")


def _png(data: bytes, args: argparse.Namespace, output: FileOutput, run: Run) -> int:
    from ...color.css import hex_color, parse_color
    from ...export.tiles import png_parts
    from ...io.svg.read import parse, size_of

    width, dpi = args.width or size_of(parse(data))[0], None
    if args.width_mm is not None:
        dpi = args.dpi
        width = args.width_mm / _MM_AN_INCH * dpi
    background = hex_color(parse_color(args.background)[0])
    return output.write_parts(png_parts(data, max(1, round(width)), background, run, dpi))


def _printed(data: bytes, args: argparse.Namespace, ending: str, output: FileOutput, say: Silent) -> int:
    from ...export.printed import printed
    from ...export.still import is_see_through, is_textured, plain

    made = printed(plain(data, args.width_mm), ending)
    if is_textured(data):
        say.note(f"{ending[1:].upper()} knows no textures; it is left out. A PNG keeps it.")
    if ending == ".eps" and is_see_through(data):
        say.note("EPS knows no transparency, so see-through strokes became pixels. A PDF keeps them as they are.")
    return output.write_parts([made])
