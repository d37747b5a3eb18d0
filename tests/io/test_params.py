"""Saved strokes: what goes out comes back, and what is no such file is told."""

import io
import json
import zipfile
from dataclasses import fields, replace

import numpy as np
import pytest
from gradvec.errors import InputError
from gradvec.io.params import FORMAT, STAMPS_MAX, Params, read_params, write_params
from gradvec.model import Outline, Painting, Stamp, Strokes
from gradvec.options import Options

LOOP = np.array([(-0.5, 0), (-0.5, -0.3), (0, -0.5), (0.2, -0.5), (0.5, 0), (0.5, 0.2), (0, 0.5), (-0.3, 0.5),
                 (-0.5, 0.2)])


def params(count=4, stamps=0):
    random = np.random.default_rng(1)
    strokes = Strokes(np.arange(count, dtype=np.int8) % 5, np.zeros(count, np.int16),
                      random.normal(20, 9, (count, 8)).astype(np.float32),
                      random.normal(20, 9, (count, 4)).astype(np.float32),
                      *random.uniform(0, 1, (2, count, 3)).astype(np.float32),
                      random.uniform(0, 1, count).astype(np.float32), np.arange(count, dtype=np.int16))
    own = tuple(Stamp(Outline((LOOP * (1 - k / 9),)), random.uniform(0, 1, (3, 5)).astype(np.float32))
                for k in range(stamps))
    if stamps:
        strokes = replace(strokes, template=np.where(strokes.brush == 0, 7 + stamps, 0).astype(np.int16))
    return Params(Painting(strokes, 48, 32, (0.1, 0.25, 1.0), 6, own), Options(strokes=max(count, 1), seed=7))


@pytest.mark.parametrize(("count", "stamps"), [(4, 0), (4, 3), (0, 0), (0, 2)])
def test_strokes_come_back_as_they_were(count, stamps):
    before = params(count, stamps)
    after = read_params(write_params(before))
    assert after.options == before.options
    assert replace(after.painting, strokes=before.painting.strokes, stamps=()) == replace(before.painting, stamps=())
    for field in fields(Strokes):
        one, other = getattr(before.painting.strokes, field.name), getattr(after.painting.strokes, field.name)
        assert (one.dtype, one.tolist()) == (other.dtype, other.tolist())
    for one, other in zip(before.painting.stamps, after.painting.stamps, strict=True):
        assert (one.outline.loops[0] == other.outline.loops[0]).all()
        assert (one.texture == other.texture).all()
    bare = Params(replace(before.painting, background=None), before.options)
    assert read_params(write_params(bare)).painting.background is None


def changed(**arrays):
    """The file with other arrays; None takes one out."""
    with np.load(io.BytesIO(write_params(params(stamps=1)))) as found:
        values = {**found, **arrays}
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in values.items() if value is not None})
    return buffer.getvalue()


OPTIONS = Options().to_dict()


@pytest.mark.parametrize(("arrays", "says"), [
    ({"shape": None}, "'shape' is missing"), ({"shape": np.zeros((4, 7), np.float32)}, "7 columns where 8"),
    ({"opacity": np.zeros(3, np.float32)}, "3 strokes where the brushes have 4"),
    ({"color0": np.full((4, 3), 1.5, np.float32)}, "'color0'.*from 0 to 1"),
    ({"shape": np.full((4, 8), np.nan, np.float32)}, "'shape'.*from"), ({"axis": np.full((4, 4), 1e9)}, "'axis'"),
    ({"brush": np.full(4, 9, np.int8)}, "'brush'.*from 0 to 4"), ({"brush": np.zeros(4)}, "'brush' has another shape"),
    ({"template": np.full(4, 99, np.int16)}, "'template' names"), ({"level": np.full(4, -1, np.int16)}, "'level'"),
    ({"width": 0}, "'width' is 0"), ({"width": np.zeros(2, int)}, "'width'"), ({"cubics": 99}, "'cubics' is 99"),
    ({"background": np.array([0.1, 2.0, 0.3])}, "'background' is no colour"),
    ({"background": np.array([0.1, 0.2])}, "'background' is no colour"),
    ({"options": None}, "'options' is missing"), ({"options": "{"}, "'options' cannot be understood"),
    ({"options": "[1]"}, "'options' is no object"), ({"options": "[" * 10_000}, "'options'"),
    ({"options": json.dumps({**OPTIONS, "fidelity": 7})}, "'options'.*fidelity"),
    ({"options": json.dumps({**OPTIONS, "unheard": 7})}, "'options'.*unheard"),
    ({"format": FORMAT + 1}, "later gradvec"), ({"stamp-0-outline": LOOP[:8]}, "closed chain"),
    ({"stamp-0-texture": np.full((3, 3), 2.0)}, "no texture"),
    ({"stamp-0-texture": None}, "'stamp-0-texture' is missing"),
    ({"shape": np.array([[{}] * 8] * 4)}, "'shape' is cut off, or holds something else"),
    ({f"more-{k}": 1 for k in range(2 * STAMPS_MAX + 20)}, "larger than any")])
def test_what_is_wrong_is_named(arrays, says):
    with pytest.raises(InputError, match=says):
        read_params(changed(**arrays))


def test_files_of_another_kind_are_refused():
    good = write_params(params())
    for data in (b"", b"PK\x03\x04", b"no archive at all", good[:len(good) // 2], good[:-1]):
        with pytest.raises(InputError, match="no file of strokes"):
            read_params(data)


def archive(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("shape.npy", content)
    return buffer.getvalue()


def test_large_arrays_are_refused_before_there_is_room_for_them():
    with pytest.raises(InputError, match="'shape' has 100 MB"):
        read_params(archive(bytes(100_000_000)))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"shape": (10**13, 8), "fortran_order": False, "descr": "<f4"})
    with pytest.raises(InputError, match="'shape' is cut off"):
        read_params(archive(header.getvalue() + bytes(64)))
