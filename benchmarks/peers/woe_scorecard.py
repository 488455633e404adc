"""A scorecard of weights of evidence as the library scorecardpy makes it: PDs out of fold.

It runs in an environment of its own, which needs nothing of this project:

    python -m venv woe
    woe/bin/pip install scorecardpy==0.1.9.7 "pandas<2.2" "numpy<2" "scikit-learn<1.6" "scipy<1.14" \\
        "setuptools<81"
    woe/bin/python benchmarks/peers/woe_scorecard.py FOLDER

FOLDER holds the sets that `python -m benchmarks.scorecards DATA --export FOLDER` wrote: NAME.csv.gz with
the outcome in `y` and the fold in `fold`, and NAME.json with the variables' kinds. NAME.pd.csv comes to
stand beside each, fold by fold: what was broken off goes on where it was.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd


def main(arguments: Sequence[str]) -> None:
    for kinds in sorted(Path(arguments[0]).glob("*.json")):
        frame = _read(kinds)
        answer = kinds.with_suffix(".pd.csv")
        pds = pd.read_csv(answer)["pd"].to_numpy().copy() if answer.exists() else np.full(len(frame), np.nan)
        for fold in sorted(frame["fold"].unique()):
            held = (frame["fold"] == fold).to_numpy()
            if np.isnan(pds[held]).any():
                data = frame.drop(columns="fold")
                pds[held] = _foretold(data[~held], data[held])
                pd.DataFrame({"pd": pds}).to_csv(answer, index=False)
                print(kinds.stem, fold, flush=True)


def _read(kinds: Path) -> pd.DataFrame:
    """The set beside `kinds`, its levels as texts."""
    numbers = json.loads(kinds.read_text(encoding="utf-8"))["numbers"]
    frame = pd.read_csv(kinds.with_suffix(".csv.gz"), dtype={"y": int, "fold": int}, low_memory=False)
    levels = [name for name in frame.columns if name not in (*numbers, "y", "fold")]
    frame[levels] = frame[levels].astype(object).where(frame[levels].notna(), None)
    frame[levels] = frame[levels].map(lambda cell: cell if cell is None else str(cell))
    return frame


def _foretold(seen: pd.DataFrame, new: pd.DataFrame) -> np.ndarray:
    """(n,) PDs of `new` by bins and a logit of their weights fitted to `seen`, all as the library sets it."""
    import scorecardpy
    from sklearn.linear_model import LogisticRegression

    kept = scorecardpy.var_filter(seen.copy(), y="y")
    bins = scorecardpy.woebin(kept, y="y", print_info=False, no_cores=1, check_cate_num=False)
    first, second = (
        scorecardpy.woebin_ply(part[[*kept.columns]].copy(), bins, no_cores=1, print_info=False)
        for part in (seen, new)
    )
    columns = [name for name in first.columns if name.endswith("_woe")]
    model = LogisticRegression(C=np.inf, max_iter=2000).fit(first[columns].fillna(0.0), first["y"])
    return np.asarray(model.predict_proba(second[columns].fillna(0.0))[:, 1])


if __name__ == "__main__":
    main(sys.argv[1:])
