import sys

import pytest
from fake_pipeline import FakePipeline


@pytest.fixture
def pipeline(monkeypatch, tmp_path):
    """The fake pipeline in the place of the real one."""
    monkeypatch.setenv("GRADVEC_LOG", str(tmp_path / "log" / "gradvec.log"))
    fake = FakePipeline()
    monkeypatch.setitem(sys.modules, "gradvec.pipeline", fake)
    return fake


@pytest.fixture
def picture(tmp_path):
    """A file that the fake pipeline takes for a picture."""
    path = tmp_path / "photo.png"
    path.write_bytes(b"picture")
    return path
