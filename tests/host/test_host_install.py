"""Where the extension goes, and what goes along."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import gradvec
import pytest
from gradvec import extension
from gradvec.errors import InputError, UsageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fake_inkscape(tmp_path, monkeypatch):
    """A program ``inkscape`` on the search path that says what it is told to say."""
    monkeypatch.delenv("INKSCAPE_PROFILE_DIR", raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def say(text: str, code: int = 0) -> None:
        program = folder / "inkscape"
        program.write_text(f"#!/bin/sh\n[ \"$1\" = --user-data-directory ] && echo '{text}'\nexit {code}\n")
        program.chmod(0o755)

    return say


def test_what_is_installed(tmp_path):
    folder = extension.install_extension(tmp_path, sys.executable)
    assert folder == tmp_path / "gradvec"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"gradvec.inx", "engine.json", "inkscape_ext/main.py", "inkscape_ext/commands/paint.py",
            "gradvec/errors.py", "gradvec/options.py", "gradvec/ipc/client.py"} <= files
    assert not [name for name in files if "__pycache__" in name or "/." in name or name.endswith(("ruff.toml", ".po"))]
    record = json.loads((folder / "engine.json").read_text())
    assert record["python"] == sys.executable
    assert record["version"] == gradvec.__version__
    assert (Path(record["root"]) / "gradvec" / "__init__.py").exists()
    assert extension.installed(tmp_path) == {**record, "folder": str(folder)}


def test_what_is_installed_imports_with_nothing_else_around(tmp_path):
    """The copies beside the extension need neither the engine's environment nor anything outside the library."""
    folder = extension.install_extension(tmp_path, sys.executable)
    code = ("import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p and 'backend' not in p];"
            f"sys.path.insert(0, {str(folder)!r}); import gradvec.ipc.client, gradvec.options, gradvec.progress;"
            "assert gradvec.__file__.startswith(sys.path[0])")
    subprocess.run([sys.executable, "-S", "-c", code], check=True, timeout=30,
                   env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})


def test_every_file_reads_on_the_oldest_python_that_inkscape_brings():
    for path in [*(ROOT / "inkscape_ext").rglob("*.py"), *(ROOT / "backend" / "gradvec" / "ipc").rglob("*.py"),
                 *(ROOT / "backend" / "gradvec" / name for name in extension.SHARED if name.endswith(".py"))]:
        tree = ast.parse(path.read_text("utf-8"), str(path), feature_version=(3, 8))
        futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        if any(isinstance(node, (ast.FunctionDef, ast.AnnAssign)) for node in ast.walk(tree)):
            assert futures, f"{path} needs annotations from the future"


def test_inkscape_is_asked_where_extensions_lie(tmp_path, fake_inkscape):
    fake_inkscape(f"{tmp_path}/user data")
    assert extension.extensions_directory() == tmp_path / "user data" / "extensions"
    assert extension.install_extension(python=sys.executable) == tmp_path / "user data" / "extensions" / "gradvec"
    assert extension.uninstall_extension() == tmp_path / "user data" / "extensions" / "gradvec"


def test_a_private_profile_is_respected(tmp_path, monkeypatch):
    monkeypatch.setenv("INKSCAPE_PROFILE_DIR", str(tmp_path / "profile"))
    assert extension.extensions_directory() == tmp_path / "profile" / "extensions"


def test_without_inkscape_the_folder_has_to_be_named(tmp_path, fake_inkscape, monkeypatch):
    monkeypatch.setenv("PROGRAMFILES", str(tmp_path))
    with pytest.raises(UsageError, match="not found") as caught:
        extension.extensions_directory()
    assert "--dir" in caught.value.remedy
    fake_inkscape("", 1)
    with pytest.raises(UsageError, match="does not answer"):
        extension.extensions_directory()


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "gradvec").mkdir()
    (tmp_path / "gradvec" / "mine.txt").write_text("precious")
    for attempt in (lambda: extension.install_extension(tmp_path, sys.executable),
                    lambda: extension.uninstall_extension(tmp_path)):
        with pytest.raises(InputError, match="not gradvec's extension"):
            attempt()
    assert (tmp_path / "gradvec" / "mine.txt").read_text() == "precious"


def test_a_failed_install_keeps_the_old_one(tmp_path, monkeypatch):
    folder = extension.install_extension(tmp_path, sys.executable)
    before = sorted(folder.rglob("*"))

    def fail(target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(extension, "write_files", fail)
    with pytest.raises(InputError, match="No space left on device"):
        extension.install_extension(tmp_path, sys.executable)
    assert sorted(folder.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["gradvec"]


def test_a_python_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="no program /gone/python"):
        extension.install_extension(tmp_path, "/gone/python")
    assert list(tmp_path.iterdir()) == []


def test_files_inside_a_wheel(tmp_path, monkeypatch):
    """In a wheel, gradvec.inx and inkscape_ext lie inside the package."""
    package = tmp_path / "site" / "gradvec"
    (package / "_extension" / "inkscape_ext").mkdir(parents=True)
    (package / "_extension" / "gradvec.inx").write_text("<inx/>")
    (package / "_extension" / "inkscape_ext" / "main.py").write_text("")
    for name in extension.SHARED:
        (package / name).mkdir() if name == "ipc" else (package / name).write_text("")
    monkeypatch.setattr(extension, "_PACKAGE", package)
    folder = extension.install_extension(tmp_path / "extensions", sys.executable)
    assert (folder / "gradvec.inx").read_text() == "<inx/>"
    (package / "_extension" / "gradvec.inx").unlink()
    with pytest.raises(InputError, match="lacks the files"):
        extension.install_extension(tmp_path / "others", sys.executable)


@pytest.mark.parametrize(("parent", "state"), [
    ("home/.var/app/org.inkscape.Inkscape/config/inkscape/extensions", "config/inkscape/gradvec-engine"),
    ("home/snap/inkscape/current/.config/inkscape/extensions", ".config/inkscape/gradvec-engine"),
    ("home/.config/inkscape/extensions", None)])
def test_a_sandbox_finds_the_engine_in_its_own_profile(tmp_path, monkeypatch, parent, state):
    monkeypatch.delenv("GRADVEC_STATE_DIR", raising=False)
    extension.install_extension(tmp_path / parent, sys.executable)
    recorded = extension.installed(tmp_path / parent).get("state_dir")
    assert recorded is None if state is None else recorded.endswith(state)
