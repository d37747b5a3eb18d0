"""One-shot: the same frames over standard input and output, spoken here also by a client written from the docs."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys

import pytest
from gradvec.errors import EngineError, InputError
from gradvec.ipc.client import Client, Launch, PreviewEvent, ProgressEvent, ResultEvent
from gradvec.ipc.launch import clean_environment
from ipc_helpers import HERE, alive, last_event, wait_for, wait_until_painting, wait_until_running


@pytest.fixture
def one_shot(launch, state_dir):
    with Client.one_shot(launch, state_dir) as client:
        yield client


def test_it_does_what_the_warm_engine_does(one_shot):
    events = []
    result = one_shot.run("paint", {}, {"picture": b"x" * 300000}, {"name": "ü"}, 0.1, events.append)
    assert result.info["name"] == "ü"
    assert {ProgressEvent, PreviewEvent} <= {type(event) for event in events}
    with pytest.raises(InputError):
        one_shot.run("failing", {}, {}, {})
    with pytest.raises(EngineError, match="exit code 3"):
        one_shot.run("dying", {}, {}, {})
    assert one_shot.run("echo", {}, {"p": b"y" * 5_000_000}, {}).payloads == {"p": b"y" * 5_000_000}


@pytest.mark.parametrize("kind", ["slow", "deaf"])
def test_cancel_and_keep(one_shot, kind):
    one_shot.submit(kind, {}, {}, {})
    wait_until_running(one_shot)
    one_shot.cancel()
    assert last_event(one_shot).code == "cancelled"
    one_shot.submit("slow", {}, {}, {})
    wait_until_painting(one_shot)
    one_shot.stop_and_keep()
    assert isinstance(last_event(one_shot), ResultEvent)


@pytest.mark.parametrize("kind", ["slow", "deaf", "sleeping"])
def test_closing_leaves_no_process(launch, state_dir, kind):
    client = Client.one_shot(launch, state_dir)
    client.submit(kind, {}, {}, {})
    pids = [client.hello.pid, wait_until_running(client)]
    client.close()
    wait_for(lambda: not any(alive(pid) for pid in pids))


def test_killed_in_the_middle(one_shot):
    one_shot.submit("deaf", {}, {}, {})
    wait_for(lambda: one_shot.status()["worker"] is not None)
    worker = one_shot.status()["worker"]
    os.kill(one_shot.hello.pid, signal.SIGKILL)
    assert last_event(one_shot).code == "engine.lost"
    wait_for(lambda: not alive(worker))


def test_a_killed_caller_leaves_no_process(launch, state_dir):
    program = ("import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
               "from gradvec.ipc.client import Client, Launch\n"
               "launch = Launch(sys.executable, sys.argv[1], 'fake_jobs:deaf', (sys.argv[2],))\n"
               "client = Client.one_shot(launch, Path(sys.argv[3])); client.submit('x', {}, {}, {})\n"
               "worker = None\n"
               "while worker is None: worker = client.status()['worker']\n"
               "print(client.hello.pid, worker, flush=True)\n"
               "while True: client.poll(1.0)")
    words = [sys.executable, "-c", program, launch.root, str(HERE), str(state_dir)]
    caller = subprocess.Popen(words, stdout=subprocess.PIPE)
    pids = [int(word) for word in caller.stdout.readline().split()]
    assert all(alive(pid) for pid in pids)
    caller.kill()
    caller.communicate()
    wait_for(lambda: not any(alive(pid) for pid in pids))


def test_it_ends_while_it_starts_and_that_is_told(state_dir, tmp_path):
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    with pytest.raises(EngineError) as caught:
        Client.one_shot(Launch(str(bare)), state_dir)
    assert caught.value.code == "engine.start"


class PlainClient:
    """Speaks the protocol from its description alone: struct, json and two pipes."""

    def __init__(self, process):
        self.process = process

    def send(self, kind, body, payloads=()):
        header = json.dumps({"type": kind, "body": body, "payloads": [[n, len(d)] for n, d in payloads]}).encode()
        total = sum(len(data) for _, data in payloads)
        self.process.stdin.write(b"GVF1" + struct.pack(">IQ", len(header), total) + header)
        for _, data in payloads:
            self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self):
        prefix = self.process.stdout.read(16)
        if not prefix:
            return None
        assert prefix[:4] == b"GVF1"
        header_size, _ = struct.unpack(">IQ", prefix[4:])
        header = json.loads(self.process.stdout.read(header_size))
        return header["type"], header["body"], {n: self.process.stdout.read(s) for n, s in header["payloads"]}


@pytest.fixture
def plain(launch):
    """A one-shot engine on plain pipes whose log is on a full disk."""
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(launch.command("one-shot"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=full, env=clean_environment(os.environ))
    yield PlainClient(process)
    process.stdin.close()
    process.stdout.close()
    assert process.wait(5) == 0


def test_a_client_from_the_description_alone_and_a_full_disk_under_the_log(plain):
    kind, hello, _ = plain.receive()
    assert (kind, hello["protocol"]) == ("hello", 1)
    for job, answer in (("printing", "result"), ("unknown", "error"), ("paint", "result")):
        plain.send("submit", {"kind": job, "options": {}, "info": {"name": "a"}}, [("picture", b"12345")])
        while (got := plain.receive())[0] in ("progress", "alive"):
            pass
        assert got[0] == answer, got
    assert got[2]["svg"].startswith(b"<svg")


def test_garbage_ends_it_with_an_error(plain):
    plain.receive()
    plain.process.stdin.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    plain.process.stdin.flush()
    assert plain.receive()[1]["code"] == "engine.protocol"
    assert plain.receive() is None
