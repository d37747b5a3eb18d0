"""``gradvec paint --engine-process auto``: the warm engine paints, and this process only waits and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..io.files import read_file
from ..ipc.client import Client, ErrorEvent, ProgressEvent, ResultEvent
from ..options import Options
from ..progress import CancelToken, Progress
from .reporting import Silent

#: How often a cancel is looked for, s.
POLL_S = 0.1


def paint_remotely(source: Path | bytes, options: Options, say: Silent,
                   token: CancelToken) -> tuple[bytes, dict[str, Any]]:
    """(SVG, report) of a picture painted by the engine process, which is started where none runs.

    Raises:
        GradvecError: what the job ended with, or the engine cannot be reached.
    """
    name = source.name if isinstance(source, Path) else ""
    data = read_file(source, str(source)) if isinstance(source, Path) else source
    with Client.open() as client:
        client.submit("paint", options.to_dict(), {"picture": data}, {"name": name, "relative": True})
        asked_to_keep = False
        while True:
            event = client.poll(POLL_S)
            if isinstance(event, ErrorEvent):
                raise event.error()
            if isinstance(event, ResultEvent):
                return event.payloads["svg"], event.info
            if isinstance(event, ProgressEvent):
                say.progress(Progress(event.stage, event.fraction, event.seconds_left))
            if token.cancelled:
                client.cancel()
            elif token.keep and not asked_to_keep:
                asked_to_keep = True
                client.stop_and_keep()
