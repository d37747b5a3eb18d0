"""Drafts until the artist goes on, with a scripted engine and a scripted artist; parts of the picture; the theme."""

import pytest
from gradvec.errors import Cancelled
from gradvec.ipc.client import ResultEvent

from inkscape_ext.engine import drafts
from inkscape_ext.engine.drafts import LOOK, MIDDLE, PART, PICTURE, WHOLE, Drafts, Motif, Wanted, draft_of, part_around
from inkscape_ext.engine.job_runner import Job
from inkscape_ext.ui.progress_ui import AGAIN, CANCEL, CHANGE, GO_ON, ProgressUi
from inkscape_ext.ui.theme import Theme, inkscape_theme

LOOKS = [("oil", "Oil"), ("marker", "Marker")]
PARTS = {WHOLE: None, MIDDLE: (0.25, 0.25, 0.5, 0.5)}


class Engine:
    """Answers every draft with a PNG that says what it is of."""

    ready = True

    def __init__(self) -> None:
        self.asked = []

    def client(self):
        return self

    def submit(self, kind, options, payloads, info, previews):
        self.asked.append((kind, options["look"], options["strokes"], info.get("crop")))

    def poll(self, timeout):
        return ResultEvent({"svg": b"", "png": repr(self.asked[-1]).encode()}, {})

    def abandon(self):
        pass


class Artist(ProgressUi):
    """Wishes for one thing after the other: (wish, look, part) each time that a draft is there."""

    def __init__(self, *plan, changes=None) -> None:
        super().__init__()
        self.plan, self.changes, self.seen, self.offered = list(plan), changes, [], []
        self.lists = {}

    def drafts(self, choices):
        self.offered.append([choice.chosen for choice in choices])
        self.lists = {choice.name: choice.chosen for choice in choices}

    def chosen(self, name):
        return self.lists[name]

    def preview(self, png):
        self.seen.append(png)

    def settings(self, settings):
        return self.changes

    def wait(self, tick):
        for _look in range(9):
            if tick():
                return
        self.wish, self.lists[LOOK], self.lists[PART], *picture = self.plan.pop(0)
        if picture:
            self.lists[PICTURE] = picture[0]
        assert tick()


def of_look(look):
    return Wanted("vectorize" if look == "shapes" else "paint", {"look": look, "strokes": 5})


def job_of(wanted):
    return Job(wanted.kind, wanted.options, {"picture": b"p"}, {"name": "a"}, "Painting a")


def agreed(monkeypatch, artist, host_gone=lambda: False, motifs=(Motif("a", job_of, PARTS),)):
    engine = Engine()
    monkeypatch.setattr(drafts, "PendingConnection", lambda _record: engine)
    return Drafts(artist, None, host_gone, motifs, of_look).agreed("oil", LOOKS), engine.asked


def test_going_on_paints_what_was_seen_last(monkeypatch):
    artist = Artist((AGAIN, "marker", WHOLE), (AGAIN, "marker", MIDDLE), (AGAIN, "marker", WHOLE),
                    (GO_ON, "marker", WHOLE))
    wanted, asked = agreed(monkeypatch, artist)
    assert wanted == of_look("marker")
    assert asked == [("draft", "oil", 5, None), ("draft", "marker", 5, None),
                     ("draft", "marker", 5, [0.25, 0.25, 0.5, 0.5])]
    assert artist.seen[1] == artist.seen[3], "a draft that was there already is shown at once"
    assert artist.offered[-1] == []


def test_changed_settings_are_drafted_and_painted(monkeypatch):
    artist = Artist((CHANGE, "oil", WHOLE), (GO_ON, "changed", WHOLE), changes={"strokes": "9"})
    wanted, asked = agreed(monkeypatch, artist)
    assert (wanted.kind, wanted.options["strokes"], wanted.options["look"]) == ("paint", 9, "oil")
    assert [line[2] for line in asked] == [5, 9]
    assert artist.offered[1] == ["changed", WHOLE]


