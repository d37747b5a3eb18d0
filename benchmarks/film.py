"""How steady painted films are, how close, and what a frame takes: films made by code from the pictures in examples/.

    python benchmarks/film.py [--film crosses moves turns fades] [--look oil photo] [--frames 6] [--strokes 120]

For each film and look: flicker of the film itself (the error of optical flow and resampling, below which nothing can
be told), of its frames painted alone and of the painted film; dB of both; and processor time of a frame painted alone
and of a frame after the first. OMP_NUM_THREADS=1 and NUMBA_NUM_THREADS=1 make times comparable.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gradvec.film.figures import flicker, psnr
from gradvec.film.shot import ShotPainter
from gradvec.io import svg
from gradvec.io.images import load, png_bytes
from gradvec.model import Document
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.progress import Run
from gradvec.tools.render_svg import render_svg
from scipy.ndimage import gaussian_filter, map_coordinates

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
WIDTH, HEIGHT = 128, 96
#: The astronaut's face, in shares of its picture, and its radius.
FACE, RADIUS = (0.44, 0.22), 0.16


def seen(picture: np.ndarray, middle: tuple[float, float], width: float, angle: float = 0.0) -> np.ndarray:
    """(HEIGHT, WIDTH, 3): a window of ``width`` px of a picture (h, w, 3) around ``middle`` px, turned by radians."""
    scale = width / WIDTH
    smooth = gaussian_filter(picture, (scale / 2, scale / 2, 0))
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    dx, dy = (x - WIDTH / 2) * scale, (y - HEIGHT / 2) * scale
    cos, sin = np.cos(angle), np.sin(angle)
    at = np.stack([middle[1] + sin * dx + cos * dy - 0.5, middle[0] + cos * dx - sin * dy - 0.5])
    return np.stack([map_coordinates(plane, at, order=1, mode="nearest") for plane in np.moveaxis(smooth, -1, 0)], -1)


def moves(a: np.ndarray, c: np.ndarray, t: int) -> np.ndarray:
    """1.4 px a frame."""
    return seen(a, (a.shape[1] * 0.4 + 4.2 * t, a.shape[0] * 0.35), 3 * WIDTH)


def turns(a: np.ndarray, c: np.ndarray, t: int) -> np.ndarray:
    """1.5 degrees a frame, and 1 % closer."""
    return seen(a, (a.shape[1] / 2, a.shape[0] * 0.4), 3 * WIDTH * 0.99**t, np.radians(1.5 * t))


def fades(a: np.ndarray, c: np.ndarray, t: int) -> np.ndarray:
    """An eighth darker a frame, and moves."""
    return moves(a, c, t) * (1 - t / 8)


def crosses(a: np.ndarray, c: np.ndarray, t: int) -> np.ndarray:
    """Coffee that moves, and a face that crosses it by 3 px a frame and turns by 4 degrees."""
    ground = seen(c, (c.shape[1] * 0.45 + 3 * t, c.shape[0] / 2), 3 * WIDTH)
    radius = RADIUS * WIDTH * 1.4
    place = np.array([40 + 3 * t, 50])
    face = seen(a, (a.shape[1] * FACE[0], a.shape[0] * FACE[1]), 1.9 * WIDTH, np.radians(4 * t))
    face = np.roll(face, (round(place[1] - HEIGHT / 2), round(place[0] - WIDTH / 2)), (0, 1))
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = np.clip(radius + 0.5 - np.hypot(x - place[0], y - place[1]), 0, 1)[..., None]
    return ground * (1 - inside) + face * inside


FILMS: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "moves": moves, "turns": turns, "fades": fades, "crosses": crosses}


def shown(document: Document) -> np.ndarray:
    return render_svg(svg.write(document), document.width, document.height).astype(np.float32) / 255


def measured(name: str, look: str, frames: int, strokes: int) -> dict[str, object]:
    """One row."""
    pictures = [load(EXAMPLES / f"{file}.jpg", 4096).rgb for file in ("astronaut", "coffee")]
    film = [png_bytes(np.rint(np.clip(FILMS[name](*pictures, t), 0, 1) * 255).astype(np.uint8)) for t in range(frames)]
    wanted = [load(frame, WIDTH).rgb for frame in film]
    options = Options.for_job("paint", {"look": look, "strokes": strokes, "size": WIDTH, "texture": "none"})
    painter = ShotPainter(options, Run())
    together = [shown(painter.first(film[0])[0])]
    started = time.process_time()
    together += [shown(painter.next(frame)[0]) for frame in film[1:]]
    after = (time.process_time() - started) / (frames - 1)
    started = time.process_time()
    alone = [together[0], *(shown(paint_picture(frame, options).document) for frame in film[1:])]
    each = (time.process_time() - started) / (frames - 1)
    row = {"film": name, "look": look, "frames": frames, "flicker_film": flicker(wanted, wanted),
           "flicker_alone": flicker(alone, wanted), "flicker": flicker(together, wanted),
           "psnr_alone": psnr(alone, wanted), "psnr": psnr(together, wanted), "seconds_alone": each, "seconds": after}
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--film", nargs="*", choices=FILMS, default=list(FILMS))
    parser.add_argument("--look", nargs="*", default=["oil"])
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--strokes", type=int, default=120)
    args = parser.parse_args()
    for look in args.look:
        for name in args.film:
            print(json.dumps(measured(name, look, args.frames, args.strokes)), flush=True)


if __name__ == "__main__":
    main()
