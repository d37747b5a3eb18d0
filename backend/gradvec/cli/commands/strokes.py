"""``gradvec strokes``: a folder of stroke pictures becomes an SVG."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...errors import EXIT_DONE, InputError
from ...options import JOB_OPTIONS
from ...progress import Run
from ..arguments import add_options, add_page, add_reporting, options_from
from ..output import FileOutput
from ..running import finish, running

NAME = "strokes"
USAGE = "DIR -o OUT.svg [options]"
HELP = "vectorize a folder of stroke pictures"
DESCRIPTION = """\
Turns a folder of stroke pictures into an SVG, one path with a gradient fill a stroke.
The pictures are all of one size, each shows one stroke on a white or transparent
ground, and they are painted in the order of their names (2.png before 10.png)."""
EXAMPLES = """\
  gradvec strokes strokes/ -o painting.svg
  gradvec strokes strokes/ -o painting.svg --gradient kmeans --cubics 16"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder of stroke pictures")
    parser.add_argument("-o", "--output", metavar="OUT.svg", required=True, help="the SVG to write; - is stdout")
    add_options(parser, JOB_OPTIONS["strokes"])
    add_page(parser)
    add_reporting(parser)


def run(args: argparse.Namespace) -> int:
    options = options_from(args, "strokes")
    folder = Path(args.folder)
    if not folder.is_dir():
        found = "is a file, not a folder" if folder.exists() else "does not exist"
        raise InputError(f"{args.folder} {found}.", "Name a folder of stroke pictures.")
    output = FileOutput(args.output)
    with running(args) as (say, token):
        from ...pipeline import vectorize_strokes

        run = Run(on_progress=say.progress, token=token)
        result = vectorize_strokes(folder, options, run)
        run.step(1.0)
        finish(result.document, result.report.to_dict(), output, say, args)
    return EXIT_DONE
