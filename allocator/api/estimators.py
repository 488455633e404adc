"""The PD scorecard as an estimator of scikit-learn, which is imported only here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import numpy as np
import pandas as pd

from allocator.api.arguments import Within, read_arguments
from allocator.api.scenarios import declarations
from allocator.errors import InputError
from allocator.extras import require
from allocator.records.portfolio import Floats
from allocator.scoring.declarations import read_declarations
from allocator.scoring.logit import Penalty
from allocator.scoring.scorecard import fit_scorecard
from allocator.scoring.variables import Variable

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError:
    require("sklearn")
    raise


class DataError(InputError, ValueError):
    """InputError in the place where scikit-learn expects a ValueError."""


class LogitScorecard(ClassifierMixin, BaseEstimator):
    """Probability of default by a penalised logit of prepared variables, for scikit-learn.

    variables  None: every column, a number or, where it holds texts, a category; or names, or mappings as in
               docs/scoring.md: {"name": "cash_ratio", "sign": -1, "transform": "log"}
    penalty    "flic" (Firth's with the intercept refitted), "firth", "ridge" or "none", which needs the extra
               `scoring`
    strength   of the ridge penalty

    `fit` takes X (n, k), a DataFrame or an array, missing values included, and y (n,) of two classes, the
    second in their order being the default. `predict_proba` gives (n, 2) probabilities. Numbers are cut at
    their quantiles, imputed by their median and standardised; texts are one column per level. Formulas and
    sources: docs/scoring.md. After `fit`: classes_, n_features_in_, feature_names_in_, scorecard_ (the record
    that `wald()` tests). Raises InputError, which is a ValueError here, for data that cannot be fitted.

    >>> import pandas as pd
    >>> from allocator import LogitScorecard
    >>> X = pd.DataFrame({"debt": [1.0, 2, 3, 4, 5, 6], "sector": list("aabbab")})
    >>> card = LogitScorecard(["debt"]).fit(X, [0, 0, 1, 0, 1, 1])
    >>> card.predict_proba(X)[:, 1].round(2).tolist()
    [0.16, 0.26, 0.42, 0.58, 0.74, 0.84]
    """

    def __init__(
        self,
        variables: Sequence[str | Mapping[str, Any]] | None = None,
        *,
        penalty: Penalty = "flic",
        strength: float = 1.0,
    ) -> None:
        self.variables = variables
        self.penalty = penalty
        self.strength = strength

    def fit(self, X: Any, y: Any) -> LogitScorecard:
        """Learn from X (n, k) and y (n,) of two classes; the second in their order is the default."""
        frame, target = self._read(X, y)
        check_classification_targets(target)
        kind = type_of_target(target)
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, codes = np.unique(target, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y holds one class only: give borrowers of both kinds")
        with _as_data_error():
            (variables, penalty, strength), _ = read_arguments(_parameters, (), self.get_params())
            self.scorecard_ = fit_scorecard(
                frame,
                pd.Series(codes.astype(float), index=frame.index),
                self._declared(frame, variables),
                penalty=penalty,
                strength=strength,
            )
        return self

    def decision_function(self, X: Any) -> Floats:
        """(n,) log-odds of default."""
        check_is_fitted(self)
        frame, _ = self._read(X)
        with _as_data_error():
            return self.scorecard_.log_odds(frame)

    def predict_proba(self, X: Any) -> Floats:
        """(n, 2) probabilities in the order of classes_: repaid, default."""
        odds = self.decision_function(X)
        default = 1.0 / (1.0 + np.exp(-odds))
        return np.column_stack([1.0 / (1.0 + np.exp(odds)), default])

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """(n,) the likelier class."""
        beyond = self.decision_function(X) > 0
        likelier: np.ndarray[Any, Any] = self.classes_[beyond.astype(int)]
        return likelier

    def _declared(
        self, frame: pd.DataFrame, variables: Sequence[str | Mapping[str, Any]] | None
    ) -> list[Variable]:
        if variables is None:
            texts = [not pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
            pairs = zip(frame.columns, texts, strict=True)
            return [Variable(name, "category" if text else "number") for name, text in pairs]
        return list(read_declarations(declarations(variables, "variables"), "variables").variables)

    def _read(self, X: Any, y: Any = None) -> tuple[pd.DataFrame, Any]:
        """The table, and the target where one is given; both checked as scikit-learn checks them."""
        fitting = y is not None
        given: dict[str, Any] = {"y": y} if fitting else {}
        if isinstance(X, pd.DataFrame) and not all(map(pd.api.types.is_numeric_dtype, X.dtypes)):
            checked = validate_data(self, X, reset=fitting, skip_check_array=True, **given)
            frame, target = checked if fitting else (checked, None)
            return frame.reset_index(drop=True), None if target is None else np.asarray(target)
        checked = validate_data(
            self, X, reset=fitting, dtype=np.float64, ensure_all_finite="allow-nan", **given
        )
        values, target = checked if fitting else (checked, None)
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(values.shape[1])])
        return pd.DataFrame(values, columns=list(names)), target

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def _parameters(
    variables: Sequence[str | Mapping[str, Any]] | None,
    penalty: Penalty,
    strength: Annotated[float, Within(0)],
) -> tuple[Sequence[str | Mapping[str, Any]] | None, Penalty, float]:
    """What the parameters may be: held against it when something is fitted, as scikit-learn has it."""
    return variables, penalty, strength


@contextmanager
def _as_data_error() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise DataError(error.message, error.faults) from error
