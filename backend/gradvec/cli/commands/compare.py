"""``gradvec compare``: how close an SVG is to its picture, and what it is made of."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ...errors import EXIT_DONE
from ...io.files import read_file
from ..output import FileOutput
from ..running import check_input

NAME = "compare"
USAGE = "OUT.svg PICTURE [options]"
HELP = "compare an SVG with its picture"
DESCRIPTION = """\
Renders OUT.svg with resvg on white and compares it with PICTURE: PSNR, SSIM (the usual
one and the paper's: grey, 3 x 3 windows, data range of the tested picture), and the
counts of paths, gradients, nodes and bytes."""
EXAMPLES = """\
  gradvec compare photo.svg photo.jpg
  gradvec compare photo.svg photo.jpg --json
  gradvec compare photo.svg photo.jpg --painting painting.png --html report.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("svg", metavar="OUT.svg", help="the SVG")
    parser.add_argument("picture", metavar="PICTURE", help="the picture it was made from")
    parser.add_argument("--at", choices=("svg", "picture"), default="svg",
                        help="compare at the SVG's own size (default) or at the picture's")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--html", metavar="REPORT.html", help="also write a page with pictures, layers and figures")
    parser.add_argument("--painting", metavar="PNG", help="show this painting in the page, too")


def run(args: argparse.Namespace) -> int:
    inputs = [args.svg, args.picture, *([args.painting] if args.painting else [])]
    for name in inputs:
        check_input(name)
    page = FileOutput(args.html, inputs) if args.html else None
    from ...tools import compare
    from ...tools import report as compare_report

    data = read_file(Path(args.svg), args.svg)
    at_picture = args.at == "picture"
    figures = compare.compare(data, Path(args.picture), at_picture)
    if page:
        painting = Path(args.painting) if args.painting else None
        page.write(compare_report.report(data, Path(args.picture), Path(args.svg).name, painting, at_picture).encode())
    if args.json:
        print(json.dumps(figures.to_dict()))
    else:
        print(f"compared at {figures.width} x {figures.height} px, on white")
        for name, value in compare_report.rows(figures):
            print(f"{name:<30}{value}")
    return EXIT_DONE
