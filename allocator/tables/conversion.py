"""Arrow columns of any origin to the arrays of a portfolio.

Only an empty cell is missing: a null, or a text without any character. "NA", "nan" and "-" are not.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.errors import Fault
from allocator.records.portfolio import Booleans, Codes, Floats, Text
from allocator.records.scenario import PortfolioSource
from allocator.tables.findings import Finding, Rows, quoted

NUMBER = r"(?i)^[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|nan|inf|infinity)$"
_COMMA_NUMBER = r"^[+-]?[0-9]*,[0-9]+$"
_GROUP_SIGNS = {",": ",", ".": r"\.", " ": "[ \u00a0\u2007\u202f]", "'": "'", "’": "’"}
"""Signs between thousands; a blank stands for its unbroken kinds too."""
SAMPLE = 1000
"""Cells that tell in most cases whether a column of texts is one of numbers."""
WHOLE = 2.0**53
"""Up to here a float tells every whole number from the next."""


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers, shape (n,)."""

    values: Floats
    """NaN where missing or faulty."""
    missing: Booleans
    findings: list[Finding] = field(default_factory=list)


def type_fault(column: str, kind: str, held: pa.DataType, source: PortfolioSource) -> Fault | None:
    """The fault of a typed column that cannot be read as `kind`: text, number or flag."""
    if pa.types.is_dictionary(held):
        held = held.value_type
    fits = pa.types.is_null(held) or _is_text(held)
    if kind == "number":
        fits |= pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_decimal(held)
    elif kind == "flag":
        fits |= pa.types.is_boolean(held) or pa.types.is_integer(held)
    else:
        fits |= pa.types.is_primitive(held) or pa.types.is_boolean(held) or pa.types.is_decimal(held)
    if fits:
        return None
    wanted = {"number": "numbers", "flag": "true and false", "text": "text"}[kind]
    return Fault(f"holds {held}, not {wanted}", f"store it as {wanted}", file=source.label, field=column)


def to_numbers(cells: pa.ChunkedArray, column: str, source: PortfolioSource, rows: Rows) -> Numbers:
    """Read `cells` as float64; NaN and infinities are faults, an empty cell is missing."""
    cells = _plain(cells)
    missing = _mask(pc.is_null(cells))
    if _is_text(cells.type):
        values, wrong = _parse(cells, source)
        findings = _not_numbers(cells, wrong, column, source, rows)
    else:
        values, wrong = _floats(pc.cast(cells, pa.float64(), safe=False)), np.zeros_like(missing)
        findings = []
    endless = ~np.isfinite(values) & ~missing & ~wrong
    findings += rows.find(
        endless, column, lambda i: f"{cells[i].as_py()} is not a finite number", "write a finite number"
    )
    return Numbers(np.where(endless, np.nan, values) if findings else values, missing, findings)


def to_flags(cells: pa.ChunkedArray, column: str, rows: Rows) -> tuple[Booleans, list[Finding]]:
    """Read `cells` as true and false; an empty cell is false.

    Databases without a boolean type keep 1 and 0: whole numbers 1 and 0 are read as such.
    """
    cells = _plain(cells)
    words = pc.utf8_lower(cells) if _is_text(cells.type) else pc.cast(cells, pa.string())
    yes = _mask(pc.is_in(words, pa.array(["true"] if _is_text(cells.type) else ["true", "1"])))
    no = _mask(pc.is_in(words, pa.array(["false"] if _is_text(cells.type) else ["false", "0"])))
    bad = ~yes & ~no & ~_mask(pc.is_null(cells))
    remedy = "write true or false, or leave the cell empty"
    return yes, rows.find(
        bad, column, lambda i: f"{quoted(cells[i].as_py())} is neither true nor false", remedy
    )


def to_strings(cells: pa.ChunkedArray) -> pa.Array:
    """Read `cells` as text exactly as written; null where empty. A whole float has no decimals."""
    cells = _plain(cells)
    if not _is_text(cells.type) and not pa.types.is_integer(cells.type):
        encoded = _encoded(cells)
        words = pa.array([cell_text(value) for value in encoded.dictionary.to_pylist()], pa.string())
        return words.take(encoded.indices)
    return _one_array(pc.cast(cells, pa.string()))


def to_text(cells: pa.ChunkedArray) -> Text:
    """Read `cells` as a dictionary-encoded text column."""
    encoded = _encoded(cells)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return text_of(codes, [cell_text(value) for value in encoded.dictionary.to_pylist()])


