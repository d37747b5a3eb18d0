"""The documentation's site in a real browser without a window, at a phone's width and at a desk's, with its pictures.

A page of our own opens every page of the site in a frame of that width, one after the other, measures it and sends what
it found.
"""

import contextlib
import functools
import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import threading

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
PHONE, DESK = 390, 1280
#: A page that has everything wrong that is looked for.
WRONG = "wrong.html"
WRONG_PAGE = b"""<!doctype html><title>?</title><article style="width:2000px"><h1 style="width:50px">x</h1>
<img src="no-such-picture.png"></article>"""
#: When waiting is given up, s.
PATIENCE = 180
HARNESS = """<!doctype html><title>measuring</title><body><script>
const pages = PAGES, widths = WIDTHS, found = [];
async function measure(page, width) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:844px;border:0`;
  frame.src = page;
  document.body.append(frame);
  await new Promise(done => { frame.onload = done; });
  const inside = frame.contentDocument, images = [...inside.images];
  found.push({page, width, title: inside.title, images: images.length,
              broken: images.filter(image => !image.naturalWidth).map(image => image.src),
              content: inside.documentElement.scrollWidth,
              text: Math.round(inside.querySelector("article h1").getBoundingClientRect().width)});
  frame.remove();
}
(async () => {
  for (const page of pages) for (const width of widths) await measure(page, width);
  await fetch("found", {method: "POST", body: JSON.stringify(found)});
})();
</script>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """The site's files, the page that measures them, and the place where it sends what it found."""

    def do_GET(self):
        if self.path not in ("/measure.html", f"/{WRONG}"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.harness if self.path == "/measure.html" else WRONG_PAGE)

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.found.put(sent)

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def found(site, tmp_path_factory):
    """What the browser saw of each page at each width; of the wrong one at the end."""
    pages = sorted(path.name for path in site.glob("*.html") if path.name != "404.html")
    text = HARNESS.replace("PAGES", json.dumps([*pages, WRONG])).replace("WIDTHS", json.dumps([PHONE, DESK]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site))) as server:
        server.harness, server.found = text.encode(), queue.Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   f"--user-data-dir={tmp_path_factory.mktemp('browser')}", "--window-size=1400,1000",
                   "--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/measure.html"]
        browser = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            rows = json.loads(server.found.get(timeout=PATIENCE))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
            server.shutdown()
    expected = [(page, width) for page in [*pages, WRONG] for width in (PHONE, DESK)]
    assert [(row["page"], row["width"]) for row in rows] == expected
    return rows


@pytest.fixture
def seen(found):
    """The same of the site's own pages."""
    return found[:-2]


def test_what_is_wrong_is_noticed(found):
    for row in found[-2:]:
        assert len(row["broken"]) == 1
        assert row["content"] > row["width"]
        assert row["text"] == 50


def test_every_page_opens_with_its_title(seen):
    assert [row["page"] for row in seen if "gradvec" not in row["title"]] == []
    assert len(seen) >= 50


def test_every_picture_shows(seen):
    assert {row["page"]: row["broken"] for row in seen if row["broken"]} == {}
    assert sum(row["images"] for row in seen) > 10


def test_no_page_scrolls_sideways(seen):
    """At a phone's width tables and code scroll inside their own boxes, and pictures shrink."""
    assert [(row["page"], row["width"], row["content"]) for row in seen if row["content"] > row["width"]] == []


def test_the_width_is_used(seen):
    """On a phone a heading is nearly as wide as the screen, on a desk the text leaves room for the navigation."""
    assert all(row["text"] > 0.8 * PHONE for row in seen if row["width"] == PHONE)
    assert all(row["text"] < 0.8 * DESK for row in seen if row["width"] == DESK)
