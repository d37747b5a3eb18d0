"""The documentation's site as files: it builds strictly, leads nowhere that is not there, and fetches nothing."""

import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from gradvec.cli import COMMANDS
from gradvec.looks import LOOKS
from lxml import html
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts")]
from site_hooks import API, at_the_root, from_docs, with_lists  # noqa: E402


@pytest.fixture(scope="module")
def pages(site):
    """Every page by its name, parsed."""
    return {path.relative_to(site).as_posix(): html.parse(str(path)).getroot() for path in sorted(site.rglob("*.html"))}


def texts(page) -> str:
    return re.sub(r"\s+", " ", page.find(".//article").text_content())


def test_the_build_is_strict_and_says_nothing(site):
    log = site.with_suffix(".log").read_text("utf-8")
    assert not [line for line in log.splitlines() if line.startswith(("WARNING", "ERROR"))]
    assert "strict: true" in (ROOT / "mkdocs.yml").read_text("utf-8")


def names(nav):
    for entry in nav:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        yield from names(value) if isinstance(value, list) else [value]


def test_every_page_of_the_documentation_is_on_it_once(pages):
    text = re.sub(r"!!\S+", "", (ROOT / "mkdocs.yml").read_text("utf-8"))
    listed = list(names(yaml.safe_load(text)["nav"]))
    assert len(listed) == len(set(listed))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= set(listed)
    assert {name.replace(".md", ".html") for name in listed} | {"404.html"} == set(pages)


def test_every_link_leads_to_a_page_and_a_place_on_it(site, pages):
    ids = {name: {node.get("id") for node in page.iter() if isinstance(node.tag, str)} for name, page in pages.items()}
    wrong = []
    for name, page in pages.items():
        for link in page.iter("a", "link"):
            target = urlsplit(link.get("href") or "")
            if target.scheme or target.netloc or name == "404.html":
                continue
            place = (site / name).parent / unquote(target.path) if target.path else site / name
            place = place / "index.html" if place.is_dir() else place
            if not place.exists():
                wrong.append((name, link.get("href")))
            elif target.fragment and place.suffix == ".html":
                found = ids[place.resolve().relative_to(site.resolve()).as_posix()]
                if unquote(target.fragment) not in found:
                    wrong.append((name, link.get("href")))
    assert wrong == []


def test_every_picture_is_there_and_described(site, pages):
    for name, page in pages.items():
        for picture in page.iterfind(".//article//img"):
            path = (site / name).parent / unquote(picture.get("src"))
            assert path.is_file(), f"{name}: {picture.get('src')}"
            assert len(picture.get("alt") or "") > 10, f"{name}: {picture.get('src')} without words"
            if path.suffix != ".svg":
                with Image.open(path) as opened:
                    opened.verify()


def test_nothing_is_fetched_from_elsewhere(pages):
    for name, page in pages.items():
        for node in page.iter("script", "img", "link", "iframe", "video", "source"):
            linked = node.get("href") if node.get("rel") in ("stylesheet", "preconnect", "icon", "preload") else ""
            assert not urlsplit(node.get("src") or linked or "").netloc, f"{name}: {html.tostring(node)}"


def test_commands_are_those_of_the_parsers(pages):
    text = texts(pages["commands.html"])
    for module in COMMANDS:
        assert f"gradvec {module.NAME}" in text
    for words in ("--at-login", "--no-warm-up", "--time-limit", "gradvec engine logs", "--cluster"):
        assert words in text, words


def test_options_and_looks_are_all_there(pages):
    found = {words for node in pages["options.html"].iterfind(".//article//td[1]/code") for words in [node.text]}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert found == set(re.findall(r"^\| `(--[a-z-]+)` \|", readme, re.MULTILINE))
    assert len(found) > 25
    assert all(look.name in texts(pages["looks.html"]) for look in LOOKS)


def test_the_library_is_described_from_its_docstrings(pages):
    page = pages["api.html"]
    ids = {node.get("id") for node in page.iter() if isinstance(node.tag, str)}
    assert {"gradvec.render.render", "gradvec.render.render_flat", "gradvec.pipeline.paint_picture",
            "gradvec.options.Options", "gradvec.errors.EngineError"} <= ids
    assert all(name in texts(page) for name in API)
    assert "premultiplied RGBA" in texts(page)
    assert ":::" not in texts(page)


def test_lists_are_lists(pages):
    """Python's Markdown wants an empty line before a list, GitHub does not: none may have become running text."""
    for name, page in pages.items():
        for paragraph in page.iterfind(".//article//p"):
            assert not re.search(r"\n[-*] \S", paragraph.text_content()), f"{name}: {paragraph.text_content()[:200]}"


@pytest.mark.parametrize(("made", "expected"), [
    (from_docs("[a](../SECURITY.md) [b](../README.md#options) [c](../README.md)"),
     "[a](security_policy.md) [b](options.md) [c](index.md)"),
    (from_docs("![x](../examples/before-and-after.jpg) [l](../LICENSE)"), "![x](images/before-and-after.jpg) l"),
    (at_the_root("[d](docs/design.md) [e](https://x.org) [c](CONTRIBUTING.md)", "SECURITY.md"),
     "[d](design.md) [e](https://x.org) [c](contributing.md)"),
    (at_the_root("![a](astronaut.jpg)", "examples/README.md"), "![a](images/astronaut.jpg)"),
    (with_lists("a:\n- b\n- c\n  d\n- e\n"), "a:\n\n- b\n- c\n  d\n- e\n"),
    (with_lists("```\na\n- b\n```\n"), "```\na\n- b\n```\n")])
def test_links_and_lists_become_the_sites(made, expected):
    assert made == expected
