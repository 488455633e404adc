"""`python -m benchmarks run [--full] [--case NAME] [--size N] [--only PART]`, and `... page`.

`run` measures and keeps results as JSON in benchmarks/results; `page` makes docs/benchmarks.md and its
plot from them. Every measurement is a process of its own, one after the other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.command import measure_command
from benchmarks.machine import BUSY, load
from benchmarks.measure import child, keep, measure_case, results
from benchmarks.mmkp import EXACT, SECONDS, folder, measured, read_index
from benchmarks.page import write_page
from benchmarks.peers import PEERS
from benchmarks.registry import CASES
from benchmarks.trees import measured as measured_trees

PARTS = ("cases", "command", "peers", "mmkp", "trees")
GAP = 1e-9
"""Relative gap asked of the engine alone."""
PEER_GAP = 1e-6
"""Asked of peers."""


@dataclass(frozen=True)
class Race:
    """The engine and its peers on one case and size, in one run."""

    case: str
    size: int
    seconds: float
    """Time limit of each peer."""
    peers: tuple[str, ...]
    gap: float = GAP
    """Asked of the engine; a race to the peers' gap takes theirs."""

    @property
    def name(self) -> str:
        return f"peers-{self.case}-{self.size}"


ALL = tuple(PEERS)
ON_ARRAYS = ("highs-offers", "highs-borrowers", "ridge-dual")
RACES = (Race("central", 302, 30.0, ALL), Race("few", 3_000, 20.0, ("highs-borrowers", "ridge-dual")))
FULL_RACES = (
    Race("central", 3_000, 300.0, ALL, PEER_GAP),
    Race("binding", 3_000, 300.0, ("pyomo-rules", "highs-offers", "scipy-milp", "ridge-dual")),
    Race("few", 30_000, 120.0, ON_ARRAYS),
    Race("central", 30_000, 120.0, ON_ARRAYS),
    Race("few", 300_000, 120.0, ("highs-borrowers", "ridge-dual")),
    Race("central", 300_000, 120.0, ("ridge-dual",)),
    *(
        Race(name, size, 60.0, ("highs-offers",))
        for name in ("tight", "tight-steps", "tight-large-steps", "tight-costs", "tight-branches")
        for size in (3_000, 30_000)
    ),
)


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.what == "run":
        for name, content in _measured(options):
            keep(name, content)
    write_page()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    run = what.add_parser("run", help="measure, keep the results, make the page")
    run.add_argument("--full", action="store_true", help="every case, size and peer: hours")
    run.add_argument("--case", choices=CASES, help="this case only")
    run.add_argument("--size", type=int, help="this size only")
    run.add_argument("--only", choices=PARTS, help="this part only")
    run.add_argument("--peer", choices=PEERS, help="this peer only")
    run.add_argument("--instance", help="public knapsacks whose names begin so")
    what.add_parser("page", help="make the page from the results that are there")
    return parser


def _measured(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    parts = PARTS if options.only is None else (options.only,)
    if "cases" in parts:
        yield from _cases(options)
    if "command" in parts and options.case in (None, "central"):
        for size in _sizes(options, (1_000_000,), ()):
            _tell(f"the whole command, {size:,} borrowers")
            yield f"command-{size}", {"command": measure_command(size, 5, 600.0)}
    if "peers" in parts:
        for race in _races(options):
            yield race.name, {"race": _run(race, options.peer)}
    if "mmkp" in parts and options.case is None:
        yield from _knapsacks(options)
    if "trees" in parts and (options.full or options.only == "trees"):
        for record in measured_trees(_tell):
            yield "proof-trees", {"trees": record}


def _knapsacks(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Public knapsacks: all if asked for, else those with a proved value; kept after each."""
    index = read_index(folder() / "index.csv")
    every = options.full or options.only == "mmkp"
    names = [name for name, published in index.items() if every or published.family in EXACT]
    if options.instance is not None:
        names = [name for name in names if name.startswith(options.instance)]
    _tell(f"{len(names)} public knapsacks")
    for record in measured(results().get("mmkp", {}).get("mmkp", {}), names, SECONDS):
        yield "mmkp", {"mmkp": record}


def _cases(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    for case in CASES.values():
        if options.case not in (None, case.name):
            continue
        for size in _sizes(options, case.sizes, case.full_sizes):
            _tell(f"{case.name}, {size:,} borrowers")
            repeats = 5 if size <= 1_000_000 else 3
            yield f"{case.name}-{size}", {"case": measure_case(case.name, size, repeats, GAP, 1_200.0)}


def _sizes(options: argparse.Namespace, quick: tuple[int, ...], full: tuple[int, ...]) -> tuple[int, ...]:
    if options.size is not None:
        return (options.size,)
    return quick + full if options.full else quick


def _races(options: argparse.Namespace) -> list[Race]:
    known = [*RACES, *(FULL_RACES if options.full else ())]
    if options.size is not None and options.only == "peers":
        known = [*RACES, *FULL_RACES]
    return [race for race in known if options.case in (None, race.case) and options.size in (None, race.size)]


def _run(race: Race, only: str | None) -> dict[str, Any]:
    """The engine first, then each peer; a peer that does not end in thrice its time is ended."""
    _tell(f"{race.case}, {race.size:,} borrowers, against peers")
    engine = measure_case(race.case, race.size, 5, race.gap, 600.0)
    peers = []
    for peer in race.peers if only is None else (only,):
        _tell(f"  {PEERS[peer]}")
        arguments = ["peer", peer, race.case, str(race.size), str(PEER_GAP), str(race.seconds)]
        found = child(["-m", "benchmarks.worker", *arguments], 3 * race.seconds + 120)
        peers.append({"peer": peer, "what": PEERS[peer], **found})
    return {**asdict(race), "engine": engine, "peers": peers}


def _tell(words: str) -> None:
    busy = " (the machine is busy)" if load() > BUSY else ""
    print(f"{words}{busy}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
