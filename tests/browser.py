"""Programs beside Python that some tests need: Chromium without a network, and what reads its paper.

On a machine without them these tests are skipped, with what would bring them; where ALLOCATOR_TOOLS is
`required`, as in .ci/run, they fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

_WINDOW = """<body style="margin:0"><script>
let seen = []
addEventListener("message", event => {{
  seen.push(event.data)
  if (seen.length == {count}) document.title = "seen " + seen.sort().join(" | ")
}})
</script>{frames}</body>"""
"""A browser's own window is never as narrow as a phone."""
_FRAME = '<iframe src="{name}" style="border:0;width:{width}px;height:4000px"></iframe>'
_MEASURED = """<script>{axe}</script><script>addEventListener("load", async () => {{
const room = document.documentElement.clientWidth
const out = [...document.querySelectorAll("main *")].filter(
  one => one.getBoundingClientRect().right > room + 1).length
const found = typeof axe == "undefined" ? [] : (await axe.run()).violations
  .filter(one => ["serious", "critical"].includes(one.impact)).map(one => one.id)
parent.postMessage(room + ": " + out + " outside, " + (found.join(" ") || "no") + " faults", "*")
}})</script></body>"""


def tool(*names: str, package: str) -> str:
    """The first of the programs that is here; else the test is skipped, or fails where they are required."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        why = f"no {names[0]} on this machine: apt-get install {package}"
        if os.environ.get("ALLOCATOR_TOOLS") == "required":
            pytest.fail(why)
        pytest.skip(why)
    return found


def browse(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What a real browser without a network prints."""
    browser = tool("chromium", "chromium-browser", "google-chrome", package="chromium")
    own = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",  # they lie over the page on a phone, and take 15 pixels of it elsewhere
        f"--user-data-dir={folder / 'profile'}",
    )
    offline = (
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        "--virtual-time-budget=9000",
    )
    return subprocess.run(
        [browser, *own, *offline, *options], capture_output=True, text=True, timeout=240, check=True
    )


def seen_by(folder: Path, pages: list[str], widths: list[int], *, checked: bool = True) -> list[str]:
    """What a browser says of the pages at each width: how much sticks out, and grave faults that axe finds.

    Asserts that nothing was asked for from outside and nothing went wrong.
    """
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8") if checked else ""
    frames = []
    for at, page in enumerate(pages):
        name = f"inner{at}.html"
        measured = _MEASURED.format(axe=axe.replace("</script", "<\\/script"))
        (folder / name).write_text(page.replace("</body>", measured), encoding="utf-8")
        frames += [_FRAME.format(name=name, width=width) for width in widths]
    outer = folder / "outer.html"
    outer.write_text(_WINDOW.format(count=len(frames), frames="".join(frames)))
    shown = browse(folder, "--window-size=1400,2000", "--dump-dom", outer.as_uri())
    assert "CONSOLE" not in shown.stderr
    assert "ERR_NAME_NOT_RESOLVED" not in shown.stderr
    told = re.search(r"<title>seen (.*?)</title>", shown.stdout)
    assert told is not None, shown.stdout[:2000]
    return told[1].split(" | ")


def printed_words(folder: Path, page: Path) -> list[tuple[float, str]]:
    """Every word of the page on A4 paper, with where it ends, in points."""
    reader = tool("pdftotext", package="poppler-utils")
    browse(folder, f"--print-to-pdf={folder / 'page.pdf'}", "--no-pdf-header-footer", page.as_uri())
    return words_of(reader, folder / "page.pdf")


def words_of(reader: str, pdf: Path) -> list[tuple[float, str]]:
    """The words of a PDF, with where they end."""
    text = subprocess.run([reader, "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r'<word xMin="[\d.]+" yMin="[\d.]+" xMax="([\d.]+)" yMax="[\d.]+">(.*?)</word>', text)
    return [(float(right), word) for right, word in found]
