"""Each check tells a good version from one that differs in the defect alone."""

import re

import pytest

from registry.policy.checks import Finding, bind, load_checks
from registry.policy.checks.isolation import examine
from registry.policy.outcomes import Outcome
from tests.registry.policy.checks.samples import NOW, PAIRS, Bench

OWN = [pair for pair in PAIRS if load_checks()[pair.check.name].is_own]


def judged(pair, case) -> Finding:
    return pair.check.examine(case.facts, NOW, case.files)


def discriminates(pair, bench) -> bool:
    """Whether the good case passes, and the bad one fails for the defect that it has."""
    good, bad = judged(pair, pair.good(bench)), judged(pair, pair.bad(bench))
    return good.outcome is Outcome.PASSED and bad.outcome is Outcome.FAILED and pair.defect in bad.reason


def test_every_check_that_acta_brings_has_a_pair():
    assert {pair.check.name for pair in OWN} == {name for name, one in load_checks().items() if one.is_own}
    assert len(OWN) >= 12


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.check.name)
def test_check_passes_the_good_version_and_fails_the_one_with_the_defect(pair, tmp_path):
    bench = Bench(tmp_path)
    assert discriminates(pair, bench)
    assert judged(pair, pair.good(bench)).evidence


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.check.name)
def test_check_whose_body_says_passed_would_be_noticed(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(type(pair.check), "examine", lambda self, facts, now, files: Finding(Outcome.PASSED, "fine"))
    assert not discriminates(pair, Bench(tmp_path))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.check.name)
def test_check_says_the_same_where_it_really_runs(pair, tmp_path):
    bench = Bench(tmp_path)
    good, bad = pair.good(bench), pair.bad(bench)
    assert examine(pair.check, good.facts, NOW, good.files).outcome is Outcome.PASSED
    found = examine(pair.check, bad.facts, NOW, bad.files)
    assert found.outcome is Outcome.FAILED
    assert pair.defect in found.reason


@pytest.mark.parametrize("name", sorted(load_checks()))
def test_check_has_a_docstring_that_people_can_read(name):
    text = load_checks()[name].kind.__doc__
    assert re.match(r"[A-Z][^`]{60,}\.$", " ".join(text.split()))


def test_policy_gives_lists_as_parameters():
    assert bind("artifact-safe-to-load", {"also_allowed": ["a.B"]}).also_allowed == ("a.B",)
