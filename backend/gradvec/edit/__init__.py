"""Editing what was inserted: refine some strokes, repaint an area, add detail, fit gradients anew, trace rasters.

All of it works on a picture and on a drawing over it, given in the picture's own px, and answers with the shapes that
are new or changed, in the same px and with the same ids. Nothing else of the drawing moves.
"""

from .region import add_detail, repaint
from .selection import refine_some, refit, trace
from .workspace import Workspace

__all__ = ["Workspace", "add_detail", "refine_some", "refit", "repaint", "trace"]
