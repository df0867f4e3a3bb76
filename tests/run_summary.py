"""What a run must show at its end: equal counts on both databases, nothing skipped in CI, and what went unchecked.

A pytest plugin, loaded by `tests/conftest.py`.
"""

import os
from collections import Counter, defaultdict
from dataclasses import dataclass

import pytest

from tests.system_tools import MISSING

DATABASE = "database"
"""Name of the property that the fixture `database_kind` leaves on each test which runs once per database."""


@dataclass(frozen=True)
class Verdict:
    """What the run as a whole shows, apart from its single tests."""

    passed: Counter[str]
    """Tests passed on each database."""
    unchecked: dict[str, int]
    """Tests skipped for a missing tool, by the sentence that says how to get it."""
    faults: tuple[str, ...]
    """Why the run fails although no test did."""


_VERDICT = pytest.StashKey[Verdict]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or reporter is None:
        return
    passed = Counter(
        value
        for report in reporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == DATABASE
    )
    skipped = reporter.stats.get("skipped", [])
    unchecked: defaultdict[str, int] = defaultdict(int)
    for report in skipped:
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if MISSING in reason:
            unchecked[reason] += 1
    faults = []
    if exitstatus == pytest.ExitCode.OK and _is_whole(config) and not passed["sqlite"] == passed["postgresql"] > 0:
        faults.append(
            f"{passed['sqlite']} tests passed on SQLite and {passed['postgresql']} on PostgreSQL: "
            "the same tests run on both (take `database_kind`, `database_url` or `migrated_url`)."
        )
    if skipped and os.environ.get("CI") == "true":
        faults.append(f"{len(skipped)} skipped: in CI every test runs.")
    if faults and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    config.stash[_VERDICT] = Verdict(passed, dict(unchecked), tuple(faults))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    verdict = config.stash.get(_VERDICT, None)
    if verdict is None:
        return
    if verdict.passed:
        terminalreporter.write_line(
            f"databases: {verdict.passed['sqlite']} passed on SQLite, {verdict.passed['postgresql']} on PostgreSQL"
        )
    if verdict.unchecked:
        terminalreporter.section("not checked on this machine", yellow=True)
        for reason, count in sorted(verdict.unchecked.items()):
            terminalreporter.write_line(f"{count} {'test' if count == 1 else 'tests'}: {reason}")
    for fault in verdict.faults:
        terminalreporter.write_line(f"FAILED: {fault}", red=True)


def _is_whole(config: pytest.Config) -> bool:
    """Whether the run takes all tests: no paths, no -k, no other marker than the usual, no stop half-way."""
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not config.getoption("keyword")
        and config.getoption("markexpr") in ("", "not slow")
        and not config.getoption("lf", default=False)
        and not config.getoption("deselect", default=None)
        and not config.getoption("ignore", default=None)
    )
