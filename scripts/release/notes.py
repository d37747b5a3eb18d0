"""Prints what CHANGELOG.md says of one version, as the text of its release.

usage: python scripts/release/notes.py [VERSION]

Without VERSION: the version of gradvec; where it has no heading yet, what is unreleased.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sections(changelog: str) -> dict[str, str]:
    """What stands under each heading ``## VERSION`` (a date may follow), the newest first."""
    parts = re.split(r"^## +(\S+).*\n", changelog, flags=re.MULTILINE)
    return {name.strip("[]"): body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def notes(changelog: str, version: str) -> str:
    """The text for ``version``.

    Raises:
        KeyError: it has no heading.
    """
    found = sections(changelog)
    body = found.get(version) or (found["Unreleased"] if version not in found else "")
    if not body:
        raise KeyError(version)
    return f"# gradvec {version}\n\n{body}\n"


def main() -> int:
    sys.path.insert(0, str(ROOT / "backend"))
    from gradvec import __version__

    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    version = sys.argv[1] if len(sys.argv) > 1 else __version__
    known = sections(changelog)
    if len(sys.argv) > 1 and version not in known:
        print(f"CHANGELOG.md has no heading {version}; it has {', '.join(known)}.", file=sys.stderr)
        return 2
    print(notes(changelog, version), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
