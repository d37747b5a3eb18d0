"""What Inkscape starts: takes the standard streams, then runs the command that the menu named.

Kept to the standard library until the streams are safe: a warning that a library prints while it is imported would
otherwise open a dialog in front of the artist.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inkscape_ext.streams import Streams

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def find_packages() -> None:
    """Makes ``inkscape_ext`` importable as a package, and ``gradvec`` beside it (or in a checkout's backend)."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != HERE]
    checkout = os.path.join(ROOT, "backend")
    sys.path[:0] = [ROOT] + ([checkout] if os.path.isdir(os.path.join(checkout, "gradvec")) else [])


def command_name(arguments: list[str]) -> str:
    """The value of ``--command=NAME``; painting where the menu names none."""
    names = [argument.partition("=")[2] for argument in arguments if argument.startswith("--command=")]
    return names[-1].replace("-", "_") if names else "paint"


def main() -> None:
    find_packages()
    from inkscape_ext.streams import Streams, default_log

    streams = Streams(default_log())
    try:
        module = importlib.import_module(f"inkscape_ext.commands.{command_name(sys.argv[1:])}")
    except Exception as error:
        say_why(streams, error)
        return
    module.COMMAND(streams).start(sys.argv[1:])


def say_why(streams: Streams, error: Exception) -> None:
    """Tells the artist that the command could not even be loaded: Inkscape's Python lacks something, mostly."""
    from inkscape_ext.ui.messages import _

    traceback.print_exc()
    missing = (getattr(error, "name", "") or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if missing and missing not in ("inkscape_ext", "gradvec"):
        streams.say(_("The Python that Inkscape uses lacks {name}, which Inkscape's own extensions need. Install it "
                      "there (Debian and Ubuntu: the package python3-{package}).").format(
            name=missing, package=missing.lower()))
    else:
        streams.say(_("Gradvec's extension does not start; the details are in {log}. Run "
                      "\"gradvec install-extension\" again.").format(log=streams.log_path))


if __name__ == "__main__":
    main()
