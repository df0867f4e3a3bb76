"""Checks of another package: found, set by a policy, and run."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml

from registry.catalog.facts import EdgeKind
from registry.policy.checks import Files, bind, inputs_digest, load_checks, runs_apart
from registry.policy.checks.installed import CheckInstallationError
from registry.policy.checks.isolation import examine
from registry.policy.errors import PolicyError
from registry.policy.outcomes import Outcome
from registry.policy.policy import parse
from registry.resources import default_policy_path
from tests.registry.policy.checks.package import MODULE, install
from tests.registry.policy.checks.samples import GOOD, NOW, without_kind


def changed_facts(**changes):
    return replace(GOOD, **changes)


def policy_with(parameters):
    """The default policy, one of whose items is shown by the strange check."""
    policy = yaml.safe_load(default_policy_path().read_text(encoding="utf-8").replace("[yes]", '["yes"]'))
    for checklist in policy["checklists"]:
        for item in checklist["items"]:
            if item["id"] == "lineage-complete":
                item["shown"] = {"by": "check", "check": "labelled-by", "parameters": parameters}
    return yaml.safe_dump(policy)


def test_check_of_a_second_package_is_found_validated_in_a_policy_and_run(strange_package):
    assert load_checks()["labelled-by"].distribution == "kestrel-checks"
    policy = parse(policy_with({"parameter": "labeller"}))
    needed = policy.items["lineage-complete"].shown
    check = bind(needed.check, needed.parameters)
    assert runs_apart(check)
    named = examine(check, changed_facts(parameters={"labeller": "two nurses"}), NOW, Files())
    assert (named.outcome, named.evidence["labelled by"]) == (Outcome.PASSED, "two nurses")
    assert named.evidence["pid"] != str(os.getpid())
    assert examine(check, GOOD, NOW, Files()).outcome is Outcome.FAILED


def test_policy_that_sets_a_parameter_which_the_strange_check_does_not_take_is_refused(strange_package):
    with pytest.raises(PolicyError, match="colour"):
        parse(policy_with({"colour": "red"}))


def test_policy_that_names_a_check_of_no_installed_package_is_refused():
    with pytest.raises(PolicyError, match="labelled-by"):
        parse(policy_with({}))


def test_result_of_a_strange_check_goes_stale_with_any_fact_and_with_its_version(strange_package, monkeypatch):
    check = bind("labelled-by", {})
    base = inputs_digest(check, GOOD, NOW)
    assert inputs_digest(check, GOOD, NOW) == base
    assert inputs_digest(check, changed_facts(edges=without_kind(EdgeKind.RUN)), NOW) != base
    assert inputs_digest(bind("labelled-by", {"parameter": "other"}), GOOD, NOW) != base
    monkeypatch.setattr(type(check), "version", 4)
    assert inputs_digest(check, GOOD, NOW) != base


def test_inputs_of_a_strange_check_are_the_same_in_every_process(strange_package):
    program = (
        "from registry.policy.checks import bind, inputs_digest\n"
        "from tests.registry.policy.checks.samples import GOOD, NOW\n"
        "print(inputs_digest(bind('labelled-by', {}), GOOD, NOW).hex())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert digests == {inputs_digest(bind("labelled-by", {}), GOOD, NOW).hex().encode() + b"\n"}


@pytest.mark.parametrize(
    "point, words",
    [
        ({"absent": f"{MODULE}:Absent"}, "cannot be imported"),
        ({"absent": "kestrel_absent:Check"}, "cannot be imported"),
        ({"function": f"{MODULE}:dedent_of_nothing"}, "cannot be imported"),
        ({"no-check": f"{MODULE}:Outcome"}, "a check is a frozen msgspec.Struct"),
        ({"other-name": f"{MODULE}:LabelledBy"}, "calls itself 'labelled-by'"),
    ],
)
def test_package_that_registers_no_check_is_named(site, point, words):
    install(site, point)
    with pytest.raises(CheckInstallationError, match="kestrel-checks") as refused:
        load_checks()
    assert words in str(refused.value)


def test_package_cannot_take_the_name_of_another_check(site):
    install(site)
    module = site / f"{MODULE}.py"
    module.write_text(module.read_text().replace('"labelled-by"', '"lineage-complete"'))
    points = site / f"{MODULE}-1.0.dist-info" / "entry_points.txt"
    points.write_text(points.read_text().replace("labelled-by =", "lineage-complete ="))
    with pytest.raises(CheckInstallationError, match="acta-registry has a check named lineage-complete already"):
        load_checks()


def test_checks_are_looked_for_once_in_a_process(strange_package):
    first = load_checks()
    (strange_package / f"{MODULE}.py").unlink()
    assert load_checks() is first
