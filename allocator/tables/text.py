"""Delimited text as bytes in UTF-8: unpacked, recoded, from its header on."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from allocator.errors import InputError
from allocator.records.scenario import PortfolioSource
from allocator.tables.opened import content, existing_file, refuse

_CHUNK = 1 << 20
"""Bytes looked at once."""
_GZIP = b"\x1f\x8b"
SMALL, FOLD = 64 << 20, 100
"""An archive that unpacks to more than `SMALL` bytes and `FOLD` times its size holds no table."""
_OTHER_FORMATS = {
    b"PK\x03\x04": ("an Excel workbook or a zip archive", "name a workbook .xlsx, unpack an archive"),
    b"PAR1": ("a Parquet file", "name it .parquet"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save it as .xlsx or as CSV in UTF-8"),
}
_HTML = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)", re.IGNORECASE)
_BEGINNING = 200
"""Bytes in which a page says what it is."""
WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATOR_LINE = re.compile(rb'"?sep=([^"\r\n])"?(\r\n|\n|\r|$)', re.IGNORECASE)
_GAPS = tuple(int.from_bytes(ends, "little") for ends in (b"\n\n", b"\n\r", b"\r\r"))
"""Two line ends, one behind the other, as numbers."""
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class DelimitedText:
    """Text from its header on."""

    content: Any
    """Arrow buffer of UTF-8, without line ends at its end."""
    line: int
    """The line of the file that the content begins with, from 1."""
    gaps: bool
    """Whether it may have blank lines."""


def delimited_text(source: PortfolioSource) -> DelimitedText:
    """The text of a source, checked as a whole. Raises InputError for another format or encoding."""
    held = gunzipped(content(source, existing_file(source)), source)
    start = bytes(held[:4])
    for magic, (what, remedy) in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise refuse(source, f"this is {what}, not delimited text", remedy)
    if _HTML.match(bytes(held[:_BEGINNING])):
        raise refuse(source, "a web page, not delimited text", "save the table itself as CSV in UTF-8")
    if _is_utf8(source):
        for mark, name in WIDE.items():
            if start.startswith(mark):
                remedy = "save it in UTF-8"
                remedy += "" if source.bare else f", or write encoding: {name} beside csv"
                raise refuse(source, "this is text in UTF-16, not in UTF-8", remedy)
    else:
        held = _recoded(held, source)
    gaps = _checked_for_gaps(held, source)
    return _from_header(held, gaps, source)


def _is_utf8(source: PortfolioSource) -> bool:
    return source.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")


def _chunks(held: Any) -> Iterator[bytes]:
    for start in range(0, held.size, _CHUNK):
        yield bytes(held[start : start + _CHUNK])


def gunzipped(held: Any, source: PortfolioSource) -> Any:
    """The bytes (Arrow buffer) out of their gzip archive, if they are in one."""
    if bytes(held[:2]) != _GZIP:
        return held
    out, unpack, rest = pa.BufferOutputStream(), zlib.decompressobj(wbits=31), b""
    limit = max(SMALL, FOLD * held.size)
    try:
        for packed in _chunks(held):
            rest = packed
            while rest:
                if unpack.eof:  # archives may stand one behind the other; zeros may fill up the last
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    unpack = zlib.decompressobj(wbits=31)
                out.write(unpack.decompress(rest, _CHUNK))
                rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
                if out.tell() > limit:
                    problem = f"unpacks to more than {limit >> 20} MB: no table packs {FOLD} times"
                    raise refuse(source, problem, "give the table itself")
    except zlib.error as error:
        raise refuse(source, "a damaged gzip archive", "pack it again") from error
    if not unpack.eof:
        raise refuse(source, "a gzip archive cut short", "copy or pack it again")
    return out.getvalue()


def _recoded(held: Any, source: PortfolioSource) -> Any:
    """The text in UTF-8, from the encoding that the source names."""
    out, decoder = pa.BufferOutputStream(), codecs.getincrementaldecoder(source.encoding)()
    line = 1
    for chunk in _chunks(held):
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            raise _not_encoded(source, line) from None
        line += text.count("\n")
        out.write(text.encode("utf-8", "replace"))
    try:
        out.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
    except UnicodeDecodeError:
        raise _not_encoded(source, line) from None
    return out.getvalue()


def _not_encoded(source: PortfolioSource, line: int) -> InputError:
    remedy = "save the file in UTF-8, or name its encoding"
    return refuse(source, f"not {source.encoding}", remedy, line)


def _checked_for_gaps(held: Any, source: PortfolioSource) -> bool:
    """Refuse what is no UTF-8 and no text, wherever it shows; whether there may be blank lines."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    place, gaps, before = 0, False, b""
    for chunk in _chunks(held):
        if b"\0" in chunk:
            raise refuse(source, "a binary file, not delimited text", "name a CSV file in UTF-8")
        try:
            if decoder.getstate()[0] or not chunk.isascii():
                decoder.decode(chunk)
        except UnicodeDecodeError as error:
            # The decoder may hold back the start of a character from the chunk before: same line.
            line = _line_at(held, place) + error.object[: error.start].count(b"\n")
            raise _not_utf8(source, line, held) from None
        gaps = gaps or _has_gap(before + chunk[:1]) or _has_gap(chunk)
        before, place = chunk[-1:], place + len(chunk)
    if decoder.getstate()[0]:
        raise refuse(source, "cut short inside a character", "save the file in UTF-8", _line_at(held, place))
    return gaps


