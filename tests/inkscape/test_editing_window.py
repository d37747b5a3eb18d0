"""The editing commands in a real Inkscape window, with an engine whose answers are foreseen.

One Inkscape plays all scenarios (editing_scenarios.py); the tests judge what it wrote down.
"""

import os

import pytest
from inkscape import played

pytestmark = [pytest.mark.inkscape, pytest.mark.window]
BEFORE = ["gv1-s1", "gv1-s2"]
CHANGES = ("refine", "repaint", "refit", "detail", "trace", "again", "palette")


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """What happened in each scenario; screenshots go to $GRADVEC_SHOTS where that is set."""
    return played("editing_scenarios.py", os.environ.get("GRADVEC_SHOTS") or str(tmp_path_factory.mktemp("shots")))


@pytest.mark.parametrize("scenario", CHANGES)
def test_one_undo_step_takes_everything_back(facts, scenario):
    after = facts[scenario]["after_undo"]
    assert (after["ids"], after["strokes"], after["red"], after["changed"]) == (BEFORE, 2, 1, False)


@pytest.mark.parametrize(("scenario", "ids"), [
    ("refine", BEFORE), ("refit", BEFORE), ("palette", BEFORE),
    ("repaint", ["gv1-s1", "gv2-stroke-0001", "gv2-stroke-0002", "gv2-stroke-0003"]),
    ("detail", [*BEFORE, "gv3-stroke-0001", "gv3-stroke-0002", "gv3-stroke-0003"]),
    ("trace", ["gv2-stroke-0001", *BEFORE]), ("again", ["gv2-s1", "gv2-s2"])])
def test_what_each_command_leaves(facts, scenario, ids):
    assert facts[scenario]["ids"] == ids


def test_fills_are_changed_where_that_was_asked_for(facts):
    assert (facts["refine"]["red"], facts["refit"]["red"], facts["palette"]["red"]) == (2, 2, 0)
    assert "3 added details" in facts["detail"]["layers"]


def test_what_was_found_is_selected(facts):
    """One of two strokes was selected; both were found, and deleting the selection deletes both."""
    assert facts["select"]["unchanged"]
    assert facts["select"]["ids"] == []


def test_a_wrong_selection_is_one_sentence(facts):
    fact = facts["wrong"]
    assert fact["message"].startswith("The selection holds no strokes that gradvec has painted.")
    assert (fact["ids"], fact["changed"]) == (BEFORE, False)


def test_the_engines_window(facts):
    fact = facts["engine"]
    assert fact["before"].startswith("The engine runs: gradvec ")
    assert fact["after"].startswith("The engine runs: gradvec ")
    assert fact["before"].splitlines()[0] != fact["after"].splitlines()[0]
    assert "extension: " in fact["report"]
    assert not fact["changed"]
