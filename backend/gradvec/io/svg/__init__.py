"""A Document as SVG and back: ``write(document) -> bytes`` and its inverse ``read(data) -> Document``."""

from .read import read
from .write import NAMESPACE, write

__all__ = ["NAMESPACE", "read", "write"]
