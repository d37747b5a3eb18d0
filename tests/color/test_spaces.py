"""Colours of CSS 4: against numbers that the standard's own tests use, and against our OKLab."""

import numpy as np
import pytest
from gradvec.color.css import parse_color
from gradvec.color.oklab import oklab
from gradvec.color.spaces import from_css
from gradvec.errors import InputError


@pytest.mark.parametrize("text", [
    "hwb(120 0% 49.8039%)", "lab(46.2775% -47.5621 48.5837)", "lch(46.2775% 67.9892 134.3912)",
    "oklab(51.975% -0.1403 0.10768)", "oklch(51.975% 0.17686 142.495)", "color(srgb 0 0.50196 0)",
    "color(srgb-linear 0 0.21586 0)", "color(display-p3 0.21604 0.49418 0.13151)",
    "color(a98-rgb 0.281363 0.498012 0.116746)", "color(prophoto-rgb 0.230479 0.395789 0.129968)",
    "color(rec2020 0.235202 0.431704 0.085432)", "color(xyz 0.07719 0.15438 0.02573)",
    "color(xyz-d50 0.08312 0.154746 0.020961)"])
def test_the_same_green_in_every_space(text):
    color, opacity = parse_color(text)
    assert np.array(color) * 255 == pytest.approx([0, 128, 0], abs=0.6)
    assert opacity == 1


@pytest.mark.parametrize(("text", "color", "opacity"), [
    ("hwb(0.5turn 60 60 / 50%)", (0.5, 0.5, 0.5), 0.5), ("oklch(none none 20)", (0, 0, 0), 1),
    ("LCH(100% 0 200grad / none)", (1, 1, 1), 0), ("color(display-p3 0 1 0)", (0, 1, 0), 1)])
def test_units_percentages_nothing_and_what_lies_outside(text, color, opacity):
    assert from_css(text) == (pytest.approx(color, abs=2e-3), opacity)


@pytest.mark.parametrize("text", ["lab(1 2)", "oklab(a b c)", "color(cmyk 0 0 0)", "color()", "hwb(nan 0 0)",
                                  "rgb(1 2 3)"])
def test_what_is_none_of_these(text):
    assert from_css(text) is None


def test_nonsense_in_a_space_is_said():
    with pytest.raises(InputError, match="no colour"):
        parse_color("lab(much too blue)")


def test_oklab_is_ours():
    rng = np.random.default_rng(1)
    for rgb in rng.uniform(0.05, 0.95, (5, 3)):
        light, a, b = oklab(rgb)
        assert from_css(f"oklab({light} {a} {b})")[0] == pytest.approx(tuple(rgb), abs=1e-4)
