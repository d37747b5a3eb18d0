"""Writes the table of options in README.md from gradvec.options; ``--check`` only says whether it is up to date."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec.cli.arguments import flag, range_in_words  # noqa: E402
from gradvec.options import Options  # noqa: E402

START, END = "<!-- options: made by scripts/options_table.py -->", "<!-- end of options -->"


def table() -> str:
    """The options as a Markdown table."""
    lines = ["| option | what it is | values |", "|---|---|---|"]
    for field in fields(Options):
        choices = ", ".join(f"`{choice}`" for choice in field.metadata["choices"])
        values = "; ".join(part for part in (choices, range_in_words(field)) if part)
        lines.append(f"| `{flag(field.name)}` | {field.metadata['help']} | {values} |")
    return "\n".join(lines)


def updated(readme: str) -> str:
    """``readme`` with the present table between its two marks."""
    before, _, rest = readme.partition(START)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"README.md lacks the marks {START} and {END}.")
    return f"{before}{START}\n{table()}\n{END}{after}"


def main() -> int:
    path = ROOT / "README.md"
    old = path.read_text(encoding="utf-8")
    new = updated(old)
    if "--check" in sys.argv[1:]:
        print("up to date" if new == old else "README.md is out of date: run python scripts/options_table.py")
        return int(new != old)
    path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
