"""The report of a run: which sections it has, in which order."""

from __future__ import annotations

from allocator.insight.dossier import HUGE, LARGE, Dossier
from allocator.report.committee.blocks import Block, Report, note
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
        front=(*front(docs), *_effort(dossier)),
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
            budget_section(docs),
            levers_section(docs),
            *distilled_sections(docs),
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
    units = f"amounts in {docs.currency}: k thousand, m million, bn billion"
    return f"{docs.at('summary', 'borrowers'):,} borrowers{when} · run {run}{rule} · {units}"


def _under(dossier: Dossier) -> str:
    """Whether every figure is one under stress, or a mean over several stresses."""
    stress = dossier.run.scenario.stress
    if not stress:
        return ""
    what = "a mean over stresses" if stress.mean else "under stress"
    worst = ", the value the least of them" if stress.worst else ""
    return f" · every figure is {what}{worst}, by the scenario"


def _effort(dossier: Dossier) -> tuple[Block, ...]:
    """What was solved less of, in a sentence."""
    effort, size = dossier.effort, len(dossier.run.inputs.portfolio)
    if effort.levers == "solved":
        return ()
    why = f"of {HUGE if size >= HUGE else LARGE:,} borrowers or more" if size >= LARGE else "made quickly"
    few = "the most important levers" if effort.levers == "few" else "levers"
    parts = [f"{effort.budgets} budgets were solved"] if effort.budgets else ["no other budget was solved"]
    parts += [f"{effort.years:,} years simulated", f"{few} priced by this run's shadow prices alone"]
    parts += [f"stressed books decided to {effort.stress_gap:.2%}"] if effort.stress_gap else []
    parts += [] if effort.costs else ["nothing was solved without a limit"]
    parts += [] if effort.rules else ["no simple rule was tried"]
    return (note(f"As on every page {why}: {', '.join(parts)}."),)
