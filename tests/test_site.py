"""The site: every page and public name is on it, and links that lead nowhere are found."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from docs.build import OWN_TEST, ROOT, pages
from docs.site import PUBLIC, REFERENCE, assemble, broken, build, marked_up


def test_every_page_and_every_public_name_is_on_it(tmp_path: Path) -> None:
    assemble(tmp_path / "source")
    for page in (*pages(), *OWN_TEST, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"):
        assert (tmp_path / "source" / page.relative_to(ROOT)).is_file()
    reference = (tmp_path / "source" / REFERENCE).read_text()
    for name in PUBLIC:
        module = importlib.import_module(name)
        things = [public for public in module.__all__ if callable(getattr(module, public))]
        assert all(f":: {name}.{public}\n" in reference for public in things)


def test_docstrings_are_read_as_they_are_written() -> None:
    table = ["one, two   the *first*", "           two", "sets       more"]
    code, session = ["    code *here*", "    more"], [">>> 2 * 3", "6"]
    assert marked_up(["Sums `a * b` of *x* and m_.", "", *table, "", *code, "", *session]) == [
        r"Sums ``a * b`` of \*x\* and m\_.",
        "",
        *("**one, two**", r"    the \*first\*", "    two", "**sets**", "    more"),
        "",
        *(".. code-block:: text", "", *code),
        "",
        *session,
    ]


def test_what_leads_nowhere_or_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "one.html").write_text(
        '<h1 id="top"><a href="sub/two.html#there">x</a><a href="gone.html">x</a><a href="#top">x</a>'
        '<a href="https://example.org">x</a><script src="https://example.org/x.js"></script>'
    )
    (tmp_path / "sub" / "two.html").write_text('<a href="../one.html#top">x</a><img src="none.svg">')
    (tmp_path / "own.css").write_text(
        '@import url("https://fonts.example.org/x.css"); a {background: url(x.png)}'
    )
    assert broken(tmp_path) == [
        "one.html: no place sub/two.html#there",
        "one.html: gone.html is not there",
        "one.html: would fetch https://example.org/x.js",
        "sub/two.html: none.svg is not there",
        "own.css: would fetch https://fonts.example.org/x.css",
    ]


@pytest.mark.full
def test_the_site_builds_without_a_warning_and_every_link_holds(tmp_path: Path) -> None:
    assemble(tmp_path / "source")
    assert build(tmp_path / "source", tmp_path / "site") == 0
    assert broken(tmp_path / "site") == []
    assert (tmp_path / "site" / "search.html").is_file()
