"""Prints the lowest version that pyproject.toml allows of each dependency, as pip's requirements."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text("utf-8")


def lowest(text: str) -> list[str]:
    """``name==version`` for each line of the first list of dependencies in ``text``."""
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert listed is not None, "pyproject.toml lists no dependencies"
    found = re.findall(r'"([A-Za-z0-9-]+)>=([0-9.]+)', listed[1])
    assert len(found) == listed[1].count('"') // 2, "a dependency has no lower bound"
    return [f"{name}=={version}" for name, version in found]


if __name__ == "__main__":
    print(*lowest(TEXT), sep="\n")
