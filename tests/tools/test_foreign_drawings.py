"""Drawings of others in `gradvec compare`: whatever they hold, this process stays whole and no file is read."""

import base64
import os

import numpy as np
import pytest
from gradvec.cli import main
from gradvec.errors import Cancelled, EngineError, InputError
from gradvec.io.images import png_bytes
from gradvec.tools import render_svg as module
from gradvec.tools.render_svg import render_svg

HEAD = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 30" '
        'width="40" height="30">')
RED = png_bytes(np.full((30, 40, 3), (255, 0, 0), np.uint8))
IMAGE = '<image width="40" height="30" {}="{}"/>'


def shown(body):
    return render_svg(f"{HEAD}{body}</svg>".encode(), 40, 30)


def test_what_lies_too_deep_is_refused():
    deep = "<g>" * 180 + '<rect width="40" height="30"/>' + "</g>" * 180
    assert shown(deep).max() == 0
    with pytest.raises(InputError, match="200 elements inside each other"):
        shown("<g>" * 400 + '<rect width="40" height="30"/>' + "</g>" * 400)


@pytest.mark.parametrize("name", ["href", "xlink:href"])
def test_linked_files_are_never_read(tmp_path, name):
    (tmp_path / "red.png").write_bytes(RED)
    os.mkfifo(tmp_path / "fifo")
    for target in (tmp_path / "red.png", f"file://{tmp_path}/red.png", tmp_path / "fifo", "/dev/zero", "a/../red.png"):
        assert shown(IMAGE.format(name, target)).min() == 255
    assert (shown(IMAGE.format(name, "data:image/png;base64," + base64.b64encode(RED).decode()))[15, 20]
            == (255, 0, 0)).all()


def test_a_file_that_is_named_inside_an_embedded_drawing_is_not_read(tmp_path):
    (tmp_path / "red.png").write_bytes(RED)
    inner = base64.b64encode(f"{HEAD}{IMAGE.format('href', tmp_path / 'red.png')}</svg>".encode()).decode()
    assert shown(IMAGE.format("href", f"data:image/svg+xml;base64,{inner}")).min() == 255


def test_the_process_that_renders_can_open_no_file(monkeypatch, tmp_path):
    """Even where the check of links would let one through."""
    (tmp_path / "red.png").write_bytes(RED)
    monkeypatch.setattr(module, "without_links", lambda root: None)
    for target in (tmp_path / "red.png", "/dev/zero"):
        assert shown(IMAGE.format("href", target)).min() == 255


def test_links_around_shapes_lead_nowhere_but_their_shapes_stay():
    assert shown('<a href="https://example.org"><rect width="40" height="30"/></a>').max() == 0
    assert shown('<rect id="r" width="20" height="30"/><use href="#r" x="20"/>').max() == 0


def test_a_drawing_that_needs_too_much_is_refused_in_a_sentence(monkeypatch):
    twice = "".join(f'<g id="g{n}"><use href="#g{n - 1}"/><use href="#g{n - 1}"/></g>' for n in range(1, 40))
    monkeypatch.setattr(module, "SECONDS_MAX", 2)
    monkeypatch.setattr(module, "MEMORY_BYTES", 2**28)
    with pytest.raises(InputError, match="cannot be rendered"):
        shown(f'<defs><g id="g0"><rect width="1" height="1"/></g>{twice}</defs><use href="#g39"/>')


def test_a_renderer_that_dies_or_hangs_is_an_error_of_the_drawing(monkeypatch, tmp_path):
    for code in ("import os; os.abort()", "while True: pass", "print('no picture')"):
        child = tmp_path / "render_child.py"
        child.write_text(code)
        monkeypatch.setattr(module, "__file__", str(tmp_path / "render_svg.py"))
        monkeypatch.setattr(module, "SECONDS_MAX", 1)
        with pytest.raises(InputError):
            shown("")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(("name", "error"), [("SIGINT", Cancelled), ("SIGTERM", EngineError)])
def test_a_renderer_that_is_ended_from_outside_is_no_error_of_the_drawing(monkeypatch, tmp_path, name, error):
    (tmp_path / "render_child.py").write_text(f"import os, signal; signal.signal(signal.{name}, signal.SIG_DFL); "
                                              f"os.kill(os.getpid(), signal.{name})")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "render_svg.py"))
    with pytest.raises(error):
        shown("")


def test_the_command_says_it(tmp_path, capsys):
    (tmp_path / "deep.svg").write_text(f'{HEAD}{"<g>" * 400}{"</g>" * 400}</svg>')
    (tmp_path / "red.png").write_bytes(RED)
    assert main(["compare", str(tmp_path / "deep.svg"), str(tmp_path / "red.png")]) == 3
    assert "Ungroup" in capsys.readouterr().err
