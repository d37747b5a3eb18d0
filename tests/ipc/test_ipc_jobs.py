"""What happens to a job: results, progress, previews, cancel, keep, and every way to fail."""

from __future__ import annotations

import os
import signal
import sys
import time
import zlib
from dataclasses import replace

import pytest
from gradvec.errors import Cancelled, EngineError, InputError
from gradvec.ipc.client import Client, ErrorEvent, PreviewEvent, ProgressEvent, ResultEvent
from gradvec.ipc.worker import PREVIEW_SIDE_MAX, encode_png
from ipc_helpers import HERE, alive, last_event, log_of, wait_for, wait_for_event, wait_until_painting

NAMES = {"Fuß & Kröte\n\t\"'.jpg": b"\0\xff", "写真 \U0001f33b": b"", "lone \udc80": b"x", "": b"y"}


def test_names_options_and_bytes_of_every_kind_arrive_unharmed(client):
    options = {"a": [1, 2.5, None, True, "ü\u2028\0"], "deep": {"x": {"y": {}}}, "big": 2**60}
    result = client.run("echo", options, NAMES, {"name": "Łódź/写真 #%20.jpg"})
    assert result.payloads == NAMES
    assert (result.info["options"], result.info["info"]) == (options, {"name": "Łódź/写真 #%20.jpg"})


def test_a_payload_of_many_megabytes_arrives_whole_and_is_not_piled_up(client):
    size = 96 << 20
    data = os.urandom(1 << 20) * (size >> 20)
    before = client.run("measure", {}, {}, {}).info["peak_kib"]
    info = client.run("measure", {}, {"picture": data, "empty": b""}, {}).info
    assert info["sizes"] == {"picture": size, "empty": 0}
    assert info["crc"] == {"picture": zlib.crc32(data), "empty": 0}
    assert info["types"] == ["bytes"]
    assert info["peak_kib"] - before < 1.25 * size / 1024, "the worker holds it once"
    with open(f"/proc/{client.hello.pid}/status") as file:
        values = dict(line.split(":", 1) for line in file)
    assert int(values["VmHWM"].split()[0]) < 1.4 * size / 1024 + 40_000, "the supervisor holds it once"
    wait_for(lambda: resident_kib(client.hello.pid) < 60_000)  # and lets it go


