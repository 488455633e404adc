"""What a firm's invoices say about it: one row per firm, from counts and sums alone.

Prefix `in_` is purchases, `out_` sales; amounts are net of tax in the invoices' currency. Sums run
over valid invoices, returns (negative amounts) included. An indicator is NaN where it is undefined:
a growth from nothing, the spread of a single month, anything of a firm without invoices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from allocator.records.portfolio import Floats, Integers
from allocator.scoring.invoices import Invoices, invoices_from_frames

DIRECTIONS = ("in", "out")


@dataclass(frozen=True)
class _Side:
    """One direction as arrays over its invoices, and its monthly sums over firms x months."""

    firm: Integers
    """(rows,) index of the firm."""
    valid: np.ndarray
    amount: Floats
    tax: Floats
    total: Floats
    party: Integers
    """(rows,) index of the counterparty."""
    month: Integers
    """(rows,) months since the first month of the book."""
    day: np.ndarray
    """(rows,) datetime64[D]."""
    monthly: Floats
    """(firms, months) valid amount."""
    counts: Floats
    """(firms, months) number of valid invoices."""


def firm_indicators(invoices: Invoices, firms: Sequence[str] | None = None) -> pd.DataFrame:
    """Indicators of every firm, indexed by enterprise_id in the order of `firms`.

    `firms` may name firms without an invoice (their counts are 0, the rest NaN) and leave out others;
    None: every firm that has an invoice, in order of first appearance, purchases first.
    """
    frames = (invoices.purchases, invoices.sales)
    if firms is None:
        named = [frame["enterprise_id"].unique() for frame in frames]
        firms = list(dict.fromkeys([str(firm) for side in named for firm in side]))
    index = pd.Index(np.array(firms, dtype=object), name="enterprise_id")
    origin = min(_months(frame["date"]).min() for frame in frames)
    months = max(_months(frame["date"]).max() for frame in frames) - origin + 1
    sides = [_side(frame, index, int(origin), int(months)) for frame in frames]
    years = invoices.whole_years
    columns: dict[str, object] = {}
    for name, side in zip(DIRECTIONS, sides, strict=True):
        columns |= {
            f"{name}_{key}": value for key, value in _one_side(side, len(index), years, origin).items()
        }
    columns |= _both_sides(sides, len(index), years, int(origin))
    return pd.DataFrame(columns, index=index)


def never_known(names: Sequence[str]) -> list[str]:
    """Those of `names` that no invoices give a number; of which years there are some, the invoices tell."""
    return [name for name in names if _YEAR.sub("", name) not in _every_name()]


_YEAR = re.compile(r"(?<=_)[12]\d{3}$")


@cache
def _every_name() -> frozenset[str]:
    """Names of the indicators without years, from the invoices of a firm over two years."""
    dates = pd.date_range("2000-01-01", "2001-12-01", freq="MS")
    frame = pd.DataFrame({"date": dates, "enterprise_id": "a", "counterparty_id": "b", "valid": True})
    frame = frame.assign(amount=1.0, tax=0.0, total=1.0)
    names = firm_indicators(invoices_from_frames(frame, frame)).select_dtypes("number").columns
    return frozenset(_YEAR.sub("", name) for name in names)


def _months(dates: pd.Series) -> Integers:
    """Months since 1970-01."""
    return dates.to_numpy().astype("datetime64[M]").astype(np.int64)


def _side(frame: pd.DataFrame, firms: pd.Index, origin: int, months: int) -> _Side:
    codes = frame["enterprise_id"].cat
    place = firms.get_indexer(pd.Index([str(value) for value in codes.categories], dtype=object))
    firm = place[codes.codes.to_numpy()].astype(np.int64)
    keep = firm >= 0
    rows = frame if keep.all() else frame[keep]
    firm = firm if keep.all() else firm[keep]
    valid = rows["valid"].to_numpy()
    amount = rows["amount"].to_numpy()
    month = _months(rows["date"]) - origin
    cell = (firm * months + month)[valid]
    shape = (len(firms), months)
    return _Side(
        firm=firm,
        valid=valid,
        amount=amount,
        tax=rows["tax"].to_numpy(),
        total=rows["total"].to_numpy(),
        party=rows["counterparty_id"].cat.codes.to_numpy().astype(np.int64),
        month=month,
        day=rows["date"].to_numpy().astype("datetime64[D]"),
        monthly=_sums(cell, amount[valid], shape[0] * months).reshape(shape),
        counts=np.bincount(cell, minlength=shape[0] * months).reshape(shape).astype(float),
    )


def _one_side(side: _Side, firms: int, years: Sequence[int], origin: int) -> dict[str, object]:
    valid, void = side.valid, ~side.valid
    negative = valid & (side.amount < 0)
    size = np.abs(side.amount)

    def count(rows: np.ndarray) -> Floats:
        return np.bincount(side.firm[rows], minlength=firms).astype(float)

    def total(values: Floats, rows: np.ndarray) -> Floats:
        return _sums(side.firm[rows], values[rows], firms)

    n_total, n_valid, n_void = count(np.ones_like(valid)), count(valid), count(void)
    active = side.counts > 0
    n_active = active.sum(axis=1).astype(float)
    mean, spread = _mean_and_spread(side.monthly, active)
    count_mean, count_spread = _mean_and_spread(side.counts, active)
    return {
        "n_total": n_total.astype(np.int64),
        "n_valid": n_valid.astype(np.int64),
        "n_void": n_void.astype(np.int64),
        "n_negative": count(negative).astype(np.int64),
        "void_ratio": _ratio(n_void, n_total),
        "negative_ratio": _ratio(count(negative), n_valid),
        "void_amount_share": _ratio(total(size, void), total(size, np.ones_like(valid))),
        "void_net_share": _ratio(total(side.amount, void), total(side.amount, np.ones_like(valid))),
        "amount": total(side.amount, valid),
        "tax": total(side.tax, valid),
        "total": total(side.total, valid),
        "negative_amount": total(side.amount, negative),
        **{f"amount_{year}": _year(side.monthly, year, origin) for year in years},
        "active_months": n_active.astype(np.int64),
        "monthly_mean": mean,
        "monthly_std": spread,
        "monthly_cv": _ratio(spread, np.abs(mean)),
        "count_cv": _ratio(count_spread, count_mean),
        **_span(side, firms),
        **_counterparties(side, firms),
    }


def _both_sides(sides: Sequence[_Side], firms: int, years: Sequence[int], origin: int) -> dict[str, object]:
    """Indicators that need purchases and sales: profit, balance, void share over both."""
    bought, sold = sides

    def over_both(values: Sequence[Floats], rows: Sequence[np.ndarray]) -> Floats:
        parts = zip(sides, values, rows, strict=True)
        return sum((_sums(s.firm[r], v[r], firms) for s, v, r in parts), np.zeros(firms))

    void = [~side.valid for side in sides]
    everything = [np.ones_like(side.valid) for side in sides]
    sizes = [np.abs(side.amount) for side in sides]
    ones = [np.ones_like(side.amount) for side in sides]
    purchases, sales = (side.monthly.sum(axis=1) for side in sides)
    flows = [_sums(s.firm[s.valid], s.total[s.valid], firms) for s in sides]
    turnover = _by_year(sold.monthly, years, origin)
    profits = turnover - _by_year(bought.monthly, years, origin)
    return {
        "void_share": _ratio(over_both(sizes, void), over_both(sizes, everything)),
        "void_share_count": _ratio(over_both(ones, void), over_both(ones, everything)),
        "gross_margin": _ratio(sales - purchases, sales),
        "net_flow": flows[1] - flows[0],
        "balance": _ratio(sales - purchases, np.abs(sales) + np.abs(purchases)),
        **{f"profit_{year}": profits[:, i] for i, year in enumerate(years)},
        "profit_mean": _ratio(profits.sum(axis=1), np.full(firms, float(len(years)))),
        "profit_stability": _stability(profits),
        "loss_years": (profits < 0).sum(axis=1).astype(np.int64),
        **{
            f"sales_growth_{year}": _growth(turnover[:, i - 1], turnover[:, i])
            for i, year in enumerate(years)
            if i > 0 and years[i - 1] == year - 1
        },
        "sales_trend": _trend(sold, years, origin),
    }


def _sums(firm: Integers, values: Floats, firms: int) -> Floats:
    """(firms,) sum of the values of each firm: the same bits, in whatever order the rows stand.

    Values are split on a grid so coarse that sums of its multiples are exact, what is left on a finer
    one (as in Demmel and Nguyen 2013, with two folds).
    """
    total: Floats = np.zeros(firms)
    rest = values
    for _ in range(2):
        largest = float(np.abs(rest).max(initial=0.0))
        if largest == 0:
            break
        grid = 2.0 ** (np.frexp(largest)[1] + np.frexp(len(rest))[1] - 52)
        part = np.rint(rest / grid) * grid
        total += np.bincount(firm, part, minlength=firms)
        rest = rest - part
    return total


def _ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, NaN where whole is 0."""
    out: Floats = np.full(len(whole), np.nan)
    return np.divide(part, whole, out=out, where=whole != 0)


