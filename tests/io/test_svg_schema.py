"""What is written is SVG 1.1: by the schema of svg.rng, and every reference leads to the one element that it names."""

import re
from pathlib import Path

import numpy as np
import pytest
from gradvec.io.svg import write
from gradvec.io.svg.texture import NAMES
from gradvec.model import Document, Layer, LinearGradient, Outline, RadialGradient, Rim, Shape, SolidColor, Stop
from lxml import etree

SCHEMA = etree.RelaxNG(etree.parse(str(Path(__file__).with_name("svg.rng"))))
GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.svg"))
BOX = Outline((np.array([[0, 0], [3, 0], [6, 0], [9, 0.005], [9, 3], [9, 6], [9, 9], [-1e-9, 6], [0, 3]]),))
STOPS = (Stop(0.0, (1.0, 0.5, 0.0)), Stop(0.3333333, (0.0, 0.0, 0.0), 0.12345), Stop(1.0, (0.2, 0.2, 0.2)))


def everything(texture="none"):
    """A document with all that a document may hold, and names that have to be escaped."""
    fills = (SolidColor((1, 0, 0)), LinearGradient(-0.001, 1e-7, 12345.678, 3, STOPS), RadialGradient(1, 2, 3.5, STOPS))
    shapes = tuple(Shape(BOX, fill, 0.5 + 0.25 * n, n, "twice" if n else "1 <&>", f'"{n}" <&>', brush="oil",
                         rim=Rim((0, 0, 0), 0.75, 0.5) if n else None) for n, fill in enumerate(fills))
    layers = (Layer('1 "<&>"', shapes, "a b"), Layer("empty", (), ""))
    return Document(9, 7, layers, {"name": "\u0000 <'\">"}, texture, (Shape(BOX, SolidColor((1, 1, 1))),))


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("texture", ["none", *NAMES])
def test_all_that_is_written_passes_the_schema(texture, relative):
    assert_valid(write(everything(texture), relative))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_whole_runs_pass_it(path):
    assert GOLDEN
    assert_valid(path.read_bytes())


@pytest.mark.parametrize(("good", "bad"), [
    ('version="1.1"', ""), ("<defs>", "<defs/><defs>"), ('gradientUnits="userSpaceOnUse"', 'gradientUnits="px"'),
    ('offset="0"', 'offset="1.5"'), ('fill="#ff0000"', 'fill="#f00000g"'), (' d="M0', ' d="M0,NaN'),
    ('stroke-width="0.75"', 'stroke-width="1e400"'), ('operator="in"', 'operator="inside"'),
    ("<feMergeNode", "<feMergeKnot"), ('id="twice"', 'id="2 twice"')])
def test_the_schema_refuses_what_is_none(good, bad):
    data = write(everything("watercolor")).decode()
    assert good in data
    assert not SCHEMA.validate(etree.fromstring(data.replace(good, bad, 1).encode()))


def assert_valid(data):
    root = etree.fromstring(data)
    assert SCHEMA.validate(root), SCHEMA.error_log
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    named = re.findall(rb"url\(#([^)]*)\)", data)
    assert {name.decode() for name in named} <= set(ids)
    for block in root.iter("{*}filter"):
        results = {"SourceGraphic", "SourceAlpha"}
        for primitive in block.iter("{*}*"):
            assert {primitive.get(key) for key in ("in", "in2")} - {None} <= results, etree.tostring(primitive)
            if primitive.get("result"):
                results.add(primitive.get("result"))
