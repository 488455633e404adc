"""Alterations and forgeries: a run that was altered so does not hold, whoever reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.forgery.runs import Files, at, decide, funded, next_up, put, up

Change = Callable[[Files], None]


@dataclass(frozen=True)
class Alteration:
    """What is done to one of the runs."""

    base: str
    name: str
    change: Change

    @property
    def label(self) -> str:
        return f"{self.base}: {self.name}"


def of(base: str, **changes: Change) -> list[Alteration]:
    return [Alteration(base, name.replace("_", " "), change) for name, change in changes.items()]


def setting(file: str, path: str, value: Any) -> Change:
    """A value in a JSON file, and nothing else."""
    return lambda files: files.edit(file, lambda document: put(document, path, value))


def moving(file: str, path: str, change: Callable[[float], float] = up) -> Change:
    return lambda files: files.edit(file, lambda document: put(document, path, change(at(document, path))))


def dropping(file: str, path: str) -> Change:
    above, _, last = path.rpartition(".")
    return lambda files: files.edit(file, lambda d: (at(d, above) if above else d).pop(last))


def agreed(path: str, change: Callable[[float], float]) -> Change:
    """A number of the certificate with all that follows from it."""
    return lambda files: files.certificate(lambda d: put(d, path, change(at(d, path))))


def text(file: str, before: str, after: str, times: int = 1) -> Change:
    return lambda files: files.replace(file, before, after, times)


def whole(file: str, change: Callable[[str], str]) -> Change:
    return lambda files: files.write(file, change(files.text(file)))


def row(change: Callable[[list[list[str]]], None]) -> Change:
    return lambda files: files.rows(change)


def cell(number: int, column: str, value: str | Callable[[str], str]) -> Change:
    """A cell of the allocation, the header being row 0."""

    def change(rows: list[list[str]]) -> None:
        place = rows[0].index(column)
        rows[number][place] = value if isinstance(value, str) else value(rows[number][place])

    return row(change)


def swapped(one: int, other: int) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        rows[one], rows[other] = rows[other], rows[one]

    return change


CERTIFICATE, SUMMARY, SCENARIO, ALLOCATION = (
    *("certificate.json", "summary.json", "scenario.json", "allocation.csv"),
)

FIGURES = [
    *of(
        "rich",
        bound_up=moving(CERTIFICATE, "bound"),
        bound_down=moving(CERTIFICATE, "bound", lambda b: b * (1 - 1e-6)),
        value_up=moving(CERTIFICATE, "value"),
        gap=moving(CERTIFICATE, "gap", lambda gap: gap + 1e-6),
        a_gap_below_0=moving(CERTIFICATE, "gap", lambda gap: -gap - 1e-11),
        a_gap_of_minus_0=setting(CERTIFICATE, "gap", -0.0),
        a_gap_of_minus_0_as_a_whole_number=lambda files: files.write(
            CERTIFICATE, files.text(CERTIFICATE).replace('"gap": ', '"gap": -0, "was": ')
        ),
        a_summary_gap_of_minus_0=setting(SUMMARY, "certified_gap", -0.0),
        largest_violation=setting(CERTIFICATE, "largest_violation", 0.5),
        a_violation=setting(CERTIFICATE, "limits.1.violation", 1e-3),
        a_use=moving(CERTIFICATE, "limits.1.used"),
        a_bound_of_a_limit=moving(CERTIFICATE, "limits.2.bound"),
        a_price=moving(CERTIFICATE, "prices.budget"),
        a_price_in_the_list_alone=moving(CERTIFICATE, "limits.0.price"),
        a_sense=setting(CERTIFICATE, "limits.0.sense", "at_least"),
        a_measure=setting(CERTIFICATE, "limits.0.measure", "offered"),
        a_name_of_a_limit=setting(CERTIFICATE, "limits.1.name", "a line"),
        limits_in_another_order=lambda files: files.edit(CERTIFICATE, lambda d: d["limits"].reverse()),
        a_limit_left_out=lambda files: files.edit(CERTIFICATE, lambda d: d["limits"].pop()),
        a_limit_twice=lambda files: files.edit(CERTIFICATE, lambda d: d["limits"].append(d["limits"][-1])),
        a_price_left_out=dropping(CERTIFICATE, "prices.budget"),
        a_price_of_no_limit=setting(CERTIFICATE, "prices.nothing", 0.0),
        a_price_of_the_wrong_sign=agreed("prices.A line", lambda price: -0.001),
        the_objective=moving(SUMMARY, "objective"),
        the_sum_offered=moving(SUMMARY, "offered"),
        a_cost=moving(SUMMARY, "expected_loss"),
        the_income_of_idle_budget=moving(SUMMARY, "idle_income"),
        the_refusal_constant=moving(SUMMARY, "refusal_constant"),
        the_number_of_borrowers=moving(SUMMARY, "borrowers", lambda n: n + 1),
        the_number_funded=moving(SUMMARY, "funded", lambda n: n - 1),
        a_grade=moving(SUMMARY, "by_grade.A.drawn"),
        a_mean_rate=moving(SUMMARY, "by_grade.B.mean_rate"),
        a_grade_that_nobody_has=setting(SUMMARY, "by_grade.Z", {"funded": 0}),
        a_slack=moving(SUMMARY, "limits.0.slack", lambda slack: slack + 1.0),
        what_binds=moving(SUMMARY, "limits.0.binding", lambda binding: not binding),
        what_is_broken=setting(SUMMARY, "limits.0.broken", True),
        a_limit_said_to_be_broken=setting(SUMMARY, "limits_broken", ["book"]),
        a_term_said_to_be_broken=setting(SUMMARY, "terms_broken", {"pinned offer not made": 1}),
        a_bound_below_the_value=moving(SUMMARY, "bound", lambda bound: bound * 0.9),
        a_bound_above_the_certified=moving(SUMMARY, "bound", lambda bound: bound * 1.1),
    ),
    *of(
        "rich",
        the_status=setting(SUMMARY, "status", "feasible"),
        a_status_that_is_none=setting(SUMMARY, "status", "proved"),
        a_proof_that_is_none=setting(SUMMARY, "proof", "faith"),
        a_stop_that_is_none=setting(SUMMARY, "stop", "boredom"),
        **{f"no_{key}": dropping(SUMMARY, key) for key in ("schema", "notes", "seconds", "versions")},
        **{
            f"{where.replace('.', ' ')} {name}": setting(SUMMARY, where, value)
            for where, wrong in {
                "seconds.total": {"of minus 1": -1.0, "of minus 0": -0.0, "that are text": "1", "true": True},
                "peak_memory_mb": {"below 0": -1},
                "versions.numpy": {"that is a number": 2, "that is none": None, "that is a list": ["2"]},
                "notes": {"that are numbers": [1], "that are empty": [None]},
            }.items()
            for name, value in wrong.items()
        },
        seconds_that_are_no_number=text(SUMMARY, '"total": ', '"total": NaN, "was": '),
        seconds_that_never_end=text(SUMMARY, '"total": ', '"total": 1e999, "was": '),
        solved_at_no_time=setting(SUMMARY, "solved_at", 7),
        no_peak_of_memory=dropping(SUMMARY, "peak_memory_mb"),
        a_peak_of_memory_that_is_none=setting(SUMMARY, "peak_memory_mb", "much"),
        a_schema_with_a_point=setting(SUMMARY, "schema", 1.0),
        a_certificate_of_a_schema_with_a_point=setting(CERTIFICATE, "schema", 1.0),
        a_price_a_digit_off_in_the_summary=moving(SUMMARY, "limits.0.price", lambda price: price + 1e-13),
        a_gap_that_only_the_certificate_has=moving(CERTIFICATE, "gap", lambda gap: gap + 1e-13),
        a_method_that_is_none=setting(SUMMARY, "method", "magic"),
        the_strategy=setting(SUMMARY, "strategy", "greedy"),
        the_currency=setting(SUMMARY, "currency", "EUR"),
        the_name=setting(SUMMARY, "name", "poor"),
        the_digest=setting(SUMMARY, "digest", "0" * 64),
        no_digest=dropping(SUMMARY, "digest"),
        no_status=dropping(SUMMARY, "status"),
        the_schema=setting(SUMMARY, "schema", 2),
        an_unknown_key=setting(SUMMARY, "profit", 1.0),
        a_number_as_text=setting(SUMMARY, "funded", "9"),
        a_number_as_truth=setting(SUMMARY, "borrowers", True),
    ),
    *of("steps", the_word_prices_for_a_tree=setting(SUMMARY, "proof", "prices")),
    *of(
        "followed",
        a_broken_run_said_to_be_optimal=setting(SUMMARY, "status", "optimal"),
        broken_limits_not_named=setting(SUMMARY, "limits_broken", []),
        broken_terms_not_named=setting(SUMMARY, "terms_broken", {}),
        a_broken_term_counted_once_less=lambda files: files.edit(
            SUMMARY, lambda d: d["terms_broken"].update({k: v + 1 for k, v in d["terms_broken"].items()})
        ),
        a_violation_hidden=lambda files: files.edit(
            CERTIFICATE, lambda d: [one.update(violation=0.0) for one in d["limits"]]
        ),
        a_reason_of_the_optimum=text(ALLOCATION, "not in book.csv", "crowded out by the budget"),
    ),
]
"""Figures and words of the certificate and the summary."""


JSON_TEXT = [
    *of(
        "rich",
        a_key_twice=text(CERTIFICATE, '"bound"', '"bound": 1e9, "bound"'),
        a_price_twice=text(CERTIFICATE, '"budget"', '"budget": 0.5, "budget"'),
        a_summary_key_twice=text(SUMMARY, '"status"', '"status": "feasible", "status"'),
        a_scenario_key_twice=text(SCENARIO, '"amount"', '"amount": 1, "amount"'),
        not_a_number=lambda files: files.write(
            CERTIFICATE, files.text(CERTIFICATE).replace('"gap": ', '"gap": NaN, "was": ')
        ),
        an_infinite_bound=setting(CERTIFICATE, "bound", float("inf")),
        a_number_beyond_a_double=text(CERTIFICATE, '"schema": 1', '"schema": 1, "x": 1e400'),
        a_whole_number_beyond_a_double=setting(CERTIFICATE, "bound", 10**400),
        a_whole_number_of_5000_digits=text(SUMMARY, '"schema": 1', '"schema": ' + "1" * 5000),
        true_for_1=setting(CERTIFICATE, "schema", True),
        true_for_a_price=setting(CERTIFICATE, "prices.book", False),
        text_for_a_price=setting(CERTIFICATE, "prices.budget", "0.1"),
        null_for_a_bound=setting(CERTIFICATE, "bound", None),
        a_list_for_prices=setting(CERTIFICATE, "prices", []),
        an_unknown_key_of_the_certificate=setting(CERTIFICATE, "note", "trust me"),
        an_unknown_key_of_a_limit=setting(CERTIFICATE, "limits.0.note", "x"),
        an_unknown_key_of_the_scenario=setting(SCENARIO, "policy.budgets", 1),
        a_byte_order_mark=whole(CERTIFICATE, lambda s: "\ufeff" + s),
        a_byte_order_mark_in_the_summary=whole(SUMMARY, lambda s: "\ufeff" + s),
        a_null_byte=whole(CERTIFICATE, lambda s: s + "\0"),
        two_documents=whole(CERTIFICATE, lambda s: s + "{}"),
        a_comment=whole(SUMMARY, lambda s: "// x\n" + s),
        a_trailing_comma=whole(SUMMARY, lambda s: s.rstrip().rstrip("}") + ",}"),
        utf_16=lambda files: (files.run / SUMMARY).write_bytes(files.text(SUMMARY).encode("utf-16")),
        half_a_file=whole(CERTIFICATE, lambda s: s[: len(s) // 2]),
        an_empty_file=whole(SUMMARY, lambda s: ""),
        a_list_for_a_document=whole(CERTIFICATE, lambda s: f"[{s}]"),
        deep_nesting=whole(SUMMARY, lambda s: "[" * 100_000),
        a_scenario_of_another_budget=setting(SCENARIO, "policy.budget.amount", 3_000_000),
        true_in_the_scenario=setting(SCENARIO, "policy.term_years", True),
        text_in_the_scenario=setting(SCENARIO, "policy.budget.amount", "2500000"),
    ),
    *of(
        "cents",
        a_scenario_of_other_own_funds=setting(SCENARIO, "policy.own_funds", 700_000),
        a_scenario_without_own_funds=dropping(SCENARIO, "policy.own_funds"),
    ),
]
"""Texts of JSON that two readers might read in two ways, or that none should."""

CELLS = [
    *of(
        "groups",
        a_limit_that_counts_neither=cell(7, "reason", "crowded out by limit food"),
    ),
    *of(
        "rich",
        an_amount=cell(1, "amount", lambda amount: repr(float(amount) - 1)),
        a_cent=cell(1, "amount", lambda amount: repr(float(amount) - 0.01)),
        less_than_a_cent=cell(1, "amount", lambda amount: repr(float(amount) - 0.001)),
        the_next_double=cell(1, "amount", lambda amount: repr(next_up(float(amount)))),
        a_rate=cell(1, "rate", lambda rate: repr(float(rate) + 0.001)),
        a_take_up=cell(1, "take_up", lambda rate: repr(float(rate) + 1e-6)),
        interest=cell(1, "interest", lambda x: repr(up(float(x)))),
        a_loss=cell(1, "expected_loss", lambda x: repr(up(float(x)))),
        a_value=cell(1, "value", lambda x: repr(up(float(x)))),
        a_rate_of_a_refusal=cell(9, "rate", "0.04"),
        another_grade=cell(1, "grade", "B"),
        a_grade_with_a_blank=cell(1, "grade", "A "),
        a_reason_for_an_offer=cell(1, "reason", "excluded"),
        no_reason_for_a_refusal=cell(9, "reason", ""),
        another_reason=cell(9, "reason", "excluded"),
        a_reason_of_ones_own=cell(9, "reason", "we do not like them"),
        a_reason_with_a_blank=cell(9, "reason", "no rates for this grade "),
        an_underscore=cell(1, "amount", lambda amount: amount.replace("00", "0_0", 1)),
        a_blank_before=cell(1, "amount", lambda amount: " " + amount),
        a_blank_behind=cell(1, "amount", lambda amount: amount + " "),
        a_plus=cell(1, "amount", lambda amount: "+" + amount),
        no_digit_before_the_point=cell(1, "rate", lambda rate: rate.replace("0.", ".", 1)),
        no_digit_behind_the_point=cell(1, "amount", lambda amount: amount.split(".")[0] + "."),
        a_zero_before=cell(1, "amount", lambda amount: "0" + amount),
        arabic_digits=cell(1, "rate", lambda rate: rate.replace("0", "٠")),
        wide_digits=cell(1, "amount", lambda amount: amount.replace("0", "\uff10")),
        a_hexadecimal=cell(1, "amount", lambda amount: float(amount).hex()),
        nan=cell(9, "value", "nan"),
        infinity=cell(9, "value", "inf"),
        beyond_a_double=cell(9, "value", "1e400"),
        an_empty_number=cell(9, "value", ""),
        a_percentage=cell(1, "rate", lambda rate: f"{float(rate):%}"),
        minus_0=cell(9, "amount", "-0.0"),
        minus_0_for_a_rate=cell(9, "rate", "-0"),
        a_negative_amount=cell(9, "amount", "-100000.0"),
        an_identifier_with_a_null_byte=cell(1, "borrower_id", "F01\0"),
        a_column_twice=text(ALLOCATION, "take_up", "rate"),
        a_column_in_capitals=text(ALLOCATION, "amount", "Amount"),
        a_column_with_a_blank=text(ALLOCATION, "amount", " amount"),
        a_column_of_another_alphabet=text(ALLOCATION, "amount", "\u0430mount"),
        a_column_beside=row(
            lambda rows: [r.append("0" if i else "Amount") for i, r in enumerate(rows)] and None
        ),
        a_column_left_out=row(lambda rows: [r.pop(4) for r in rows] and None),
        a_byte_order_mark_in_the_allocation=whole(ALLOCATION, lambda s: "\ufeff" + s),
        a_cell_too_many=row(lambda rows: rows[2].append("")),
        a_cell_too_few=row(lambda rows: rows[2].pop() and None),
        semicolons=whole(ALLOCATION, lambda s: s.replace(",", ";")),
        a_quote_that_is_not_closed=text(ALLOCATION, "F03", '"F03'),
        rows_swapped=row(swapped(1, 2)),
        rows_of_refusals_swapped=row(swapped(9, 10)),
        a_row_left_out=row(lambda rows: rows.pop() and None),
        a_row_twice=row(lambda rows: rows.append(rows[-1])),
        a_row_more=row(lambda rows: rows.append(["F99", *rows[9][1:]])),
        only_a_header=row(lambda rows: rows.__delitem__(slice(1, None))),
        an_empty_line_between=row(lambda rows: rows.insert(3, [""])),
        a_grade_with_a_null_byte=cell(1, "grade", "A\0"),
        a_reason_of_a_null_byte=cell(1, "reason", "\0"),
        another_borrower=cell(1, "borrower_id", "F99"),
        a_borrower_in_small_letters=cell(1, "borrower_id", "f01"),
        a_borrower_with_a_blank=cell(1, "borrower_id", "F01 "),
        a_borrower_with_a_wide_digit=cell(1, "borrower_id", "F0\uff11"),
        a_borrower_with_a_hidden_sign=cell(1, "borrower_id", "F01\u200b"),
        a_borrower_of_another_alphabet=cell(1, "borrower_id", "\u03dc01"),
        two_allocations=lambda files: files.write("allocation.parquet", "PAR1"),
    ),
]
"""Cells and rows of the allocation."""

INPUTS = [
    *of(
        "changed",
        an_altered_former_offer=lambda files: _rewrite(files, "former.csv", "F05,0,0", "F05,100000,0.06"),
        an_altered_former_offer_with_its_hash=lambda files: files.input(
            "former", "former.csv", "F05,0,0", "F05,100000,0.06"
        ),
    ),
    *of(
        "rich",
        an_altered_borrower=lambda files: _rewrite(files, "borrowers.csv", "F05,B,0.020", "F05,B,0.021"),
        an_altered_curve=lambda files: _rewrite(files, "churn.csv", "0.06,0.25", "0.06,0.26"),
        an_altered_name=lambda files: _rewrite(files, "borrowers.csv", "F05,B", "F5,B"),
        a_borrower_more=lambda files: _rewrite(
            files, "borrowers.csv", "F15,", "F16,A,0.1,1,x,,,,,,,0,1\nF15,"
        ),
        an_altered_pd_with_its_hash=lambda files: files.input(
            "portfolio", "borrowers.csv", "F05,B,0.020", "F05,B,0.021"
        ),
        an_altered_request_with_its_hash=lambda files: files.input(
            "portfolio", "borrowers.csv", "F15,B,0.022,333333.33", "F15,B,0.022,133333.33"
        ),
        an_altered_id_with_its_hash=lambda files: files.input("portfolio", "borrowers.csv", "F05,", "f05,"),
        an_altered_curve_with_its_hash=lambda files: files.input(
            "churn", "churn.csv", "0.06,0.25", "0.06,0.26"
        ),
        an_empty_line_with_its_hash_in_the_certificate_alone=setting(
            CERTIFICATE, "inputs.portfolio", "sha256:" + "0" * 64
        ),
        a_hash_in_capitals=lambda files: files.certificate(
            lambda d: d["inputs"].update(churn="sha256:" + d["inputs"]["churn"][7:].upper())
        ),
        a_hash_of_another_kind=lambda files: files.certificate(lambda d: d["inputs"].update(churn="md5:0")),
        a_hash_left_out=lambda files: files.certificate(lambda d: d["inputs"].pop("churn") and None),
        a_hash_more=lambda files: files.certificate(lambda d: d["inputs"].update(book="sha256:" + "0" * 64)),
        a_looser_limit=lambda files: files.scenario("at_most: 0.011", "at_most: 0.012"),
        a_larger_budget=lambda files: files.scenario("amount: 2500000", "amount: 2600000"),
        another_basis=lambda files: files.scenario("basis: drawn", "basis: offered"),
        a_cheaper_funding=lambda files: files.scenario("funding_rate: 0.02", "funding_rate: 0.019"),
        no_smoothing=lambda files: files.scenario("smoothing: isotonic", "smoothing: none"),
        another_band=lambda files: files.scenario("A: [0.04, 0.11]", "A: [0.04, 0.08]"),
        a_band_of_endless_steps=setting(SCENARIO, "policy.rates.B", [0.06, 1e300]),
        a_filter_of_another_grade=lambda files: files.scenario("grade: A", "grade: B"),
        a_strategy_that_may_break_limits=lambda files: files.scenario(
            "strategy: optimal", "strategy: greedy"
        ),
    ),
    *of(
        "earning",
        another_floor_on_value=setting(SCENARIO, "policy.limits.0.at_least", 10_500),
        a_floor_on_interest=setting(SCENARIO, "policy.limits.0.measure", "interest"),
        a_milder_stress_of_value=setting(SCENARIO, "policy.limits.0.under", ["other"]),
        value_in_no_stress=dropping(SCENARIO, "policy.limits.0.under"),
        a_cheaper_loan=setting(SCENARIO, "policy.processing_cost", 1400),
        value_of_another_grade=setting(SCENARIO, "policy.limits.1.where", {"grade": "A"}),
        a_higher_use_of_value=moving(CERTIFICATE, "limits.2.used"),
        a_price_of_value_of_the_wrong_sign=agreed("prices.margin B", lambda price: -price),
        value_that_falls_short=lambda files: decide(files, {"F01": 0.0, "F02": 0.0}),
    ),
    *of(
        "counted",
        another_share_of_loans=setting(SCENARIO, "policy.limits.0.at_least", 0.6),
        a_share_of_another_sector=setting(SCENARIO, "policy.limits.1.of.where", {"sector": "steel"}),
        a_number_of_loans_more=moving(CERTIFICATE, "limits.1.used"),
        a_bound_of_loans=moving(CERTIFICATE, "limits.2.bound"),
        a_price_of_a_loan_of_the_wrong_sign=agreed("prices.A by number", lambda price: -price),
        fewer_loans_than_the_share=lambda files: decide(files, {"F01": 0.0}),
    ),
    *of(
        "stressed",
        a_milder_stress=lambda files: files.scenario("all: 1.2", "all: 1.1"),
        a_milder_stress_of_a_limit=lambda files: files.scenario("all: 1.3", "all: 1.25"),
        another_case_of_it=setting(SCENARIO, "stresses.severe.pd.where.0.factor", 1.6),
        a_limit_in_one_stress_less=setting(SCENARIO, "policy.limits.2.under", ["severe"]),
        a_limit_in_another_stress=setting(SCENARIO, "policy.limits.2.under", ["severe", "other"]),
        a_limit_in_no_stress_at_all=dropping(SCENARIO, "policy.limits.2.under"),
        a_stress_that_is_not_there=dropping(SCENARIO, "stresses.severe"),
        another_case=lambda files: files.scenario("factor: 1.5", "factor: 1.4"),
        another_move_of_rates=lambda files: files.scenario("all: 0.98", "all: 0.99"),
        dearer_funding=lambda files: files.scenario("add: 0.001", "add: 0.002"),
        another_limit_stressed=lambda files: files.scenario("factor: 0.5", "factor: 0.6"),
        factors_with_their_hash=lambda files: files.input("stress", "factors.csv", "food,1.2", "food,1.1"),
    ),
    *of(
        "weighted",
        other_weights=setting(SCENARIO, "stress.mean_of", {"base": 0.6, "severe": 0.2, "mild": 0.2}),
        a_mean_of_others=setting(SCENARIO, "stress.mean_of", {"base": 0.5, "severe": 0.5}),
        no_mean=dropping(SCENARIO, "stress.mean_of"),
        weights_above_1=setting(SCENARIO, "stress.mean_of.base", 0.6),
        a_weight_below_0=setting(SCENARIO, "stress.mean_of", {"base": 1.3, "severe": -0.3}),
        a_mean_of_what_is_not_there=setting(SCENARIO, "stress.mean_of", {"worse": 0.5, "severe": 0.5}),
        a_mean_of_churn=setting(SCENARIO, "stress.mean_of", {"other": 0.5, "severe": 0.5}),
        a_milder_stress_of_a_mean=lambda files: files.scenario("all: 1.3", "all: 1.25"),
    ),
    *of(
        "workbook",
        an_altered_copy=lambda files: files.replace("borrowers.csv", "F05,B,0.02,", "F05,B,0.021,"),
        a_copy_with_its_hash=lambda files: _copy(files, "F05,B,0.02,", "F05,B,0.021,"),
        a_copy_of_another_id=lambda files: _copy(files, "F05,", "f05,"),
        a_workbook_of_other_bytes=lambda files: _append(files, "borrowers.xlsx"),
    ),
]
"""Inputs and the scenario, with and without what follows from them."""

PROOFS = [
    *of(
        "shares",
        a_bound_a_little_lower=agreed("bound", lambda bound: bound * (1 - 1e-12)),
        a_bound_at_the_value=lambda files: files.certificate(
            lambda d: d.update(bound=d["value"] * (1 - 1e-9))
        ),
        a_value_a_little_higher=agreed("value", lambda value: value * (1 + 1e-11)),
        a_value_above_the_bound=lambda files: files.certificate(lambda d: d.update(value=d["bound"] + 1.0)),
        a_looser_bound_than_proved=agreed("bound", lambda bound: bound * (1 + 1e-6)),
        no_budget_price=lambda files: files.certificate(lambda d: d["prices"].update(budget=0.0)),
        a_price_that_cancels_on_pinned_offers=lambda files: _pinned(files, 9.7e10),
        a_price_of_1e17_on_pinned_offers=lambda files: _pinned(files, 1e17),
        a_price_of_1e300_on_pinned_offers=lambda files: _pinned(files, 1e300),
        a_price_of_1e308_on_pinned_offers=lambda files: _pinned(files, 1.7e308),
        prices_of_1e15_on_shares=lambda files: _shares(files, 1e15),
        prices_of_1e300_on_shares=lambda files: _shares(files, 1e300),
        a_worse_allocation_said_to_be_the_best=lambda files: _lowered(files, {}),
        a_worse_allocation_and_a_budget_without_worth=lambda files: _lowered(files, {"budget": 1e300}),
        a_tree_of_one_leaf_below_its_proof=lambda files: files.certificate(
            lambda d: _leaf(d, d["value"] * 0.999)
        ),
        a_tree_that_is_null=lambda files: files.certificate(
            lambda d: d.update(price_bound=d["bound"], tree=None)
        ),
        a_tree_without_nodes=lambda files: files.certificate(
            lambda d: d.update(price_bound=d["bound"], tree={"bound": 1.0, "nodes": []})
        ),
    )
]
"""Bounds that prices do not prove, with every figure that follows from them."""


def _rewrite(files: Files, name: str, before: str, after: str) -> None:
    path = files.run.parent / name
    held = path.read_text()
    assert before in held
    path.write_text(held.replace(before, after))


def _append(files: Files, name: str) -> None:
    with (files.run.parent / name).open("ab") as file:
        file.write(b" ")


def _copy(files: Files, before: str, after: str) -> None:
    """The run's copy of the borrowers altered, its hash and the digest too."""
    import hashlib

    files.replace("borrowers.csv", before, after)
    hashed = "sha256:" + hashlib.sha256((files.run / "borrowers.csv").read_bytes()).hexdigest()
    files.certificate(lambda d: d["inputs"].update(borrowers=hashed))


