"""The command line and a real engine process, whose jobs are quick."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import gradvec
import pytest
from gradvec.cli import main
from gradvec.io.svg import read
from gradvec.ipc.state import LOG_BYTES_MAX, State

HERE = Path(__file__).parent


@pytest.fixture
def engine(monkeypatch):
    """A private place for an engine that runs the fake jobs; ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="gv") as folder:  # short: a socket's path has a small limit
        monkeypatch.setenv("GRADVEC_STATE_DIR", folder)
        monkeypatch.setenv("GRADVEC_ENGINE_JOBS", "fake_paint_jobs:run_job")
        monkeypatch.setenv("GRADVEC_ENGINE_PATH", str(HERE))
        yield
        main(["engine", "stop"])


def paint(picture, out, *more):
    return main(["paint", str(picture), "-o", str(out), "--engine-process", "auto", *more])


def status(capsys):
    capsys.readouterr()
    assert main(["engine", "status", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("engine")
def test_the_engine_process_paints_and_stays(picture, tmp_path, capsys):
    assert status(capsys) == {"running": False, "pid": None, "version": None, "device": None, "socket": None}
    assert paint(picture, tmp_path / "o.svg", "--strokes", "3", "--progress", "json") == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {e["stage"] for e in events if e["event"] == "progress"} >= {"painting", "outlines"}
    assert events[-1]["paths"] == 3
    assert len(read((tmp_path / "o.svg").read_bytes()).shapes) == 3
    first = status(capsys)
    assert (first["running"], first["version"]) == (True, gradvec.__version__)
    assert main(["engine", "status"]) == 0
    assert f"runs as process {first['pid']}" in capsys.readouterr().out
    assert paint(picture, tmp_path / "again.svg", "--strokes", "3", "--quiet") == 0
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "o.svg").read_bytes()
    assert status(capsys)["pid"] == first["pid"], "the second run met the same engine"
    assert main(["engine", "stop"]) == 0
    assert "was stopped" in capsys.readouterr().out
    assert main(["engine", "stop"]) == 0
    assert "No engine runs" in capsys.readouterr().out


@pytest.mark.usefixtures("engine")
def test_its_errors_arrive_as_they_are(picture, tmp_path, capsys):
    picture.write_bytes(b"no")
    assert paint(picture, tmp_path / "o.svg") == 3
    assert capsys.readouterr().err == "gradvec: 'photo.png' is not a picture. Choose a PNG.\n"
    assert not (tmp_path / "o.svg").exists()


@pytest.mark.usefixtures("engine")
def test_ctrl_c_reaches_the_engine(picture, tmp_path):
    picture.write_bytes(b"slow picture")
    environment = {**os.environ, "PYTHONPATH": str(Path(gradvec.__file__).parent.parent)}
    command = [sys.executable, "-m", "gradvec", "paint", str(picture), "-o", str(tmp_path / "o.svg"),
               "--engine-process", "auto", "--progress", "json"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        while json.loads(process.stderr.readline()).get("stage") != "painting":
            pass
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
        watchdog.cancel()
    assert process.returncode == 130
    assert json.loads(told.splitlines()[-1])["code"] == "cancelled"
    assert not (tmp_path / "o.svg").exists()


@pytest.mark.usefixtures("engine")
def test_the_engine_is_restarted_and_its_log_is_read(picture, tmp_path, capsys):
    assert main(["engine", "logs"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["engine", "restart"]) == 0
    assert "No engine ran" in capsys.readouterr().out
    first = status(capsys)["pid"]
    assert paint(picture, tmp_path / "o.svg", "--strokes", "3", "--quiet") == 0
    assert main(["engine", "restart"]) == 0
    assert "was restarted" in capsys.readouterr().out
    assert status(capsys)["pid"] not in (first, None)
    assert main(["engine", "logs", "-n", "1000"]) == 0
    told = capsys.readouterr().out
    assert "Job 1 begins: 'paint'" in told
    assert "Job 1 ends after" in told
    assert "photo" not in told
    assert main(["engine", "logs", "-n", "1"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_log_that_is_no_file_is_neither_waited_for_nor_followed(tmp_path):
    state = State(tmp_path)
    os.mkfifo(state.log_path)
    os.close(state.open_log())
    assert state.log_tail() == ""
    state.log_path.unlink()
    (tmp_path / "elsewhere").write_text("secret")
    state.log_path.symlink_to(tmp_path / "elsewhere")
    os.close(state.open_log())
    assert state.log_tail() == ""
    assert (tmp_path / "elsewhere").read_text() == "secret"


def test_a_log_past_its_bounds_is_set_aside(tmp_path):
    state = State(tmp_path)
    state.log_path.write_bytes(b"old\n" + b"x" * 4 * LOG_BYTES_MAX + b"\nlast\n")
    state.trim_log()
    assert state.log_path.stat().st_size == 0
    state.log_path.write_text("new\n")
    assert state.log_tail().endswith("last\nnew\n")
