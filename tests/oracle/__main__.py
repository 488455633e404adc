"""Books by seed or scenario file, compared one by one: python -m tests.oracle 17 40-60 book/scenario.yaml"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.oracle.books import Book, read
from tests.oracle.comparison import compare
from tests.oracle.generator import draw


def books(arguments: list[str]) -> list[tuple[str, Book]]:
    found = []
    for argument in arguments:
        first, _, last = argument.partition("-")
        if first.isdigit():
            found += [(str(seed), draw(seed)) for seed in range(int(first), int(last or first) + 1)]
        else:
            found.append((argument, read(Path(argument))))
    return found


if __name__ == "__main__":
    for name, book in books(sys.argv[1:]):
        with TemporaryDirectory() as folder:
            found = compare(book, Path(folder))
        print(name, "agrees" if not found else "", *(f"\n  {one.kind}: {one.text}" for one in found))
