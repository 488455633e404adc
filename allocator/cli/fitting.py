"""`allocator fit KIND`: scorecards, ratings, grades, AHP weights and churn curves as versioned files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from allocator.cli.finishing import finish, target_faults
from allocator.cli.losses import lgd
from allocator.cli.misuse import ReadingCommand, misused
from allocator.cli.options import AsJson, Verbose
from allocator.cli.output import progress
from allocator.cli.shell import answer, require_files
from allocator.errors import Fault, InputError, gathering
from allocator.records.progress import Progress
from allocator.records.sources import InvoiceFiles

if TYPE_CHECKING:
    from allocator.scoring.scorecard import Points

_Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the file and its card go.")]
Name = Annotated[str, typer.Option(metavar="NAME", help="Files are NAME-v1.json, NAME-v1.md; then v2.")]
Purchases = Annotated[Path | None, typer.Option(metavar="FILE", help="Invoices of rated firms: purchases.")]
Sales = Annotated[Path | None, typer.Option(metavar="FILE", help="Invoices of rated firms: sales.")]
Ratings = Annotated[
    Path | None, typer.Option(metavar="FILE", help="enterprise_id, rating, default of rated firms.")
]
Workbook = Annotated[
    Path | None, typer.Option(metavar="XLSX", help="Instead of the three: an official workbook.")
]
Seed = Annotated[int, typer.Option(help="Seed of the folds.", min=0)]
Folds = Annotated[int, typer.Option(help="Folds of the validation.", min=2)]

_Repeats = Annotated[bool, typer.Option("--drop-duplicates", help="Drop repeated invoices; else counted.")]
Penalty = Annotated[
    Literal["none", "firth", "flic", "ridge"],
    typer.Option(
        help="none: maximum likelihood; firth: Firth's penalty; flic: the same with an intercept by which "
        "the mean PD is that of the data; ridge: the squares of the coefficients."
    ),
]
Without = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Says why a row has no outcome to learn from, such as rejected or immature: where it is "
        "not empty rows are left out and counted.",
    ),
]
Weights = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="How much each row counts, above 0; its scale is free.")
]
Choice = Annotated[
    Literal["all", "signs", "forward"],
    typer.Option(
        help="Variables. all: as declared; signs: without those that go against their sign; forward: "
        "the shortest path by score tests, signs kept, that loses nothing out of fold."
    ),
]
GradeMethod = Annotated[
    Literal["ordinal", "void_ranges"],
    typer.Option(
        help="ordinal: an ordinal logit on the indicators; void_ranges: published ranges of the void share."
    ),
]
AhpMethod = Annotated[
    Literal["eigenvector", "geometric_mean"], typer.Option(help="How the weights are computed.")
]
Shape = Annotated[Literal["isotonic", "logistic"], typer.Option(help="Which curve the .csv holds.")]
Only = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only these indicators; may be repeated.")
]

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Fit and validate, and write the result as data."
)


def logit(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="csv, parquet or xlsx, one row per firm.")],
    declared: Annotated[Path, typer.Option("--variables", metavar="JSON", help="Variables, groups, signs.")],
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="1 for a default, 0 for none.")],
    name: Name = "logit",
    out: _Folder = Path("models/scorecards"),
    penalty: Penalty = "flic",
    strength: Annotated[
        float | None, typer.Option(help="Strength of the ridge penalty; 1 if not given.", min=0)
    ] = None,
    bounds: Annotated[
        str | None, typer.Option(metavar="A=1%,..,D=100%", help="Highest PD of each grade, best first.")
    ] = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="Judge also on the latest 30 %.")] = None,
    owed: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Money lent: with --lost, an LGD.")
    ] = None,
    lost: Annotated[str | None, typer.Option(metavar="COLUMN", help="Money not paid back.")] = None,
    points: Annotated[
        str | None, typer.Option(metavar="pdo=20,base=600,odds=50", help="Scale of a score in points.")
    ] = None,
    choose: Choice = "all",
    without: Without = None,
    weights: Weights = None,
    rejects: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="1 for applicants who were declined: no outcome is known."),
    ] = None,
    reject_inference: Annotated[
        Literal["fuzzy", "parcelling"] | None,
        typer.Option(help="How outcomes of rejects are inferred; it creates no information."),
    ] = None,
    reject_factor: Annotated[
        float, typer.Option(help="How many times as bad rejects are as accepted ones alike.")
    ] = 1.0,
    folds: Folds = 5,
    seed: Seed = 0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """PD from variables: a logit with Wald tests and expected signs (the default risk thesis)."""
    faults = target_faults(out, name)
    grades, scale = None, None
    with gathering(faults):
        grades = _bounds(bounds)
    with gathering(faults):
        scale = _scale(points)
    with gathering(faults):
        _both_or_neither(owed, lost)
    with progress(verbose) as tell:
        tell("fitting and validating a logit")
        from allocator.scoring.fitting_logit import logit_from_files
        from allocator.scoring.order import Order, penalty_faults
        from allocator.scoring.rejects import order_faults

        faults += penalty_faults(penalty, strength, "--strength")
        faults += order_faults(reject_inference, rejects, reject_factor, choose, time)

        order = Order(
            outcome,
            penalty=penalty,
            strength=1.0 if strength is None else strength,
            bounds=grades,
            folds=folds,
            time=time,
            money=None if owed is None or lost is None else (owed, lost),
            points=scale,
            choice=choose,
            without=without,
            weights=weights,
            rejects=rejects,
            inference=reject_inference,
            factor=reject_factor,
            seed=seed,
        )
        fit = logit_from_files(data, declared, order, faults)
    finish(fit, out, name, as_json)


def rating(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="csv, parquet or xlsx, one row per loan.")],
    declared: Annotated[Path, typer.Option("--rules", metavar="JSON", help="Rules of the indicators.")],
    default: Annotated[str, typer.Option(metavar="COLUMN", help="1 for a default, 0 for none.")],
    owed: Annotated[str, typer.Option(metavar="COLUMN", help="Money lent.")],
    lost: Annotated[str, typer.Option(metavar="COLUMN", help="Money not paid back.")],
    name: Name = "rating",
    out: _Folder = Path("models/ratings"),
    classes: Annotated[
        str,
        typer.Option(metavar="AAA,AA,..", help="Names, best first: as many classes."),
    ] = "AAA,AA,A,BBB,BB,B,CCC,CC,C",
    without: Without = None,
    weights: Weights = None,
    smallest: Annotated[
        int | None, typer.Option(help="Fewest loans in a class; 1 % of the loans if not given.", min=1)
    ] = None,
    folds: Folds = 5,
    repeats: Annotated[int, typer.Option(help="Random splits per training share.", min=1)] = 10,
    seed: Seed = 0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Score, classes of rising loss rate, PD and LGD (Meng and Chi)."""
    with progress(verbose) as tell:
        tell("fitting and validating a rating")
        from allocator.scoring.fitting_rating import RatingOrder, rating_from_files

        names = list(map(str.strip, classes.split(",")))
        order = RatingOrder(
            default, owed, lost, names, smallest, folds, repeats, without=without, weights=weights, seed=seed
        )
        fit = rating_from_files(data, declared, order, target_faults(out, name))
    finish(fit, out, name, as_json)


