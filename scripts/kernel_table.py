"""Writes the table of kernels that helpers compile ahead (backend/gradvec/tools/kernels.txt) from what real runs call.

usage: python scripts/kernel_table.py [--check]

--check: writes nothing, and says which kernels are missing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.tools.warm_up import BEYOND, TABLE, table  # noqa: E402

HEAD = "# Kernels in the order in which runs need them, made by scripts/kernel_table.py."
#: The runs, small, those of a group in one fresh process: those that most paintings are like first.
PAINTING = (
    ("paint", "--look", "photo", "--fidelity", ".5", "--strokes", "40"),
    ("paint", "--strokes", "40"),
)
OTHERS = (
    ("vectorize", "--paths", "8"),
    ("paint", "--look", "lines", "--strokes", "10"),
    ("paint", "--brush", "marker", "--gradient", "kmeans", "--strokes", "12"),
)
_RECORD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from gradvec.cli import main
from gradvec.render import kernel_cache
codes = [main(run) for run in json.loads(sys.argv[2])]
print(*kernel_cache.called, sep="\\n")
sys.exit(max(codes))
"""


def called(runs: tuple[tuple[str, ...], ...], folder: Path) -> list[str]:
    """The kernels that runs call one after the other, in that order, each once."""
    picture, output = str(ROOT / "examples" / "astronaut.jpg"), str(folder / "out.svg")
    words = [[run[0], picture, "-o", output, "--size", "96", "--quiet", *run[1:]] for run in runs]
    done = subprocess.run([sys.executable, "-c", _RECORD, str(ROOT / "backend"), json.dumps(words)],
                          stdout=subprocess.PIPE, text=True, check=True)
    return list(dict.fromkeys(line for line in done.stdout.splitlines() if line))


def main() -> int:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        painting, others = (called(runs, Path(folder)) for runs in (PAINTING, OTHERS))
    missing = [line for line in dict.fromkeys([*painting, *others]) if line not in table(line in painting)]
    print(*missing, sep="\n")
    if "--check" in sys.argv:
        return 1 if missing else 0
    rest = [line for line in others if line not in painting]
    TABLE.write_text("\n".join([HEAD, *painting, BEYOND.strip(), *rest]) + "\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
