"""Whether a text is one SQL statement that only reads, as far as the words of any dialect tell.

The first of two guards: the connection is read-only too, where the database knows such a thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_MASKED = re.compile(
    r"""
      --[^\n]*                                   # to the end of the line
    | '(?:[^']|'')*'                             # a text
    | "(?:[^"]|"")*" | `(?:[^`]|``)*`            # a name
    | (?<![\w)\]])\[[^\]]*\]                     # a name, as SQL Server and SQLite have it
    | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)    # a text of PostgreSQL
    """,
    re.VERBOSE | re.DOTALL,
)
_EXECUTED = re.compile(r"/\*M?!")
"""Begins a comment that MySQL or MariaDB executes."""
_WORD = re.compile(r"[^\W\d]\w*|[();]")
_CHANGING = {"insert", "update", "delete", "merge"}


def why_not_reading(query: str) -> tuple[str, str] | None:
    """What is wrong with a query that does more than read, and what to do; None for one that reads."""
    words = [word.lower() for word in _WORD.findall(_without_literals(query))]
    while words and words[-1] == ";":
        words.pop()
    first = next((word for word in words if word != "("), None)
    if first not in ("select", "with"):
        begins = f"begins with {first.upper()}" if first else "holds no statement"
        return f"the query {begins}, not with SELECT or WITH: nothing else is run", "write one SELECT"
    if ";" in words:
        return "more than one statement", "write one SELECT"
    for word in _changes(words):
        return f"the query has {word.upper()} in it: a source is read, never changed", "write one SELECT"
    return None


def _changes(words: list[str]) -> Iterator[str]:
    """Words that make or change a table: INTO anywhere, others where a statement begins."""
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        if word == "into" or (word in _CHANGING and before in "()" and after != "("):
            yield word


def _without_literals(query: str) -> str:
    """The query with a blank for each text, quoted name and comment."""
    out: list[str] = []
    place = 0
    while place < len(query):
        if match := _EXECUTED.match(query, place):
            out.append(" ")
            place = match.end()
        elif query.startswith("/*", place):
            place = _after_comment(query, place)
            out.append(" ")
        elif match := _MASKED.match(query, place):
            out.append(" ")
            place = match.end()
        else:
            out.append(query[place])
            place += 1
    return "".join(out)


def _after_comment(query: str, place: int) -> int:
    """Where the comment that begins at `place` ends: at the first end mark, as SQLite and MySQL have it.

    PostgreSQL's may hold others; what then stands between is taken for SQL, never the other way round.
    """
    end = query.find("*/", place + 2)
    return len(query) if end < 0 else end + 2
