"""The engine's directory: private, found again, and never in the way of the next engine."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from gradvec.errors import EngineError
from gradvec.ipc import launch, listener
from gradvec.ipc.launch import clean_environment
from gradvec.ipc.listener import Publication
from gradvec.ipc.state import LOG_BYTES_MAX, Address, State, default_dir, private_dir


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_the_directory_is_private_also_when_it_was_not(tmp_path):
    made = private_dir(tmp_path / "a" / "b")
    assert mode(made) == 0o700
    open_one = tmp_path / "open"
    open_one.mkdir(mode=0o755)
    assert mode(private_dir(open_one)) == 0o700


def test_a_link_is_no_private_directory(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(EngineError) as caught:
        private_dir(tmp_path / "link")
    assert caught.value.code == "engine.directory"
    assert "link" in caught.value.message
    assert "GRADVEC_STATE_DIR" in caught.value.remedy


def test_a_directory_with_other_things_in_it_is_left_alone(tmp_path):
    """Somebody may point $GRADVEC_STATE_DIR at the home directory."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    theirs = [home / name for name in ("ssh.key", "package.json", "my.sock", "0123abcd.key.txt", "engine.txt")]
    for path in theirs:
        path.write_text("precious")
    with pytest.raises(EngineError, match="used for something else"):
        private_dir(home)
    assert mode(home) == 0o755
    home.chmod(0o700)
    publication = Publication(State(private_dir(home)), "1")
    publication.withdraw()
    assert all(path.read_text() == "precious" for path in theirs)


def test_a_directory_of_somebody_else_is_refused(tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: os.lstat(tmp_path).st_uid + 1)
    with pytest.raises(EngineError):
        private_dir(tmp_path / "theirs")


def test_a_file_in_its_place_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        private_dir(tmp_path / "file" / "state")
    assert "cannot be made" in caught.value.message


def test_the_default_follows_the_environment(tmp_path, monkeypatch):
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.delenv("GRADVEC_STATE_DIR", raising=False)
    assert default_dir() == runtime / "gradvec"
    runtime.chmod(0o755)  # others may enter: not to be trusted
    assert default_dir() != runtime / "gradvec"
    if not Path(f"/run/user/{os.getuid()}").exists():
        assert default_dir() == tmp_path / "cache" / "gradvec" / "engine"
    monkeypatch.setenv("GRADVEC_STATE_DIR", str(tmp_path / "mine"))
    assert default_dir() == tmp_path / "mine"


