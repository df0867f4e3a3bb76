"""Which policy governs a name."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.names import name_key
from registry.policy.errors import PolicyError
from registry.policy.governs import Governs, ambiguity, check_governs

names = st.text("ab-", min_size=1, max_size=6)
patterns = st.text("ab-*?", min_size=1, max_size=6)


@given(patterns, names)
def test_a_pattern_matches_as_fnmatch_says(pattern, name):
    assert (Governs([pattern]).rank(name, "team") is not None) == fnmatch.fnmatchcase(name, pattern)


@given(patterns, patterns, st.lists(names, max_size=30))
def test_two_patterns_that_some_name_matches_equally_are_ambiguous(one, other, tried):
    for name in tried:
        ranks = Governs([one]).rank(name, "team"), Governs([other]).rank(name, "team")
        if None not in ranks and ranks[0] == ranks[1]:
            assert ambiguity(Governs([one]), Governs([other])) == (one, other)


@given(st.lists(patterns, min_size=1, max_size=4), st.lists(patterns, min_size=1, max_size=4), names)
def test_without_ambiguity_one_of_two_policies_says_more(mine, theirs, name):
    one, other = Governs(mine), Governs(theirs)
    if ambiguity(one, other) is None:
        ranks = one.rank(name, "team"), other.rank(name, "team")
        assert ranks == (None, None) or ranks[0] != ranks[1]


@given(patterns, patterns)
def test_ambiguity_is_seen_from_both_sides(one, other):
    assert (ambiguity(Governs([one]), Governs([other])) is None) == (
        ambiguity(Governs([other]), Governs([one])) is None
    )


@pytest.mark.parametrize(
    "more, less, name",
    [
        (Governs(["retail-credit"]), Governs(["retail-credi*"]), "retail-credit"),
        (Governs(["retail-*"]), Governs(["*"]), "retail-credit"),
        (Governs(["retail-c*"]), Governs(["retail-*"], ["risk"]), "retail-credit"),
        (Governs(["*"], ["risk"]), Governs(["*"]), "retail-credit"),
        (Governs(["x", "retail-*"]), Governs(["*t", "y"]), "retail-credit"),
    ],
    ids=str,
)
def test_the_more_specific_pattern_says_more(more, less, name):
    assert more.rank(name, "risk") > less.rank(name, "risk")
    assert ambiguity(more, less) is None


def test_no_spelling_of_a_name_escapes_its_policy():
    governs = Governs(["retail-crédit"])
    for name in ("Retail-Crédit", "RETAIL-CRE\u0301DIT", "ｒetail-crédit"):
        assert name_key(name) == "retail-crédit"
        assert governs.rank(name, "team") is not None
    assert governs.rank("retail-credit", "team") is None


def test_a_wildcard_within_a_name_is_a_letter():
    assert Governs(["a*"]).rank("*", "team") is None
    assert Governs(["?"]).rank("*", "team") is not None


def test_policies_of_different_teams_are_never_ambiguous():
    assert ambiguity(Governs(["*"], ["risk"]), Governs(["*"], ["pricing"])) is None
    assert ambiguity(Governs(["*"], ["risk"]), Governs(["*"], ["Risk"])) == ("*", "*")


def test_a_long_pattern_of_wildcards_is_decided_at_once():
    hostile = "a*" * 120
    assert Governs([hostile]).rank("a" * 249 + "b", "team") is not None
    assert Governs([hostile + "c"]).rank("a" * 249 + "b", "team") is None
    assert ambiguity(Governs([hostile + "c"]), Governs([hostile + "b"])) is None


@pytest.mark.parametrize(
    "governs, words",
    [
        (Governs(["a/b"]), "slash"),
        (Governs([" a"]), "space"),
        (Governs(["."]), "path step"),
        (Governs(["a", "A"]), "mean the same"),
        (Governs(["*"], ["*"]), "wildcard"),
        (Governs(["*"], ["a\u0000"]), "control"),
    ],
    ids=str,
)
def test_what_no_name_could_match_is_refused(governs, words):
    with pytest.raises(PolicyError, match=words):
        check_governs(governs)


def test_patterns_of_wildcards_alone_are_fine():
    check_governs(Governs(["*", "?", "**"]))