def _worse(files: Files) -> None:
    """An allocation that keeps everything and earns less than the best."""
    amounts = {one: amount for one, amount in funded(files).items() if one != "F12"}
    most = max(amounts, key=lambda one: amounts[one])
    decide(files, {most: amounts[most] - 50_000.0})


def _lowered(files: Files, prices: dict[str, float]) -> None:
    """A worse allocation said to be the best, by prices whose parts cancel."""
    _worse(files)

    def change(document: Any) -> None:
        document["prices"] |= prices
        document["bound"] = document["value"] * (1 + 1e-12)

    files.certificate(change)


def _pinned(files: Files, price: float) -> None:
    """A price on the row that the pinned offer fills: in doubles it swallows what the offer is worth."""
    _lowered(files, {"pins": price})


def _shares(files: Files, price: float) -> None:
    """The same price on shares of the total."""
    _lowered(files, dict.fromkeys(("A share", "B share", "C share"), price))


def _leaf(document: Any, bound: float) -> None:
    nodes = [{"prices": document["prices"], "bound": bound}]
    document |= {"price_bound": document["bound"], "bound": bound}
    document["tree"] = {"bound": bound, "lots": {}, "nodes": nodes}


def tree(change: Callable[[Any], Any]) -> Change:
    """A change of the proof tree, and of nothing else."""

    def apply(files: Files) -> None:
        files.certificate(lambda document: change(document["tree"]) and None)

    return apply


