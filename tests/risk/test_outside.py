"""Capital requirements beside those of a public library, which shares nothing with this one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from allocator.records.risk import CapitalRule
from allocator.risk.capital import capital_of
from tests.builders import portfolio

LIBRARY = "creditriskengine==0.31.0"
FORMULAS = "creditriskengine/rwa/irb/formulas.py"
CLASSES = {"corporate": "corporate", "sme": "corporate", "retail": "other_retail"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Its module of formulas, which needs SciPy alone: nothing of it is installed."""
    folder = tmp_path_factory.mktemp("library")
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), LIBRARY]
    subprocess.run(fetch, check=True)
    [wheel] = folder.glob("*.whl")
    path = Path(zipfile.ZipFile(wheel).extract(FORMULAS, folder))
    described = importlib.util.spec_from_file_location("outside_formulas", path)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


@pytest.mark.full
@pytest.mark.parametrize("asset_class", CLASSES)
def test_ten_thousand_exposures_have_the_risk_weights_of_a_public_library(
    asset_class: Any, library: ModuleType
) -> None:
    n, draw = 10_000, np.random.default_rng(5)
    pd, lgd = draw.random(n) ** 3, draw.random(n)
    sales, maturity = draw.uniform(1.0, 70.0, n), float(draw.uniform(1.0, 5.0))
    book = portfolio(["A"] * n, pd=pd.tolist(), lgd=lgd.tolist(), numbers={"turnover": sales.tolist()})
    ours = 1_250.0 * capital_of(CapitalRule(asset_class=asset_class, maturity=maturity), book)
    theirs = [
        library.irb_risk_weight(
            float(p), float(loss), CLASSES[asset_class], maturity, float(s) if asset_class == "sme" else None
        )
        for p, loss, s in zip(pd, lgd, sales, strict=True)
    ]
    # Half of the last of our eight places, in percent of a risk weight.
    assert np.max(np.abs(ours - np.array(theirs))) <= 1_250.0 * 0.51e-8
