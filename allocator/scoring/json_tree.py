"""From the text of a JSON file to a tree of nodes with their lines, and what is wrong with the text."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, replace

from allocator.errors import Fault
from allocator.records.nodes import Node, Origin, Scalar

_DEEPEST = 100
"""Lists and objects inside one another: more are a slip, and would exhaust the stack."""
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<sign>[{}\[\],:])
    | (?P<text>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![\w.])
    | (?P<word>[-+\w.]+)
    | (?P<other>\S)
    | (?P<end>\Z))""",
    re.VERBOSE,
)
_WORDS: dict[str, Scalar] = {"null": None, "true": True, "false": False}
_INSTEAD = {
    "'": ("a text stands in single quotes", "put it in double quotes"),
    '"': ("a text is not closed, or holds a sign that must be escaped", 'end it with ", write \\ as \\\\'),
    "/": ("JSON has no comments", "remove it; a note has a key of its own"),
    "#": ("JSON has no comments", "remove it; a note has a key of its own"),
}


class _StopError(Exception):
    """What follows cannot be read."""


@dataclass
class _Token:
    kind: str
    text: str
    line: int

    @property
    def words(self) -> str:
        """What was found, in a message."""
        return "the end of the file" if self.kind == "end" else self.text


def read_json(content: bytes, origin: Origin, faults: list[Fault]) -> Node | None:
    """The tree of a JSON file; None, with a fault added, where its text cannot be read to the end.

    Names that stand twice, commas with nothing behind them and NaN are faults that do not stop the reading.
    """
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"is not JSON: byte 0x{content[error.start]:02X} is not UTF-8 text"
        faults.append(Fault(problem, "save the file as UTF-8", origin.file, line=line))
        return None
    reader = _Reader(text, origin, faults)
    try:
        return reader.whole()
    except _StopError:
        return None


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str, origin: Origin, faults: list[Fault]) -> None:
        self.text, self.origin, self.faults = text, origin, faults
        self.place, self.line, self.depth = 0, 1, 0
        self.now = self._next()

    def whole(self) -> Node:
        """The one value of the text."""
        if self.now.kind == "end":
            self.stop("the file is empty", 'write an object, starting with {"variables": [')
        node = self.value()
        if self.now.kind != "end":
            self.stop(f"{self.now.words} stands after its end", "remove it, or check the brackets before it")
        return node

    def value(self) -> Node:
        token = self._take()
        origin = self.origin_of(token)
        match token.kind, token.text:
            case "sign", "{" | "[":
                return Node(self.entries(token) if token.text == "{" else self.items(token), origin)
            case "text", _:
                return Node(self.text_of(token), origin)
            case "number", _:
                return Node(json.loads(token.text), origin)
            case "word", word if word in _WORDS:
                return Node(_WORDS[word], origin)
            case "word", word:
                return self.word(word, origin)
            case _:
                self.now = token
                self.stop(f"expected a value, found {token.words}", "write a value there")
        raise AssertionError("stop raises")

    def origin_of(self, token: _Token) -> Origin:
        """Where a token stands; what has no lines keeps none."""
        return self.origin if self.origin.line is None else replace(self.origin, line=token.line)

    def text_of(self, token: _Token) -> str:
        text: str = json.loads(token.text)
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            origin = self.origin_of(token)
            self.note(f"{token.text} holds half of a sign", "write the sign itself", origin)
            return text.encode("utf-8", "replace").decode()
        return text

    def word(self, word: str, origin: Origin) -> Node:
        """What is no value of JSON: a text without quotes, NaN, Infinity, 007."""
        if word.lower() in _WORDS:
            self.note(f"{word} is no value of JSON", f"write {word.lower()}", origin)
            return Node(_WORDS[word.lower()], origin)
        if word.lstrip("-+").lower() in ("nan", "infinity", "inf"):
            self.note(f"{word} is no number of JSON", "write a number, or leave the key out", origin)
            return Node(0, origin)
        remedy = "write a number as 7, -1.5 or 1e-3" if word[0] in "+-.0123456789" else "put a text in quotes"
        self.note(f"{word} is no value of JSON", remedy, origin)
        return Node(word, origin)

    def entries(self, opened: _Token) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        ended = self.empty("}")
        while not ended:
            key = self._take()
            if key.kind != "text":
                self.now = key
                self.stop(f"expected a key in double quotes, found {key.words}", 'write "key": value')
            if self.now.text != ":":
                self.stop(f"expected : after the key {key.text}, found {self.now.words}", "write it there")
            self._take()
            name, value = self.text_of(key), self.value()
            origin = self.origin_of(key)
            if name in entries:
                first = entries[name].origin.line
                self.note(
                    f"key {name!r} is written twice, first on line {first}", "keep one of the two", origin
                )
            else:
                entries[name] = replace(value, origin=origin)
            ended = self.closed(opened, "}")
        return entries

    def items(self, opened: _Token) -> tuple[Node, ...]:
        items: list[Node] = []
        ended = self.empty("]")
        while not ended:
            items.append(self.value())
            ended = self.closed(opened, "]")
        return tuple(items)

    def empty(self, end: str) -> bool:
        """Whether the bracket that has just been opened ends here."""
        self.depth += 1
        if self.depth > _DEEPEST:
            self.stop("values are nested too deeply", "check for brackets that are never closed")
        return self.now.text == end and self.end()

    def closed(self, opened: _Token, end: str) -> bool:
        """Whether the bracket ends here; else a comma stood here, and its next entry does now."""
        if self.now.text == ",":
            comma = self._take()
            if self.now.text != end:
                return False
            origin = self.origin_of(comma)
            self.note(f"a comma stands before {end} with nothing behind it", "remove the comma", origin)
        elif self.now.kind == "end":
            self.now.line = opened.line
            self.stop(f"{opened.text} is not closed", f"write {end} where it ends")
        elif self.now.text != end:
            self.stop(f"expected , or {end}, found {self.now.words}", "write a comma between two entries")
        return self.end()

    def end(self) -> bool:
        """Pass over the bracket that ends."""
        self._take()
        self.depth -= 1
        return True

    def note(self, problem: str, remedy: str, origin: Origin) -> None:
        self.faults.append(Fault(f"is not JSON: {problem}", remedy, origin.file, line=origin.line))

    def stop(self, problem: str, remedy: str) -> None:
        """Add the fault at what comes next, and read no further."""
        if self.now.kind == "other":
            problem, remedy = _INSTEAD.get(self.now.text, (problem, remedy))
        self.note(problem, remedy, self.origin_of(self.now))
        raise _StopError

    def _take(self) -> _Token:
        token, self.now = self.now, self._next()
        return token

    def _next(self) -> _Token:
        match = _TOKEN.match(self.text, self.place)
        if match is None or match.lastgroup is None:
            raise AssertionError("every text begins with a token")
        before = match.start(match.lastgroup)
        self.line += self.text.count("\n", self.place, before)
        token = _Token(match.lastgroup, match[match.lastgroup], self.line)
        self.place = match.end()
        return token
