"""The guard of standard output and standard error, tried in processes of their own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = f"""
import os, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "backend")!r}]
from inkscape_ext.streams import Streams
"""


def run(code: str, *arguments: str, **how):
    return subprocess.run([sys.executable, "-c", START + code, *arguments], capture_output=True, text=True, timeout=30,
                          check=False, **how)


def test_what_libraries_print_goes_to_the_log(tmp_path):
    log = tmp_path / "deep" / "er" / "host.log"
    done = run("""
streams = Streams(sys.argv[1])
print("from python")
print("warning", file=sys.stderr)
os.system("echo from a child; echo child error >&2")
streams.out.write(b"<svg/>")
streams.out.flush()
streams.say("A plain sentence.")
""", str(log))
    assert (done.stdout, done.stderr) == ("<svg/>", "A plain sentence.\n")
    text = log.read_text()
    assert all(words in text for words in ("from python", "warning", "from a child", "child error"))


def test_children_do_not_inherit_what_inkscape_reads(tmp_path):
    """A child that held our standard output would keep Inkscape waiting until it ends."""
    start = time.monotonic()
    run("""
import subprocess
Streams(sys.argv[1])
subprocess.Popen(["sleep", "20"], stdin=subprocess.DEVNULL, close_fds=False)
""", str(tmp_path / "log"))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("place", ["", "file/log"])
def test_without_a_log_nothing_is_lost_but_the_prints(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    done = run("""
streams = Streams(sys.argv[1])
print("lost")
streams.out.write(b"kept")
streams.out.flush()
""", str(tmp_path / place))
    assert (done.stdout, done.stderr) == ("kept", "")


def test_an_overlong_log_starts_anew(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(bytes(2 << 20))
    run("Streams(sys.argv[1]); print('new')", str(log))
    assert log.read_text() == "new\n"
    assert (tmp_path / "log.1").stat().st_size == 2 << 20


def test_a_host_that_is_gone_is_noticed(tmp_path):
    reader, writer = os.pipe()
    asked, answer = os.pipe()
    code = START + """
streams = Streams(sys.argv[1])
told = int(sys.argv[2])
os.write(told, b"1" if streams.host_gone() else b"0")
sys.stdin.read(1)
os.write(told, b"1" if streams.host_gone() else b"0")
"""
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "log"), str(answer)], stdin=subprocess.PIPE,
                          stdout=writer, pass_fds=[answer]) as child:
        os.close(writer)
        assert os.read(asked, 1) == b"0"
        os.close(reader)
        child.stdin.write(b"x")
        child.stdin.flush()
        assert os.read(asked, 1) == b"1"
    os.close(asked)
    os.close(answer)


def test_a_full_disk_under_the_log_silences_nothing_else():
    done = run("""
import traceback, warnings
streams = Streams("/dev/full")
print("lost")
warnings.warn("lost, too")
try:
    raise ValueError("lost as well")
except ValueError:
    traceback.print_exc()
streams.say("A plain sentence.")
""")
    assert (done.stdout, done.stderr, done.returncode) == ("", "A plain sentence.\n", 0)
