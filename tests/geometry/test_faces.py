"""Faces are found where there are some, at any size and in the mirror, and not where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradvec.geometry import faces as module
from gradvec.geometry.attention import attention_of, faces_alone
from gradvec.geometry.faces import Face, faces, shown, turned
from gradvec.geometry.scaling import averaged, interpolated
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
#: The astronaut's face: centre of her nose, and from ear to ear, px, read off the picture.
NOSE, BREADTH = (224, 117), 88


def example(name: str) -> np.ndarray:
    return np.asarray(Image.open(EXAMPLES / name).convert("RGB"), np.float32) / 255


def is_hers(found: list[Face], scale: float = 1.0, x: float = NOSE[0]) -> bool:
    """One face, at most a sixth of it away and about as broad."""
    return (len(found) == 1 and np.hypot(found[0].x / scale - x, found[0].y / scale - NOSE[1]) < BREADTH / 6
            and 0.8 < found[0].width / scale / BREADTH < 1.4)


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
def test_a_face_is_found_at_any_size(scale):
    rgb = example("astronaut.jpg")
    size = (round(512 * scale), round(512 * scale))
    assert is_hers(faces(averaged(rgb, size) if scale < 1 else interpolated(rgb, size)), scale)


def test_a_face_is_found_in_the_mirror():
    assert is_hers(faces(example("astronaut.jpg")[:, ::-1]), x=512 - NOSE[0])


@pytest.mark.parametrize("degrees", [-30, 25])
def test_a_wide_face_is_found_with_the_head_to_one_side(degrees):
    head = example("astronaut.jpg")[:300, 70:370]
    seen = turned(head, degrees)
    nose = Face(NOSE[0] - 70, NOSE[1], BREADTH).turned(degrees, head.shape, seen.shape)
    found = faces(seen)
    assert len(found) == 1
    assert found[0].far_from(nose) < BREADTH / 4
    assert 0.8 < found[0].width / BREADTH < 1.4


def test_a_picture_that_is_turned_shows_its_faces_where_they_are_said_to_be():
    picture, face = np.zeros((60, 100, 3)), Face(80, 12, 5)
    picture[11:14, 79:82] = 1
    seen = turned(picture, 20)
    y, x = np.average(np.argwhere(seen[..., 0] > 0.2), axis=0, weights=seen[..., 0][seen[..., 0] > 0.2])
    there = face.turned(20, picture.shape, seen.shape)
    assert there.far_from(Face(x, y, 5)) < 1
    assert there.turned(-20, seen.shape, picture.shape).far_from(face) < 1e-9


def test_a_face_is_found_without_colours():
    """Where nothing tells skin from patches on a suit, some of these are taken for small faces, too."""
    grey = np.repeat(example("astronaut.jpg").mean(-1, keepdims=True), 3, -1)
    assert is_hers(faces(grey)[:1])


def test_a_face_of_no_colour_of_skin_is_none():
    assert faces(example("astronaut.jpg")[..., ::-1]) == [], "it is blue"


def test_there_is_none_in_a_cup_of_coffee_nor_in_noise():
    assert faces(example("coffee.jpg")) == []
    assert faces(np.random.default_rng(0).uniform(0, 1, (200, 300, 3))) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (23, 500), (24, 24)])
def test_pictures_too_small_or_too_narrow_for_one(shape):
    assert faces(np.full((*shape, 3), 0.6, np.float32)) == []


def test_without_the_cascade_there_are_none(monkeypatch):
    monkeypatch.setattr(module, "_cascade", lambda: None)
    assert faces(example("astronaut.jpg")) == []


def test_a_face_is_shown_as_an_oval_of_its_size():
    plane = shown([Face(50.0, 40.0, 40.0)], (80, 100))
    assert plane.shape == (80, 100)
    assert plane[40, 50] == 1
    assert plane[0, 0] == 0
    y, x = np.mgrid[:80, :100] + 0.5
    # Its area, the soft edge counted by half, is that of the ellipse.
    assert plane.sum() == pytest.approx(np.pi * 0.46 * 40 * 0.56 * 40, rel=0.03)
    assert (plane * x).sum() / plane.sum() == pytest.approx(50, abs=0.01)
    assert (plane * y).sum() / plane.sum() == pytest.approx(40, abs=0.01)
    assert not shown([], (3, 4)).any()


def test_a_face_draws_the_eye_more_than_all_else():
    rgb = example("astronaut.jpg")
    found = attention_of(rgb, np.ones(rgb.shape[:2], np.float32)).resized((512, 512))
    for plane in (found.drawn, found.spots):
        assert plane[NOSE[1] - 20:NOSE[1] + 20, NOSE[0] - 15:NOSE[0] + 15].min() == 1
        assert plane[200:].max() < 0.25, "patches, helmet and rocket"


def test_where_no_detail_is_asked_for_a_face_alone_draws_the_eye():
    rgb = example("astronaut.jpg")
    found = faces_alone(rgb, np.ones(rgb.shape[:2], np.float32))
    drawn = found.resized((512, 512)).drawn
    y, x = np.mgrid[:512, :512]
    away = np.hypot(x - NOSE[0], y - NOSE[1])
    assert drawn[away < 0.3 * BREADTH].min() > 0.9
    assert drawn[away > BREADTH].max() == 0
    assert faces_alone(example("coffee.jpg"), np.ones((400, 600), np.float32)) is None
