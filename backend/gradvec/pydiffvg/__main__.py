"""``python -m gradvec.pydiffvg program.py ARGS``: runs a program to which ``import pydiffvg`` is gradvec's."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from ..errors import EXIT_USAGE, GradvecError

_HELP = """usage: python -m gradvec.pydiffvg program.py [ARGS]

Runs a program that was written for diffvg; its `import pydiffvg` and `import diffvg` mean gradvec.pydiffvg, whatever
is installed."""


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(_HELP)
        return 0 if argv else EXIT_USAGE
    program = Path(argv[0])
    if not program.is_file():
        print(f"There is no program {program}.", file=sys.stderr)
        return EXIT_USAGE
    # Threads that spin while they wait take the cores from each other; OpenMP reads this when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import gradvec.pydiffvg as served
    sys.modules["pydiffvg"] = sys.modules["diffvg"] = served
    sys.argv = argv
    sys.path[0] = str(program.resolve().parent)
    try:
        runpy.run_path(str(program), run_name="__main__")
    except GradvecError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
