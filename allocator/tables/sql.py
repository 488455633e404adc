"""Databases: the result of one query, through SQLAlchemy, as the database's own SQL.

Read, never written: one SELECT, over a connection for reading. No message shows a password.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from urllib.parse import quote_plus

import pyarrow as pa
import sqlalchemy
from sqlalchemy import exc
from sqlalchemy.engine import URL, Connection

from allocator.errors import InputError
from allocator.extras import require
from allocator.intake import once
from allocator.records.scenario import PortfolioSource
from allocator.tables.conversion import cell_text, to_array
from allocator.tables.database import connect, database_file, reading_only, stop_query, within_seconds
from allocator.tables.opened import FetchedColumns, OpenedSource, refuse
from allocator.tables.statement import why_not_reading

BATCH = 50_000
"""Rows turned into Arrow at once: Python objects are ten times as large."""


def open_sql(source: PortfolioSource) -> OpenedSource:
    """Run the query of `source`, once in one reading; its result is the table."""
    table = once(("query", source.url, source.query), lambda: _queried_table(source))
    return OpenedSource(tuple(table.column_names), partial(_fetch, table))


def _queried_table(source: PortfolioSource) -> pa.Table:
    url = _url(source)
    why = why_not_reading(source.query or "")
    if why is not None:
        raise refuse(source, *why)
    limit = source.query_limit
    with _connection(source, url) as connection:
        try:
            with reading_only(connection, limit):
                return within_seconds(
                    limit, lambda: _result(connection, source), lambda: stop_query(connection)
                )
        except TimeoutError:
            problem = f"the query was stopped after {limit:g} seconds"
            raise refuse(source, problem, "raise source.time_limit or mend the query") from None
        except exc.SQLAlchemyError as error:
            raise _database_error(source, url, error) from error


def _connection(source: PortfolioSource, url: URL) -> Connection:
    """A connection of its own to the database, for reading."""
    try:
        return connect(url)
    except exc.NoSuchModuleError as error:
        remedy = "name a database that SQLAlchemy knows, as postgresql"
        raise refuse(source, f"no driver for {url.drivername}", remedy) from error
    except ModuleNotFoundError as error:
        if error.name == "psycopg":
            require("postgresql")
        problem = f"the driver for {url.drivername} is not installed: no module {error.name}"
        raise refuse(source, problem, f"install {error.name}") from error
    except (exc.SQLAlchemyError, TypeError, ValueError) as error:
        # Drivers complain of unknown options by TypeError, of malformed ones by ValueError.
        raise _database_error(source, url, error) from error


def _url(source: PortfolioSource) -> URL:
    """The address, checked as far as it goes without connecting."""
    if not source.url or not source.query:
        raise refuse(source, "an address and a query are needed", "write source: {sql: address, query: text}")
    try:
        url = sqlalchemy.make_url(source.url)
    except (exc.ArgumentError, ValueError):
        # The reason is kept back: it may repeat the address, password included.
        raise refuse(
            source, "not a database address", "write sql: dialect://user:password@host/database"
        ) from None
    file = database_file(url)
    if file is not None and not file.is_file():
        raise refuse(source, f"no SQLite database {file}", "mend the address under sql")
    return url


def _result(connection: Connection, source: PortfolioSource) -> pa.Table:
    """The query's rows as Arrow columns."""
    result = connection.exec_driver_sql(
        source.query or "", execution_options={"stream_results": True, "no_parameters": True}
    )
    if not result.returns_rows:
        raise refuse(source, "the query returns no rows", "write a query that selects borrowers")
    names = list(result.keys())
    batches: list[list[pa.Array]] = [[] for _ in names]
    for rows in result.partitions(BATCH):
        for chunks, cells in zip(batches, zip(*rows, strict=True), strict=True):
            chunks.append(to_array(list(cells)))
    return pa.table([_joined(chunks) for chunks in batches], names=names)


def _joined(chunks: list[pa.Array]) -> pa.ChunkedArray:
    """The batches of one column, of one type: numbers where they can be, else text."""
    kinds = {chunk.type for chunk in chunks if not pa.types.is_null(chunk.type)}
    if len(kinds) <= 1:
        kind = next(iter(kinds), pa.string())
    elif all(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) for kind in kinds
    ):
        kind = pa.float64()
    else:
        words = [pa.array([cell_text(cell) for cell in chunk.to_pylist()], pa.string()) for chunk in chunks]
        return pa.chunked_array(words, pa.string())
    return pa.chunked_array([chunk.cast(kind, safe=False) for chunk in chunks], kind)


def _is_number(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(is_kind(kind) for is_kind in tests)


def _fetch(
    table: pa.Table, columns: Sequence[str], coded: Collection[str], typed: Collection[str]
) -> FetchedColumns:
    return FetchedColumns.whole(table.select(list(columns)))


def _database_error(source: PortfolioSource, url: URL, error: Exception) -> InputError:
    """The error of a database that refused, in its own words but for what the address keeps secret."""
    cause = getattr(error, "orig", None) or error
    message = str(cause.args[0]) if cause.args else type(cause).__name__
    reason = (message.splitlines() or [message])[0]
    options = [value for values in url.normalized_query.values() for value in values]
    for secret in [url.password, *options]:
        if secret:
            reason = reason.replace(str(secret), "***").replace(quote_plus(str(secret)), "***")
    problem = f"{url.drivername} refused: {reason.rstrip('.')}"
    return refuse(source, problem, "mend the address or the query")
