"""The contact sheet: every picture beside its drawing, in pages that a browser opens without effort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import PurePosixPath
from urllib.parse import quote

from .manifest import Entry

#: Pictures on a page.
PER_PAGE = 500
#: Folder of the small pictures, inside the batch's.
FOLDER = "contact"

_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 100rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; } nav { margin: .75rem 0; }
main { display: grid; gap: 1.25rem 1rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
figure { margin: 0; } figcaption { padding: .25rem 0; overflow-wrap: anywhere; }
img { display: block; max-width: 100%; outline: 1px solid var(--line); }
.facts { opacity: .75; font-variant-numeric: tabular-nums; }
.failed { border-left: 4px solid #c33; padding-left: .75rem; }
"""


def thumb_name(output: str) -> str:
    """Where the small picture of a drawing lies, relative to the folder."""
    return f"{FOLDER}/{output.removesuffix('.svg')}.jpg"


def page_name(number: int) -> str:
    """contact.html, contact-2.html, ..."""
    return "contact.html" if number == 0 else f"contact-{number + 1}.html"


def pages(entries: Sequence[Entry], title: str) -> Iterator[tuple[str, str]]:
    """(file name, HTML) of each page; one page at least."""
    count = max(1, -(-len(entries) // PER_PAGE))
    failed = sum(entry.failed for entry in entries)
    seconds = sum(entry.seconds for entry in entries)
    said = f"{len(entries)} pictures, {failed} of them failed; {_hours(seconds)} of work."
    for number in range(count):
        links = "" if count == 1 else "<nav>" + " ".join(
            f'<a href="{page_name(other)}">{other + 1}</a>' if other != number else f"<b>{other + 1}</b>"
            for other in range(count)) + "</nav>"
        body = "\n".join(_figure(entry) for entry in entries[number * PER_PAGE:(number + 1) * PER_PAGE])
        yield page_name(number), f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{said} The figures are in <a href="manifest.jsonl">manifest.jsonl</a>.</p>
{links}
<main>
{body}
</main>
{links}
</body></html>
"""


def _figure(entry: Entry) -> str:
    name = escape(PurePosixPath(entry.picture.replace("\\", "/")).name)
    if entry.error is not None:
        return f'<figure class="failed"><figcaption><b>{name}</b><br>{escape(entry.error["message"])} ' \
               f'{escape(entry.error["remedy"])}</figcaption></figure>'
    facts = entry.figures
    quality = "" if facts.get("psnr") is None else f"{facts['psnr']:.1f} dB, "
    said = f"{facts['paths']} paths, {quality}{facts['svg_bytes'] / 1000:.0f} kB, {entry.seconds:.1f} s"
    return f'<figure><a href="{quote(entry.output)}"><img loading="lazy" src="{quote(thumb_name(entry.output))}" ' \
           f'alt="{name} and its drawing"></a><figcaption><b>{name}</b><br><span class="facts">{said}</span>' \
           '</figcaption></figure>'


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 7200 else f"{seconds / 60:.0f} minutes" if seconds >= 120 else \
        f"{seconds:.0f} seconds"
