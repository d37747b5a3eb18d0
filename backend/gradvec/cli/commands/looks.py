"""``gradvec looks``: which looks there are."""

from __future__ import annotations

import argparse
import json

from ...errors import EXIT_DONE
from ...looks import DEFAULT, LOOKS

NAME = "looks"
USAGE = "[--json]"
HELP = "list the looks that a painting can have"
DESCRIPTION = """\
Lists the looks that `gradvec paint --look NAME` knows: each is a whole set of options,
and options that you give besides it count more than its own."""
EXAMPLES = """\
  gradvec looks
  gradvec looks --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON, with the options of each")


def run(args: argparse.Namespace) -> int:
    if args.json:
        print(json.dumps([{"name": look.name, "label": look.label, "about": look.about, "job": look.job,
                           "default": look.name == DEFAULT, "options": look.options} for look in LOOKS], indent=2))
        return EXIT_DONE
    width = max(len(look.name) for look in LOOKS)
    for look in LOOKS:
        print(f"{look.name:{width}}  {look.label}: {look.about}{' (default)' if look.name == DEFAULT else ''}")
    return EXIT_DONE
