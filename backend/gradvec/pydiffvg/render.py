"""diffvg's RenderFunction: a scene serialized, and a picture of it that is differentiable in all of the scene.

What diffvg means is kept (docs/diffvg.md has the table): a group's stroke lies under its fill; colours are straight and
averaged over the px, also where nothing is; without a background what is not covered is 0.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from ..errors import InputError, UsageError
from ..render import render as render_scene
from ..render import render_flat
from ..render.ground import over
from ..render.scene import Scene
from .checks import faults
from .device import get_device, get_use_gpu
from .scene import Serialized, scene_of, serialize
from .types import FilterType, OutputType, PixelFilter

_print_timing = False
#: Opacity below which a px has no colour of its own.
_CLEAR = 1e-6


def set_print_timing(wanted: bool) -> None:
    global _print_timing
    _print_timing = wanted


class RenderFunction:
    """serialize_scene() and apply(), called as diffvg's are."""

    @staticmethod
    def serialize_scene(canvas_width: int, canvas_height: int, shapes: Sequence[Any], shape_groups: Sequence[Any],
                        filter: PixelFilter | None = None, output_type: OutputType = OutputType.color,
                        use_prefiltering: bool = False, eval_positions: torch.Tensor | None = None) -> list[Any]:
        """What apply() takes after the background; later changes of the shapes do not reach it.

        Raises:
            UsageError: what is asked for is not here: distances (sdf), prefiltering, other filters than a box of one
                px, positions of its own.
        """
        if output_type != OutputType.color:
            raise UsageError("gradvec.pydiffvg renders colours, not signed distances.", "Use diffvg itself for sdf.")
        if use_prefiltering:
            raise UsageError("gradvec.pydiffvg has no prefiltering: its coverage is exact as it is.",
                             "Leave use_prefiltering off.")
        if filter is not None and (filter.type != FilterType.box or abs(float(filter.radius) - 0.5) > 1e-6):
            raise UsageError("gradvec.pydiffvg averages over one px, a box filter of radius 0.5, and no other.",
                             "Leave the filter out.")
        if eval_positions is not None and eval_positions.numel():
            raise UsageError("gradvec.pydiffvg renders whole pictures, not positions of your own.",
                             "Leave eval_positions out.")
        return [serialize(canvas_width, canvas_height, shapes, shape_groups)]

    @staticmethod
    def render_grad(*args: Any) -> torch.Tensor:
        """diffvg's own picture of derivatives."""
        raise UsageError("gradvec.pydiffvg has no pictures of derivatives (render_grad).",
                         "Call backward() on what apply() returns.")

    @staticmethod
    def apply(width: int, height: int, num_samples_x: int, num_samples_y: int, seed: int,
              background_image: torch.Tensor | None, *args: Any) -> torch.Tensor:
        """(height, width, 4) straight RGBA on get_device(). Samples and seed change nothing: areas are exact."""
        start = time.perf_counter()
        given: Serialized = args[0]
        size = min(given.width, int(width)), min(given.height, int(height))
        try:
            picture = _picture(given, int(width), int(height), background_image)
        except (InputError, UsageError):
            raise
        except Exception as error:
            fault = next(faults(given.shapes, given.groups, size), None)
            if fault is None:
                raise
            raise InputError(fault, "docs/diffvg.md says what each field is.") from error
        if _print_timing:
            print(f"Forward pass, time: {time.perf_counter() - start:.5f} s")
        return picture


def _picture(given: Serialized, width: int, height: int, background: torch.Tensor | None) -> torch.Tensor:
    if background is not None and (background.dim() != 3 or background.shape[:2] != (height, width)
                                   or background.shape[2] not in (3, 4)):
        raise InputError(f"background_image expects shape ({height}, {width}, 3 or 4), got {tuple(background.shape)}.",
                         "It has the size of the picture that is rendered.")
    if not given.shapes or not given.groups:
        picture = torch.zeros(height, width, 4) if background is None else _rgba(background)
        return picture.to(get_device())
    scene = scene_of(given, width, height)
    engine = "auto" if get_use_gpu() else "cpu"
    if background is not None:
        return over(render_scene(scene, engine), _rgba(background)).to(get_device())
    # Where all is opaque, straight and premultiplied are one; their derivatives by the colours' opacity are not.
    see_through = scene.stop_color.requires_grad or bool((scene.stop_color[:, 3] != 1).any())
    if see_through and len(scene.stop_color) == 1:  # alone and of one colour, its opacity is a factor of one plane
        share = torch.cat([torch.ones(3), scene.stop_color[0, 3:]])
        planes = render_flat(_opaque(scene), engine).t() * share[:, None]
    elif see_through:
        covered = render_flat(_opaque(scene), engine).t()[3]
        planes = _Straight.apply(render_flat(scene, engine).t(), covered)
    else:
        planes = render_flat(scene, engine).t()
    return planes.t().reshape(height, width, 4).to(get_device())


def _rgba(background: torch.Tensor) -> torch.Tensor:
    picture = background.to("cpu", torch.float32)
    return picture if picture.shape[2] == 4 else torch.cat([picture, torch.ones_like(picture[..., :1])], 2)


def _opaque(scene: Scene) -> Scene:
    """The same outlines without their colours' transparency: its alpha is what of a px is covered at all."""
    color = torch.cat([scene.stop_color[:, :3], torch.ones_like(scene.stop_color[:, 3:])], 1)
    return replace(scene, stop_color=color)


class _Straight(torch.autograd.Function):
    """The mean of straight colours over a px, where what is bare counts as black, from the premultiplied picture.

    planes: (4, P). covered: (P,) share of the px that anything covers. Where all is opaque the picture is that already.
    """

    @staticmethod
    def forward(ctx: Any, planes: torch.Tensor, covered: torch.Tensor) -> torch.Tensor:
        alpha = planes[3]
        inverse = torch.where(alpha < _CLEAR, torch.zeros_like(alpha), alpha.reciprocal())
        result = torch.empty_like(planes)
        torch.mul(planes[:3], inverse * covered, out=result[:3])
        result[3] = alpha
        ctx.save_for_backward(planes, covered, inverse)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        planes, covered, inverse = ctx.saved_tensors
        grad = grad.contiguous()
        pull = (grad[:3] * planes[:3]).sum(0).mul_(inverse)
        result = torch.empty_like(grad)
        torch.mul(grad[:3], inverse * covered, out=result[:3])
        result[3] = grad[3] - pull * covered * inverse
        return result, pull
