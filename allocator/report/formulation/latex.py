"""A statement as a LaTeX document: amsmath, and nothing that a name can break."""

from __future__ import annotations

import re
from collections.abc import Iterator

from allocator.report.formulation.blocks import (
    Block,
    Display,
    Heading,
    Math,
    Named,
    Sentence,
    Statement,
    Table,
    Words,
)
from allocator.report.visible import visible

_PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[a4paper,margin=22mm]{geometry}
\usepackage{amsmath,amssymb,iftex,tabularx}
\ifPDFTeX\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\else\usepackage{fontspec}\fi
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}
\begin{document}"""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # a bracket after the end of a row would be an argument
    "]": "{]}",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}
_SIGNS = {
    "≤": r"\le ",
    "≥": r"\ge ",
    "∈": r"\in ",
    "κ": r"\kappa ",
    "ι": r"\iota ",
    "Σ": r"\sum",
    "max": r"\max ",
    "·": r"\cdot ",
    "…": r"\dots ",
    "²": "^{2}",
    "{": r"\{",
    "}": r"\}",
}
_TOKEN = re.compile(
    r"(?P<figure>\d+(?:,\d{3})*(?:\.\d+)?)(?:e(?P<power>[+-]?\d+))?"
    r"|(?P<name>max|[A-Za-zκιΣ])(?P<mark>\d*)(?:_(?:\{(?P<below>[^}]*)\}|(?P<index>[a-z]+)))?"
    r"|(?P<blank> +)|(?P<other>.)"
)


def latex_of(statement: Statement) -> str:
    """The whole document."""
    lines = [_PREAMBLE, rf"\section*{{{escaped(statement.title)}}}"]
    for block in statement.blocks:
        lines += _block(block)
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def escaped(text: str) -> str:
    """`text` in which nothing is a command and all is seen."""
    return "".join(_SPECIAL.get(sign, sign) for sign in visible(text))


def math_of(formula: str) -> str:
    """What a terminal shows as LaTeX: `x_ik` has both letters below, `S1` its number."""
    return "".join(map(_token, _TOKEN.finditer(formula))).strip()


def _token(token: re.Match[str]) -> str:
    if token["figure"]:
        power = f" \\times 10^{{{int(token['power'])}}}" if token["power"] else ""
        return token["figure"].replace(",", "{,}") + power
    if token["name"]:
        name = _SIGNS.get(token["name"], token["name"])
        index = token["index"] or (math_of(token["below"]) if token["below"] else "")
        below = ",".join(part for part in (token["mark"], index) if part)
        return f"{name.rstrip()}_{{{below}}}" if below else name
    return r"\;" if token["blank"] and len(token["blank"]) > 1 else _other(token)


def _other(token: re.Match[str]) -> str:
    return " " if token["blank"] else _SIGNS.get(token["other"], token["other"])


def _line(words: Words) -> str:
    return "".join(f"${math_of(word)}$" if isinstance(word, Math) else escaped(word) for word in words)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield rf"\subsection*{{{escaped(text)}}}"
        case Sentence(words):
            yield f"{_line(words)}\n"
        case Named(name, words):
            yield rf"\textbf{{{escaped(name)}}}: {_line(words)}" + "\n"
        case Display(lines):
            yield r"\begin{gather*}"
            yield " \\\\\n".join(math_of(line) for line in lines)
            yield r"\end{gather*}"
        case Table():
            yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    """The second column is of words, and takes the room that is left."""
    columns = "".join("X" if place == 1 else "l" for place in range(len(table.headings)))
    yield rf"\begin{{tabularx}}{{\linewidth}}{{{columns}}}"
    yield " & ".join(map(escaped, table.headings)) + r" \\ \hline"
    for row in table.rows:
        yield " & ".join(map(_line, row)) + r" \\"
    yield r"\end{tabularx}" + "\n"
