"""How close an SVG is to a picture, as pixels: rendered by resvg, which is not our engine, on white.

Two similarities: the usual SSIM (colour, 7 x 7 windows) and the one of the paper whose table the project is measured
against (Hsieh and Lin 2025: grey, 3 x 3 windows, data range of the tested picture).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..io.images import load
from ..io.svg.path import segment_count
from ..io.svg.read import parse, size_of
from ..io.svg.write import SVG
from .render_svg import render_svg

#: Working sizes differ by rounding: sides may disagree by this many px at the compared size.
SIDE_SLACK_PX = 1.5
#: Larger than any picture that is accepted.
FULL_SIZE = 2**20


@dataclass(frozen=True)
class Comparison:
    """Figures of an SVG against a picture, both of width x height px. psnr: dB, infinite where nothing differs."""

    width: int
    height: int
    psnr: float
    ssim: float
    ssim_paper: float
    mse_grey: float
    paths: int
    gradients: int
    nodes: int
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; an infinite or undefined figure is None."""
        return {k: v if isinstance(v, int) or np.isfinite(v) else None for k, v in asdict(self).items()}


def compare(svg: bytes, picture: Path | bytes, at_picture_size: bool = False) -> Comparison:
    """Compares at the SVG's own size, or at the picture's.

    Raises:
        InputError: one of the two cannot be read, or their aspect ratios differ.
    """
    wanted, got = both(svg, picture, at_picture_size)
    paths, gradients, nodes = counts(svg)
    return Comparison(got.shape[1], got.shape[0], psnr(wanted, got), ssim(wanted, got), ssim_paper(wanted, got),
                      mse_grey(wanted, got), paths, gradients, nodes, len(svg))


def both(svg: bytes, picture: Path | bytes, at_picture_size: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(the picture, the SVG) as (H, W, 3) uint8 of one size, on white. Raises InputError as :func:`compare`."""
    width, height = size_of(parse(svg))
    target = load(picture, FULL_SIZE if at_picture_size else max(width, height))
    scale = max(target.width, target.height) / max(width, height)
    if max(abs(target.width - width * scale), abs(target.height - height * scale)) > SIDE_SLACK_PX * max(scale, 1):
        source = " x ".join(map(str, target.source_size))
        raise InputError(f"The SVG is {width} x {height} and the picture {source}: they have not the same shape.",
                         "Compare an SVG with the picture that it was made from.")
    alpha = target.alpha[..., None]
    on_white = np.rint((target.rgb * alpha + 1 - alpha) * 255).astype(np.uint8)
    return on_white, render_svg(svg, target.width, target.height)


def counts(svg: bytes) -> tuple[int, int, int]:
    """(path elements, gradients that carry stops, nodes: drawn segments of all paths) of an SVG."""
    root = parse(svg)
    paths = list(root.iter(f"{{{SVG}}}path"))
    gradients = [e for kind in ("linearGradient", "radialGradient") for e in root.iter(f"{{{SVG}}}{kind}")
                 if e.find(f"{{{SVG}}}stop") is not None]
    return len(paths), len(gradients), sum(segment_count(p.get("d", "")) for p in paths)


def psnr(wanted: np.ndarray, got: np.ndarray) -> float:
    """Peak signal to noise ratio of two uint8 pictures, dB, over all channels together."""
    mse = float(((wanted.astype(np.float64) - got.astype(np.float64)) ** 2).mean()) / 255**2
    return float("inf") if mse == 0 else -10 * float(np.log10(mse))


def ssim(wanted: np.ndarray, got: np.ndarray) -> float:
    """Structural similarity of two (H, W, 3) uint8 pictures as scikit-image computes it by default; 1 is equal."""
    return _similarity(wanted, got, 7, 255.0, channel_axis=-1)


def ssim_paper(wanted: np.ndarray, got: np.ndarray) -> float:
    """Structural similarity as the paper computes it: grey, 3 x 3 windows, data range of the tested picture."""
    reference, tested = grey(wanted), grey(got)
    span = float(tested.max() - tested.min())
    return _similarity(reference, tested, 3, span or 1.0)


def mse_grey(wanted: np.ndarray, got: np.ndarray) -> float:
    """Mean squared error of the grey pictures in [0, 1], as the paper computes it."""
    return float(((grey(wanted) - grey(got)) ** 2).mean())


def grey(picture: np.ndarray) -> np.ndarray:
    """(H, W) in [0, 1] of a (H, W, 3) uint8 picture: Rec. 601 luma in whole steps of 1/255, as OpenCV gives it."""
    return np.rint(picture.astype(np.float64) @ (0.299, 0.587, 0.114)) / 255


def _similarity(wanted: np.ndarray, got: np.ndarray, window: int, span: float,
                channel_axis: int | None = None) -> float:
    from skimage.metrics import structural_similarity

    side = min(wanted.shape[:2])
    window = min(window, side - 1 + side % 2)
    if window < 3:
        return float("nan")
    return float(structural_similarity(wanted, got, win_size=window, data_range=span, channel_axis=channel_axis))
