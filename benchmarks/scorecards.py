"""Logits beside those of others and beside gradient boosting: PDs out of fold, the same five folds for all.

    python -m benchmarks.scorecards DATA      DATA is the folder of the public sets

It prints the table of docs/decisions/beside-other-logits.md.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from statsmodels.datasets import fair
from statsmodels.discrete.discrete_model import Logit

from allocator.records.scenario import InvoiceFiles
from allocator.scoring import validation
from allocator.scoring.choice import choose
from allocator.scoring.declarations import read_declarations
from allocator.scoring.grades import VARIABLES
from allocator.scoring.reading import derive
from allocator.scoring.score import rated_firms
from allocator.scoring.scorecard import out_of_fold_pd
from allocator.scoring.variables import Binning, Variable

MODELS = Path(__file__).resolve().parents[1] / "models"
FOLDS = 5


@dataclass(frozen=True)
class Case:
    """Rows, outcomes and the variables that every way reads."""

    name: str
    frame: pd.DataFrame
    y: pd.Series
    variables: tuple[Variable, ...]


def cases(data: Path) -> Iterator[Case]:
    """The sets, as they are read."""
    declared = read_declarations(MODELS / "ratings" / "sba-rules.json", "variables")
    loans = pd.read_csv(data / "sba_case_california" / "sba_case_california.csv.gz")
    loans = derive(loans, declared.derived)
    yield Case("SBA, California", loans, loans["Default"], declared.variables)
    club = pd.read_csv(data / "lending_club_modeldata" / "lending_club.csv.gz")
    bad = (club.pop("Class") == "bad").astype(int)
    yield Case("LendingClub", club, bad, _as_they_are(club))
    files = data / "cumcm2020c"
    known, indicators, _ = rated_firms(
        InvoiceFiles(
            files / "invoices_in_123.parquet",
            files / "invoices_out_123.parquet",
            firms=files / "enterprises_123.csv",
        )
    )
    default = pd.Series(known["default"].to_numpy(int), indicators.index)
    yield Case("contest, 123 firms", indicators, default, VARIABLES)
    affairs = fair.load_pandas().data
    had = (affairs.pop("affairs") > 0).astype(int)
    yield Case("Fair's survey", affairs, had, _as_they_are(affairs))
    cells = load_breast_cancer(as_frame=True)
    frame = cells.data[[name for name in cells.data.columns if name.startswith("mean ")]]
    yield Case("breast cancer, ten means", frame, 1 - cells.target, _as_they_are(frame))


def _as_they_are(frame: pd.DataFrame) -> tuple[Variable, ...]:
    """Every column with more than one value, numbers as numbers."""
    varied = [str(name) for name in frame.columns if frame[name].nunique() > 1]
    numbers = {name for name in varied if frame[name].dtype.kind in "iufb"}
    return tuple(Variable(name, "number" if name in numbers else "category") for name in varied)


def declared(case: Case) -> np.ndarray:
    return out_of_fold_pd(case.frame, case.y, case.variables, folds=FOLDS)


def path(case: Case) -> np.ndarray:
    return choose(case.frame, case.y, case.variables, "forward", folds=FOLDS).held_out


def binned_path(case: Case) -> np.ndarray:
    variables = [replace(one, bins=Binning(), transform="none") for one in case.variables]
    return choose(case.frame, case.y, variables, "forward", folds=FOLDS).held_out


def scikit_learn(case: Case) -> np.ndarray:
    return _elsewhere(case, lambda x, y, new: _sklearn(x, y, new), dummies=True)


def by_statsmodels(case: Case) -> np.ndarray:
    def fit(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        design = np.column_stack([np.ones(len(x)), x])
        found = Logit(y, design).fit(disp=0, maxiter=200)
        return np.asarray(found.predict(np.column_stack([np.ones(len(new)), new])))

    return _elsewhere(case, fit, dummies=True)


def boosting(case: Case) -> np.ndarray:
    def fit(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        model = HistGradientBoostingClassifier(random_state=0, max_iter=100, learning_rate=0.05)
        return np.asarray(model.fit(x, y).predict_proba(new)[:, 1])

    return _elsewhere(case, fit, dummies=False)


def _sklearn(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    model = LogisticRegression(C=np.inf, max_iter=2000, tol=1e-8)
    return np.asarray(model.fit(x, y).predict_proba(new)[:, 1])


def _elsewhere(
    case: Case, fit: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray], *, dummies: bool
) -> np.ndarray:
    """PDs out of fold of a model of a matrix; its columns as an analyst of that library prepares them."""
    fold = validation.stratified_folds(case.y.to_numpy(), FOLDS, 0)
    figures = [one.name for one in case.variables if one.kind == "number"]
    levels = [one.name for one in case.variables if one.kind == "category"]
    out = np.empty(len(case.y))
    for k in range(FOLDS):
        coded = (
            OneHotEncoder(drop="first", min_frequency=20, handle_unknown="infrequent_if_exist",
                          sparse_output=False)
            if dummies
            else OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        )  # fmt: skip
        plain = (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()) if dummies else "passthrough"
        )
        made = make_column_transformer((plain, figures), (coded, levels))
        seen, held = case.frame[fold != k], case.frame[fold == k]
        x = made.fit_transform(seen)
        out[fold == k] = fit(x, case.y[fold != k].to_numpy(), made.transform(held))
    return out


WAYS: dict[str, Callable[[Case], np.ndarray]] = {
    "here, as declared": declared,
    "here, forward path": path,
    "here, bins on a forward path": binned_path,
    "scikit-learn, unpenalised": scikit_learn,
    "statsmodels": by_statsmodels,
    "gradient boosting": boosting,
}


def rows(case: Case) -> Iterator[str]:
    """One line of Markdown per way."""
    y = case.y.to_numpy(float)
    first = f"{case.name}: {len(y):,} rows, {int(y.sum()):,} of 1, {len(case.variables)} variables"
    for name, way in WAYS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pds = np.clip(way(case), 1e-9, 1 - 1e-9)
            area, slope = validation.auc(y, pds), validation.calibration(y, pds).slope
            figures = [
                str(area),
                f"{validation.ks(y, pds):.3f}",
                f"{np.mean((pds - y) ** 2):.4f}",
                str(slope),
            ]
        except np.linalg.LinAlgError as error:
            figures = [f"no fit: {error}", "", "", ""]
        yield f"| {first} | {name} | {' | '.join(figures)} |"
        first = ""


def main(arguments: Sequence[str]) -> None:
    print("| set | way | AUC | KS | Brier | calibration slope |\n| --- | --- | --- | ---: | ---: | --- |")
    for case in cases(Path(arguments[0])):
        for line in rows(case):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
