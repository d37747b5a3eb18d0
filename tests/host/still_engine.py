"""A stand-in for the engine that needs nothing: the same drawing for every picture, at once or after a while.

The seed of the options chooses: see the names below. Every job leaves a line in $GRADVEC_STATE_DIR's neighbour
``jobs``, so that tests can count them, and the options of the last one lie in ``options.json``.
"""

import json
import os
import time
from pathlib import Path

from gradvec.errors import EngineError, InputError

AT_ONCE, SLOW, FAILING, REFUSING, GARBAGE = range(5)
JOBS = Path(os.environ.get("GRADVEC_STATE_DIR", ".")).parent / "jobs"


def run_job(kind, options, payloads, info, run):
    from documents import DRAWING

    with JOBS.open("a") as file:
        file.write(f"{kind} {info['name']} {len(payloads['picture'])}\n")
    JOBS.with_name("options.json").write_text(json.dumps(options))
    seed = options["seed"]
    if seed == FAILING:
        raise EngineError("The still engine failed.", "Try another seed.")
    if seed == REFUSING and info["name"].startswith("bad"):
        raise InputError(f"{info['name']} is damaged.", "Choose another picture.")
    with run.stage("Painting", 0.0, 1.0):
        until = time.monotonic() + (20 if seed == SLOW else 0)
        while time.monotonic() < until and not run.keep:
            run.step(0.5)
            time.sleep(0.02)
    return {"svg": b"garbage" if seed == GARBAGE else DRAWING}, {}