def test_a_user_without_a_home_has_a_place_too(tmp_path, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")
    for name in ("GRADVEC_STATE_DIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not Path(f"/run/user/{os.getuid()}").exists():
        assert default_dir().parents[2] == tmp_path / f"gradvec-{os.getuid()}"
    assert default_dir().is_absolute()


def test_only_one_holds_the_lock_and_its_pid_is_told(tmp_path):
    state = State(private_dir(tmp_path / "s"))
    assert state.holder() is None
    first = state.lock()
    first.sign(12345)
    assert state.lock() is None
    assert state.holder() == 12345
    first.release()
    assert state.holder() is None
    second = state.lock()
    assert second is not None
    second.release()


def test_a_lock_file_left_by_a_dead_engine_is_free(tmp_path):
    state = State(private_dir(tmp_path / "s"))
    (state.directory / "engine.lock").write_text("999999")
    assert state.holder() is None
    lock = state.lock()
    assert lock is not None
    lock.release()


def test_what_is_published_is_private_and_goes_again(tmp_path):
    state = State(private_dir(tmp_path / "s"))
    publication = Publication(state, "1.2.3", tcp=True)
    address = state.address()
    assert address == publication.address
    assert (address.pid, address.version) == (os.getpid(), "1.2.3")
    assert address.port
    assert state.key(address) == publication.key
    names = {path.name for path in state.directory.iterdir()}
    assert names == {"engine.json", address.key, os.path.basename(address.socket)}
    assert {mode(state.directory / name) for name in names} == {0o600}
    assert publication.intact()
    publication.withdraw()
    assert list(state.directory.iterdir()) == []
    assert not publication.intact()


def test_every_engine_has_a_key_of_its_own(tmp_path):
    keys = set()
    for _ in range(3):
        publication = Publication(State(private_dir(tmp_path / "s")), "1")
        keys.add(publication.key)
        publication.withdraw()
    assert len(keys) == 3


def test_too_long_a_path_gets_a_short_private_socket(tmp_path):
    state = State(private_dir(tmp_path / ("x" * 120)))
    publication = Publication(state, "1")
    path = Path(publication.address.socket)
    assert len(os.fsencode(str(path))) <= listener.SOCKET_PATH_MAX
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
    publication.withdraw()
    assert not path.parent.exists()


def test_what_a_killed_engine_left_is_cleaned_up(tmp_path):
    state = State(private_dir(tmp_path / ("x" * 120)))
    killed = Publication(state, "1")
    folder = Path(killed.address.socket).parent
    for sock in killed.listeners:
        sock.close()
    assert folder.exists()
    publication = Publication(state, "1")
    assert not folder.exists()
    assert len(list(state.directory.glob("*.key"))) == 1
    killed.withdraw()  # only its own files, of which there are none
    assert publication.intact()
    assert not killed.intact()
    publication.withdraw()


def test_withdrawing_leaves_the_files_of_a_newer_engine(tmp_path):
    state = State(private_dir(tmp_path / "s"))
    old = Publication(state, "1")
    new_address = Address(os.getpid() + 1, "2", "0123abcd.key", "/nowhere")
    (state.directory / "engine.json").write_text(json.dumps(vars(new_address)))
    assert old.replaced()
    old.withdraw()
    assert state.address() == new_address


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", '{"pid": 1}', "[" * 60000, '{"pid":"1","version":"1","key":"k","socket":"/s"}',
    '{"pid":1,"version":"1","key":"../k","socket":"/s"}', '{"pid":1,"version":"1","key":"k","port":70000}',
    '{"pid":1,"version":"1","key":"k"}', '{"pid":1,"version":"1","key":"k","socket":"/s","extra":1}', "\xff"])
def test_a_spoiled_address_is_none(tmp_path, text):
    state = State(private_dir(tmp_path / "s"))
    (state.directory / "engine.json").write_text(text, "latin-1")
    assert state.address() is None


def test_an_address_in_a_directory_that_others_may_enter_is_not_believed(tmp_path):
    state = State(private_dir(tmp_path / "s"))
    publication = Publication(state, "1")
    state.directory.chmod(0o777)
    assert state.address() is None
    state.directory.chmod(0o700)
    publication.withdraw()


def test_the_log_is_private_appended_to_and_bounded(tmp_path):
    state = State(private_dir(tmp_path / "s"))
    for text in (b"one\n", b"two\n"):
        fd = state.open_log()
        os.write(fd, text)
        os.close(fd)
    assert state.log_path.read_bytes() == b"one\ntwo\n"
    assert mode(state.log_path) == 0o600
    os.truncate(state.log_path, LOG_BYTES_MAX + 1)
    os.close(state.open_log())
    assert state.log_path.stat().st_size == 0
    os.truncate(state.log_path, 4 * LOG_BYTES_MAX + 1)
    state.trim_log()
    assert state.log_path.stat().st_size == 0


def test_a_log_that_cannot_be_opened_leads_nowhere(tmp_path):
    fd = State(tmp_path / "missing" / "directory").open_log()
    assert os.path.samestat(os.fstat(fd), os.stat(os.devnull))
    os.close(fd)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(listener, "_write_private", full)
    state = State(private_dir(tmp_path / "s"))
    with pytest.raises(EngineError) as caught:
        Publication(state, "1")
    assert "No space left on device" in caught.value.message
    assert list(state.directory.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="the engine's stand-in is a shell")
def test_an_engine_that_ends_on_a_full_disk_is_not_said_to_have_told_its_log(tmp_path, monkeypatch):
    state, ends = State(private_dir(tmp_path / "s")), ["/bin/sh", "-c", "exit 120"]
    with pytest.raises(EngineError, match="exit code 120") as caught:
        launch.launch_and_wait(ends, state)
    assert str(state.log_path) in caught.value.remedy

    def full(**where):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(EngineError, match=r"cannot write into .*: No space left on device") as caught:
        launch.launch_and_wait(ends, state)
    assert caught.value.code == "engine.directory"


def test_children_do_not_inherit_what_a_host_has_set_for_itself():
    kept = {"PATH": "/bin", "HOME": "/h", "OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "0", "GRADVEC_X": "y",
            "NUMBA_CACHE_DIR": "/c", "LDAP": "z", "DISPLAY": ":0"}
    host = {"PYTHONPATH": "p", "PYTHONHOME": "p", "PYTHONWARNINGS": "error", "LD_LIBRARY_PATH": "l",
            "LD_PRELOAD": "l", "GI_TYPELIB_PATH": "g", "GTK_PATH": "g", "GTK_IM_MODULE_FILE": "g",
            "GDK_PIXBUF_MODULE_FILE": "g", "DYLD_LIBRARY_PATH": "d", "INKSCAPE_PROFILE_DIR": "i",
            "DOCUMENT_PATH": "d"}
    assert clean_environment({**kept, **host}) == {**kept, "OMP_WAIT_POLICY": "PASSIVE"}
    assert clean_environment({"OMP_WAIT_POLICY": "ACTIVE"}) == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_without_unix_sockets_a_loopback_port_takes_their_place(tmp_path, monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    publication = Publication(State(private_dir(tmp_path / "s")), "1")
    assert publication.address.socket == ""
    assert str(publication.address) == f"127.0.0.1:{publication.address.port}"
    with socket.create_connection(("127.0.0.1", publication.address.port)):
        pass
    publication.withdraw()
