from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path

import inkex
import pytest
from gradvec.errors import UsageError
from gradvec.looks import DEFAULT, LOOKS
from gradvec.options import STROKES_MAX, Options
from lxml import etree

from inkscape_ext import parameters
from inkscape_ext.ui import menu_file

INX = Path(__file__).resolve().parents[2] / "gradvec.inx"
NS = "{http://www.inkscape.org/namespace/inkscape/extension}"


def options(*arguments: str) -> dict:
    parser = ArgumentParser()
    parameters.add_options(parser)
    return parameters.run_options(parser.parse_args(list(arguments)))


def params() -> dict:
    return {param.get("name"): param for param in etree.parse(str(INX)).iter(NS + "param")}


def default(param) -> str:
    choices = param.findall(NS + "option")
    return choices[0].get("value") if choices else (param.text or "").strip()


def test_without_any_argument_the_options_are_the_defaults():
    assert options() == Options().to_dict()


def test_the_menu_as_it_opens_gives_the_look_that_painting_takes():
    values = [f"--{name}={default(param)}" for name, param in params().items()
              if name in {option.name for option in fields(Options)} or name.startswith("host_preset")]
    assert options(*values) == Options.from_dict({"look": DEFAULT, "strokes": Options().strokes}).to_dict()
    assert options(*values, "--look=own") == Options().to_dict()
    assert options(*values, "--look=own", "--brush=marker")["brush"] == "marker"


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_a_look_says_what_it_has_and_leaves_the_rest_to_the_artist(look):
    chosen = options(f"--look={look.name}", "--strokes=77", "--seed=5", "--brush=marker",
                     "--fidelity=1", "--texture=canvas")
    assert (chosen["strokes"], chosen["seed"]) == (77, 5)
    assert {name: chosen[name] for name in look.options if name != "strokes"} == {
        name: value for name, value in look.options.items() if name != "strokes"}
    assert chosen["fidelity"] == look.options.get("fidelity", 1.0)


@pytest.mark.parametrize("option", [option for option in fields(Options) if option.name not in parameters.NOT_IN_MENU],
                         ids=lambda option: option.name)
def test_the_menu_offers_each_option_as_the_table_has_it(option):
    param = params()[option.name]
    meta = option.metadata
    choices = [choice.get("value") for choice in param.findall(NS + "option")]
    if meta["choices"]:
        assert set(choices) - {parameters.FREE_SHAPES, parameters.OWN_LOOK} == set(meta["choices"])
    elif choices:
        for choice in set(choices) - {parameters.OWN_BACKGROUND}:
            Options.from_dict({option.name: choice})
    if meta["low"] is not None and not choices:
        high = STROKES_MAX if option.name == "strokes" else meta["high"]
        low = 0 if option.default is None else meta["low"]  # 0 stands for automatic
        assert (float(param.get("min")), float(param.get("max"))) == (low, high)
    wanted = DEFAULT if option.name == "look" else option.default
    assert getattr(Options.from_dict({option.name: default(param)}), option.name) == wanted
    assert param.get("gui-description")


def test_the_menu_offers_nothing_that_nobody_reads():
    known = {option.name for option in fields(Options)} - set(parameters.NOT_IN_MENU)
    others = set(params()) - known
    assert others == {"command", "tab", "host_preset", "host_background_color", "host_clip", "host_hide_picture",
                      "host_lock_picture", "host_hide_marks", "host_own_brushes", "host_style", "host_replace",
                      "host_draft", "host_variation"}
    assert {choice.get("value") for choice in params()["host_preset"].iter(NS + "option")} == set(parameters.PRESETS)


def test_the_menu_file_is_valid():
    shipped = Path(inkex.__file__).parent
    schema = next(path for path in (shipped / "tester" / "inkscape.extension.rng",
                                    shipped.parent / "inkscape.extension.rng") if path.exists())
    menu = etree.parse(str(INX))
    assert menu.getroot().attrib.pop("translationdomain") == "gradvec"  # the schema of 1.2 does not know it
    etree.RelaxNG(etree.parse(str(schema))).assertValid(menu)
    root = etree.parse(str(INX)).getroot()
    assert root.findtext(NS + "id") == "org.gradvec.paint"
    assert root.find(f"{NS}effect").get("needs-live-preview") == "false"
    assert root.find(f"{NS}effect/{NS}effects-menu/{NS}submenu").get("name") == "Gradvec"
    assert root.findall(f"{NS}dependency") == []
    assert (INX.parent / root.findtext(f"{NS}script/{NS}command")).is_file()


