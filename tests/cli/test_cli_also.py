"""What may be handed to `gradvec paint` besides the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradvec.cli import main
from PIL import Image


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)).save(path)
    return path


def test_a_detail_map_and_a_brush_are_read(picture: Path, tmp_path: Path) -> None:
    bright = tmp_path / "map.png"
    Image.new("L", (32, 24), 200).save(bright)
    dab = np.zeros((16, 40, 4), np.uint8)
    dab[4:12, 2:38, 3] = 255
    Image.fromarray(dab).save(tmp_path / "dab.png")
    out = tmp_path / "out.svg"
    assert main(["paint", str(picture), "-o", str(out), "--strokes", "4", "--quiet", "--detail-map", str(bright),
                 "--own-brush", str(tmp_path / "dab.png")]) == 0
    assert b"<path" in out.read_bytes()


@pytest.mark.parametrize(("arguments", "told"), [
    (["--look", "lines"], ["--detail-map", "--style", "--own-brush"]),
    (["--look", "shapes"], ["--own-brush"]),
    (["--look", "marker"], ["--own-brush"]),
    (["--look", "oil"], [])])
def test_what_a_look_has_no_use_for_is_said(arguments: list[str], told: list[str], picture: Path, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint", str(picture), "-o", str(tmp_path / "out.svg"), "--strokes", "2", *arguments, "--detail-map",
                 str(picture), "--style", str(picture), "--own-brush", str(picture)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines() if "left out:" in line] == told


@pytest.mark.parametrize("option", ["--detail-map", "--own-brush"])
def test_a_missing_one_is_told_before_anything_runs(option: str, picture: Path, tmp_path: Path,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.svg"
    assert main(["paint", str(picture), "-o", str(out), option, str(tmp_path / "nowhere.png")]) == 3
    assert "nowhere.png" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("option", ["--save-painting", "--save-strokes", "--save-params"])
@pytest.mark.parametrize("look", ["lines", "shapes"])
def test_what_a_look_has_not_is_refused_before_anything_runs(option: str, look: str, picture: Path, tmp_path: Path,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.svg"
    assert main(["paint", str(picture), "-o", str(out), "--look", look, option, str(tmp_path / "also")]) == 2
    assert f"The look {look} has no brush strokes" in capsys.readouterr().err
    assert not out.exists()
