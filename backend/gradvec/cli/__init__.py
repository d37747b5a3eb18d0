"""The command line. Starting it is free: what needs torch or numpy is imported by the command that runs.

Each command is a module of commands/; what they share stands beside it: arguments, output, reporting, running.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import warnings
from collections.abc import Sequence
from itertools import pairwise

from ..errors import (
    EXIT_CANCELLED,
    EXIT_DONE,
    EXIT_INPUT,
    Cancelled,
    EngineError,
    GradvecError,
    InputError,
    out_of_memory,
)
from .arguments import Parser
from .commands import animate, batch, compare, doctor, engine, export, extension, film, looks, paint, strokes, vectorize
from .streams import open_closed_ones, settle, unwritten

COMMANDS = (paint, batch, film, looks, strokes, vectorize, animate, export, compare, doctor, extension.install,
            extension.uninstall, engine)

DESCRIPTION = """\
Turns a picture into editable, painterly vector art: brush strokes that are closed
paths with gradient fills, in named layers of an SVG."""

EPILOG = """\
examples:
  gradvec paint photo.jpg -o photo.svg
  gradvec paint photo.jpg -o photo.svg --look watercolor --strokes 1000
  gradvec compare photo.svg photo.jpg
  gradvec install-extension

exit codes:
  0 done, 2 wrong use, 3 bad input or output, 4 engine failure, 130 cancelled

`gradvec COMMAND --help` says more about a command."""


def build_parser() -> Parser:
    """The whole command line."""
    from .. import __version__

    parser = Parser(prog="gradvec", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"gradvec {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command", title="commands")
    for module in COMMANDS:
        sub = commands.add_parser(module.NAME, help=module.HELP, description=module.DESCRIPTION, allow_abbrev=False,
                                  usage=f"gradvec {module.NAME} {module.USAGE}",
                                  epilog=f"examples:\n{module.EXAMPLES}" if module.EXAMPLES else None,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(sub)
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS,
                         help="show the traceback of an error")
        sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code; errors become one sentence on stderr."""
    open_closed_ones()
    # Read when OpenMP is loaded, that is with torch: engine threads that wait must sleep, not spin (render/threads.py).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None and not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries warn of is for their developers
    debug = "--debug" in arguments
    as_json = _asks_for_json(arguments)
    try:
        args = build_parser().parse_args(arguments)
        code = args.run(args)
        failed = settle()
        if failed is None:
            return code
        error: GradvecError = _unwritable(failed)
    except BrokenPipeError:  # whoever read our output has gone
        settle()
        return EXIT_INPUT
    except SystemExit as leaving:  # argparse after --help and --version
        failed = settle()
        if failed is None:
            return leaving.code if isinstance(leaving.code, int) else EXIT_DONE
        error = _unwritable(failed)
    except KeyboardInterrupt:
        error = Cancelled()
    except GradvecError as raised:
        if debug:
            raise
        error = raised
    except Exception as raised:
        if debug:
            raise
        failed = (settle() or unwritten(raised)) if isinstance(raised, OSError) else None
        error = _unexpected(raised) if failed is None else _unwritable(failed)
    if isinstance(error.__cause__, BrokenPipeError):
        settle()
        return EXIT_INPUT
    _tell(error, as_json)
    settle()
    return error.exit_code if not isinstance(error, Cancelled) else EXIT_CANCELLED


def _asks_for_json(arguments: list[str]) -> bool:
    return "--progress=json" in arguments or ("--progress", "json") in pairwise(arguments)


def _tell(error: GradvecError, as_json: bool) -> None:
    text = f"gradvec: {error}"
    if as_json:
        text = json.dumps({"event": "error", "code": error.code, "message": error.message, "remedy": error.remedy})
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def _unwritable(failed: OSError) -> InputError:
    """What to say where standard output takes nothing, such as on a full disk."""
    error = InputError(f"Standard output cannot be written: {failed.strerror or failed}.",
                       "Free some space, or send it elsewhere.")
    error.__cause__ = failed
    return error


def _unexpected(error: Exception) -> EngineError:
    """A sentence for a failure nobody foresaw; its traceback goes to the log."""
    from .log import write_traceback

    if (short := out_of_memory(error)) is not None:
        return short
    if isinstance(error, ModuleNotFoundError) and not (error.name or "gradvec").startswith("gradvec"):
        return EngineError(f"The library {error.name} is not installed.", "`gradvec doctor` says how to get it.")
    log = write_traceback(error)
    where = f"The details are in {log}." if log else "Run again with --debug for the details."
    reason = " ".join([type(error).__name__, *str(error).splitlines()[:1]])
    return EngineError(f"Something failed inside gradvec ({reason}).", f"{where} Please report it with them.")
