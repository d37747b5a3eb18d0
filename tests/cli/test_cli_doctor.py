"""`gradvec doctor` on this machine, and on machines on which something is missing, old or broken."""

import json
import stat
import sys
import tempfile
from pathlib import Path

import gradvec
import pytest
import torch
from gradvec.cli import main
from gradvec.render import kernel_cache
from gradvec.tools import doctor, places
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


@pytest.fixture
def card(monkeypatch, tmp_path):
    """A good card of which nothing is known yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, value in {"is_available": True, "mem_get_info": (3e9, 8e9), "get_device_name": "Some Card",
                        "get_device_capability": (9, 0), "memory_reserved": 0}.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    from gradvec.render import card, quicker

    def forget():
        card._found.cache_clear()
        card._passing.trouble, card._passing.until = None, 0.0
        quicker.times.cache_clear()

    monkeypatch.setattr(card, "_compute", lambda: None)
    monkeypatch.setattr(card, "triton_present", lambda: True)
    monkeypatch.setattr(card, "probe", lambda device: None)
    monkeypatch.setattr(quicker, "step_ms", lambda engine, device: {"cuda": 1.5, "cpu": 9.0}[engine])
    forget()
    yield card
    forget()


def test_a_card_that_torch_cannot_use(monkeypatch, tmp_path, card):
    program(tmp_path / "nvidia-smi", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert doctor.device().state == "warning"
    assert "pytorch.org" in doctor.device().remedy


def test_no_card_is_nothing_to_worry_about(monkeypatch, card):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert (doctor.device().state, doctor.device().remedy) == ("ok", "")


def test_a_card_that_works(card):
    found = doctor.device()
    assert (found.state, found.remedy) == ("ok", "")
    assert "Some Card, 3.0 of 8.0 GB free" in found.detail
    assert "1.5 ms there and 9.0 ms on the processor, so the card computes" in found.detail


@pytest.mark.parametrize(("what", "remedy"), [("no Triton", "pip install"), ("no compiler", "gcc"), ("full", "Close")])
def test_a_card_that_cannot_be_used(what, remedy, monkeypatch, card):
    def probe(device):
        raise RuntimeError("Failed to find C compiler. Please specify via CC environment variable.")

    if what == "no Triton":
        monkeypatch.setattr(card, "triton_present", lambda: False)
    elif what == "no compiler":
        monkeypatch.setattr(card, "probe", probe)
    else:
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (1e8, 8e9))
    found = doctor.device()
    assert found.state == "warning"
    assert "Some Card" in found.detail
    assert remedy in found.remedy


def test_a_card_that_fails_at_work(monkeypatch, card):
    from gradvec.render import quicker

    def fail(engine, device):
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(quicker, "step_ms", fail)
    assert (doctor.device().state, "unspecified launch failure" in doctor.device().detail) == ("warning", True)


def test_a_renderer_that_is_wrong(monkeypatch):
    import gradvec.render

    monkeypatch.setattr(gradvec.render, "render", lambda scene: torch.zeros(4, 4, 4))
    assert doctor.renderer().state == "broken"


def test_a_cache_that_cannot_be_had(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    (tmp_path / "file").write_text("in its place")
    monkeypatch.setattr(kernel_cache, "faults", [])
    kernel_cache.usable_folder.cache_clear()
    assert doctor.numba_cache().state == "warning"
    assert "NUMBA_CACHE_DIR" in doctor.numba_cache().remedy
    monkeypatch.undo()
    kernel_cache.usable_folder.cache_clear()


def test_a_cache_with_a_damaged_kernel_names_the_folder(monkeypatch):
    monkeypatch.setattr(kernel_cache, "faults", ["there: it is damaged"])
    assert doctor.numba_cache().state == "warning"
    assert str(kernel_cache.cache_folder()) in doctor.numba_cache().remedy


@pytest.mark.parametrize(("holds", "state", "says"), [
    (None, "warning", "is not diffvg's"), ("raise OSError('libdiffvg')", "warning", "libdiffvg"),
    ("class RenderFunction: pass", "ok", "importable")])
def test_a_pydiffvg_is_imported_before_it_is_praised(holds, state, says, monkeypatch, tmp_path):
    import gradvec.render.diffvg  # noqa: F401  (found here before the path is another)

    (tmp_path / "pydiffvg").mkdir()
    if holds is not None:
        (tmp_path / "pydiffvg" / "__init__.py").write_text(holds)
    monkeypatch.setitem(sys.modules, "pydiffvg", None)
    monkeypatch.delitem(sys.modules, "pydiffvg")  # what is imported in its place goes with the test
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    found = doctor.diffvg()
    assert found.state == state
    assert says in found.detail


def test_an_engine_that_hangs(monkeypatch):
    from gradvec import ipc

    monkeypatch.setattr(ipc, "status", lambda: {"running": True, "answering": False, "pid": 7, "version": None})
    assert (doctor.engine_process().state, doctor.engine_process().remedy) == ("broken", "gradvec engine stop")


@pytest.mark.parametrize(("says", "state"), [
    ("Inkscape 1.1.2 (abc, 2021-01-01)", "broken"), ("Inkscape 0.92.5", "broken"), ("nonsense", "broken"),
    ("Inkscape 1.2.2 (b0a8486541, 2022-12-01)", "ok"), ("Inkscape 1.4", "ok")])
def test_versions_of_inkscape(says, state, monkeypatch, tmp_path):
    path = program(tmp_path / "inkscape", says)
    monkeypatch.setattr(places, "find_inkscape", lambda: path)
    assert doctor.inkscape().state == state


def test_no_inkscape(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "find_inkscape", lambda: None)
    monkeypatch.setattr(places, "FLATPAKS", tmp_path)
    monkeypatch.setattr(places, "SNAPS", ())
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
