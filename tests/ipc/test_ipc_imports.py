"""Inkscape's own Python reads this package: standard library only, old syntax, nothing at import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from ipc_helpers import PACKAGE, copy_package

FILES = sorted((PACKAGE / "ipc").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_python_3_8(path):
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 8))
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert [name.name for node in future for name in node.names] == ["annotations"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_imports_the_standard_library_and_ourselves_only(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        else:
            continue
        for name in names:
            assert name.split(".")[0] in {*sys.stdlib_module_names, "gradvec"}, f"{path}: {name}"


PYTHONS = [sys.executable, *(path for path in ("/usr/bin/python3",) if Path(path).exists())]


@pytest.mark.parametrize("python", PYTHONS)
def test_a_python_without_any_packages_can_import_all_of_it(python, tmp_path):
    root = copy_package(tmp_path)
    program = ("import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules)\n"
               "for name in sys.argv[2:]: __import__('gradvec.ipc.' + name)\n"
               "import threading; assert threading.active_count() == 1\n"
               "print(*sorted(n for n in sys.modules if n.split('.')[0] in ('numpy', 'torch', 'numba', 'ctypes')))")
    names = [path.stem for path in FILES if path.stem not in ("__init__", "__main__")]
    done = subprocess.run([python, "-I", "-S", "-W", "error", "-c", program, str(root), *names],
                          capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"", b"")
