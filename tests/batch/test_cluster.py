"""A real scheduler with worker processes on this machine: one is killed at work, then the scheduler itself."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import gradvec
import numpy as np
import pytest
import quick_work
from gradvec.batch.run import Wish, paint_all
from gradvec.cli import main
from gradvec.cli.output import replace_file
from gradvec.errors import EngineError, InputError
from gradvec.io.images import png_bytes
from gradvec.options import Options
from gradvec.progress import Run
from gradvec.workers.local import LocalPool

pytest.importorskip("distributed")
# What distributed leaves behind when its scheduler is killed is not ours to tidy.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning",
                                        "ignore::pytest.PytestUnraisableExceptionWarning")


class Cluster:
    """A scheduler and workers as processes of their own."""

    def __init__(self, folder):
        self.file, self.folder = folder / "scheduler.json", folder
        paths = [str(Path(gradvec.__file__).parent.parent), str(Path(quick_work.__file__).parent)]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NUMBA_NUM_THREADS": "1"}
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = self._told()
        self.workers = {}

    def _told(self):
        """The scheduler's address. Its file is there before it is written, line by line."""
        quick_work.wait_for(self.file)
        while True:
            try:
                return json.loads(self.file.read_text())["address"]
            except json.JSONDecodeError:
                assert self.scheduler.poll() is None, "the scheduler ended before it said where it is"
                time.sleep(0.02)

    def _start(self, what, *words):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file", str(self.file),
                   "--no-dashboard", *words]
        return subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def add_worker(self):
        worker = self._start("worker", "--no-nanny", "--nthreads", "1", "--host", "127.0.0.1")
        self.workers[worker.pid] = worker

    def end(self):
        for process in (*self.workers.values(), self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "cluster").mkdir()
    started = Cluster(tmp_path / "cluster")
    yield started
    started.end()


def when(path, act):
    """Does something, on a thread of its own, as soon as there is such a file."""
    def watch():
        quick_work.wait_for(path)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def quick_batch(tmp_path, words, address, **more):
    from gradvec.workers.cluster import ClusterPool

    (tmp_path / "out").mkdir(exist_ok=True)
    names = []
    for n, word in enumerate(words):
        names.append(str(tmp_path / f"p{n}.txt"))
        Path(names[-1]).write_text(f"{word} {tmp_path / 'done'}")
    wish = Wish(names, [f"p{n}.svg" for n in range(len(names))], tmp_path / "out", Options(), **more)
    return paint_all(wish, lambda count: ClusterPool(address), replace_file, Run(), work=quick_work.paint)


def test_what_a_lost_worker_was_doing_another_one_does(cluster, tmp_path):
    cluster.add_worker()
    cluster.add_worker()
    done = tmp_path / "done"

    def kill_the_one_at_work():
        pid = int((tmp_path / "done.pid").read_text())
        (tmp_path / "done.pid").unlink()
        os.kill(pid, signal.SIGKILL)
        done.touch()  # whoever does it next need not wait

    watching = when(tmp_path / "done.pid", kill_the_one_at_work)
    summary = quick_batch(tmp_path, ["do", "wait", "do", "fail", "do"], cluster.address, by_path=False)
    watching.join()
    assert (summary.painted, summary.failed, summary.exit_code) == (4, 1, 3)
    assert sorted((tmp_path / "done.log").read_text().split()) == ["p0.txt", "p1.txt", "p2.txt", "p4.txt"]


def test_a_lost_scheduler_is_told_and_what_was_finished_is_not_done_again(cluster, tmp_path):
    cluster.add_worker()
    watching = when(tmp_path / "done.pid", cluster.scheduler.kill)
    with pytest.raises(EngineError, match=r"scheduler at tcp://127\.0\.0\.1:\d+ is gone"):
        quick_batch(tmp_path, ["do", "do", "wait"], cluster.address)
    watching.join()
    (tmp_path / "done").touch()
    finished = (tmp_path / "out" / "manifest.jsonl").read_text()
    assert [json.loads(line)["output"] for line in finished.splitlines()] == ["p0.svg", "p1.svg"]
    wish = Wish([str(tmp_path / f"p{n}.txt") for n in range(3)], [f"p{n}.svg" for n in range(3)], tmp_path / "out",
                Options())
    summary = paint_all(wish, lambda count: LocalPool(1), replace_file, Run(), work=quick_work.paint)
    assert (summary.kept, summary.painted) == (2, 1)


def test_pictures_are_painted_though_a_worker_is_killed(cluster, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    ramp = np.linspace(0, 1, 64)
    for n in range(4):
        picture = ramp[:, None, None] * np.array([0.9, 0.2 * n, 0.3]) + (1 - ramp)[None, :, None] * 0.2
        (folder / f"{n}.png").write_bytes(png_bytes(np.clip(picture, 0, 1)))
    cluster.add_worker()
    cluster.add_worker()
    # The worker that is killed is at work, or about to be: there are pictures left for both.
    watching = when(tmp_path / "out" / "0.svg", next(iter(cluster.workers.values())).kill)
    words = ["-o", str(tmp_path / "out"), "--strokes", "6", "--size", "64", "--look", "photo", "--quiet"]
    code = main(["batch", str(folder), *words, "--no-contact-sheet", "--cluster", cluster.address])
    watching.join()
    assert code == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["0.svg", "1.svg", "2.svg", "3.svg", "manifest.jsonl"]
    lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert len({line["output"] for line in lines}) == len(lines) == 4
    assert min(line["figures"]["psnr"] for line in lines) > 15


def test_where_no_scheduler_answers(tmp_path, monkeypatch):
    from gradvec.workers import cluster

    monkeypatch.setattr(cluster, "CONNECT_S", 0.3)
    with pytest.raises(InputError, match=r"No scheduler answers at tcp://127\.0\.0\.1:9"):
        cluster.ClusterPool("tcp://127.0.0.1:9")
