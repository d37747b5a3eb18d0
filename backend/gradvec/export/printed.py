"""PDF and EPS with gradients as gradients: by cairosvg, or by Inkscape where only that is there."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from ..errors import EngineError, InputError, UsageError
from ..tools.places import find_inkscape

#: How long Inkscape may take, s.
SECONDS_MAX = 300


def printed(data: bytes, ending: str) -> bytes:
    """An SVG without filters as the bytes of a file. ending: ".pdf" or ".eps".

    Raises:
        UsageError: neither program is there. InputError: it cannot be written so. EngineError: Inkscape failed.
    """
    try:
        import cairosvg
    except (ModuleNotFoundError, OSError) as error:  # OSError: the library cairo is not on this machine
        program = find_inkscape()
        if program is None:
            raise UsageError("PDF and EPS need cairosvg or Inkscape, and neither is installed.",
                             "pip install 'gradvec[export]', or install Inkscape.") from error
        return _by_inkscape(program, data, ending)
    try:
        return bytes({".pdf": cairosvg.svg2pdf, ".eps": cairosvg.svg2eps}[ending](bytestring=data))
    except Exception as error:  # it lets through whatever its parser and cairo raise
        raise InputError(f"The drawing cannot be written as {ending[1:].upper()}: {str(error)[:200]}.",
                         "Open it in Inkscape and save a copy in that format.") from error


def _by_inkscape(program: str, data: bytes, ending: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gradvec-") as folder:
        source, made = Path(folder, "in.svg"), Path(folder, f"out{ending}")
        source.write_bytes(data)
        try:
            done = subprocess.run([program, str(source), f"--export-filename={made}"], capture_output=True, check=False,
                                  timeout=SECONDS_MAX, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"Inkscape wrote no {ending[1:].upper()}: {error}.",
                              "Start it by hand to see why.") from error
        if not made.exists():
            told = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise EngineError(f"Inkscape wrote no {ending[1:].upper()}: {told[0]}.", "Start it by hand to see why.")
        return made.read_bytes()
