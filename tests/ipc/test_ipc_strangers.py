"""Who does not know the key gets nothing, and cannot keep those who do from the engine."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time

import pytest
from gradvec import ipc
from gradvec.errors import EngineError
from gradvec.ipc.client import Client
from gradvec.ipc.protocol import MAGIC, NONCE_BYTES, STRANGER, TRUSTED, Frame, proof, same_proof
from gradvec.ipc.state import Address, State, private_dir
from gradvec.ipc.stream import Stream
from gradvec.ipc.supervisor import CLIENTS_MAX, STRANGERS_MAX
from ipc_helpers import alive, wait_for


@pytest.fixture
def knock(client, engine_dir):
    """Opens raw connections to the engine of ``client``."""
    address = State(engine_dir).address()
    opened = []

    def connect():
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(8.0)
        sock.connect(address.socket)
        opened.append(sock)
        return sock
    yield connect
    for sock in opened:
        sock.close()


def receive(sock):
    """One frame read by hand: its type and body, or None at the end."""
    prefix = b""
    while len(prefix) < 16:
        data = sock.recv(16 - len(prefix))
        if not data:
            return None
        prefix += data
    size = struct.unpack(">4sIQ", prefix)[1]
    header = b""
    while len(header) < size:
        header += sock.recv(size - len(header))
    told = json.loads(header)
    return told["type"], told["body"]


def drain(sock):
    """Everything until the engine closes the connection."""
    said = b""
    try:
        while data := sock.recv(65536):
            said += data
    except ConnectionResetError:
        pass
    return said


def raw(header, payload_size=0):
    data = json.dumps(header).encode()
    return struct.pack(">4sIQ", MAGIC, len(data), payload_size) + data


@pytest.mark.parametrize("proof_of", ["0" * 64, "", None, 5, "\u00fc", ["x"]])
def test_a_wrong_key_is_refused(knock, client, proof_of):
    sock = knock()
    assert receive(sock)[0] == "challenge"
    sock.sendall(raw({"type": "auth", "body": {"nonce": "00" * NONCE_BYTES, "proof": proof_of}, "payloads": []}))
    assert receive(sock)[1]["code"] == "engine.refused"
    assert receive(sock) is None
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


def test_the_client_with_a_wrong_key_says_so(client, engine_dir, tmp_path):
    mistaken = State(private_dir(tmp_path / "s"))
    address = State(engine_dir).address()
    (mistaken.directory / "engine.json").write_text(json.dumps(vars(address)))
    (mistaken.directory / address.key).write_bytes(bytes(32))
    with pytest.raises(EngineError) as caught:
        Client.connect(mistaken.directory)
    assert caught.value.code == "engine.refused"


def test_a_proof_cannot_be_played_again(knock, client, engine_dir):
    state = State(engine_dir)
    key = state.key(state.address())
    nonce = bytes(NONCE_BYTES)
    sock = knock()
    challenge = bytes.fromhex(receive(sock)[1]["nonce"])
    auth = raw({"type": "auth", "body": {"nonce": nonce.hex(), "proof": proof(key, "client", challenge, nonce)},
                "payloads": []})
    sock.sendall(auth)
    assert receive(sock)[0] == "hello"
    again = knock()
    receive(again)
    again.sendall(auth)
    assert receive(again)[1]["code"] == "engine.refused"


def test_the_engine_cannot_be_made_to_prove_for_somebody_else():
    key, ours, theirs = os.urandom(32), os.urandom(32), os.urandom(32)
    assert proof(key, "client", ours, theirs) != proof(key, "server", ours, theirs)
    assert proof(key, "client", ours, theirs) != proof(key, "client", theirs, ours)
    assert same_proof(proof(key, "client", ours, theirs), proof(key, "client", ours, theirs))


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0" * 64, os.urandom(4096),
    struct.pack(">4sIQ", MAGIC, 2**32 - 1, 0), struct.pack(">4sIQ", MAGIC, 10, 2**63),
    struct.pack(">4sIQ", MAGIC, 5, 0) + b"[[[[[", raw({"type": "submit", "body": {}, "payloads": []}),
    raw({"type": "stop", "body": {}, "payloads": []}), raw({"type": "auth", "body": {}, "payloads": []}),
    raw({"type": "auth", "body": {"nonce": "zz", "proof": ""}, "payloads": []}),
    raw({"type": "auth", "body": {"nonce": "00" * 31, "proof": ""}, "payloads": []}),
])
def test_garbage_huge_frames_and_orders_without_a_greeting_end_the_connection_at_once(knock, client, data):
    sock = knock()
    sock.sendall(data)
    started = time.monotonic()
    said = drain(sock)
    assert time.monotonic() - started < 2.0
    assert b"hello" not in said
    assert client.status()["pid"] == client.hello.pid


def test_strangers_who_say_nothing_or_drip_are_sent_away(knock):
    silent, dripping = knock(), knock()
    started = time.monotonic()
    with contextlib.suppress(OSError):
        for byte in raw({"type": "auth", "body": {"x": "y" * 3000}, "payloads": []}):
            dripping.sendall(bytes([byte]))
            time.sleep(0.02)
    assert 3.0 < time.monotonic() - started < 8.0
    assert drain(silent).count(b"challenge") == 1
    assert time.monotonic() - started < 8.0


def test_many_strangers_do_not_lock_out_who_knows_the_key(knock, client, engine_dir):
    for _ in range(3 * STRANGERS_MAX):
        knock()
    with Client.connect(engine_dir) as friend:
        assert friend.run("paint", {}, {}, {}).info["paths"] == 1


def test_more_clients_than_it_can_take_are_sent_away_and_later_ones_served(client, engine_dir):
    friends = [Client.connect(engine_dir) for _ in range(CLIENTS_MAX - 1)]
    with pytest.raises(EngineError):
        Client.connect(engine_dir)
    for friend in friends:
        friend.close()
    wait_for(lambda: ipc.status(engine_dir)["running"])
    with Client.connect(engine_dir) as friend:
        assert friend.run("paint", {}, {}, {}).info["paths"] == 1


def test_garbage_from_a_client_that_is_known_ends_only_that_client(client, engine_dir):
    with Client.connect(engine_dir) as spoiled:
        spoiled._stream.sock.sendall(os.urandom(64))
        event = None
        while getattr(event, "code", None) is None:
            event = spoiled.poll(5.0)
        assert event.code in ("engine.protocol", "engine.lost")
    assert client.run("paint", {}, {}, {}).info["paths"] == 1
    assert alive(client.hello.pid)


@pytest.mark.parametrize("previews", [b"1e400", b"-1e400", b"1" + b"0" * 400, b"[" * 1000 + b"]" * 1000])
def test_a_job_that_could_not_be_handed_on_does_not_stop_the_engine_for_others(client, engine_dir, previews):
    header = b'{"type":"submit","body":{"kind":"paint","options":{},"info":{},"previews":' + previews + \
             b'},"payloads":[]}'
    with Client.connect(engine_dir) as spoiled:
        spoiled._stream.sock.sendall(struct.pack(">4sIQ", MAGIC, len(header), 0) + header)
        event = None
        while getattr(event, "code", None) is None:
            event = spoiled.poll(5.0)
        assert event.code == "engine.protocol"
    assert client.run("paint", {}, {}, {}).info["paths"] == 1
    assert alive(client.hello.pid)


def test_a_job_that_grows_too_long_when_it_is_handed_on_is_refused_and_the_connection_stays(client, engine_dir):
    header = json.dumps({"type": "submit", "payloads": [], "body": {
        "kind": "paint", "options": {}, "info": {"name": "\u00e9" * 1500000}}}, ensure_ascii=False).encode()
    assert len(header) < TRUSTED.header
    with Client.connect(engine_dir) as spoiled:
        spoiled._stream.sock.settimeout(10)
        spoiled._stream.sock.sendall(struct.pack(">4sIQ", MAGIC, len(header), 0) + header)
        spoiled._stream.sock.setblocking(False)
        event = None
        while getattr(event, "code", None) is None:
            event = spoiled.poll(5.0)
        assert event.code == "engine.protocol"
        assert spoiled.run("paint", {}, {}, {}).info["paths"] == 1
    assert client.run("paint", {}, {}, {}).info["paths"] == 1


@pytest.mark.parametrize("prefix", [(2**32 - 1, 0), (STRANGER.header + 1, 0), (60, 4 << 30), (60, 1)])
def test_an_impostor_cannot_make_the_client_take_more_than_a_handshake_needs(tmp_path, prefix):
    state = State(private_dir(tmp_path / "s"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address(os.getpid(), "0.1.0", "a.key", "", listener.getsockname()[1])
        (state.directory / "engine.json").write_text(json.dumps(vars(address)))
        (state.directory / "a.key").write_bytes(os.urandom(32))

        def impostor():
            sock, _ = listener.accept()
            with sock:
                sock.sendall(struct.pack(">4sIQ", MAGIC, *prefix))
                sock.settimeout(10)
                with contextlib.suppress(ConnectionError):
                    sock.recv(1)
        thread = threading.Thread(target=impostor)
        thread.start()
        with pytest.raises(EngineError) as caught:
            Client.connect(state.directory)
        thread.join(5)
    assert caught.value.code == "engine.protocol"


def test_an_impostor_at_the_address_gets_no_picture(tmp_path):
    """Somebody who took the port of an engine that is gone does not know its key."""
    state = State(private_dir(tmp_path / "s"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address(os.getpid(), "0.1.0", "a.key", "", listener.getsockname()[1])
        (state.directory / "engine.json").write_text(json.dumps(vars(address)))
        (state.directory / "a.key").write_bytes(os.urandom(32))
        got = []

        def impostor():
            sock, _ = listener.accept()
            stream = Stream.of_socket(sock)
            stream.send(Frame("challenge", {"protocol": 1, "nonce": "00" * NONCE_BYTES}))
            got.append(stream.receive(TRUSTED))
            stream.send(Frame("hello", {"protocol": 1, "version": "0.1.0", "python": "", "executable": "", "pid": 1,
                                        "jobs": "", "log": "", "proof": "11" * 32}))
            got.append(stream.receive(TRUSTED))
            stream.close()
            stream.close_reader()
        thread = threading.Thread(target=impostor)
        thread.start()
        with pytest.raises(EngineError) as caught:
            Client.connect(state.directory)
        thread.join(5)
    assert caught.value.code == "engine.refused"
    assert got[0].type == "auth"
    assert got[1] is None
