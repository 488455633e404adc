"""Alterations of runs whose limits need not hold."""

from __future__ import annotations

from tests.forgery.alterations import CERTIFICATE, SUMMARY, agreed, dropping, moving, of, setting

REPORTED = of(
    "reported",
    a_price_of_a_limit_only_reported=agreed("prices.many", lambda price: -0.001),
    a_violation_of_one=setting(CERTIFICATE, "limits.2.violation", 0.1),
    what_one_is_missed_by=moving(CERTIFICATE, "limits.2.missed"),
    one_said_to_be_kept=setting(CERTIFICATE, "limits.2.missed", 0.0),
    one_said_to_be_missed=setting(CERTIFICATE, "limits.3.missed", 1e-12),
    one_said_to_be_enforced=dropping(CERTIFICATE, "limits.2.enforce"),
    one_enforced_otherwise=setting(CERTIFICATE, "limits.2.enforce", "hard"),
    an_enforced_one_said_to_be_reported=setting(CERTIFICATE, "limits.1.enforce", "report"),
    an_enforced_one_said_to_be_missed=setting(CERTIFICATE, "limits.1.missed", 0.0),
    what_one_uses=moving(CERTIFICATE, "limits.2.used"),
    what_one_is_missed_by_in_the_summary=moving(SUMMARY, "limits.2.missed"),
    one_said_to_be_enforced_in_the_summary=dropping(SUMMARY, "limits.2.enforce"),
    one_said_to_bind=setting(SUMMARY, "limits.3.binding", True),
    one_said_to_be_broken=setting(SUMMARY, "limits.2.broken", True),
)

SOFT = of(
    "soft",
    a_price_above_the_penalty=agreed("prices.B line", lambda price: 0.005),
    a_price_of_the_other_sign=agreed("prices.many", lambda price: 0.001),
    a_smaller_penalty=moving(CERTIFICATE, "limits.2.penalty", lambda paid: paid * 0.999),
    a_penalty_of_one_that_is_enforced=setting(CERTIFICATE, "limits.1.penalty", 0.0),
    a_penalty_left_out=dropping(CERTIFICATE, "limits.3.penalty"),
    a_cheaper_limit=setting(CERTIFICATE, "limits.3.enforce", {"soft": 0.003}),
    one_said_to_be_reported=setting(CERTIFICATE, "limits.3.enforce", "report"),
    one_missed_by_less=moving(CERTIFICATE, "limits.2.missed", lambda missed: missed * 0.9),
    one_that_breaks=setting(CERTIFICATE, "limits.2.violation", 0.1),
    the_penalty_not_taken_off=lambda files: files.certificate(
        lambda told: told.update(value=told["value"] + told["limits"][2]["penalty"])
    ),
    penalties_in_the_summary=moving(SUMMARY, "limit_penalty"),
    penalties_left_out_of_the_summary=dropping(SUMMARY, "limit_penalty"),
    a_penalty_in_the_summary=moving(SUMMARY, "limits.2.penalty"),
    a_cheaper_scenario=lambda files: files.scenario("soft: 900", "soft: 800"),
)

LENIENT = [*REPORTED, *SOFT]
