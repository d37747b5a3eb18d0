"""A whole SVG as an object to optimize, as diffvg's OptimizableSvg: render(), a loss, backward(), step()."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from ..errors import UsageError
from .read_svg import svg_to_scene
from .render import RenderFunction
from .types import Circle, Ellipse, LinearGradient, Path, Polygon, RadialGradient, Rect
from .write_svg import svg_to_str

#: What a transform may become besides moved and turned, in diffvg's words: how many scales, and whether it may shear.
_MODES = {"move": (0, False), "rigid": (1, False), "similarity": (1, False), "affine": (2, True)}


class SvgOptimizationSettings:
    """What of an SVG is optimized, with which optimizer and learning rates: defaults, and others for single ids."""

    default_params: ClassVar[dict[str, Any]] = {
        "optimize_color": True, "color_lr": 2e-3, "optimize_alpha": False, "alpha_lr": 2e-3, "optimizer": "Adam",
        "transforms": {"optimize_transforms": True, "transform_mode": "rigid", "translation_mult": 1e-3,
                       "transform_lr": 2e-3},
        "circles": {"optimize_center": True, "optimize_radius": True, "shape_lr": 2e-1},
        "paths": {"optimize_points": True, "shape_lr": 2e-1},
        "gradients": {"optimize_stops": True, "stop_lr": 2e-3, "optimize_color": True, "color_lr": 2e-3,
                      "optimize_alpha": False, "alpha_lr": 2e-3, "optimize_location": True, "location_lr": 2e-1},
    }
    optims: ClassVar[dict[str, Any]] = {"Adam": torch.optim.Adam, "SGD": torch.optim.SGD, "ASGD": torch.optim.ASGD}

    def __init__(self, f: Any = None) -> None:
        """f: a file that save() wrote."""
        self.store: dict[str, Any] = {"default": copy.deepcopy(self.default_params)} if f is None else json.load(f)
        self.dname = "default"

    def default_name(self, dname: str) -> None:
        self.dname = dname
        self.store.setdefault(dname, self.store["default"])

    def retrieve(self, node_id: str) -> tuple[dict[str, Any], bool]:
        """The settings of an id, and whether they are its own."""
        return self.store.get(node_id, self.store["default"]), node_id in self.store

    def reset_to_defaults(self, node_id: str) -> dict[str, Any]:
        self.store.pop(node_id, None)
        return self.store["default"]

    def undefault(self, node_id: str) -> dict[str, Any]:
        """Settings of its own for an id, the defaults to begin with."""
        return self.store.setdefault(node_id, copy.deepcopy(self.store["default"]))

    def override_optimizer(self, optimizer: str | None) -> None:
        if optimizer is not None:
            self.global_override(["optimizer"], optimizer)

    def global_override(self, path: Sequence[str], value: Any) -> None:
        """Sets the value at a path of keys everywhere, for example ["paths", "shape_lr"]."""
        for settings in self.store.values():
            place = settings
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value

    def save(self, file: Any) -> None:
        self.store["default"] = self.store[self.dname]
        json.dump(self.store, file, indent="\t")


class OptimizableSvg:
    """canvas: (width, height) px. background: (3,) colour, in the SVG that is written and for a program's own use."""

    def __init__(self, filename: str, settings: SvgOptimizationSettings | None = None,
                 optimize_background: bool = False, verbose: bool = False,
                 device: torch.device | str = "cpu") -> None:
        self.settings = settings or SvgOptimizationSettings()
        self.verbose, self.device = verbose, torch.device(device)
        width, height, self._shapes, self._groups = svg_to_scene(filename)
        self.canvas = (width, height)
        self.background = torch.ones(3, requires_grad=optimize_background)
        self.optimizers: list[torch.optim.Optimizer] = []
        self._bounded: list[tuple[torch.Tensor, float]] = []
        self._stops: list[torch.Tensor] = []
        self._moves: list[_Moved | None] = []
        default = self.settings.retrieve("default")[0]
        if optimize_background:
            self._optimize(default, [self.background], default["color_lr"])
            self._bounded.append((self.background, 1e-4))
        for group in self._groups:
            self._take(group, self.settings.retrieve(group.id)[0])

    def _optimize(self, params: dict[str, Any], tensors: list[torch.Tensor], rate: float) -> None:
        self.optimizers.append(SvgOptimizationSettings.optims[params["optimizer"]](
            [t.requires_grad_() for t in tensors], lr=rate))

    def _take(self, group: Any, params: dict[str, Any]) -> None:
        """Makes what the settings name of a group and its shapes variables."""
        for n in group.shape_ids.tolist():
            kind = "circles" if isinstance(self._shapes[n], (Circle, Ellipse)) else "paths"
            wanted = _geometry(self._shapes[n], params)
            if wanted:
                self._optimize(params, wanted, params[kind]["shape_lr"])
        for name in ("fill_color", "stroke_color"):
            color = getattr(group, name)
            if isinstance(color, (LinearGradient, RadialGradient)):
                setattr(group, name, self._take_gradient(color, params))
            elif color is not None:
                own = _Color(color)
                setattr(group, name, own)
                self._take_color(own, params, params)
        moved = params["transforms"]["optimize_transforms"]
        self._moves.append(_Moved(group.shape_to_canvas, params["transforms"]["transform_mode"]) if moved else None)
        if moved:
            rate = params["transforms"]["transform_lr"]
            found = self._moves[-1]
            assert found is not None
            self._optimize(params, [found.angle, found.scale, *([found.shear] if found.shears else [])], rate)
            self._optimize(params, [found.shift], rate * params["transforms"]["translation_mult"])

    def _take_color(self, color: _Color, params: dict[str, Any], rates: dict[str, Any]) -> None:
        for part, value in (("color", color.rgb), ("alpha", color.alpha)):
            if rates[f"optimize_{part}"]:
                self._optimize(params, [value], rates[f"{part}_lr"])
                self._bounded.append((value, 1e-4))

    def _take_gradient(self, gradient: Any, params: dict[str, Any]) -> Any:
        rates = params["gradients"]
        ends = ([gradient.begin, gradient.end] if isinstance(gradient, LinearGradient)
                else [gradient.center, gradient.radius])
        if rates["optimize_location"]:
            self._optimize(params, ends, rates["location_lr"])
        if rates["optimize_stops"]:
            self._optimize(params, [gradient.offsets], rates["stop_lr"])
            self._stops.append(gradient.offsets)
        colors = _Color(gradient.stop_colors)
        self._take_color(colors, params, rates)
        result = copy.copy(gradient)
        result.stop_colors = colors
        return result

    def build_scene(self) -> tuple[int, int, list[Any], list[Any]]:
        """(width, height, shapes, groups) as they are now."""
        groups = []
        for group, moved in zip(self._groups, self._moves, strict=True):
            now = copy.copy(group)
            now.shape_to_canvas = group.shape_to_canvas if moved is None else moved.matrix()
            now.fill_color, now.stroke_color = _now(group.fill_color), _now(group.stroke_color)
            groups.append(now)
        return (*self.canvas, self._shapes, groups)

    def render(self, scale: float | None = None, seed: int = 0) -> torch.Tensor:
        """(H, W, 4) straight RGBA at the canvas' size, or ``scale`` times it."""
        width, height, shapes, groups = self.build_scene()
        args = RenderFunction.serialize_scene(width, height, shapes, groups)
        size = (width, height) if scale is None else (int(width * scale), int(height * scale))
        return RenderFunction.apply(*size, 2, 2, seed, None, *args).to(self.device)

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()
        with torch.no_grad():
            for value, least in self._bounded:
                value.clamp_(least, 1.0)
            for offsets in self._stops:
                offsets.copy_(offsets.clamp(0, 1).sort().values)
                offsets[0], offsets[-1] = 0.0, 1.0

    def write_xml(self) -> str:
        """The SVG as it is now."""
        width, height, shapes, groups = self.build_scene()
        background = self.background if self.background.requires_grad else None
        return svg_to_str(width, height, shapes, groups, background=background)


