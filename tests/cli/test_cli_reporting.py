"""What a run tells, line by line."""

import io
import json
import logging

import pytest
from gradvec.cli.reporting import Bar, JsonLines, Plain, Silent, bar_line, closing_line, in_words
from gradvec.progress import Progress, notes_to


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "0 s"), (12.4, "12 s"), (59.6, "1 min 0 s"), (72, "1 min 12 s")])
def test_time_in_words(seconds, words):
    assert in_words(seconds) == words


def test_the_bar_fits_its_line():
    for width in (0, 5, 20, 40, 79, 200):
        for progress in (Progress("painting", 0.0), Progress("a stage with a very long name", 0.5, 4000.0),
                         Progress("joining", 1.0, 0.0)):
            assert len(bar_line(progress, width)) <= max(width, 0)
    assert bar_line(Progress("painting", 0.5, 12.0), 79) == f"{'painting':<20} {'#' * 15}{'.' * 15}  50 %, 12 s left"
    assert bar_line(Progress("painting", 1.0, 0.0), 79).endswith(" 100 %")


def test_the_bar_wipes_itself_away():
    stream = io.StringIO()
    bar = Bar(stream)
    bar.progress(Progress("painting", 0.5, 12.0))
    bar.progress(Progress("ink", 0.6))
    bar.done("o.svg", {})
    lines = stream.getvalue().split("\r")
    assert "#" in stream.getvalue(), "a stream that does not say it takes UTF-8 gets ASCII"
    assert len(lines[2]) == len(lines[1]), "what was longer before is covered"
    assert lines[3].strip() == ""
    assert lines[4] == "o.svg: \n"


def test_reports_that_come_too_fast_are_left_out():
    stream = io.StringIO()
    lines = JsonLines(stream)
    for i in range(1000):
        lines.progress(Progress("painting", i / 1000))
    lines.progress(Progress("joining", 0.9999))
    lines.progress(Progress("joining", 1.0))
    assert 3 <= stream.getvalue().count("\n") < 30
    assert '"stage": "joining", "fraction": 1.0' in stream.getvalue()


def test_closing_line_says_what_is_known():
    assert closing_line("o.svg", {"paths": 3, "psnr": 27.123, "bytes": 1234, "seconds": None}) == \
        "o.svg: 3 paths, 27.1 dB, 1 kB"
    assert closing_line("o.svg", {"paths": 3, "refined": {"dropped": 0}}) == "o.svg: 3 paths"
    assert closing_line("o.svg", {"paths": 3, "refined": {"dropped": 1}}) == "o.svg: 3 paths, 1 hidden path left out"
    assert closing_line("o.svg", {"paths": 3, "refined": {"dropped": 2}}) == "o.svg: 3 paths, 2 hidden paths left out"


def test_silence(capsys):
    silent = Silent()
    silent.progress(Progress("x", 0.1))
    silent.note("x")
    silent.done("x", {})
    silent.close()
    assert capsys.readouterr() == ("", "")
    Plain().note("told")
    assert capsys.readouterr().err == "told\n"


def test_notes_are_lines_of_their_own_and_told_once():
    stream = io.StringIO()
    lines, log = JsonLines(stream), logging.getLogger("gradvec.render")
    with notes_to(lines.note):
        for text in ("The card is gone.", "The card is gone.", "It is back."):
            log.warning(text)
        log.info("nothing for an artist")
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"event": "note", "message": "The card is gone."}, {"event": "note", "message": "It is back."}]
    assert logging.getLogger("gradvec").handlers == []
