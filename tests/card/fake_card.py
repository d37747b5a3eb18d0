"""A card without a card: torch's fake tensors have a device and a shape and no numbers, and refuse to mix devices.

What a step does to them is what it would do to a card's tensors. :func:`on_a_card` runs code on them and collects what
would make the host wait for the card. The device's name is meta, because a torch without CUDA has no autograd for
tensors of cuda, fake or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from gradvec.render.scene import Scene
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

CARD = "meta"


class Watch(TorchDispatchMode):
    """Notes whatever copies between a card and the host, or asks a card for a number or for how many there are."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.name().removeprefix("aten::")
        tensors = list(tensors_in((*args, *kwargs.values())))
        here = {t.device.type for t in tensors}
        to = torch.device(kwargs["device"]).type if kwargs.get("device") is not None else None
        asks = name.startswith(("_local_scalar_dense", "nonzero", "masked_select", "unique"))
        # Decompositions look at what became of them.
        asks |= name.startswith(("linalg_", "_linalg_")) and "norm" not in name
        if CARD in here and (asks or (to == "cpu" and name.startswith("_to_copy"))):
            self.waits.append(name)
        if (to == CARD and "cpu" in here and name.startswith("_to_copy")) or (
                name.startswith("copy_") and len({t.device.type for t in tensors}) > 1):
            self.waits.append(f"{name} between card and host")
        if name.startswith(("index.", "index_put")) and CARD in here and any(
                i is not None and (i.dtype == torch.bool or i.device.type == "cpu") for i in args[1]):
            self.waits.append(f"{name} by a mask, or by the host's numbers")
        return func(*args, **kwargs)


def tensors_in(arguments: object) -> Iterator[torch.Tensor]:
    """All tensors in nested tuples and lists."""
    if isinstance(arguments, torch.Tensor):
        yield arguments
    elif isinstance(arguments, (list, tuple)):
        for argument in arguments:
            yield from tensors_in(argument)


@contextmanager
def on_a_card() -> Iterator[Watch]:
    """Inside, tensors may be on CARD; the result's ``waits`` is what the host would have waited for."""
    with FakeTensorMode(allow_non_fake_inputs=True), Watch() as watch:
        yield watch


def render_shapes(scene: Scene, *asked: str) -> torch.Tensor:
    """In the place of render_flat: (P, 4) zeros that depend on all parameters of a scene, which lie on the card."""
    assert {p.device.type for p in scene.parameters} == {CARD}, "nothing of a scene may stay behind"
    total = sum(p.sum() for p in scene.parameters)
    picture = torch.zeros(4, int(scene.topology.canvas_start[-1]), dtype=scene.points.dtype, device=CARD)
    return picture.t() + 0 * total
