"""Host tests need inkex, lxml and pytest only, so that they also run under the Python that Inkscape itself uses."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "backend")]


@pytest.fixture
def data() -> Path:
    return Path(__file__).parent / "data"
