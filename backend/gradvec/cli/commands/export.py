"""``gradvec export``: a drawing for print, cutting machines and plotters."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from ...errors import EXIT_DONE
from ...io.files import read_file
from ...progress import Run
from ..arguments import add_reporting, number
from ..output import FileOutput
from ..running import check_input, running

#: Px an inch where a width in mm is asked for.
DPI = 300.0

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
    from ...export.make import Wanted, made
    from ...export.profiles import Machine

    machine = Machine(args.width_mm or Machine.width_mm, args.hair_mm, args.pen_mm, colors=int(args.colors))
    wanted = Wanted(os.path.splitext(args.output)[1].lower(), args.profile or "", args.width_mm, args.width, args.dpi,
                    args.background, machine)
    check_input(args.svg)
    output = FileOutput(args.output, [args.svg])
    data = read_file(Path(args.svg), args.svg)
    with running(args, kernels="none") as (say, token):
        content, notes, paths = made(data, wanted, Run(on_progress=say.progress, token=token))
        report = {"bytes": output.write_parts(content), **({} if paths is None else {"paths": paths})}
        for note in notes:
            say.note(note)
        say.done(args.output, {**report, "total_seconds": round(time.monotonic() - args.started, 2)})
    return EXIT_DONE
