"""install-extension, uninstall-extension and the zip from the command line."""

import contextlib
import importlib.util
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import gradvec
from gradvec.cli import main

ROOT = Path(__file__).resolve().parents[2]


def test_install_and_uninstall(tmp_path, capsys):
    folder = tmp_path / "extensions"
    assert main(["install-extension", "--dir", str(folder), "--no-warm-up"]) == 0
    assert "Restart Inkscape" in capsys.readouterr().out
    record = json.loads((folder / "gradvec" / "engine.json").read_text())
    assert (record["python"], record["version"]) == (sys.executable, gradvec.__version__)
    assert main(["uninstall-extension", "--dir", str(folder)]) == 0
    assert "Removed from" in capsys.readouterr().out
    assert list(folder.iterdir()) == []
    assert main(["uninstall-extension", "--dir", str(folder)]) == 0
    assert "nothing was removed" in capsys.readouterr().out


def test_a_python_that_is_not_there(tmp_path, capsys):
    assert main(["install-extension", "--dir", str(tmp_path), "--python", "/no/such/python"]) == 2
    assert "no program /no/such/python" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_installing_warms_the_engine_up(tmp_path, capsys):
    assert main(["install-extension", "--dir", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "Compiling" in told
    assert "Restart Inkscape" in told


def test_warming_up_shows_how_far_it_is(tmp_path):
    """On a terminal: a stage of its own that reaches the end, and no line of it is left behind."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "gradvec", "install-extension", "--dir", str(tmp_path)], stderr=theirs,
                          stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "backend")}) as process:
        os.close(theirs)
        drawn = b""
        with contextlib.suppress(OSError):  # how a terminal's other end says that nobody writes any more
            while data := os.read(ours, 4096):
                drawn += data
        told = process.communicate()[0].decode()
    os.close(ours)
    assert process.returncode == 0
    assert "Compiling the engine's kernels" in told
    shares = [int(share) for share in re.findall(rb"Compiling kernels .* (\d+) %", drawn.replace(b"\r", b"\n"))]
    assert shares == sorted(shares)
    assert (shares[0] < 20, shares[-1]) == (True, 100)
    assert drawn.endswith(b" \r")


def test_a_warm_up_that_is_not_wanted(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    assert main(["install-extension", "--dir", str(tmp_path), "--no-warm-up"]) == 0
    assert "Compiling" not in capsys.readouterr().out


def test_a_python_that_cannot_run_the_engine(tmp_path, capsys):
    assert main(["install-extension", "--dir", str(tmp_path), "--python", "/usr/bin/python3"]) == 4
    told = capsys.readouterr().err
    assert "/usr/bin/python3 cannot run the engine" in told
    assert told.count("\n") == 1
    assert (tmp_path / "gradvec" / "gradvec.inx").exists(), "it is installed all the same"


def test_the_zip_holds_the_extension_and_nothing_of_its_making(tmp_path):
    spec = importlib.util.spec_from_file_location("package", ROOT / "scripts" / "package.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = script.extension_zip(tmp_path / "a"), script.extension_zip(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert {"gradvec/gradvec.inx", "gradvec/inkscape_ext/main.py", "gradvec/gradvec/options.py",
            "gradvec/gradvec/ipc/client.py", "gradvec/LICENSE"} <= set(names)
    assert not any("__pycache__" in n or n.endswith(("engine.json", ".pyc")) for n in names)
    assert all(n.startswith("gradvec/") for n in names)
