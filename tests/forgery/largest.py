"""Alterations of a run with limits on what the largest come to, and of their cuts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.forgery.alterations import CERTIFICATE, Change, moving, of
from tests.forgery.runs import decide, funded

Cut = dict[str, float]


def _cut(change: Callable[[Cut], Any]) -> Change:
    """A change of the shares of the first cut, with all that follows from the certificate."""
    return lambda files: files.certificate(lambda told: change(next(iter(told["cuts"].values()))) and None)


def _first(cut: Cut, share: float) -> None:
    cut[next(iter(cut))] = share


LARGEST = of(
    "largest",
    a_share_above_1=_cut(lambda cut: _first(cut, 1.0 + 1e-9)),
    a_share_below_0=_cut(lambda cut: _first(cut, -1e-9)),
    shares_of_more_than_n=_cut(lambda cut: cut.update(dict.fromkeys(list(cut), 1.0))),
    a_share_as_text=_cut(lambda cut: _first(cut, "1")),  # type: ignore[arg-type]
    a_cut_left_out=lambda files: files.certificate(lambda told: told.pop("cuts") and None),
    what_they_come_to=moving(CERTIFICATE, "limits.1.used"),
    a_bound_of_the_limit=moving(CERTIFICATE, "limits.1.bound"),
    what_the_cut_counts=moving(CERTIFICATE, "limits.2.used"),
    one_more_counted=lambda files: files.scenario("top: 3", "top: 4"),
    counted_by_another_column=lambda files: files.scenario("top: 3", "top: 3\n    by: sector"),
    a_loan_that_the_limit_does_not_allow=lambda files: decide(
        files, {name: own + 10.0 for name, own in list(funded(files).items())[:1]}
    ),
)