def text_of(codes: np.ndarray, words: list[str | None]) -> Text:
    """Codes into `words` (-1 or a None: missing) as a Text: ascending, each word once, none unused."""
    used = np.zeros(len(words), dtype=bool)
    used[codes[codes >= 0]] = True
    values = sorted({word for word, seen in zip(words, used, strict=True) if seen and word})
    place = {word: code for code, word in enumerate(values)}
    moved: Codes = np.array([place.get(word or "", -1) for word in words] + [-1], dtype=np.int32)
    return Text(moved[codes], tuple(values))


def cell_text(value: object) -> str | None:
    """One cell as text: a whole float without decimals, booleans in lower case, dates as in ISO 8601.

    A float that is no number is how a column of numbers says that a cell is empty.
    """
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= WHOLE:
        return str(int(value))
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def figures_or_text(cells: pa.ChunkedArray, mark: str, thousands: str = "") -> pa.ChunkedArray:
    """`cells` as numbers where each that is not empty is one with the decimal `mark`, else as they are."""
    if pa.types.is_decimal(cells.type):
        return pc.cast(cells, pa.float64(), safe=False)
    plain = _plain(cells)
    if not _is_text(plain.type):
        return cells
    pointed = _with_point(_ungrouped(plain, thousands, mark), mark)
    for kind in (pa.int64(), pa.float64()):
        try:
            pc.cast(pointed[:SAMPLE], kind)  # a cast that fails takes a microsecond a cell
            return pc.cast(pointed, kind)
        except pa.ArrowInvalid:
            continue
    return plain


