"""Drawings that are damaged, absurd or made to harm: each is read, or refused in a sentence that names the element."""

import resource
import subprocess
import sys

import numpy as np
import pytest
from gradvec.errors import EngineError, InputError
from gradvec.io.svg import read, write
from gradvec.io.svg.path import FARTHEST, arc_cubics, commands, parse_path, path_data
from gradvec.io.svg.read import parse, size_of, stored_run
from gradvec.io.svg.write import NAMESPACE
from gradvec.model import Document, Layer, LinearGradient, Outline, Shape, Stop
from hypothesis import given, settings
from hypothesis import strategies as st

HEAD = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'xmlns:gradvec="{NAMESPACE}" viewBox="0 0 40 30">')
BOX = "M10 5h20v10h-20z"
STOPS = '<stop offset="0" stop-color="#f00"/><stop offset="1" stop-color="#00f"/>'


def gradient(attributes="", stops=STOPS):
    return (f'<linearGradient id="g" gradientUnits="userSpaceOnUse" x1="0" x2="9" {attributes}>{stops}'
            f'</linearGradient><path id="leaf" d="{BOX}" fill="url(#g)"/>')


@pytest.mark.parametrize("body", [
    f'<path id="leaf" d="{BOX}" fill="rgb(a,b,c)"/>', f'<path id="leaf" d="{BOX}" fill="rgb(nan,1,1)"/>',
    f'<path id="leaf" d="{BOX}" fill="rgb(1,2"/>',
    f'<path id="leaf" d="{BOX}" transform="rotate(1e400)"/>', f'<path id="leaf" d="{BOX}" transform="spin(3)"/>',
    f'<path id="leaf" d="{BOX}" transform="scale(1e5) scale(1e5)"/>', '<path id="leaf" d="M0 0L1e308 0 5 5z"/>',
    '<path id="leaf" d="M1e300 0L1 1 5 5z"/>', '<path id="leaf" d="M0 0A1 inf 0 0 1 5 5z"/>',
    f'<path id="leaf" d="M0 0L{"9" * 5000} 0z"/>', '<path id="leaf" d="M0 0L\u0661 1 5 5z"/>',
    '<path id="leaf" d="M0 0' + "l9e8 0" * 5 + 'z"/>', f'<path id="leaf" d="{BOX}" fill="url(#nobody)"/>',
    f'<path id="leaf" d="{BOX}" opacity="1e999" fill="url(#leaf)"/>',
    gradient('gradientTransform="scale(1e9) scale(1e9)"'), gradient('y1="1e309"'),
    gradient('xlink:href="#h"', "") + '<pattern id="h"/>', gradient(stops=STOPS * 600),
    gradient(stops='<stop offset="0" stop-color="chartreuse"/>' * 2)])
def test_what_cannot_be_drawn_is_refused_by_its_elements_name(body):
    with pytest.raises(InputError, match=r"^path 'leaf': "):
        read(f"{HEAD}{body}</svg>".encode())


def test_a_group_without_a_name_is_told_by_its_line():
    with pytest.raises(InputError, match=r"^g in line 3: "):
        read(f'{HEAD}\n\n<g transform="scale(1e400)"><path d="{BOX}"/></g></svg>'.encode())


@pytest.mark.parametrize(("level", "expected"), [("²", 0), ("9" * 5000, 0), ("-1", 0), ("3", 3)])
def test_a_level_that_is_no_number_counts_as_none(level, expected):
    document = read(f'{HEAD}<path gradvec:level="{level}" d="{BOX}"/></svg>'.encode())
    assert document.shapes[0].level == expected


@pytest.mark.parametrize("box", ["0 0 1e400 5", "0 0 5 1e300", "0 0 3e6 3e6", "0 0 0 5", "0 0 nan 5"])
def test_a_size_that_no_picture_has_is_refused(box):
    with pytest.raises(InputError):
        size_of(parse(HEAD.replace("0 0 40 30", box).encode() + b"</svg>"))


@pytest.mark.parametrize("text", ['{"seed":NaN}', '{"seed":1e999}', "[" * 100_000, '{"seed":' + "9" * 5000 + "}", "{"])
def test_settings_that_are_no_plain_values_are_refused(text):
    with pytest.raises(InputError, match="gradvec:run"):
        stored_run(parse(f"{HEAD}<metadata><gradvec:run>{text}</gradvec:run></metadata></svg>".encode()))
    with pytest.raises(InputError, match="gradvec:run"):
        stored_run(parse(f"{HEAD}<metadata gradvec:run='{text}'/></svg>".encode()))


