"""The zip for Inkscape's extension manager, held to the rules of Inkscape's gallery of extensions."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from lxml import etree
from packaging.licenses import canonicalize_license_expression

ROOT = Path(__file__).resolve().parents[2]
NS = "{http://www.inkscape.org/namespace/inkscape/extension}"
#: What opens addresses of the internet, and what opens them for the user.
INTERNET = {"urllib.request", "http", "http.client", "ftplib", "smtplib", "imaplib", "poplib", "telnetlib", "xmlrpc",
            "webbrowser", "requests", "httpx", "aiohttp", "urllib3", "ssl"}


@pytest.fixture(scope="module")
def unpacked(packages, tmp_path_factory):
    """The zip's folder, as whoever unpacks it by hand gets it."""
    folder = tmp_path_factory.mktemp("zip")
    with zipfile.ZipFile(packages.zip) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder / "gradvec"


def sources(folder):
    found = sorted(folder.rglob("*.py"))
    assert found
    return found


def menu_files(folder):
    found = sorted(folder.rglob("*.inx"))
    assert len(found) == 13
    return found


def test_one_folder_with_no_file_of_the_making(packages):
    with zipfile.ZipFile(packages.zip) as archive:
        names = archive.namelist()
    assert {PurePosixPath(name).parts[0] for name in names} == {"gradvec"}
    left_out = (".pyc", "engine.json", ".po", "setup.py")  # the last would make the manager call pip
    assert not [name for name in names if "__pycache__" in name or name.endswith(left_out)]
    assert not [name for name in names if name.endswith((".so", ".dll", ".pyd", ".dylib", ".exe"))], "one zip for all"
    assert packages.zip.stat().st_size < 1_000_000
    first = next(name for name in names if name.endswith(".inx"))
    assert first == "gradvec/gradvec.inx", "the extension manager names its folder after the first menu file"


def test_a_free_licence_goes_along(unpacked):
    assert "GNU GENERAL PUBLIC LICENSE" in (unpacked / "LICENSE").read_text("utf-8")
    assert canonicalize_license_expression("GPL-3.0-or-later") in (ROOT / "pyproject.toml").read_text("utf-8")


def test_an_icon_that_the_extension_manager_finds(unpacked):
    (icon,) = unpacked.rglob("icon.svg")
    root = etree.parse(str(icon)).getroot()
    assert root.get("viewBox") == "0 0 128 128"
    assert not list(root.iter("{*}image")), "it needs no other file"


def test_nothing_in_it_goes_to_the_internet(unpacked):
    for path in sources(unpacked):
        tree = ast.parse(path.read_text("utf-8"))
        used = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        used |= {f"{node.module}.{alias.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                 for alias in node.names}
        # One name of urllib.request turns file: addresses into paths and opens nothing.
        used -= {"urllib.request.url2pathname"}
        assert not [name for name in used if name in INTERNET or name.rpartition(".")[0] in INTERNET], path
        hosts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)
                 and isinstance(node.value, str) and re.fullmatch(r"\d+\.\d+\.\d+\.\d+|::1?", node.value)}
        assert hosts <= {"127.0.0.1"}, f"{path}: the engine listens on this machine alone"


def test_nothing_in_it_installs_or_updates_anything(unpacked):
    for path in sources(unpacked):
        words = {node.value for node in ast.walk(ast.parse(path.read_text("utf-8")))
                 if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert not words & {"pip", "ensurepip", "conda", "git", "curl", "wget"}, path


def test_it_runs_from_python_3_8_on(unpacked):
    """vermin knows since when names and syntax are there; typing.TypeAlias is for the checker's eyes alone."""
    done = subprocess.run([sys.executable, "-c", "import vermin; vermin.main()", "-vvv", "--no-tips", "--target=3.8-",
                           "--exclude", "typing.TypeAlias", str(unpacked)], capture_output=True, text=True, timeout=300,
                          check=False)
    newer = re.findall(r"^.* requires .*3\.(?:9|1\d).*$", done.stdout, re.MULTILINE)
    assert done.returncode == 0, newer
    assert not newer
    assert "Minimum required versions" in done.stdout


def schemas():
    """Inkscape's own description of menu files, as each inkex that is here brings it."""
    import inkex.tester

    found = [Path(inkex.tester.__file__).with_name("inkscape.extension.rng"),
             Path("/usr/share/inkscape/extensions/inkscape.extension.rng")]
    return [etree.RelaxNG(etree.parse(str(path))) for path in found if path.exists()]


def test_menu_files_are_as_inkscape_wants_them(unpacked):
    rules = schemas()
    assert rules
    for path in menu_files(unpacked):
        for schema in rules:
            tree = etree.parse(str(path))
            # Inkscape knows it from 1.0 on; the schema that came with 1.2 had not heard of it.
            if not schema.validate(tree):
                assert tree.getroot().attrib.pop("translationdomain") == "gradvec"
            assert schema.validate(tree), f"{path.name}: {schema.error_log}"


def test_menu_files_lead_to_what_is_there_and_are_told_apart(unpacked):
    idents, commands = [], []
    for path in menu_files(unpacked):
        root = etree.parse(str(path)).getroot()
        idents.append(root.findtext(f"{NS}id"))
        command = root.find(f".//{NS}command")
        assert (command.get("location"), command.get("interpreter")) == ("inx", "python")
        assert (path.parent / command.text).is_file()
        commands.append(root.xpath("string(*[@name='command'])"))
    assert len(set(idents)) == len(idents)
    assert all(ident.startswith("org.gradvec.") for ident in idents)
    for name in filter(None, commands):
        assert (unpacked / "inkscape_ext" / "commands" / f"{name}.py").exists()


def test_texts_are_english(unpacked):
    """Other languages come from catalogues; letters that English lacks would give away a text that has slipped in."""
    for path in menu_files(unpacked):
        for element in etree.parse(str(path)).iter():
            texts = [element.text or "", *element.attrib.values()]
            assert not [text for text in texts if re.search("[äöüßÄÖÜéèñ]", text)], path
    assert (unpacked / "locale" / "de" / "LC_MESSAGES" / "gradvec.mo").exists()


@pytest.mark.parametrize("layout", ["", "org.gradvec.paint", "a folder with spaces/deeper"])
def test_its_modules_are_found_wherever_it_is_unpacked(packages, tmp_path, layout):
    """Inkscape starts the script by its path with the user's folder of extensions on the module path, in which a folder
    ``gradvec`` without an ``__init__.py`` lies: Python would take that for the package."""
    extensions = tmp_path / "extensions"
    with zipfile.ZipFile(packages.zip) as archive:
        archive.extractall(extensions / layout)
    script = extensions / layout / "gradvec" / "inkscape_ext" / "main.py"
    code = ("import runpy, sys\n"
            f"module = runpy.run_path({str(script)!r}, run_name='imported')\n"
            "module['find_packages']()\n"
            "import gradvec.errors, gradvec.ipc.client, inkscape_ext.engine.connection as c\n"
            "print(gradvec.__file__); print(c.RECORD)")
    inkex = str(Path(importlib.util.find_spec("inkex").origin).parents[1])
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=60, check=False,
                          env={"PYTHONPATH": os.pathsep.join([str(extensions), inkex])}, cwd=script.parent)
    assert done.returncode == 0, done.stderr
    package, record = done.stdout.splitlines()
    assert Path(package) == script.parents[1] / "gradvec" / "__init__.py"
    assert Path(record) == script.parents[1] / "engine.json"