def whole_numbers(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """`cells` as integers where every one is filled and a whole number: a worksheet knows only doubles."""
    if not pa.types.is_floating(cells.type) or cells.null_count:
        return cells
    try:
        return pc.cast(cells, pa.int64())
    except pa.ArrowInvalid:
        return cells


def to_array(cells: list[object]) -> pa.Array:
    """Python cells of a worksheet or a query as one Arrow array; mixed kinds become text."""
    values = [None if cell == "" else cell for cell in cells]
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) <= 1 or kinds <= {int, float, decimal.Decimal}:
        try:
            return pa.array(values, pa.float64() if float in kinds else None, from_pandas=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass  # whole numbers beyond 64 bits, decimal NaN, types of one database: as text
    return pa.array([cell_text(value) for value in values], pa.string())


def _parse(cells: pa.ChunkedArray, source: PortfolioSource) -> tuple[Floats, Booleans]:
    """Text with the source's decimal sign as numbers, and where it is none.

    The whole column is converted at once; only where that fails are the cells looked at one by one.
    """
    if source.decimal == ".":
        try:
            return _floats(pc.cast(cells, pa.float64())), np.zeros(len(cells), dtype=bool)
        except pa.ArrowInvalid:
            pass
    pointed = _with_point(_ungrouped(cells, source.thousands, source.decimal), source.decimal)
    plain = pc.match_substring_regex(pointed, NUMBER)
    values = _floats(pc.cast(pc.if_else(plain, pointed, None), pa.float64()))
    return values, _mask(pc.invert(plain))


def _grouped_pattern(sign: str, decimal: str, groups: str = "+") -> str:
    """The pattern of a number whose digits are grouped in threes by `sign`."""
    return rf"^[+-]?[1-9][0-9]{{0,2}}({_GROUP_SIGNS[sign]}[0-9]{{3}}){groups}(\{decimal}[0-9]*)?$"


def _ungrouped(cells: pa.ChunkedArray, sign: str, decimal: str) -> pa.ChunkedArray:
    """The cells without the `sign` between thousands, where it stands between groups of three."""
    if not sign:
        return cells
    trimmed = pc.utf8_trim_whitespace(cells)
    grouped = pc.match_substring_regex(trimmed, _grouped_pattern(sign, decimal))
    return pc.if_else(grouped, pc.replace_substring_regex(trimmed, _GROUP_SIGNS[sign], ""), trimmed)


def _with_point(cells: pa.ChunkedArray, mark: str) -> pa.ChunkedArray:
    """The cells without blanks around them, the decimal `mark` a point.

    A point beside decimal commas groups thousands, which are not read: such a cell is no number.
    """
    trimmed = pc.utf8_trim_whitespace(cells)
    if mark == ".":
        return trimmed
    dotted = pc.match_substring(trimmed, ".")
    return pc.if_else(dotted, "grouped", pc.replace_substring(trimmed, mark, "."))


def _not_numbers(
    cells: pa.ChunkedArray, wrong: Booleans, column: str, source: PortfolioSource, rows: Rows
) -> list[Finding]:
    """Why cells are no numbers: a percent sign, a sign between thousands, a decimal comma, anything else."""
    if not wrong.any():
        return []
    trimmed = pc.utf8_trim_whitespace(cells)
    blank = _mask(pc.equal(trimmed, ""))
    percent = wrong & _mask(pc.match_substring(cells, "%"))
    comma = wrong & _mask(pc.match_substring_regex(trimmed, _COMMA_NUMBER)) & (source.decimal == ".")
    findings: list[Finding] = []
    explained = percent.copy()
    for sign in _GROUP_SIGNS:
        if sign != source.decimal:
            grouped = (
                wrong
                & ~explained
                & _mask(pc.match_substring_regex(trimmed, _grouped_pattern(sign, source.decimal)))
            )
            once = grouped & _mask(
                pc.match_substring_regex(trimmed, _grouped_pattern(sign, source.decimal, "{1}"))
            )
            # One group of three after a comma may be decimals: so it is where others in the column are.
            doubtful = once & (sign == "," and not np.any(grouped & ~once))
            if sign == "," and np.any(comma & ~grouped):
                grouped = grouped & ~once
            explained |= grouped
            findings += _groups(cells, grouped, doubtful, sign, column, source, rows)
    kinds: Mapping[str, tuple[Booleans, str]] = {
        "has a percent sign": (percent, "write a fraction, 5% as 0.05"),
        "has a decimal comma": (comma & ~explained, _point_remedy(source)),
        "holds blanks alone": (wrong & blank, "leave the cell empty, or write a number"),
        "is not a number": (
            wrong & ~blank & ~explained & ~comma,
            "write a plain number, as 0.05 or 100000",
        ),
    }
    for words, (mask, remedy) in kinds.items():
        findings += rows.find(mask, column, lambda i, w=words: f"{quoted(cells[i].as_py())} {w}", remedy)  # type: ignore[misc]
    return findings


def _point_remedy(source: PortfolioSource) -> str:
    if source.kind == "csv" and (source.bare or source.separator == ","):
        return "write a point for it, and no sign between thousands"
    if source.kind == "csv" and source.path is not None:
        return f'write source: {{csv: {source.path.name}, sep: "{source.separator}", decimal: ","}}'
    return "store it as a number"


def _groups(
    cells: pa.ChunkedArray,
    grouped: Booleans,
    doubtful: Booleans,
    sign: str,
    column: str,
    source: PortfolioSource,
    rows: Rows,
) -> list[Finding]:
    """Numbers with a sign between thousands; each told with what to write in its place."""
    takes = source.kind == "csv" and not source.bare
    option = f', or thousands: "{sign}" beside csv' if takes else ""

    def problem(i: int) -> str:
        what = f"{quoted(cells[i].as_py())} has a thousands separator"
        return f"{what}, or else a decimal comma" if doubtful[i] else what

    def remedy(i: int) -> str:
        shown = str(cells[i].as_py()).strip()
        plain = re.sub(_GROUP_SIGNS[sign], "", shown).replace(source.decimal, ".")
        decimals = f" ({shown.replace(sign, '.')} if they are decimals)" if doubtful[i] else ""
        return f"write {plain}{option}{decimals}"

    return rows.find(grouped, column, problem, remedy)


def _plain(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells without dictionary, empty texts as nulls."""
    if pa.types.is_dictionary(cells.type):
        cells = pc.cast(cells, cells.type.value_type)
    if pa.types.is_null(cells.type) or pa.types.is_string_view(cells.type):
        cells = pc.cast(cells, pa.string())
    if _is_text(cells.type):
        empty = pc.equal(cells, "")
        if pc.any(empty).as_py():
            cells = pc.if_else(empty, None, cells)
    return cells


def _encoded(cells: pa.ChunkedArray) -> pa.DictionaryArray:
    """The cells as one dictionary array."""
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    return _one_array(cells.unify_dictionaries())


def _one_array(cells: pa.ChunkedArray) -> pa.Array:
    """The chunks as one array."""
    joined = cells.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)


def _is_text(held: pa.DataType) -> bool:
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_kind(held) for is_kind in texts)


def _floats(cells: pa.ChunkedArray) -> Floats:
    """(n,) float64 of our own, NaN where null."""
    values: Floats = cells.to_numpy()
    return values if values.flags.writeable else values.copy()


def _mask(cells: pa.ChunkedArray) -> Booleans:
    """(n,) booleans, False where null."""
    mask: Booleans = pc.fill_null(cells, False).to_numpy()
    return mask
