"""Pictures as files: each by its ending, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.report.drawing.files import ENDINGS, Picture, picture_content
from tests.report.drawing.test_paper import PANELS, chart

DRAWN = chart(PANELS["pairs with whiskers"])
BEGINS = {".html": b"<!doctype html>", ".svg": b"<svg ", ".png": b"\x89PNG", ".pdf": b"%PDF-"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_picture_is_the_same_file_each_time(ending: str) -> None:
    content = picture_content(DRAWN, Path(f"x{ending}"))
    assert content.startswith(BEGINS[ending])
    assert content == picture_content(DRAWN, Path(f"y{ending.upper()}"))


def test_a_notebook_shows_it() -> None:
    picture = Picture(DRAWN)
    assert picture._repr_html_() == picture.svg
    assert picture.svg.encode() == picture_content(DRAWN, Path("x.svg"))
    assert repr(picture) == "Picture('small: a picture': Worth 1.5 m CNY.)"