def test_what_was_changed_can_be_had_again_after_another_look(monkeypatch):
    artist = Artist((CHANGE, "oil", WHOLE), (AGAIN, "marker", WHOLE), (AGAIN, "changed", WHOLE),
                    (GO_ON, "changed", WHOLE), changes={"strokes": "9"})
    wanted, asked = agreed(monkeypatch, artist)
    assert (wanted.options["strokes"], wanted.options["look"]) == (9, "oil")
    assert [line[1:3] for line in asked] == [("oil", 5), ("oil", 9), ("marker", 5)]


def test_settings_that_were_left_alone_change_nothing(monkeypatch):
    wanted, asked = agreed(monkeypatch, Artist((CHANGE, "oil", WHOLE), (GO_ON, "oil", WHOLE)))
    assert (wanted, len(asked)) == (of_look("oil"), 1)


def test_cancelling_and_losing_inkscape_paint_nothing(monkeypatch):
    with pytest.raises(Cancelled):
        agreed(monkeypatch, Artist((CANCEL, "oil", WHOLE)))
    with pytest.raises(Cancelled):
        agreed(monkeypatch, Artist(), lambda: True)


def test_each_of_several_pictures_can_be_looked_at(monkeypatch):
    def job_of_b(wanted):
        return Job(wanted.kind, wanted.options, {"picture": b"q"}, {"name": "b"}, "Painting b")

    motifs = (Motif("a", job_of, PARTS), Motif("b", job_of_b, {WHOLE: None}))
    artist = Artist((AGAIN, "oil", MIDDLE, "0"), (AGAIN, "oil", MIDDLE, "1"), (CHANGE, "oil", WHOLE, "1"),
                    (GO_ON, "changed", WHOLE, "1"), changes={"strokes": "9"})
    wanted, asked = agreed(monkeypatch, artist, motifs=motifs)
    assert wanted.options["strokes"] == 9
    assert [line[2:] for line in asked] == [(5, None), (5, [0.25, 0.25, 0.5, 0.5]), (5, None), (9, None)]
    assert artist.offered[:3] == [["oil", "0", WHOLE], ["oil", "1", WHOLE], ["changed", "1", WHOLE]]


def test_a_draft_of_free_shapes_is_one_of_shapes():
    job = draft_of(job_of(Wanted("vectorize", {"look": "photo", "strokes": 5})))
    assert (job.kind, job.options["look"], job.info) == ("draft", "shapes", {"name": "a"})


@pytest.mark.parametrize(("box", "part"), [
    ((0.4, 0.4, 0.6, 0.8), (0.35, 0.35, 0.3, 0.5)), ((-1, -1, 2, 2), (0, 0, 1, 1)),
    ((0.0, 0.5, 0.01, 0.5), (0.0, 0.4, 0.2, 0.2)), ((1.2, 0.1, 1.4, 0.9), (0.8, 0.05, 0.2, 0.9))])
def test_the_part_around_what_was_drawn(box, part):
    assert part_around(box) == pytest.approx(part)


@pytest.mark.parametrize(("text", "theme"), [
    ('<inkscape><group id="theme" preferDarkTheme="0" gtkTheme="Yaru"/></inkscape>', Theme(False, "Yaru")),
    ('<inkscape><group id="theme" defaultPreferDarkTheme="1" preferDarkTheme="1"/></inkscape>', Theme(True, "")),
    ('<inkscape><group id="theme" defaultPreferDarkTheme="0"/></inkscape>', Theme(False, "")),
    ("<inkscape/>", Theme(True, "")), ("no preferences", None)])
def test_windows_are_as_dark_as_inkscape(tmp_path, text, theme):
    (tmp_path / "preferences.xml").write_text(text)
    assert inkscape_theme(str(tmp_path)) == theme
    assert inkscape_theme(str(tmp_path / "nowhere")) is None
