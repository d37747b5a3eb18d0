"""``gradvec animate``: a drawing shows how it was made, stroke by stroke or layer by layer."""

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

#: Frames a second where none are asked for, and the longest side of a film's frames, px.
FPS, SIDE_MAX = 25.0, 4096

NAME = "animate"
USAGE = "RESULT.svg -o OUT.{svg,json,mp4,webm,gif} [options]"
HELP = "show how a drawing was made, as an animated SVG, Lottie or a film"
DESCRIPTION = """\
Lets the strokes or layers of RESULT.svg appear in the order in which they were painted.
The ending of OUT says what is written: .svg plays in browsers without a script, .json
is Lottie for apps and pages, .mp4, .webm and .gif are films (they need PyAV)."""
EXAMPLES = """\
  gradvec animate photo.svg -o lapse.svg
  gradvec animate photo.svg -o lapse.mp4 --seconds 12 --hold 3 --size 1080
  gradvec animate photo.svg -o lapse.gif --by layer --loop --fps 12 --size 480"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("svg", metavar="RESULT.svg", help="a drawing")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="what to write")
    group = parser.add_argument_group("how it is shown")
    group.add_argument("--by", choices=("stroke", "layer"), default="stroke", help="what appears (default: stroke)")
    group.add_argument("--seconds", metavar="S", default=8.0,
                       type=number("number of seconds", 0.1, 3600, "is no time between 0.1 and 3600 seconds"),
                       help="from the bare ground to the whole drawing (default: 8)")
    group.add_argument("--hold", metavar="S", default=2.0,
                       type=number("number of seconds", 0, 3600, "is no time between 0 and 3600 seconds"),
                       help="how long the whole drawing is shown (default: 2)")
    group.add_argument("--reverse", action="store_true", help="backwards: the last stroke goes first")
    group.add_argument("--loop", action="store_true", help="again and again (.svg and .gif; else players decide)")
    group.add_argument("--easing", choices=("linear", "in", "out", "in-out"), default="in",
                       help="slow at the beginning, the end, both or neither (default: in)")
    group.add_argument("--fps", metavar="RATE", default=FPS,
                       type=number("rate", 1, 120, "is no rate between 1 and 120"),
                       help=f"frames a second (default: {FPS:g}; without meaning for .svg)")
    group.add_argument("--size", metavar="PX", default=None,
                       type=number("size", 16, SIDE_MAX, f"is no size between 16 and {SIDE_MAX} px"),
                       help="longest side (default: the drawing's own)")
    group.add_argument("--background", metavar="COLOR", default="#ffffff",
                       help="what is under a film's first stroke (default: #ffffff)")
    add_reporting(parser)


def run(args: argparse.Namespace) -> int:
    from ...animate.make import Wanted, made
    from ...animate.timing import Timing

    timing = Timing(args.seconds, args.hold, args.reverse, args.easing)
    wanted = Wanted(os.path.splitext(args.output)[1].lower(), timing, args.by, args.loop, args.fps, args.size,
                    args.background)
    check_input(args.svg)
    output = FileOutput(args.output, [args.svg])
    data = read_file(Path(args.svg), args.svg)
    with running(args, kernels="none") as (say, token):
        content, notes = made(data, wanted, Run(on_progress=say.progress, token=token))
        output.write(content)
        for note in notes:
            say.note(note)
        say.done(args.output, {"bytes": len(content), "total_seconds": round(time.monotonic() - args.started, 2)})
    return EXIT_DONE