def resident_kib(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def test_a_note_comes_with_the_result_once(client, engine_dir):
    note = "The graphics card failed: dust. The processor goes on."
    assert client.run("noting", {}, {}, {}).info["notes"] == [note]
    assert note in log_of(engine_dir)
    assert "notes" not in client.run("success", {}, {}, {}).info


def test_progress_and_previews(client):
    events = []
    client.submit("slow", {}, {}, {}, previews=0.2)

    def of(kind):
        return [e for e in events if isinstance(e, kind) and getattr(e, "stage", "painting") == "painting"]

    while len(of(ProgressEvent)) < 8 or len(of(PreviewEvent)) < 3:
        event = client.poll(0.1)
        assert not isinstance(event, (ErrorEvent, ResultEvent))
        events += [] if event is None else [event]
    client.cancel()
    last_event(client)
    progress, previews = of(ProgressEvent), of(PreviewEvent)
    assert [e.fraction for e in progress] == sorted(e.fraction for e in progress)
    assert len(previews) < len(progress), "they were asked for less often"
    assert {e.png[:8] for e in previews} == {b"\x89PNG\r\n\x1a\n"}


def test_no_previews_unless_asked_for(client):
    events = []
    client.run("flood", {}, {}, {}, on_event=events.append)
    assert not [e for e in events if isinstance(e, PreviewEvent)]
    assert len(events) < 200


def test_a_preview_that_fails_does_not_cost_the_run(client, engine_dir):
    assert client.run("bad_preview", {}, {}, {}, previews=0.1).info == {"done": True}
    assert "previews stop" in log_of(engine_dir)


@pytest.mark.parametrize("kind", ["slow", "deaf", "sleeping"])
def test_cancel_frees_the_caller_and_the_machine(client, kind):
    worker = client.run("echo", {}, {}, {}).info["pid"]
    client.submit(kind, {}, {}, {})
    wait_for(lambda: client.status()["running_job"])
    client.cancel()
    event = last_event(client)
    assert (event.code, type(event.error())) == ("cancelled", Cancelled)
    wait_for(lambda: cpu_ticks(worker) is None or idle(worker))
    assert alive(worker) is (kind == "slow"), "one that obeys stays warm"
    assert client.run("echo", {}, {}, {}).info["pid"] != worker or kind == "slow"


def cpu_ticks(pid):
    """Processor time that a process has used, None when it is gone."""
    if not alive(pid):
        return None
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def idle(pid):
    before = cpu_ticks(pid)
    time.sleep(0.1)
    return cpu_ticks(pid) == before


@pytest.mark.parametrize("kind", ["slow", "deaf"])
def test_closing_the_connection_cancels(client, engine_dir, kind):
    client.submit(kind, {}, {}, {})
    with Client.connect(engine_dir) as watcher:
        wait_for(lambda: watcher.status()["running_job"])
        client.close()
        client.close()
        wait_for(lambda: not watcher.status()["running_job"])
    for call in (client.poll, client.fileno):
        with pytest.raises(EngineError):
            call()


def test_cancel_before_the_worker_is_ready_and_twice_and_without_a_job(client):
    client.cancel()
    client.stop_and_keep()
    client.submit("slow", {}, {}, {})
    client.cancel()
    client.cancel()
    assert last_event(client).code == "cancelled"
    assert client.run("paint", {}, {}, {}).info["paths"] == 1
    client.cancel()
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_a_caller_is_set_free_even_by_an_engine_that_hangs(client):
    client.submit("slow", {}, {}, {})
    wait_for_event(client, ProgressEvent)
    os.kill(client.hello.pid, signal.SIGSTOP)
    try:
        client.cancel()
        assert last_event(client).code == "cancelled"
    finally:
        os.kill(client.hello.pid, signal.SIGCONT)


def test_stop_and_keep_returns_what_there_is(client):
    client.submit("slow", {}, {}, {})
    wait_until_painting(client)
    wait_for_event(client, ProgressEvent)
    client.stop_and_keep()
    event = last_event(client)
    assert isinstance(event, ResultEvent)
    assert event.info["kept"] > 0
    assert event.payloads["svg"].startswith(b"<svg")


def test_an_error_for_the_artist_arrives_as_it_was_raised(client):
    with pytest.raises(InputError) as caught:
        client.run("failing", {}, {}, {})
    assert (caught.value.message, caught.value.remedy) == ("The picture is truncated.", "Save it again.")


@pytest.mark.parametrize(("kind", "code", "word"), [
    ("unknown", "engine.unexpected", "ZeroDivisionError: division by zero."),
    ("leaving", "engine.unexpected", "SystemExit: 7"),
    ("incomplete", "engine.install", "a_library_that_is_missing"),
    ("not_json", "engine.unexpected", "cannot be sent"),
    ("not_bytes", "engine.unexpected", "not all bytes"),
    ("no_such_part", "engine.unexpected", "KeyError"),
    ("hungry", "engine.memory", "not enough memory"),
    ("dying", "engine.crashed", "exit code 3"),
])
def test_faults_are_one_sentence_and_the_engine_goes_on(client, engine_dir, kind, code, word):
    engine = client.hello.pid
    logged = len(log_of(engine_dir))
    with pytest.raises(EngineError) as caught:
        client.run(kind, {}, {}, {})
    error = caught.value
    assert error.code == code
    assert word in error.message
    assert "\n" not in error.message
    assert "Traceback" not in str(error)
    if code in ("engine.unexpected", "engine.crashed"):
        assert str(engine_dir / "engine.log") in error.remedy
    if code == "engine.unexpected":
        assert "Traceback" in log_of(engine_dir)[logged:]
    assert client.run("paint", {}, {}, {}).info["paths"] == 1
    assert client.status()["pid"] == engine


@pytest.mark.parametrize(("number", "code", "word"), [
    (signal.SIGKILL, "engine.killed", "memory ran out"), (signal.SIGSEGV, "engine.crashed", "SIGSEGV"),
    (signal.SIGTERM, "engine.crashed", "SIGTERM")])
def test_a_worker_that_is_killed_in_the_middle(client, number, code, word):
    client.submit("slow", {}, {}, {})
    wait_until_painting(client)
    os.kill(client.status()["worker"], number)
    event = last_event(client)
    assert isinstance(event, ErrorEvent)
    assert event.code == code
    assert word in event.message
    assert event.remedy
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


@pytest.mark.parametrize("deaf", [False, True])
def test_what_a_job_has_started_ends_with_its_worker(client, tmp_path, deaf):
    note = tmp_path / "pids"
    client.submit("orphaning", {"deaf": deaf}, {}, {"note": str(note)})
    wait_for(lambda: note.exists() and len(note.read_text().split()) == 2)
    if deaf:
        client.cancel()
    assert last_event(client).code == ("cancelled" if deaf else "engine.crashed")
    wait_for(lambda: not any(alive(pid) for pid in note.read_text().split()))


def test_whoever_cancels_gets_no_result_however_close_it_was(client):
    client.submit("stubborn", {}, {}, {})
    wait_for(lambda: client.status()["running_job"])
    client.cancel()
    assert last_event(client).code == "cancelled"
    client.submit("echo", {}, {"p": b"x"}, {})
    wait_for(lambda: not client.status()["running_job"])  # the result is on its way already
    client.cancel()
    assert last_event(client).code == "cancelled"
    assert client.run("echo", {}, {"p": b"y"}, {}).payloads == {"p": b"y"}


def test_a_client_that_does_not_read_holds_up_nobody(client, engine_dir):
    with Client.connect(engine_dir) as sleeper:
        sleeper.submit("echo", {}, {"p": bytes(32 << 20)}, {})
        wait_for(lambda: client.status()["waiting_jobs"] == 0 and not client.status()["running_job"])
        for _ in range(3):
            assert client.run("paint", {}, {}, {}).info["paths"] == 1
        assert len(last_event(sleeper).payloads["p"]) == 32 << 20


def test_a_worker_that_dies_idle_is_replaced_without_a_word(client):
    worker = client.run("echo", {}, {}, {}).info["pid"]
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: client.status()["worker"] is None)
    assert client.run("echo", {}, {}, {}).info["pid"] != worker


