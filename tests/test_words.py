"""Pages, help and reports speak the field's language: the words that only this project knew stay away."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.build import OWN_TEST, ROOT, pages

PRIVATE = {
    r"[Ss]ources? 00\d": "the authors, or the title, as docs/references.md has them",
    r"best answers?( to the (shadow )?prices)?": "best response",
    r"refusals?|(firms|borrowers) refused|refused (firms|borrowers|customers)": "declined, no offer",
    r"one more \w+ of room|room (now|left unused)": "bound, slack",
    r"(stressed|worse|\d) worlds?|of (that|a|the) world": "stress, case",
    r"may (fall|rise) by": "allowable decrease, allowable increase",
    r"given up against": "regret",
    r"hindsight: (re-optimised|decided anew)": "regret",
    r"by factors": "systematic",
    r"equal ones \(HHI": "effective number",
    r"sound (loans?|firms?|borrowers?)": "performing",
    r"cells? filled with": "imputed by",
    r"mending": "primal repair",
    r"dropping rules?": "dominance rules",
    r"the general core|engine's general core": "the knapsack solver",
    r"Of those|^None where": "a whole sentence",
}
"""Pattern -> what to say instead."""
VAGUE = {"one", "found", "at", "said", "nothing"}
"""Variables and parameters of these names tell a reader nothing of what they hold."""
SPOKEN = re.compile("|".join(rf"(?<!\w)(?:{pattern})(?!\w)" for pattern in PRIVATE))
PAGES = sorted({*pages(), *OWN_TEST, *(ROOT / "models").rglob("*.md")})
NEVER_CHANGES = re.compile(r"-v\d+\.md$")
"""Cards of fitted files are kept as they were written."""
SPEAKING = [
    *(ROOT / "allocator" / "cli").rglob("*.py"),
    *(ROOT / "allocator" / "report").rglob("*.py"),
    *(ROOT / "allocator" / "scenario").rglob("*schema.py"),
]


def private(text: str) -> list[str]:
    """What of the private language stands in `text`, with its line."""
    lines = enumerate(text.splitlines(), start=1)
    return [
        f"line {at}: {match[0]!r} in {line.strip()!r}"
        for at, line in lines
        for match in SPOKEN.finditer(line)
    ]


def texts(module: Path) -> Iterator[str]:
    """Every text of a module that may be shown: keys, which are one word each, are for programs."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.isidentifier():
            yield node.value


def test_pages_use_the_words_of_the_field() -> None:
    kept = [page for page in PAGES if not NEVER_CHANGES.search(page.name)]
    spoken = {str(page.relative_to(ROOT)): private(page.read_text(encoding="utf-8")) for page in kept}
    assert {page: words for page, words in spoken.items() if words} == {}


def test_help_reports_and_keys_use_the_words_of_the_field() -> None:
    spoken = {str(module): [*map(private, texts(module))] for module in SPEAKING}
    assert {module: words for module, words in spoken.items() if any(words)} == {}


def test_a_private_word_is_found_where_it_stands() -> None:
    assert private("a\nthe best answers to the prices") == [
        "line 2: 'best answers to the prices' in 'the best answers to the prices'"
    ]
    assert private("refusal_constant stays; the slack is declined") == []


def test_the_glossary_is_short_and_in_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| ([^|]+) \| ", text, re.MULTILINE)[2:]
    assert terms == sorted(terms, key=str.lower)
    assert len(text.splitlines()) <= 64


def vague(module: Path) -> Iterator[str]:
    """Variables and parameters of functions whose names tell nothing, with their line."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            name = node.arg if isinstance(node, ast.arg) else node.id if isinstance(node, ast.Name) else ""
            if name in VAGUE and not isinstance(getattr(node, "ctx", None), ast.Load):
                yield f"line {node.lineno}: {name}"


def test_every_name_tells_what_it_holds() -> None:
    named = {str(path.relative_to(ROOT)): [*vague(path)] for path in (ROOT / "allocator").rglob("*.py")}
    assert {path: names for path, names in named.items() if names} == {}


def test_a_vague_name_is_found_where_it_stands(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f(at, place):\n    for one in at:\n        print(one)\n")
    assert [*vague(module)] == ["line 1: at", "line 2: one"]
