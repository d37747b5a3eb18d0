"""Work that takes no time and does as it is told: what workers are given in tests. Its own processes import it."""

import os
import signal
import time
from pathlib import Path

from gradvec.batch.painting import Painted
from gradvec.errors import InputError


def wait_for(path, run=None):
    """Until there is such a file; gives up after a minute, so that nothing stays behind."""
    until = time.monotonic() + 60
    while not Path(path).exists() and time.monotonic() < until:
        if run is not None:
            run.step(0.5)
        time.sleep(0.01)


def wait_until_gone(pid):
    """Until there is no such process."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} lives on")


def first_time(path):
    """Whether nobody was here before."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def say_who(path):
    """Writes this process's number to path.pid, which appears whole."""
    Path(f"{path}.new").write_text(str(os.getpid()))
    os.replace(f"{path}.new", f"{path}.pid")


def obey(item, run):
    """item: (what to do, a file for remembering). Returns what it was told and by whom it was done."""
    what, path = item
    if what == "fail":
        raise InputError("This is no picture.", "Choose another.")
    if what == "break":
        raise ZeroDivisionError("nobody foresaw this")
    if what == "die" or (what == "die once" and first_time(path)):
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "stumble" and first_time(path):
        raise OSError(5, "Input/output error")
    if what == "stumble always":
        raise OSError(5, "Input/output error")
    if what == "half":
        wait_for(path, run)
    if what == "wait":
        say_who(path)
        wait_for(path, run)
    if what == "for ever":
        say_who(path)
        while True:
            run.step(0.5)
            time.sleep(0.02)
    if what == "say":
        import logging

        logging.getLogger("gradvec").warning("The card failed.")
    return what, os.getpid()


def threads(item, run):
    """What a worker was told about threads and cards."""
    return {name: os.environ.get(name) for name in ("NUMBA_NUM_THREADS", "CUDA_VISIBLE_DEVICES")}


def paint(item, run):
    """Paints a text file: its words are what obey is told; notes in painted.log beside it that it was done."""
    source = Path(item.source) if isinstance(item.source, str) else None
    data = source.read_bytes() if source else item.source
    what, _, path = data.decode().partition(" ")
    if what == "wait":
        obey(("wait", path), run)
    if what == "fail":
        raise InputError(f"{item.name} is no picture.", "Choose another.")
    if path:
        with open(f"{path}.log", "a") as log:
            log.write(f"{item.name}\n")
    import hashlib

    figures = {"width": 8, "height": 8, "paths": 1, "gradients": 1, "segments": 4, "psnr": 30.0, "svg_bytes": 6}
    return Painted(b"<svg/>", figures, hashlib.sha256(data).hexdigest(), len(data), b"small")
