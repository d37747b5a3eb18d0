"""What the documentation points at exists, and the commands that it shows are commands."""

import re
import shlex
from pathlib import Path

import pytest
from gradvec.cli import build_parser
from gradvec.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def shown_commands():
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            found = re.match(r"\s+(?:\S*/)?gradvec ([a-z].*)", line)
            if found:
                yield page.name, found[1].split("  ")[0]


@pytest.mark.parametrize(("page", "command"), list(shown_commands()))
def test_commands_are_as_the_command_line_takes_them(page, command):
    words = shlex.split(command, comments=True)
    words = words[:words.index("<")] if "<" in words else words
    try:
        build_parser().parse_args(words)
    except UsageError as error:
        pytest.fail(f"{page} shows `gradvec {command}`: {error}")


def test_examples_in_the_help_are_commands_too(capsys):
    from gradvec.cli import COMMANDS

    for module in COMMANDS:
        for line in module.EXAMPLES.splitlines():
            words = shlex.split(line.strip().removeprefix("gradvec "))
            words = words[:words.index("<")] if "<" in words else words
            assert build_parser().parse_args(words).command == module.NAME
