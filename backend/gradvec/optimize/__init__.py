"""Joint refinement: all shapes together against the picture, through the exact engine.

One dial, fidelity, says how far outlines may leave their brush. Shapes that do nothing are taken away and put where
the error is largest; paint order is otherwise kept.
"""

from .loop import Refinement, refine

__all__ = ["Refinement", "refine"]
