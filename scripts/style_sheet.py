"""Paints one picture in the style of several references: docs/style.jpg, and the table of docs/style.md on stdout."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.brushes.manner import Manner, manner_of  # noqa: E402
from gradvec.color.oklab import oklab  # noqa: E402
from gradvec.color.transfer import sliced_distance  # noqa: E402
from gradvec.io import svg  # noqa: E402
from gradvec.io.images import load, png_bytes  # noqa: E402
from gradvec.options import Options  # noqa: E402
from gradvec.pipeline import Result, paint_picture  # noqa: E402
from gradvec.tools.render_svg import render_svg  # noqa: E402

SIZE, STROKES = 320, 350
PICTURE = ROOT / "examples" / "astronaut.jpg"


def by_code(width: float, length: float, spread: float, opacity: float, colors: list[tuple[int, int, int]],
            side: int = SIZE) -> bytes:
    """A PNG of strokes over each other in these colours, none of which shows anything."""
    rng = np.random.default_rng(1)
    picture = Image.new("RGB", (side, side), colors[0])
    for _ in range(int(6 * side * side / (width * length))):
        x, y = rng.uniform(-length, side + length, 2)
        angle = 0.6 + rng.normal() * spread
        cos, sin = math.cos(angle) / 2, math.sin(angle) / 2
        corners = [(x + cos * a * length - sin * b * width, y + sin * a * length + cos * b * width)
                   for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        mask = Image.new("L", picture.size)
        ImageDraw.Draw(mask).polygon(corners, fill=round(255 * opacity))
        color = np.array(colors[rng.integers(len(colors))]) + rng.normal(0, 10, 3)
        picture.paste(tuple(int(v) for v in np.clip(color, 0, 255)), mask=mask)
    return png_bytes(np.asarray(picture))


def references() -> dict[str, bytes]:
    """By name."""
    blue = [(20, 40, 90), (40, 90, 150), (120, 170, 200), (230, 220, 170), (200, 150, 60)]
    warm = [(120, 30, 20), (200, 90, 40), (240, 190, 120), (60, 50, 40), (250, 235, 210)]
    return {"long thin strokes, blue and ochre": by_code(6, 48, 0.1, 1.0, blue),
            "short wide dabs, warm": by_code(20, 30, 0.8, 1.0, warm),
            "see-through washes, warm": by_code(16, 40, 0.3, 0.5, warm),
            "a photograph of coffee": (ROOT / "examples" / "coffee.jpg").read_bytes()}


def measured(result: Result) -> Manner:
    """What the strokes of a painting are, from the strokes themselves; spread is not asked for."""
    assert result.painting is not None
    strokes = result.painting.strokes
    side = max(result.painting.width, result.painting.height)
    width, length = np.median(strokes.shape[:, 3]), np.median(strokes.shape[:, 2])
    return Manner(float(width) / side, float(length) / side, 0.0, float(np.mean(strokes.opacity)))


def words(manner: Manner) -> str:
    return f"{100 * manner.width:.1f} | {100 * manner.length:.1f} | {manner.opacity:.2f}"


def main() -> int:
    options = Options.for_job("paint", {"look": "oil", "size": SIZE, "strokes": STROKES, "texture": "none"})
    plain = paint_picture(PICTURE, options)
    panels = [("", np.asarray(Image.open(PICTURE).convert("RGB").resize((SIZE, SIZE))), shown(plain))]
    print(f"| without | | | | {words(measured(plain))} | |")
    rng = np.random.default_rng(0)
    before = colors(load(PICTURE, SIZE).rgb)
    for name, data in references().items():
        reference = load(data, SIZE)
        result = paint_picture(PICTURE, options, style=data)
        panel = Image.new("RGB", (SIZE, SIZE), "white")
        opened = Image.open(io.BytesIO(data)).convert("RGB")
        opened.thumbnail((SIZE, SIZE))
        panel.paste(opened, (0, (SIZE - opened.height) // 2))
        panels.append((name, np.asarray(panel), shown(result)))
        wanted = colors(reference.rgb)
        apart = sliced_distance(before, wanted, rng), sliced_distance(colors(shown(result) / 255), wanted, rng)
        print(f"| {name} | {words(manner_of(reference))} | {words(measured(result))} | {apart[0]:.3f} to "
              f"{apart[1]:.3f} |")
    sheet = np.concatenate([np.concatenate([np.asarray(top), below], 0) for _, top, below in panels], 1)
    Image.fromarray(sheet).save(ROOT / "docs" / "style.jpg", quality=85)
    return 0


def shown(result: Result) -> np.ndarray:
    return render_svg(svg.write(result.document), SIZE, SIZE)


def colors(rgb: np.ndarray) -> np.ndarray:
    return oklab(rgb.reshape(-1, 3).astype(np.float64))[::7]


if __name__ == "__main__":
    sys.exit(main())