def grade(
    purchases: Purchases = None,
    sales: Sales = None,
    ratings: Ratings = None,
    workbook: Workbook = None,
    name: Name = "grade",
    out: _Folder = Path("models/grades"),
    method: GradeMethod = "ordinal",
    shrinkage: Annotated[float, typer.Option(help="Defaults added to each frequency.", min=0)] = 0.5,
    drop_duplicates: _Repeats = False,
    folds: Folds = 10,
    seed: Seed = 0,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Probabilities of the grades and a PD, learnt from rated firms' invoices (the credit strategy study)."""
    with progress(verbose) as tell:
        tell("reading invoices, fitting and validating grades")
        from allocator.scoring.fitting_firms import grade_from_files

        files = InvoiceFiles(
            purchases, sales, workbook, ratings, duplicates="drop" if drop_duplicates else "keep"
        )
        faults = target_faults(out, name)
        fit = grade_from_files(
            files, method=method, shrinkage=shrinkage, folds=folds, seed=seed, earlier=faults
        )
    finish(fit, out, name, as_json)


def ahp(
    judgements: Annotated[Path, typer.Argument(metavar="JSON", help="Judgement matrices, as in models/ahp.")],
    name: Name = "ahp",
    out: _Folder = Path("models/ahp"),
    method: AhpMethod = "eigenvector",
    as_json: AsJson = False,
) -> None:
    """Weights from pairwise judgements, with their consistency (the credit strategy study)."""
    from allocator.scoring.fitting_firms import ahp_from_file

    faults, fit = target_faults(out, name), None
    with gathering(faults):
        fit = ahp_from_file(judgements, method)
    if fit is None or faults:
        raise InputError.of(faults, "fit ahp")
    finish(fit, out, name, as_json)


def churn(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="rate, grade, left (0/1); or rate and shares by grade."),
    ],
    name: Name = "churn",
    out: _Folder = Path("models/churn"),
    shape: Shape = "isotonic",
    as_json: AsJson = False,
) -> None:
    """A churn curve that does not fall with the rate."""
    from allocator.scoring.fitting_firms import churn_from_file

    faults, fit = target_faults(out, name), None
    with gathering(faults):
        fit = churn_from_file(data, shape)
    if fit is None or faults:
        raise InputError.of(faults, "fit churn")
    finish(fit, out, name, as_json)


