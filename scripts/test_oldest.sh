#!/bin/sh
# Installs the lowest version of each dependency that pyproject.toml allows into .venv-oldest, and runs the tests that
# need no Inkscape there. Arguments go to pytest. PYTHON_OLDEST: an interpreter old enough for wheels of all (3.10).
set -eu
cd "$(dirname "$0")/.."

venv=.venv-oldest
python=${PYTHON_OLDEST:-python3.10}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

"${PYTHON:-python3}" scripts/lowest_versions.py > "$venv/lowest.txt"
cat "$venv/lowest.txt"
pip install --extra-index-url https://download.pytorch.org/whl/cpu -r "$venv/lowest.txt" pytest hypothesis tinycss2 cssselect pypdfium2 \
    pytest-xdist rlottie-python
pip install --no-deps inkex
pip install --no-deps --editable .
# Packages and documentation are made with the developers' own environment.
"$venv/bin/python" -m pytest --ignore tests/packages --ignore tests/site --numprocesses auto \
    --dist loadfile -m 'not inkscape and not window and not gpu' -W default "$@"