def test_the_job_sees_a_clean_process_and_its_prints_go_to_the_log(launch, state_dir, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONSTARTUP", "LD_LIBRARY_PATH", "GTK_PATH", "GI_TYPELIB_PATH"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with Client.start(launch, state_dir) as client:
        info = client.run("environment", {}, {}, {}).info
        client.run("printing", {}, {}, {})
    assert info["isolated"] == 1
    assert info["stdin"] == os.devnull
    assert info["session"] == info["pid"]
    assert info["environ"]["OMP_NUM_THREADS"] == "2"
    assert not [name for name in info["environ"] if name.startswith(("PYTHON", "LD_", "GI_", "GTK_"))]
    assert {"", os.getcwd()}.isdisjoint(info["path"])
    log = log_of(state_dir)
    for text in ("a library prints to standard output", "and to standard error", "and warns", "even past Python"):
        assert text in log


def test_the_worker_goes_before_other_programs_when_memory_runs_out(client):
    worker = client.run("echo", {}, {}, {}).info["pid"]
    with open(f"/proc/{worker}/oom_score_adj") as file:
        assert int(file.read()) > 500


def test_what_really_computes_is_told_once_a_job_has_found_out_and_when_it_changes(launch, state_dir, tmp_path):
    (tmp_path / "computing_jobs.py").write_text(
        "last = None\n"
        "def computes_on():\n    return last\n"
        "def run_job(kind, options, payloads, info, run):\n    global last\n    last = info['on']\n    return {}, {}\n")
    with Client.start(replace(launch, jobs="computing_jobs:run_job", paths=(str(tmp_path),)), state_dir) as client:
        assert client.hello.device is None
        for device in ("cuda (Test card)", "cpu"):
            client.run("paint", {}, {}, {"on": device})
            wait_for(lambda told=device: client.status()["device"] == told)
            wait_for(lambda told=device: (client.poll(0.05), client.hello.device == told)[1])
            with Client.connect(state_dir) as later:
                assert later.hello.device == device



def test_a_warm_up_that_fails_does_not_keep_jobs_from_running(launch, state_dir, tmp_path):
    (tmp_path / "cold_jobs.py").write_text("def warm_up():\n    raise OSError('no card')\n"
                                           "def run_job(kind, options, payloads, info, run):\n    return {}, {}\n")
    with Client.start(replace(launch, jobs="cold_jobs:run_job", paths=(str(tmp_path),)), state_dir) as client:
        assert client.run("paint", {}, {}, {}).info == {}
    assert "no card" in log_of(state_dir)


def test_cancel_from_a_signal_handler_in_the_middle_of_sending(client):
    data = b"x" * (64 << 20)
    old = signal.signal(signal.SIGALRM, lambda *_: client.cancel())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        client.submit("slow", {}, {"picture": data}, {})
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert last_event(client, 5.0).code == "cancelled"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


@pytest.mark.parametrize("body", [{}, {"kind": 1, "options": {}, "info": {}}, {"kind": "x", "options": [], "info": {}},
                                  {"kind": "x", "options": {}, "info": {}, "previews": "y"}])
def test_a_job_that_lacks_something_is_refused_and_the_connection_stays(client, body):
    from gradvec.ipc.protocol import Frame

    client._send(Frame("submit", body))
    client._busy = True
    assert last_event(client).code == "engine.protocol"
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_a_frame_of_a_type_of_the_future_is_passed_over(client):
    from gradvec.ipc.protocol import Frame

    client._send(Frame("a type of the future", {"x": 1}, {"p": b"123"}))
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


class Pixels:
    """An (H, W, 3) uint8 array without numpy: enough for encode_png."""

    dtype = "uint8"

    def __init__(self, rows):
        self.rows = rows
        self.shape = (len(rows), len(rows[0]), 3)

    def __getitem__(self, index):
        down, right = index
        return Pixels([row[right] for row in self.rows[down]])

    def tobytes(self):
        return b"".join(bytes(pixel) for row in self.rows for pixel in row)


def test_a_preview_is_a_png_of_its_pixels():
    picture = Pixels([[(x, y, 7) for x in range(5)] for y in range(3)])
    png = encode_png(picture)
    size = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    assert size == (5, 3)
    length = int.from_bytes(png[33:37], "big")
    assert png[37:41] == b"IDAT"
    lines = zlib.decompress(png[41:41 + length])
    assert lines == b"".join(b"\0" + b"".join(bytes((x, y, 7)) for x in range(5)) for y in range(3))
    assert png.endswith(b"IEND\xaeB`\x82")


def test_a_large_preview_is_thinned_out():
    wide = Pixels([[(0, 0, 0)] * (2 * PREVIEW_SIDE_MAX + 1)] * 4)
    png = encode_png(wide)
    assert int.from_bytes(png[16:20], "big") == -(-(2 * PREVIEW_SIDE_MAX + 1) // 3)


def test_a_preview_of_another_kind_is_refused():
    class Floats(Pixels):
        dtype = "float32"

        def __getitem__(self, index):
            return self
    with pytest.raises(ValueError, match="uint8"):
        encode_png(Floats([[(0, 0, 0)]]))


def test_every_part_of_the_fake_can_be_an_engine_of_its_own(launch, state_dir):
    sys.path.insert(0, str(HERE))
    try:
        import fake_jobs
    finally:
        sys.path.remove(str(HERE))
    for part in ("success", "slow", "failing", "dying", "deaf"):
        assert callable(getattr(fake_jobs, part))
    with Client.start(replace(launch, jobs="fake_jobs:dying"), state_dir) as client:
        with pytest.raises(EngineError) as caught:
            client.run("paint", {"strokes": 5}, {"picture": b"x"}, {"name": "a.png"})
        assert caught.value.code == "engine.crashed"
