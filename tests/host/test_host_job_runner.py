"""Waiting for the engine, with a scripted client and a scripted artist."""

import pytest
from gradvec.errors import Cancelled, EngineError, InputError
from gradvec.ipc.client import ErrorEvent, PreviewEvent, ProgressEvent, ResultEvent

from inkscape_ext.engine.history import History
from inkscape_ext.engine.job_runner import Job, JobRunner
from inkscape_ext.ui.messages import duration
from inkscape_ext.ui.progress_ui import CANCEL, KEEP


class Client:
    """Hands out the events of each job in turn; None means that there is nothing yet."""

    def __init__(self, *jobs) -> None:
        self.jobs = [list(events) for events in jobs]
        self.submitted = []
        self.kept = 0

    def submit(self, kind, options, payloads, info, previews):
        self.submitted.append(info["name"])
        self.events = self.jobs.pop(0)

    def poll(self, timeout):
        return self.events.pop(0) if self.events else None

    def stop_and_keep(self):
        self.kept += 1
        self.events = [ResultEvent({"svg": b"kept"}, {})]


class PendingConnection:
    """Ready at the third look."""

    def __init__(self, client) -> None:
        self.looks = 0
        self.abandoned = False
        self._client = client

    @property
    def ready(self):
        self.looks += 1
        return self.looks > 2

    def client(self):
        if isinstance(self._client, Exception):
            raise self._client
        return self._client

    def abandon(self):
        self.abandoned = True


class Artist:
    """Looks on, and presses a button at a certain tick."""

    def __init__(self, wish: str = "", at: int = 0) -> None:
        self.wish = ""
        self.seen = []
        self._plan = wish, at

    def wait(self, tick):
        for count in range(1000):
            if count == self._plan[1]:
                self.wish = self._plan[0]
            if tick():
                return
        raise AssertionError("the work never ended")

    def title(self, text, note=""):
        self.seen.append(("title", text, note))

    def progress(self, stage, fraction, seconds_left):
        self.seen.append(("progress", stage, round(fraction, 3), seconds_left))

    def original(self, data):
        self.seen.append(("original", data))

    def preview(self, png):
        self.seen.append(("preview", png))

    def may_keep(self, possible):
        self.seen.append(("may keep", possible))


def job(name: str) -> Job:
    return Job("paint", {"strokes": 1}, {"picture": name.encode()}, {"name": name}, f"Painting {name}")


def result(text: bytes = b"svg") -> ResultEvent:
    return ResultEvent({"svg": text}, {})


def run(client, names: str = "a", artist=None, host_gone=lambda: False):
    artist = artist or Artist()
    work = JobRunner([job(name) for name in names], artist, host_gone, "a note")
    pending = PendingConnection(client)
    try:
        work.run(pending)
    finally:
        assert pending.abandoned, "the connection is always closed"
    return work, artist


def test_one_picture():
    client = Client([None, ProgressEvent("Shapes", 0.5, 7.0), PreviewEvent(b"png"), None, result()])
    work, artist = run(client)
    assert work.outcomes == [result()]
    assert not work.kept
    assert artist.seen == [
        ("title", "Painting a", "a note"), ("original", b"a"), ("progress", "Starting the engine...", 0.0, None),
        ("title", "Painting a", "a note"), ("original", b"a"), ("progress", "Shapes", 0.5, 7.0),
        ("may keep", True), ("preview", b"png")]


def test_several_pictures_share_one_progress():
    half = ProgressEvent("Shapes", 0.5, 10.0)
    client = Client([half, result(b"1")], [half, result(b"2")])
    work, artist = run(client, "ab")
    assert [outcome.payloads["svg"] for outcome in work.outcomes] == [b"1", b"2"]
    assert [line for line in artist.seen if line[1] == "Shapes"] == [
        ("progress", "Shapes", 0.25, 30.0), ("progress", "Shapes", 0.75, 10.0)]
    assert ("title", "Painting b (2 of 2)", "a note") in artist.seen


