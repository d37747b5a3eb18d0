"""``gradvec batch``: many pictures become SVGs in a folder, on all cores or on a cluster."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from ...errors import InputError, UsageError
from ...progress import Run
from ..arguments import add_options, add_reporting, options_from
from ..output import replace_file
from ..running import running
from ..workers import add_workers, check_workers, contents, pool_of

NAME = "batch"
USAGE = "PICTURE ... -o FOLDER [options]"
HELP = "paint many pictures, on all cores or on a cluster"
DESCRIPTION = """\
Paints every PICTURE, or all pictures of a folder, into FOLDER, with a manifest and a
contact sheet. The same command goes on where it was stopped; a picture that fails
stops no other. Takes all options of `gradvec paint`. With --time-limit no further
picture is begun after so long.

Exit code: 0 all done, 3 some pictures cannot be used, 4 some failed in the engine or
the workers are gone, 130 cancelled. What failed is in the manifest."""
EXAMPLES = """\
  gradvec batch photos -o painted
  gradvec batch *.jpg -o painted --look watercolor --name '{number:03d}-{stem}.svg'
  gradvec batch --list pictures.txt -o painted --workers 4
  gradvec batch photos -o painted --cluster tcp://10.0.0.5:8786"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pictures", metavar="PICTURE", nargs="*", help="picture files, and folders that hold some")
    parser.add_argument("-o", "--output", metavar="FOLDER", required=True,
                        help="where the drawings go; it may hold what was done before")
    parser.add_argument("--list", metavar="FILE", action="append", default=[], dest="lists",
                        help="a text file with one picture a line (may be given several times)")
    parser.add_argument("--name", metavar="PATTERN", default="{stem}.svg",
                        help="what drawings are called: {stem}, {name}, {ending}, {folder} and {number} stand for the "
                             "picture's; / makes folders (default: {stem}.svg)")
    parser.add_argument("--own-brush", metavar="PNG", action="append", default=[],
                        help="a brush of your own, as `gradvec paint` takes it (may be given several times)")
    parser.add_argument("--style", metavar="PICTURE", help="a painting to be like, as `gradvec paint` takes it")
    work = parser.add_argument_group("who works")
    add_workers(work, "picture")
    work.add_argument("--shared", action="store_true",
                      help="the cluster's workers read pictures by their paths instead of getting the bytes")
    work.add_argument("--again", action="store_true", help="paint also what was done before, or failed by itself")
    work.add_argument("--no-contact-sheet", action="store_true", help="leave out contact.html and its small pictures")
    add_options(parser)
    add_reporting(parser)


def run(args: argparse.Namespace) -> int:
    from ...batch import naming
    from ...batch.run import Wish, paint_all, prepared_folder

    options = options_from(args)
    check_workers(args)
    if args.shared and not args.cluster:
        raise UsageError("--shared says how a cluster gets the pictures, but there is none.", "Add --cluster ADDRESS.")
    pictures = naming.pictures(args.pictures, args.lists)
    outputs = naming.outputs(pictures, args.name)
    payloads = {f"brush-{n:03d}": contents(name) for n, name in enumerate(args.own_brush)}
    if args.style:
        payloads["style"] = contents(args.style)
    folder = prepared_folder(args.output)
    _check_apart(pictures, folder, outputs)
    wish = Wish(pictures, outputs, folder, options, payloads=payloads, by_path=not args.cluster or args.shared,
                retries=args.retries, again=args.again, thumbs=not args.no_contact_sheet)
    with running(args) as (say, token):
        summary = paint_all(wish, lambda count: pool_of(args, options, count, say), replace_file,
                            Run(on_progress=say.progress, token=token), say.note)
        say.done(args.output, {"painted": summary.painted, "kept": summary.kept, "failed": summary.failed,
                               "left": summary.left, "total_seconds": round(time.monotonic() - args.started, 2)})
    return summary.exit_code


def _check_apart(pictures: list[str], folder: Path, outputs: list[str]) -> None:
    """Raises InputError where a drawing would take the place of a picture."""
    meant = {os.path.realpath(name) for name in pictures}
    for output in outputs:
        if os.path.realpath(folder / output) in meant:
            raise InputError(f"The drawing {output} would take the place of a picture.", "Name another folder.")
