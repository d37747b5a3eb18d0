"""The documentation's site, built once for all tests of a session."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """Folder of the built site; what the build said lies beside it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "site"
    with FileLock(str(folder) + ".lock"):
        if not folder.exists():
            done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
                                  cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
                                  env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
            assert done.returncode == 0, done.stderr[-4000:]
            folder.with_suffix(".log").write_text(done.stderr, "utf-8")
    return folder