def test_one_colour_a_stroke_is_one_of_the_gradients():
    chosen = options("--look=own", "--gradient=flat")
    assert (chosen["gradient"], chosen["one_color"]) == ("flat", True)
    assert not options("--look=own", "--gradient=auto")["one_color"]
    assert options("--look=gouache", "--gradient=refined")["one_color"]


def test_settings_that_are_changed_in_a_window_say_one_colour_where_it_was_chosen():
    gouache = options("--look=gouache")
    assert menu_file.as_shown(gouache)["gradient"] == "flat"
    assert menu_file.as_meant({"gradient": "flat"}, gouache) == {"gradient": "refined"}, "nothing was changed"
    assert menu_file.as_meant({"gradient": "auto"}, gouache) == {"gradient": "auto", "one_color": "false"}
    assert menu_file.as_meant({"gradient": "flat"}, options("--look=own")) == {"gradient": "flat", "one_color": "true"}


def test_free_shapes_are_a_job_of_their_own():
    parser = ArgumentParser()
    parameters.add_options(parser)
    free, oil = parser.parse_args(["--brush=free", "--strokes=64"]), parser.parse_args(["--brush=oil"])
    assert (parameters.job_kind(free), parameters.job_kind(oil)) == ("vectorize", "paint")
    assert parameters.run_options(free) == Options.for_job("vectorize", {"strokes": 64}).to_dict()


def test_presets():
    assert (options("--host_preset=draft")["strokes"], options("--host_preset=draft")["size"]) == (167, 256)
    assert (options("--host_preset=fine")["strokes"], options("--host_preset=fine")["size"]) == (1000, None)
    assert options("--size=auto")["size"] is None
    assert options("--host_preset=fine", "--size=768")["size"] == 1536
    assert options("--host_preset=fine", "--strokes=4000", "--size=4000")["strokes"] == STROKES_MAX
    assert options("--host_preset=fine", "--strokes=4000", "--size=4000")["size"] == parameters.SIZE_MAX
    small = options("--host_preset=draft", "--strokes=1", "--size=16")
    assert (small["strokes"], small["size"]) == (1, parameters.SIZE_MIN)


@pytest.mark.parametrize(("value", "color"), [
    ("4278190335", "#ff0000"), ("-16776961", "#ff0000"), ("0xf4efe6ff", "#f4efe6"), ("#12ab34ff", "#12ab34"),
    (" #12ab34 ", "#12ab34"), ("255", "#000000")])
def test_colours_come_as_one_number(value, color):
    assert parameters.hex_color(value) == color
    assert options("--background=own", f"--host_background_color={value}")["background"] == color


def test_spaces_in_a_palette_are_forgiven():
    assert options("--palette= #204060, #f0e0c0 ")["palette"] == "#204060,#f0e0c0"


def test_a_wrong_palette_is_one_sentence():
    with pytest.raises(UsageError) as caught:
        options("--palette=many")
    assert "palette" in caught.value.message


def test_the_settings_of_a_drawing_are_those_of_the_menu_and_come_back_unchanged():
    """What the window shows of any options, handed back untouched, gives the same options."""
    offered = {option.name for option in fields(Options)} - set(parameters.NOT_IN_MENU) - set(menu_file.NOT_CHANGED)
    choices = [choice for _label, page in menu_file.pages() for choice in page]
    assert {choice.name for choice in choices} == offered
    for values in ({}, {"one_color": True}, {"opaque": False},
                   {"strokes": 77, "opaque": True, "cubics": 12, "stroke_max": 90.5, "palette": "#204060,#f0e0c0",
                    "background": "#123456", "fidelity": 0.25, "gradient": "flat"}):
        stored = Options.from_dict(values).to_dict()
        seen = menu_file.as_shown(stored)
        shown = {choice.name: choice.shown(seen[choice.name]) for choice in choices}
        assert Options.from_dict({**stored, **menu_file.as_meant(shown, stored)}).to_dict() == stored
