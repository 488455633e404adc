"""The report of a run: which sections it has, in which order."""

from __future__ import annotations

from allocator.insight.dossier import LARGE, Dossier, beyond_rules
from allocator.report.committee.blocks import UNITS, Block, Report, note
from allocator.report.committee.budget import budget_annex, budget_section
from allocator.report.committee.concentration import concentration_annex, concentration_section
from allocator.report.committee.decisions import decisions_annex, decisions_section, declined_section
from allocator.report.committee.distilled import distilled_annex, distilled_sections
from allocator.report.committee.documents import documents_of
from allocator.report.committee.figure import Documents
from allocator.report.committee.front import cards, front
from allocator.report.committee.levers import levers_annex, levers_section
from allocator.report.committee.limits import limits_annex, limits_section
from allocator.report.committee.proof import (
    Provenance,
    assumptions_annex,
    certified,
    foot,
    proof_annex,
    seal,
)
from allocator.report.committee.rules import rules_annex, rules_section
from allocator.report.committee.stress import stress_annex, stress_section
from allocator.report.committee.terms import terms_of
from allocator.report.committee.value import value_annex, value_section
from allocator.report.committee.years import years_annex, years_section


def report_of(dossier: Dossier, stood: Provenance, docs: Documents | None = None) -> Report:
    """The committee's report of a run; `docs` are its documents where they are made already."""
    docs = docs or documents_of(dossier)
    policy = dossier.run.scenario.policy
    return Report(
        title=f"{dossier.run.name}: allocation of a credit budget, for decision",
        subtitle=f"{_subtitle(docs)}{_under(dossier)}",
        seal=seal(docs),
        certified=certified(docs),
        front=(*front(docs), *_effort(dossier), terms_of(docs, policy)),
        cards=cards(docs, policy),
        sections=(
            value_section(docs),
            decisions_section(docs),
            declined_section(docs),
            limits_section(docs, policy),
            concentration_section(docs),
            stress_section(docs),
            years_section(docs),
            rules_section(docs),
            budget_section(docs, policy),
            levers_section(docs),
            *distilled_sections(docs, _unruled(dossier)),
        ),
        foot=foot(docs, stood),
        annex=(
            value_annex(docs),
            decisions_annex(docs),
            limits_annex(docs, policy),
            concentration_annex(docs),
            stress_annex(docs),
            years_annex(docs),
            rules_annex(docs),
            budget_annex(docs),
            levers_annex(docs),
            proof_annex(docs, stood),
            assumptions_annex(docs, stood),
            *distilled_annex(docs),
        ),
    )


def _subtitle(docs: Documents) -> str:
    solved = str(docs.at("summary").get("solved_at", ""))
    when = f" · solved {solved[:10]}" if solved else ""
    run = str(docs.at("summary").get("digest", ""))[:12]
    strategy = docs.at("summary").get("strategy", "optimal")
    rule = "" if strategy == "optimal" else f" · decided by the strategy {strategy}"
    units = f"amounts in {docs.currency}: {UNITS}"
    return f"{docs.at('summary', 'borrowers'):,} borrowers{when} · run {run}{rule} · {units}"


def _under(dossier: Dossier) -> str:
    """Whether every figure is one under stress, or a mean over several stresses."""
    stress = dossier.run.scenario.stress
    if not stress:
        return ""
    what = "a mean over stresses" if stress.mean else "under stress"
    worst = ", the value the least of them" if stress.worst else ""
    return f" · every figure is {what}{worst}, by the scenario"


def _unruled(dossier: Dossier) -> str:
    """Why there are no rules that stand in for the run, where there are none."""
    unruled = beyond_rules(dossier.run.scenario.policy)
    if dossier.effort.distilled:
        why = unruled[0] if unruled else "no few rules were found that keep every limit"
    elif len(dossier.run.inputs.portfolio) >= LARGE:
        why = "none were sought for a book this large"
    else:
        why = "none were sought for a page made quickly"
    return f"{why[0].upper()}{why[1:]}."


def _effort(dossier: Dossier) -> tuple[Block, ...]:
    """What was solved less of, in a sentence."""
    effort, size = dossier.effort, len(dossier.run.inputs.portfolio)
    if effort.levers == "solved":
        return ()
    skipped = [] if effort.budgets else ["no other budget"]
    skipped += [] if effort.costs else ["no dropped limit"]
    skipped += [] if effort.rules else ["no simple rule"]
    tried = " and ".join([", ".join(skipped[:-1]), skipped[-1]] if len(skipped) > 1 else skipped)
    parts = [f"{tried} was tried"] * bool(skipped)
    parts += [f"{effort.budgets} budgets were solved"] * bool(effort.budgets)
    parts += [f"{effort.years:,} years were simulated"]
    few = "the most important changes" if effort.levers == "few" else "changes"
    parts += [f"{few} were priced by this run's shadow prices alone"]
    parts += [f"stressed books are within {effort.stress_gap:.2%} of the best"] * bool(effort.stress_gap)
    why = "For a book this large" if size >= LARGE else "Made quickly"
    return (note(f"{why}: {'; '.join(parts)}."),)
