"""The log of the command line: tracebacks of failures that nobody foresaw."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

#: The log starts anew above this size.
BYTES_MAX = 1_000_000


def log_path() -> Path:
    """Where tracebacks go: $GRADVEC_LOG, or gradvec.log in the user's log folder."""
    import platformdirs

    return Path(os.environ.get("GRADVEC_LOG") or platformdirs.user_log_path("gradvec") / "gradvec.log")


def write_traceback(error: BaseException) -> Path | None:
    """Adds the traceback of ``error`` to the log; None where the log cannot be written."""
    from .. import __version__

    try:
        path = log_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "w" if path.exists() and path.stat().st_size > BYTES_MAX else "a"
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} gradvec {__version__} {' '.join(sys.argv[1:])}\n")
            file.write("".join(traceback.format_exception(error)) + "\n")
    except (OSError, ImportError):
        return None
    return path
