"""Jobs that make a file of a drawing: what they are told, and what they say of what they cannot be told."""

import pytest
from gradvec.errors import InputError, UsageError
from gradvec.jobs import run_job
from gradvec.progress import Run
from lxml import etree

DRAWING = (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><path d="M0 0h20v10h-20z" fill="#336699"/>'
           b'<path d="M2 2h5v5h-5z" fill="#cc3300"/></svg>')


def job(kind, **info):
    return run_job(kind, {}, {"svg": DRAWING}, info, Run())


def test_a_time_lapse_and_an_export_come_as_files():
    made, facts = job("animate", ending=".svg", seconds=3, loop=True, name="x")
    moving = etree.fromstring(made["file"]).findall(".//{*}animate")
    assert [one.get("dur") for one in moving] == ["5s", "5s"]
    assert facts == {"notes": []}
    made, _ = job("export", ending=".svg", profile="cut", width_mm=50.0, colors=2)
    assert etree.fromstring(made["file"]).get("width") == "50mm"
    made, _ = job("export", ending=".png", width_mm=25.4, dpi=100, width=None)
    assert made["file"].startswith(b"\x89PNG")


@pytest.mark.parametrize(("kind", "info", "says"), [
    ("animate", {"ending": ".avi"}, "none of .svg"), ("animate", {}, "without an ending|other kind|facts"),
    ("animate", {"ending": ".svg", "seconds": "long"}, "seconds is 'long'"),
    ("animate", {"ending": ".svg", "seconds": 0}, "seconds is 0"),
    ("animate", {"ending": ".svg", "by": "pixel"}, "stroke or a layer"),
    ("animate", {"ending": ".svg", "easing": "bounce"}, "in-out"),
    ("export", {"ending": ".svg", "profile": "carve"}, "no profile 'carve'"),
    ("export", {"ending": ".svg", "profile": "cut", "hair_mm": float("nan")}, "hair_mm is nan"),
    ("export", {"ending": ".svg", "profile": ["cut"]}, "no profile")])
def test_what_a_job_cannot_be_told_is_said(kind, info, says):
    with pytest.raises(UsageError, match=says):
        job(kind, **info)


def test_a_job_without_a_drawing_says_so():
    with pytest.raises(InputError, match="without its svg"):
        run_job("animate", {}, {}, {"ending": ".svg"}, Run())
