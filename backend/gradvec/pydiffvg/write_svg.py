"""diffvg's scenes as SVG text and files. Gradients, rules and transforms are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any

import torch
from lxml import etree

from .paths import ToCubics, structure_of
from .types import Circle, Ellipse, LinearGradient, Path, Polygon, RadialGradient, Rect

_SVG = "http://www.w3.org/2000/svg"


def save_svg(filename: str, width: int, height: int, shapes: Sequence[Any], shape_groups: Sequence[Any],
             use_gamma: bool = False, background: Any = None) -> None:
    """Writes :func:`svg_to_str` to a file; its folder is made where it is missing."""
    path = FilePath(filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg_to_str(width, height, shapes, shape_groups, use_gamma, background), encoding="utf-8")


def svg_to_str(width: int, height: int, shapes: Sequence[Any], shape_groups: Sequence[Any], use_gamma: bool = False,
               background: Any = None) -> str:
    """The scene as SVG text.

    Args:
        use_gamma: colours are linear, and a filter encodes them for the screen.
        background: a colour of 3 numbers in [0, 1] under everything.
    """
    root = etree.Element("svg", {"version": "1.1", "width": str(width), "height": str(height),
                                 "viewBox": f"0 0 {width} {height}"}, nsmap={None: _SVG})
    defs = etree.SubElement(root, "defs")
    inner = etree.SubElement(root, "g")
    if use_gamma:
        _add_gamma(defs, inner)
    if background is not None:
        etree.SubElement(inner, "rect", {"width": str(width), "height": str(height), "fill": _rgb(background)})
    for i, group in enumerate(shape_groups):
        own = [shapes[int(n)] for n in torch.as_tensor(group.shape_ids).reshape(-1).tolist()]
        # A group's stroke lies under its fill, which SVG says in two elements.
        parts = [(group.stroke_color, "stroke"), (group.fill_color, "fill")]
        present = [(color, name) for color, name in parts if color is not None]
        apart = len(present) == 2
        holder = etree.SubElement(inner, "g", _place(group)) if apart else inner
        for color, name in present:
            node = _node(holder, own)
            if not apart:
                node.attrib.update(_place(group))
            if group.id and name == present[-1][1]:
                node.set("id", str(group.id))
            _paint(node, name, color, defs, f"shape_{i}_{name}", group.shape_to_canvas)
            if name == "stroke":
                _pen(node, own)
            elif group.use_even_odd_rule:
                node.set("fill-rule", "evenodd")
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def _add_gamma(defs: Any, inner: Any) -> None:
    found = etree.SubElement(defs, "filter", {"id": "gamma", "x": "0", "y": "0", "width": "100%", "height": "100%"})
    transfer = etree.SubElement(found, "feComponentTransfer", {"color-interpolation-filters": "sRGB"})
    for channel in "RGB":
        etree.SubElement(transfer, f"feFunc{channel}", {"type": "gamma", "amplitude": "1", "exponent": str(1 / 2.2)})
    inner.set("style", "filter:url(#gamma)")


def _place(group: Any) -> dict[str, str]:
    m = group.shape_to_canvas.detach().cpu()
    return {} if torch.equal(m, torch.eye(3)) else {"transform": _matrix(m)}


def _matrix(m: torch.Tensor) -> str:
    return f"matrix({' '.join(_text(m[r, c]) for c in range(3) for r in range(2))})"


def _node(parent: Any, shapes: list[Any]) -> Any:
    """One shape as the element that it is, several as one path."""
    shape = shapes[0]
    if len(shapes) == 1 and isinstance(shape, Circle):
        x, y = shape.center.tolist()
        return etree.SubElement(parent, "circle", {"cx": _text(x), "cy": _text(y), "r": _text(shape.radius)})
    if len(shapes) == 1 and isinstance(shape, Ellipse):
        (x, y), (rx, ry) = shape.center.tolist(), shape.radius.tolist()
        return etree.SubElement(parent, "ellipse", {"cx": _text(x), "cy": _text(y), "rx": _text(rx), "ry": _text(ry)})
    if len(shapes) == 1 and isinstance(shape, Rect):
        (x, y), (x1, y1) = shape.p_min.tolist(), shape.p_max.tolist()
        return etree.SubElement(parent, "rect", {"x": _text(x), "y": _text(y), "width": _text(x1 - x),
                                                 "height": _text(y1 - y)})
    return etree.SubElement(parent, "path", {"d": " ".join(_path_data(s) for s in shapes)})


def _path_data(shape: Any) -> str:
    if isinstance(shape, Polygon):
        counts = [0] * (len(shape.points) - (not shape.is_closed))
        points, closed = shape.points.tolist(), shape.is_closed
    elif isinstance(shape, Path):
        counts, points, closed = shape.num_control_points.tolist(), shape.points.tolist(), shape.is_closed
    else:
        control = ToCubics((structure_of(shape, 0),))([shape]).control
        counts, points, closed = [2] * (len(control) // 3), control.tolist(), True
    parts = [f"M {_pair(points[0])}"]
    at = 1
    for count in counts:
        ends = [points[(at + i) % len(points)] for i in range(count + 1)]
        parts.append(f"{'LQC'[count]} {' '.join(_pair(p) for p in ends)}")
        at += count + 1
    return " ".join(parts + (["Z"] if closed else []))


def _paint(node: Any, name: str, color: Any, defs: Any, key: str, shape_to_canvas: torch.Tensor) -> None:
    if name == "stroke":
        node.set("fill", "none")
    if isinstance(color, (LinearGradient, RadialGradient)):
        _add_gradient(defs, key, color, shape_to_canvas.detach().cpu())
        node.set(name, f"url(#{key})")
        return
    node.set(name, _rgb(color))
    node.set(f"{name}-opacity", _text(color[3]))


def _add_gradient(defs: Any, key: str, color: Any, shape_to_canvas: torch.Tensor) -> None:
    """Gradients lie in px of the canvas: where the shape is transformed, they are taken back."""
    place = torch.linalg.inv(shape_to_canvas.to(torch.float32))
    if isinstance(color, LinearGradient):
        (x1, y1), (x2, y2) = color.begin.tolist(), color.end.tolist()
        node = etree.SubElement(defs, "linearGradient", {"x1": _text(x1), "y1": _text(y1), "x2": _text(x2),
                                                         "y2": _text(y2)})
    else:
        radius = color.radius.detach().cpu()
        axes = radius if radius.dim() == 2 else torch.diag(radius.reshape(-1).expand(2))
        node = etree.SubElement(defs, "radialGradient", {"cx": "0", "cy": "0", "r": "1"})
        to_canvas = torch.eye(3)
        to_canvas[:2, :2], to_canvas[:2, 2] = axes.T, color.center.detach().cpu()
        place = place @ to_canvas
    if not torch.equal(place, torch.eye(3)):
        node.set("gradientTransform", _matrix(place))
    node.attrib.update({"id": key, "gradientUnits": "userSpaceOnUse"})
    for offset, stop in zip(color.offsets.tolist(), color.stop_colors.detach(), strict=True):
        etree.SubElement(node, "stop", {"offset": _text(offset), "stop-color": _rgb(stop),
                                        "stop-opacity": _text(stop[3])})


def _pen(node: Any, shapes: list[Any]) -> None:
    """SVG knows one width for a path: the mean where it varies."""
    width = torch.stack([torch.as_tensor(s.stroke_width, dtype=torch.float32).detach().mean().cpu() for s in shapes])
    node.attrib.update({"stroke-width": _text(2 * width.mean()), "stroke-linecap": "round", "stroke-linejoin": "round"})


def _rgb(color: Any) -> str:
    values = torch.as_tensor(color).detach().cpu().tolist()[:3]
    return "rgb({}, {}, {})".format(*(round(255 * min(max(v, 0.0), 1.0)) for v in values))


def _pair(point: Any) -> str:
    return f"{_text(point[0])} {_text(point[1])}"


def _text(value: Any) -> str:
    """At most five decimals, which keep what float32 holds of a px."""
    number = float(value.detach() if isinstance(value, torch.Tensor) else value)
    return f"{number:.5f}".rstrip("0").rstrip(".")
