"""What starts an engine at login: one file a system, read back by what reads such files; nothing is started."""

import configparser
import plistlib
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from gradvec.cli import main
from gradvec.tools import at_login


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with a blank in its name, and no program that could be started."""
    place = tmp_path / "a home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("APPDATA", str(place / "AppData" / "Roaming"))
    for name in ("XDG_CONFIG_HOME", "GRADVEC_STATE_DIR", "GRADVEC_ENGINE_JOBS", "GRADVEC_ENGINE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(subprocess, "run", None)
    monkeypatch.setattr(subprocess, "Popen", None)
    return place


def files(home):
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file() or path.is_symlink()}


def unit(path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(path.read_text("utf-8"))
    return parser


def as_systemd_reads(line):
    """Words of an ExecStart: quotes and backslashes as in a shell, then doubled % and $ are one."""
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]


def good_command(words, role):
    assert words[0] == sys.executable
    assert words[1] == "-I"
    assert Path(words[2]).parts[-3:] == ("gradvec", "ipc", "__main__.py")
    assert Path(words[2]).is_file()
    assert (words[3], "--tcp" in words) == (role, True)
    return dict(pairwise(words))


def test_systemd(home, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "linux")
    assert main(["engine", "serve", "--at-login"]) == 0
    told = capsys.readouterr().out
    path = home / ".config/systemd/user/gradvec-engine.service"
    wants = path.parent / "default.target.wants" / path.name
    assert files(home) == {path.relative_to(home).as_posix(), wants.relative_to(home).as_posix()}
    assert wants.resolve() == path.resolve()
    assert str(path) in told
    assert "systemctl --user start gradvec-engine.service" in told
    read = unit(path)
    options = good_command(as_systemd_reads(read["Service"]["ExecStart"]), "serve")
    assert float(options["--idle-minutes"]) == 365 * 24 * 60
    assert "--state-dir" not in options
    assert read["Service"]["Environment"] == "OMP_WAIT_POLICY=PASSIVE"
    assert read["Service"]["RestartPreventExitStatus"] == "4", "where an engine runs already, that one stays"
    assert read["Install"]["WantedBy"] == "default.target"
    assert main(["engine", "serve", "--at-login", "--idle-minutes", "30"]) == 0
    again = good_command(as_systemd_reads(unit(path)["Service"]["ExecStart"]), "serve")
    assert float(again["--idle-minutes"]) == 30
    assert main(["engine", "serve", "--no-at-login"]) == 0
    assert f"Removed {path}" in capsys.readouterr().out
    assert files(home) == set()
    assert main(["engine", "serve", "--no-at-login"]) == 0
    assert "No engine was to be started" in capsys.readouterr().out


def test_systemd_takes_any_name_literally(home, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    state = home / 'st%u "$HOME" \\n'
    read = unit(at_login.write(5.0, str(state)).path)
    options = good_command(as_systemd_reads(read["Service"]["ExecStart"]), "serve")
    assert options["--state-dir"] == str(state)


def test_every_sandbox_has_an_engine_of_its_own(home, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    places = [home / "flatpak", home / "snap"]
    for place in places:
        monkeypatch.setenv("GRADVEC_STATE_DIR", str(place))
        assert main(["engine", "serve", "--at-login"]) == 0
    units = sorted(at_login.folder().glob("*.service"))
    assert len(units) == 2
    assert all(re.fullmatch(r"gradvec-engine-[0-9a-f]{8}\.service", path.name) for path in units)
    commands = [good_command(as_systemd_reads(unit(path)["Service"]["ExecStart"]), "serve") for path in units]
    assert {options["--state-dir"] for options in commands} == set(map(str, places))
    (at_login.folder() / "others.service").write_text("[Unit]\n")
    assert main(["engine", "serve", "--no-at-login"]) == 0
    assert files(home) == {".config/systemd/user/others.service"}


def test_a_launch_agent(home, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert main(["engine", "serve", "--at-login"]) == 0
    path = home / "Library/LaunchAgents/org.gradvec.engine.plist"
    assert files(home) == {"Library/LaunchAgents/org.gradvec.engine.plist"}
    told = capsys.readouterr().out.splitlines()[-1]
    assert shlex.split(told.partition(": ")[2]) == ["launchctl", "load", str(path)]
    read = plistlib.loads(path.read_bytes())
    assert (read["Label"], read["RunAtLoad"]) == ("org.gradvec.engine", True)
    assert float(good_command(read["ProgramArguments"], "serve")["--idle-minutes"]) == 365 * 24 * 60
    assert main(["engine", "serve", "--no-at-login"]) == 0
    assert files(home) == set()


def test_the_startup_folder(home, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("GRADVEC_STATE_DIR", str(home / "100%"))
    assert main(["engine", "serve", "--at-login"]) == 0
    (path,) = at_login.folder().iterdir()
    assert path.parent.relative_to(home).parts[-3:] == ("Start Menu", "Programs", "Startup")
    lines = path.read_bytes().decode("utf-8").split("\r\n")
    assert lines[:3] == ["@echo off", "chcp 65001 >nul", "set OMP_WAIT_POLICY=PASSIVE"]
    assert lines[4:] == [""]
    words = [word.replace("%%", "%") for word in shlex.split(lines[3])]
    assert good_command(words, "start")["--state-dir"] == str(home / "100%")
    assert main(["engine", "serve", "--no-at-login"]) == 0
    assert files(home) == set()


def test_a_folder_that_cannot_be_written(home, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "linux")
    (home / ".config").write_text("a file")
    assert main(["engine", "serve", "--at-login"]) == 3
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_one_of_the_two_is_enough(capsys):
    assert main(["engine", "serve", "--at-login", "--no-at-login"]) == 2
    assert "not allowed with" in capsys.readouterr().err
