"""Asks pip-audit whether a library of this environment has a known hole.

usage: python scripts/release/audit.py

Fails where one is found. Where the data of known holes cannot be reached, it says so and passes: a machine without the
internet is no reason not to work.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from locked import closure, version  # noqa: E402

SECONDS = 180


def asked() -> list[str]:
    """What gradvec needs to run, everywhere and with every extra, as far as it is installed here."""
    return [f"{name}=={version(name)}" for name in sorted(closure("gradvec", ("cluster", "film"))) if name != "gradvec"]


def report(requirements: list[str]) -> dict[str, Any] | str:
    """pip-audit's answer; a sentence where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("\n".join(requirements) + "\n", "utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listed), "--no-deps", "--disable-pip",
                   "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"no answer within {SECONDS} s"
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    except ValueError:
        return (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]


def verdict(answer: dict[str, Any] | str) -> tuple[int, list[str]]:
    """Exit code and what to print."""
    if isinstance(answer, str):
        return 0, [f"Note: not audited, the data of known holes cannot be reached ({answer})."]
    rows = answer["dependencies"]
    known = [row for row in rows if "skip_reason" not in row]
    holes = [f"{row['name']} {row['version']}: {hole['id']}, mended in "
             f"{', '.join(hole['fix_versions']) or 'no version'}" for row in known for hole in row["vulns"]]
    if holes:
        return 1, holes
    if not known:
        return 0, ["Note: not audited, the data of known holes cannot be reached (no library is known there)."]
    skipped = [row["name"] for row in rows if "skip_reason" in row]
    note = [f"Note: not known there: {', '.join(skipped)}"] if skipped else []
    return 0, [f"No known hole in {len(known)} libraries.", *note]


def main() -> int:
    code, lines = verdict(report(asked()))
    print(*lines, sep="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
