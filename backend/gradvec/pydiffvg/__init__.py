"""diffvg's Python names, served by gradvec's engine: programs written for diffvg run unchanged.

``import gradvec.pydiffvg as pydiffvg``, or leave the program alone and run it as
``python -m gradvec.pydiffvg program.py ARGS``, where ``import pydiffvg`` means this package. docs/diffvg.md has a table
of what is meant by what, and of what is not here.

A name is loaded when it is first asked for: what starts a program can settle how threads wait before torch comes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FOUND_IN = {
    "device": ("get_device", "get_use_gpu", "set_device", "set_use_gpu"),
    "images": ("imread", "imwrite"),
    "optimizable": ("OptimizableSvg", "SvgOptimizationSettings"),
    "read_svg": ("from_svg_path", "svg_str_to_scene", "svg_to_scene"),
    "render": ("RenderFunction", "set_print_timing"),
    "types": ("Circle", "Ellipse", "FilterType", "LinearGradient", "OutputType", "Path", "PixelFilter", "Polygon",
              "RadialGradient", "Rect", "ShapeGroup"),
    "write_svg": ("save_svg", "svg_to_str"),
}
_MODULE_OF = {name: module for module, names in _FOUND_IN.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"gradvec.pydiffvg has no {name}; docs/diffvg.md says what there is.")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
