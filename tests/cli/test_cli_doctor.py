"""`gradvec doctor` on this machine, and on machines on which something is missing, old or broken."""

import json
import os
import stat
import sys
import tempfile
from pathlib import Path

import gradvec
import pytest
import torch
from gradvec.cli import main
from gradvec.tools import doctor
from gradvec.tools import install as extension
from gradvec.tools.doctor import Check, examine

NAMES = ["python", "libraries", "memory", "device", "renderer", "numba cache", "diffvg", "engine process", "inkscape",
         "extension"]


@pytest.fixture(autouse=True)
def private(monkeypatch, tmp_path):
    """A machine without a running engine and with an Inkscape profile of its own."""
    with tempfile.TemporaryDirectory(prefix="gv") as folder:
        monkeypatch.setenv("GRADVEC_STATE_DIR", folder)
        monkeypatch.setenv("INKSCAPE_PROFILE_DIR", str(tmp_path / "profile"))
        yield


def program(path, text):
    """An executable that says ``text``."""
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def record(tmp_path, **values):
    """An installed extension with this record."""
    folder = tmp_path / "profile" / "extensions" / "gradvec"
    folder.mkdir(parents=True)
    root = str(Path(gradvec.__file__).parent.parent)
    facts = {"version": gradvec.__version__, "python": sys.executable, "root": root, **values}
    (folder / "engine.json").write_text(json.dumps(facts))


def test_this_machine_is_well(capsys):
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert [c["name"] for c in told["checks"]] == NAMES
    states = {c["name"]: c["state"] for c in told["checks"]}
    assert states["renderer"] == states["libraries"] == states["engine process"] == "ok"
    assert states["extension"] == "warning", "nothing is installed in the private profile"


def test_the_words_for_people(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda: [
        Check("one", "ok", "fine"), Check("two", "warning", "slow", "Make it quick."),
        Check("three", "broken", "gone", "Get it back.")])
    assert main(["doctor"]) == 4
    assert capsys.readouterr().out.splitlines() == [
        "ok      one               fine", "warn    two               slow", f"{'':26}Make it quick.",
        "BROKEN  three             gone", f"{'':26}Get it back.", "1 broken, 1 warnings, 3 checks"]


def test_a_missing_library(monkeypatch):
    monkeypatch.setattr(doctor, "_LIBRARIES", ("numpy", "no-such-library"))
    found = doctor.libraries()
    assert (found.state, found.detail) == ("broken", "not installed: no-such-library")
    assert found.remedy.endswith("-m pip install no-such-library")


def test_little_memory(monkeypatch):
    monkeypatch.setattr(doctor, "memory_gb", lambda: (8.0, 0.4))
    assert (doctor.memory().state, doctor.memory().detail) == ("warning", "0.4 of 8.0 GB free")
    monkeypatch.setattr(doctor, "memory_gb", lambda: (None, None))
    assert doctor.memory().state == "ok"


def test_a_card_that_torch_cannot_use(monkeypatch, tmp_path):
    program(tmp_path / "nvidia-smi", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert doctor.device().state == "warning"
    assert "pytorch.org" in doctor.device().remedy


def test_a_card_that_torch_can_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3_000_000_000, 8_000_000_000))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some Card")
    monkeypatch.setattr(doctor, "_installed", lambda name: True)
    assert doctor.device().state == "ok"
    assert "Some Card, 3.0 of 8.0 GB free" in doctor.device().detail
    monkeypatch.setattr(doctor, "_installed", lambda name: False)
    assert (doctor.device().state, "no Triton" in doctor.device().detail) == ("warning", True)


def test_a_renderer_that_is_wrong(monkeypatch):
    import gradvec.render

    monkeypatch.setattr(gradvec.render, "render", lambda scene: torch.zeros(4, 4, 4))
    assert doctor.renderer().state == "broken"


def test_a_cache_that_cannot_be_written(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert doctor.numba_cache().state == "warning"
    assert "NUMBA_CACHE_DIR" in doctor.numba_cache().remedy


def test_an_engine_that_hangs(monkeypatch):
    from gradvec.ipc import commands

    monkeypatch.setattr(commands, "status", lambda: {"running": True, "answering": False, "pid": 7, "version": None})
    assert (doctor.engine_process().state, doctor.engine_process().remedy) == ("broken", "gradvec engine stop")


@pytest.mark.parametrize(("says", "state"), [
    ("Inkscape 1.1.2 (abc, 2021-01-01)", "broken"), ("Inkscape 0.92.5", "broken"), ("nonsense", "broken"),
    ("Inkscape 1.2.2 (b0a8486541, 2022-12-01)", "ok"), ("Inkscape 1.4", "ok")])
def test_versions_of_inkscape(says, state, monkeypatch, tmp_path):
    path = program(tmp_path / "inkscape", says)
    monkeypatch.setattr(extension, "find_inkscape", lambda: path)
    assert doctor.inkscape().state == state


def test_no_inkscape(monkeypatch, tmp_path):
    monkeypatch.setattr(extension, "find_inkscape", lambda: None)
    monkeypatch.setattr(extension, "FLATPAKS", tmp_path)
    monkeypatch.setattr(extension, "SNAPS", ())
    monkeypatch.delenv("INKSCAPE_PROFILE_DIR")
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    assert doctor.inkscape().state == "warning"
    assert doctor.extension().state == "warning"
    assert "--dir" in doctor.extension().remedy


def test_an_extension_that_works(tmp_path):
    record(tmp_path)
    assert doctor.extension().state == "ok"


@pytest.mark.parametrize("wrong", [{"version": "0.0.1"}, {"python": "/no/such/python"}, {"root": "/nowhere"},
                                   {"python": "/bin/false"}])
def test_an_extension_that_cannot_work(wrong, tmp_path, capsys):
    record(tmp_path, **wrong)
    if "root" in wrong:
        (tmp_path / "python").symlink_to("/usr/bin/python3")
        record_path = tmp_path / "profile" / "extensions" / "gradvec" / "engine.json"
        facts = json.loads(record_path.read_text())
        record_path.write_text(json.dumps({**facts, "python": str(tmp_path / "python")}))
    found = doctor.extension()
    assert (found.state, found.remedy) == ("broken", "gradvec install-extension")
    assert main(["doctor", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_a_check_that_fails_itself_is_told_too(monkeypatch):
    def python():
        raise ZeroDivisionError("by nought")

    def memory():
        raise ModuleNotFoundError("No module named 'x'")

    monkeypatch.setattr(doctor, "python", python)
    monkeypatch.setattr(doctor, "memory", memory)
    found = {check.name: check for check in examine()}
    assert found["python"].state == "broken"
    assert "ZeroDivisionError: by nought" in found["python"].detail
    assert found["memory"].remedy == "See the libraries above."
    assert found["extension"].state == "warning", "the others are still made"
