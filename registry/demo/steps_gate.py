"""The tour's second half: too early, assessed, answered, waived where that is right, approved, in production."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from registry.access.actor import Role
from registry.client import ApiError
from registry.client.answers import Assessment, ColumnRoles, Gate, GateItem, Promotion, Version
from registry.client.client import unmet_items
from registry.demo.cast import Cast, command_name
from registry.demo.dataset import LABEL
from registry.demo.directory import DemoDirectory
from registry.demo.narration import Narrator
from registry.demo.steps_model import JOB_SECONDS, MODEL
from registry.demo.training import SENSITIVE_COLUMNS, TrainingOutcome

TARGET = "production"
AGE_EDGES = (30, 40, 50, 60)
WEIGHED: Mapping[str, str] = {
    "bias-assessed": "looking at refusals again by hand, by group.",
    "vulnerabilities-checked": "a scan of the environment by other means: the tour has no export of OSV records.",
}
"""The items that the tour's risk officer may have to weigh, and what could compensate."""
WAIVER_DAYS = 60
JUSTIFICATION = "Tour: the first version, to be seen by credit officers beside the present scorecard."

ANSWERS: Mapping[str, str] = {
    "machine-learning-justified": "the weighed alternatives: rules over late payments, or calling everybody.",
    "lawful-basis": "the lawful basis, such as GDPR Article 6(1)(b), and why no special categories are needed.",
    "objection-possible": "how clients learn of the score, and whom they call to have it looked at by a person.",
    "human-oversight": "who decides on each client, and how that person sets the score aside.",
    "access-reviewed": "how callers authenticate, what each may ask, and at which rate.",
    "rollback-rehearsed": "when going back was rehearsed, and how long it took.",
}
"""What a reviewer of a real organisation would name for each item. The tour has none, and says so."""


def refusal(tell: Narrator, cast: Cast, version: Version) -> Promotion:
    """Production is asked for too early, and refused with reasons."""
    tell.step("Ask for production too early, and be refused with reasons")
    developer = cast[Role.DEVELOPER].client
    promote = ("acta", "promote", MODEL, str(version.number), "--to", TARGET)
    tell.command("developer", *promote, "--justification", JUSTIFICATION)
    request = developer.request_promotion(MODEL, version.number, TARGET, JUSTIFICATION).request
    tell.say(f"Request {request.number} is {request.state}: asking is always allowed.")
    tell.command("developer", *promote, "--execute")
    try:
        developer.execute(request.id)
    except ApiError as error:
        missing = unmet_items(error)
        if error.status != 409 or not missing:
            raise
        tell.good(f"Refused (status {error.status}): {error.problem_title}; {len(missing)} things are missing.")
        tell.table(
            ["unmet", "state", "why", "who can meet it"],
            [(item.title, item.state, item.reason, ", ".join(item.who)) for item in missing],
        )
        return request
    raise AssertionError("a version without assessment and answers entered production")


def assessment(
    tell: Narrator, directory: DemoDirectory, cast: Cast, version: Version, done: TrainingOutcome
) -> Assessment:
    """Fairlearn's numbers on the hold-out set, by sex, education, marriage and age band."""
    tell.step("Assess bias on the hold-out set, with Fairlearn")
    client = cast[Role.VALIDATOR].client
    columns = ColumnRoles(
        outcome=LABEL,
        prediction="prediction",
        sensitive=list(SENSITIVE_COLUMNS),
        score="score",
        bands={"age": [float(edge) for edge in AGE_EDGES]},
        preset="credit",
        declared_digest=done.holdout.sha256,
    )
    data = str(done.predictions.relative_to(directory.root))
    of = ("--model", MODEL, "--version", str(version.number), "--outcome", LABEL, "--prediction", "prediction")
    bands = "age=" + ",".join(map(str, AGE_EDGES))
    how = ("--score", "score", "--sensitive", ",".join(SENSITIVE_COLUMNS), "--bands", bands, "--preset", "credit")
    tell.command("validator", "acta", "assess", data, *of, *how)
    requested = client.request_assessment(MODEL, version.number, done.predictions, columns)
    assert requested.job_id is not None
    with tell.working("Assessing") as progress:
        client.wait_for_job(requested.job_id, lambda _done, text: progress(text or "waiting"), seconds=JOB_SECONDS)
    found = client.assessment(requested.id)
    say = tell.good if found.verdict == "pass" else tell.bad
    say(f"Verdict on {found.rows or 0:,} rows: {found.verdict}. {found.summary or ''}")
    tell.say("The limits are the active policy's. They stay where they are, whatever the verdict.")
    return found


