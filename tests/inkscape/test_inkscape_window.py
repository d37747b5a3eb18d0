"""What an artist sees and gets in a real Inkscape window, with the fake engine in all its moods.

One Inkscape plays all scenarios, one after the other (window_scenarios.py); the tests judge what it wrote down.
"""

import os

import pytest
from inkscape import played

pytestmark = [pytest.mark.inkscape, pytest.mark.window]
UNTOUCHED = {"layers": [], "strokes": 0, "changed": False}


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """What happened in each scenario; screenshots go to $GRADVEC_SHOTS where that is set."""
    return played("window_scenarios.py", os.environ.get("GRADVEC_SHOTS") or str(tmp_path_factory.mktemp("shots")))


def untouched(fact) -> bool:
    return {name: fact[name] for name in UNTOUCHED} == UNTOUCHED


def test_through_the_menu_to_a_layer_of_strokes(facts):
    fact = facts["success"]
    assert (fact["layers"], fact["strokes"], fact["how"]) == (["Gradvec: photo"], 4, ["whole"])
    assert fact["seeds"] == ["0"]
    assert not fact["hidden"]


def test_one_undo_step_takes_everything_back(facts):
    assert untouched(facts["success"]["after_undo"])
    assert untouched(facts["keep"]["after_undo"])


def test_the_progress_window_says_what_and_how_long(facts):
    texts = facts["cancel"]["texts"]
    assert "Painting photo" in texts
    assert "Painting shapes" in texts
    assert any(text.startswith("12 strokes") for text in texts)
    assert any(text.endswith(" left") for text in texts)


@pytest.mark.parametrize("scenario", ["cancel", "close", "escape", "deaf"])
def test_every_way_to_cancel_leaves_the_document_untouched(facts, scenario):
    assert untouched(facts[scenario])
    assert facts[scenario].get("seconds", 0) < 2


def test_stop_and_keep_inserts_what_there_is(facts):
    fact = facts["keep"]
    assert (fact["layers"], fact["strokes"], fact["how"]) == (["Gradvec: photo"], 4, ["kept"])
    assert fact["seconds"] < 3


def test_shapes_that_mark_detail(facts):
    fact = facts["marked"]
    told = [text for text in fact["texts"] if "selected shape" in text]
    assert len(told) == 1
    assert ("1 selected shape marks where detail goes\n1 selected line gives strokes near it their direction\n"
            "1 selected shape lies beside the picture") in told[0]
    assert (fact["layers"], fact["maps"], fact["guides"], fact["how"]) == (["Gradvec: photo"], 1, 1, ["kept"])
    assert untouched(fact["after_undo"])


def test_free_shapes(facts):
    fact = facts["free"]
    assert any(text.startswith("Up to 12 free shapes, each a path") for text in fact["texts"])
    assert untouched(fact["cancelled"])
    assert (fact["layers"], fact["jobs"], fact["how"], fact["maps"]) == (["Gradvec: photo"], ["vectorize"], ["kept"], 0)
    assert untouched(fact["after_undo"])
    assert facts["keep"]["jobs"] == ["paint"]


@pytest.mark.parametrize(("scenario", "message", "words"), [
    ("failing", "message", ("The fake engine failed", "Ask for another seed")),
    ("dying", "message", ("crashed in the middle of the run", "exit code 7", "log")),
    ("refusing", "message", ("not to the fake engine's taste", "Choose another one")),
    ("no_picture", "message", ("no picture, only drawn objects", "Select a picture")),
    ("no_engine", "gone", ("does not exist any more", "install-extension")),
    ("no_engine", "unknown", ("needs gradvec's engine", "install-extension")),
])
def test_failures_are_plain_sentences_and_leave_the_document_untouched(facts, scenario, message, words):
    text = facts[scenario][message]
    assert all(word in text for word in words), text
    assert "Traceback" not in text
    assert untouched(facts[scenario])


def test_when_inkscape_dies_the_run_dies_with_it(facts):
    assert facts["killed"]["seconds"] < 2
    assert facts["killed"]["free_after"] < 3


def test_what_only_developers_want_to_know_is_in_the_log(facts):
    assert "The fake engine failed" in facts["log"]
    assert "Traceback" in facts["log"]
