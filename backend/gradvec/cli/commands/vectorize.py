"""``gradvec vectorize``: any picture becomes paths, layer by layer, without being painted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...errors import EXIT_DONE
from ...io.files import read_stream
from ...options import JOB_DEFAULTS, JOB_OPTIONS
from ...progress import Run
from ...stages.vectorize.schedule import stages
from ..arguments import add_options, add_page, add_reporting, options_from
from ..output import FileOutput
from ..running import check_input, finish, running

NAME = "vectorize"
#: What this job makes of options that are not given.
OWN = JOB_DEFAULTS[NAME]
USAGE = "PICTURE -o OUT.svg [options]"
HELP = "vectorize a picture layer by layer, without painting it"
DESCRIPTION = f"""\
Turns PICTURE into few paths that are its shapes: each stage adds paths where the largest
coherent error is, and all paths so far are then refined together. Good for emblems, signs
and drawings. Differing from other commands, paths are opaque and have up to {OWN['cubics']}
segments unless you ask for something else."""
EXAMPLES = """\
  gradvec vectorize emblem.png -o emblem.svg --paths 5 --gradient flat
  gradvec vectorize photo.jpg -o photo.svg --paths 128
  gradvec vectorize photo.jpg -o photo.svg --paths 64 --schedule 1,1,2,4,...
  gradvec vectorize drawing.png -o drawing.svg --schedule 4,8,16 --background none"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", metavar="PICTURE", help="any picture file: PNG, JPEG, WebP, TIFF, ...; - is stdin")
    parser.add_argument("-o", "--output", metavar="OUT.svg", required=True, help="the SVG to write; - is stdout")
    group = parser.add_argument_group("paths")
    group.add_argument("--paths", type=int, metavar="N",
                       help=f"how many paths at most (default: as many as the schedule adds, or {OWN['strokes']})")
    group.add_argument("--schedule", default="", metavar="N,N,...",
                       help="how many paths each stage adds: the last number is repeated until all are there, or "
                       "doubled where the list ends in ,... (default: 1,1,2,4,...)")
    add_options(parser, set(JOB_OPTIONS["vectorize"]) - {"strokes"})
    add_page(parser)
    add_reporting(parser)


def run(args: argparse.Namespace) -> int:
    schedule = stages(args.paths, args.schedule)
    args.strokes = sum(schedule)
    options = options_from(args, "vectorize")
    if args.picture != "-":
        check_input(args.picture)
    output = FileOutput(args.output, [args.picture])
    with running(args) as (say, token):
        source = read_stream(sys.stdin.buffer) if args.picture == "-" else Path(args.picture)
        from ...pipeline import vectorize_picture

        run = Run(on_progress=say.progress, token=token)
        result = vectorize_picture(source, options, run, schedule)
        run.step(1.0)
        finish(result.document, result.report.to_dict(), output, say, args)
    return EXIT_DONE