def test_groups_may_lie_as_deep_as_xml_allows():
    deep = f'{HEAD}{"<g>" * 1500}<path d="{BOX}"/>{"</g>" * 1500}</svg>'
    assert len(read(deep.encode()).shapes) == 1
    with pytest.raises(InputError):
        read(f'{HEAD}{"<g>" * 100_000}</svg>'.encode())


def test_gradients_that_take_after_each_other_without_end_are_refused():
    chain = "".join(f'<linearGradient id="g{n}" xlink:href="#g{n + 1}"/>' for n in range(100))
    with pytest.raises(InputError, match="takes after"):
        read(f'{HEAD}{chain}<path id="leaf" d="{BOX}" fill="url(#g0)"/></svg>'.encode())


def test_what_is_inherited_is_told_from_what_is_not():
    document = read(f'{HEAD}<g fill="#0000ff" opacity=".5"><g><path d="{BOX}"/></g><path fill="#ff0000" d="{BOX}"/></g>'
                    f'<path d="{BOX}"/></svg>'.encode())
    assert [shape.fill.color for shape in document.shapes] == [(0, 0, 1), (1, 0, 0), (0, 0, 0)]
    assert [shape.opacity for shape in document.shapes] == [0.5, 0.5, 1.0]


@pytest.mark.parametrize("arc", [[1e-320, 1, 0, 0, 1], [1, 1e-300, 9, 1, 0], [1e9, 1e9, 0, 1, 1], [1e-9, 1e9, 45, 0, 1],
                                 [5, 5, 1e9, 0, 1]])
@pytest.mark.parametrize("end", [3 + 4j, 1e-300 + 0j, 1e9 + 1e9j, 5e-324j])
def test_arcs_of_any_size_end_where_they_should(arc, end):
    cubics = arc_cubics(0j, end, arc)
    assert cubics[-1][2] == end
    assert np.isfinite(np.array(cubics)).all()


def test_numbers_too_large_for_a_drawing_are_never_written():
    far = np.array([[0, 0], [1, 1], [2 * FARTHEST, 0]])
    with pytest.raises(EngineError):
        path_data(Outline((far,)))
    stops = (Stop(0.0, (0, 0, 0)), Stop(1.0, (1, 1, 1)))
    shape = Shape(Outline((far / FARTHEST,)), LinearGradient(0, 0, 1e308, 0, stops))
    with pytest.raises(EngineError):
        write(Document(5, 5, (Layer("", (shape,)),)))


@settings(max_examples=400, deadline=None)
@given(st.text("MmLlHhVvCcSsQqTtAaZz0123456789.eE+- ,\n\t\u0661x", max_size=60))
def test_any_text_is_path_data_or_refused(text):
    for reader in (lambda d: list(commands(d)), parse_path):
        try:
            result = reader(text)
        except InputError:
            continue
        if isinstance(result, Outline):
            assert all(np.abs(loop).max() <= FARTHEST for loop in result.loops)


LONG = {"arcs": "parse_path('M0 0' + 'a1 1 0 0 1 2 2' * 40_000)",
        "one arc command": "parse_path('M0 0a' + '1 1 0 0 1 2 2 ' * 100_000)",
        "blanks": "parse_path('M0 0L1 1' + ' ' * 20_000_000)",
        "transform without end": "matrix_of('a' * 20_000_000)",
        "transforms": "matrix_of('rotate(1)' * 50_000)",
        "digits": "refused(lambda: parse_path('M' + '1' * 20_000_000))",
        "paths of one gradient": "read((HEAD + '<linearGradient id=\"g\">' + '<stop offset=\"0\"/>' * 900 + "
        "'</linearGradient>' + '<path d=\"M0 0h1v1z\" fill=\"url(#g)\"/>' * 4_000 + '</svg>').encode())",
        "deep": "read((HEAD + '<g>' * 1000 + '<path d=\"M0 0h1v1z\"/>' * 4_000 + '</g>' * 1000 + '</svg>').encode())"}
CODE = """
from gradvec.errors import InputError
from gradvec.io.svg import read
from gradvec.io.svg.attributes import matrix_of
from gradvec.io.svg.path import parse_path
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
def refused(call):
    try:
        call()
    except InputError:
        return
    raise SystemExit("was not refused")
"""


@pytest.mark.parametrize("call", LONG.values(), ids=LONG)
def test_time_grows_with_the_length_and_not_with_its_square(call):
    """A tenth of the processor time that is allowed; looking at all that is left in each step would take more."""
    limit = (resource.RLIMIT_CPU, (40, 40))
    done = subprocess.run([sys.executable, "-c", CODE + call], preexec_fn=lambda: resource.setrlimit(*limit),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
