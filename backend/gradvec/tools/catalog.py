"""Message catalogues of the extension: .po files (what translators write) to .mo files (what gettext reads).

Standard library only, so that installing needs no gettext tools.
"""

from __future__ import annotations

import ast
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError

_MAGIC = 0x950412DE
_LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s+)?("(?:[^"\\]|\\.)*")$')


@dataclass
class Message:
    """One entry. texts: the translation, one per plural form; context, plural: "" where there is none."""

    text: str = ""
    context: str = ""
    plural: str = ""
    texts: list[str] = field(default_factory=list)
    fuzzy: bool = False

    @property
    def translated(self) -> bool:
        return bool(self.texts) and all(self.texts) and not self.fuzzy


def read(path: Path) -> list[Message]:
    """The messages of a .po file, its header (the empty message) first.

    Raises:
        InputError: a line that no .po file has.
    """
    messages: list[Message] = []
    fuzzy, last = False, ""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        match = _LINE.match(line)
        if match is None or not (messages or match.group(1)):
            raise InputError(f"{path}, line {number}: not a line of a .po file: {line[:60]}")
        word = match.group(1) or last
        if match.group(1) == "msgctxt" or (match.group(1) == "msgid" and last != "msgctxt"):
            messages.append(Message(fuzzy=fuzzy))
            fuzzy = False
        _add(messages[-1], word, ast.literal_eval(match.group(2)))
        last = word
    return messages


def _add(message: Message, word: str, text: str) -> None:
    if word == "msgctxt":
        message.context += text
    elif word == "msgid":
        message.text += text
    elif word == "msgid_plural":
        message.plural += text
    else:
        form = int(word[7:-1]) if "[" in word else 0
        message.texts += [""] * (form + 1 - len(message.texts))
        message.texts[form] += text


def compile_catalog(messages: list[Message]) -> bytes:
    """The .mo file of all translated messages, sorted, without a hash table."""
    entries = sorted((_key(m).encode(), "\0".join(m.texts).encode()) for m in messages if m.translated)
    heads, body = [], b""
    start = 28 + 16 * len(entries)
    for column in (0, 1):
        for entry in entries:
            heads.append(struct.pack("<II", len(entry[column]), start + len(body)))
            body += entry[column] + b"\0"
    table = 28 + 8 * len(entries)
    return struct.pack("<7I", _MAGIC, 0, len(entries), 28, table, 0, table + 8 * len(entries)) + b"".join(heads) + body


def _key(message: Message) -> str:
    context = message.context + "\4" if message.context else ""
    return context + message.text + ("\0" + message.plural if message.plural else "")