def _first(document: Any, key: str) -> Any:
    """The first node that has `key`."""
    return next(node for node in document["nodes"] if key in node)


def _lower(document: Any, part: float) -> None:
    """Every bound of a tree and what it proves, lower by a part of it."""
    for node in [document["tree"], *document["tree"]["nodes"]]:
        if "bound" in node:
            node["bound"] -= abs(node["bound"]) * part
    document["bound"] = min(document["bound"], document["tree"]["bound"])


def _cover(document: Any) -> None:
    split = _first(document, "split")["split"]
    split[0][:] = split[0][:-1]
    split[1][:] = [entry for entry in split[1] if entry not in split[0]][:-1]


TREES = [
    *of(
        "steps",
        bounds_a_little_lower=lambda files: files.certificate(lambda d: _lower(d, 1e-12)),
        bounds_lower=lambda files: files.certificate(lambda d: _lower(d, 1e-6)),
        the_trees_bound_lower=lambda files: files.certificate(lambda d: _tree_bound(d, 1 - 1e-9)),
        a_leaf_lower=tree(lambda t: _leaf_of(t).update(bound=_leaf_of(t)["bound"] - 1.0)),
        a_leaf_without_a_bound=tree(lambda t: _leaf_of(t).pop("bound")),
        a_leaf_with_a_child=tree(lambda t: _leaf_of(t).update(children=[1])),
        a_leaf_of_huge_prices=tree(lambda t: _leaf_of(t).update(prices={"budget": 1e300})),
        a_leaf_priced_by_text=tree(lambda t: _leaf_of(t).update(prices={"budget": "1"})),
        a_leaf_with_a_price_of_no_limit=tree(lambda t: _leaf_of(t)["prices"].update(nothing=1.0)),
        a_leaf_priced_by_truth=tree(lambda t: _leaf_of(t).update(prices={"budget": True})),
        an_unknown_key=tree(lambda t: _leaf_of(t).update(note="x")),
        an_unknown_key_of_the_tree=tree(lambda t: t.update(note="x")),
        a_cut_too_short=tree(lambda t: _first(t, "keeps").update(keeps=0.0)),
        a_cut_below_0=tree(lambda t: _first(t, "keeps").update(keeps=-1e6)),
        a_cut_of_text=tree(lambda t: _first(t, "keeps").update(keeps="far")),
        a_cut_without_a_child=tree(lambda t: _first(t, "keeps").update(children=[])),
        a_cut_with_two_children=tree(lambda t: _first(t, "keeps")["children"].append(2)),
        a_split_without_a_side=tree(lambda t: _first(t, "split")["split"].pop()),
        a_split_that_covers_no_refusal=tree(
            lambda t: [side.remove("none") for side in _first(t, "split")["split"] if "none" in side]
        ),
        a_split_that_covers_not_all=tree(_cover),
        a_split_at_a_rate_of_nobody=tree(lambda t: _first(t, "split")["split"][0].append(0.0987)),
        a_split_by_truth=tree(lambda t: _first(t, "split")["split"][0].append(True)),
        a_split_of_nobody=tree(lambda t: _first(t, "split").update(borrower="F99")),
        a_split_of_a_look_alike=tree(lambda t: _first(t, "split").update(borrower="f01")),
        a_split_of_a_number=tree(lambda t: _first(t, "split").update(borrower=1)),
        a_split_of_the_pinned_offer=tree(lambda t: _first(t, "amounts").update(borrower="F12")),
        a_split_of_amounts_off_the_step=tree(lambda t: _first(t, "amounts").update(amounts=123456.0)),
        a_split_of_amounts_by_text=tree(lambda t: _first(t, "amounts").update(amounts="100000")),
        a_split_of_both=tree(lambda t: _first(t, "amounts").update(split=[[], ["none"]])),
        a_cycle=tree(lambda t: t["nodes"][-1].update(children=[0])),
        two_parents=tree(
            lambda t: _first(t, "split").update(children=[_first(t, "split")["children"][0]] * 2)
        ),
        a_child_that_is_the_root=tree(lambda t: _first(t, "split").update(children=[0, 1])),
        a_child_that_is_none=tree(lambda t: _first(t, "split").update(children=[len(t["nodes"]), 1])),
        a_child_below_0=tree(lambda t: _first(t, "split").update(children=[-1, -2])),
        a_child_by_truth=tree(lambda t: _first(t, "split")["children"].__setitem__(0, True)),
        a_child_that_is_a_fraction=tree(lambda t: _first(t, "split")["children"].__setitem__(0, 1.0)),
        a_node_that_hangs_on_nothing=tree(lambda t: t["nodes"].append(t["nodes"][-1])),
        a_node_that_is_null=tree(lambda t: t["nodes"].__setitem__(-1, None)),
        nodes_in_no_list=tree(lambda t: t.update(nodes={})),
        lots_too_far=tree(lambda t: t["lots"].update(budget=1_650_000.0)),
        lots_of_a_row_that_is_not_whole=tree(lambda t: t["lots"].update({"loss rate": 0.0})),
        lots_of_no_row=tree(lambda t: t["lots"].update(nothing=1.0)),
        lots_of_text=tree(lambda t: t["lots"].update(budget="1700000")),
        lots_of_truth=tree(lambda t: t["lots"].update(few=True)),
        a_fraction_of_a_loan=tree(lambda t: t["lots"].update(few=5.0)),
        no_tree=lambda files: files.certificate(lambda d: d.pop("tree") and None),
    ),
    *of("counted", no_price_of_a_loan=tree(lambda t: _leaf_of(t)["prices"].pop("A by number"))),
    *of("earning", no_price_of_value=tree(lambda t: _leaf_of(t)["prices"].update({"earned [severe]": 0.0}))),
]
"""Proof trees that prove less than they say."""


