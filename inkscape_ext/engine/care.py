"""Looking after the engine process from inside Inkscape: how it is, starting it anew, the doctor's report."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from gradvec import ipc as commands
from gradvec.errors import EngineError
from gradvec.ipc.launch import clean_environment
from gradvec.ipc.launch import own_session as quiet_window

from ..ui.messages import _
from .connection import PendingConnection, Record, sandboxed, serve_command

DOCTOR_SECONDS = 180
_DOCTOR = "import sys; sys.path[:0] = sys.argv[1:2]; from gradvec.cli import main; sys.exit(main(['doctor', '--json']))"


def state_dir(record: Record) -> Path | None:
    return Path(record.state_dir) if record.state_dir else None


def status_lines(record: Record) -> list[str]:
    """How the engine is, in sentences."""
    told = commands.status(state_dir(record))
    if not told["running"]:
        first = [_("No engine runs; one starts by itself when it is needed.")]
        if sandboxed():
            first = [_("No engine runs, and this Inkscape cannot start one from its sandbox (Flatpak or Snap)."),
                     _('Run "{command}" in a terminal and leave it open.').format(command=serve_command(record))]
        return [*first, _("Its Python: {path}").format(path=record.python)]
    if not told.get("answering"):
        return [_("The engine runs as process {pid}, but it does not answer. Start it anew.").format(pid=told["pid"])]
    lines = [_("The engine runs: gradvec {version}, process {pid}.").format(version=told["version"], pid=told["pid"]),
             _("It computes on: {device}").format(device=told["device"] or _("not known before its first run"))]
    if told.get("running_job"):
        lines.append(_("It is working."))
    return [*lines, _("Its Python: {path}").format(path=told.get("python") or record.python),
            _("Its log: {path}").format(path=told.get("log") or "")]


def restart(record: Record) -> list[str]:
    """Ends the engine that runs, whatever it does, and starts a new one; returns how that one is.

    Raises:
        EngineError: it does not end, or the new one does not start.
    """
    if sandboxed():
        raise EngineError(_("This Inkscape runs in a sandbox (Flatpak or Snap) and cannot start gradvec's engine by "
                            "itself."),
                          _('End the engine in its terminal and run "{command}" there again.').format(
                              command=serve_command(record)))
    commands.stop(state_dir(record))
    pending = PendingConnection(record)
    pending.join()
    pending.client()
    pending.abandon()
    return status_lines(record)


def doctor_lines(record: Record) -> list[str]:
    """The doctor's report, one line a check, and under it what to do where something is wrong.

    Raises:
        EngineError: the doctor could not be asked.
    """
    if sandboxed():
        raise EngineError(_("The doctor cannot be asked from inside a sandbox (Flatpak or Snap)."),
                          _('Run "gradvec doctor" in a terminal.'))
    environment = clean_environment(os.environ)
    if os.environ.get("INKSCAPE_PROFILE_DIR"):  # so that the doctor looks at this Inkscape's extensions
        environment["INKSCAPE_PROFILE_DIR"] = os.environ["INKSCAPE_PROFILE_DIR"]
    if record.state_dir:
        environment["GRADVEC_STATE_DIR"] = record.state_dir
    try:
        done = subprocess.run([record.python, "-I", "-c", _DOCTOR, record.root], env=environment, capture_output=True,
                              timeout=DOCTOR_SECONDS, stdin=subprocess.DEVNULL, check=False, **quiet_window())
        report: dict[str, Any] = json.loads(done.stdout.decode("utf-8"))
        checks = report["checks"]
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as error:
        raise EngineError(_("The doctor could not be asked."), _('Run "gradvec doctor" in a terminal.')) from error
    marks = {"ok": "\u2713", "warning": "!", "broken": "\u2717"}
    lines = []
    for check in checks:
        lines.append(f"{marks.get(check.get('state'), '?')}  {check.get('name')}: {check.get('detail')}")
        if check.get("remedy"):
            lines.append(f"     \u2192 {check['remedy']}")
    return lines
