"""What the documentation's site has beyond docs/: pages made from the parsers, the table of options and the docstrings,
and what stands at the root of the repository. mkdocs.yml names this file; mkdocs calls the functions ``on_...``.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

#: Files of the repository that are pages of the site, and what links to them become.
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "security_policy.md",
         "examples/README.md": "examples.md"}
PICTURES = {"examples/before-and-after.jpg": "images/before-and-after.jpg", "inkscape_ext/icon.svg": "images/icon.svg",
            "examples/astronaut.jpg": "images/astronaut.jpg", "examples/coffee.jpg": "images/coffee.jpg"}
#: Files that are in the repository and not on the site: links to them become plain words.
_BESIDE = ("LICENSE", "CITATION.cff", ".ci/run")
#: Modules of the engine as a library, in the order in which one needs them.
API = ("gradvec.render", "gradvec.render.scene", "gradvec.render.build", "gradvec.render.shapes",
       "gradvec.render.strokes", "gradvec.model", "gradvec.options", "gradvec.looks", "gradvec.pipeline",
       "gradvec.progress", "gradvec.errors")


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages and pictures that do not lie in docs/."""
    made = {"commands.md": commands(), "options.md": options(), "api.md": api()}
    made.update({page: at_the_root((ROOT / name).read_text("utf-8"), name) for name, page in PAGES.items()})
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for name, place in PICTURES.items():
        files.append(File.generated(config, place, content=(ROOT / name).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Leads links out of docs/ to the site's own pages, and separates lists as Python's Markdown wants it."""
    return with_lists(from_docs(markdown))


def from_docs(text: str) -> str:
    """The text of a page of docs/ with links that work on the site."""
    text = text.replace("](../README.md#options)", "](options.md)").replace("](../README.md)", "](index.md)")
    for name, page in {**PAGES, **PICTURES}.items():
        text = text.replace(f"](../{name}", f"]({page}")
    for name in _BESIDE:
        text = re.sub(rf"\[([^\]]*)\]\(\.\./{re.escape(name)}\)", r"\1", text)
    return text


def at_the_root(text: str, name: str) -> str:
    """The same for a file that lies at the root, or in a folder there."""
    folder = "" if "/" not in name else name.rpartition("/")[0] + "/"

    def led(match: re.Match[str]) -> str:
        target = match[1]
        if "://" in target or target.startswith("#"):
            return match[0]
        return f"]({target.removeprefix('docs/')})" if target.startswith("docs/") else f"](../{folder}{target})"
    return from_docs(re.sub(r"\]\(([^)\s]+)\)", led, text))


def with_lists(text: str) -> str:
    """``text`` with an empty line before a list that follows a paragraph at once, which GitHub does not need."""
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        before = lines[-1] if lines else ""
        begins = re.match(r"([-*]|\d+\.) ", line) is not None
        goes_on = re.match(r"\s|([-*]|\d+\.) |#|\||>", before) is not None
        if begins and not fenced and before and not goes_on:
            lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


def options() -> str:
    """The README's table of options as a page."""
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("<!-- options: made by scripts/options_table.py -->")[2]
    return ("# Options\n\nWhat `gradvec paint` and `gradvec batch` take, and what the menu's dialog offers. Each is "
            "one line in `backend/gradvec/options.py`; this table is made from there.\n\n"
            + table.partition("<!-- end of options -->")[0].strip() + "\n")


def api() -> str:
    """The engine's own docstrings."""
    text = "# Reference of the library\n\n[The engine](engine.md) explains how these go together.\n"
    for name in API:
        text += f"\n## {name}\n\n::: {name}\n    options:\n      show_root_heading: false\n"
    return text


def commands() -> str:
    """Every command with its arguments, as the parsers have them."""
    from gradvec.cli import EPILOG, build_parser

    parser = build_parser()
    text = f"# Commands\n\n{_one_line(parser.description or '')}\n\n```text\n{EPILOG.split(chr(10) * 2)[1]}\n```\n"
    for name, sub in _subcommands(parser).items():
        text += f"\n## gradvec {name}\n\n" + _command(sub)
        for action, below in _subcommands(sub).items():
            text += f"\n### gradvec {name} {action}\n\n" + _command(below)
    return text


def _subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _command(parser: argparse.ArgumentParser) -> str:
    usage = re.sub(r"\s+", " ", parser.format_usage()).removeprefix("usage: ").strip()
    text = _one_line(parser.description or "") + f"\n\n```text\n{usage}\n```\n" if parser.description else \
        f"```text\n{usage}\n```\n"
    rows = [_row(action) for action in parser._actions
            if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
            and action.help != argparse.SUPPRESS]
    if rows:
        text += "\n| argument | what it is |\n|---|---|\n" + "".join(rows)
    if parser.epilog:
        text += "\n```sh\n" + "\n".join(line.strip() for line in parser.epilog.splitlines()[1:]) + "\n```\n"
    return text


def _row(action: argparse.Action) -> str:
    value = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else "")
    value = " ".join(value) if isinstance(value, tuple) else value
    takes = f" {value or action.dest.upper()}" if action.option_strings and action.nargs != 0 else ""
    name = f"{', '.join(action.option_strings)}{takes}" if action.option_strings else value or action.dest
    says = _one_line((action.help or "") % {**vars(action), "prog": "gradvec"})
    assert "|" not in name, "code in a table cannot hold it"
    return f"| `{name}` | {_cell(says)} |\n"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
