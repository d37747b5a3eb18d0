"""Host tests need inkex, lxml and pytest only, so that they also run under the Python that Inkscape itself uses."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "backend")]


@pytest.fixture
def data() -> Path:
    return Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def editing(tmp_path_factory):
    """The extension with a fake engine of its own, which ends with the module's tests."""
    from edited import Editing
    from gradvec import ipc

    made = Editing(tmp_path_factory.mktemp("editing"))
    yield made
    ipc.stop(made.folder / "engine")
