"""How the command starts and ends: help, usage, failures of every kind, signals, closed pipes."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import allocator as package
from allocator import errors
from allocator.cli.main import app
from allocator.cli.output import PATIENCE
from allocator.cli.signals import Terminated
from allocator.errors import Fault
from tests.cli.conftest import Allocator, Outcome, finish, start
from tests.conftest import ROOT

COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]
GROUPS = [str(group.name) for group in app.registered_groups]


def test_help_lists_every_command_with_what_it_does(allocator: Allocator) -> None:
    outcome = allocator("--help")
    assert outcome.status == 0
    listed = re.findall(r"^  (\w+)  +[A-Z].*\.$", outcome.out.partition("Commands:")[2], re.MULTILINE)
    assert listed == [*COMMANDS, *GROUPS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_json(allocator: Allocator, command: str) -> None:
    outcome = allocator(command, "-h")
    assert outcome.status == 0
    assert f"Example: allocator {command} " in outcome.out
    assert "--json" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_version(allocator: Allocator) -> None:
    assert allocator("--version").out == f"allocator {package.__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    heavy = "numpy pandas scipy rich ruamel.yaml pyarrow pyomo highspy numba sqlalchemy"
    code = (
        "import sys; from allocator.cli.main import main; main(['solve', '--help']);"
        f"print('HEAVY', [name for name in {heavy.split()} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.endswith("HEAVY []\n")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, allocator; print([n for n in ('numpy', 'pandas', 'typer') if n in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


@pytest.mark.parametrize("name", package.__all__)
def test_the_package_has_the_names_that_it_promises(name: str) -> None:
    assert getattr(package, name) is not None
    assert name in dir(package)


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="module 'allocator' has no attribute 'allocat'"):
        package.allocat  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verfiy"], "no such command 'verfiy'. Did you mean 'verify'? -> `allocator --help` lists"),
        (["solve"], "missing argument 'FILE' -> `allocator solve --help` lists what may be given"),
        (["solve", "a", "b"], "got unexpected extra argument"),
        (["solve", "a", "--outt", "x"], "no such option: --outt"),
        (["synth", "--borrowers", "many", "--out", "f.csv"], "'--borrowers': expected a whole number"),
        (["synth", "--borrowers", "0", "--out", "f.csv"], "'--borrowers': expected a number greater"),
    ],
)
def test_misuse_exits_2_in_words_and_in_json(allocator: Allocator, arguments: list[str], told: str) -> None:
    in_words = allocator(*arguments)
    assert (in_words.status, in_words.out) == (2, "")
    assert told in in_words.told
    in_json = allocator(*arguments, "--json")
    assert (in_json.status, in_json.err) == (2, "")
    assert in_json.json["error"]["code"] == "bad_input"
    fault = in_json.json["error"]["faults"][0]
    assert told.partition(" ->")[0] in fault["problem"]


def test_no_command_is_misuse(allocator: Allocator) -> None:
    assert "missing command -> `allocator --help`" in allocator().told


FAULT = Fault("is wrong", "mend it", file="a.yaml", line=3, field="policy")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.AllocatorError("went wrong", [FAULT]), 1, "failed"),
        (errors.InputError("went wrong", [FAULT]), 2, "bad_input"),
        (errors.InfeasibleError("went wrong", ["A line", "book"], [FAULT]), 3, "infeasible"),
        (errors.NoAllocationError("went wrong", [FAULT]), 4, "no_allocation"),
        (errors.CertificateError("went wrong", [FAULT]), 5, "certificate_failed"),
        (errors.OutputError("went wrong", [FAULT]), 1, "not_written"),
    ],
)
def test_each_error_has_its_exit_status_and_code(
    case: Path,
    allocator: Allocator,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("allocator.insight.whatif.relaxations.allocate_with_outcome", fail)
    in_words = allocator("solve", "scenario.yaml", "--out", "run")
    assert (in_words.status, in_words.out) == (status, "")
    assert in_words.err == "error: went wrong\n  a.yaml, line 3, policy\n    is wrong\n    -> mend it\n"
    in_json = allocator("solve", "scenario.yaml", "--out", "run", "--json")
    assert (in_json.status, in_json.err) == (status, "")
    told = in_json.json["error"]
    assert told.pop("conflict", None) == (["A line", "book"] if status == 3 else None)
    assert told.pop("conflicts", None) == ([["A line", "book"]] if status == 3 else None)
    assert told.pop("relaxations", None) == ([] if status == 3 else None)
    assert told.pop("stopped", None) == (False if status == 3 else None)
    assert told == {
        "code": code,
        "message": "went wrong",
        "faults": [
            {
                "file": "a.yaml",
                "line": 3,
                "row": None,
                "cell": None,
                "field": "policy",
                "problem": "is wrong",
                "remedy": "mend it",
            }
        ],
    }
    assert not (case / "run").exists()


def test_an_unexpected_error_is_one_message_and_a_traceback_only_on_request(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("allocator.insight.whatif.relaxations.allocate_with_outcome", fail)
    plain = allocator("solve", "scenario.yaml", "--out", "run")
    assert plain.status == 1
    assert plain.told.startswith("error: ZeroDivisionError: of all things; this should not happen")
    assert "Traceback" not in plain.err
    debugged = allocator("--debug", "solve", "scenario.yaml", "--out", "run")
    assert debugged.status == 1
    assert "Traceback" in debugged.err
    in_json = allocator("solve", "scenario.yaml", "--out", "run", "--json")
    assert in_json.json["error"]["code"] == "unexpected"


@pytest.mark.parametrize(
    ("interruption", "status", "code"),
    [(KeyboardInterrupt, 130, "interrupted"), (Terminated, 143, "terminated")],
)
def test_an_interruption_has_its_exit_status(
    case: Path,
    allocator: Allocator,
    monkeypatch: pytest.MonkeyPatch,
    interruption: type[BaseException],
    status: int,
    code: str,
) -> None:
    def interrupt(*_: object) -> None:
        raise interruption

    monkeypatch.setattr("allocator.insight.whatif.relaxations.allocate_with_outcome", interrupt)
    in_words = allocator("solve", "scenario.yaml", "--out", "run")
    assert (in_words.status, in_words.out, in_words.err) == (
        status,
        "",
        "error: stopped; nothing was written\n",
    )
    in_json = allocator("solve", "scenario.yaml", "--out", "run", "--json")
    assert (in_json.status, in_json.json["error"]["code"]) == (status, code)


def test_long_messages_fit_the_page_and_control_signs_are_shown(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise errors.InputError("many words " * 40, [Fault("\x1b[31mred\x07 " * 30, "mend " * 60, field="f")])

    monkeypatch.setattr("allocator.insight.whatif.relaxations.allocate_with_outcome", fail)
    told = allocator("solve", "scenario.yaml", "--out", "run").err
    assert max(map(len, told.splitlines())) <= 100
    assert r"\x1b[31mred\x07" in told
    assert "\x1b" not in told


YEARS = str(ROOT / "scenarios" / "sme-720-years.yaml")
WAITING = """
import sys, time
from importlib import import_module
from allocator.cli.main import main
def wait(*_, **__):
    print("there", file=sys.stderr, flush=True)
    time.sleep(60)
