"""Jobs that play every way a run can go, for an engine that needs no numeric library.

    Launch(python, root, jobs="fake_jobs:run_job", paths=(this directory,))
``run_job`` plays the part that the job's kind names; each part is also a run_job of its own, so that an engine started
with ``fake_jobs:slow`` plays that one whatever the caller asks for: a real window can be tried with each.
"""

from __future__ import annotations

import logging
import os
import struct
import time
import zlib

from gradvec.errors import InputError

#: Long enough for any caller to lose patience, short enough that a leftover ends.
SLOW_SECONDS = 60.0


def success(kind, options, payloads, info, run):
    """Three stages in a moment, then an SVG with one gradient path."""
    for stage in ("painting", "outlines", "colours"):
        with run.stage(stage, 0.0, 1.0):
            for share in (0.25, 0.5, 0.75):
                run.step(share)
        run.preview(lambda: png(2, 2))
    return {"svg": svg(options)}, {"width": 64, "height": 48, "paths": 1, "seconds": 0.1, "name": info.get("name", "")}


def slow(kind, options, payloads, info, run):
    """A minute of steps and previews; what there is when it is asked to stop and keep."""
    count = int(SLOW_SECONDS / 0.02)
    with run.stage("painting", 0.0, 1.0):
        for step in range(count):
            run.step(step / count)
            run.preview(lambda: png(8, 8))
            if run.keep:
                return {"svg": svg(options)}, {"width": 64, "height": 48, "paths": 1, "seconds": 0.0, "kept": step}
            time.sleep(0.02)
    return {"svg": svg(options)}, {"width": 64, "height": 48, "paths": 1, "seconds": SLOW_SECONDS}


def failing(kind, options, payloads, info, run):
    """An error that is meant for the artist."""
    run.step(0.1)
    raise InputError("The picture is truncated.", "Save it again.")


def noting(kind, options, payloads, info, run):
    """Says twice that something was not as it should be, and goes on."""
    for _ in range(2):
        logging.getLogger("gradvec.render").warning("The graphics card failed: %s. The processor goes on.", "dust")
    return {"svg": svg(options)}, {"width": 64, "height": 48, "paths": 1, "seconds": 0.0}


def unknown(kind, options, payloads, info, run):
    """A fault that nobody foresaw."""
    raise ZeroDivisionError("division by zero\nand a second line")


def incomplete(kind, options, payloads, info, run):
    """A library that is not installed."""
    import a_library_that_is_missing  # noqa: F401


def leaving(kind, options, payloads, info, run):
    raise SystemExit(7)


def hungry(kind, options, payloads, info, run):
    raise MemoryError


def dying(kind, options, payloads, info, run):
    """The process ends without a word, as a library's own abort would have it."""
    run.step(0.3)
    os._exit(3)


def deaf(kind, options, payloads, info, run):
    """Computes without ever asking whether it should stop."""
    end = time.monotonic() + SLOW_SECONDS
    while time.monotonic() < end:
        sum(range(10000))
    return {}, {}


def sleeping(kind, options, payloads, info, run):
    """Neither computes nor asks whether it should stop."""
    time.sleep(SLOW_SECONDS)
    return {}, {}


def orphaning(kind, options, payloads, info, run):
    """Leaves a child behind that holds on to everything, and ends; with "deaf" in the options it stays and ignores."""
    import subprocess
    import sys

    child = os.fork()
    if not child:
        time.sleep(SLOW_SECONDS)
        os._exit(0)
    second = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({SLOW_SECONDS})"])
    run.step(0.5)
    with open(info["note"], "w") as file:
        file.write(f"{child} {second.pid}")
    if options.get("deaf"):
        deaf(kind, options, payloads, info, run)
    os._exit(3)


def stubborn(kind, options, payloads, info, run):
    """Comes back with a result although it was cancelled."""
    while not run.token.cancelled:
        time.sleep(0.01)
    return {"svg": svg(options)}, {"done": True}


def echo(kind, options, payloads, info, run):
    """Everything back, to see that it arrives unharmed."""
    return payloads, {"options": options, "info": info, "pid": os.getpid()}


def measure(kind, options, payloads, info, run):
    """Sizes, checksums and the most memory this process has had, in KiB."""
    import resource

    return {}, {"sizes": {name: len(data) for name, data in payloads.items()},
                "crc": {name: zlib.crc32(data) for name, data in payloads.items()},
                "types": sorted({type(data).__name__ for data in payloads.values()}),
                "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def printing(kind, options, payloads, info, run):
    """What libraries do without asking."""
    import sys
    import warnings

    print("a library prints to standard output")
    print("and to standard error", file=sys.stderr, flush=True)
    warnings.warn("and warns", stacklevel=1)
    return {}, {"done": True}


def environment(kind, options, payloads, info, run):
    """What the job sees of the process it runs in."""
    import sys

    print("a library prints to standard output")
    print("and to standard error", file=sys.stderr)
    os.write(1, b"even past Python\n")
    return {}, {"environ": dict(os.environ), "argv": sys.argv, "path": sys.path, "isolated": sys.flags.isolated,
                "modules": sorted(sys.modules), "cwd": os.getcwd(), "stdin": os.readlink("/proc/self/fd/0"),
                "session": os.getsid(0), "pid": os.getpid()}


def not_json(kind, options, payloads, info, run):
    return {}, {"share": float("nan")}


def not_bytes(kind, options, payloads, info, run):
    return {"svg": "text"}, {}


def bad_preview(kind, options, payloads, info, run):
    """A preview that fails must not cost the run."""
    run.preview(lambda: 1 / 0)
    return {}, {"done": True}


def flood(kind, options, payloads, info, run):
    """More reports than anybody can read."""
    with run.stage("painting", 0.0, 1.0):
        for step in range(20000):
            run.step(step / 20000)
            run.preview(lambda: png(4, 4))
    return {}, {"done": True}


def run_job(kind, options, payloads, info, run):
    """Plays the part that ``kind`` names; a plain "paint" succeeds."""
    return globals()["success" if kind == "paint" else kind](kind, options, payloads, info, run)


def svg(options):
    """A small result as the real engine makes them: one layer, one path, one gradient."""
    return (b'<svg xmlns="http://www.w3.org/2000/svg" '
            b'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" width="64" height="48" viewBox="0 0 64 48">'
            b'<defs><linearGradient id="s1-fill" gradientUnits="userSpaceOnUse" x1="4" y1="4" x2="60" y2="44" '
            b'inkscape:collect="always"><stop offset="0" stop-color="#cc2200"/><stop offset="1" stop-color="#ffcc00"/>'
            b'</linearGradient></defs><g inkscape:groupmode="layer" inkscape:label="shapes" id="gradvec-size-1">'
            b'<path id="s1" d="M 4 4 C 24 4 44 4 60 4 C 60 18 60 30 60 44 C 44 44 24 44 4 44 C 4 30 4 18 4 4 Z" '
            b'fill="url(#s1-fill)"/></g></svg>')


def png(width, height):
    """A small picture, red."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    rows = (b"\0" + b"\xff\x00\x00" * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
