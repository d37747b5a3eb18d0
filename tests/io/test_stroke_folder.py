"""Stroke pictures come back as patches: in order, cropped, and un-mixed from the white they stand on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradvec.errors import Cancelled, InputError
from gradvec.io.stroke_folder import natural_key, read_folder, unmix
from gradvec.progress import CancelToken, Run, notes_to
from PIL import Image
from scipy.ndimage import gaussian_filter

RED, PALE = ((0.8, 0.1, 0.1), (0.75, 0.2, 0.1)), ((0.97, 0.96, 0.90), (0.95, 0.97, 0.93))


def stroke(colors: tuple = RED, seed: int = 0, texture: float = 0.06,
           shape: tuple[int, int] = (40, 80)) -> tuple[np.ndarray, np.ndarray]:
    """(alpha, color) of a soft-edged bar with bristle lines and holes, colour running along it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:shape[0], 0:shape[1]]
    along = np.clip((x - 8) / (shape[1] - 16), 0, 1)[..., None]
    lines = np.abs(gaussian_filter(rng.normal(size=(shape[0], 1)), (1, 0)))[..., None]
    color = np.clip((np.array(colors[0]) * (1 - along) + np.array(colors[1]) * along) * (1 - texture * lines), 0, 1)
    inside = ((x - shape[1] / 2) / (0.42 * shape[1])) ** 4 + ((y - shape[0] / 2) / (0.35 * shape[0])) ** 4 < 1
    inside &= gaussian_filter(rng.normal(size=shape), 1) < 0.75
    alpha = gaussian_filter(inside.astype(float), 0.6)
    alpha[alpha < 0.02] = 0
    return alpha.astype(np.float32), color.astype(np.float32)


def write(path: Path, alpha: np.ndarray, color: np.ndarray, ground: str, canvas: tuple[int, int] = (120, 100),
          offset: tuple[int, int] = (11, 23)) -> None:
    """One stroke picture on a canvas of (width, height) px."""
    full = np.zeros((canvas[1], canvas[0], 4))
    y, x = offset[1], offset[0]
    full[y:y + alpha.shape[0], x:x + alpha.shape[1]] = np.dstack([color, alpha])
    if ground == "white":
        full = full[..., :3] * full[..., 3:] + 1 - full[..., 3:]
    Image.fromarray(np.rint(full * 255).astype(np.uint8)).save(path)


def on_canvas(patch: object, canvas: tuple[int, int] = (120, 100)) -> np.ndarray:
    full = np.zeros((canvas[1], canvas[0]), np.float32)
    (x, y), (h, w) = patch.offset, patch.alpha.shape
    full[y:y + h, x:x + w] = patch.alpha
    return full


def test_order_is_natural() -> None:
    names = ["stroke 10.png", "Stroke 2.png", "stroke 1.png", "10.png", "9.png", "a.png", "stroke 02b.png"]
    assert sorted(names, key=natural_key) == ["9.png", "10.png", "a.png", "stroke 1.png", "Stroke 2.png",
                                              "stroke 02b.png", "stroke 10.png"]


def test_transparent_ground_is_taken_as_it_is(tmp_path: Path) -> None:
    alpha, color = stroke()
    for name, x in (("10.png", 30), ("9.png", 5)):
        write(tmp_path / name, alpha, color, "transparent", offset=(x, 20))
    patches, size = read_folder(tmp_path)
    assert size == (120, 100)
    assert [p.offset[0] for p in patches] == sorted(p.offset[0] for p in patches)  # 9 comes before 10
    patch = patches[0]
    assert patch.alpha.dtype == patch.color.dtype == np.float32
    rows, columns = np.nonzero(alpha > 0.5 / 255)
    assert patch.offset == (5 + columns.min() - 2, 20 + rows.min() - 2)
    assert patch.alpha.shape == (np.ptp(rows) + 5, np.ptp(columns) + 5)
    assert np.abs(on_canvas(patch)[20:60, 5:85] - alpha).max() < 0.6 / 255


@pytest.mark.parametrize(("colors", "limit"), [
    (RED, 0.012), (((0.2, 0.3, 0.4), (0.3, 0.5, 0.4)), 0.012), (((0.95, 0.9, 0.2), (0.9, 0.8, 0.9)), 0.015),
    (((0.8, 0.1, 0.1), (0.99, 0.98, 0.97)), 0.03), (PALE, 0.04), (((0.05, 0.05, 0.05),) * 2, 0.012)])
@pytest.mark.parametrize("seed", [0, 1])
def test_white_ground_is_unmixed(tmp_path: Path, colors: tuple, limit: float, seed: int) -> None:
    """Mean error of opacity over the stroke: about one level in 100 for paint, a few where paint is nearly white."""
    alpha, color = stroke(colors, seed)
    write(tmp_path / "1.png", alpha, color, "white")
    (patch,), _ = read_folder(tmp_path)
    found = on_canvas(patch)[23:63, 11:91]
    seen = (alpha > 0) | (found > 0)
    assert np.abs(found - alpha)[seen].mean() < limit


