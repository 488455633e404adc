"""Real firms and loans, read once a session."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from allocator.records.sources import InvoiceFiles
from allocator.scoring.declarations import read_declarations
from allocator.scoring.reading import derive
from allocator.scoring.score import rated_firms

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def models() -> Path:
    """The shipped fitted files."""
    return ROOT / "models"


@pytest.fixture(scope="session")
def contest(data: Path) -> Path:
    """The folder of the contest's data."""
    return data / "cumcm2020c"


def rated(contest: Path) -> InvoiceFiles:
    """The files of the 123 rated firms."""
    return InvoiceFiles(
        contest / "invoices_in_123.parquet",
        contest / "invoices_out_123.parquet",
        firms=contest / "enterprises_123.csv",
    )


@pytest.fixture(scope="session")
def firms(contest: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The 123 rated firms (rating, default) and their indicators."""
    known, indicators, _ = rated_firms(rated(contest))
    return known, indicators


@pytest.fixture(scope="session")
def loans(data: Path, models: Path) -> pd.DataFrame:
    """The SBA loans with derived columns and `lost`, the money that a default cost."""
    frame = pd.read_csv(data / "sba_case_california" / "sba_case_california.csv.gz")
    frame = derive(frame, read_declarations(models / "ratings" / "sba-rules.json", "rules").derived)
    lost = frame["ChgOffPrinGr"].where(frame["Default"] == 1, 0)
    return frame.assign(lost=lost.clip(upper=frame["DisbursementGross"]))