class _Color:
    """One colour or several as two variables: (..., 3) and (...)."""

    def __init__(self, color: torch.Tensor) -> None:
        self.rgb, self.alpha = color[..., :3].clone(), color[..., 3].clone()

    def now(self) -> torch.Tensor:
        return torch.cat([self.rgb, self.alpha[..., None]], -1)


class _Moved:
    """A transform that may be moved, turned, scaled and, as affine, sheared, beside what the file says."""

    def __init__(self, matrix: torch.Tensor, mode: str) -> None:
        if mode not in _MODES:
            raise UsageError(f"There is no transform mode {mode!r}.", f"Choose one of {', '.join(_MODES)}.")
        scales, self.shears = _MODES[mode]
        self.matrix_of_file = matrix
        self.angle, self.shear, self.shift = torch.zeros(()), torch.zeros(()), torch.zeros(2)
        self.scale = torch.ones(max(scales, 1))
        self.scales = scales > 0

    def matrix(self) -> torch.Tensor:
        scale = self.scale.expand(2) if self.scales else torch.ones(2)
        cos, sin = torch.cos(self.angle), torch.sin(self.angle)
        turn = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
        slant = torch.eye(2) + self.shear * torch.tensor([[0.0, 1.0], [0.0, 0.0]])
        inner = turn @ slant @ torch.diag(scale)
        own = torch.cat([torch.cat([inner, self.shift[:, None]], 1), torch.tensor([[0.0, 0.0, 1.0]])])
        return own @ self.matrix_of_file


def _geometry(shape: Any, params: dict[str, Any]) -> list[torch.Tensor]:
    if isinstance(shape, (Circle, Ellipse)):
        round_ = params["circles"]
        return ([shape.center] if round_["optimize_center"] else []) + (
            [shape.radius] if round_["optimize_radius"] else [])
    if not params["paths"]["optimize_points"]:
        return []
    if isinstance(shape, Rect):
        return [shape.p_min, shape.p_max]
    assert isinstance(shape, (Path, Polygon))
    return [shape.points]


def _now(color: Any) -> Any:
    if isinstance(color, _Color):
        return color.now()
    if isinstance(color, (LinearGradient, RadialGradient)):
        result = copy.copy(color)
        result.stop_colors = color.stop_colors.now()  # type: ignore[attr-defined]
        return result
    return color
