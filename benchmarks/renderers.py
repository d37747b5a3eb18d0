"""How far the programs that show an SVG agree on every look: ``python benchmarks/renderers.py [-o FOLDER] [LOOK ...]``.

Paints a picture in each look (or takes the drawings that are in FOLDER already, LOOK.svg), lets every renderer that is
installed draw it on white, and prints the PSNR of each pair, dB, as a table. resvg comes with gradvec; Inkscape,
rsvg-convert (Debian: librsvg2-bin) and Chromium are used where they are found. Pictures and differences stay in FOLDER.
"""

from __future__ import annotations

import argparse
import io
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gradvec import looks
from gradvec.io import svg
from gradvec.options import Options
from gradvec.tools.render_svg import render_svg
from PIL import Image

PICTURE = Path(__file__).parent.parent / "examples" / "coffee.jpg"
#: px of the working picture, and how many times larger renderers draw it. Grain is a five-hundredth of the picture's
#: side: on smaller pictures it is finer than px, and programs agree on nothing that is.
SIZE, SCALE = 512, 2
Renderer = Callable[[Path, int, int], Image.Image]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/renderers"), help="where pictures are kept")
    parser.add_argument("--strokes", type=int, default=300)
    parser.add_argument("--scale", type=int, default=SCALE, help="px of the renderings per px of the drawing")
    parser.add_argument("looks", nargs="*", help=f"which (default: all of {', '.join(looks.NAMES)})")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    known = renderers()
    pairs = list(itertools.combinations(known, 2))
    print("| look |", " | ".join(f"{a}, {b}" for a, b in pairs), "|")
    print("|---" * (len(pairs) + 1) + "|", flush=True)
    worst = 99.0
    for look in args.looks or looks.NAMES:
        drawing = painted(look, args.output, args.strokes)
        found = {name: draw(known[name], drawing, args.output / f"{look}-{name}.png", args.scale) for name in known}
        values = [psnr(found[a], found[b]) for a, b in pairs]
        worst = min(worst, *values)
        print(f"| {look} |", " | ".join(f"{value:.1f}" for value in values), "|", flush=True)
    print(f"\nworst: {worst:.1f} dB")
    return 0


def painted(look: str, folder: Path, strokes: int) -> Path:
    """The drawing of a look in the folder, painted where it is missing."""
    path = folder / f"{look}.svg"
    if not path.exists():
        from gradvec.pipeline import paint_picture

        options = Options.for_job("paint", {"look": look, "size": SIZE, "strokes": strokes})
        path.write_bytes(svg.write(paint_picture(PICTURE, options).document, relative=True))
    return path


def draw(renderer: Renderer, drawing: Path, picture: Path, scale: int) -> np.ndarray:
    """(H, W, 3) in [0, 1], on white; kept as a picture."""
    width, height = svg.read(drawing.read_bytes()).width * scale, svg.read(drawing.read_bytes()).height * scale
    image = renderer(drawing, width, height).convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    ground.convert("RGB").save(picture)
    if ground.size != (width, height):
        raise SystemExit(f"{picture.name} is {ground.size}, not {(width, height)} px large.")
    return np.asarray(ground.convert("RGB"), np.float64) / 255


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(max(((a - b) ** 2).mean(), 1e-9)))


def renderers() -> dict[str, Renderer]:
    """Those that are installed."""
    found: dict[str, Renderer] = {"resvg": by_resvg}
    if shutil.which("inkscape"):
        found["Inkscape"] = by_inkscape
    if shutil.which("rsvg-convert"):
        found["librsvg"] = by_librsvg
    if chromium():
        found["Chromium"] = by_chromium
    return found


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def by_resvg(drawing: Path, width: int, height: int) -> Image.Image:
    return Image.fromarray(np.asarray(render_svg(drawing.read_bytes(), width, height)))


def by_inkscape(drawing: Path, width: int, height: int) -> Image.Image:
    return _made(["inkscape", str(drawing), "-w", str(width), "-h", str(height), "-o"])


def by_librsvg(drawing: Path, width: int, height: int) -> Image.Image:
    return _made(["rsvg-convert", str(drawing), "-w", str(width), "-h", str(height), "-o"])


def by_chromium(drawing: Path, width: int, height: int) -> Image.Image:
    """A picture of a page that shows the drawing alone, in its upper left corner."""
    program = chromium()
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(f'<!DOCTYPE html><body style="margin:0;background:#fff"><img style="display:block" '
                        f'src="{drawing.resolve().as_uri()}" width="{width}" height="{height}">')
        image = _made([program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                       "--force-device-scale-factor=1", "--force-color-profile=srgb", f"--user-data-dir={folder}/user",
                       f"--window-size={max(width, 600)},{height + 300}", page.as_uri()], option="--screenshot=")
    return image.crop((0, 0, width, height))


def _made(words: list[str], option: str = "") -> Image.Image:
    """What a program writes to the file that is named last; it gets a few minutes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.png")
        done = subprocess.run([*words, option + str(out)], capture_output=True, timeout=300, check=False)
        if not out.exists():
            raise SystemExit(f"{words[0]} made no picture: {done.stderr.decode(errors='replace')[-500:]}")
        return Image.open(io.BytesIO(out.read_bytes()))


if __name__ == "__main__":
    sys.exit(main())
