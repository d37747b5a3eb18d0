"""Engines for tests: each has a directory of its own, plays fake jobs, and is gone when its test ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys

import pytest
from gradvec import ipc
from gradvec.ipc.client import Client, Launch
from ipc_helpers import HERE, copy_package, leftovers, wait_for


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Where engines are started from; none of them outlives the tests."""
    path = copy_package(tmp_path_factory.mktemp("package"))
    yield path
    wait_for(lambda: not leftovers(str(path).encode()))


@pytest.fixture
def launch(root):
    return Launch(sys.executable, str(root), "fake_jobs:run_job", (str(HERE),), idle_minutes=5.0)


@pytest.fixture
def state_dir(tmp_path):
    """A directory whose engine, if any, ends with the test."""
    directory = tmp_path / "state"
    yield directory
    with contextlib.suppress(Exception):
        ipc.stop(directory)
    with contextlib.suppress(OSError, ValueError):
        os.kill(json.loads((directory / "engine.json").read_text())["pid"], signal.SIGKILL)


@pytest.fixture(scope="session")
def engine_dir(root, tmp_path_factory):
    """The directory of an engine that tests share when they leave it as it was."""
    directory = tmp_path_factory.mktemp("shared") / "state"
    yield directory
    ipc.stop(directory)


@pytest.fixture
def client(launch, engine_dir):
    """Connected to the shared engine."""
    with Client.connect_or_start(launch, engine_dir) as connected:
        yield connected
