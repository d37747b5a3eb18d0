"""Which of the two is quicker on this machine, the card or the processor: measured once and remembered.

A small card beside a large processor may lose. The answer is kept in the user's cache folder, with what it depends on:
the card, the number of cores and the versions; a file that is damaged or of another machine is as good as none.
"""

from __future__ import annotations

import functools
import json
import logging
import math
import os
import time
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from . import card

_LOG = logging.getLogger("gradvec.render")
#: A common painting: strokes, and px of its side; steps that are timed after one that compiles.
STROKES, SIDE, RUNS = 500, 512, 5


@dataclass(frozen=True)
class Times:
    """ms of a step (a picture and its derivative), the least of RUNS."""

    cuda_ms: float
    cpu_ms: float

    @property
    def card_wins(self) -> bool:
        return self.cuda_ms < self.cpu_ms


def card_is_quicker() -> bool:
    """Whether the card beats the processor; False where the card fails while it is measured."""
    try:
        return times().card_wins
    except Exception as error:
        if not card.is_fault(error):
            raise
        card.lose(error)
    return False


@cache
def times() -> Times:
    """What was measured on this machine, now or at an earlier run."""
    return remembered() or measure()


def measure() -> Times:
    """Measures both and remembers it. Takes some seconds, longer where kernels are compiled first."""
    found = Times(step_ms("cuda", "cuda"), step_ms("cpu", "cpu"))
    _remember(found)
    return found


def state_path() -> Path:
    """Where the answer is kept."""
    import platformdirs

    return Path(platformdirs.user_cache_path("gradvec")) / "card.json"


def remembered() -> Times | None:
    """What an earlier run measured on this machine with these versions; None where nobody did."""
    try:
        kept = json.loads(state_path().read_text("utf-8"))
        if kept["machine"] != _machine():
            return None
        found = Times(float(kept["cuda_ms"]), float(kept["cpu_ms"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if all(math.isfinite(ms) and ms > 0 for ms in asdict(found).values()) else None


def _remember(found: Times) -> None:
    """Best effort: who cannot write measures again next time."""
    path = state_path()
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"machine": _machine(), **asdict(found)}, indent=1), "utf-8")
        beside.replace(path)
    except OSError as error:
        _LOG.info("The speed of the card is not remembered: %s", error)


def _machine() -> dict[str, Any]:
    """What the answer depends on."""
    import torch

    from .. import __version__

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    try:
        triton = metadata.version("triton")
    except metadata.PackageNotFoundError:
        triton = ""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"gradvec": __version__, "card": name, "cores": cores, "torch": torch.__version__, "triton": triton}


def step_ms(engine: str, device: str, strokes: int = STROKES, side: int = SIDE, runs: int = RUNS) -> float:
    """The least time of a picture of ``strokes`` random strokes and its derivative, ms; on a card as stages run it,
    replayed where that can be."""
    import torch

    from . import render_flat

    scene = _strokes(strokes, side).to(device=device)
    moving = scene.with_parameters(*(p.requires_grad_() for p in scene.parameters[:-1]), scene.background)
    slope = torch.ones(4, side * side, device=device).t()

    def step(render: Any, numbers: Any = ()) -> torch.Tensor:
        picture: torch.Tensor = render(moving)
        (picture * slope).sum().backward()
        for parameter in moving.parameters:
            parameter.grad = None
        return picture.detach()

    def plain(scene: Any) -> torch.Tensor:
        return render_flat(scene, engine)

    make, before = functools.partial(step, plain), 1
    if engine == "cuda" and card.triton_present() and not card.kernels_fail():
        from .cuda.graph import WARM_UP, ReplayedSteps
        make, before = functools.partial(ReplayedSteps(step, list, plain, "measuring"), (1.0,)), WARM_UP + 1
    least = math.inf
    for run in range(before + runs):
        started = time.perf_counter()
        make()
        if device == "cuda":
            torch.cuda.synchronize()
        if run >= before:  # those before compile and capture
            least = min(least, (time.perf_counter() - started) * 1e3)
    return least


def _strokes(count: int, side: int) -> Any:
    """A scene of rough discs of about 40 px, each of four cubics, with linear gradients."""
    import numpy as np
    import torch

    from .scene import LINEAR, Scene, Topology

    rng = np.random.default_rng(0)
    centres = rng.uniform(0, side, (count, 1, 2))
    angles = rng.uniform(0, 2 * np.pi, (count, 1)) + np.linspace(0, 2 * np.pi, 12, endpoint=False)
    loops = centres + rng.uniform(12, 28, (count, 12, 1)) * np.stack([np.cos(angles), np.sin(angles)], -1)
    axis = rng.uniform(-20, 20, (count, 2))
    geometry = np.concatenate([centres[:, 0] - axis, centres[:, 0] + axis], 1)
    per_stroke = np.arange(count + 1)
    topology = Topology(12 * per_stroke, per_stroke, 2 * per_stroke, np.full(count, LINEAR, np.uint8),
                        np.zeros(count, np.int64), np.array([[side, side]], np.int64))

    def tensor(values: Any) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32))

    return Scene(topology, tensor(loops.reshape(-1, 2)), tensor(geometry), tensor(np.tile([0.0, 1.0], count)),
                 tensor(rng.uniform(0, 1, (2 * count, 4))), torch.ones(count), torch.ones(1, 4))
