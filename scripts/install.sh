#!/bin/sh
# Makes the virtual environment $1 and installs gradvec into it, editable, with what developers need.
# LOCKED: when not empty, the versions of tests/locked-X.Y.txt, where there is such a file for this Python.
# PYTHON: which interpreter; TORCH: what to hand to pip for torch; TORCH_FALLBACK: where PyTorch's index is out of reach.
set -eu

venv=$1
python=${PYTHON:-python3}
index=https://download.pytorch.org/whl/cpu

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "gradvec needs Python 3.10 or newer; $python is not. Name another one: make PYTHON=python3.12" >&2
    exit 1
fi
if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" || {
        echo "A virtual environment cannot be made. On Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 1
    }
fi
lock=tests/locked-$("$venv/bin/python" -c 'import sys; print("{}.{}".format(*sys.version_info[:2]))').txt
if [ -n "${LOCKED:-}" ] && [ ! -e "$lock" ]; then
    echo "There is no $lock, so the newest versions are installed." >&2
fi
pip() {
    command=$1
    shift
    set -- "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$command" "$@"
    if [ -n "${LOCKED:-}" ] && [ -e "$lock" ]; then set -- "$@" --constraint "$lock"; fi
    "$@"
}

if ! "$venv/bin/python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)'; then
    if [ -n "${TORCH:-}" ]; then
        pip install "$TORCH"
    else
        # PyPI's torch for Linux brings gigabytes of CUDA libraries; PyTorch's own index has a build without them.
        pip install --timeout 10 --retries 0 --index-url "$index" torch 2>/dev/null || pip install "$TORCH_FALLBACK"
    fi
fi
pip install --editable '.[dev]'
# An editable package is not compiled as it is installed: the first start would do it, or each where nothing is written.
"$venv/bin/python" -m compileall -q backend/gradvec
# For the extension's tests. Without its dependencies, which want GTK's headers.
pip install --no-deps inkex
