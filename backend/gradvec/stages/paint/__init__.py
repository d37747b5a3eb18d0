"""From a picture to brush strokes."""

from .painter import paint

__all__ = ["paint"]
