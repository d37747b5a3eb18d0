"""``gradvec install-extension`` and ``gradvec uninstall-extension``."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from ...errors import EXIT_DONE, EngineError, InputError


def _directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", metavar="DIR", default=None,
                        help="Inkscape's folder of extensions (default: that of every Inkscape there is, also of a "
                             "Flatpak, a Snap or the Microsoft Store)")


def _install_arguments(parser: argparse.ArgumentParser) -> None:
    _directory(parser)
    parser.add_argument("--python", metavar="PYTHON", default=sys.executable,
                        help="the Python that runs the engine (default: this one)")
    parser.add_argument("--no-warm-up", action="store_true",
                        help="do not compile the engine's kernels now; the first picture then takes longer")


def _install(args: argparse.Namespace) -> int:
    from ...tools.install import install_extension
    from ...tools.places import absolute, confined, places, shared_state_dir

    chosen = [Path(args.dir)] if args.dir else places()
    failed = None
    for place in chosen:
        try:
            installed = install_extension(place, args.python)
        except InputError as error:
            if len(chosen) == 1:
                raise
            print(error, file=sys.stderr)
            failed = error
            continue
        print(f"Installed in {installed}.", flush=True)
        if confined(absolute(place)):
            state = shared_state_dir(absolute(place))
            command = f"GRADVEC_STATE_DIR={shlex.quote(str(state))} gradvec engine serve --tcp"
            print("  This Inkscape runs in a sandbox: it can reach an engine that runs, and your home folder, but "
                  f"start nothing.\n  While you work, leave this command running:\n  {command}\n"
                  f"  or, once, for an engine at each login:\n  {command.replace('--tcp', '--at-login')}")
    if failed is not None:
        return failed.exit_code
    if not args.no_warm_up:
        _warm_up(args.python)
    print("Restart Inkscape, select a picture, and choose Extensions > Gradvec > Paint with gradient strokes.")
    return EXIT_DONE


def _warm_up(python: str) -> None:
    """Paints small pictures in the engine's own Python, which leaves its compiled kernels in the cache."""
    from ...progress import Progress
    from ..reporting import Bar

    package_root = Path(__file__).resolve().parents[3]
    code = f"import sys; sys.path.insert(0, {str(package_root)!r}); from gradvec.tools.warm_up import main; main()"
    bar = Bar() if sys.stderr.isatty() else None
    print("Compiling the engine's kernels, once...", flush=True)
    try:
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said, subprocess.Popen(
                [python, "-I", "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
                text=True) as child:
            for line in child.stdout or ():
                if bar is not None and re.fullmatch(r"[01]\.\d+\n", line):
                    bar.progress(Progress("Compiling kernels", float(line)))
            child.wait()
            said.seek(0)
            reason = said.read().strip().splitlines()[-1:] or ["no message"]
    except OSError as error:
        raise EngineError(f"{python} does not start: {error.strerror}.", "Name another one with --python.") from error
    finally:
        if bar is not None:
            bar.close()
    if child.returncode:
        raise EngineError(f"The extension is installed, but {python} cannot run the engine: {reason[0]}.",
                          "Install gradvec and what it needs there, then run `gradvec doctor`.")


def _uninstall(args: argparse.Namespace) -> int:
    from ...tools.install import leftovers, uninstall_extension

    removed = [uninstall_extension(place) for place in ([Path(args.dir)] if args.dir else leftovers())]
    for folder in filter(None, removed):
        print(f"Removed from {folder}.")
    if not any(removed):
        print("Nothing was installed, so nothing was removed.")
    return EXIT_DONE


install = SimpleNamespace(
    NAME="install-extension", USAGE="[--dir DIR] [--python PYTHON] [--no-warm-up]",
    HELP="put the extension into Inkscape",
    DESCRIPTION="Puts gradvec into the folder of extensions of every Inkscape there is, and records\n"
                "which Python runs the engine. Run it again after an update.",
    EXAMPLES="  gradvec install-extension\n  gradvec install-extension --dir ~/.config/inkscape/extensions",
    add_arguments=_install_arguments, run=_install)

uninstall = SimpleNamespace(
    NAME="uninstall-extension", USAGE="[--dir DIR]", HELP="remove the extension from Inkscape",
    DESCRIPTION="Removes everything that install-extension put there.",
    EXAMPLES="  gradvec uninstall-extension", add_arguments=_directory, run=_uninstall)
