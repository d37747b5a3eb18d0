"""Waiting for the engine, with a scripted client and a scripted artist."""

import numpy as np
import pytest
from gradvec.errors import Cancelled, EngineError, InputError
from gradvec.ipc.client import ErrorEvent, PreviewEvent, ProgressEvent, ResultEvent

from inkscape_ext.engine.clock import Clock
from inkscape_ext.engine.history import Expected, History
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
    shown = [line for line in artist.seen if line[1] == "Shapes"]
    assert [line[2] for line in shown] == [0.25, 0.75]
    assert shown[0][3] == 30, "ten seconds, and twenty more for the second picture"
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


def options(strokes=500, size=512, look="oil"):
    return {"strokes": strokes, "size": size, "look": look}


def test_history_learns_how_long_runs_take(tmp_path):
    path = str(tmp_path / "history.json")
    untried = History(path).expected("paint", options())
    assert (untried.tried, untried.seconds) == (False, pytest.approx(30 * 0.8 ** 1.2))
    for seconds in (20.0, 22.0, 200.0):
        History(path).add("paint", options(), seconds)
    assert History(path).expected("paint", options()) == Expected(pytest.approx(22), True)
    assert 30 < History(path).expected("paint", options(1000)).seconds < 44
    assert 22 < History(path).expected("paint", options(size=None)).seconds < 33
    assert History(path).expected("paint", options(look="marker")).seconds == pytest.approx(22), "rather than nothing"
    History(path).add("paint", options(look="marker"), 5.0)
    assert History(path).expected("paint", options(look="marker")).seconds == pytest.approx(5)
    assert History(path).expected("paint", options()).seconds == pytest.approx(22)
    assert History(path).expected("trace", options()) == Expected()
    History(str(tmp_path / "auto.json")).add("paint", options(size=None), 9.0)
    assert History(str(tmp_path / "auto.json")).expected("paint", options(size=None)).seconds == pytest.approx(9)
    for damage in ("", "{}", "[1]", '[{"strokes": "x"}]', '[{"strokes": 0, "size": 0, "seconds": 1}]'):
        (tmp_path / "history.json").write_text(damage)
        assert not History(path).expected("paint", options()).tried
    (tmp_path / "history.json").write_text('[{"strokes": 500, "size": 512, "seconds": 3, "kind": "paint"}]')
    assert History(path).expected("paint", options()).seconds == pytest.approx(3), "as earlier versions wrote it"
    History(str(tmp_path / "no" / "such" / "folder")).add("paint", options(1, 1), 1.0)


class Now:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def run_through(clock, now, seconds, pace=lambda share: share, every=0.25):
    """What is shown while a job takes ``seconds``: (seconds that are really left, seconds that are said to be left)."""
    shown = []
    for step in range(round(seconds / every) + 1):
        share = step * every / seconds
        shown.append((seconds * (1 - share), clock.left(pace(share))))
        now.seconds += every
    now.seconds -= every
    clock.end()
    return shown


def test_a_run_like_those_before_counts_down_evenly(tmp_path):
    """Stages that take unequal time: the first tenth of them takes half of the time."""
    def pace(share):
        return share / 5 if share <= 0.5 else 0.1 + 0.9 * (share - 0.5) / 0.5

    path, now = str(tmp_path / "history.json"), Now()
    first = Clock(History(path).expected("paint", options()), now=now)
    first.begin(0)
    run_through(first, now, 40.0, pace)
    ((seconds, shares),) = first.took
    assert (seconds, shares[0], shares[-1]) == (pytest.approx(40), pytest.approx(0.5, abs=0.02),
                                                pytest.approx(0.944, abs=0.02))
    History(path).add("paint", options(), seconds, shares)
    again = Clock(History(path).expected("paint", options()), now=now)
    assert again.before() == pytest.approx(40)
    again.begin(0)
    for true, said in run_through(again, now, 40.0, pace):
        assert said == pytest.approx(true, abs=1.0)
    assert again.done(0.1) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("seconds", [10.0, 30.0, 90.0])
def test_a_run_of_another_speed_is_noticed_without_jumps(seconds):
    now = Now()
    clock = Clock(Expected(30.0), now=now)
    clock.begin(0)
    shown = run_through(clock, now, seconds)
    steps = np.diff([said for _true, said in shown])
    assert np.abs(steps).max() < 2.5, "seconds, each quarter of a second"
    wrong = [abs(said - true) for true, said in shown]
    assert max(wrong[len(wrong) // 2:]) <= wrong[0] / 3 + 0.01


def test_several_jobs_share_one_clock():
    now = Now()
    clock = Clock(Expected(10.0, True), 3, now)
    assert clock.before() == 30
    for index in range(3):
        clock.begin(index)
        for true, said in run_through(clock, now, 10.0):
            assert said == pytest.approx(true + 10 * (2 - index), abs=1e-6)
    assert clock.done(1.0) == 1
    assert len(clock.took) == 3


def test_history_forgets_what_is_long_ago(tmp_path):
    path = str(tmp_path / "history.json")
    for _run in range(60):
        History(path).add("paint", options(), 1.0)
    assert (tmp_path / "history.json").read_text().count("seconds") == 20


@pytest.mark.parametrize(("seconds", "words"), [
    (0.4, "a few seconds"), (6, "5 seconds"), (33, "35 seconds"), (88, "90 seconds"), (95, "2 minutes"),
    (1800, "30 minutes")])
def test_durations_as_people_say_them(seconds, words):
    assert duration(seconds) == words
