"""Starts the engine with the user's login: for an Inkscape in a sandbox, which cannot start one, or never to wait.

    Linux     ~/.config/systemd/user/gradvec-engine.service, and its link in default.target.wants
    macOS     ~/Library/LaunchAgents/org.gradvec.engine.plist
    Windows   gradvec-engine.cmd in the Startup folder of the start menu

These are files and nothing more: the system reads them at the next login. An engine with a directory of its own
(GRADVEC_STATE_DIR) has a file of its own, so that every sandbox can be served.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import plistlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..ipc.launch import Launch

_NAME = "gradvec-engine"
_LABEL = "org.gradvec.engine"
_WANTS = "default.target.wants"


@dataclass(frozen=True)
class Login:
    """What was written. now: what to type to have the engine at once, "" where that is a new login."""

    path: Path
    now: str


def write(idle_minutes: float, state_dir: str = "") -> Login:
    """Makes the system start an engine at login, in ``state_dir`` ("" for the usual place), with a loopback port.

    Raises:
        InputError: the file cannot be written.
    """
    ending = f"-{hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:8]}" if state_dir else ""
    write_it = {"win32": _startup, "darwin": _agent}.get(sys.platform, _unit)
    try:
        return write_it(ending, idle_minutes, os.path.abspath(state_dir) if state_dir else "")
    except OSError as error:
        raise InputError(f"{error.filename or folder()} cannot be written: {error.strerror or error}.",
                         "Look whether the folder is yours and the disk has room.") from error


def remove() -> list[Path]:
    """Takes back all that :func:`write` has written, and returns the files.

    Raises:
        InputError: one cannot be removed.
    """
    pattern = {"win32": f"{_NAME}*.cmd", "darwin": f"{_LABEL}*.plist"}.get(sys.platform, f"{_NAME}*.service")
    removed = []
    for path in sorted(folder().glob(pattern)):
        try:
            with contextlib.suppress(FileNotFoundError):
                (folder() / _WANTS / path.name).unlink()
            path.unlink()
        except OSError as error:
            raise InputError(f"{path} cannot be removed: {error.strerror or error}.", "Remove it by hand.") from error
        removed.append(path)
    return removed


def folder() -> Path:
    """Where this system looks for what a user wants to be started."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
        return base / "Microsoft" / "Windows" / "Start Menu" / "Programs" / "Startup"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _command(role: str, idle_minutes: float, state_dir: str) -> list[str]:
    place = ["--state-dir", state_dir] if state_dir else []
    return Launch.own().command(role, *place, "--idle-minutes", repr(idle_minutes), "--tcp")


def _unit(ending: str, idle_minutes: float, state_dir: str) -> Login:
    path = folder() / f"{_NAME}{ending}.service"
    words = " ".join(map(_systemd_word, _command("serve", idle_minutes, state_dir)))
    link = path.parent / _WANTS / path.name
    link.parent.mkdir(parents=True, exist_ok=True)
    # 4 is how an engine ends that finds another one running.
    path.write_text(f"[Unit]\nDescription=Engine of gradvec, for Inkscape\nStartLimitIntervalSec=600\n"
                    f"StartLimitBurst=5\n\n[Service]\nType=exec\nExecStart={words}\nEnvironment=OMP_WAIT_POLICY=PASSIVE\n"
                    "Restart=on-failure\nRestartSec=30\nRestartPreventExitStatus=4\n\n"
                    "[Install]\nWantedBy=default.target\n", "utf-8")
    link.unlink(missing_ok=True)
    link.symlink_to(path)  # what `systemctl --user enable` does
    return Login(path, f"systemctl --user daemon-reload && systemctl --user start {path.name}")


def _systemd_word(word: str) -> str:
    """One argument as systemd reads a command line: % and $ begin something unless doubled (systemd.service(5))."""
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(plain, written)
    return f'"{word}"'


def _agent(ending: str, idle_minutes: float, state_dir: str) -> Login:
    label = _LABEL + ending
    path = folder() / f"{label}.plist"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plistlib.dumps({
        "Label": label, "ProgramArguments": _command("serve", idle_minutes, state_dir), "RunAtLoad": True,
        "ProcessType": "Background", "EnvironmentVariables": {"OMP_WAIT_POLICY": "PASSIVE"}}))
    return Login(path, f"launchctl load {subprocess.list2cmdline([str(path)])}")


def _startup(ending: str, idle_minutes: float, state_dir: str) -> Login:
    """A script rather than a shortcut, whose format is not text. The launcher that it runs ends at once and leaves the
    engine without a window of its own."""
    path = folder() / f"{_NAME}{ending}.cmd"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = subprocess.list2cmdline(_command("start", idle_minutes, state_dir)).replace("%", "%%")
    path.write_bytes(f"@echo off\r\nchcp 65001 >nul\r\nset OMP_WAIT_POLICY=PASSIVE\r\n{line}\r\n".encode())
    return Login(path, "")
