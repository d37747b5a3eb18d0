"""From a picture to brush strokes."""

from ...brushes import outlines as brushes
from .painter import paint

__all__ = ["brushes", "paint"]
