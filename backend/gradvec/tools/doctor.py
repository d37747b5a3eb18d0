"""Whether everything that gradvec needs is there and works; each problem with its remedy.

A check is ``broken`` when a run would fail because of it, ``warning`` when something is missing that not everybody
needs or when runs will be slower than they could be, else ``ok``.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import GradvecError

#: Older versions lack what the extension uses.
INKSCAPE_MIN = (1, 2)
#: Less free memory than this is a warning: the largest run that the defaults allow takes about as much.
MEMORY_MIN_GB = 1.5
_LIBRARIES = ("numpy", "torch", "numba", "scipy", "scikit-learn", "scikit-image", "pillow", "lxml", "resvg-py",
              "platformdirs")


@dataclass(frozen=True)
class Check:
    """One finding. state: ok, warning or broken. detail: what was found. remedy: what to do, if anything."""

    name: str
    state: str
    detail: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def examine() -> Iterator[Check]:
    """All checks, each as soon as it is known. A check that fails unexpectedly is itself a broken check."""
    for check in (python, libraries, memory, device, renderer, numba_cache, diffvg, engine_process, inkscape,
                  extension):
        yield _guarded(check)


def _guarded(check: Callable[[], Check]) -> Check:
    name = check.__name__.replace("_", " ")
    try:
        return check()
    except GradvecError as error:
        return Check(name, "broken", error.message, error.remedy)
    except ImportError as error:
        return Check(name, "broken", f"needs a library that cannot be loaded: {error}", "See the libraries above.")
    except Exception as error:
        return Check(name, "broken", f"the check itself failed: {type(error).__name__}: {error}",
                     "Please report it with the output of `gradvec doctor --json`.")


def python() -> Check:
    detail = f"gradvec {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return Check("python", "ok", f"{detail}, {sys.executable}")


def libraries() -> Check:
    """Installed versions of what gradvec depends on; nothing is imported."""
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("libraries", "broken", f"not installed: {', '.join(missing)}",
                     f"{sys.executable} -m pip install {' '.join(missing)}")
    return Check("libraries", "ok", ", ".join(found))


def memory() -> Check:
    total, free = memory_gb()
    if total is None or free is None:
        return Check("memory", "ok", "not known on this system")
    detail = f"{free:.1f} of {total:.1f} GB free"
    if free < MEMORY_MIN_GB:
        return Check("memory", "warning", detail, "Close other programs, or choose a smaller --size.")
    return Check("memory", "ok", detail)


def memory_gb() -> tuple[float | None, float | None]:
    """(total, free) memory of this machine in GB; None where the system does not say."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        kb = {name: int(value) for name, value in re.findall(r"(\w+):\s+(\d+) kB", meminfo.read_text())}
        return kb["MemTotal"] / 1e6, kb.get("MemAvailable", kb["MemFree"]) / 1e6
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
        return total, None
    return None, None


def device() -> Check:
    """Where the engine computes by itself, and why: a card must be usable and quicker than the processor."""
    from ..render import card, quicker

    cores = f"{_cores()} CPU cores"
    trouble = card.trouble()
    if trouble is not None:
        detail = f"{cores}; {_card()}{trouble.what}, so the processor computes"
        missing = trouble.expected or bool(trouble.remedy)
        return Check("device", "warning" if missing else "ok", detail, trouble.remedy)
    try:
        times = quicker.measure()
    except Exception as error:
        if not card.is_fault(error):
            raise
        card.lose(error)
        return Check("device", "warning", f"{cores}; {_card()}it fails at work ({card.in_short(error)}), so the "
                     "processor computes", "Update NVIDIA's driver and Triton, and run this again.")
    best = "the card" if times.card_wins else "the processor"
    return Check("device", "ok", f"{cores}; {_card()}a step takes {times.cuda_ms:.1f} ms there and "
                 f"{times.cpu_ms:.1f} ms on the processor, so {best} computes")


def _card() -> str:
    """The graphics card and its memory, as far as torch can tell."""
    import torch

    from ..render.card import sees_card

    if not sees_card():
        return ""
    try:
        free, total = torch.cuda.mem_get_info()
        return f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free, CUDA " \
               f"{torch.version.cuda}; "
    except Exception:  # what is wrong with it is told by the trouble that follows
        return ""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def renderer() -> Check:
    """Renders a picture whose pixels are known and times the first call, which loads or compiles the kernels."""
    from ..render import choose, render

    started = time.perf_counter()
    picture = render(_half_covered())
    seconds = time.perf_counter() - started
    engine, where = choose()
    covered = float(picture[1, 1, 3])
    if abs(covered - 0.5) > 1e-4:
        return Check("renderer", "broken", f"engine {engine} covers a half pixel to {covered:.3f}",
                     "Run again with --engine reference, and please report this.")
    return Check("renderer", "ok", f"engine {engine} on {where} renders; first picture after {seconds:.1f} s")


