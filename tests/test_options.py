"""One table of options: the command line, the menu, the wire and the README say what it says."""

import importlib.util
import json
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from gradvec.cli import build_parser
from gradvec.cli.arguments import flag, options_from, range_in_words
from gradvec.errors import UsageError
from gradvec.looks import DEFAULT, PLAIN
from gradvec.options import JOB_OPTIONS, Options
from gradvec.stages.vectorize.schedule import stages
from lxml import etree

ROOT = Path(__file__).resolve().parent.parent
FIELDS = {f.name: f for f in fields(Options)}
MENUS = sorted([ROOT / "gradvec.inx", *(ROOT / "inkscape_ext").rglob("*.inx")])
#: Not for artists: which renderer computes, and forcing more strokes than Inkscape can edit.
#: One colour a stroke is a choice of the menu's gradients there.
NOT_IN_MENU = {"engine", "force", "one_color"}
#: Choices of the menu that the extension takes itself: free shapes are another job of the engine.
NO_OPTION = {"free", "own"}
#: One value each that is not the default.
OTHER = {int: lambda f: f.metadata["low"] + 4, float: lambda f: 0.75, bool: lambda f: not f.default}



def other_value(field):
    if field.metadata["choices"]:
        return next(c for c in field.metadata["choices"] if c != field.default)
    if isinstance(field.default, str):
        return "#a0b1c2"
    return OTHER[field.metadata["kind"]](field)


def menu_parameters(path):
    for element in etree.parse(str(path)).getroot().iter("{*}param"):
        if element.get("name") in FIELDS:
            yield path, element


def words(name, value):
    """What an artist's shell gets to see for ``name`` set to ``value``."""
    if isinstance(value, bool):
        return [flag(name) if value else f"--no-{flag(name)[2:]}"]
    return [flag(name), str(value)]


@pytest.mark.parametrize("name", FIELDS)
def test_the_command_line_takes_every_option(name):
    value = other_value(FIELDS[name])
    args = build_parser().parse_args(["paint", "p.png", "-o", "o.svg", *words(name, value)])
    assert options_from(args) == Options.from_dict({"look": DEFAULT, name: value})


@pytest.mark.parametrize("name", FIELDS)
def test_the_wire_takes_every_option(name):
    options = Options(**{name: other_value(FIELDS[name])})
    assert Options.from_dict(json.loads(json.dumps(options.to_dict()))) == options
    as_words = {k: {None: "auto", True: "true", False: "false"}.get(v, str(v)) if v is None or isinstance(v, bool)
                else str(v) for k, v in options.to_dict().items()}
    assert Options.from_dict(as_words) == options, "a menu hands over words"


@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if f.metadata["low"] is not None])
@pytest.mark.parametrize("side", ["low", "high"])
def test_ranges_hold(name, side):
    limit = FIELDS[name].metadata[side]
    outside = limit - 1 if side == "low" else limit + 1
    Options(**{name: limit, "force": True})
    with pytest.raises(UsageError, match=flag(name)[2:]):
        Options(**{name: outside, "force": True})


@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if f.metadata["choices"] or f.metadata["pattern"]])
def test_words_outside_their_list_are_refused(name):
    with pytest.raises(UsageError, match=flag(name)[2:]):
        Options(**{name: "no such word"})
    for choice in FIELDS[name].metadata["choices"]:
        assert getattr(Options(**{name: choice}), name) == choice


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match="no option named 'stroke'"):
        Options.from_dict({"stroke": 3})


def test_every_option_says_what_it_is():
    for field in FIELDS.values():
        assert field.metadata["help"]
        assert field.metadata["help"][0] == field.metadata["help"][0].lower() or field.metadata["help"][0].isdigit()
    assert range_in_words(FIELDS["seed"]) == "default 0, 0 to 2147483647"
    assert range_in_words(FIELDS["fidelity"]) == "default 0.5, 0 to 1"
    assert range_in_words(FIELDS["palette"]) == "default not used"
    assert range_in_words(FIELDS["brush"]) == "default oil"


def test_the_menu_offers_every_option():
    offered = {element.get("name") for _, element in menu_parameters(ROOT / "gradvec.inx")}
    assert offered == set(FIELDS) - NOT_IN_MENU


@pytest.mark.parametrize(("path", "element"), [p for menu in MENUS for p in menu_parameters(menu)],
                         ids=lambda v: v.name if isinstance(v, Path) else v.get("name"))