module, _, name = sys.argv[1].rpartition(".")
setattr(import_module(module), name, wait)
sys.exit(main(sys.argv[2:]))
"""


def stopped(stage: str, number: int, *command: str) -> Outcome:
    """A command, a solve if none is given, that is sent the signal while it is in the function `stage`."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, stage, *(command or ("solve", "scenario.yaml", "--out", "run"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "there\n"
    process.send_signal(number)
    return finish(process, seconds=10)


def test_a_file_that_changes_while_a_command_works_is_named_and_ends_it(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from allocator import pipeline

    plain = pipeline.decide

    def meddled(*given: object) -> object:
        text = (case / "churn.csv").read_text()
        (case / "churn.csv").write_text(text.replace("0.1357", "0.1358"))
        return plain(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "decide", meddled)
    outcome = allocator("solve", "scenario.yaml", "--out", "run")
    assert (outcome.status, outcome.out) == (2, "")
    assert "churn.csv changed while it was in use -> start again when nobody writes to it" in outcome.told
    assert not (case / "run").exists()


@pytest.mark.parametrize(
    ("stage", "number", "status"),
    [
        ("allocator.scenario.load_scenario", signal.SIGINT, 130),
        ("allocator.scenario.load_scenario", signal.SIGTERM, 143),
        ("allocator.store.placing._sync", signal.SIGTERM, 143),
    ],
)
def test_a_signal_ends_the_command_and_leaves_nothing(
    case: Path, stage: str, number: int, status: int
) -> None:
    before = sorted(case.iterdir())
    outcome = stopped(stage, number)
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err == "error: stopped; nothing was written\n"
    assert sorted(case.iterdir()) == before


@pytest.mark.parametrize(
    ("stage", "command"),
    [
        ("allocator.insight.whatif.stress.try_stresses", ("stress", "scenario.yaml", "--plot", "stress.svg")),
        pytest.param(
            "allocator.insight.simulate.simulate.simulate",
            ("simulate", "scenario.yaml", "--plot", "years.svg"),
            marks=pytest.mark.full,
        ),
        pytest.param(
            "allocator.insight.backtest.backtest.backtest",
            ("backtest", YEARS, "--outcome", "default", "--period", "year", "--plot", "years.svg"),
            marks=pytest.mark.full,
        ),
    ],
)
def test_ctrl_c_ends_the_commands_of_insight(case: Path, stage: str, command: tuple[str, ...]) -> None:
    before = sorted(case.iterdir())
    outcome = stopped(stage, signal.SIGINT, *command)
    assert (outcome.status, outcome.out) == (130, "")
    assert outcome.err == "error: stopped; nothing was written\n"
    assert sorted(case.iterdir()) == before


PLACED = """
import os, signal, sys
from allocator.cli.main import main
from allocator.store import placing
number, moment = int(sys.argv[1]), sys.argv[2]
plain = getattr(placing, moment)
def disturbed(*given):
    if moment == "_swap":
        os.kill(os.getpid(), number)
    found = plain(*given)
    os.kill(os.getpid(), number)
    return found
setattr(placing, moment, disturbed)
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.parametrize(
    ("number", "status", "moment"),
    [
        (signal.SIGINT, 130, "_swap"),
        (signal.SIGTERM, 143, "_settle"),
        pytest.param(signal.SIGINT, 130, "_settle", marks=pytest.mark.full),
        pytest.param(signal.SIGTERM, 143, "_swap", marks=pytest.mark.full),
    ],
)
def test_a_run_that_stands_when_a_signal_comes_is_said_to_stand(
    case: Path, allocator: Allocator, moment: str, number: int, status: int
) -> None:
    command = [
        sys.executable,
        "-c",
        PLACED,
        str(int(number)),
        moment,
        "solve",
        "scenario.yaml",
        "--out",
        "run",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    outcome = finish(process)
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err == "error: stopped; written before that, and whole: run\n"
    assert {path.name for path in case.iterdir() if path.name.startswith((".", "run"))} == {"run"}
    assert allocator("verify", "run").status == 0


def test_a_kill_leaves_no_run_and_the_next_run_tidies_up(case: Path, allocator: Allocator) -> None:
    assert stopped("allocator.store.placing._sync", signal.SIGKILL).status == -signal.SIGKILL
    assert not (case / "run").exists()
    assert any(path.name.startswith(".run.") for path in case.iterdir())
    assert allocator("solve", "scenario.yaml", "--out", "run").status == 0
    assert {path.name for path in case.iterdir() if path.name.startswith((".", "run"))} == {"run"}


def test_two_runs_at_once_to_one_folder_do_not_mix(case: Path, allocator: Allocator) -> None:
    both = [
        start("solve", "scenario.yaml", "--out", "run", "--json", "--set", f"policy.budget.amount={amount}")
        for amount in (2_000_000, 3_000_000)
    ]
    outcomes = [finish(process) for process in both]
    done = [outcome for outcome in outcomes if outcome.status == 0]
    assert len(done) == 1, [outcome.err for outcome in outcomes]
    refused = next(outcome for outcome in outcomes if outcome.status != 0)
    assert refused.status in (1, 2)  # by whether it came before or while the other wrote
    assert "holds a run already" in refused.json["error"]["faults"][0]["problem"]
    verified = allocator("verify", "run", "--json")
    assert verified.status == 0
    assert verified.json["value"] == done[0].json["objective"]


def test_a_reader_who_goes_away_ends_the_command_quietly(case: Path) -> None:
    process = start("schema")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(10) == 1


def test_a_full_standard_output_is_told(case: Path) -> None:
    with open("/dev/full", "w") as full:
        outcome = finish(start("schema", stdout=full))
    assert outcome.status == 1
    assert outcome.err == "error: standard output cannot be written: No space left on device\n"


def shut(*streams: int) -> Callable[[], None]:
    return lambda: [os.close(stream) for stream in streams] and None


@pytest.mark.parametrize(
    ("more", "closed"),
    [
        ((), False),
        (("--json",), True),
        pytest.param((), True, marks=pytest.mark.full),
        pytest.param(("--json",), False, marks=pytest.mark.full),
    ],
)
def test_a_run_that_cannot_be_shown_is_written_and_said_to_be(
    case: Path, allocator: Allocator, more: tuple[str, ...], closed: bool
) -> None:
    with open("/dev/full", "w") as full:
        streams = {"preexec_fn": shut(1)} if closed else {"stdout": full}
        outcome = finish(start("solve", "scenario.yaml", "--out", "run", *more, **streams))
    assert outcome.status == 1
    why = "it is closed" if closed else "No space left on device"
    assert outcome.told == f"error: standard output cannot be written: {why}; the run is whole in run "
    assert allocator("verify", "run").status == 0


def test_a_command_without_standard_streams_ends_as_ever(case: Path, allocator: Allocator) -> None:
    assert finish(start("solve", "scenario.yaml", "--out", "run", preexec_fn=shut(2))).status == 0
    assert finish(start("solve", "scenario.yaml", "--out", "none", preexec_fn=shut(0, 1, 2))).status == 1
    assert finish(start("solve", "nowhere.yaml", "--json", preexec_fn=shut(1))).status == 2
    assert [allocator("verify", name).status for name in ("run", "none")] == [0, 0]


def test_a_failure_that_standard_output_cannot_take_is_told_on_standard_error(case: Path) -> None:
    with open("/dev/full", "w") as full:
        outcome = finish(start("solve", "nowhere.yaml", "--json", stdout=full))
    assert outcome.status == 2
    assert "nowhere.yaml the file does not exist -> check the path" in outcome.told
    assert "Traceback" not in outcome.err


def test_a_terminal_without_the_letters_shows_escapes(case: Path) -> None:
    scenario = case / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("name: small", "name: 贷款"), encoding="utf-8")
    outcome = finish(start("check", "scenario.yaml", env={"PYTHONIOENCODING": "ascii"}))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(r"\u8d37\u6b3e: no faults")


WORKING = """
import sys
from allocator.cli.output import progress
with progress(False) as tell:
    tell("thinking")
    sys.stdin.readline()
"""


@pytest.mark.parametrize(("terminal", "waits"), [("xterm", True), ("dumb", True), ("xterm", False)])
def test_progress_shows_on_a_terminal_after_two_seconds_only(terminal: str, waits: bool) -> None:
    ours, theirs = os.openpty()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", WORKING],
        stdin=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": terminal},
    )
    if waits:
        shown = b""
        while b"thinking" not in shown:
            assert select.select([ours], [], [], 60.0)[0], "nothing was shown within a minute"
            shown += os.read(ours, 100_000)
        assert time.monotonic() - started >= PATIENCE
    process.communicate(b"\n", timeout=60)
    if not waits:
        assert not select.select([ours], [], [], 0.0)[0]
    os.close(theirs)
    os.close(ours)


def test_standard_output_is_for_the_result_alone(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from allocator.insight.whatif import relaxations

    solved = relaxations.allocate_with_outcome

    def talk(*given: object) -> object:
        print("a library talks")
        return solved(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(relaxations, "allocate_with_outcome", talk)
    outcome = allocator("solve", "scenario.yaml", "--out", "run", "--json")
    assert outcome.json["status"] == "optimal"
    assert "a library talks" in outcome.err


BANNER = """
import ctypes, os, sys
from allocator.insight.whatif import relaxations
from allocator.cli.main import main
plain = relaxations.allocate_with_outcome
def talkative(*given):
    os.write(1, b"written at once\\n")
    ctypes.CDLL(None).printf(b"kept in a buffer until the end\\n")
    return plain(*given)
relaxations.allocate_with_outcome = talkative
arguments = ["solve", "scenario.yaml", "--json"]
if sys.argv[1] == "process":
    sys.argv[1:] = arguments
    sys.exit(main())
status = main(arguments)
print("and then")
sys.exit(status)
"""


@pytest.mark.parametrize("way", ["process", "call"])
def test_standard_output_is_for_the_result_alone_below_python_too(case: Path, way: str) -> None:
    done = subprocess.run([sys.executable, "-c", BANNER, way], capture_output=True, text=True, check=True)
    told = ["written at once", "kept in a buffer until the end"]
    assert sorted(done.stderr.splitlines()) == sorted(told)
    result, after = json.JSONDecoder().raw_decode(done.stdout)
    assert result["status"] == "optimal"
    assert done.stdout[after:].strip() == ("and then" if way == "call" else "")


def test_a_process_ends_at_once_and_what_was_to_run_at_its_end_runs() -> None:
    program = (
        "import atexit, sys; from allocator.cli.main import main; atexit.register(print, 'at the end');"
        " sys.argv = ['allocator', 'solve', 'none.yaml']; main(); print('not reached')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "at the end\n")


def test_verbose_tells_each_step_on_standard_error(case: Path, allocator: Allocator) -> None:
    started = time.monotonic()
    outcome = allocator("solve", "scenario.yaml", "--out", "run", "--verbose")
    assert outcome.status == 0
    steps = re.findall(r"^ +(\d+\.\d) s  (.+)$", outcome.err, re.MULTILINE)
    assert steps[0][1] == "starting the engine"
    assert steps[-1][1] == "writing the run"
    assert float(steps[-1][0]) <= time.monotonic() - started + 0.1
