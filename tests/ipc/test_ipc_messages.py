"""Frames: what goes in comes out, and nothing that is no frame gets further than an error."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import tracemalloc

import pytest
from gradvec.errors import EngineError
from gradvec.ipc.protocol import (
    DEPTH_MAX,
    MAGIC,
    PREFIX,
    STRANGER,
    TRUSTED,
    ErrorEvent,
    Frame,
    Hello,
    Limits,
    ProgressEvent,
    ProtocolError,
    ResultEvent,
    assemble,
    encode,
    error_frame,
    event_of,
)
from gradvec.ipc.stream import Link, NonBlockingStream, Stream
from hypothesis import given, settings
from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner,
                                                                                           max_size=4), max_leaves=12)
frames = st.builds(Frame, st.text(max_size=20), st.dictionaries(st.text(), json_values, max_size=5),
                   st.dictionaries(st.text(), st.binary(max_size=300), max_size=4))


def parse(data, limits=TRUSTED):
    """The frame that ``data`` is, by a driver of our own; None when it is cut off."""
    parser = assemble(limits)
    need, position = next(parser), 0
    try:
        while position + need <= len(data):
            position, chunk = position + need, data[position:position + need]
            need = parser.send(chunk)
    except StopIteration as done:
        assert position == len(data)
        return done.value
    return None


def raw(header, payload=b"", magic=MAGIC):
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">4sIQ", magic, len(data), len(payload)) + data + payload


@given(frames)
def test_a_frame_comes_out_as_it_went_in(frame):
    assert parse(b"".join(encode(frame))) == frame


@given(frames, st.data())
def test_a_frame_that_is_cut_off_is_no_frame_yet(frame, data):
    whole = b"".join(encode(frame))
    assert parse(whole[:data.draw(st.integers(0, len(whole) - 1))]) is None


@given(st.binary(max_size=200))
def test_garbage_is_an_error_or_waits_for_more(data):
    with contextlib.suppress(ProtocolError):
        assert parse(data) is None


@given(st.binary(max_size=120), st.integers(0, 10))
def test_a_good_prefix_before_garbage_is_an_error(header, payload):
    header = b"{" + header
    with pytest.raises(ProtocolError):
        parse(PREFIX.pack(MAGIC, len(header), payload) + header + bytes(payload))


@given(st.lists(frames, max_size=4), st.data())
@settings(max_examples=25, deadline=None)
def test_frames_survive_any_fragmentation(sent, data):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        incoming, got = NonBlockingStream(ours, TRUSTED), []
        whole = b"".join(piece for frame in sent for piece in encode(frame))
        while whole:
            size = data.draw(st.integers(1, len(whole)))
            theirs.sendall(whole[:size])
            whole = whole[size:]
            while (frame := incoming.receive()) is not None:
                got.append(frame)
        assert got == sent
        theirs.close()
        with pytest.raises(EOFError):
            incoming.receive()
        assert incoming.ended


@pytest.mark.parametrize("header", [
    b"", b"[]", b"null", b"{}", b"\xff\xfe", b"{" * 50000, b"[" * 100000, b'{"type":"a","body":{}}',
    b'{"type":1,"body":{},"payloads":[]}', b'{"type":"a","body":[],"payloads":[]}',
    b'{"type":"a","body":{},"payloads":{}}x', b'{"type":"a","body":{"x":NaN},"payloads":[]}',
    b'{"type":"a","body":{"x":Infinity},"payloads":[]}', b'{"type":"a","body":{},"payloads":[["p",true]]}',
    b'{"type":"a","body":{},"payloads":[["p",-1],["q",1]]}', b'{"type":"a","body":{},"payloads":[["p",0],["p",0]]}',
    b'{"type":"a","body":{},"payloads":[["p"]]}', b'{"type":"a","body":{},"payloads":[[["p"],0]]}',
    b'{"type":"a","body":{},"payloads":[["p",1.0]]}', b'{"type":"a","body":{},"payloads":5}',
    b'{"type":"a","body":{},"payloads":[["p",10]]}', b'{"type":"a","body":{"x":1e400},"payloads":[]}',
    b'{"type":"a","body":{"x":[-1e999]},"payloads":[]}',
    b'{"type":"a","body":{"x":1' + b"0" * 309 + b'},"payloads":[]}',
    b'{"type":"a","body":{"x":-' + b"9" * 5000 + b'},"payloads":[]}',
    b'{"type":"a","body":{"x":0.' + b"1" * 5000 + b'},"payloads":[]}',
    b'{"type":"a","body":{"x":' + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b'},"payloads":[]}',
])
def test_a_bad_header_is_refused(header):
    with pytest.raises(ProtocolError):
        parse(raw(header))


@pytest.mark.parametrize("prefix", [
    PREFIX.pack(b"HTTP", 10, 0), PREFIX.pack(MAGIC, TRUSTED.header + 1, 0),
    PREFIX.pack(MAGIC, 10, TRUSTED.payload + 1), PREFIX.pack(MAGIC, 2**32 - 1, 2**64 - 1),
])
def test_a_bad_or_huge_prefix_is_refused_before_any_memory_is_taken(prefix):
    with pytest.raises(ProtocolError):
        parse(prefix)


def test_strangers_get_a_small_header_and_no_payload():
    assert parse(raw({"type": "auth", "body": {}, "payloads": []}), STRANGER).type == "auth"
    with pytest.raises(ProtocolError):
        parse(raw({"type": "auth", "body": {"x": "y" * 5000}, "payloads": []}), STRANGER)
    with pytest.raises(ProtocolError):
        parse(raw({"type": "auth", "body": {}, "payloads": [["a", 1]]}, b"a"), STRANGER)
    with pytest.raises(ProtocolError):
        parse(raw({"type": "auth", "body": {}, "payloads": [["a", 0]]}), STRANGER)


@pytest.mark.parametrize("frame", [
    Frame("a", {"x": float("nan")}), Frame("a", {"x": float("inf")}), Frame("a", {"x": object()}),
    Frame("a", {"x": b"bytes"}), Frame("a", {}, {"p": "text"}), Frame("a", {}, {"p": None}),
    Frame("a", {"x": "y" * (TRUSTED.header + 1)}),
    Frame("a", {}, {str(number): b"" for number in range(TRUSTED.payloads + 1)}),
])
def test_what_cannot_be_sent_is_refused_before_a_byte_leaves(frame):
    with pytest.raises(ProtocolError):
        encode(frame)


@pytest.mark.parametrize("value", [
    b"1e308", b"-1e-400", b"1" + b"0" * 308, b"-0", b"0.0", b'"' + b"[{" * 1000 + b'"', rb'"\"[[\\"', rb'"\ud800"',
    b"[" * (DEPTH_MAX - 2) + b"]" * (DEPTH_MAX - 2), "\"\u00e9\U0001f3a8\"".encode(), b"[" + b"[]," * 5000 + b"{}]",
])
def test_what_parses_can_be_sent_on_and_arrives_the_same(value):
    frame = parse(raw(b'{"type":"a","body":{"x":' + value + b'},"payloads":[]}'))
    assert frame.body["x"] == json.loads(value)
    assert parse(b"".join(encode(frame))) == frame


@given(st.text(alphabet='[]{}",:\\\\eE+-.0123456789ab ', max_size=60))
@settings(max_examples=300)
def test_no_text_parses_that_cannot_be_sent_on(text):
    with contextlib.suppress(ProtocolError):
        frame = parse(raw(b'{"type":"a","body":{"x":' + text.encode() + b'},"payloads":[]}'))
        assert frame is not None
        assert parse(b"".join(encode(frame))) == frame


def test_what_is_nested_too_deeply_is_not_sent():
    value = []
    for _ in range(DEPTH_MAX):
        value = [value]
    with pytest.raises(ProtocolError, match="deeper"):
        encode(Frame("a", {"x": value}))


@pytest.mark.parametrize("blocking", [True, False])
def test_memory_grows_with_what_arrives_not_with_what_is_announced(blocking):
    ours, theirs = socket.socketpair()
    header = b'{"type":"a","body":{},"payloads":[["p",4294967296]]}'
    theirs.sendall(PREFIX.pack(MAGIC, len(header), TRUSTED.payload) + header + b"some")
    tracemalloc.start()
    try:
        if blocking:
            theirs.close()
            stream = Stream.of_socket(ours)
            assert stream.receive(TRUSTED) is None
            stream.close_reader()
        else:
            stream = NonBlockingStream(ours, TRUSTED)
            assert stream.receive() is None
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
        stream.close()
        theirs.close()


def test_limits_hold_from_the_next_frame_on():
    ours, theirs = socket.socketpair()
    with theirs:
        stream = NonBlockingStream(ours, STRANGER)
        small, large = Frame("a"), Frame("b", {"x": "y" * 5000}, {"p": b"z"})
        theirs.sendall(b"".join(encode(small) + encode(large)))
        assert stream.receive() == small
        stream.limits = TRUSTED
        assert stream.receive() == large
        stream.limits = STRANGER
        theirs.sendall(b"".join(encode(large)))
        with pytest.raises(ProtocolError):
            stream.receive()
        stream.close()


def test_a_link_that_is_given_what_cannot_be_sent_ends_and_says_so():
    ours, theirs = socket.socketpair()
    closed = threading.Event()
    link = Link(Stream.of_socket(ours), lambda frame: None, closed.set).start()
    link.send(Frame("a", {"x": float("nan")}))
    theirs.settimeout(5)
    assert theirs.recv(1) == b""
    assert closed.wait(5)
    theirs.close()


def test_payloads_are_passed_through_not_copied():
    data = os.urandom(1000)
    assert encode(Frame("a", {}, {"p": data}))[1] is data


@pytest.mark.parametrize("pipes", [False, True])
def test_a_stream_carries_frames_both_ways(pipes):
    if pipes:
        (read_a, write_a), (read_b, write_b) = os.pipe(), os.pipe()
        near, far = Stream.of_files(read_a, write_b), Stream.of_files(read_b, write_a)
    else:
        near, far = (Stream.of_socket(sock) for sock in socket.socketpair())
    frame = Frame("a", {"name": "Fuß \udc80 \U0001f3a8"}, {"empty": b"", "big": os.urandom(3 << 20)})
    got = []
    for sender, receiver in ((near, far), (far, near)):
        thread = threading.Thread(target=lambda stream=receiver: got.append(stream.receive(TRUSTED)))
        thread.start()
        sender.send(frame)
        thread.join(10)
    near.close()
    assert got == [frame, frame]
    assert type(got[0].payloads["big"]) is bytes
    assert far.receive(TRUSTED) is None
    far.close()
    near.close_reader()
    far.close_reader()


def test_a_frame_larger_than_allowed_never_reaches_a_stream():
    near, far = (Stream.of_socket(sock) for sock in socket.socketpair())
    near.send(Frame("a", {}, {"p": b"12345"}))
    with pytest.raises(ProtocolError):
        far.receive(Limits(1000, 4, 1))
    for stream in (near, far):
        stream.close()
        stream.close_reader()


def test_reports_that_nobody_has_read_are_replaced():
    ours, theirs = socket.socketpair()
    closed = threading.Event()
    link = Link(Stream.of_socket(ours), lambda frame: None, closed.set).start()
    filler = b"x" * (4 << 20)
    link.send(Frame("filler", {}, {"p": filler}))  # more than the socket takes, so the rest waits
    for number in range(1000):
        link.send(Frame("progress", {"fraction": number}), replace=True)
    link.send(Frame("result", {"info": {}}))
    link.finish()
    reader = Stream.of_socket(theirs)
    kinds = []
    while (frame := reader.receive(TRUSTED)) is not None:
        kinds.append((frame.type, frame.body.get("fraction")))
    assert kinds[0] == ("filler", None)
    assert kinds[-2:] == [("progress", 999), ("result", None)]
    assert len(kinds) <= 4
    assert closed.wait(5)
    reader.close()
    reader.close_reader()


def test_events_are_what_the_frames_say():
    error = EngineError("It broke.", "Mend it.", "engine.special")
    event = event_of(error_frame(error))
    assert event == ErrorEvent("engine.special", "It broke.", "Mend it.")
    assert (type(event.error()), event.error().code) == (EngineError, "engine.special")
    assert event_of(Frame("progress", {"stage": "s", "fraction": 1})) == ProgressEvent("s", 1.0)
    assert event_of(Frame("result", {"info": {"a": 1}}, {"p": b"x"})) == ResultEvent({"p": b"x"}, {"a": 1})
    assert event_of(Frame("a type of the future", {})) is None
    hello = event_of(Frame("hello", {"protocol": 9, "version": "7", "python": "3.9", "executable": "p", "pid": 1,
                                     "jobs": "j", "log": "l", "a field of the future": 1}))
    assert isinstance(hello, Hello)
    assert (hello.protocol, hello.device, hello.stale) == (9, None, False)


@pytest.mark.parametrize("frame", [Frame("hello"), Frame("progress", {"stage": "x"}), Frame("preview"),
                                   Frame("result", {"info": 3}), Frame("error", {"code": "x"}),
                                   Frame("progress", {"stage": "x", "fraction": []}),
                                   Frame("progress", {"stage": "x", "fraction": 10**400}),
                                   Frame("progress", {"stage": "x", "fraction": 0, "ahead": 21e308})])
def test_a_known_frame_without_its_content_is_an_error(frame):
    with pytest.raises(ProtocolError):
        event_of(frame)
