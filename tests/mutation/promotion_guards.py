"""Takes away each guard of promotions in turn, in a copy of the checkout, and shows which test notices.

    uv run python -m tests.mutation.promotion_guards [NAME ...]

Prints one line a guard, and ends with status 1 where the loss of one went unnoticed.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEARCHED = (
    "tests/registry/promotion/test_properties.py",
    "tests/registry/promotion/test_separation.py",
    "tests/registry/promotion/test_rollback.py",
    "tests/registry/promotion/test_requests.py",
    "tests/registry/promotion/test_waivers.py",
    "tests/registry/policy/test_gate.py",
)
"""The state machine first: the others are run where it noticed nothing."""


@dataclass(frozen=True)
class Guard:
    """One guard: its lines, which stand in the file once, and what stands there when it is gone."""

    name: str
    file: str
    lines: str
    without: str


def _dropped(name: str, file: str, condition: str) -> Guard:
    """A guard of the form `if CONDITION:`, which is never true when it is gone."""
    return Guard(name, file, f"if {condition}:", "if False:")


SERVICE = "registry/promotion/service.py"
REVIEWS = "registry/promotion/reviews.py"
GATE = "registry/policy/gate.py"
ATTESTATIONS = "registry/policy/attestations.py"
WAIVERS = "registry/promotion/waivers.py"
ROLLBACK = "registry/promotion/rollback.py"
STATES = "registry/promotion/states.py"

GUARDS = (
    Guard("request: needs a role", SERVICE, "    actor.require(*REQUESTING, place=found.place)\n", ""),
    Guard("request: not by who waived", SERVICE, "    refuse_waiver_holder(unit, actor, found)\n", ""),
    Guard("request: not by who answered", SERVICE, "    refuse_independent_attester(unit, actor, found)\n", ""),
    _dropped("request: not for the present stage", SERVICE, "found.version.stage == target_stage"),
    Guard("review: the request is live", REVIEWS, "    require_live(case, _EVENTS[decision])\n", ""),
    _dropped("review: the policy asks for that role", REVIEWS, "role not in wanted"),
    _dropped("review: not by the requester", REVIEWS, "capacity.persons & requesters"),
    _dropped("review: not by a maker", REVIEWS, "capacity.persons & makers"),
    _dropped("review: not in a granted role", REVIEWS, "granters and granters <= requesters | makers"),
    Guard("review: a person counts once", REVIEWS, "    if not earlier:\n", "    if True:\n"),
    Guard("review: asked-for changes hold", REVIEWS, " and not changes_asked_for(case)", ""),
    Guard(
        "acting: needs a role",
        "registry/access/actor.py",
        "grant.on_behalf_of)\n        raise _missing(roles, place)\n",
        "grant.on_behalf_of)\n        return Capacity(roles[0], frozenset({self.person_id}), ())\n",
    ),
    Guard(
        "acting: a delegate counts as two",
        "registry/access/actor.py",
        "{self.person_id, grant.on_behalf_of}",
        "{self.person_id}",
    ),
    Guard("execute: needs a role", SERVICE, "    actor.require(*REQUESTING, place=case.found.place)\n", ""),
    Guard("execute: the request is live", SERVICE, "    require_live(case, Event.EXECUTED)\n", ""),
    Guard(
        "execute: only what is approved",
        SERVICE,
        "after(RequestState(row.state), Event.EXECUTED)",
        "RequestState.EXECUTED",
    ),
    _dropped("execute: the gate is met", SERVICE, "not gate.met"),
    _dropped("execute: on the approved evidence", SERVICE, "replaced_since(case.reviews, gate)"),
    _dropped("execute: nobody waits for changes", SERVICE, "changes_asked_for(case)"),
    Guard("execute: not on one's own grants", SERVICE, "executing=persons_of(unit, actor.id)", "executing=frozenset()"),
    Guard("withdraw: the request is live", SERVICE, "    require_live(case, Event.WITHDRAWN)\n", ""),
    _dropped(
        "withdraw: by the requester or a risk officer",
        SERVICE,
        "actor.person_id not in persons_of(unit, case.request.requested_by, case.request.handed_to)",
    ),
    _dropped("gate: a person counts once", GATE, "review.persons & counted"),
    _dropped("gate: no interested person counts", GATE, "review.persons & evidence.interested"),
    Guard(
        "gate: no role of an interested person counts",
        GATE,
        "if review.role_granted_by and review.role_granted_by <= evidence.interested | evidence.executing:",
        "if False:",
    ),
    Guard("gate: a waiver ends", GATE, "item.waiver is not None and waiver.excuses(now)", "item.waiver is not None"),
    _dropped("gate: no is no answer", GATE, "found.answer is Answer.NO"),
    _dropped("gate: an answer grows old", GATE, "_is_older(found.at, needed.max_age_days, now)"),
    _dropped("gate: a document is signed off", GATE, "found.signed_off_at is None"),
    _dropped("gate: a document grows old", GATE, "_is_older(found.signed_off_at, needed.max_age_days, now)"),
    Guard(
        "answer: independent of the version",
        ATTESTATIONS,
        '        refuse_creator(unit, capacity, found.version, f"answers “{item.title}”")\n',
        "",
    ),
    Guard(
        "answer: independent of the request",
        ATTESTATIONS,
        "        _refuse_requester(unit, capacity, found, item)\n",
        "",
    ),
    Guard(
        "answer: of this version's evidence",
        ATTESTATIONS,
        "    check_references(unit, found.version.id, rests_on)\n",
        "",
    ),
    _dropped(
        "answer: taken back by its giver",
        ATTESTATIONS,
        "actor.person_id not in {*persons_of(unit, row.attested_by), row.on_behalf_of}",
    ),
    Guard("waiver: needs the role", WAIVERS, "    actor.require(rule.role, place=found.place)\n", ""),
    Guard(
        "waiver: not by a maker",
        WAIVERS,
        '    refuse_creator(unit, actor, found.version, "grants a waiver for it")\n',
        "",
    ),
    Guard("waiver: not by the requester", WAIVERS, "    _refuse_requester(unit, actor, found)\n", ""),
    _dropped("waiver: ends in time", WAIVERS, "not unit.now < expires_at <= latest"),
    _dropped("lapse: a request expires", STATES, "now >= request.expires_at"),
    Guard(
        "lapse: a request is for these bytes",
        STATES,
        "request.content_digest != version.content_digest or ",
        "",
    ),
    Guard(
        "evidence: replacing it makes stale",
        "registry/promotion/staleness.py",
        '            end(unit, row, Event.OUTDATED, "evidence", {"items": items})\n',
        "            pass\n",
    ),
    Guard(
        "separation: a trainer is a maker",
        "registry/policy/separation.py",
        "persons_of(unit, version.created_by, version.trained_by)",
        "persons_of(unit, version.created_by)",
    ),
    Guard(
        "separation: a machine counts as its person",
        "registry/access/actor.py",
        "return self.responsible_id or self.id",
        "return self.id",
    ),
    _dropped("rollback: to the same bytes", ROLLBACK, "previous.content_digest != before[-1].content_digest"),
    Guard(
        "rollback: never to what one left",
        "registry/promotion/production.py",
        "            del standing[places[-1] + 1 :]\n",
        "            pass\n",
    ),
    _dropped("gate: a result grows old", GATE, "_is_older(fresh.at, needed.max_age_days, now)"),
    Guard(
        "rollback review: not by the caller",
        ROLLBACK,
        "if capacity.persons & {*persons_of(unit, row.called_by), row.on_behalf_of}:",
        "if False:",
    ),
    Guard(
        "rollback review: a person counts once",
        ROLLBACK,
        "    _refuse_second_review(unit, row, capacity.persons)\n",
        "",
    ),
    _dropped("rollback review: ends when it is done", ROLLBACK, "row.reviewed_at is not None"),
    _dropped("rollback review: as many as it owes", ROLLBACK, "len(_reviews_of(unit, [row.id])) >= row.reviewers"),
)


INTACT = Guard("none", SERVICE, "REQUESTING = (", "REQUESTING = (")
"""Nothing is taken away."""


def noticed_by(guard: Guard) -> str | None:
    """The first test that fails without the guard, and why; None where none does."""
    with tempfile.TemporaryDirectory(prefix="acta-guard-") as directory:
        copy = Path(directory)
        for folder in ("registry", "audit", "fairness", "reports", "monitoring", "migrations", "templates", "tests"):
            if (ROOT / folder).is_dir():
                shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        file = copy / guard.file
        text = file.read_text()
        if text.count(guard.lines) != 1:
            raise SystemExit(f"{guard.name}: {guard.file} holds its lines {text.count(guard.lines)} times, not once")
        file.write_text(text.replace(guard.lines, guard.without))
        for searched in SEARCHED:
            done = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-q",
                    "-n0",
                    "-x",
                    "--timeout=0",
                    "-m",
                    "not slow",
                    "-k",
                    "not postgresql",
                    searched,
                ],
                cwd=copy,
                capture_output=True,
                text=True,
            )
            if done.returncode not in {0, 1}:
                raise SystemExit(f"{guard.name}: the tests do not run\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            failed = re.search(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE)
            if failed:
                why = re.search(r"^E +(.+)$", done.stdout, re.MULTILINE)
                return f"{failed.group(1)}\t{why.group(1) if why else ''}"
    return None


def main(names: list[str]) -> int:
    """Try the guards of these names, or all."""
    if (failing := noticed_by(INTACT)) is not None:
        raise SystemExit(f"{failing} fails with all guards in place: mend that first")
    unnoticed = 0
    for guard in GUARDS:
        if names and guard.name not in names:
            continue
        found = noticed_by(guard)
        unnoticed += found is None
        sys.stdout.write(f"{guard.name}\t{found or 'NOT NOTICED'}\n")
        sys.stdout.flush()
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
