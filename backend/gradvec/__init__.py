"""gradvec: turns a picture into editable, painterly vector art.

Importing this package is free: no torch, no numba, no numpy. What needs them is imported where it is used.
"""

__version__ = "0.1.0"
