"""`allocator verify`: a run rechecked from its inputs, without the solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, RunFolder, Verbose
from allocator.cli.shell import answer

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = "Example: allocator verify runs/sme"


_ByRationals = Annotated[
    bool,
    typer.Option(
        "--exact", help="Confirm bound, value and limits in rational numbers (up to 10,000 borrowers)."
    ),
]


def verify(
    folder: RunFolder, exact: _ByRationals = False, as_json: AsJson = False, verbose: Verbose = False
) -> None:
    """Recheck a run: every amount, rate and limit, its bound and its value, from the inputs alone."""

    def ask(tell: Progress) -> View:
        from allocator.store import certificate_to_json, read_run

        tell("reading the run")
        stored = read_run(folder)
        from allocator.report.recheck import recheck_page
        from allocator.report.view import View
        from allocator.verification import verify_run

        tell("recomputing it from its inputs" + (", and in rational numbers" if exact else ""))
        certificate = verify_run(stored, exact=exact)
        amounts, rates = len(stored.allocation), int((stored.allocation["amount"] > 0).sum())
        checked = {"amounts": amounts, "rates": rates, "limits": len(certificate.limits)}
        whole = certificate_to_json(certificate)
        figures = {key: whole[key] for key in ("bound", "value", "gap", "largest_violation", "inputs")}
        about = {"verified": True, "exact": exact, "folder": str(folder), "rechecked": checked}
        return View(
            page=lambda: recheck_page(certificate, amounts, rates, stored.summary, exact=exact),
            document=lambda: {**about, **figures},
        )

    answer(ask, as_json=as_json, verbose=verbose)
