"""The command line as a process of its own: seconds of the run, then the command's arguments."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_pipeline import FakePipeline
from gradvec.cli import main

if __name__ == "__main__":
    sys.modules["gradvec.pipeline"] = FakePipeline(seconds=float(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
