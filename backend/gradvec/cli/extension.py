"""``gradvec install-extension`` and ``gradvec uninstall-extension``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

from ..errors import EXIT_DONE


def _directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", metavar="DIR", default=None,
                        help="Inkscape's folder of extensions (default: Inkscape is asked where that is)")


def _install_arguments(parser: argparse.ArgumentParser) -> None:
    _directory(parser)
    parser.add_argument("--python", metavar="PYTHON", default=sys.executable,
                        help="the Python that runs the engine (default: this one)")


def _install(args: argparse.Namespace) -> int:
    from ..extension import install_extension

    installed = install_extension(Path(args.dir) if args.dir else None, args.python)
    print(f"Installed in {installed}.")
    print("Restart Inkscape, select a picture, and choose Extensions > Gradvec > Paint with gradient strokes.")
    return EXIT_DONE


def _uninstall(args: argparse.Namespace) -> int:
    from ..extension import uninstall_extension

    removed = uninstall_extension(Path(args.dir) if args.dir else None)
    print(f"Removed from {removed}." if removed else "Nothing was installed, so nothing was removed.")
    return EXIT_DONE


install = SimpleNamespace(
    NAME="install-extension", USAGE="[--dir DIR] [--python PYTHON]", HELP="put the extension into Inkscape",
    DESCRIPTION="Puts gradvec into Inkscape's folder of extensions and records which Python runs the\nengine. "
                "Run it again after an update.",
    EXAMPLES="  gradvec install-extension\n  gradvec install-extension --dir ~/.config/inkscape/extensions",
    add_arguments=_install_arguments, run=_install)

uninstall = SimpleNamespace(
    NAME="uninstall-extension", USAGE="[--dir DIR]", HELP="remove the extension from Inkscape",
    DESCRIPTION="Removes everything that install-extension put there.",
    EXAMPLES="  gradvec uninstall-extension", add_arguments=_directory, run=_uninstall)
