"""Alterations of a run whose value is the least in several stresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.forgery.alterations import CERTIFICATE, SCENARIO, SUMMARY, Change, dropping, moving, of, setting
from tests.forgery.runs import Files


def weighing(change: Callable[[list[float]], Sequence[float]]) -> Change:
    """Other weights in the certificate and in the summary, and nothing that follows from them."""

    def changed(files: Files) -> None:
        names = [*files.json(CERTIFICATE)["weights"]]
        weights = [*map(float, change([*files.json(CERTIFICATE)["weights"].values()]))]
        own = dict(zip(names, weights, strict=True))
        files.edit(CERTIFICATE, lambda document: document.update(weights=own))
        files.edit(SUMMARY, lambda summary: [summary["worst_of"][n].update(weight=own[n]) for n in names])

    return changed


def worth(value: Callable[[Any], float]) -> Change:
    """Another value, of the summary's figures, with all that follows from it."""

    def changed(files: Files) -> None:
        stated = value(files.json(SUMMARY))
        files.certificate(lambda document: document.update(value=stated))

    return changed


def a_mean_instead(files: Files) -> None:
    """The mean at the weights that were found, said to be what was asked for."""
    weights = files.json(CERTIFICATE)["weights"]
    files.edit(CERTIFICATE, lambda document: document.pop("weights"))
    names = "worst_of: [base, opposite, mild, swapped]"
    told = ", ".join(f"{name}: {weight!r}" for name, weight in weights.items())
    files.scenario(names, f"mean_of: {{{told}}}")


WORST = of(
    "worst",
    other_weights=weighing(lambda weights: [0.25, 0.25, 0.25, 0.25]),
    all_weight_on_one=weighing(lambda weights: [1.0, 0.0, 0.0, 0.0]),
    weights_above_1=weighing(lambda weights: [1.5 * weight for weight in weights]),
    weights_that_round_to_1=weighing(lambda weights: [np.nextafter(weights[0], 2.0), *weights[1:]]),
    a_weight_below_0=weighing(lambda weights: [-0.5, 0.5, 0.5, 0.5]),
    no_weights=dropping(CERTIFICATE, "weights"),
    a_weight_less=dropping(CERTIFICATE, "weights.swapped"),
    a_weight_that_is_text=setting(CERTIFICATE, "weights.mild", "0"),
    weights_of_another=setting(CERTIFICATE, "weights.other", 0.0),
    the_mean_in_place_of_the_least=worth(lambda own: own["objective"] + own["above_worst"]),
    the_most_in_place_of_the_least=worth(lambda own: max(one["value"] for one in own["worst_of"].values())),
    a_value_in_one_of_them=moving(SUMMARY, "worst_of.mild.value"),
    a_weight_in_the_summary=setting(SUMMARY, "worst_of.mild.weight", 0.5),
    a_mean_further_above=moving(SUMMARY, "above_worst", lambda above: above + 1.0),
    nothing_said_of_each=dropping(SUMMARY, "worst_of"),
    nothing_said_of_the_mean=dropping(SUMMARY, "above_worst"),
    the_worst_of_fewer=lambda files: files.scenario("mild, swapped]", "mild]"),
    the_worst_of_another=setting(SCENARIO, "stress.worst_of.3", "other"),
    the_worst_in_another_order=lambda files: files.scenario("mild, swapped]", "swapped, mild]"),
    the_worst_of_what_is_not_there=setting(SCENARIO, "stress.worst_of.2", "milder"),
    no_worst=dropping(SCENARIO, "stress.worst_of"),
    a_mean_in_place_of_the_worst=a_mean_instead,
    a_milder_stress=lambda files: files.scenario("all: 1.3", "all: 1.25"),
)
"""The weights of the mean that bounds it, the value in each, and the scenario's own words."""
