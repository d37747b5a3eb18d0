"""The extension in other languages: complete, and read back by gettext as it was written."""

import ast
import gettext
import importlib.util
import io
import string
import sys
from pathlib import Path

import polib
import pytest
from gradvec.tools.install import install_extension

from inkscape_ext.ui import menu_file, messages

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = sorted((ROOT / "inkscape_ext" / "locale").glob("*.po"))


def script():
    spec = importlib.util.spec_from_file_location("translations", ROOT / "scripts" / "translations.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["translations"] = module
    spec.loader.exec_module(module)
    return module


def fields(text: str) -> list:
    return sorted(name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name)


def test_there_is_a_translation():
    assert "de" in [path.stem for path in LANGUAGES]


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_text_is_translated(path):
    read = polib.pofile(str(path))
    assert str(script().updated(path)) == path.read_text("utf-8"), "run python scripts/translations.py"
    assert [m.msgid for m in read if not m.translated()] == []
    for message in read:
        for text in message.msgstr_plural.values() if message.msgid_plural else [message.msgstr]:
            assert fields(text) == fields(message.msgid_plural or message.msgid), text
            assert text.count("_") == message.msgid.count("_"), "an underscore marks the letter to press"


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_gettext_reads_what_was_compiled(path):
    read = polib.pofile(str(path))
    translations = gettext.GNUTranslations(io.BytesIO(read.to_binary()))
    for message in read:
        if message.msgid_plural:
            for count, form in ((1, 0), (2, 1), (0, 1)):
                assert translations.ngettext(message.msgid, message.msgid_plural, count) == message.msgstr_plural[form]
        elif message.msgctxt:
            assert translations.pgettext(message.msgctxt, message.msgid) == message.msgstr
        else:
            assert translations.gettext(message.msgid) == message.msgstr
    assert translations.gettext("not there") == "not there"


def test_what_is_installed_speaks_german(tmp_path):
    folder = install_extension(tmp_path, sys.executable)
    for place in (folder / "locale", folder / "inkscape_ext" / "locale"):
        german = gettext.translation("gradvec", str(place), ["de"])
        assert german.gettext("Nothing is selected.") == "Es ist nichts ausgewählt."
        assert german.pgettext("brush", "Oil") == "Öl"


def test_all_that_the_engine_says_can_be_translated():
    """Stages and layers are named in the engine, which speaks English; the host knows all of these words."""
    said = set()
    for path in (ROOT / "backend" / "gradvec").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "stage":
                said |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    assert len(said) >= 5
    assert said <= set(messages.FROM_THE_ENGINE)
    for name in ("underpainting", "large shapes", "middle shapes", "details", "strokes"):
        assert name in messages.FROM_THE_ENGINE


def test_every_texture_of_the_engine_has_the_dialogs_name():
    menu = dict(next(choice.choices for _label, page in menu_file.pages() for choice in page
                     if choice.name == "texture"))
    assert {name: label for name, label in menu.items() if name != "none"} == messages.TEXTURES


def test_labels_of_layers(monkeypatch):
    monkeypatch.setattr(messages, "_translations", gettext.GNUTranslations(io.BytesIO(
        polib.pofile(str(ROOT / "inkscape_ext" / "locale" / "de.po")).to_binary())))
    assert messages.from_the_engine("2 large shapes") == "2 große Formen"
    assert messages.from_the_engine("3 level 2") == "3 Stufe 2"
    assert messages.from_the_engine("Refining") == "Verfeinern"
    assert messages.from_the_engine("starting the engine") == messages._("Starting the engine...")
    assert messages.from_the_engine("stroke 12") == "Strich 12"
    assert messages.from_the_engine("1 ink #204060") == "1 Druckfarbe #204060"
    assert messages.from_the_engine("texture: canvas") == "Oberfläche: Leinwand"
    assert messages.from_the_engine("soft edges") == "weiche Ränder"
    assert messages.from_the_engine("10 something new") == "10 something new"
    assert messages.duration(300) == "5 Minuten"
