"""Where the extension goes, and what goes along."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import gradvec
import pytest
from gradvec.cli import main
from gradvec.errors import InputError, UsageError
from gradvec.tools import install as extension
from gradvec.tools import places

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """A home without any Inkscape, on a system without any."""
    monkeypatch.delenv("INKSCAPE_PROFILE_DIR", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GRADVEC_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    (home / ".config").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("PROGRAMFILES", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setattr(places, "FLATPAKS", tmp_path / "flatpak")
    monkeypatch.setattr(places, "SNAPS", (tmp_path / "snaps",))
    return home


@pytest.fixture
def fake_inkscape(tmp_path, nothing):
    """A program ``inkscape`` on the search path, or elsewhere, that says what it is told to say."""

    def say(text: str, code: int = 0, program: Path = tmp_path / "bin" / "inkscape") -> None:
        program.parent.mkdir(parents=True, exist_ok=True)
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
    assert places.extensions_directory() == tmp_path / "user data" / "extensions"
    assert extension.install_extension(python=sys.executable) == tmp_path / "user data" / "extensions" / "gradvec"
    assert extension.uninstall_extension() == tmp_path / "user data" / "extensions" / "gradvec"


def test_a_private_profile_is_respected(tmp_path, monkeypatch):
    monkeypatch.setenv("INKSCAPE_PROFILE_DIR", str(tmp_path / "profile"))
    assert places.extensions_directory() == tmp_path / "profile" / "extensions"


def test_without_inkscape_the_folder_has_to_be_named(fake_inkscape):
    with pytest.raises(UsageError, match="not found") as caught:
        places.extensions_directory()
    assert "--dir" in caught.value.remedy
    fake_inkscape("", 1)
    with pytest.raises(UsageError, match="does not answer"):
        places.extensions_directory()


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
        (package / name).parent.mkdir(exist_ok=True)
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


def by_the_manager(tmp_path, ident: str = "org.gradvec.paint") -> Path:
    """A copy that Inkscape's extension manager has unpacked: in a folder of its own naming, with its list of files."""
    folder = tmp_path / ident / "gradvec"
    extension.write_files(folder)
    (folder.parent / "info.json").write_text("{}")
    return folder


def test_the_copy_of_the_extension_manager_gets_the_engine(tmp_path):
    """Two copies would show every command twice."""
    extension.install_extension(tmp_path, sys.executable)
    managed = by_the_manager(tmp_path)
    assert extension.install_extension(tmp_path, sys.executable) == managed
    assert extension.copies(tmp_path) == [managed]
    assert extension.installed(tmp_path)["folder"] == str(managed)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["org.gradvec.paint"]
    assert extension.uninstall_extension(tmp_path) == managed
    assert list(tmp_path.iterdir()) == []


def test_what_lies_beside_a_managed_copy_stays(tmp_path):
    managed = by_the_manager(tmp_path, "several")
    (managed.parent / "others.inx").write_text("<inx/>")
    extension.install_extension(tmp_path, sys.executable)
    extension.uninstall_extension(tmp_path)
    assert sorted(path.name for path in managed.parent.iterdir()) == ["info.json", "others.inx"]


# -- several kinds at once --------------------------------------------------------------------------------------------

def snap(tmp_path, home, revision: str = "10555") -> Path:
    """A Snap that was started once; its folder of this revision."""
    (tmp_path / "snaps" / "inkscape").mkdir(parents=True, exist_ok=True)
    of_this_revision = home / "snap" / "inkscape" / revision
    of_this_revision.mkdir(parents=True)
    current = of_this_revision.with_name("current")
    current.unlink(missing_ok=True)
    current.symlink_to(revision)
    return of_this_revision


def test_system_flatpak_and_snap_together(tmp_path, nothing, fake_inkscape):
    fake_inkscape(f"{nothing}/.config/inkscape")
    (tmp_path / "flatpak/app/org.inkscape.Inkscape").mkdir(parents=True)
    snap(tmp_path, nothing)
    expected = [nothing / ".config/inkscape/extensions",
                nothing / ".var/app/org.inkscape.Inkscape/config/inkscape/extensions",
                nothing / "snap/inkscape/current/.config/inkscape/extensions"]
    assert places.places() == expected
    assert places.extensions_directory() == expected[0]
    assert main(["install-extension", "--no-warm-up"]) == 0
    records = [extension.installed(place) for place in expected]
    assert [record.get("state_dir") for record in records] == [
        None, str(expected[1].parent / "gradvec-engine"), str(expected[2].parent / "gradvec-engine")]
    assert main(["uninstall-extension"]) == 0
    assert not any((place / "gradvec").exists() for place in expected)


def test_each_sandbox_is_told_how_to_reach_an_engine(tmp_path, nothing, capsys):
    (nothing / ".local/share/flatpak/app/org.inkscape.Inkscape").mkdir(parents=True)
    assert main(["install-extension", "--no-warm-up"]) == 0
    told = capsys.readouterr().out
    place = nothing / ".var/app/org.inkscape.Inkscape/config/inkscape"
    assert f"Installed in {place}/extensions/gradvec." in told
    assert f"GRADVEC_STATE_DIR={place}/gradvec-engine gradvec engine serve --tcp" in told