def _leaf_of(document: Any) -> Any:
    return next(n for n in document["nodes"] if "prices" in n and "keeps" not in n)


def _tree_bound(document: Any, part: float) -> None:
    document["tree"]["bound"] *= part
    document["bound"] = document["tree"]["bound"]


def _raised(files: Files, more: float, who: str | None = None) -> None:
    """One offer larger by `more`, or smaller."""
    amounts = funded(files)
    name = who or next(iter(amounts))
    decide(files, {name: amounts[name] + more})


def _another(files: Files, amount: float) -> None:
    """An offer to someone who was refused."""
    given, rows = funded(files), files.text("allocation.csv").splitlines()[1:]
    refused = [r.split(",") for r in rows if r.split(",")[0] not in given and r.endswith("limit book")]
    open_to = refused or [r.split(",") for r in rows if r.split(",")[0] not in given and ",crowded" in r]
    decide(files, {open_to[0][0]: amount})


DECISIONS = [
    *of(
        "changed",
        a_client_more_lost=lambda files: decide(files, {"F02": 0.0, "F15": 0.0}),
        a_client_more_won=lambda files: decide(files, {"F06": 100_000.0, "F15": 0.0, "F13": 500_000.0}),
        money_moved_further=lambda files: decide(files, {"F01": 400_000.0}),
        no_direction_of_money_moved=dropping(SCENARIO, "policy.changes"),
        the_other_direction_of_money_moved=setting(SCENARIO, "policy.changes", {"amounts": "same"}),
        no_former_run=dropping(SCENARIO, "former"),
        another_former_run=setting(SCENARIO, "former", "../book.csv"),
        amounts_that_may_not_be_cut=setting(SCENARIO, "policy.changes", {"amounts": "no_cut"}),
        rates_that_may_not_move=setting(SCENARIO, "policy.changes", {"rate_moved": {"at_most": 0.001}}),
        offers_that_are_kept=setting(SCENARIO, "policy.changes", {"keep": "all"}),
        a_share_of_more_than_the_former_run=setting(SCENARIO, "policy.limits.5.of", "budget"),
        a_share_of_the_former_run_by_what_it_does_not_tell=setting(
            SCENARIO, "policy.limits.5.measure", "drawn"
        ),
        a_larger_share_of_the_former_run=setting(SCENARIO, "policy.limits.5.at_most", 1.7),
        a_smaller_share_of_the_former_run=setting(SCENARIO, "policy.limits.6.at_most", 0.1),
    ),
    *of(
        "groups",
        more_than_the_share_of_a_group=lambda files: decide(files, {"F15": 197_453.72, "F05": 399_999.0}),
        another_point=moving("summary.json", "per_point.food"),
        a_point_less=dropping("summary.json", "per_point.retail"),
    ),
    *of(
        "cents",
        a_loan_more=partial(_another, amount=100_000.0),
        an_offer_to_the_excluded=lambda files: decide(files, {"F11": 100_000.0}),
        an_offer_to_a_grade_without_rates=lambda files: decide(files, {"F09": 100_000.0}, {"F09": 0.06}),
        an_offer_below_the_smallest=lambda files: decide(
            files, dict.fromkeys([*funded(files)][:1], 99_999.99)
        ),
        an_offer_above_the_request=lambda files: decide(files, {"F10": 100_000.0}),
        an_offer_off_the_cent=lambda files: _raised(files, -0.004),
        the_next_double_below=lambda files: _raised(files, -1e-10),
        the_pinned_offer_not_made=lambda files: decide(files, {"F12": 0.0}),
        the_pinned_offer_a_cent_less=lambda files: decide(files, {"F12": 123456.77}),
        a_cent_above_a_line=lambda files: _over(files, 0.01),
        a_cent_above_the_budget=lambda files: _filled(files, 0.01),
        eight_loans_where_seven_are_allowed=lambda files: _spread(files),
        a_rate_between_those_of_the_menu=lambda files: _rates(files, lambda rate: rate + 1e-9),
        a_rate_above_the_band=lambda files: _rates(files, lambda rate: 0.15),
        a_rate_below_the_band=lambda files: _rates(files, lambda rate: 0.04, "B"),
    ),
    *of(
        "steps",
        an_offer_off_the_step=lambda files: _raised(files, -10_000.0),
        a_cent_off_the_step=lambda files: _raised(files, -0.01),
        a_loan_more_than_may_be=partial(_another, amount=100_000.0),
    ),
    *of(
        "sized",
        an_offer_by_the_step_of_smaller_loans=lambda files: _raised(
            files, -30_000.0, _large(files, 300_000.0)
        ),
        an_offer_by_no_step=lambda files: _raised(files, -10_000.0),
        a_cent_off_the_step_of_its_size=lambda files: _raised(files, -0.01),
        other_steps=setting(SCENARIO, "policy.ticket.step", {"by_size": [{"step": 70_000.0}]}),
        one_step=setting(SCENARIO, "policy.ticket.step", 80_000.0),
        a_step_of_an_unknown_kind=setting(SCENARIO, "policy.ticket.step", {"by_rate": 1.0}),
    ),
    *of(
        "menus",
        an_amount_beside_the_menu=lambda files: _raised(files, -10_000.0),
        a_cent_beside_the_menu=lambda files: _raised(files, -0.01),
        another_menu=setting(SCENARIO, "policy.ticket.menu.amounts", [0.45, 0.65, 0.95]),
        a_menu_of_money=dropping(SCENARIO, "policy.ticket.menu.of"),
        no_menu=dropping(SCENARIO, "policy.ticket.menu"),
        a_tree_split_beside_the_menu=tree(
            lambda t: [n.update(amounts=123456.0) for n in t["nodes"] if "amounts" in n] or t.update(note="x")
        ),
    ),
]
"""Allocations that break terms and limits, with every figure that follows from them and the faults hidden."""


