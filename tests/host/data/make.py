"""Makes the small pictures beside this file (Pillow needed): four colours in the quarters, 40 x 20 px, some turned."""

from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
QUARTERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))


def quarters(width: int = 40, height: int = 20) -> Image.Image:
    """Red, green over blue, yellow."""
    picture = Image.new("RGB", (2, 2))
    picture.putdata(QUARTERS)
    return picture.resize((width, height), Image.Resampling.NEAREST)


def main() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    for kind in ("png", "jpeg", "webp", "tiff"):
        quarters().save(HERE / f"turned.{kind}", exif=turned, **({"quality": 95} if kind == "jpeg" else {}))
    for kind in ("png", "jpeg", "gif", "bmp", "webp", "tiff"):
        quarters().save(HERE / f"plain.{kind}")
    quarters().save(HERE / "lossless.webp", lossless=True)
    quarters().convert("RGBA").save(HERE / "alpha.webp", lossless=True, exif=turned)


if __name__ == "__main__":
    main()