def answers(tell: Narrator, cast: Cast, version: Version, done: TrainingOutcome) -> Gate:
    """Each item of the checklists that a person answers, by the reviewer it belongs to."""
    tell.step("Answer the checklists, each item by the reviewer it belongs to")
    tell.say("These answers are the tour's own: each says what a reviewer of your organisation would name instead.")
    gate = checked_gate(tell, cast, version)
    rows: list[tuple[str, str, str]] = []
    for item in _items(gate):
        if item.kind != "attestation" or item.met:
            continue
        role = next(role for role in Role if role.value in item.who)
        reason = _answer(item, done)
        cast[role].client.attest(MODEL, version.number, item.id, "yes", reason)
        if not rows:
            words = ("acta", "attest", MODEL, str(version.number), item.id, "--reason", reason)
            tell.command(command_name(role), *words)
        rows.append((item.title, role.value, reason))
    tell.table(["item", "answered by", "reason"], rows)
    return checked_gate(tell, cast, version)


def _answer(item: GateItem, done: TrainingOutcome) -> str:
    if item.id == "reproducible":
        same = "exactly the same" if done.repeatable else "other"
        return f"Tour: fitted twice from the same data and seed; the second gave {same} hold-out scores."
    return f"Tour: here a reviewer names {ANSWERS.get(item.id, 'the evidence for this item.')}"


def waivers(tell: Narrator, cast: Cast, version: Version, gate: Gate) -> bool:
    """What the checks found that a risk officer may excuse, each by a dated, reasoned exception. Whether any was."""
    tell.step("Weigh what the checks found")
    found = [item for item in _items(gate) if item.id in WEIGHED and not item.met]
    if not found:
        tell.good("All checks passed: nothing has to be excused.")
    for item in found:
        tell.bad(f"{item.title}: {item.state}. {item.reason}")
        days = min(WAIVER_DAYS, item.waivable_days or WAIVER_DAYS)
        reason = f"Tour: here the risk officer says why this is acceptable for {days} days: {item.reason}"
        measure = f"Tour: here the risk officer names the measure, such as {WEIGHED[item.id]}"
        waive = ("acta", "waive", MODEL, str(version.number), item.id)
        tell.command("risk-officer", *waive, "--reason", reason, "--measure", measure, "--days", str(days))
        granted = cast[Role.RISK_OFFICER].client.waive(
            MODEL,
            version.number,
            item.id,
            reason=reason,
            compensating_measure=measure,
            expires_at=datetime.now(UTC) + timedelta(days=days),
        )
        tell.good(f"Waived until {granted.expires_at:%Y-%m-%d}; every page and card that rests on it says so.")
    return bool(found)


def approval(tell: Narrator, cast: Cast, version: Version, request: Promotion) -> Version:
    """The approvals that the policy asks for, and the execution."""
    tell.step("Approve by other people than the requester, and execute")
    gate = cast[Role.AUDITOR].client.gate(MODEL, version.number, TARGET)
    for wanted in gate.approvals:
        role = Role(wanted.role)
        reason = f"Tour: here the {role.value} says what was looked at."
        words = ("acta", "review", str(request.id), "--role", command_name(role), "--approve", "--reason", reason)
        tell.command(command_name(role), *words)
        decided = cast[role].client.review(request.id, role, "approve", reason).request
        so_far = "approved" if decided.state == "approved" else "open until all have approved"
        tell.good(f"Approved by the {role.value}; request {decided.number} is {so_far}.")
    tell.command("developer", "acta", "promote", MODEL, str(version.number), "--to", TARGET, "--execute")
    executed = cast[Role.DEVELOPER].client.execute(request.id).request
    moved = cast[Role.DEVELOPER].client.version(MODEL, version.number)
    tell.good(f"Request {executed.number} is {executed.state}: {MODEL} {moved.number} is in {moved.stage}.")
    return moved


def checked_gate(tell: Narrator, cast: Cast, version: Version) -> Gate:
    """The gate after the automatic checks have looked at everything as it is now."""
    client = cast[Role.DEVELOPER].client
    with tell.working("Running the automatic checks") as progress:
        job = client.run_checks(MODEL, version.number)
        client.wait_for_job(job.id, lambda _done, text: progress(text or "waiting"), seconds=JOB_SECONDS)
    return client.gate(MODEL, version.number, TARGET)


def _items(gate: Gate) -> list[GateItem]:
    return [item for checklist in gate.checklists for item in checklist.items]
