"""Memory that is too little is told before the libraries are loaded, which would end in no sentence."""

import resource
import subprocess
import sys
from pathlib import Path

import gradvec
import pytest
from gradvec import jobs
from gradvec.errors import EngineError
from gradvec.io import memory
from gradvec.progress import Run

ROOT = str(Path(gradvec.__file__).parent.parent)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space are Linux's")
def test_under_a_low_limit_the_command_line_ends_with_a_sentence(tmp_path):
    picture = tmp_path / "p.ppm"
    picture.write_bytes(b"P6 2 2 255 " + bytes(12))
    done = subprocess.run([sys.executable, "-m", "gradvec", "paint", str(picture), "-o", str(tmp_path / "o.svg")],
                          cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (250_000_000, -1)))
    assert done.returncode == 4
    assert done.stderr.startswith("gradvec: There is not enough memory to begin: 1.")
    assert "GB are wanted, and this process may take only 0.2" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A /proc of our own: system(status=..., meminfo=...)."""
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    monkeypatch.setattr(memory, "_limit", lambda name: None)
    monkeypatch.setattr(memory, "_group_limit", lambda: None)
    (tmp_path / "self").mkdir()

    def write(status="", meminfo=""):
        (tmp_path / "self" / "status").write_text(status)
        (tmp_path / "meminfo").write_text(meminfo)

    return write


def test_a_system_that_tells_nothing_has_enough(system):
    memory.check_to_load()


def test_free_memory_counts_with_swap(system):
    system(meminfo="MemAvailable:   50000 kB\nSwapFree:  900000 kB\n")
    memory.check_to_load()
    system(meminfo="MemAvailable:   50000 kB\nSwapFree:  1000 kB\n")
    with pytest.raises(EngineError, match=r"0\.40 GB are wanted, and only 0\.05 GB are free") as caught:
        memory.check_to_load()
    assert caught.value.code == "engine.memory"


@pytest.mark.parametrize(("name", "field"), [("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData")])
def test_what_the_process_has_taken_counts(system, monkeypatch, name, field):
    monkeypatch.setattr(memory.os, "cpu_count", lambda: 1)
    monkeypatch.setattr(memory, "_limit", lambda asked: 1_200_000_000 if asked == name else None)
    system(status=f"{field}:\t 20000 kB\n")
    memory.check_to_load()
    system(status=f"{field}:\t 900000 kB\n")
    with pytest.raises(EngineError, match=r"this process may take only 0\.28 GB more"):
        memory.check_to_load()


def test_a_containers_limit_counts(system, monkeypatch):
    monkeypatch.setattr(memory, "_group_limit", lambda: 128 << 20)
    with pytest.raises(EngineError, match=r"this process may take only 0\.13 GB more"):
        memory.check_to_load()


def test_jobs_ask_before_they_load(monkeypatch):
    def short():
        raise EngineError("There is not enough memory to begin.")

    monkeypatch.setattr(jobs, "check_to_load", short)
    for run in (jobs.warm_up, lambda: jobs.run_job("paint", {}, {}, {}, Run())):
        with pytest.raises(EngineError, match="not enough memory"):
            run()
