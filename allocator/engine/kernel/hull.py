"""The upper hull of each menu's points (a r, a): the only rates that some prices make best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.records.offers import Menu
from allocator.records.portfolio import Floats, Integers


@dataclass(frozen=True)
class Hulls:
    """The vertices of all menus, one menu after the other; take-up ascends within a menu."""

    first: Integers
    """(menus + 1,) where each menu's vertices begin."""
    gross: Floats
    """a r at each vertex."""
    take: Floats
    """a at each vertex."""
    breaks: Floats
    """Worth of take-up, in gross interest, above which the next vertex is better; ascending, inf last."""


def hulls_of(menus: tuple[Menu, ...]) -> Hulls:
    """Hulls by Andrew's monotone chain (1979); of equal points the first stays."""
    first, gross, take, breaks = [0], [], [], []
    alone = np.array([np.inf])
    for menu in menus:
        if len(menu.rates) == 1:  # of contracts there may be as many as loans
            gross.append(menu.take_up * menu.rates)
            take.append(menu.take_up)
            breaks.append(alone)
            first.append(first[-1] + 1)
            continue
        points = _upper(menu.take_up, menu.take_up * menu.rates)
        gross.append(points[:, 1])
        take.append(points[:, 0])
        breaks.append(np.append(-np.diff(points[:, 1]) / np.diff(points[:, 0]), np.inf))
        first.append(first[-1] + len(points))
    none = [np.zeros(0)]
    return Hulls(
        np.array(first, dtype=np.int64),
        np.concatenate(gross or none),
        np.concatenate(take or none),
        np.concatenate(breaks or none),
    )


def _upper(across: Floats, up: Floats) -> Floats:
    """The vertices (across, up) of the hull seen from above, `across` ascending."""
    order = np.lexsort((-up, across))
    hull: list[tuple[float, float]] = []
    for x, y in zip(across[order].tolist(), up[order].tolist(), strict=True):
        if hull and x == hull[-1][0]:
            continue
        while len(hull) > 1 and _turns_left(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    return np.array(hull).reshape(-1, 2)


def _turns_left(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or below the line from a to c."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) >= 0.0
