"""Writes the tables of options (README.md) and of looks (docs/looks.md) from the code; ``--check`` only says whether
they are up to date."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.cli.arguments import flag, range_in_words  # noqa: E402
from gradvec.looks import LOOKS, Look  # noqa: E402
from gradvec.options import Options  # noqa: E402


def options() -> str:
    """The options as a Markdown table."""
    lines = ["| option | what it is | values |", "|---|---|---|"]
    for field in fields(Options):
        choices = ", ".join(f"`{choice}`" for choice in field.metadata["choices"])
        values = "; ".join(part for part in (choices, range_in_words(field)) if part)
        lines.append(f"| `{flag(field.name)}` | {field.metadata['help']} | {values} |")
    return "\n".join(lines)


def looks() -> str:
    """The looks as a Markdown table."""
    rows = [f"| {look.label} | `{look.name}` | {look.about} | {_options_of(look)} |" for look in LOOKS]
    return "\n".join(["| look | `--look` | what it is | options |", "|---|---|---|---|", *rows])


def _options_of(look: Look) -> str:
    return ", ".join(f"`{name}` {_word(value)}" for name, value in look.options.items()) or "the defaults"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Table:
    """A table between two marks of a page. page: from the repository's root."""

    page: str
    name: str
    make: Callable[[], str]

    def updated(self, text: str) -> str:
        """The page's text with the table as it is now."""
        start, end = f"<!-- {self.name}: made by scripts/options_table.py -->", f"<!-- end of {self.name} -->"
        before, _, rest = text.partition(start)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{self.page} lacks the marks {start} and {end}.")
        return f"{before}{start}\n{self.make()}\n{end}{after}"


TABLES = (Table("README.md", "options", options), Table("docs/looks.md", "looks", looks))


def main() -> int:
    stale = []
    for table in TABLES:
        path = ROOT / table.page
        old = path.read_text(encoding="utf-8")
        new = table.updated(old)
        if new != old:
            stale.append(table.page)
            if "--check" not in sys.argv[1:]:
                path.write_text(new, encoding="utf-8")
    if "--check" not in sys.argv[1:]:
        return 0
    print(f"{' and '.join(stale)} out of date: run python scripts/options_table.py" if stale else "up to date")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
