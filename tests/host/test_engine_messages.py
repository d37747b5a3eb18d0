"""What the engine says, in the artist's language and in the dialog's words."""

import ast
import re
from pathlib import Path

import pytest
from gradvec.errors import InputError, UsageError
from gradvec.options import Options

from inkscape_ext.ui import engine_messages

BACKEND = Path(__file__).resolve().parents[2] / "backend" / "gradvec"


def said() -> set:
    """Every text in the engine's source, what changes in it as {}; also two texts that follow each other."""
    found = set()
    for path in BACKEND.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.add("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
    return found


SAID = said()
MADE_OF_TWO = {"Run it again; a new engine starts by itself. The log may say why: {}": "{} The log may say why: {}",
               "{} has no pixels ({} px).": "{} has no pixels ({} x {} px).",
               "Raise {} or lower {}.": "Raise stroke-max or lower stroke-min.",
               "Option {} is {}; it must lie between {} and {}.": "Option {} is {}; it must lie between {} and {}{}.",
               "There is not enough memory for this run.": "There is not enough memory for this run{}.",
               "There is not enough memory for this run: {} more were wanted.":
                   "There is not enough memory for this run{}.",
               "Option {} is {}; {} is no colour. It must be {}.":
                   "Option palette is {}; {} is no colour. It must be {}."}


@pytest.mark.parametrize("text", engine_messages.TEXTS)
def test_every_text_is_one_that_the_engine_says(text):
    plain = re.sub(r"\{\w+\}", "{}", text)
    assert MADE_OF_TWO.get(plain, plain) in SAID


@pytest.mark.parametrize(("text", "words"), [
    ("The picture is damaged or cut off and cannot be decoded.", "The picture cat.png is damaged or cut off"),
    ("'a.png' is empty (0 bytes).", "'a.png' is empty (0 bytes)."),
    ("Strokes of at least 9 px cannot be at most 4 px long.", "Strokes of at least 9 px cannot be"),
    ("Raise stroke-max or lower stroke-min.",
     "Raise \u201cLongest stroke\u201d or lower \u201cNarrowest stroke\u201d."),
    ("Something else.", "Something else.")])
def test_errors_name_the_picture_and_the_dialogs_words(text, words):
    assert engine_messages.in_our_words(text, "cat.png").startswith(words)


@pytest.mark.parametrize(("values", "label"), [({"stroke_max": 1e9}, "Longest stroke"), ({"palette": "#12"}, "Palette"),
                                               ({"cubics": "many"}, "Most curve segments per path")])
def test_options_are_called_as_in_the_dialog(values, label):
    with pytest.raises((UsageError, InputError)) as caught:
        Options.from_dict(values)
    assert f"\u201c{label}\u201d" in engine_messages.in_our_words(caught.value.message)