def test_a_snap_keeps_the_extension_through_its_updates(tmp_path, nothing, fake_inkscape):
    """Its program names the folder of today's revision; what is recorded must outlive that."""
    revision = snap(tmp_path, nothing)
    fake_inkscape(f"{revision}/.config/inkscape")
    (place,) = places.places()
    assert place == nothing / "snap/inkscape/current/.config/inkscape/extensions"
    folder = extension.install_extension(place, sys.executable)
    assert str(revision) not in (folder / "engine.json").read_text()
    other = nothing / "snap/inkscape/9000/.config/inkscape"
    fake_inkscape(str(other))
    assert places.places()[0] == other / "extensions", "an older revision is not the current one"


def test_a_snap_that_was_never_started_has_no_folder_yet(tmp_path, nothing):
    (tmp_path / "snaps" / "inkscape").mkdir(parents=True)
    with pytest.raises(UsageError, match="not found"):
        places.places()
    assert not (nothing / "snap").exists()


def test_an_appimage_is_not_on_the_search_path(nothing, fake_inkscape):
    """It has used the usual folder, so that exists; likewise where the program does not answer."""
    (nothing / ".config/inkscape").mkdir()
    assert places.places() == [nothing / ".config/inkscape/extensions"]
    fake_inkscape("", 1)
    assert places.places() == [nothing / ".config/inkscape/extensions"]


@pytest.mark.parametrize(("system", "program", "usual"), [
    ("win32", "programfiles/Inkscape/bin/inkscape.com", "appdata/inkscape/extensions"),
    ("win32", "localappdata/Programs/Inkscape/bin/inkscape.exe", "appdata/inkscape/extensions"),
    ("darwin", "home/Applications/Inkscape.app/Contents/MacOS/inkscape",
     "home/Library/Application Support/org.inkscape.Inkscape/config/inkscape/extensions")])
def test_windows_and_macos(tmp_path, nothing, fake_inkscape, monkeypatch, system, program, usual):
    monkeypatch.setattr(sys, "platform", system)
    (tmp_path / "flatpak/app/org.inkscape.Inkscape").mkdir(parents=True)  # means nothing there
    with pytest.raises(UsageError, match="not found"):
        places.places()
    fake_inkscape(f"{tmp_path}/told", program=tmp_path / program)
    assert places.find_inkscape() == str(tmp_path / program)
    assert places.places() == [tmp_path / "told" / "extensions"]
    (tmp_path / program).unlink()
    (tmp_path / usual).parent.mkdir(parents=True)
    assert places.places() == [tmp_path / usual]
    folder = extension.install_extension(python=sys.executable)
    assert folder == tmp_path / usual / "gradvec"
    assert extension.leftovers() == [tmp_path / usual]


def test_the_microsoft_stores_package_has_a_folder_of_its_own(tmp_path, nothing, fake_inkscape, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "win32")
    package = tmp_path / "localappdata" / "Packages" / "25415Inkscape.Inkscape_9waqn51p1ttv2"
    package.mkdir(parents=True)
    place = package / "LocalCache" / "Roaming" / "inkscape" / "extensions"
    assert places.places() == [place]
    fake_inkscape(f"{tmp_path}/appdata/inkscape", program=tmp_path / "programfiles/Inkscape/bin/inkscape.com")
    assert places.places() == [tmp_path / "appdata" / "inkscape" / "extensions", place]
    assert main(["install-extension", "--no-warm-up"]) == 0
    assert "sandbox" not in capsys.readouterr().out, "it starts the engine like any other program"
    state = extension.installed(place)["state_dir"]
    assert state == str(place.parent / "gradvec-engine"), "the same files for the package and for everybody else"
    assert extension.installed(places.places()[0]).get("state_dir") is None
    assert extension.leftovers() == [tmp_path / "appdata" / "inkscape" / "extensions", place]
    assert main(["uninstall-extension"]) == 0
    assert extension.leftovers() == []


def test_windows_asks_the_program_that_answers_in_a_terminal(tmp_path, nothing, fake_inkscape):
    for name in ("inkscape.exe", "inkscape.com"):
        fake_inkscape("", program=tmp_path / "programfiles/Inkscape/bin" / name)
    assert places.find_inkscape().endswith("inkscape.com")


def test_one_that_cannot_be_written_does_not_keep_the_others_from_it(tmp_path, nothing, fake_inkscape, capsys):
    fake_inkscape(f"{nothing}/.config/inkscape")
    (tmp_path / "flatpak/app/org.inkscape.Inkscape").mkdir(parents=True)
    taken = nothing / ".config/inkscape/extensions/gradvec"
    taken.mkdir(parents=True)
    (taken / "mine.txt").write_text("precious")
    assert main(["install-extension", "--no-warm-up"]) == 3
    told = capsys.readouterr()
    assert "not gradvec's extension" in told.err
    assert ".var/app" in told.out
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]


def test_uninstalling_finds_what_a_removed_inkscape_left(nothing):
    place = nothing / ".var/app/org.inkscape.Inkscape/config/inkscape/extensions"
    extension.install_extension(place, sys.executable)
    assert extension.leftovers() == [place]
    assert main(["uninstall-extension"]) == 0
    assert list(place.iterdir()) == []


def test_a_private_profile_is_uninstalled_alone(tmp_path, nothing, monkeypatch):
    usual = nothing / ".config/inkscape/extensions"
    extension.install_extension(usual, sys.executable)
    monkeypatch.setenv("INKSCAPE_PROFILE_DIR", str(tmp_path / "profile"))
    assert main(["install-extension", "--no-warm-up"]) == 0
    assert extension.leftovers() == [tmp_path / "profile" / "extensions"]
    assert main(["uninstall-extension"]) == 0
    assert extension.installed(usual) is not None
