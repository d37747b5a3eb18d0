"""OKLab, in which distance is what the eye sees (Ottosson, "A perceptual color space for image processing", 2020)."""

from __future__ import annotations

import numpy as np

_TO_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                      [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                    [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])


def oklab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) OKLab of sRGB-encoded rgb (..., 3) in [0, 1]."""
    rgb = np.clip(rgb, rgb.dtype.type(0), rgb.dtype.type(1))
    return np.cbrt(linear_light(rgb) @ _TO_CONES.T.astype(rgb.dtype)) @ _TO_LAB.T.astype(rgb.dtype)


def srgb(lab: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB-encoded colours in [0, 1] of OKLab ``lab`` (..., 3); those outside the gamut are clipped."""
    linear = (np.asarray(lab) @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T
    return encoded(np.clip(linear, 0, 1)).clip(0, 1)


def linear_light(rgb: np.ndarray) -> np.ndarray:
    """(...) sRGB-encoded numbers from 0 on, as shares of light."""
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def encoded(linear: np.ndarray) -> np.ndarray:
    """The inverse of :func:`linear_light`."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(...) distance in OKLab of sRGB-encoded colours a and b (..., 3)."""
    apart = oklab(a) - oklab(b)
    return np.sqrt(np.einsum("...c,...c->...", apart, apart))
