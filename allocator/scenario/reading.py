"""From the bytes of a YAML 1.2 file to a tree of nodes, with every fault of its shape."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TypeGuard

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from allocator.errors import Fault
from allocator.records.nodes import Node, Origin, Scalar

LARGEST = 2_000_000
"""Bytes: more is a portfolio given for a scenario, not a scenario."""
_MOST_VALUES = 100_000
"""Values after aliases are written out: more is a file made to exhaust memory."""

DEEPEST = 100
"""Lists and mappings inside one another: more are a slip, and would exhaust the stack."""

# YAML 1.2 core schema; numbers are left to the fields that want them.
_CONSTANTS: Mapping[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_HEAD, _TAIL = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})*"), re.compile(r"[0-9]{3}(\.[0-9]+)?")
_NOTHING = re.compile("")
"""Of a number with thousands separators: what stands before a comma, and after it."""
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("null", "bool", "int", "float", "str", "timestamp", "merge", "value", "map", "seq")
)


def read_file(path: Path, label: str, faults: list[Fault]) -> Node | None:
    """The mapping that the file at `path` holds; None, with a fault added, where it holds none.

    `label` is the file's name in faults.
    """
    text = _text(path, label)
    if isinstance(text, Fault):
        faults.append(text)
        return None
    tree = parse(text, Origin(label, 1, path.resolve().parent), faults)
    if tree is None:
        return None
    if tree.value is None:
        faults.append(Fault("the file is empty", "write a scenario, starting with `schema: 1`", file=label))
        return None
    if not isinstance(tree.value, Mapping):
        kind = "a list" if tree.items else "one text"
        faults.append(tree.fault((), f"expected a mapping, found {kind}", "start the file with `schema: 1`"))
        return None
    return tree


def parse(text: str, origin: Origin, faults: list[Fault]) -> Node | None:
    """The tree of a YAML text; None, with a fault added, where it is no YAML.

    Lines are counted from `origin.line`; where that is None, no node has a line.
    """
    if _depth(text) > DEEPEST:
        remedy = "check for brackets that are never closed"
        faults.append(Fault("values are nested too deeply", remedy, file=origin.file))
        return None
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        faults.append(_syntax_fault(error, text, origin))
        return None
    except RecursionError:
        faults.append(Fault("values are nested too deeply", "indent less", file=origin.file))
        return None
    return Node(None, origin) if root is None else _Growth(origin, faults).node(root, origin)


def _depth(text: str) -> int:
    """How many brackets are open at once, those in quotes counted too.

    The parser's time grows with the square of it, so it is looked at before.
    """
    steps = ((sign in "[{") - (sign in "]}") for sign in text if sign in "[]{}")
    return max(accumulate(steps), default=0)


def _text(path: Path, label: str) -> str | Fault:
    """The file's text without a byte order mark, or why it has none."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            remedy = "name the scenario, not the portfolio"
            return Fault(f"{size:,} bytes are too many for a scenario", remedy, file=label)
        raw = path.read_bytes()
    except FileNotFoundError:
        return Fault("the file does not exist", "check the path", file=label)
    except IsADirectoryError:
        return Fault("this is a folder, expected a scenario file", "name a YAML file in it", file=label)
    except OSError as error:
        return Fault(f"the file cannot be read ({error.strerror})", "check path and permissions", file=label)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Fault("the file is UTF-16 text, expected UTF-8", "save it as UTF-8", file=label)
    if b"\0" in raw:
        return Fault("the file is binary, expected YAML text", "name the scenario's YAML file", file=label)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{raw[error.start]:02X} is not UTF-8 text"
        return Fault(problem, "save the file as UTF-8", file=label, line=line)


def _syntax_fault(error: YAMLError, text: str, origin: Origin) -> Fault:
    """What the YAML parser found wrong, in words that name what to do."""
    problem, remedy, line = "the text holds a control character", "remove it", None
    if isinstance(error, MarkedYAMLError):
        problem = f"no valid YAML: {error.problem}"
        remedy = "check indentation, brackets, quotes and colons"
        # What is never closed is found at the end, but stands where it was opened.
        at_end = "stream end" in problem or "end of stream" in problem
        mark = error.context_mark if at_end else error.problem_mark
        line = mark.line if mark is not None else None
    lines = text.split("\n")
    written = lines[line] if line is not None and line < len(lines) else ""
    if "found another document" in problem:
        problem, remedy = "a second document starts here, expected one", "remove the line of three dashes"
    elif written[: len(written) - len(written.lstrip())].count("\t"):
        problem, remedy = "a tab indents the line, which YAML does not allow", "indent by spaces"
    elif "${" in written:
        remedy = "put ${...} in quotes where it stands inside braces or brackets"
    number = line + origin.line if line is not None and origin.line is not None else None
    return Fault(problem, remedy, file=origin.file, line=number, cell=origin.cell)


