"""Drafts before a run in a real Inkscape window: seen, changed, gone on with, cancelled (preview_scenarios.py)."""

import os

import pytest
from inkscape import played

pytestmark = [pytest.mark.inkscape, pytest.mark.window]


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """What happened in each scenario; screenshots go to $GRADVEC_SHOTS where that is set."""
    return played("preview_scenarios.py", os.environ.get("GRADVEC_SHOTS") or str(tmp_path_factory.mktemp("shots")))


def asked(fact) -> list:
    return [(job["kind"], job["options"]["look"], job["options"]["strokes"], "crop" in job["info"])
            for job in fact["asked"]]


def test_a_draft_is_shown_and_cancelling_leaves_the_document_untouched(facts):
    fact = facts["cancelled"]
    assert {"A draft of photo", "Cancel", "Change...", "Go on"} <= set(fact["texts"])
    assert asked(fact) == [("draft", "oil", 600, False)]
    assert not fact["changed_meanwhile"]
    assert (fact["layers"], fact["strokes"], fact["changed"]) == ([], 0, False)


def test_the_picture_is_large_and_grows_and_shrinks_with_the_window(facts):
    opened, larger, smaller = facts["cancelled"]["sizes"]
    assert opened[0] >= 480
    assert larger[0] > opened[0] + 100
    assert smaller[0] < opened[0]
    for width, height in (opened, larger, smaller):
        assert width / height == pytest.approx(2, rel=0.02), "the picture is twice as wide as high"


def test_other_looks_and_parts_are_shown_and_what_was_seen_is_painted(facts):
    fact = facts["chosen"]
    assert asked(fact) == [("draft", "oil", 600, False), ("draft", "marker", 500, False),
                           *2 * [("draft", "marker", 500, True)], ("paint", "marker", 500, False)]
    left, top, width, height = fact["asked"][3]["info"]["crop"]
    # The ellipse that was drawn lies from 72 to 149 by 53 to 111 on a picture of 360 x 180 at (20, 30).
    assert (left, top) == pytest.approx((52 / 360 - 0.05, 15 / 180 - 0.05), abs=0.01)
    assert (left + width, top + height) == pytest.approx((130 / 360 + 0.05, 75 / 180 + 0.05), abs=0.01)
    assert fact["asked"][4]["payloads"] == ["detail-map", "picture"]
    assert (fact["layers"], fact["strokes"], fact["maps"]) == (["Gradvec: photo"], 4, 1)
    assert not fact["after_undo"]["changed"]


def test_settings_are_changed_from_what_was_shown(facts):
    fact = facts["changed"]
    assert fact["shown"] == 600
    assert asked(fact) == [("draft", "oil", 600, False), ("draft", "oil", 33, False), ("paint", "oil", 33, False)]
    assert (fact["layers"], fact["strokes"]) == (["Gradvec: photo"], 4)
