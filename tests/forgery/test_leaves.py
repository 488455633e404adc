"""Whatever is altered in a run's JSON files, one figure or text at a time, both readers notice."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from pathlib import Path

import pytest

from allocator import checker
from allocator.errors import CertificateError, InputError
from allocator.store import read_run
from allocator.verification import verify_run
from tests.forgery import runs
from tests.forgery.leaves import Leaf, altered
from tests.forgery.runs import Files, solved

FREE = re.compile(
    r"summary\.json (seconds|versions|notes|peak_memory_mb|solved_at)\b.*|scenario\.json stresses other .*"
)
"""Stated and not checked, as docs/certificate.md says; of scenario.json a stress that no run uses, by the
stand-alone checker.
"""
PROVING = re.compile(r"certificate\.json (lists )?(.*nodes [0-9]+ )?(prices .+|keeps|amounts)")
"""Prices of a proof, what cuts keep and where it splits amounts: any that prove its bounds will do."""


def passes(run: Path) -> list[str]:
    """Which readers take the run; one that finds a file missing does not."""
    taken = []
    with suppress(CertificateError, InputError):
        verify_run(read_run(run))
        taken.append("verify")
    with suppress(checker.Missing):
        taken += [] if checker.check(str(run)) else ["checker"]
    return taken


def unnoticed(run: Path, some: list[Leaf]) -> list[tuple[str, str, str, list[str]]]:
    """File, place and alteration of each leaf that a reader takes for the run's own."""
    files, found = Files(run), []
    for leaf in some:
        before = (run / leaf.file).read_bytes()
        leaf.put_in(files)
        taken = passes(run)
        (run / leaf.file).write_bytes(before)
        if taken:
            found.append((leaf.file, leaf.place.replace("\n", " "), leaf.name, taken))
    return found


def held(run: Path) -> list[Leaf]:
    """Every alteration of what is not free."""
    found = []
    for leaf in altered(Files(run)):
        place = f"{leaf.file} {leaf.place}".replace("\n", " ")
        proving = leaf.name not in ("null", "text") and not place.startswith("certificate.json prices")
        if not FREE.fullmatch(place) and not (proving and PROVING.fullmatch(place)):
            found.append(leaf)
    return found


@pytest.mark.parametrize("base", ["lists", "followed", "soft"])
def test_both_readers_notice_some_alterations(base: str, tmp_path: Path) -> None:
    run = solved(tmp_path / base, getattr(runs, base.upper()))
    assert passes(run) == ["verify", "checker"]
    assert unnoticed(run, random.Random(1).sample(held(run), 25)) == []


@pytest.mark.full
@pytest.mark.parametrize(
    "base", ["rich", "steps", "weighted", "changed", "sectors", "conditional", "grid", "segments", "workbook"]
)
def test_both_readers_notice_every_alteration(base: str, tmp_path: Path) -> None:
    run = solved(tmp_path / base, getattr(runs, base.upper()))
    every = held(run)
    assert unnoticed(run, random.Random(2).sample(every, min(len(every), 1_500))) == []
