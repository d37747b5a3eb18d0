"""The command line as a process: Ctrl-C, a terminal, a broken pipe, and how fast it answers."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import gradvec
import pytest

SCRIPT = Path(__file__).with_name("run_with_fake_pipeline.py")
ENV = {**os.environ, "PYTHONPATH": str(Path(gradvec.__file__).parent.parent)}

#: When waiting is given up, s; it only ends what hangs. A run that is to be interrupted lasts longer.
PATIENCE, LONG = 90, 600


def start(seconds, *arguments, **more):
    command = [sys.executable, str(SCRIPT), str(seconds), *map(str, arguments)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(command, env=ENV, text=True, **streams)


def first_progress(process):
    """Waits until the run is under way."""
    line = process.stderr.readline()
    assert json.loads(line)["event"] == "progress"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_cancels_and_leaves_nothing(number, picture, tmp_path):
    out = tmp_path / "o.svg"
    out.write_text("old")
    with start(LONG, "paint", picture, "-o", out, "--progress", "json") as process:
        first_progress(process)
        process.send_signal(number)
        told = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130, "it did not paint to its end"
    events = [json.loads(line) for line in told.splitlines()]
    assert "Cancelling" in next(e for e in events if e["event"] == "note")["message"]
    assert (events[-1]["event"], events[-1]["code"]) == ("error", "cancelled")
    assert out.read_text() == "old"
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_run_under_nohup_outlives_its_terminal(picture, tmp_path):
    with start(2, "paint", picture, "-o", tmp_path / "o.svg", "--progress", "json",
               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        first_progress(process)
        process.send_signal(signal.SIGHUP)
        told = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0
    assert json.loads(told.splitlines()[-1])["event"] == "done"


def test_a_second_ctrl_c_ends_at_once(picture, tmp_path):
    # One step of this run takes far longer than waiting for its end, so the first Ctrl-C cannot be noticed in time.
    with start(40 * 10 * PATIENCE, "paint", picture, "-o", tmp_path / "o.svg", "--progress", "json") as process:
        first_progress(process)
        process.send_signal(signal.SIGINT)
        assert "Cancelling" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 130
    assert not (tmp_path / "o.svg").exists()


def test_ctrl_c_is_answered_within_one_long_step(picture, tmp_path):
    """As the compilation of a kernel is one: no handler of Python's runs before it is over, some minutes later here."""
    code = (f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import fake_pipeline, hashlib, types; "
            "long = lambda _: hashlib.pbkdf2_hmac('sha256', b'', b'', 2 * 10**9); "
            "fake_pipeline.time = types.SimpleNamespace(sleep=long); from gradvec.cli import main; "
            "sys.modules['gradvec.pipeline'] = fake_pipeline.FakePipeline(1); sys.exit(main(sys.argv[1:]))")
    command = [sys.executable, "-c", code, "paint", picture, "-o", tmp_path / "o.svg", "--progress", "json"]
    with subprocess.Popen(command, env=ENV, text=True, stderr=subprocess.PIPE) as process:
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        first_progress(process)
        time.sleep(0.5)  # by now the step has begun
        process.send_signal(signal.SIGINT)
        assert "Cancelling" in process.stderr.readline()
        watchdog.cancel()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 130
    assert not (tmp_path / "o.svg").exists()


def test_a_bar_on_a_terminal(picture, tmp_path):
    leader, follower = pty.openpty()
    with start(1.0, "paint", picture, "-o", tmp_path / "o.svg", stderr=follower) as process:
        os.close(follower)
        shown = b""
        while process.poll() is None or select.select([leader], [], [], 0.1)[0]:
            if select.select([leader], [], [], 0.1)[0]:
                try:
                    shown += os.read(leader, 65536)
                except OSError:  # the other end is closed
                    break
    os.close(leader)
    assert process.returncode == 0
    lines = shown.decode().split("\r")
    assert any(line.startswith("painting ") and "%" in line for line in lines)
    assert any(line.startswith("outlines ") and "s left" in line for line in lines)
    assert "5 paths" in lines[-2]
    assert all(len(line.rstrip("\n")) < 80 for line in lines if "paths" not in line)


def test_nothing_but_the_result_where_stderr_is_no_terminal(picture, tmp_path):
    with start(0, "paint", picture, "-o", tmp_path / "o.svg") as process:
        out, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "")
    assert told.count("\n") == 1
    with start(0, "paint", picture, "-o", tmp_path / "o.svg", "--quiet") as process:
        assert process.communicate(timeout=PATIENCE) == ("", "")


def test_a_reader_who_leaves_is_no_error_message(picture, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with start(0, "paint", picture, "-o", "-", "--quiet", stdout=writing) as process:
        os.close(writing)
        told = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 3
    assert told == ""


def test_help_is_quick_and_imports_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "gradvec", "--help"]
    result = subprocess.run(command, env=ENV, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    heavy = {"torch", "numba", "numpy", "scipy", "sklearn", "skimage", "PIL", "lxml", "resvg_py", "asyncio", "ssl"}
    assert "gradvec.options" in imported
    assert imported & heavy == set()


def test_the_module_is_the_command_line():
    result = subprocess.run([sys.executable, "-m", "gradvec", "--version"], env=ENV, capture_output=True, text=True)
    assert result.stdout == f"gradvec {gradvec.__version__}\n"
    assert result.returncode == 0


def test_warnings_of_libraries_are_not_for_users():
    code = "import sys, warnings; sys.argv = ['gradvec', '--version']; from gradvec.cli import main; main(); " \
           "warnings.warn('only for developers')"
    result = subprocess.run([sys.executable, "-c", code], env=ENV, capture_output=True, text=True, check=True)
    assert result.stderr == ""