def test_colours_at_the_edge_are_the_paint_s_own(tmp_path: Path) -> None:
    alpha, color = stroke(texture=0)
    write(tmp_path / "1.png", alpha, color, "white", offset=(0, 0), canvas=(80, 40))
    (patch,), _ = read_folder(tmp_path)
    (x, y), (h, w) = patch.offset, patch.alpha.shape
    edge = (patch.alpha > 0.3) & (patch.alpha < 0.9)
    assert edge.sum() > 50
    assert np.abs(patch.color - color[y:y + h, x:x + w])[edge].mean() < 0.03


def test_unmixing_gives_the_picture_back() -> None:
    """alpha * color + 1 - alpha is what was seen, wherever it was not taken for ground."""
    for seed, colors in enumerate((RED, PALE)):
        alpha, color = stroke(colors, seed)
        seen = alpha[..., None] * color + 1 - alpha[..., None]
        got_alpha, got_color = unmix(seen)
        again = got_alpha[..., None] * got_color + 1 - got_alpha[..., None]
        assert np.abs(again - seen).max() < 2.1 / 255
        assert got_color.min() >= 0
        assert got_color.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 3)])
def test_tiny_strokes(shape: tuple[int, int]) -> None:
    alpha, color = unmix(np.full((*shape, 3), (0.2, 0.5, 0.9), np.float32))
    np.testing.assert_array_equal(alpha, 1)
    np.testing.assert_allclose(color, np.broadcast_to([0.2, 0.5, 0.9], (*shape, 3)), atol=1e-6)
    alpha, _ = unmix(np.ones((*shape, 3), np.float32))
    np.testing.assert_array_equal(alpha, 0)


def test_blank_pictures_and_other_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "2.png", *stroke(), "white")
    Image.new("RGB", (120, 100), "white").save(tmp_path / "1.png")
    (tmp_path / ".3.png").write_bytes(b"hidden")
    (tmp_path / "notes.txt").write_text("not a stroke")
    (tmp_path / "folder.png").mkdir()
    patches, _ = read_folder(tmp_path)
    assert len(patches) == 1


def test_white_paint_survives_on_transparent_ground(tmp_path: Path) -> None:
    """In a folder with transparent ground, white is paint, even in a picture that is painted all over."""
    alpha, color = stroke(((1, 1, 1), (1, 1, 1)), texture=0)
    for n in (1, 2):
        write(tmp_path / f"{n}.png", alpha, color, "transparent")
    Image.new("RGB", (120, 100), "white").save(tmp_path / "3.png")
    patches, _ = read_folder(tmp_path)
    assert len(patches) == 3
    assert patches[2].alpha.shape == (100, 120)
    assert patches[2].alpha.min() == 1
    assert np.abs(patches[0].alpha.sum() - alpha.sum()) < 2


def test_jpeg_noise_is_not_paint(tmp_path: Path) -> None:
    write(tmp_path / "1.png", *stroke(), "white")
    Image.open(tmp_path / "1.png").save(tmp_path / "2.jpg", quality=85)
    (exact, noisy), _ = read_folder(tmp_path)
    assert np.abs(np.subtract(exact.alpha.shape, noisy.alpha.shape)).max() <= 6
    assert np.abs(on_canvas(exact) - on_canvas(noisy)).mean() < 0.02


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(InputError, match="no pictures"):
        read_folder(tmp_path)
    Image.new("RGB", (20, 20), "white").save(tmp_path / "1.png")
    with pytest.raises(InputError, match="all blank"):
        read_folder(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        read_folder(tmp_path / "1.png")
    Image.new("RGB", (20, 20), "green").save(tmp_path / "1.png")
    with pytest.raises(InputError, match="neither white nor transparent"):
        read_folder(tmp_path)


def test_sizes_must_agree_and_the_first_that_does_not_is_named(tmp_path: Path) -> None:
    for name, canvas in (("1.png", (120, 100)), ("2.png", (120, 100)), ("10.png", (121, 100)), ("11.png", (90, 90))):
        write(tmp_path / name, *stroke(), "white", canvas=canvas, offset=(2, 2))
    with pytest.raises(InputError, match=r"'10\.png' is 121 x 100 px, but '1\.png' is 120 x 100 px"):
        read_folder(tmp_path)


def test_a_damaged_stroke_is_named(tmp_path: Path) -> None:
    write(tmp_path / "1.png", *stroke(), "white")
    data = (tmp_path / "1.png").read_bytes()
    (tmp_path / "2.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"'2\.png' is damaged"):
        read_folder(tmp_path)


def test_cancel_and_progress(tmp_path: Path) -> None:
    for n in range(4):
        write(tmp_path / f"{n}.png", *stroke(), "white")
    seen: list[float] = []
    read_folder(tmp_path, Run(on_progress=lambda p: seen.append(p.fraction)))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        read_folder(tmp_path, Run(token=token))


def test_empty_files_are_passed_over_with_a_note(tmp_path: Path) -> None:
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[5:15, 5:15] = (200, 30, 30, 255)
    Image.fromarray(picture).save(tmp_path / "1.png")
    (tmp_path / "0.png").touch()
    told: list[str] = []
    with notes_to(told.append):
        patches, size = read_folder(tmp_path)
    assert (len(patches), size) == (1, (20, 20))
    assert told == ["Passed over because they are empty (0 bytes): 0.png."]