def test_menus_agree_with_the_table(path, element):
    field = FIELDS[element.get("name")]
    offered = [o.get("value") for o in element.iter("{*}option")]
    automatic = field.default is None
    kind = {int: "int", float: "float", bool: "bool"}.get(field.metadata["kind"])
    if field.metadata["choices"]:
        assert set(offered) - NO_OPTION <= set(field.metadata["choices"])
        if path.name == "gradvec.inx":
            assert set(offered) - NO_OPTION == set(field.metadata["choices"])
    elif kind == "bool" and automatic:
        assert set(offered) == {"auto", "true", "false"}
    elif kind and offered and automatic:
        assert offered[0] == "auto"
        assert all(getattr(Options(**{field.name: word}), field.name) == int(word) for word in offered[1:])
    elif kind:
        assert element.get("type") == kind
    if kind in ("int", "float") and not offered:
        assert (0 if automatic else field.metadata["low"]) <= float(element.get("min")), "0 stands for automatic"
        assert float(element.get("max")) <= field.metadata["high"]
    shown = offered[0] if offered else (element.text or "").strip()
    if path.name == "gradvec.inx":
        wanted = DEFAULT if field.name == "look" else field.default
        assert getattr(Options.from_dict({field.name: shown}), field.name) == wanted


def test_pages_show_the_tables_as_the_code_has_them(monkeypatch):
    spec = importlib.util.spec_from_file_location("options_table", ROOT / "scripts" / "options_table.py")
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "options_table", script)  # its dataclasses look for their module there
    spec.loader.exec_module(script)
    assert {table.page for table in script.TABLES} == {"README.md", "docs/looks.md"}
    for table in script.TABLES:
        page = (ROOT / table.page).read_text(encoding="utf-8")
        assert table.updated(page) == page, "run python scripts/options_table.py"
        assert table.updated(page.replace("`oil`", "`oyl`")) == page


@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if f.default is None])
@pytest.mark.parametrize("word", [None, "auto", ""])
def test_automatic_has_a_word_everywhere(name, word):
    assert getattr(Options(**{name: word}), name) is None
    args = build_parser().parse_args(["paint", "p.png", "-o", "o.svg", flag(name), "auto"]
                                     if FIELDS[name].metadata["kind"] is not bool else ["paint", "p.png", "-o", "o"])
    assert getattr(options_from(args), name) is None


@pytest.mark.parametrize("name", ["cubics", "stroke_min", "stroke_max"])
def test_documents_of_old_say_automatic_with_a_zero(name):
    assert getattr(Options.from_dict({name: 0}), name) is None


def menu_hands_over(**chosen):
    """The words that Inkscape hands over for a dialog in which ``chosen`` was set and the rest left alone."""
    words = {}
    for _, element in menu_parameters(ROOT / "gradvec.inx"):
        offered = [o.get("value") for o in element.iter("{*}option")]
        words[element.get("name")] = offered[0] if offered else (element.text or "").strip()
    # The look that leaves everything to the other tabs.
    return {**words, "look": PLAIN, **chosen}


@pytest.mark.parametrize(("job", "line", "chosen"), [
    ("paint", ["paint", "p.png", "-o", "o.svg", "--look", "photo"], {}),
    ("paint", ["paint", "p.png", "-o", "o.svg", "--look", "photo", "--fidelity", "1", "--opaque"],
     {"fidelity": "1", "opaque": "true"}),
    ("vectorize", ["vectorize", "p.png", "-o", "o.svg"], {"strokes": "64"}),
    ("vectorize", ["vectorize", "p.png", "-o", "o.svg", "--no-opaque", "--cubics", "9"],
     {"strokes": "64", "opaque": "false", "cubics": "9"})])
def test_menu_and_command_line_give_equal_options_for_each_job(job, line, chosen):
    args = build_parser().parse_args(line)
    if job == "vectorize":
        args.strokes = sum(stages(args.paths, args.schedule))
    assert options_from(args, job) == Options.for_job(job, menu_hands_over(**chosen))


def test_a_job_has_its_own_defaults_and_takes_what_is_given():
    free = Options.for_job("vectorize", {})
    assert (free.cubics, free.opaque, free.strokes, free.segments) == (16, True, 64, 16)
    assert Options.for_job("vectorize", {"opaque": False, "cubics": "auto"}).opaque is False
    assert Options.for_job("paint", {"look": PLAIN}) == Options()
    assert Options.for_job("paint", {}) == Options.from_dict({"look": DEFAULT})
    assert {"accuracy", "holes", "opaque"} <= set(JOB_OPTIONS["strokes"])
    assert all(set(names) <= set(FIELDS) for names in JOB_OPTIONS.values())


@pytest.mark.parametrize(("given", "most"), [({}, 8), ({"fidelity": 0.0}, 8), ({"fidelity": 0.75}, 12),
                                             ({"fidelity": 1.0}, 16), ({"fidelity": 1.0, "cubics": 6}, 6),
                                             ({"cubics": 64}, 64)])
def test_free_outlines_may_have_more_segments(given, most):
    assert Options(**given).segments == most


@pytest.mark.parametrize("cubics", [1, 3])
def test_no_closed_outline_has_so_few_segments(cubics):
    with pytest.raises(UsageError, match="between 4 and 64"):
        Options(cubics=cubics)
