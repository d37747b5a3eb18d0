"""Which engine belongs to this extension, and the way to it.

``gradvec install-extension`` writes ``engine.json`` beside the extension: which Python runs the engine and where the
package lies. The engine itself is found or started by gradvec.ipc, in a thread, so that the window stays alive.
"""

from __future__ import annotations

import json
import os
import shlex
import threading
from dataclasses import dataclass
from pathlib import Path

from gradvec import __version__
from gradvec.errors import EngineError
from gradvec.ipc.client import Client
from gradvec.ipc.launch import Launch

from ..ui.messages import _

RECORD = Path(__file__).resolve().parents[2] / "engine.json"


@dataclass(frozen=True)
class Record:
    """What install-extension noted. root: folder that holds the package, or "" where that Python finds it itself.

    state_dir: where the engine is found, None for the usual place.
    """

    python: str
    root: str = ""
    state_dir: str | None = None

    def launch(self) -> Launch:
        return Launch(self.python, self.root).with_environment(os.environ)


def sandboxed() -> bool:
    """Whether Inkscape runs in a Flatpak or Snap, from where the engine cannot be started."""
    return os.path.exists("/.flatpak-info") or os.environ.get("SNAP_NAME") == "inkscape"


def read_record(path: Path = RECORD) -> Record:
    """The engine that was recorded.

    Raises:
        EngineError: none was recorded, or what was recorded is gone.
    """
    again = _('Run "gradvec install-extension" in a terminal, then restart Inkscape.')
    if not path.exists():  # from the extension manager, which brings the extension alone
        raise EngineError(_("This extension needs gradvec's engine, a program of its own that is not installed yet."),
                          _('Type "pipx install gradvec" and then "gradvec install-extension" in a terminal, and '
                            "restart Inkscape."), "engine.unknown")
    try:
        values = json.loads(path.read_text("utf-8"))
        record = Record(str(values["python"]), str(values.get("root", "")), values.get("state_dir"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(_("This extension does not know where gradvec's engine is installed."), again,
                          "engine.unknown") from error
    if sandboxed():
        return record
    for lost in (record.python, record.root and os.path.join(record.root, "gradvec")):
        if lost and not os.path.exists(lost):
            raise EngineError(_("Gradvec's engine is gone: {path} does not exist any more.").format(path=lost), _(
                'Install gradvec again, run "gradvec install-extension" in a terminal, then restart Inkscape.'),
                "engine.gone")
    return record


class PendingConnection:
    """A connection to the engine that is being made in a thread of its own."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._client: Client | None = None
        self._error: BaseException | None = None
        self._abandoned = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._open, daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        return not self._thread.is_alive()

    def join(self) -> None:
        """Waits until it is ready, for callers that have a thread of their own."""
        self._thread.join()

    def client(self) -> Client:
        """The connection, once it is ready.

        Raises:
            EngineError: there is no way to the engine.
        """
        if self._error is not None:
            raise self._error
        assert self._client is not None
        return self._client

    def abandon(self) -> None:
        """Nobody waits any more: the connection is closed, now or as soon as it is there."""
        with self._lock:
            self._abandoned = True
            if self._client is not None:
                self._client.close()

    def _open(self) -> None:
        try:
            client = self._connect()
        except BaseException as error:
            self._error = error
            return
        with self._lock:
            self._client = client
            if self._abandoned:
                client.close()

    def _connect(self) -> Client:
        state_dir = Path(self._record.state_dir) if self._record.state_dir else None
        if not sandboxed():
            return Client.open(self._record.launch(), state_dir)
        try:
            client = Client.connect(state_dir)
        except EngineError as error:
            raise EngineError(
                _("This Inkscape runs in a sandbox (Flatpak or Snap), from which it can reach gradvec's engine and "
                  "your home folder, but start nothing."),
                _('Run "{command}" in a terminal and leave it open, or run it once with --at-login in place of --tcp '
                  "and log in anew; then choose this command again.").format(
                    command=serve_command(self._record)), error.code) from error
        if client.hello.version != __version__:
            client.close()
            raise EngineError(
                _("The engine that runs is gradvec {theirs}, but this extension is gradvec {ours}.").format(
                    theirs=client.hello.version, ours=__version__),
                _('Run "gradvec install-extension" again, and start the engine anew.'), "engine.version")
        return client


def serve_command(record: Record) -> str:
    """What to type outside of a sandbox, so that the extension inside of it finds an engine."""
    place = f"GRADVEC_STATE_DIR={shlex.quote(record.state_dir)} " if record.state_dir else ""
    return f"{place}gradvec engine serve --tcp"