def _large(files: Files, least: float) -> str:
    """Who has the largest loan, of `least` at least."""
    held = funded(files)
    name = max((one for one in held if one != "F12"), key=held.__getitem__)
    assert held[name] >= least
    return name


def _over(files: Files, more: float) -> None:
    """Grade A beyond its line of 1,250,000 by `more`, all else as it was."""
    held = funded(files)
    decide(files, {one: 0.0 for one in held if one != "F12"})
    decide(files, {"F01": 400_000.0, "F03": 600_000.0, "F14": 250_000.0 - 123456.78 + more})


def _filled(files: Files, more: float) -> None:
    """The budget of 2,500,000 exceeded by `more`."""
    decide(files, {one: 0.0 for one in funded(files) if one != "F12"})
    decide(files, {"F03": 600_000.0, "F05": 400_000.0, "F06": 600_000.0, "F13": 550_000.0})
    decide(files, {"F14": 350_000.0 - 123456.78 + more})


def _spread(files: Files) -> None:
    """Eight loans, each of the smallest size."""
    decide(files, {one: 0.0 for one in funded(files) if one != "F12"})
    names = ("F01", "F03", "F05", "F06", "F13", "F14", "F08")
    decide(files, dict.fromkeys(names, 100_000.0))


def _rates(files: Files, change: Callable[[float], float], grade: str = "A") -> None:
    for line in files.text("allocation.csv").splitlines()[1:]:
        cells = line.split(",")
        if float(cells[2]) > 0 and cells[1] == grade and cells[0] != "F12":
            decide(files, {cells[0]: float(cells[2])}, {cells[0]: change(float(cells[3]))})
            return
    raise AssertionError("nobody to be offered another rate")


