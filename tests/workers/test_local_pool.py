"""Processes of this machine behind the seam: what ends, fails, dies, is tried again and is cancelled."""

import os
import subprocess
import sys
import time
from pathlib import Path

import gradvec
import pytest
import quick_work
from gradvec.errors import Cancelled
from gradvec.progress import CancelToken
from gradvec.workers import pool as seam
from gradvec.workers.capacity import capacity
from gradvec.workers.local import LocalPool


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(seam, "PAUSE_S", 0.01)
    monkeypatch.setattr(seam, "POLL_S", 0.05)


def outcomes(pool, whats, tmp_path, retries=2, work=quick_work.obey, **more):
    items = [(n, (what, str(tmp_path / f"{n}"))) for n, what in enumerate(whats)]
    found = list(seam.map_work(pool, work, items, retries, more.pop("token", CancelToken()), **more))
    return {one.ended.key: one for one in found}


def test_everything_comes_back_once_and_failures_stop_nothing(tmp_path):
    with LocalPool(2) as pool:
        found = outcomes(pool, ["do", "fail", "do", "break", "do", "stumble", "stumble always"], tmp_path)
    assert sorted(found) == list(range(7))
    assert [found[n].ended.value[0] for n in (0, 2, 4, 5)] == ["do", "do", "do", "stumble"]
    assert (found[1].ended.error.code, found[1].ended.error.remedy) == ("input", "Choose another.")
    assert "ZeroDivisionError nobody foresaw this" in found[3].ended.error.message
    assert "raise ZeroDivisionError" in found[3].ended.trace
    assert {n: one.tries for n, one in found.items()} == {0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 3}
    assert found[6].ended.outside
    assert not found[1].ended.outside


def test_a_worker_that_dies_takes_only_its_piece_along_and_that_is_done_elsewhere(tmp_path):
    with LocalPool(2) as pool:
        found = outcomes(pool, ["do", "die once", "do", "die", "do"], tmp_path, retries=1)
        assert pool.count == 1, "where processes are killed, memory may be short: fewer go on"
    assert [found[n].ended.value[0] for n in (0, 1, 2, 4)] == ["do", "die once", "do", "do"]
    assert (found[1].tries, found[3].tries) == (2, 2)
    assert found[3].ended.error.code == "engine.lost"
    assert "signal 9" in found[3].ended.error.message


def test_one_process_does_many_pieces_and_all_are_gone_afterwards(tmp_path):
    with LocalPool(1) as pool:
        found = outcomes(pool, ["do"] * 5, tmp_path)
    pids = {one.ended.value[1] for one in found.values()}
    assert len(pids) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pids.pop(), 0)


def test_how_far_pieces_are_adds_up_and_notes_are_told_once(tmp_path):
    seen, notes = [], []

    def look():
        seen.append(pool.fractions())
        if pool.fractions() == 1.0:
            for n in (0, 1):
                (tmp_path / str(n)).touch()

    with LocalPool(2, on_note=notes.append) as pool:
        outcomes(pool, ["half", "half"], tmp_path, on_wait=look)
        outcomes(pool, ["say", "say"], tmp_path)
    assert max(seen) == 1.0, "two halves"
    assert notes == ["The card failed."]


def test_cancelling_ends_the_workers(tmp_path):
    token, pid = CancelToken(), tmp_path / "0.pid"
    started = time.monotonic()
    with LocalPool(1) as pool, pytest.raises(Cancelled, match="goes on from there"):
        outcomes(pool, ["for ever"], tmp_path, token=token, on_wait=lambda: pid.exists() and token.cancel())
    assert time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_stop_and_keep_ends_what_is_begun_and_begins_nothing(tmp_path):
    token = CancelToken()

    def look():
        if (tmp_path / "0.pid").exists():
            token.stop_and_keep()
            (tmp_path / "0").touch()

    with LocalPool(1) as pool:
        found = outcomes(pool, ["wait", "do", "do"], tmp_path, token=token, on_wait=look)
    assert list(found) == [0]


def test_workers_end_with_the_one_who_asked(tmp_path):
    code = ("import sys; sys.path.insert(0, sys.argv[1])\n"
            "import quick_work\nfrom gradvec.progress import CancelToken\nfrom gradvec.workers.local import LocalPool\n"
            "from gradvec.workers.pool import map_work\n"
            "if __name__ == '__main__':\n"
            "    with LocalPool(1) as pool:\n"
            "        list(map_work(pool, quick_work.obey, [(0, ('for ever', sys.argv[2]))], 0, CancelToken()))\n")
    script = tmp_path / "asks.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(Path(gradvec.__file__).parent.parent)}
    folder = Path(quick_work.__file__).parent
    process = subprocess.Popen([sys.executable, str(script), str(folder), str(tmp_path / "w")], env=environment)
    quick_work.wait_for(tmp_path / "w.pid")
    process.kill()
    process.wait()
    quick_work.wait_until_gone(int((tmp_path / "w.pid").read_text()))


def test_threads_and_cards_are_shared_out(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with LocalPool(1, threads=3) as pool:
        assert outcomes(pool, ["x"], tmp_path, work=quick_work.threads)[0].ended.value == {
            "NUMBA_NUM_THREADS": "3", "CUDA_VISIBLE_DEVICES": None}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    with LocalPool(1, cards=2) as pool:
        assert outcomes(pool, ["x"], tmp_path, work=quick_work.threads)[0].ended.value["CUDA_VISIBLE_DEVICES"] == "4"


@pytest.mark.parametrize(("free_gb", "cores", "pieces", "wanted", "device", "cards", "workers", "threads"), [
    (64.0, 8, 100, None, "auto", 0, 8, 1),     # memory for more than there are cores
    (64.0, 8, 3, None, "auto", 0, 3, 2),       # fewer pictures than cores: threads for each
    (1.9, 8, 100, None, "auto", 0, 2, 4),      # memory for two
    (0.1, 8, 100, None, "auto", 0, 1, 8),      # one in any case
    (None, 4, 100, None, "auto", 0, 4, 1),     # a system that does not say
    (64.0, 16, 100, None, "cuda", 2, 2, 8),    # one for each card
    (0.1, 4, 100, 6, "auto", 0, 6, 1)])        # as asked
def test_as_many_workers_as_there_is_room_for(free_gb, cores, pieces, wanted, device, cards, workers, threads):
    room = capacity(512, pieces, wanted, device, free_gb, cores, cards)
    assert (room.workers, room.threads) == (workers, threads)


def test_passing_errors_are_known_through_their_causes():
    def raised(cause):
        try:
            raise ValueError("translated") from cause
        except ValueError as error:
            return error

    assert seam.from_outside(raised(OSError(5, "Input/output error")))
    assert seam.from_outside(seam.lost("signal 9"))
    assert not seam.from_outside(raised(FileNotFoundError(2, "No such file")))
    assert not seam.from_outside(raised(None))
