"""One reader under atheris: ``python tests/fuzz/guided.py READER CORPUS [libFuzzer's options]``."""

import sys

import atheris

with atheris.instrument_imports(include=["gradvec", "inkscape_ext", "PIL"]):
    import readers

NAME = sys.argv.pop(1)
atheris.Setup(sys.argv, lambda data: readers.run(NAME, data))
atheris.Fuzz()
