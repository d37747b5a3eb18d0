"""Renders one SVG from standard input to a PNG on standard output, in a process that can do no harm. Run as a file.

Foreign drawings crash renderers, fill memory and name files of the user. Here memory and processor time end, nothing
is left behind by a crash, and after the start no file can be opened. Imports nothing of gradvec.
"""

from __future__ import annotations

import contextlib
import json
import sys


def confine(memory_bytes: int, seconds: int) -> None:
    """Limits of this process, where the system has them: memory, processor time, no core file, no further files."""
    try:
        import resource
    except ImportError:  # Windows: the caller's clock is the only limit
        return
    for kind, most in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0),
                       (resource.RLIMIT_NOFILE, 3)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def main() -> int:
    import resvg_py

    wanted = json.loads(sys.argv[1])
    svg = sys.stdin.buffer.read().decode("utf-8")
    confine(wanted["memory_bytes"], wanted["seconds"])
    try:
        png = resvg_py.svg_to_bytes(svg_string=svg, background=wanted["background"], skip_system_fonts=True)
    except ValueError as error:
        sys.stderr.write(str(error)[:500])
        return 3
    sys.stdout.buffer.write(bytes(png))
    return 0


if __name__ == "__main__":
    sys.exit(main())
