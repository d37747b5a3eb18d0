"""Films made by code: a texture that moves, turns, is covered, fades, and a cut."""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

WIDTH, HEIGHT = 72, 56


def texture(seed, size=160):
    """(size, size, 3) in [0, 1]: soft blobs in strong colours."""
    rng = np.random.default_rng(seed)
    planes = [gaussian_filter(rng.random((size, size)), 5, mode="wrap") for _ in range(3)]
    return np.stack([(p - p.min()) / (p.max() - p.min()) for p in planes], -1)


def looked_at(picture, angle=0.0, shift=(0.0, 0.0), center=(80.0, 80.0)):
    """(HEIGHT, WIDTH, 3) float32: the texture through a window that is turned about its middle and shifted, px."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    dx, dy = x - WIDTH / 2, y - HEIGHT / 2
    cos, sin = np.cos(angle), np.sin(angle)
    at = np.stack([center[1] + shift[1] + sin * dx + cos * dy - 0.5, center[0] + shift[0] + cos * dx - sin * dy - 0.5])
    return np.stack([map_coordinates(p, at, order=1, mode="wrap") for p in np.moveaxis(picture, -1, 0)],
                    -1).astype(np.float32)


def moving(frames, seed=1, step=(1.5, 0.5)):
    picture = texture(seed)
    return [looked_at(picture, shift=(step[0] * t, step[1] * t)) for t in range(frames)]


def turning(frames, seed=1, step=0.03):
    picture = texture(seed)
    return [looked_at(picture, step * t) for t in range(frames)]


def fading(frames, seed=1, step=0.12):
    return [np.float32(1 - step * t) * frame for t, frame in enumerate(moving(frames, seed, (0.5, 0.0)))]


def covered(frames, seed=1):
    """A blue disc crosses a warm ground."""
    ground = looked_at(texture(seed)) * np.array([1, 0.7, 0.3], np.float32)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    result = []
    for t in range(frames):
        inside = np.clip(10.5 - np.hypot(x - 14 - 4 * t, y - 28), 0, 1)[..., None]
        result.append((ground * (1 - inside) + np.array([0.1, 0.3, 0.9]) * inside).astype(np.float32))
    return result
