"""Which engine belongs to this extension, and the way to it.

``gradvec install-extension`` writes ``engine.json`` beside the extension: which Python runs the engine and where the
package lies. The engine itself is found or started by gradvec.ipc, in a thread, so that the window stays alive.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from gradvec.errors import EngineError
from gradvec.ipc.client import Client
from gradvec.ipc.launch import Launch

from .messages import _

RECORD = Path(__file__).resolve().parent.parent / "engine.json"


@dataclass(frozen=True)
class Record:
    """What install-extension noted. root: folder that holds the package, or "" where that Python finds it itself.

    state_dir: where the engine is found, None for the usual place. tcp: the engine must listen on a port, too, because
    this Inkscape runs in a sandbox.
    """

    python: str
    root: str = ""
    state_dir: str | None = None
    tcp: bool = False

    def launch(self) -> Launch:
        return Launch(self.python, self.root, tcp=self.tcp).with_environment(os.environ)


def sandboxed() -> bool:
    """Whether Inkscape runs in a Flatpak, from where no other program can be started."""
    return os.path.exists("/.flatpak-info")


def read_record(path: Path = RECORD) -> Record:
    """The engine that was recorded.

    Raises:
        EngineError: none was recorded, or what was recorded is gone.
    """
    again = _('Run "gradvec install-extension" in a terminal, then restart Inkscape.')
    try:
        values = json.loads(path.read_text("utf-8"))
        record = Record(str(values["python"]), str(values.get("root", "")), values.get("state_dir"),
                        bool(values.get("tcp", False)))
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


class Opening:
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
            return Client.connect(state_dir)
        except EngineError as error:
            raise EngineError(
                _("This Inkscape runs in a sandbox (Flatpak) and cannot start gradvec's engine by itself."),
                _('Run "gradvec engine start" in a terminal, then choose the command again.'), error.code) from error