def _lists(change: Callable[[Any], Any]) -> Change:
    """A change of the proof over price lists, with all that follows from the certificate."""
    return lambda files: files.certificate(lambda d: change(d["lists"]) and None)


def _listed(path: str, value: Any) -> Change:
    return _lists(lambda lists: put(lists, path, value))


def _a_bound_for_the_best_list_alone(certificate: Any) -> None:
    """The proof over lists cut down to the posted one, whose tree proves the least bound."""
    tree = next(node for node in certificate["lists"]["nodes"] if "tree" in node)
    certificate["lists"] |= {"nodes": [tree], "bound": tree["tree"]["bound"]}
    certificate["bound"] = tree["tree"]["bound"]


def _lower_the_bound_of_a_tree(lists: dict[str, Any]) -> None:
    tree = next(node["tree"] for node in lists["nodes"] if "tree" in node)
    tree["bound"] -= 1.0


LISTS = [
    *of(
        "lists",
        no_lists=lambda files: files.certificate(lambda d: d.pop("lists") and None),
        a_tree_beside_lists=lambda files: files.certificate(
            lambda d: d.update(
                tree={"bound": d["bound"], "lots": {}, "nodes": [{"prices": {}, "bound": 0.0}]}
            )
        ),
        another_posted_rate=_listed("posted.B", 0.13),
        a_posted_rate_that_the_band_lacks=_listed("posted.A", 0.105),
        a_posted_rate_that_falls=_listed("posted.B", 0.08),
        a_grade_that_posts_nothing=_lists(lambda lists: lists["posted"].pop("A")),
        a_rate_of_a_grade_without_a_band=_listed("posted.C", 0.15),
        a_posted_rate_as_text=_listed("posted.A", "0.11"),
        an_unknown_key_of_lists=_listed("note", 1),
        a_bound_of_lists_down=_lists(lambda lists: lists.update(bound=lists["bound"] * (1 - 1e-8))),
        a_bound_of_lists_up=_lists(lambda lists: lists.update(bound=lists["bound"] * (1 + 1e-8))),
        a_bound_of_a_leaf_down=_lists(lambda lists: lists["nodes"][4].update(bound=50_000.0)),
        a_bound_of_a_leaf_up=_lists(lambda lists: lists["nodes"][4].update(bound=60_000.0)),
        a_bound_of_a_tree_of_lists_down=_lists(_lower_the_bound_of_a_tree),
        a_rate_of_a_split_left_out=_lists(lambda lists: lists["nodes"][0]["split"][1].pop()),
        a_side_left_out=_lists(
            lambda lists: (lists["nodes"][0]["split"].pop(), lists["nodes"][0]["children"].pop())
        ),
        a_rate_that_no_grade_posts=_lists(lambda lists: lists["nodes"][0]["split"][1].append(0.105)),
        a_split_of_no_grade=_listed("nodes.0.segment", "C"),
        a_child_twice=_listed("nodes.0.children", [1, 5, 5]),
        a_child_of_itself=_listed("nodes.1.children", [0, 3, 4]),
        prices_that_are_not_listed=_listed("nodes.4.prices", 9),
        other_prices_of_a_leaf=_listed("nodes.7.prices", 0),
        a_price_of_a_vector=_listed("prices.1.carbon", 0.0),
        a_price_of_no_limit_in_a_vector=_listed("prices.1.nothing", 1.0),
        a_leaf_of_lists_without_prices=_lists(lambda lists: lists["nodes"][4].pop("prices")),
        nodes_that_hang_nowhere=_lists(lambda lists: lists["nodes"].append({"prices": 0, "bound": 0.0})),
        no_nodes_of_lists=_listed("nodes", []),
        the_best_list_alone=lambda files: files.certificate(_a_bound_for_the_best_list_alone),
        a_second_rate_in_a_grade=lambda files: decide(files, {"F01": 500_000.0}, {"F01": 0.08}),
        a_posted_rate_to_a_pinned_offer=lambda files: decide(files, {"F12": 123_456.78}, {"F12": 0.11}),
        a_reason_that_individual_rates_would_give=cell(2, "reason", "never profitable, whatever the limits"),
        another_list_in_the_summary=setting(SUMMARY, "price_list.A", 0.04),
        no_list_in_the_summary=dropping(SUMMARY, "price_list"),
        other_pricing=lambda files: files.scenario("pricing: monotone", "pricing: individual"),
    ),
    *of(
        "segments",
        another_rate_of_a_segment=_lists(lambda lists: lists["posted"].update({"A / fed": 0.04})),
        a_segment_that_posts_nothing=_lists(lambda lists: lists["posted"].pop("B / fed")),
        the_list_of_grades=_listed("posted", {"A": 0.11, "B": 0.11}),
        a_grade_for_a_segment=_listed("nodes.0.segment", "A"),
        segments_by_another_column=lambda files: files.scenario("per_segment: sector", "per_segment: region"),
        grades_that_may_fall=lambda files: files.scenario("grades: monotone", "grades: apart"),
        segments_put_together=lambda files: files.scenario("food, retail, NO]", "food, retail, NO, steel]"),
    ),
    *of("rich", lists_where_none_is_posted=setting(CERTIFICATE, "lists", {"posted": {}, "bound": 0.0})),
]
"""Price lists and their proof."""

ALL = [*FIGURES, *JSON_TEXT, *CELLS, *INPUTS, *PROOFS, *TREES, *LISTS, *DECISIONS]
