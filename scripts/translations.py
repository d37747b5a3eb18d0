"""Brings the extension's translations up to date with its texts.

usage: python scripts/translations.py

Reads every text of gradvec.inx, inkscape_ext/*.inx and inkscape_ext/**/*.py, and rewrites inkscape_ext/locale/*.po:
known translations are kept, new texts come without one, texts that are gone are dropped.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.tools.catalog import Message, read  # noqa: E402

HOST = ROOT / "inkscape_ext"
NS = "{http://www.inkscape.org/namespace/inkscape/extension}"
#: Elements of a menu file whose text an artist reads, and attributes that she reads.
_TEXTS = ("name", "label", "option", "menu-tip")
_ATTRIBUTES = ("gui-text", "gui-description")


def menu_messages(path: Path) -> list[Message]:
    """All that Inkscape translates in a menu file, in its order."""
    from lxml import etree

    found = []
    for element in etree.parse(str(path)).iter(f"{NS}*"):
        if element.get("translatable") == "no":
            continue
        context = element.get("context", "")
        if element.tag.replace(NS, "") in _TEXTS and (element.text or "").strip():
            found.append(Message((element.text or "").strip(), context))
        found += [Message(element.get(name), context) for name in _ATTRIBUTES if element.get(name)]
    return found


def code_messages(path: Path) -> list[Message]:
    """All literal arguments of ``_``, ``N_`` and ``ngettext`` in a Python file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        words = [word.value for word in node.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if node.func.id in ("_", "N_") and words:
            found.append(Message(words[0]))
        elif node.func.id == "ngettext" and len(words) == 2:
            found.append(Message(words[0], plural=words[1]))
    return found


def all_messages() -> list[Message]:
    """Every text of the extension once, menus first."""
    found = [m for menu in (ROOT / "gradvec.inx", *sorted(HOST.rglob("*.inx"))) for m in menu_messages(menu)]
    found += [m for path in sorted(HOST.rglob("*.py")) for m in code_messages(path)]
    return list({(m.context, m.text): m for m in reversed(found)}.values())[::-1]


def updated(path: Path) -> str:
    """The .po file with today's texts and the translations that it has."""
    before = read(path)
    known = {(m.context, m.text): m.texts for m in before if m.texts and not m.fuzzy}
    lines = [_entry(before[0])]
    for message in all_messages():
        empty = ["", ""] if message.plural else [""]
        texts = known.get((message.context, message.text), empty)
        lines.append(_entry(Message(message.text, message.context, message.plural, texts)))
    return "\n".join(lines)


def _entry(message: Message) -> str:
    lines = [f"msgctxt {_quoted(message.context)}"] if message.context else []
    lines.append(f"msgid {_quoted(message.text)}")
    if message.plural:
        lines.append(f"msgid_plural {_quoted(message.plural)}")
        lines += [f"msgstr[{form}] {_quoted(text)}" for form, text in enumerate(message.texts)]
    else:
        lines.append(f"msgstr {_quoted(message.texts[0])}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    pieces = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").split("\n")
    lines = [piece + "\\n" for piece in pieces[:-1]] + [pieces[-1]]
    if len(lines) == 1:
        return f'"{lines[0]}"'
    return "\n".join(['""', *(f'"{line}"' for line in lines if line)])


def main() -> int:
    for path in sorted((HOST / "locale").glob("*.po")):
        path.write_text(updated(path), "utf-8")
        missing = sum(not message.translated for message in read(path))
        print(f"{path.relative_to(ROOT)}: {len(read(path)) - 1} texts, {missing} not translated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
