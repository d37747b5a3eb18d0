"""The adapter to diffvg: what it says without pydiffvg, and how far diffvg's pictures and derivatives agree with ours.

Tolerances. diffvg samples inside each pixel: an edge pixel's coverage is off by about 0.3 / n with n x n samples, and a
fill that is steep within a pixel is averaged where we, like SVG renderers, take it at the pixel's centre. Derivatives
with respect to points come from random samples on the boundary, so a scene's are compared as a whole, by cosine.
"""

from __future__ import annotations

import importlib.util
import sys
import types

import pytest
import torch
from gradvec.errors import EngineError
from gradvec.model import LinearGradient, Outline, Shape, Stop
from gradvec.render import diffvg, reference, render
from gradvec.render.scene import scene_from_shapes
from render_scenes import PARAMETERS, circle, hard_scenes, joined, painted, random_scene

#: Whether there is a pydiffvg; a mere folder of that name has no origin.
BUILT = getattr(importlib.util.find_spec("pydiffvg"), "origin", None) is not None
real = [pytest.mark.diffvg, pytest.mark.skipif(not BUILT, reason="no pydiffvg was built here")]
HARD = hard_scenes()


def test_missing_pydiffvg_is_one_sentence_and_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydiffvg", None)
    with pytest.raises(EngineError, match="needs pydiffvg") as caught:
        render(random_scene(0), "diffvg")
    assert "docs/diffvg.md" in caught.value.remedy


def test_a_folder_of_that_name_is_not_diffvg(monkeypatch, tmp_path):
    """Python imports any folder on its path, as an empty namespace."""
    (tmp_path / "pydiffvg").mkdir()
    monkeypatch.setitem(sys.modules, "pydiffvg", None)
    monkeypatch.delitem(sys.modules, "pydiffvg")  # what is imported in its place goes with the test
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(EngineError, match="needs pydiffvg") as caught:
        diffvg.load()
    assert str(tmp_path / "pydiffvg") in str(caught.value.__cause__)


def test_too_many_outlines_over_each_other_are_refused_before_they_crash():
    pile = scene_from_shapes(painted([circle(8, 8, 6)] * 300), 16, 16)
    with pytest.raises(EngineError, match="300 outlines lie over one pixel"):
        diffvg.refuse_what_would_crash(pile)
    diffvg.refuse_what_would_crash(scene_from_shapes(painted([circle(8, 8, 6)] * 256), 16, 16))


def test_a_turned_ellipse_is_refused():
    """diffvg has half axes along x and y; those are told to it as they are."""
    class Theirs:
        def __init__(self, center, radius, offsets, colors):
            self.radius = radius

    center, offset, color = torch.zeros(2), torch.tensor([0.0, 1.0]), torch.ones(2, 4)
    module = types.SimpleNamespace(RadialGradient=Theirs)
    for axes in ([[3.0, 0], [0, 2]], [[0, 2.0], [-3, 0]]):
        told = diffvg._ellipse(module, 0, center, torch.tensor(axes), offset, color)
        assert told.radius.tolist() == [3.0, 2.0]
    with pytest.raises(EngineError, match="outline 4 is a turned ellipse"):
        diffvg._ellipse(module, 4, center, torch.tensor([[3.0, 1], [0, 2]]), offset, color)


def agreement(scene, samples: int) -> tuple[float, dict[str, float]]:
    """Root mean square difference of the pictures and the cosine of each derivative, diffvg against the reference."""
    pixels = int(scene.topology.canvas_start[-1])
    # A smooth derivative of the loss: in a noisy one samples and areas would see different things.
    weight = torch.tensor([1.0, -0.6, 0.4, 0.8]) * torch.linspace(0.5, 1.5, pixels)[:, None]
    pictures, grads = [], []
    for call in (lambda s: diffvg.render_flat(s, samples), reference.render_flat):
        moving = scene.with_parameters(*(p.detach().clone().requires_grad_() for p in scene.parameters))
        picture = call(moving)
        (picture * weight).sum().backward()
        pictures.append(picture.detach())
        grads.append([torch.zeros_like(p) if p.grad is None else p.grad for p in moving.parameters])
    cosine = {name: torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()
              for name, a, b in zip(PARAMETERS, *grads, strict=True)}
    return float(((pictures[0] - pictures[1]) ** 2).mean().sqrt()), cosine


class TestReal:
    pytestmark = real

    @pytest.mark.parametrize("seed", range(3))
    def test_random_scenes(self, seed):
        difference, cosine = agreement(random_scene(seed, count=9), samples=8)
        assert difference <= 0.012
        assert cosine["points"] >= 0.995, cosine
        assert cosine["background"] >= 0.999, cosine
        # diffvg adds a radial gradient's colour derivative to its last stop once more, which colours and opacity feel.
        assert cosine["stop_color"] >= 0.9, cosine
        assert cosine["opacity"] >= 0.95, cosine

    def test_gentle_linear_gradients(self):
        stops = (Stop(0.1, (0.9, 0.2, 0.1)), Stop(0.5, (0.1, 0.8, 0.3), 0.7), Stop(0.9, (0.2, 0.1, 0.8)))
        shapes = [Shape(Outline((circle(12, 11, 8.3),)), LinearGradient(2, 4, 22, 18, stops), 0.7),
                  Shape(Outline((circle(19, 12, 6.1),)), LinearGradient(25, 3, 12, 19, stops), 0.9)]
        difference, cosine = agreement(scene_from_shapes(shapes, 28, 22), samples=8)
        assert difference <= 0.006
        assert min(cosine.values()) >= 0.998, cosine

    @pytest.mark.parametrize("name", [n for n in HARD if n != "1,000 overlapping"])
    def test_hard_scenes_render_alike(self, name):
        difference, _ = agreement(HARD[name], samples=4)
        # One pixel is 16 samples; a stop on another is an edge inside the fill, which we do not antialias.
        limit = {"a canvas of one pixel": 0.1, "a stop on another": 0.035, "two stops in one place": 0.035}
        assert difference <= limit.get(name, 0.02)

    def test_float64_and_many_canvases(self):
        scene = joined([random_scene(1, count=3), random_scene(2, count=3)]).to(torch.float64)
        picture = diffvg.render_flat(scene)
        assert picture.dtype == torch.float64
        assert picture.shape == (2 * 40 * 32, 4)
