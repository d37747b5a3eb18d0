"""What every long command does around its job: look at its input, report, be interruptible, write the drawing."""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..io.memory import check_to_load
from ..progress import CancelToken, notes_to
from ..render.threads import check_environment
from ..tools.warm_up import ahead
from .interrupt import interruptible
from .output import FileOutput, discard_pending
from .reporting import Silent, reporter

if TYPE_CHECKING:
    from ..model import Document

#: Said of a result without strokes: it is no failure, but nobody expects it.
NO_PATHS = ("There are no paths in the result: its background alone shows this picture, or what else is in it is too "
            "small for a stroke.")
#: Said of the same where the strokes came from a file.
NO_SAVED_STROKES = "There are no paths in the result: the file of strokes holds none, so its ground alone is there."


@contextmanager
def running(args: argparse.Namespace, kernels: str = "all") -> Iterator[tuple[Silent, CancelToken]]:
    """What a long run needs around it: reports, Ctrl-C, the end of its time, and helpers that compile kernels.

    kernels: which they are: "all", "painting" (those of brush strokes) or "none".

    Raises:
        EngineError: there is not enough memory to begin, where this process is the one that computes. UsageError: the
            environment asks for what the engine cannot do.
    """
    computes = getattr(args, "engine_process", "none") == "none"
    if computes:
        check_to_load()
        check_environment()
    args.started = time.monotonic()
    say, token = reporter(args), CancelToken()
    limit = threading.Timer(args.time_limit or 0, token.stop_and_keep)
    limit.daemon = True
    if args.time_limit is not None:
        limit.start()
    with interruptible(token, say.cancelling, discard_pending), notes_to(say.note):
        try:
            with ahead(kernels == "painting") if computes and kernels != "none" else nullcontext():
                yield say, token
        finally:
            limit.cancel()
            say.close()


def check_input(name: str) -> None:
    """Raises InputError where there is no such file; what is in it is found out later."""
    if not os.path.exists(name):
        raise InputError(f"There is no file {name}.", "Check the name and the folder.")
    if os.path.isdir(name):
        raise InputError(f"{name} is a folder, but a picture is needed.",
                         "Name a picture file; a folder of stroke pictures is read by `gradvec strokes`.")
    if not os.path.isfile(name):
        raise InputError(f"{name} is a pipe or a device, but a file is needed.",
                         "What comes out of a pipe is read from standard input, named -.")


def finish(document: Document, report: dict[str, Any], output: FileOutput, say: Silent,
           args: argparse.Namespace, no_paths: str = NO_PATHS) -> None:
    """Writes the SVG, as large as args.page_mm says, and tells what the run came to.

    no_paths: what is said where there are none.
    """
    from ..io import svg

    hand_out(svg.write(document, relative=True, page_mm=args.page_mm), report, output, say, args.started,
             no_paths)


def hand_out(data: bytes, report: dict[str, Any], output: FileOutput, say: Silent, started: float,
             no_paths: str = NO_PATHS) -> None:
    """The same for a drawing that is SVG already."""
    output.write(data)
    if not report.get("paths"):
        say.note(no_paths)
    say.done(output.name, {**report, "bytes": len(data), "total_seconds": round(time.monotonic() - started, 2)})