def correlation(
    purchases: Purchases = None,
    sales: Sales = None,
    ratings: Ratings = None,
    workbook: Workbook = None,
    indicator: Only = None,
    drop_duplicates: _Repeats = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the indicators by grade (csv, parquet, xlsx)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Which indicators go with the rating: Pearson, Spearman, p and N (credit strategy study, table 4)."""
    from allocator.report.frame import frame_rows, frame_table
    from allocator.report.view import View
    from allocator.scoring.correlation import medians, starred_table

    def ask(_: Progress) -> View:
        from allocator.scoring.fitting_firms import correlation_from_files

        faults, written = misused(), [] if out is None else [out]
        with gathering(faults):
            require_files(None, written, force=force)
        twice: Literal["drop", "keep"] = "drop" if drop_duplicates else "keep"
        files = InvoiceFiles(purchases, sales, workbook, ratings, duplicates=twice)
        table, grades = correlation_from_files(files, indicator, faults)
        stars = "** p below 0.01, * below 0.05, two-sided; grade A counts 4, D 1"
        shown = (
            frame_table("Rating against indicators", starred_table(table)),
            stars,
            "",
            frame_table("Medians by grade", medians(grades)),
        )
        return View(
            page=lambda: (*shown, *(() if out is None else ("", f"written to {out}"))),
            document=lambda: {"correlation": frame_rows(table), "by_grade": frame_rows(grades)},
            files={path: grades.reset_index() for path in written},
        )

    answer(ask, as_json=as_json, verbose=False)


def export(
    scorecard: Annotated[Path, typer.Argument(metavar="JSON", help="A file that fit logit wrote.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .sql file: a query; a .csv file: its terms.")],
    table: Annotated[str, typer.Option(metavar="NAME", help="The table that the query reads.")] = "borrowers",
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """A PD scorecard for other programs: a query that scores, or what each term adds."""
    from allocator.report.view import View
    from allocator.scoring.export import exported

    def ask(_: Progress) -> View:
        faults = misused()
        with gathering(faults):
            require_files(None, [out], (".sql", ".csv"), force=force)
        content = exported(scorecard, out.suffix.lower(), table, faults)
        return View(
            page=lambda: (f"written to {out}",), document=lambda: {"file": str(out)}, files={out: content}
        )

    answer(ask, as_json=as_json, verbose=False)


COMMANDS = (
    (logit, "PD by a logit of variables.", "logit firms.csv --variables variables.json --outcome default"),
    (rating, "Scores, classes of rising loss rate, PD and LGD.",
     "rating loans.csv --rules rules.json --default bad --owed lent --lost unpaid"),
    (lgd, "Loss given default by segment, or by a regression.",
     "lgd loans.csv --default bad --owed lent --lost unpaid --by sector"),
    (grade, "Grades and their PD, learnt from rated firms.",
     "grade --purchases in.parquet --sales out.parquet --ratings firms.csv"),
    (ahp, "Weights from pairwise judgements.", "ahp models/ahp/enterprise-credit.json"),
    (churn, "A churn curve that does not fall with the rate.", "churn offers.csv --shape logistic"),
    (correlation, "Which indicators go with the rating.",
     "correlation --purchases in.parquet --sales out.parquet --ratings firms.csv --indicator void_share"),
    (export, "A scorecard as SQL or as a table of its terms.",
     "export models/scorecards/logit-v1.json --out scorecard.sql"),
)  # fmt: skip
"""Each with its line in the list of `fit`, where longer ones are cut, and an example of its use."""
for command, summary, example in COMMANDS:
    epilog = f"Example: allocator fit {example}"
    app.command(epilog=epilog, short_help=summary, cls=ReadingCommand)(command)


def _both_or_neither(owed: str | None, lost: str | None) -> None:
    """Raise InputError where one column of money is named and the other is not."""
    if (owed is None) != (lost is None):
        missing = "--owed" if owed is None else "--lost"
        raise InputError.of([Fault("is missing", "an LGD needs both columns", field=missing)], "fit logit")


def _scale(text: str | None) -> Points | None:
    """`pdo=20,base=600,odds=50` as a scale. Raises InputError."""
    if text is None:
        return None
    from allocator.scoring.scorecard import scale_of

    parts = (part.partition("=") for part in text.split(","))
    return scale_of({name.strip(): value for name, _, value in parts}, "--points")


def _bounds(text: str | None) -> dict[str, float] | None:
    """`A=1%,B=5%,C=100%` as a mapping. Raises InputError."""
    if text is None:
        return None
    from allocator.scoring.scorecard import check_bounds

    out: dict[str, float] = {}
    faults = []
    for part in text.split(","):
        grade_name, _, value = map(str.strip, part.partition("="))
        if grade_name in out:
            faults.append(Fault(f"{grade_name} stands twice", "name each grade once", field="--bounds"))
        try:
            out[grade_name] = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            faults.append(Fault(f"{part!r} is no bound", "write GRADE=PD, such as A=1%", field="--bounds"))
    if grade_name not in out:  # the last is unreadable: what it ends at is not known
        out[grade_name] = 1.0
    with gathering(faults):
        check_bounds(out, "--bounds")
    if faults:
        raise InputError.of(faults, "fit logit")
    return out
