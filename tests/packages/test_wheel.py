"""The wheel and the source archive: what is in them, and that the wheel works where nothing else of gradvec is."""

import base64
import csv
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import gradvec
import pytest
from packaging.metadata import Metadata

ROOT = Path(__file__).resolve().parents[2]


def files_below(folder: Path) -> set[str]:
    """Names of all files below ``folder``, seen from the checkout's root, but for what programs keep there."""
    caches = {"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis"}
    return {path.relative_to(ROOT).as_posix() for path in folder.rglob("*")
            if path.is_file() and not caches & set(path.parts)}


@pytest.fixture(scope="module")
def wheel(packages):
    """Contents of the wheel by name."""
    with zipfile.ZipFile(packages.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_package_and_the_extension_and_nothing_else(wheel):
    package = {name.removeprefix("backend/") for name in files_below(ROOT / "backend" / "gradvec")}
    extension = {f"gradvec/_extension/{name}" for name in files_below(ROOT / "inkscape_ext") | {"gradvec.inx"}}
    info = {name for name in wheel if ".dist-info/" in name}
    assert set(wheel) - info == package | extension
    assert {PurePosixPath(name).name for name in info} == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "LICENSE"}


def test_the_wheel_lists_its_files_as_they_are(wheel):
    record = next(name for name in wheel if name.endswith("/RECORD"))
    rows = {name: (digest, size) for name, digest, size in csv.reader(io.StringIO(wheel[record].decode()))}
    assert set(rows) == set(wheel)
    for name, content in wheel.items():
        if name != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert rows[name] == (f"sha256={digest}", str(len(content)))


def test_the_wheel_says_what_it_is(wheel):
    text = next(content for name, content in wheel.items() if name.endswith("/METADATA"))
    told = Metadata.from_email(text, validate=True)
    assert (told.name, str(told.version)) == ("gradvec", gradvec.__version__)
    assert told.license_expression == "GPL-3.0-or-later"
    assert "3.10" in told.requires_python
    assert "3.9" not in told.requires_python
    assert {"cuda", "cluster", "film"} <= set(told.provides_extra)
    assert not [str(need) for need in told.requires_dist if need.url], "an index takes no addresses"
    assert len(told.summary) <= 512


def test_what_an_index_would_say_of_them(packages):
    done = subprocess.run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", str(packages.wheel),
                           str(packages.sdist)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_the_source_archive_holds_what_it_takes_to_build_and_test(packages):
    with tarfile.open(packages.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    expected = {"gradvec.inx", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO",
                "mkdocs.yml", ".ci/run", ".github/workflows/tests.yml"}
    for folder in ("backend", "inkscape_ext", "tests", "docs", "scripts", "benchmarks", "examples"):
        expected |= files_below(ROOT / folder)
    assert expected <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".venv", "dist/", "out/"))]


def test_the_wheel_in_a_clean_environment(clean, tmp_path):
    program = clean.scripts / "gradvec"
    where = clean.output(clean.python, "-c", "import gradvec; print(gradvec.__file__)")
    assert Path(where).is_relative_to(clean.site), "the wheel, not the checkout"
    assert clean.output(program, "--version") == f"gradvec {gradvec.__version__}"
    folder = tmp_path / "extensions"
    told = clean.output(program, "install-extension", "--dir", str(folder), "--no-warm-up")
    assert "Restart Inkscape" in told
    record = json.loads((folder / "gradvec" / "engine.json").read_text("utf-8"))
    assert (record["python"], record["root"]) == (str(clean.python), str(clean.site))
    assert (folder / "gradvec" / "locale" / "de" / "LC_MESSAGES" / "gradvec.mo").exists()
    assert "Removed from" in clean.output(program, "uninstall-extension", "--dir", str(folder))


def test_the_wheel_finds_its_engine(clean, tmp_path):
    """A job in a process of its own, as Inkscape starts it: the package's data are found and the greeting is right."""
    status = clean.output(clean.scripts / "gradvec", "engine", "status", "--json", GRADVEC_STATE_DIR=str(tmp_path))
    assert json.loads(status)["running"] is False
    code = ("from gradvec.ipc.client import Client\n"
            "with Client.one_shot() as client: print(client.hello.version, client.hello.executable)")
    version, python = clean.output(clean.python, "-c", code, GRADVEC_STATE_DIR=str(tmp_path)).split(maxsplit=1)
    assert (version, python) == (gradvec.__version__, str(clean.python))
