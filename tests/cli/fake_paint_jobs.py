"""Jobs for an engine process that paints with the fake pipeline."""

from fake_pipeline import FakePipeline
from gradvec.errors import InputError
from gradvec.io import svg
from gradvec.options import Options


def run_job(kind, options, payloads, info, run):
    if b"picture" not in payloads["picture"]:
        raise InputError(f"{info['name']!r} is not a picture.", "Choose a PNG.")
    seconds = 60 if b"slow" in payloads["picture"] else 0.2
    result = FakePipeline(seconds).paint_picture(payloads["picture"], Options.from_dict(options), run)
    return {"svg": svg.write(result.document)}, result.report.to_dict()
