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


def test_an_ungrouped_drawing_is_edited_and_painted_again(facts):
    fact = facts["ungrouped"]
    assert fact["before"]["drawings"] == 0
    assert (fact["refined"]["ids"], fact["refined"]["red"]) == (BEFORE, 2)
    assert (fact["again"]["ids"], fact["again"]["drawings"]) == (["gv2-s1", "gv2-s2"], 1)


def test_a_drawing_that_was_moved_and_faded_stays_so(facts):
    fact = facts["moved"]
    assert (len(fact["before"]["moved"]), fact["before"]["faded"]) == (1, 1)
    assert (fact["ids"], fact["drawings"]) == (["gv2-s1", "gv2-s2"], 1)
    assert (len(fact["moved"]), fact["faded"]) == (1, 1)


def test_the_artist_is_asked_about_strokes_that_were_changed_by_hand(facts):
    fact = facts["by_hand"]
    assert "1 stroke was changed by hand since it was painted." in fact["text"]
    assert (fact["ids"], "3 changed by hand" in fact["layers"]) == (["gv2-s1", "gv2-s2", "gv1-s2"], True)


def test_settings_can_be_changed_before_a_drawing_is_painted_again(facts):
    assert (facts["moved"]["counts"], facts["settings"]["counts"]) == (["2"], ["3"])
    assert facts["settings"]["ids"] == ["gv2-s1", "gv2-s2"]


def test_applying_twice_leaves_one_drawing_and_deleting_leaves_the_picture(facts):
    painted, deleted = facts["twice"]["painted"], facts["twice"]["deleted"]
    assert (painted["ids"], painted["drawings"]) == (["gv2-s1", "gv2-s2"], 1)
    assert (deleted["ids"], deleted["drawings"], deleted["photo"]) == ([], 0, True)


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
