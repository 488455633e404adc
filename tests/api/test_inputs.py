"""What Python has beside the questions: checking, inventing borrowers, the committee's report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from allocator import InputError, allocate, check, synth, write_report
from allocator.portfolio.synthesis import parts

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ROOT / "scenarios/sme-302.yaml"


def test_check_tells_what_the_command_tells() -> None:
    found = check(PLAIN, sets={"policy.budget.amount": 5e9})
    assert str(found).startswith("sme-302: no faults")
    assert found.table["borrowers"].sum() == found.document["borrowers"] == 302
    firms = pd.DataFrame({"borrower_id": ["a"], "grade": ["A"], "pd": [2.0], "lgd": [-1.0]})
    with pytest.raises(InputError) as caught:
        check(PLAIN, borrowers=firms, sets={"policy.rates": {"Z": ["4%", "15%"]}})
    assert {"pd", "lgd"} <= {fault.field for fault in caught.value.faults}


def test_invented_borrowers_are_those_of_the_command() -> None:
    made = synth(300, seed=3)
    (part,) = parts(300, 3)
    assert made.equals(part.to_pandas())
    assert allocate(PLAIN, borrowers=made).status == "optimal"
    assert {"2019", "2020"} <= set(synth(300, years="2019-2020").astype(str).to_numpy().ravel())
    with pytest.raises(InputError, match="borrowers: 0 lies outside 1 to 10,000,000"):
        synth(0)
    with pytest.raises(InputError, match="years: '2019' is no span of years; write it as 2019-2024"):
        synth(9, years="2019")


def test_a_report_is_written_as_page_and_as_markdown(tmp_path: Path) -> None:
    run = allocate(PLAIN)
    page = write_report(run, out=tmp_path / "run.html", quick=True)
    assert "<h1" in page.read_text()
    both = write_report(run, PLAIN, out=tmp_path / "both.md", quick=True)
    assert both.read_text().startswith("# ")
    with pytest.raises(InputError, match="a file of this name is there; name another or give force=True"):
        write_report(run, out=page)
    with pytest.raises(InputError, match="subjects: a scenario alone is no run"):
        write_report(PLAIN, out=tmp_path / "other.md")
    with pytest.raises(InputError, match=r"no format for the ending \.docx"):
        write_report(run, out=tmp_path / "run.docx")
