"""Optimizations on a card: their steps are replayed where they can be, and where the card fails in the middle the
processor goes on from what was last kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..render import card, choose, render_flat

if TYPE_CHECKING:
    import torch

    from ..render.cuda.graph import ReplayedSteps, Step

#: Steps after which what a card holds is copied to the processor, in case the card fails.
KEEP_EVERY = 20

S = TypeVar("S", bound="State")
S_co = TypeVar("S_co", bound="State", covariant=True)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class State(Protocol):
    """Where an optimization is: all that it takes to go on from there."""

    def copied_to(self: S, device: str) -> S:
        """The same state with its tensors on ``device``, sharing nothing that changes."""
        ...


class Optimization(Protocol[S_co, R_co]):
    """One under way."""

    @property
    def kept(self) -> S_co:
        """Where it was when it was last kept, on the processor."""
        ...

    def result(self) -> R_co:
        """Goes on to the end."""
        ...


def run_where_it_works(state: S, asked: tuple[str, str], begin: Callable[[S, str, bool], Optimization[S, R]]) -> R:
    """What an optimization comes to that starts from ``state``, which lies on the processor.

    Args:
        asked: engine and device, as :func:`gradvec.render.choose` takes them.
        begin: makes the optimization from a state on its device, the chosen engine, and whether that is a card's. On
            the processor it gets ``state`` itself.

    Raises:
        EngineError: the engine or device is not at hand. CardLost: the card failed, and nothing else may be used.
    """
    while True:
        engine, device = choose(*asked)
        on_card = "cuda" in (engine, device)
        under_way = None
        try:
            under_way = begin(state.copied_to(device) if on_card else state, engine, on_card)
            return under_way.result()
        except Exception as error:
            if not on_card or not card.is_fault(error):
                raise
            card.lose(error)
        if choose(*asked) == (engine, device):
            raise card.CardLost("The graphics card failed.", "Run again with device cpu.")
        state = state if under_way is None else under_way.kept


def replayed(step: Step, state: Callable[[], Sequence[torch.Tensor]], home: torch.device, engine: str,
             name: str) -> ReplayedSteps | None:
    """Steps on tensors on ``home`` that a card is asked for once (see :class:`ReplayedSteps`); None where they go as
    they come."""
    if home.type != "cuda" or engine != "cuda" or not card.triton_present() or card.kernels_fail():
        return None
    from ..render.cuda.graph import ReplayedSteps
    return ReplayedSteps(step, state, lambda scene: render_flat(scene, engine), name)