@dataclass
class _Growth:
    """Turns the parser's nodes into ours; `open_nodes` are the ones it stands in."""

    origin: Origin
    faults: list[Fault]
    values: int = 0
    open_nodes: set[int] = field(default_factory=set)

    def node(self, written: YamlNode, origin: Origin) -> Node:
        """Our node for `written`; what cannot be kept becomes None and a fault."""
        self.values += 1
        if id(written) in self.open_nodes:
            return self.refuse(origin, "an alias names what it stands in", "write the value out")
        if len(self.open_nodes) > DEEPEST:
            return self.refuse(origin, "values are nested too deeply", "indent less")
        if self.values > _MOST_VALUES:
            if self.values == _MOST_VALUES + 1:
                self.refuse(origin, f"more than {_MOST_VALUES:,} values", "write the aliases' values out")
            return Node(None, origin)
        if str(written.tag) not in _PLAIN_TAGS:
            return self.refuse(
                origin,
                f"the tag {str(written.tag).replace('tag:yaml.org,2002:', '!!')} is not known",
                "remove it",
            )
        if isinstance(written, ScalarNode):
            return Node(_scalar(written), origin)
        self.open_nodes.add(id(written))
        value: dict[str, Node] | tuple[Node, ...] = ()
        if isinstance(written, MappingNode):
            value = self.entries(written)
        elif isinstance(written, SequenceNode):
            value = tuple(self.node(item, self.origin_of(item)) for item in written.value)
        self.open_nodes.remove(id(written))
        return Node(value, origin)

    def entries(self, written: MappingNode) -> dict[str, Node]:
        """The entries of a mapping, each at its key's line; a key given twice is a fault."""
        entries: dict[str, Node] = {}
        for key, value in _joined(written) if written.flow_style else written.value:
            origin = self.origin_of(key)
            if not isinstance(key, ScalarNode):
                self.refuse(origin, "a key is a list or a mapping, expected text", "write a text for the key")
                continue
            node = self.node(value, origin)
            if key.value in entries:
                first = entries[key.value].origin.line
                where = "" if first is None else f", first on line {first}"
                self.refuse(origin, f"key {key.value!r} is written twice{where}", "keep one of the two")
                continue
            entries[key.value] = node
        return entries

    def origin_of(self, written: YamlNode) -> Origin:
        """The origin of what starts where `written` does."""
        base = self.origin
        line = None if base.line is None else base.line + written.start_mark.line
        return Origin(base.file, line, base.folder, base.cell)

    def refuse(self, origin: Origin, problem: str, remedy: str) -> Node:
        self.faults.append(Fault(problem, remedy, file=origin.file, line=origin.line, cell=origin.cell))
        return Node(None, origin)


def _joined(written: MappingNode) -> list[tuple[YamlNode, YamlNode]]:
    """The entries of a mapping in braces, with a number that its own commas cut put together again.

    In {amount: 60,000,000} YAML sees a 60 and two keys 000: the reader of the amount is to say what is wrong.
    """
    entries: list[tuple[YamlNode, YamlNode]] = []
    for key, value in written.value:
        last = entries[-1][1] if entries else None
        if _fits(last, _HEAD) and _fits(key, _TAIL) and _fits(value, _NOTHING):
            joined = ScalarNode(last.tag, f"{last.value},{key.value}", last.start_mark, key.end_mark)
            entries[-1] = (entries[-1][0], joined)
        else:
            entries.append((key, value))
    return entries


def _fits(written: YamlNode | None, form: re.Pattern[str]) -> TypeGuard[ScalarNode]:
    return isinstance(written, ScalarNode) and form.fullmatch(written.value) is not None


def _scalar(written: ScalarNode) -> Scalar:
    """A plain constant's value, else the text as written."""
    plain = written.style is None and str(written.tag) != "tag:yaml.org,2002:str"
    return _CONSTANTS.get(written.value, written.value) if plain else str(written.value)
