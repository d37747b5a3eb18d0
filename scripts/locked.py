"""Writes which versions the tests ran with, as constraints for pip: tests/locked-X.Y.txt for this Python.

usage: python scripts/locked.py [--check]

Read from the environment that runs it: what gradvec needs with its extras, what these need in turn, and what the tests
install beside it. `make install LOCKED=1` takes just these versions. --check: fails where a requirement that stands in
pyproject.toml is missing in the file or does not allow its version.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

try:
    import tomllib
except ImportError:  # Python 3.10, where build brings the same
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "tests" / "locked-{}.{}.txt".format(*sys.version_info[:2])
EXTRAS = ("dev", "docs", "cluster", "film")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: What the tests install beside the package: inkex without its own needs, Triton where there is one.
BESIDE = ("inkex", "triton")
HEAD = "# Made by scripts/locked.py: the versions that the tests ran with. `make install LOCKED=1` takes these.\n"


def needs(name: str, extras: tuple[str, ...] = ()) -> list[Requirement]:
    """What an installed distribution requires here, with these of its extras; of gradvec, what pyproject.toml says."""
    if name == "gradvec":
        lines = [*PROJECT["dependencies"]]
        lines += [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    else:
        lines = metadata.requires(name) or []
    found = [Requirement(line) for line in lines]
    return [need for need in found
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))]


def closure(name: str, extras: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """Names of ``name`` and of all distributions that it needs with ``extras``; for each, which ones it asks for."""
    asked: dict[str, set[str]] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [(canonicalize_name(name), extras)]
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        wanted = asked.setdefault(item[0], set())
        for need in needs(*item):
            child = canonicalize_name(need.name)
            if child != item[0]:
                wanted.add(child)
            waiting.append((child, tuple(sorted(need.extras))))
    return asked


def version(name: str) -> str:
    """An installed version as an index has it, without the tag of a local build such as torch's +cpu."""
    if name == "gradvec":
        found = re.search(r'__version__ = "(.+)"', (ROOT / "backend" / "gradvec" / "__init__.py").read_text("utf-8"))
        assert found is not None
        return found[1]
    return Version(metadata.version(name)).public


def lines() -> list[str]:
    """``name==version``, sorted."""
    names = set(closure("gradvec", EXTRAS)) - {"gradvec"}
    for name in BESIDE:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        names.add(name)
    return [f"{name}=={version(name)}" for name in sorted(names)]


def locked(text: str) -> dict[str, Version]:
    """Versions by name, as a file of constraints has them."""
    rows = (line.partition("==") for line in text.splitlines() if line and not line.startswith("#"))
    return {canonicalize_name(name): Version(number) for name, _, number in rows}


def trouble(text: str) -> list[str]:
    """What of gradvec's own requirements the constraints in ``text`` do not meet."""
    have = locked(text)
    found = []
    for need in needs("gradvec", EXTRAS):
        name = canonicalize_name(need.name)
        if name == "gradvec":
            continue
        if name not in have:
            found.append(f"{name} is not locked")
        elif not need.specifier.contains(have[name], prereleases=True):
            found.append(f"{name} {have[name]} is locked, but pyproject.toml wants {need.specifier}")
    return found


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        wrong = trouble(PLACE.read_text("utf-8")) if PLACE.exists() else [f"there is no {PLACE.name}"]
        print(*wrong, sep="\n", end="\n" if wrong else "")
        return 1 if wrong else 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    PLACE.write_text(HEAD + "\n".join(lines()) + "\n", "utf-8")
    print(f"{PLACE.relative_to(ROOT)}: {len(lines())} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
