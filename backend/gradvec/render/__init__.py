"""One contract, several engines: ``render(scene)`` gives a picture that is differentiable in all that a scene holds.

Engines: ``reference`` (the definition, dense torch), ``cpu`` (numba), ``cuda`` (Triton), ``diffvg`` (an adapter to a
pydiffvg that the user built). An engine is loaded when it is first asked for.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import EngineError
from . import card

if TYPE_CHECKING:
    import torch

    from .scene import Scene

_LOG = logging.getLogger("gradvec.render")
_NO_CARD = "Install a CUDA build of torch and NVIDIA's driver, or choose device cpu."
#: The device that rendered last in this process.
_last_device = ""
ENGINES = ("auto", "reference", "cpu", "cuda", "diffvg")
DEVICES = ("auto", "cpu", "cuda")


def render(scene: Scene, engine: str = "auto", device: str = "auto", *, background: Any = None,
           rule: str | None = None) -> torch.Tensor:
    """Picture of a scene with one canvas.

    Args:
        background: instead of the scene's own: a colour of 3 or 4 numbers, straight, or a picture (H, W, 3) or
            (H, W, 4), premultiplied; differentiable.
        rule: instead of the scene's own for every outline: nonzero or evenodd.

    Returns:
        (H, W, 4) premultiplied RGBA, sRGB-encoded, on the device and in the dtype of the scene's points.

    Raises:
        EngineError: as :func:`render_flat`; or the scene has not exactly one canvas; or the background does not fit.
    """
    sizes = scene.topology.sizes
    if len(sizes) != 1:
        raise EngineError(f"render() expects a scene with one canvas, got {len(sizes)}.", "Use render_flat().")
    if background is None and rule is None:
        return render_flat(scene, engine, device).reshape(int(sizes[0, 1]), int(sizes[0, 0]), 4)
    from . import ground
    if rule is not None:
        scene = ground.with_rule(scene, rule)
    if background is not None and not ground.is_picture(background):
        scene, background = ground.with_ground(scene, background), None
    if background is None:
        return render(scene, engine, device)
    from .build import with_alpha
    return ground.over(render(ground.with_ground(scene, (0, 0, 0, 0)), engine, device), with_alpha(background))


def render_flat(scene: Scene, engine: str = "auto", device: str = "auto") -> torch.Tensor:
    """Pictures of all canvases of a scene, one after the other: Topology.canvas_start says where each begins.

    Differentiable (autograd) in every parameter of the scene that requires grad.

    Args:
        scene: in float32 or float64; half precision is computed in float32 and handed back as it came.
        engine: auto, reference, cpu, cuda or diffvg. auto: cuda where its kernels run and are quicker than the
            processor, else cpu; with device cuda it is cuda, which without Triton means the dense torch path on the
            device. A scene that lives on the processor is rendered there when the card fails.
        device: auto, cpu or cuda: where the engine computes; the result is on the scene's own device.

    Returns:
        (P, 4) premultiplied RGBA, sRGB-encoded.

    Raises:
        EngineError: the engine or device is unknown or not at hand, or a parameter is misshapen or not finite.
    """
    points, scene = scene.points, checked_scene(scene)
    global _last_device
    engine, device = choose(engine, device)
    _last_device = device
    if points.device.type == "cpu" and device == "cuda":
        from .away import render_away
        return render_away(scene, device, _load(engine), _load("cpu")).to(points)
    return _load(engine)(scene.to(device=device)).to(points)


def checked_scene(scene: Scene) -> Scene:
    """The scene as engines take it: looked at, and half precision, which has too few digits for coordinates, in
    float32."""
    _refuse_vmap(scene)
    scene.check()
    if scene.points.dtype.itemsize < 4:
        import torch
        scene = scene.to(dtype=torch.float32)
    return scene


def squared_error(*args: Any, **options: Any) -> torch.Tensor:
    """The sum of squared differences from a goal: see :func:`gradvec.render.comparing.squared_error`."""
    from .comparing import squared_error as measured
    return measured(*args, **options)


def squared_error_and_slopes(scene: Scene, goal: torch.Tensor,
                             weight: torch.Tensor) -> tuple[float, list[torch.Tensor]]:
    """The number and all its derivatives, without a graph: see
    :func:`gradvec.render.comparing.squared_error_and_slopes`."""
    from .comparing import squared_error_and_slopes as measured
    return measured(scene, goal, weight)


def _refuse_vmap(scene: Scene) -> None:
    """Raises EngineError inside torch.vmap, where nobody can look at a scene's numbers."""
    import torch
    batched = getattr(torch._C._functorch, "is_batchedtensor", None)
    if batched is not None and any(batched(p) for p in scene.parameters):
        raise EngineError("A scene cannot be rendered inside torch.vmap.",
                          "Put the scenes together with join_scenes() and render_flat() them in one call.")


def choose(engine: str = "auto", device: str = "auto") -> tuple[str, str]:
    """The engine and device that will compute when these are asked for.

    Where the card failed earlier in this process the processor is chosen, whatever was asked for. Under Triton's
    interpreter the cuda engine works on the processor, which is how whole jobs are tried on it without a card.

    Raises:
        EngineError: the pair makes no sense or this machine lacks the device.
    """
    if engine not in ENGINES or device not in DEVICES:
        name, known = (engine, ENGINES) if engine not in ENGINES else (device, DEVICES)
        raise EngineError(f"There is no engine or device named {name!r}.", f"Choose one of {', '.join(known)}.")
    if {"cpu", "cuda"} == {engine, device}:
        raise EngineError(f"Engine {engine} does not run on device {device}.", "Leave one of the two on auto.")
    if engine == "cuda" and device == "auto" and card.interpreted():
        return "cuda", "cpu"
    if "cuda" in (engine, device):
        trouble = card.trouble()
        if trouble is not None and trouble.kind == card.LOST:
            engine, device = ("cpu" if engine in ("auto", "cuda") else engine), "cpu"
        elif trouble is not None and trouble.kind == card.ABSENT:
            raise EngineError(f"No CUDA device can be used here: {trouble.what}.", trouble.remedy or _NO_CARD)
    if engine == "auto":
        engine = "cuda" if device == "cuda" or (device == "auto" and _card_is_best()) else "cpu"
    if device == "auto":
        device = "cuda" if engine == "cuda" else "cpu"
    return engine, device


def computes_on() -> str | None:
    """What really computed the last picture of this process: ``cpu``, or ``cuda (NAME OF THE CARD)``; None before the
    first, and the processor once a card has failed."""
    if _last_device != "cuda":
        return _last_device or None
    trouble = card.trouble()
    if trouble is not None and trouble.kind == card.LOST:
        return "cpu"
    import torch
    return f"cuda ({torch.cuda.get_device_name()})"


def _card_is_best() -> bool:
    """Whether the card can be used and is quicker than the processor here."""
    trouble = card.trouble()
    if trouble is None:
        from .quicker import card_is_quicker
        return card_is_quicker()
    if trouble.expected and trouble.kind != card.LOST:
        _say_once(f"The graphics card is not used: {trouble.what}. {trouble.remedy} The processor computes.")
    return False


@cache
def _say_once(text: str) -> None:
    _LOG.warning(text)


def _load(engine: str):
    """The engine's render_flat(scene), imported now."""
    if engine == "reference":
        from . import reference
        return reference.render_flat
    if engine == "cpu":
        from . import cpu
        return cpu.render_flat
    if engine == "cuda":
        from . import cuda
        return cuda.render_flat
    from . import diffvg
    return diffvg.render_flat
