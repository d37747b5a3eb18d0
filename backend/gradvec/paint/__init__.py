"""From a picture to brush strokes."""

from . import brushes
from .painter import paint

__all__ = ["brushes", "paint"]