def test_the_same_work_is_done_once():
    work, _artist = run(Client([result(b"1")], [result(b"2")]), "aba")
    assert [outcome.payloads["svg"] for outcome in work.outcomes] == [b"1", b"2", b"1"]


def test_waiting_for_somebody_elses_run_is_said():
    _work, artist = run(Client([ProgressEvent("Shapes", 0.0, None, ahead=1), result()]))
    assert ("progress", "Waiting for another run to end...", 0.0, None) in artist.seen
    assert ("may keep", True) not in artist.seen


@pytest.mark.parametrize("at", [0, 1, 3, 5])
def test_cancel_at_any_moment(at):
    with pytest.raises(Cancelled):
        run(Client([None] * 50), artist=Artist(CANCEL, at))


def test_inkscape_gone_is_a_cancel():
    with pytest.raises(Cancelled):
        run(Client([None] * 50), host_gone=lambda: True)


def test_keep_stops_here_and_leaves_out_what_was_not_begun():
    client = Client([result(b"1")], [None] * 50, [result(b"3")])
    work, _artist = run(client, "abc", Artist(KEEP, 6))
    assert [outcome and outcome.payloads["svg"] for outcome in work.outcomes] == [b"1", b"kept", None]
    assert (work.kept, client.kept, client.submitted) == (True, 1, ["a", "b"])


def test_a_pictures_own_fault_does_not_stop_the_others():
    work, _artist = run(Client([ErrorEvent("input", "Damaged.")], [result(b"2")]), "ab")
    assert isinstance(work.outcomes[0], InputError)
    assert work.outcomes[1] == result(b"2")


@pytest.mark.parametrize("names", ["a", "ab"])
def test_an_engines_fault_does(names):
    with pytest.raises(EngineError, match="crashed"):
        run(Client([ErrorEvent("engine.crashed", "It crashed.")], [result()]), names)


def test_no_way_to_the_engine():
    with pytest.raises(EngineError, match="not there"):
        run(EngineError("It is not there."))


def test_history_learns_how_long_runs_take(tmp_path):
    path = str(tmp_path / "history.json")
    assert History(path).estimate("paint", {"strokes": 500, "size": 512}) is None
    for seconds in (20.0, 22.0, 200.0):
        History(path).add("paint", {"strokes": 500, "size": 512}, seconds)
    assert History(path).estimate("paint", {"strokes": 500, "size": 512}) == pytest.approx(22)
    assert 30 < History(path).estimate("paint", {"strokes": 1000, "size": 512}) < 44
    assert 22 < History(path).estimate("paint", {"strokes": 500, "size": None}) < 33
    History(str(tmp_path / "auto.json")).add("paint", {"strokes": 500, "size": None}, 9.0)
    assert History(str(tmp_path / "auto.json")).estimate("paint", {"strokes": 500, "size": None}) == pytest.approx(9)
    for damage in ("", "{}", "[1]", '[{"strokes": "x"}]', '[{"strokes": 0, "size": 0, "seconds": 1}]'):
        (tmp_path / "history.json").write_text(damage)
        assert History(path).estimate("paint", {"strokes": 500, "size": 512}) is None
    History(str(tmp_path / "no" / "such" / "folder")).add("paint", {"strokes": 1, "size": 1}, 1.0)


def test_history_forgets_what_is_long_ago(tmp_path):
    path = str(tmp_path / "history.json")
    for _run in range(60):
        History(path).add("paint", {"strokes": 500, "size": 512}, 1.0)
    assert (tmp_path / "history.json").read_text().count("seconds") == 20


@pytest.mark.parametrize(("seconds", "words"), [
    (0.4, "a few seconds"), (6, "5 seconds"), (33, "35 seconds"), (88, "90 seconds"), (95, "2 minutes"),
    (1800, "30 minutes")])
def test_durations_as_people_say_them(seconds, words):
    assert duration(seconds) == words
