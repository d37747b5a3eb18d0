"""diffvg's Python names, served by gradvec's engine: programs written for diffvg run unchanged.

``import gradvec.pydiffvg as pydiffvg``, or leave the program alone and run it as
``python -m gradvec.pydiffvg program.py ARGS``, where ``import pydiffvg`` means this package. docs/diffvg.md has a table
of what is meant by what, and of what is not here.
"""

from __future__ import annotations

from .device import get_device, get_use_gpu, set_device, set_use_gpu
from .images import imread, imwrite
from .optimizable import OptimizableSvg, SvgOptimizationSettings
from .read_svg import from_svg_path, svg_str_to_scene, svg_to_scene
from .render import RenderFunction, set_print_timing
from .types import (
    Circle,
    Ellipse,
    FilterType,
    LinearGradient,
    OutputType,
    Path,
    PixelFilter,
    Polygon,
    RadialGradient,
    Rect,
    ShapeGroup,
)
from .write_svg import save_svg, svg_to_str

__all__ = ["Circle", "Ellipse", "FilterType", "LinearGradient", "OptimizableSvg", "OutputType", "Path", "PixelFilter",
           "Polygon", "RadialGradient", "Rect", "RenderFunction", "ShapeGroup", "SvgOptimizationSettings",
           "from_svg_path", "get_device", "get_use_gpu", "imread", "imwrite", "save_svg", "set_device",
           "set_print_timing", "set_use_gpu", "svg_str_to_scene", "svg_to_scene", "svg_to_str"]
