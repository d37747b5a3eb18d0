"""The one optimizer: all shapes together against a picture, through the exact engine.

    shapes -> variables -> picture -> loss -> derivative -> Adam -> constraints -> ... -> shapes

One dial, fidelity, says how far outlines may leave their brush. Shapes that do nothing are taken away and put where
the error is largest; paint order is otherwise kept. Pixels may count unequally, shapes may move at different paces, the
ground may be trained, and further constraints are small objects (see :mod:`.constraints`).
"""

from .loop import Refined, Refinement, refine

__all__ = ["Refined", "Refinement", "refine"]
