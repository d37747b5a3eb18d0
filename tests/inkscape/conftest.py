import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "backend"), str(HERE)]


@pytest.fixture(scope="session")
def inkscape(tmp_path_factory):
    """A private Inkscape with the extension installed and a fake engine."""
    from inkscape import Inkscape

    private = Inkscape(tmp_path_factory.mktemp("inkscape"))
    yield private
    private.stop_engine()
