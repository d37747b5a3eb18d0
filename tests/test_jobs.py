"""What travels with a paint job besides the picture."""

import io

import numpy as np
import pytest
from gradvec.errors import InputError
from gradvec.geometry.cubics import flatten
from gradvec.geometry.trace import shoelace
from gradvec.io import svg
from gradvec.jobs import run_job
from gradvec.options import Options
from gradvec.pipeline import paint_picture
from gradvec.progress import Run
from PIL import Image
from scipy.spatial import ConvexHull


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


PICTURE = png((np.random.default_rng(3).random((12, 16, 3)) * 255).astype(np.uint8).repeat(4, 0).repeat(4, 1))


def painted(**payloads: bytes):
    options = Options(strokes=40, size=64, fidelity=0.0, layers="none", background="none")
    named = {name.replace("_", "-"): data for name, data in payloads.items()}
    answer, _facts = run_job("paint", options.to_dict(), {"picture": PICTURE, **named}, {"name": "noise"}, Run())
    return svg.read(answer["svg"])


def left_share(document) -> float:
    centres = [(s.outline.bounds()[0] + s.outline.bounds()[2]) / 2 for s in document.shapes]
    return float(np.mean(np.array(centres) < document.width / 2))


def convexity(document) -> np.ndarray:
    """The share that each stroke takes of its convex hull."""
    outlines = [flatten(shape.outline.loops[0]) for shape in document.shapes]
    return np.array([abs(shoelace(polygon)) / ConvexHull(polygon).volume for polygon in outlines])


@pytest.fixture(scope="module")
def plain():
    return painted()


def test_strokes_gather_where_the_detail_map_is_bright(plain):
    bright = np.zeros((12, 16), np.uint8)
    bright[:, :8] = 255
    marked = painted(detail_map=png(bright))
    assert marked.meta["options"]["detail"] == 0.75
    assert plain.meta["options"]["detail"] == 0
    assert left_share(marked) > max(0.75, left_share(plain) + 0.15)


def test_brushes_of_ones_own_travel_by_name(plain):
    dab = np.full((24, 24), 255, np.uint8)
    dab[10:14, 2:22] = 0
    own = painted(brush_00=png(dab))
    assert own.meta["options"] == plain.meta["options"]
    # A bar is convex, and stays so however a stroke is placed and drawn out; bristles are not.
    assert convexity(own).min() > 0.99
    assert np.median(convexity(plain)) < 0.98


def test_the_engine_process_hands_out_the_bytes_that_a_run_of_ones_own_writes():
    options = Options.for_job("paint", {"look": "watercolor", "strokes": 12, "size": 48})
    own = paint_picture(PICTURE, options, Run(), name="noise")
    answer, _facts = run_job("paint", options.to_dict(), {"picture": PICTURE}, {"name": "noise", "relative": True},
                             Run())
    assert answer["svg"] == svg.write(own.document, relative=True)
    assert b"<filter" in answer["svg"]


def test_an_empty_picture_is_no_missing_one():
    """In a batch, say: an update of the extension would not help."""
    with pytest.raises(InputError, match="is empty"):
        run_job("paint", {}, {"picture": b""}, {}, Run())
    with pytest.raises(InputError, match="without its picture"):
        run_job("paint", {}, {}, {}, Run())
