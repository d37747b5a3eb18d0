"""The menu files of the editing commands: valid, complete, and in step with the commands."""

import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

import inkex
import pytest
from gradvec.options import Options
from gradvec.tools.install import install_extension
from lxml import etree

from inkscape_ext.commands.repaint import DENSITY
from inkscape_ext.engine import care
from inkscape_ext.engine.connection import Record

MENUS = sorted((Path(__file__).resolve().parents[2] / "inkscape_ext").glob("*.inx"))
NS = "{http://www.inkscape.org/namespace/inkscape/extension}"
names = pytest.mark.parametrize("path", MENUS, ids=lambda path: path.stem)


def params(path: Path) -> list:
    return [p for p in etree.parse(str(path)).iter(NS + "param") if p.get("name") not in ("command", "tab")]


def parser_of(path: Path) -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False)
    command = import_module(f"inkscape_ext.commands.{path.stem}").COMMAND
    command.add_parameters(object.__new__(command), parser)
    return parser


def test_every_command_has_its_menu():
    commands = {path.stem for path in (MENUS[0].parent / "commands").glob("*.py")} - {"__init__", "paint"}
    assert {path.stem for path in MENUS} == commands
    assert len(commands) == 12


@names
def test_the_menu_file_is_valid(path):
    shipped = Path(inkex.__file__).parent
    schema = next(p for p in (shipped / "tester" / "inkscape.extension.rng",
                              shipped.parent / "inkscape.extension.rng") if p.exists())
    menu = etree.parse(str(path))
    assert menu.getroot().attrib.pop("translationdomain") == "gradvec"
    etree.RelaxNG(etree.parse(str(schema))).assertValid(menu)
    root = menu.getroot()
    assert root.findtext(NS + "id") == f"org.gradvec.{path.stem}"
    assert root.findtext(NS + "param") == path.stem
    assert root.find(f"{NS}effect").get("needs-live-preview") == "false"
    assert root.find(f"{NS}effect/{NS}effects-menu/{NS}submenu").get("name") == "Gradvec"
    assert (path.parent / root.findtext(f"{NS}script/{NS}command")).is_file()


@names
def test_the_menu_and_the_command_know_the_same_parameters(path):
    parser = parser_of(path)
    assert {param.get("name") for param in params(path)} == {a.dest for a in parser._actions} - {"help"}
    for param in params(path):
        assert param.get("gui-description"), param.get("name")
        choices = [option.get("value") for option in param.findall(NS + "option")]
        action = next(a for a in parser._actions if a.dest == param.get("name"))
        if choices:
            assert set(choices) == set(action.choices)
            assert choices[0] == action.default
        elif param.get("type") == "bool":
            assert param.text == str(action.default).lower()
        elif param.get("type") in ("int", "float"):
            assert float(param.text) == action.default
            assert float(param.get("min")) <= action.default <= float(param.get("max"))
        if param.get("name") in ("gradient", "cubics", "paths_per_stroke"):
            Options.from_dict({param.get("name"): action.default})


def test_densities_rise():
    order = ("coarsest", "coarser", "same", "finer", "finest")
    assert [DENSITY[name] for name in order] == sorted(DENSITY.values())


def test_the_engines_state_in_sentences(monkeypatch):
    record = Record("/usr/bin/python3")
    told = {"running": False, "pid": None, "version": None, "device": None}
    monkeypatch.setattr(care.commands, "status", lambda _state: told)
    assert care.status_lines(record)[0].startswith("No engine runs; one starts by itself")
    told.update(running=True, answering=False, pid=12)
    assert care.status_lines(record) == [
        "The engine runs as process 12, but it does not answer. Start it anew."]
    told.update(answering=True, version="1.2", device="cuda", running_job="paint", python="/p", log="/l")
    assert care.status_lines(record) == [
        "The engine runs: gradvec 1.2, process 12.", "It computes on: cuda", "It is working.", "Its Python: /p",
        "Its log: /l"]


def test_all_of_it_is_installed(tmp_path):
    folder = install_extension(tmp_path, sys.executable) / "inkscape_ext"
    assert {path.name for path in folder.glob("*.inx")} == {path.name for path in MENUS}
    assert (folder / "ui" / "selection.py").is_file()
    assert {path.stem for path in MENUS} < {path.stem for path in (folder / "commands").glob("*.py")}
