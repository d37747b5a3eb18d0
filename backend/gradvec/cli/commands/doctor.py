"""``gradvec doctor``: whether everything that gradvec needs is there and works."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from ...errors import EXIT_DONE, EXIT_ENGINE

if TYPE_CHECKING:
    from ...tools.doctor import Check

NAME = "doctor"
USAGE = "[--json]"
HELP = "check the installation"
DESCRIPTION = """\
Checks versions, device and memory, the engine and its caches, Inkscape and the
extension. Each problem comes with its remedy. Ends with 4 when something is broken;
what is merely missing or slow is a warning."""
EXAMPLES = """\
  gradvec doctor
  gradvec doctor --json"""

_MARKS = {"ok": "ok", "warning": "warn", "broken": "BROKEN"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as one JSON object: ok, checks")


def run(args: argparse.Namespace) -> int:
    from ...tools.doctor import examine

    found: list[Check] = []
    for check in examine():
        found.append(check)
        if not args.json:
            print(line(check), flush=True)
    broken = [check for check in found if check.state == "broken"]
    if args.json:
        print(json.dumps({"ok": not broken, "checks": [check.to_dict() for check in found]}))
    else:
        warnings = sum(check.state == "warning" for check in found)
        print(f"{len(broken)} broken, {warnings} warnings, {len(found)} checks")
    return EXIT_ENGINE if broken else EXIT_DONE


def line(check: Check) -> str:
    text = f"{_MARKS[check.state]:<8}{check.name:<18}{check.detail}"
    return text if not check.remedy else f"{text}\n{'':<26}{check.remedy}"
