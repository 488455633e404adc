"""The pages and the API reference as a static site: `make site` writes build/site and checks every link.

The pages stand as they do in the repository, README first, so that their links lead where they do there.
Nothing is fetched, when it is built or when it is read.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import groupby, zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

from docs.build import ROOT

SOURCE, SITE = ROOT / "build" / "site-source", ROOT / "build" / "site"
PAGES = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs", "scenarios", "models", "notebooks"),
)
"""What is copied: pages, and what stands beside them that they show or link to."""
PUBLIC = ("allocator", "allocator.plugins", "allocator.strategies", "allocator.testing", "allocator.knapsack")
"""Modules whose names somebody else may use."""
REFERENCE = "docs/api.md"
SETTINGS: dict[str, Any] = {
    "project": "allocator",
    "author": "The allocator authors",
    "copyright": "The allocator authors, Apache-2.0",
    "extensions": ["myst_parser", "sphinx.ext.autodoc"],
    "root_doc": "README",
    "html_theme": "alabaster",
    "html_theme_options": {"page_width": "70em", "fixed_sidebar": True, "show_powered_by": False},
    "html_show_sourcelink": False,
    "html_copy_source": False,
    "myst_heading_anchors": 4,
    "autodoc_member_order": "bysource",
    "autodoc_preserve_defaults": True,
    "suppress_warnings": ["toc.not_included", "misc.highlighting_failure", "myst.header"],
    "exclude_patterns": ["docs/build.py", "docs/site.py", "docs/warm.py"],
}  # fmt: skip
_ARGUMENT = re.compile(r"([\w.]+(?:, [\w.]+)*) {2,}(\S.*)")
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def assemble(folder: Path) -> None:
    """The pages in `folder` as they stand in the repository, with the reference and a table of contents."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in PAGES:
        place = ROOT / name
        copy = shutil.copytree if place.is_dir() else shutil.copy
        copy(place, folder / name)
    for name in ("LICENSE", "allocator/checker.py", "allocator/pipeline.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / REFERENCE).write_text("\n".join(_reference()), encoding="utf-8")
    readme = folder / "README.md"
    pages = (page.relative_to(folder).with_suffix("") for page in (folder / "docs").glob("*.md"))
    listed = [*sorted(page.as_posix() for page in pages), "CHANGELOG", "CONTRIBUTING", "SECURITY"]
    contents = "\n".join(["```{toctree}", ":hidden:", ":maxdepth: 1", "", *listed, "```"])
    readme.write_text(f"{readme.read_text(encoding='utf-8')}\n{contents}\n", encoding="utf-8")


def _reference() -> Iterator[str]:
    """The page of every public name, its signature and docstring as Sphinx reads them."""
    yield "# Python reference"
    for name in PUBLIC:
        module = importlib.import_module(name)
        yield from (f"\n## {name}\n", "```{eval-rst}", f".. automodule:: {name}", "   :no-index:", "```")
        for public in getattr(module, "__all__", []):
            yield from _entry(module, public)


def _entry(module: ModuleType, name: str) -> Iterator[str]:
    """A class with its members, or a function; values, which their module's page speaks of, have none."""
    thing = getattr(module, name)
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return
    kind, members = ("class", ["   :members:"]) if inspect.isclass(thing) else ("function", [])
    full = f"{module.__name__}.{name}"
    yield from (f"\n### {full}\n", "```{eval-rst}", f".. auto{kind}:: {full}", *members, "```")


def marked_up(lines: list[str]) -> list[str]:
    """A docstring as reStructuredText: tables of arguments, code, sessions and prose as they are written."""
    out: list[str] = []
    for blank, group in groupby(lines, lambda line: not line.strip()):
        block = list(group)
        if blank or block[0].startswith(">>> "):
            out += block
        elif block[0].startswith("    "):
            out += [".. code-block:: text", "", *block]
        elif _ARGUMENT.match(block[0]):
            out += [part for line in block for part in _argument(line)]
        else:
            out += map(_escaped, block)
    return out


def _argument(line: str) -> list[str]:
    """A line of a table of arguments: the names with what they are, or more of that."""
    found = _ARGUMENT.match(line)
    told = f"    {_escaped(found[2] if found else line.strip())}"
    return [f"**{_escaped(found[1])}**", told] if found else [told]


def _escaped(line: str) -> str:
    """A line of prose whose stars, bars and underscores are signs."""
    parts = _CODE.split(line)
    signs = (re.sub(r"([*|\\]|_\b|\b_)", r"\\\1", part) for part in parts[::2])
    code = (f"``{part}``" for part in parts[1::2])
    return "".join(part for pair in zip_longest(signs, code, fillvalue="") for part in pair)


def build(source: Path, site: Path) -> int:
    """Build the site; how many warnings there were, each of which is printed."""
    from sphinx.application import Sphinx

    shutil.rmtree(site, ignore_errors=True)
    trees = source.with_name("site-doctrees")
    app = Sphinx(source, None, site, trees, "html", SETTINGS, None, sys.stderr, freshenv=True)

    def process(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
        lines[:] = marked_up(lines)

    app.connect("autodoc-process-docstring", process)
    app.build(force_all=True)
    return int(app._warncount)


class Read(HTMLParser):
    """What a page of the site links to, loads, and names as places."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        self.places |= {told[key] for key in ("id", "name") if key in told}
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag == "link" and told.get("rel") in ("stylesheet", "icon", "preload", "preconnect"):
            self.loads.append(told.get("href", ""))
        elif "src" in told:
            self.loads.append(told["src"])


def broken(site: Path) -> list[str]:
    """Links and anchors of the site that lead nowhere, and whatever a page would fetch from elsewhere."""
    pages = {page: Read(page) for page in sorted(site.rglob("*.html"))}
    faults = []
    for page, read in pages.items():
        where = page.relative_to(site)
        for link in [*read.links, *read.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                faults += (
                    [f"{where}: would fetch {link}"] if link in read.loads and parts.scheme != "data" else []
                )
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file():
                faults.append(f"{where}: {link} is not there")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                faults.append(f"{where}: no place {link}")
    for sheet in sorted(site.rglob("*.css")):
        text = sheet.read_text(encoding="utf-8")
        fetched = re.findall(r"(?:@import|url\()[ \"']*((?:https?:)?//[^\"')]*)", text)
        faults += [f"{sheet.relative_to(site)}: would fetch {link}" for link in fetched]
    return faults


def main() -> int:
    """Build and check; 1 where a warning, a broken link or something to fetch is left."""
    assemble(SOURCE)
    warnings, faults = build(SOURCE, SITE), broken(SITE)
    for fault in faults:
        print(fault)
    print(f"{SITE}: {len(list(SITE.rglob('*.html')))} pages, {warnings} warnings, {len(faults)} broken links")
    return 1 if warnings or faults else 0


if __name__ == "__main__":
    sys.exit(main())
