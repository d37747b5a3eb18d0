"""Where everything comes from: locked versions, the audit, the bill of materials, the text of a release."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import gradvec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "tests").glob("locked-*.txt"))


def script(name):
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / "scripts" / name)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    return module


# -- the lock ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_the_lock_is_what_the_project_allows(path):
    text = path.read_text("utf-8")
    locked = script("locked.py")
    assert locked.trouble(text) == [], "run make lock"
    assert {"inkex", "triton", "torch", "numba"} <= set(locked.locked(text))
    assert "+" not in text, "a tag of a local build is on no index"
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in text.splitlines()[1:])


def test_there_is_a_lock():
    assert [path.name for path in LOCKS] == ["locked-3.11.txt"]


def test_a_lock_that_does_not_fit_is_noticed():
    locked = script("locked.py")
    text = re.sub(r"numpy==.*\n", "", LOCKS[0].read_text("utf-8"))
    text = re.sub(r"pillow==.*", "pillow==1.0", text)
    assert locked.trouble(text) == ["numpy is not locked", "pillow 1.0 is locked, but pyproject.toml wants >=10.3"]


def test_everything_that_is_needed_is_found():
    locked = script("locked.py")
    found = locked.closure("gradvec", ("film",))
    assert {"numpy", "torch", "av", "llvmlite", "webencodings"} <= set(found)
    assert "pytest" not in found
    assert "llvmlite" in found["numba"]
    assert {"torch", "av"} <= found["gradvec"]


def install_commands(tmp_path, **environment):
    """What scripts/install.sh hands to pip, in an environment whose Python notes it down."""
    program = tmp_path / "venv" / "bin" / "python"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\ncase "$*" in\n*version_info*) echo 3.11;;\n*find_spec*) exit 1;;\n'
                       f'*"-m pip"*) echo "$@" >> "{tmp_path}/said";;\nesac\n')
    program.chmod(0o755)
    subprocess.run(["sh", "scripts/install.sh", str(tmp_path / "venv")], cwd=ROOT, check=True, timeout=60,
                   env={**os.environ, "PYTHON": sys.executable, "TORCH": "", **environment})
    said = (tmp_path / "said").read_text().splitlines()
    (tmp_path / "said").unlink()
    return [line for line in said if " install " in line]


def test_installing_with_the_lock_and_without(tmp_path):
    free = install_commands(tmp_path, LOCKED="")
    kept = install_commands(tmp_path, LOCKED="1")
    assert len(free) == len(kept) >= 3
    assert not [line for line in free if "--constraint" in line]
    assert [line.removesuffix(" --constraint tests/locked-3.11.txt") for line in kept] == free
    assert all(line.endswith(" --constraint tests/locked-3.11.txt") for line in kept)


# -- the audit --------------------------------------------------------------------------------------------------------

def row(name, *holes, **more):
    return {"name": name, "version": "1.0", "vulns": list(holes), **more}


@pytest.mark.parametrize(("answer", "code", "words"), [
    ({"dependencies": [row("numpy"), row("torch")]}, 0, "No known hole in 2 libraries"),
    ({"dependencies": [row("numpy"), row("own", skip_reason="not on PyPI")]}, 0, "Note: not known there: own"),
    ({"dependencies": [row("numpy", {"id": "CVE-1", "fix_versions": ["1.1"]})]}, 1, "numpy 1.0: CVE-1, mended in 1.1"),
    ({"dependencies": [row("numpy", {"id": "CVE-1", "fix_versions": []})]}, 1, "mended in no version"),
    ({"dependencies": [{"name": "numpy", "version": "1.0", "skip_reason": "not on PyPI"}]}, 0, "cannot be reached"),
    ("Connection refused", 0, "cannot be reached (Connection refused)")])
def test_what_the_audit_says(answer, code, words):
    found, lines = script("release/audit.py").verdict(answer)
    assert found == code
    assert words in "\n".join(lines)


def test_the_audit_asks_for_what_runs():
    asked = script("release/audit.py").asked()
    assert {"numpy", "torch", "av"} <= {line.partition("==")[0] for line in asked}
    assert not [line for line in asked if "+" in line or line.startswith(("gradvec", "pytest"))]


# -- the bill of materials --------------------------------------------------------------------------------------------

def test_the_bill_of_materials_is_cyclonedx(packages):
    path = packages.wheel.with_name(f"gradvec-{gradvec.__version__}.cdx.json")
    text = path.read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == script("release/sbom.py").text(), "the same environment gives the same file"
    told = json.loads(text)
    parts = {part["name"]: part for part in told["components"]}
    closure = script("locked.py").closure("gradvec", ("cluster", "film"))
    assert set(parts) | {"gradvec"} == set(closure)
    assert all(part["purl"] == f"pkg:pypi/{name}@{part['version']}" for name, part in parts.items())
    assert [name for name, part in parts.items() if not part.get("licenses")] == []
    about = told["metadata"]["component"]
    assert (about["name"], about["version"]) == ("gradvec", gradvec.__version__)
    assert about["licenses"][0]["license"]["id"] == "GPL-3.0-or-later"
    needs = {entry["ref"]: set(entry.get("dependsOn", [])) for entry in told["dependencies"]}
    assert needs == {name: set(asked) for name, asked in closure.items()}


# -- the text of a release --------------------------------------------------------------------------------------------

CHANGES = ("# Changelog\n\nAll.\n\n## Unreleased\n\n- new\n\n"
           "## 1.1.0 (2027-01-02)\n\n### Added\n- one\n\n## 1.0.0\n- zero\n")


def test_release_notes():
    notes = script("release/notes.py")
    assert notes.notes(CHANGES, "1.1.0") == "# gradvec 1.1.0\n\n### Added\n- one\n"
    assert notes.notes(CHANGES, "1.0.0") == "# gradvec 1.0.0\n\n- zero\n"
    assert notes.notes(CHANGES, "2.0.0") == "# gradvec 2.0.0\n\n- new\n"
    with pytest.raises(KeyError):
        notes.notes(CHANGES.replace("- new\n", ""), "2.0.0")


def test_release_notes_of_the_changelog_that_is_there():
    program = [sys.executable, str(ROOT / "scripts" / "release" / "notes.py")]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith(f"# gradvec {gradvec.__version__}\n\n###")
    done = subprocess.run([*program, "0.0.7"], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "no heading 0.0.7" in done.stderr) == (2, True)
