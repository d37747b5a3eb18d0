"""Brings the extension's translations up to date with its texts.

usage: python scripts/translations.py

Reads every text of gradvec.inx, inkscape_ext/*.inx and inkscape_ext/**/*.py, and rewrites inkscape_ext/locale/*.po:
known translations are kept, new texts come without one, texts that are gone are dropped.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
HOST = ROOT / "inkscape_ext"
NS = "{http://www.inkscape.org/namespace/inkscape/extension}"
#: Elements of a menu file whose text an artist reads, and attributes that she reads.
_TEXTS = ("name", "label", "option", "menu-tip")
_ATTRIBUTES = ("gui-text", "gui-description")
#: Texts are never wrapped, so that a change of one shows as one line.
WRAP = 100_000


def menu_messages(path: Path) -> list[polib.POEntry]:
    """All that Inkscape translates in a menu file, in its order."""
    from lxml import etree

    found = []
    for element in etree.parse(str(path)).iter(f"{NS}*"):
        if element.get("translatable") == "no":
            continue
        context = element.get("context")
        if element.tag.replace(NS, "") in _TEXTS and (element.text or "").strip():
            found.append(polib.POEntry(msgid=(element.text or "").strip(), msgctxt=context))
        if element.tag == f"{NS}submenu" and element.get("name") != "Gradvec":
            found.append(polib.POEntry(msgid=element.get("name")))
        found += [polib.POEntry(msgid=element.get(name), msgctxt=context) for name in _ATTRIBUTES if element.get(name)]
    return found


def code_messages(path: Path) -> list[polib.POEntry]:
    """All literal arguments of ``_``, ``N_`` and ``ngettext`` in a Python file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        words = [word.value for word in node.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if node.func.id in ("_", "N_") and words:
            found.append(polib.POEntry(msgid=words[0]))
        elif node.func.id == "ngettext" and len(words) == 2:
            found.append(polib.POEntry(msgid=words[0], msgid_plural=words[1]))
    return found


def all_messages() -> list[polib.POEntry]:
    """Every text of the extension once, menus first."""
    found = [m for menu in (ROOT / "gradvec.inx", *sorted(HOST.rglob("*.inx"))) for m in menu_messages(menu)]
    found += [m for path in sorted(HOST.rglob("*.py")) for m in code_messages(path)]
    return list({(m.msgctxt, m.msgid): m for m in reversed(found)}.values())[::-1]


def updated(path: Path) -> polib.POFile:
    """The catalogue with today's texts and the translations that it has."""
    before = polib.pofile(str(path), wrapwidth=WRAP)
    known = {(m.msgctxt, m.msgid): m for m in before if m.translated()}
    after = polib.POFile(wrapwidth=WRAP)
    after.metadata = before.metadata
    for message in all_messages():
        old = known.get((message.msgctxt, message.msgid))
        if message.msgid_plural:
            message.msgstr_plural = dict(old.msgstr_plural) if old else {0: "", 1: ""}
        elif old:
            message.msgstr = old.msgstr
        after.append(message)
    return after


def main() -> int:
    for path in sorted((HOST / "locale").glob("*.po")):
        catalog = updated(path)
        catalog.save(str(path))
        missing = len(catalog) - len(catalog.translated_entries())
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {missing} not translated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