def _mean_and_spread(values: Floats, active: np.ndarray) -> tuple[Floats, Floats]:
    """Mean and standard deviation (n - 1) over the active months of each firm, shape (firms,) each."""
    n = active.sum(axis=1).astype(float)
    mean = _ratio(np.where(active, values, 0.0).sum(axis=1), n)
    squares = np.where(active, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return mean, np.sqrt(np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=n > 1))


def _year(monthly: Floats, year: int, origin: int) -> Floats:
    first = (year - 1970) * 12 - origin
    return np.asarray(monthly[:, max(first, 0) : max(first + 12, 0)].sum(axis=1))


def _by_year(monthly: Floats, years: Sequence[int], origin: int) -> Floats:
    """(firms, years) sums of whole years."""
    out = np.empty((len(monthly), len(years)))
    for i, year in enumerate(years):
        out[:, i] = _year(monthly, year, origin)
    return out


def _growth(before: Floats, after: Floats) -> Floats:
    """Growth on the year before, NaN unless there was a turnover to grow from."""
    return np.where(before > 0, _ratio(after - before, before), np.nan)


def _stability(profits: Floats) -> Floats:
    """Mean over (|mean| + standard deviation) of the yearly profits, in [-1, 1]; 1 is a steady gain."""
    if profits.shape[1] < 2:
        return np.full(len(profits), np.nan)
    mean, spread = profits.mean(axis=1), profits.std(axis=1, ddof=1)
    return _ratio(mean, np.abs(mean) + spread)


