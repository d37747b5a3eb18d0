"""``gradvec film``: a film becomes a painted film, or a folder of SVGs, whose strokes go on from frame to frame."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ...errors import EXIT_DONE, InputError, UsageError
from ...progress import Run
from ..arguments import add_options, add_reporting, number, options_from
from ..output import FileOutput, FolderOutput
from ..running import check_input, running
from ..workers import add_workers, check_workers, contents, pool_of

#: More workers than this are never started by themselves: a film has few shots.
SHOTS_AT_ONCE = 16

NAME = "film"
USAGE = "FILM -o OUT [options]"
HELP = "paint a film: strokes go on from frame to frame"
DESCRIPTION = """\
Paints FILM, or a folder of numbered pictures, and writes OUT: a film (.mp4, .webm, .gif), or
a folder of SVG frames in which a stroke keeps its id as long as it lives. Strokes move
with the picture; cuts are found, and shots go to different workers. Takes the options
of `gradvec paint`. There is no sound. With --time-limit no further shot is begun."""
EXAMPLES = """\
  gradvec film clip.mp4 -o painted.mp4
  gradvec film clip.mp4 -o painted.webm --look watercolor --size 384
  gradvec film frames -o painted --fps 12
  gradvec film clip.mp4 -o painted.mp4 --style monet.jpg --cluster tcp://10.0.0.5:8786"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("film", metavar="FILM", help="a film (MP4, WebM, MOV, GIF, ...), or a folder of pictures")
    parser.add_argument("-o", "--output", metavar="OUT", required=True,
                        help="the film to write, .mp4, .webm or .gif; any other name is a folder of SVG frames")
    parser.add_argument("--fps", metavar="RATE", type=number("rate", 0.1, 240, "is no rate between 0.1 and 240"),
                        default=None, help="frames a second (default: the film's own; 25 for a folder)")
    parser.add_argument("--style", metavar="PICTURE", help="a painting to be like, as `gradvec paint` takes it")
    parser.add_argument("--own-brush", metavar="PNG", action="append", default=[],
                        help="a brush of your own, as `gradvec paint` takes it (may be given several times)")
    add_workers(parser.add_argument_group("who works"), "shot")
    add_options(parser)
    add_reporting(parser)


def run(args: argparse.Namespace) -> int:
    from ...film.run import Summary, check_look, paint_film, shown
    from ...io import video
    from ...tools.render_svg import render_svg

    options = options_from(args)
    check_look(options)
    check_workers(args)
    ending = os.path.splitext(args.output)[1].lower()
    output = FileOutput(args.output, [args.film]) if ending in video.ENCODERS else FolderOutput(args.output)
    style = contents(args.style) if args.style else None
    brushes = [contents(name) for name in args.own_brush]
    frames, rate, total = _source(args)
    summary = Summary()
    with running(args) as (say, token):
        first = next(frames, None)
        if first is None:
            raise InputError(f"There is no frame in {args.film}.", "Choose another film.")
        height, width = first.shape[:2]
        painted = paint_film(_again(first, frames), options, pool_of(args, options, SHOTS_AT_ONCE, say),
                             Run(on_progress=say.progress, token=token), summary, style, brushes, args.retries,
                             total=total)
        # Closed here and not by the interpreter's end, when the workers' pipes are closed already.
        with closing(painted):
            if isinstance(output, FileOutput):
                output.write(video.film_bytes(shown(painted, width, height, render_svg), rate, ending))
            else:
                output.write(_files(painted, summary, rate))
        say.done(args.output, {"frames": summary.frames, "shots": summary.shots,
                               "psnr": round(sum(summary.psnr) / max(1, summary.frames), 2), "new": summary.new,
                               "gone": summary.gone, "total_seconds": round(time.monotonic() - args.started, 2)})
    return EXIT_DONE


def _source(args: argparse.Namespace) -> tuple[Iterator[Any], float, int | None]:
    """(frames, how many a second, how many there are)."""
    from ...batch.naming import pictures
    from ...film.run import pictures_in
    from ...io import video

    if os.path.isdir(args.film):
        names = pictures([args.film])
        return pictures_in(names), args.fps or video.RATE, len(names)
    check_input(args.film)
    return video.frames_of(Path(args.film)), args.fps or video.rate_of(Path(args.film)), None


def _again(first: Any, frames: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from frames


def _files(painted: Iterator[Any], summary: Any, rate: float) -> Iterator[tuple[str, bytes]]:
    """(name, content) of a folder of frames, with its figures at the end."""
    rows = []
    for frame in painted:
        name = f"frame-{summary.frames:05d}.svg"
        rows.append({"frame": name, "shot": summary.shots, **vars(frame.figures)})
        yield name, frame.svg
    if not rows:
        raise UsageError("No frame was painted within --time-limit.", "Give it more time.")
    yield "film.json", json.dumps({"fps": rate, "frames": rows}, indent=1).encode()
