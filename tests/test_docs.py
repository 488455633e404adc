"""The pages show what the commands and programs on them print, and link to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.build import OWN_TEST, ROOT, Example, examples, pages, rewritten
from tests.test_architecture import ANYTHING, MAY_IMPORT, STAGES

ALL = [*pages(), *sorted(OWN_TEST)]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_examples_show_what_they_print(page: Path) -> None:
    for example in examples(page.read_text(encoding="utf-8")):
        assert example.agrees, f"run `make docs`; shown:\n{example.shown}\nprinted:\n{example.printed}"


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        place = (page.parent / target).resolve()
        assert place.is_file(), f"{target} is no file: the site has no page of a folder"
        if heading:
            headings = HEADING.findall(place.read_text(encoding="utf-8"))
            assert heading in [anchor_of(text) for text in headings], f"no heading {heading} in {target}"


def anchor_of(heading: str) -> str:
    """The anchor that Markdown viewers give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_first_page_shows_a_session_a_program_and_a_scenario() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for needed in ("$ allocator solve", "$ allocator verify", "```python", "```yaml\n# "):
        assert needed in text


def test_the_map_names_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        if page.name != "index.md":
            assert f"({page.relative_to(ROOT / 'docs')})" in index, f"{name_of(page)} is in no map"


def test_a_wrong_output_is_seen_and_mended() -> None:
    session = "```console\n$ echo one; echo two\none\nthree\n```\n"
    page = f"{session}\n```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n"
    assert [example.agrees for example in examples(page)] == [False, False]
    assert rewritten(page) == page.replace("three", "two").replace("3", "2")


def test_left_out_lines_seconds_and_rounding_are_no_difference() -> None:
    assert Example(0, 0, "a\n...\nd 1.5 s gap 0\n", "a\nb\nc\nd 12 s gap 1.7e-16\n").agrees
    assert not Example(0, 0, "gap 0\n", "gap 1.7e-9\n").agrees


def test_a_program_that_prints_shows_its_output() -> None:
    assert [example.agrees for example in examples("```python\nprint(1)\n```\n")] == [False]


ROOM = re.compile(r"^\| `([\w.]+)/?` \|.*\| ([^|]*) \|$", re.MULTILINE)


def test_the_house_is_as_its_page_draws_it() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text[text.index("## Rooms") : text.index("The seven stages")]
    drawn = {room.removesuffix(".py"): cell for room, cell in ROOM.findall(table)}
    package = ROOT / "allocator"
    rooms = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    rooms.discard("__init__")
    assert set(drawn) == rooms
    for room, cell in drawn.items():
        if room not in ANYTHING:
            listed = set(re.findall(r"`(\w+)`", cell)) | (STAGES if "the seven stages" in cell else set())
            assert listed == MAY_IMPORT[room] & rooms, room


def test_the_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", version) for version in versions[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= kinds