def _trend(sold: _Side, years: Sequence[int], origin: int) -> Floats:
    """(m1 - m0) / (|m1| + |m0|), m the mean sales a month of the last two whole years, in [-1, 1].

    The months before a firm's first sale do not count, so that a firm founded in June is not
    seen to grow only because its first year is short.
    """
    if len(years) < 2:
        return np.full(len(sold.monthly), np.nan)
    started = np.cumsum(sold.counts, axis=1) > 0
    means = []
    for year in years[-2:]:
        covered = _year(started.astype(float), year, origin)
        means.append(_ratio(_year(sold.monthly, year, origin), covered))
    return _ratio(means[1] - means[0], np.abs(means[1]) + np.abs(means[0]))


def _span(side: _Side, firms: int) -> dict[str, object]:
    """First and last day with a valid invoice."""
    firm, day = side.firm[side.valid], side.day[side.valid].astype(np.int64)
    first = np.full(firms, np.iinfo(np.int64).max)
    last = np.full(firms, np.iinfo(np.int64).min)
    np.minimum.at(first, firm, day)
    np.maximum.at(last, firm, day)
    none = np.bincount(firm, minlength=firms) == 0
    days = {"first": first, "last": last}
    return {name: pd.to_datetime(_dated(values, none)) for name, values in days.items()}


def _dated(days: Integers, none: np.ndarray) -> np.ndarray:
    dates = np.where(none, 0, days).astype("datetime64[D]")
    dates[none] = np.datetime64("NaT")
    return dates.astype("datetime64[s]")


def _counterparties(side: _Side, firms: int) -> dict[str, object]:
    """Number of counterparties and the concentration of the amount on them.

    Shares are of the net valid amount of each counterparty, one that returned more than it took
    counting 0; NaN where nothing is left to share.
    """
    width = int(side.party.max(initial=0)) + 1
    pair, pairs = pd.factorize((side.firm * width + side.party)[side.valid])
    net = np.maximum(_sums(pair, side.amount[side.valid], len(pairs)), 0.0)
    owner = pairs // width
    whole = _sums(owner, net, firms)
    share = np.divide(net, whole[owner], out=np.zeros_like(net), where=whole[owner] > 0)
    top = np.zeros(firms)
    np.maximum.at(top, owner, share)
    defined = whole > 0
    return {
        "n_counterparties": np.bincount(owner, minlength=firms),
        "counterparty_hhi": np.where(defined, _sums(owner, share**2, firms), np.nan),
        "top1_share": np.where(defined, top, np.nan),
    }