def _line_at(held: Any, place: int) -> int:
    """The line, from 1, of the byte at `place`."""
    return 1 + sum(chunk.count(b"\n") for chunk in _chunks(held.slice(0, place)))


def _has_gap(chunk: bytes) -> bool:
    """Whether a line end stands behind a line end; both bytes are compared as one number."""
    even = np.frombuffer(chunk, "<u2", count=len(chunk) // 2)
    odd = np.frombuffer(chunk[1:], "<u2", count=(len(chunk) - 1) // 2)
    ends = _GAPS if b"\r" in chunk else _GAPS[:1]
    return any(bool(np.any(pairs == end)) for end in ends for pairs in (even, odd))


def _not_utf8(source: PortfolioSource, line: int, held: Any) -> InputError:
    """The error of another encoding; which one is only told where it shows."""
    try:
        text = bytes(held[:_CHUNK]).rsplit(b"\n", 1)[0].decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    name = "gbk" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "latin-1"
    remedy = "save the file in UTF-8"
    remedy += "" if source.bare else f", or name its encoding, as encoding: {name} beside csv"
    return refuse(source, "not UTF-8", remedy, line)


def separator_remedy(source: PortfolioSource) -> str:
    """What to do with a file whose columns another sign separates."""
    return f'save it with "{source.separator}" between columns'


def _from_header(held: Any, gaps: bool, source: PortfolioSource) -> DelimitedText:
    """The text without byte order mark, the lines to skip, and the line that only names the separator."""
    place = 3 if bytes(held[:3]) == codecs.BOM_UTF8 else 0
    line = 1
    for _ in range(source.skip):
        match = _LINE_END.search(held, place)
        if match is None:
            raise refuse(source, f"no line after the {source.skip} that are skipped", "mend skip")
        place, line = match.end(), line + 1
    match = _SEPARATOR_LINE.match(held, place)
    if match:
        mark = match[1].decode("utf-8", "replace")
        if mark != source.separator:
            shown = "\\t" if mark == "\t" else mark
            problem = f'the line says that "{shown}" separates columns, not "{source.separator}"'
            remedy = separator_remedy(source) if source.bare else f'write sep: "{shown}" beside csv'
            raise refuse(source, problem, remedy, line)
        place, line = match.end(), line + 1
    end = held.size
    while end > place and bytes(held[end - 1 : end]) in (b"\n", b"\r"):
        end -= 1
    return DelimitedText(held.slice(place, end - place), line, gaps)
