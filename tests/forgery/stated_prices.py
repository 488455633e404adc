"""Shadow prices and bounds of proofs that were forged, in runs of every kind that a proof stands beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.forgery.alterations import CERTIFICATE, Alteration, Change, dropping, moving, setting
from tests.forgery.runs import up

PROVED = (
    "steps",
    "changed",
    "groups",
    "soft",
    "sectors",
    "stressed",
    "conditional",
    "lists",
    "segments",
    "grid",
)
"""Runs with a proof tree, price lists, cuts, a former run, stresses, conditions and rates in steps."""


def _priced(change: Callable[[float], float], *, free: bool) -> Change:
    """The last price that is 0 (`free`), or the first that is not, with what is said of it everywhere."""

    def forge(document: Any) -> None:
        prices = document["prices"]
        senses = {use["name"]: use["sense"] for use in document["limits"] if "enforce" not in use}
        unlike = [one for one in senses if (prices[one] == 0) is free] or [*senses]
        name = unlike[-1 if free else 0]
        new = change(prices[name])
        prices[name] = -abs(new) if senses[name] == "at_least" else new

    return lambda files: files.certificate(forge)


def _proof(change: Callable[[Any], Any]) -> Change:
    """A change of the certificate and of its proof, a tree or one over lists."""
    return lambda files: files.certificate(
        lambda document: change(document, document.get("lists", document.get("tree"))) and None
    )


def _leaf(document: Any, proof: Any) -> Any:
    """The first node that states a bound."""
    return next(node for node in proof["nodes"] if "bound" in node)


FORGED: dict[str, Change] = {
    "a price up": _priced(up, free=False),
    "a price of 0": _priced(lambda price: 0.0, free=False),
    "a price of 1e300": _priced(lambda price: 1e300, free=False),
    "a price of 1.7e308": _priced(lambda price: 1.7e308, free=False),
    "a price for what had none": _priced(lambda price: 0.01, free=True),
    "a price of 1e300 for what had none": _priced(lambda price: 1e300, free=True),
    "a price of 1.7e308 for what had none": _priced(lambda price: 1.7e308, free=True),
    "a price bound up": moving(CERTIFICATE, "price_bound"),
    "a price bound a little down": moving(CERTIFICATE, "price_bound", lambda bound: bound * (1 - 1e-12)),
    "a price bound of 1e300": setting(CERTIFICATE, "price_bound", 1e300),
    "a price bound that is null": setting(CERTIFICATE, "price_bound", None),
    "no price bound": dropping(CERTIFICATE, "price_bound"),
    "a proof of 1e300": _proof(lambda document, proof: proof.update(bound=1e300)),
    "a proof of 1e300 and its bound": _proof(
        lambda document, proof: (proof.update(bound=1e300), document.update(bound=1e300))
    ),
    "a proof a millionth weaker and its bound": _proof(
        lambda document, proof: (
            proof.update(bound=up(proof["bound"])),
            document.update(bound=min(proof["bound"], document["price_bound"])),
        )
    ),
}

STATED_PRICES = [Alteration(base, name, change) for base in PROVED for name, change in FORGED.items()]
STATED_PRICES += [
    Alteration("shares", "a price bound beside no proof", setting(CERTIFICATE, "price_bound", 204508.5)),
    *(
        Alteration(
            base, "prices that prove no leaf", _proof(lambda document, proof: proof["prices"].append({}))
        )
        for base in ("lists", "segments", "grid")
    ),
]
