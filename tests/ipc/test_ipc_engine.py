"""The life of the engine: started once, shared, replaced, ended, and never in the way when it was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from gradvec import __version__, ipc
from gradvec.errors import EngineError
from gradvec.ipc import client as client_module
from gradvec.ipc.client import Client, ErrorEvent, Hello, Launch, ProgressEvent, ResultEvent
from gradvec.ipc.state import State
from ipc_helpers import (
    HERE,
    PATIENCE,
    alive,
    copy_package,
    last_event,
    leftovers,
    log_of,
    wait_for,
    wait_for_event,
    wait_until_painting,
    wait_until_running,
    while_time_passes,
)

SYSTEM_PYTHON = [path for path in ("/usr/bin/python3",) if os.path.exists(path)]


@pytest.mark.parametrize("python", [sys.executable, *SYSTEM_PYTHON])
def test_it_starts_on_demand_with_any_python_and_says_who_it_is(launch, state_dir, python):
    with Client.connect_or_start(replace(launch, python=python), state_dir) as client:
        hello = client.poll(1.0)
        assert isinstance(hello, Hello)
        assert hello == client.hello
        assert (hello.version, hello.protocol, hello.stale) == (__version__, 1, False)
        assert hello.pid != os.getpid()
        assert alive(hello.pid)
        assert hello.executable == python
        assert hello.jobs == launch.jobs
        assert hello.device is None
        assert os.path.dirname(hello.log) == str(state_dir)
        assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_a_second_caller_gets_the_same_warm_engine(launch, state_dir):
    pids, workers = set(), set()
    for _ in range(3):
        with Client.connect_or_start(launch, state_dir) as client:
            pids.add(client.hello.pid)
            workers.add(client.run("echo", {}, {}, {}).info["pid"])
    assert len(pids) == len(workers) == 1


def test_the_caller_is_left_with_no_child(launch, state_dir):
    with Client.start(launch, state_dir), pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_the_engine_is_in_a_session_of_its_own_away_from_our_streams(client):
    pid = client.hello.pid
    assert os.getsid(pid) == pid
    streams = {os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1, 2)}
    assert streams == {os.devnull, client.hello.log}
    assert Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1] == b"-I"


def test_many_starters_at_once_get_one_engine(launch, state_dir):
    program = ("import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
               "from gradvec.ipc.client import Client, Launch\n"
               "launch = Launch(sys.executable, sys.argv[1], 'fake_jobs:run_job', (sys.argv[2],))\n"
               "with Client.connect_or_start(launch, Path(sys.argv[3])) as client:\n"
               "    print(client.hello.pid, client.run('paint', {}, {}, {}).info['paths'])")
    words = [sys.executable, "-c", program, launch.root, str(HERE), str(state_dir)]
    callers = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(5)]
    said = [caller.communicate(timeout=PATIENCE) for caller in callers]
    assert len({out for out, _ in said}) == 1, said
    assert said[0][0].split()[1] == b"1"
    assert {err for _, err in said} == {b""}
    assert ipc.stop(state_dir) is True
    wait_for(lambda: not leftovers(str(state_dir).encode()))
    assert ipc.status(state_dir)["running"] is False, "none of the others waited for the place"


def test_idle_it_ends_and_leaves_nothing_but_its_log(launch, state_dir):
    with Client.start(replace(launch, idle_minutes=0.3 / 60), state_dir) as client:
        pid = client.hello.pid
        worker = client.run("echo", {}, {}, {}).info["pid"]
        while_time_passes(3 * 0.3, client.status)
        assert alive(pid), "a caller that is connected keeps it"
    wait_for(lambda: not alive(pid) and not alive(worker))
    assert {path.name for path in state_dir.iterdir()} == {"engine.lock", "engine.log"}
    assert ipc.status(state_dir)["running"] is False


def test_an_engine_that_nobody_comes_to_ends_too(launch, state_dir):
    Client.start(replace(launch, idle_minutes=0.2 / 60), state_dir).close()
    wait_for(lambda: not (state_dir / "engine.json").exists())


def test_status_and_stop(launch, state_dir):
    assert ipc.status(state_dir) == {"running": False, "pid": None, "version": None, "device": None,
                                          "socket": None}
    assert ipc.stop(state_dir) is False
    with Client.start(launch, state_dir) as client:
        pid = client.hello.pid
        client.submit("slow", {}, {}, {})
        wait_for_event(client, ProgressEvent)
        told = ipc.status(state_dir)
        assert {"running": True, "pid": pid, "version": __version__, "device": None,
                "running_job": True, "waiting_jobs": 0}.items() <= told.items()
        assert json.loads(json.dumps(told)) == told
        assert told["socket"].startswith(str(state_dir))
        assert ipc.stop(state_dir) is True
        event = last_event(client)
        assert (event.code, event.message) == ("engine.stopped", "The engine was stopped.")
    wait_for(lambda: not alive(pid) and not alive(told["worker"]))
    assert ipc.status(state_dir)["running"] is False


def test_status_does_not_warm_an_engine(launch, state_dir):
    with Client.start(launch, state_dir) as client:
        client.run("paint", {}, {}, {})
        os.kill(client.status()["worker"], signal.SIGKILL)
        wait_for(lambda: client.status()["worker"] is None)
    for _ in range(3):
        assert ipc.status(state_dir)["worker"] is None


def test_a_version_that_does_not_match_is_replaced_after_its_job(launch, state_dir, tmp_path, monkeypatch):
    old_launch = replace(launch, root=str(copy_package(tmp_path / "old", version="0.0.9")))
    monkeypatch.setattr(client_module, "__version__", "0.0.9")
    with Client.connect_or_start(old_launch, state_dir) as old:
        assert old.hello.version == "0.0.9"
        old.submit("slow", {}, {}, {})
        wait_until_painting(old)
        monkeypatch.setattr(client_module, "__version__", __version__)
        with Client.connect_or_start(launch, state_dir) as new:
            assert new.hello.version == __version__
            assert new.hello.pid != old.hello.pid
            assert new.run("paint", {}, {}, {}).info["paths"] == 1
            assert alive(old.hello.pid), "it has a job still"
            old.stop_and_keep()
            assert isinstance(last_event(old), ResultEvent)
    wait_for(lambda: not alive(old.hello.pid))
    with Client.connect_or_start(launch, state_dir) as again:
        assert again.hello.pid == new.hello.pid


def test_a_new_engine_of_the_wrong_version_is_told_once_not_tried_for_ever(launch, state_dir, tmp_path):
    wrong = replace(launch, root=str(copy_package(tmp_path / "old", version="0.0.9")))
    with pytest.raises(EngineError) as caught:
        Client.open(wrong, state_dir)
    assert caught.value.code == "engine.version"
    assert "0.0.9" in caught.value.message
    assert __version__ in caught.value.message
    assert "install-extension" in caught.value.remedy


def test_an_engine_with_other_jobs_is_replaced(launch, state_dir):
    with Client.connect_or_start(launch, state_dir) as first, \
            Client.connect_or_start(replace(launch, jobs="fake_jobs:failing"), state_dir) as second:
        assert second.hello.pid != first.hello.pid
        with pytest.raises(Exception, match="truncated"):
            second.run("paint", {}, {}, {})


def test_an_engine_whose_files_changed_is_replaced(launch, state_dir, tmp_path):
    own = replace(launch, root=str(copy_package(tmp_path / "own")))
    with Client.connect_or_start(own, state_dir) as first:
        pid = first.hello.pid
    os.utime(tmp_path / "own" / "gradvec" / "errors.py", (1, 1))
    with Client.connect(state_dir, warm=False) as looking:
        assert looking.hello.stale
    with Client.connect_or_start(own, state_dir) as second:
        assert second.hello.pid != pid
        assert not second.hello.stale


def kill_engine(client):
    """As the system would, with its worker left to notice."""
    worker = client.status()["worker"]
    os.kill(client.hello.pid, signal.SIGKILL)
    return worker


@pytest.mark.parametrize("kind", ["slow", "deaf", "sleeping"])
def test_a_killed_engine_is_a_plain_sentence_and_leaves_nothing_running(launch, state_dir, kind):
    with Client.start(launch, state_dir) as client:
        client.submit(kind, {}, {}, {})
        wait_until_running(client)
        worker = kill_engine(client)
        event = last_event(client)
        assert event.code == "engine.lost"
        assert "\n" not in event.message
        assert "Traceback" not in event.message
        assert "starts by itself" in event.remedy
        assert type(event.error()) is EngineError
        wait_for(lambda: not alive(worker))
        with pytest.raises(EngineError):
            client.poll()
    with Client.connect_or_start(launch, state_dir) as client:
        assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_stale_socket_and_address_of_a_killed_engine_do_not_disturb(launch, state_dir):
    with Client.start(launch, state_dir) as client:
        kill_engine(client)
        wait_for(lambda: not alive(client.hello.pid))
    assert (state_dir / "engine.json").exists()
    assert list(state_dir.glob("*.sock"))
    assert ipc.status(state_dir)["running"] is False
    assert ipc.stop(state_dir) is False
    with pytest.raises(EngineError) as caught:
        Client.connect(state_dir)
    assert caught.value.code == "engine.absent"
    with Client.connect_or_start(launch, state_dir) as client:
        client.run("paint", {}, {}, {})
        assert len(list(state_dir.glob("*.sock"))) == len(list(state_dir.glob("*.key"))) == 1


def test_a_stale_lock_does_not_disturb(launch, state_dir):
    state_dir.mkdir(mode=0o700)
    (state_dir / "engine.lock").write_text("1")
    (state_dir / "engine.json").write_text("spoiled")
    with Client.connect_or_start(launch, state_dir) as client:
        assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_a_killed_caller_cancels(launch, state_dir):
    program = ("import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
               "from gradvec.ipc.client import Client\n"
               "client = Client.connect(Path(sys.argv[2])); client.submit('slow', {}, {}, {})\n"
               "while True: client.poll(1.0)")
    with Client.start(launch, state_dir) as watcher:
        caller = subprocess.Popen([sys.executable, "-c", program, launch.root, str(state_dir)])
        wait_for(lambda: watcher.status()["running_job"])
        caller.kill()
        caller.wait()
        wait_for(lambda: not watcher.status()["running_job"])


def test_a_swept_directory_is_set_right(launch, state_dir, monkeypatch):
    with Client.start(launch, state_dir) as client:
        for path in state_dir.iterdir():
            path.unlink()
        client.submit("slow", {}, {}, {})
        wait_for(lambda: (state_dir / "engine.json").exists())
        with Client.connect(state_dir) as second:
            assert second.hello.pid == client.hello.pid


def test_an_engine_whose_place_was_taken_ends_after_its_job(launch, state_dir):
    with Client.start(launch, state_dir) as first:
        os.kill(first.hello.pid, signal.SIGSTOP)  # or it might write its files again before the second one starts
        shutil.rmtree(state_dir)
        with Client.connect_or_start(launch, state_dir) as second:
            os.kill(first.hello.pid, signal.SIGCONT)
            assert second.hello.pid != first.hello.pid
            assert first.run("paint", {}, {}, {}).info["paths"] == 1
            first.close()
            wait_for(lambda: not alive(first.hello.pid))
            assert second.run("paint", {}, {}, {}).info["paths"] == 1


def test_a_hanging_engine_is_told(launch, state_dir):
    with Client.start(launch, state_dir) as client:
        pid = client.hello.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(EngineError) as caught:
                Client.connect(state_dir, timeout=0.3)
            assert caught.value.code == "engine.silent"
            assert "gradvec engine stop" in caught.value.remedy
        finally:
            os.kill(pid, signal.SIGCONT)


def test_stop_ends_an_engine_that_hangs(launch, state_dir, monkeypatch):
    monkeypatch.setattr(Client.connect.__func__, "__kwdefaults__", {"warm": True, "timeout": 0.3})
    with Client.start(launch, state_dir) as client:
        pid = client.hello.pid
        os.kill(pid, signal.SIGSTOP)
        assert ipc.status(state_dir)["answering"] is False
        assert ipc.status(state_dir)["pid"] == pid
        assert ipc.stop(state_dir) is True
        wait_for(lambda: not alive(pid))


@pytest.mark.parametrize("busy", [True, False])
def test_a_worker_that_hangs_is_replaced_and_the_caller_told(launch, state_dir, busy):
    with Client.start(replace(launch, silence_seconds=3.0), state_dir) as client, Client.connect(state_dir) as other:
        worker = client.run("echo", {}, {}, {}).info["pid"]
        if busy:
            client.submit("slow", {}, {}, {})
            wait_until_painting(client)
            other.submit("echo", {}, {}, {})
        os.kill(worker, signal.SIGSTOP)
        if busy:
            event = last_event(client)
            assert event.code == "engine.hung"
            assert "stopped answering" in event.message
            assert last_event(other).info["pid"] != worker, "the next in the queue is served"
        wait_for(lambda: not alive(worker))
        assert client.run("echo", {}, {}, {}).info["pid"] != worker
    assert "no sign of life" in log_of(state_dir)


def test_a_worker_that_hangs_while_it_loads_is_replaced(launch, state_dir, tmp_path):
    (tmp_path / "once.py").write_text("import os, signal, pathlib\nmark = pathlib.Path(__file__).with_name('mark')\n"
                                      "if not mark.exists():\n    mark.touch(); os.kill(os.getpid(), signal.SIGSTOP)\n"
                                      "from fake_jobs import run_job\n")
    once = replace(launch, jobs="once:run_job", paths=(str(tmp_path), str(HERE)), silence_seconds=3.0)
    with Client.start(once, state_dir) as client:
        client.submit("paint", {}, {}, {})
        assert last_event(client).code == "engine.hung"
        assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_a_worker_that_computes_or_sleeps_is_not_taken_for_hung(launch, state_dir):
    with Client.start(replace(launch, silence_seconds=3.0), state_dir) as client:
        for kind in ("deaf", "sleeping"):
            client.submit(kind, {}, {}, {})
            wait_for(lambda: client.status()["worker"] is not None)
            worker = client.status()["worker"]
            events = []
            while_time_passes(5.0, lambda seen=events: seen.append(client.poll(0.1)))
            assert not any(isinstance(event, ErrorEvent) for event in events)
            assert client.status()["worker"] == worker
            client.cancel()
            assert last_event(client).code == "cancelled"


def test_a_supervisor_that_hangs_is_told_replaced_and_takes_its_worker_along(launch, state_dir, monkeypatch):
    monkeypatch.setattr(Client.connect.__func__, "__kwdefaults__", {"warm": True, "timeout": 0.5})
    monkeypatch.setattr(client_module, "SILENCE_SECONDS", 3.0)
    with Client.start(replace(launch, silence_seconds=3.0), state_dir) as client:
        pid = client.hello.pid
        client.submit("sleeping", {}, {}, {})
        wait_for(lambda: client.status()["worker"] is not None)
        worker = client.status()["worker"]
        os.kill(pid, signal.SIGSTOP)
        event = last_event(client)
        assert event.code == "engine.silent"
        assert "stopped answering" in event.message
        with Client.connect_or_start(launch, state_dir) as second:
            assert second.hello.pid != pid
            assert second.run("paint", {}, {}, {}).info["paths"] == 1
        wait_for(lambda: not alive(pid) and not alive(worker))


def test_terminating_it_is_as_good_as_stopping(launch, state_dir):
    with Client.start(launch, state_dir) as client:
        client.submit("slow", {}, {}, {})
        wait_for_event(client, ProgressEvent)
        os.kill(client.hello.pid, signal.SIGTERM)
        assert last_event(client).code == "engine.stopped"
        wait_for(lambda: not (state_dir / "engine.json").exists())


@pytest.mark.parametrize("python", ["/nonexistent/python", "/etc/passwd", "", "\0"])
def test_a_python_that_is_none_is_a_plain_sentence(state_dir, python):
    with pytest.raises(EngineError) as caught:
        Client.open(Launch(python), state_dir)
    assert caught.value.code == "engine.start"
    assert "could not be started" in caught.value.message
    assert "gradvec doctor" in caught.value.remedy


def test_a_python_without_gradvec_says_so(state_dir, tmp_path):
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho \"No module named 'gradvec'\" >&2\nexit 1\n")
    bare.chmod(0o755)
    with pytest.raises(EngineError, match="No module named 'gradvec'"):
        Client.connect_or_start(Launch(str(bare)), state_dir)


def test_jobs_that_cannot_be_imported_are_told_to_every_caller(launch, state_dir, tmp_path):
    (tmp_path / "broken_jobs.py").write_text("import a_library_that_is_missing\n")
    broken = replace(launch, jobs="broken_jobs:run_job", paths=(str(tmp_path),))
    with Client.connect_or_start(broken, state_dir) as client:
        for _ in range(2):
            with pytest.raises(EngineError) as caught:
                client.run("paint", {}, {}, {})
            assert caught.value.code == "engine.install"
            assert "a_library_that_is_missing" in caught.value.message
            assert "\n" not in caught.value.message
    assert "Traceback" in log_of(state_dir)


def test_where_no_socket_can_be_had_it_is_one_shot(launch, tmp_path):
    (tmp_path / "file").write_text("")
    with Client.open(launch, tmp_path / "file" / "state") as client:
        assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_relative_directories_mean_what_they_say(launch, state_dir, monkeypatch):
    state_dir.mkdir(mode=0o700)
    monkeypatch.chdir(state_dir.parent)
    relative = replace(launch, paths=(os.path.relpath(HERE),), root=os.path.relpath(launch.root))
    with Client.connect_or_start(relative, Path("state")) as client:
        assert client.run("paint", {}, {}, {}).info["paths"] == 1
    assert (state_dir / "engine.json").exists()
    with Client.one_shot(relative, Path("state")) as client:
        assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_over_loopback_too(launch, state_dir, monkeypatch):
    with Client.start(replace(launch, tcp=True), state_dir):
        assert State(state_dir).address().port
        monkeypatch.delattr(socket, "AF_UNIX")  # as in a sandbox that cannot reach it
        with Client.connect(state_dir) as client:
            assert client.run("echo", {}, {"p": b"x" * 100000}, {}).payloads["p"] == b"x" * 100000


def test_several_clients_wait_their_turn_and_are_told(launch, state_dir):
    clients = [Client.connect_or_start(launch, state_dir) for _ in range(4)]
    try:
        first, *others = clients
        first.submit("slow", {}, {}, {})
        wait_until_painting(first)
        for place, other in enumerate(others, start=1):
            other.submit("echo", {"place": place}, {}, {})
            while (event := wait_for_event(other, ProgressEvent)).stage != "waiting":
                pass
            assert event.ahead == place
        others[0].cancel()
        assert last_event(others[0]).code == "cancelled"
        while wait_for_event(others[1], ProgressEvent).ahead != 1:
            pass
        others[1].close()
        while wait_for_event(others[2], ProgressEvent).ahead != 1:
            pass
        assert first.status()["waiting_jobs"] == 1
        first.stop_and_keep()
        assert isinstance(last_event(first), ResultEvent)
        assert last_event(others[2]).info["options"] == {"place": 3}
    finally:
        for client in clients:
            client.close()


def test_jobs_of_many_threads_all_come_back(launch, state_dir):
    Client.connect_or_start(launch, state_dir).close()
    got = []

    def call(number):
        with Client.connect_or_start(launch, state_dir) as client:
            got.append(client.run("echo", {"n": number}, {}, {}).info["options"]["n"])
    threads = [threading.Thread(target=call, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(got) == list(range(12))


def test_one_job_at_a_time_on_a_connection(client):
    client.submit("slow", {}, {}, {})
    with pytest.raises(EngineError) as caught:
        client.submit("paint", {}, {}, {})
    assert caught.value.code == "engine.busy"
    client.cancel()
    assert isinstance(last_event(client), ErrorEvent)
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_serving_in_the_foreground(launch, state_dir):
    # A shell that starts the tests in its background has them ignore Ctrl+C, and children inherit that.
    program = ("import signal, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
               "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
               "from gradvec import ipc; sys.exit(ipc.serve_command(5.0, Path(sys.argv[2])))")
    words = [sys.executable, "-c", program, launch.root, str(state_dir)]
    environ = {**os.environ, "GRADVEC_ENGINE_JOBS": "fake_jobs:run_job", "GRADVEC_ENGINE_PATH": str(HERE)}
    server = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for((state_dir / "engine.json").exists)
    with Client.connect(state_dir) as client:
        assert client.hello.pid == server.pid
        assert client.run("environment", {}, {}, {}).info["isolated"] == 1
    second = subprocess.run(words, env=environ, capture_output=True, timeout=PATIENCE, check=False)
    assert b"An engine runs already." in second.stderr
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=PATIENCE)
    assert (server.returncode, err) == (0, b"")
    assert str(state_dir).encode() in out
    assert not (state_dir / "engine.json").exists()