def _half_covered() -> Any:
    """A square from (0, 0) to (1.5, 3) on 4 x 4 px: pixel (1, 1) is half covered."""
    import numpy as np

    from ..model import Outline, Shape, SolidColor
    from ..render.scene import scene_from_shapes

    corners = np.array([[0, 0], [1.5, 0], [1.5, 3], [0, 3]], float)
    following = np.roll(corners, -1, 0)
    loop = np.stack([corners, corners + (following - corners) / 3, following + (corners - following) / 3], 1)
    return scene_from_shapes([Shape(Outline((loop.reshape(-1, 2),)), SolidColor((1.0, 0.0, 0.0)))], 4, 4)


def numba_cache() -> Check:
    """Whether compiled kernels are kept between runs. Without that every run compiles them again."""
    from ..render import kernel_cache
    from ..render.cpu import composite, composite_backward, coverage
    from ..render.cpu import kernels as cpu_kernels

    folder = kernel_cache.usable_folder()
    if folder is None:
        return Check("numba cache", "warning", "compiled kernels are not kept, so each run compiles them again: "
                     f"{kernel_cache.faults[0]}", "Set NUMBA_CACHE_DIR to a folder of your own that you may write to.")
    if kernel_cache.faults:
        return Check("numba cache", "warning", f"some kernels had to be compiled again: {kernel_cache.faults[-1]}",
                     f"If this comes again, free some disk space and remove the folder {folder}.")
    kernels = [kernel for module in (cpu_kernels, coverage, composite, composite_backward)
               for kernel in vars(module).values()]
    compiled = sum(sum(k.stats.cache_misses.values()) for k in kernels if hasattr(k, "stats"))
    files = len(list(folder.glob(f"*{kernel_cache.SUFFIX}")))
    if not files:
        return Check("numba cache", "warning", f"{folder} is empty", "The first run fills it.")
    state = f"was cold, {compiled} kernels compiled and kept just now" if compiled else "warm"
    return Check("numba cache", "ok", f"{state}, {files} kernels in {folder}")


def diffvg() -> Check:
    import importlib.util

    if importlib.util.find_spec("pydiffvg") is None:
        return Check("diffvg", "ok", "not installed; only --engine diffvg needs it (docs/diffvg.md)")
    from ..render.diffvg import load

    try:
        load()
    except GradvecError as error:
        return Check("diffvg", "warning", f"pydiffvg is there, but fails: {error.__cause__}", error.remedy)
    return Check("diffvg", "ok", "pydiffvg is importable, --engine diffvg can be used")


def engine_process() -> Check:
    """Asks the engine that runs; where none does, starts one of its own and lets it end again."""
    from .. import ipc
    from ..ipc.client import Client

    status = ipc.status()
    if status["running"] and not status["answering"]:
        return Check("engine process", "broken", f"process {status['pid']} does not answer", "gradvec engine stop")
    if status["running"]:
        return Check("engine process", "ok", f"process {status['pid']} runs and answers, version {status['version']}")
    started = time.perf_counter()
    with Client.one_shot() as client:
        version = client.hello.version
    seconds = time.perf_counter() - started
    if version != __version__:
        return Check("engine process", "broken", f"the engine that starts is gradvec {version}, this is {__version__}",
                     "Install gradvec again in one environment.")
    return Check("engine process", "ok", f"none runs; one starts and greets in {seconds:.1f} s")


def inkscape() -> Check:
    from .places import find_inkscape

    program = find_inkscape()
    if program is None:
        return Check("inkscape", "warning", "not found",
                     "Install it from https://inkscape.org, or leave it if the command line is all you use.")
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("inkscape", "broken", f"{program} does not start: {error}", "Install Inkscape again.")
    version = re.search(r"Inkscape (\d+)\.(\d+)\S*", told)
    if version is None:
        return Check("inkscape", "broken", f"{program} does not tell its version", "Install Inkscape again.")
    if (int(version[1]), int(version[2])) < INKSCAPE_MIN:
        return Check("inkscape", "broken", f"{version[0]}, {program}", "Install Inkscape 1.2 or newer.")
    return Check("inkscape", "ok", f"{version[0]}, {program}")


def extension() -> Check:
    """Whether the extension is where Inkscape looks, matches this gradvec, and names a Python that can run it."""
    from ..errors import UsageError
    from .install import installed

    again = "gradvec install-extension"
    try:
        record = installed()
    except UsageError as error:
        return Check("extension", "warning", error.message, error.remedy)
    if record is None:
        return Check("extension", "warning", "not installed", again)
    folder, python = record["folder"], record.get("python", "")
    if record.get("version") != __version__:
        return Check("extension", "broken", f"{folder} is of gradvec {record.get('version')}, this is {__version__}",
                     again)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    code = f"import sys; sys.path.insert(0, {record.get('root', '')!r}); import gradvec; print(gradvec.__version__)"
    try:
        told = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL, env=environment).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        told = ""
    if told != __version__:
        return Check("extension", "broken", f"{folder} names {python or 'no Python'}, which does not run gradvec",
                     again)
    return Check("extension", "ok", f"{folder}, engine run by {python}")
