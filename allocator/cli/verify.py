"""`allocator verify`: a run rechecked from its inputs, without the solver."""

from __future__ import annotations

from typing import Annotated

import typer

from allocator.cli.options import AsJson, RunFolder, Verbose
from allocator.cli.output import print_json, print_page, progress

EXAMPLE = "Example: allocator verify runs/sme"


ByRationals = Annotated[
    bool,
    typer.Option(
        "--exact", help="Confirm bound, value and limits in rational numbers (up to 10,000 borrowers)."
    ),
]


def verify(
    folder: RunFolder, exact: ByRationals = False, as_json: AsJson = False, verbose: Verbose = False
) -> None:
    """Recheck a run: every amount, rate and limit, its bound and its value, from the inputs alone."""
    from allocator.report.recheck import recheck_page
    from allocator.store import certificate_to_json, read_run

    with progress(verbose) as tell:
        tell("reading the run")
        stored = read_run(folder)
        from allocator.verification import verify_run

        tell("recomputing it from its inputs" + (", and in rational numbers" if exact else ""))
        certificate = verify_run(stored, exact=exact)
    amounts, rates = len(stored.allocation), int((stored.allocation["amount"] > 0).sum())
    if as_json:
        checked = {"amounts": amounts, "rates": rates, "limits": len(certificate.limits)}
        found = certificate_to_json(certificate)
        figures = {key: found[key] for key in ("bound", "value", "gap", "largest_violation", "inputs")}
        print_json({"verified": True, "exact": exact, "folder": str(folder), "rechecked": checked, **figures})
    else:
        print_page(recheck_page(certificate, amounts, rates, stored.summary, exact=exact))


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Recheck a run from its inputs alone.")(verify)
