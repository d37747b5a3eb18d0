"""One reader under atheris: ``python tests/fuzz/guided.py READER CORPUS [libFuzzer's options]``."""

import sys

import atheris

with atheris.instrument_imports(include=["gradvec", "inkscape_ext", "PIL"]):
    import readers  # noqa: F401 - to be instrumented

from fuzz import run_in_time

NAME = sys.argv.pop(1)
atheris.Setup(sys.argv, lambda data: run_in_time(NAME, data))
atheris.Fuzz()
