"""Prints the lowest version that pyproject.toml allows of each dependency, as pip's requirements."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text("utf-8")


#: The lists of dependencies that tests need which are run with them.
LISTS = ("dependencies", "film", "export")


def lowest(text: str) -> list[str]:
    """``name==version`` for each dependency in :data:`LISTS` of ``text``."""
    result = []
    for name in LISTS:
        listed = re.search(rf"^{name} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
        assert listed is not None, f"pyproject.toml has no list {name}"
        found = re.findall(r'"([A-Za-z0-9-]+)>=([0-9.]+)', listed[1])
        assert len(found) == listed[1].count('"') // 2, f"a dependency in {name} has no lower bound"
        result += [f"{package}=={version}" for package, version in found]
    return result


if __name__ == "__main__":
    print(*lowest(TEXT), sep="\n")
