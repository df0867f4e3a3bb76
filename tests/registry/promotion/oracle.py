"""What the log says about one model, judged naively: an oracle for the state machine of promotions.

It shares no code with the product: it knows the items, roles and ages of one small policy by heart, reads entries, and
asks of each deed that succeeded whether it should have.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audit.entry import Entry, parse_time

POLICY = """
name: small
version: "1.0"
description: A policy for tests.
risk:
  tiers: [limited]
  rules: [{tier: limited, reason: All of it.}]
documents:
  - {kind: report, title: Report, signed_off_by: [validator]}
checklists:
  - id: ethics
    title: Ethics
    items:
      - id: lawful
        title: Lawful
        question: Is it?
        remedy: Ask.
        shown: {by: attestation, roles: [ethics reviewer], independent: true, max_age_days: 365}
        waiver: {role: risk officer, max_days: 10}
      - id: watched
        title: Watched
        question: Is it?
        remedy: Watch.
        shown: {by: attestation, roles: [operations reviewer], max_age_days: 30}
      - id: reported
        title: Reported
        question: Is it?
        remedy: Report.
        shown: {by: document, kind: report, max_age_days: 60}
        waiver: {role: risk officer, max_days: 10}
gates:
  - target_stage: staging
    tiers: [limited]
    items: [watched]
    approvals: [{role: validator}]
    request_days: 20
  - target_stage: production
    tiers: [limited]
    items: [lawful, watched, reported]
    approvals: [{role: validator}, {role: operations reviewer}]
    request_days: 20
    displaced: archived
  - target_stage: archived
    tiers: [limited]
    items: []
    approvals: []
    request_days: 20
rollback: {review_days: 7, reviewers: 2}
assessment:
  thresholds: {selection_rate: {kind: difference, limit: "0.10", harm: higher, order: 1}}
  minimum_rows: 200
  confidence: "0.95"
"""

ITEMS = {"staging": ("watched",), "production": ("lawful", "watched", "reported"), "archived": ()}
APPROVALS = {"staging": ("validator",), "production": ("validator", "operations reviewer"), "archived": ()}
AGES = {"lawful": 365, "watched": 30, "reported": 60}
ATTESTED = ("lawful", "watched")
WAIVABLE = ("lawful", "reported")
ROLES = {"lawful": "ethics reviewer", "watched": "operations reviewer"}


@dataclass(frozen=True)
class Known:
    """An actor, as the test made it."""

    person: str
    roles: dict[str, frozenset[tuple[str, str | None]]]
    """For each role: (person who granted it, person on whose behalf) of each grant."""


@dataclass
class Request:
    """A promotion request as its entries tell it."""

    requester: str
    version: str
    digest: str
    stage: str
    expires_at: datetime
    state: str
    reviews: dict[str, tuple[Entry, int]] = field(default_factory=dict)
    """By review: the newest entry, and its place in the log."""


@dataclass
class Version:
    """A version as its entries tell it."""

    makers: frozenset[str]
    digest: str
    stage: str = "none"


class Oracle:
    """Follows the log, and refuses what should not have succeeded."""

    def __init__(self, known: dict[str, Known]) -> None:
        self.known = known
        self.log: list[Entry] = []
        self.requests: dict[str, Request] = {}
        self.versions: dict[str, Version] = {}
        self.entered: list[tuple[str, str]] = []
        """Versions that promotions brought into production, and the digests that they had."""
        self.rollbacks: dict[str, tuple[str, list[frozenset[str]]]] = {}
        self._judges: dict[str, Callable[[Entry], None]] = {
            "version.registered": self._registered,
            "version.stage-changed": self._moved,
            "attestation.given": self._attested,
            "waiver.granted": self._waived,
            "promotion.requested": self._requested,
            "promotion.reviewed": self._reviewed,
            "promotion.executed": self._executed,
            "promotion.withdrawn": self._withdrawn,
            "promotion.expired": self._ended,
            "promotion.stale": self._ended,
            "rollback.called": self._rolled_back,
            "rollback.reviewed": self._rollback_reviewed,
        }

    def follow(self, entries: Iterable[Entry]) -> None:
        """Judge new entries, each by what the log said before it."""
        for entry in entries:
            judge = self._judges.get(entry.action)
            if judge is not None:
                judge(entry)
            self.log.append(entry)

    def persons(self, entry: Entry) -> frozenset[str]:
        """Who counts for an entry: the actor's person, and the one on whose behalf it was done."""
        behalf = entry.changes.get("on_behalf_of")
        return frozenset({self.known[entry.actor].person} | ({str(behalf)} if behalf else set()))

    def holds(self, entry: Entry, role: str) -> bool:
        """Whether the actor holds the role as the entry says: on somebody's behalf or not."""
        grants = self.known[entry.actor].roles.get(role, frozenset())
        return any(behalf == entry.changes.get("on_behalf_of") for _, behalf in grants)

    def granters(self, entry: Entry, role: str) -> frozenset[str]:
        """Who granted the role in which the entry was made."""
        grants = self.known[entry.actor].roles[role]
        return frozenset(by for by, behalf in grants if behalf == entry.changes.get("on_behalf_of"))

    def _registered(self, entry: Entry) -> None:
        makers = {self.known[entry.actor].person}
        if entry.changes["trained_by"]:
            makers.add(self.known[str(entry.changes["trained_by"])].person)
        self.versions[entry.subject_id] = Version(frozenset(makers), str(entry.changes["content_digest"]))

    def _moved(self, entry: Entry) -> None:
        version = self.versions[entry.subject_id]
        assert entry.changes["from"] == version.stage
        to = str(entry.changes["to"])
        if to == "production":
            cause = self.log[-1] if self.log[-1].action != "version.stage-changed" else self.log[-2]
            assert cause.action in {"promotion.executed", "rollback.called"}, "production without a decision"
            assert cause.subject_id in {entry.changes.get("promotion_id"), entry.changes.get("rollback_id")}
        version.stage = to

    def _attested(self, entry: Entry) -> None:
        item, version = str(entry.changes["item"]), str(entry.changes["version_id"])
        assert self.holds(entry, ROLES[item])
        if item == "lawful":
            stake = self.versions[version].makers | self._requesters(version, entry.time)
            assert not self.persons(entry) & stake, "an interested person answered an independent item"

    def _waived(self, entry: Entry) -> None:
        version = str(entry.changes["version_id"])
        assert self.holds(entry, "risk officer")
        stake = self.versions[version].makers | self._requesters(version, entry.time)
        assert not self.persons(entry) & stake, "an interested person granted a waiver"
        lasting = parse_time(str(entry.changes["expires_at"])) - entry.time
        assert timedelta() < lasting <= timedelta(days=10)

    def _requesters(self, version: str, now: datetime) -> frozenset[str]:
        live = (one for one in self.requests.values() if one.version == version and one.state in {"open", "approved"})
        return frozenset(one.requester for one in live if one.expires_at > now)

    def _requested(self, entry: Entry) -> None:
        version, now = str(entry.changes["version_id"]), entry.time
        stage, requester = str(entry.changes["target_stage"]), self.known[entry.actor].person
        assert {"developer", "operations reviewer", "risk officer"} & set(self.known[entry.actor].roles)
        assert self.versions[version].stage != stage
        for other in self.requests.values():
            assert (other.version, other.stage) != (version, stage) or other.state not in {"open", "approved"}
        place = len(self.log)
        lawful = self._answer("lawful", version, place)
        assert lawful is None or requester not in self.persons(lawful), "who answered an independent item asks"
        for waiver in self._waivers(version, place, now):
            assert requester not in self.persons(waiver), "who waived an item asks"
        state = "open" if APPROVALS[stage] else "approved"
        assert entry.changes["state"] == state
        expires_at = parse_time(str(entry.changes["expires_at"]))
        digest = str(entry.changes["content_digest"])
        self.requests[entry.subject_id] = Request(requester, version, digest, stage, expires_at, state)

    def _reviewed(self, entry: Entry) -> None:
        request, now = self.requests[entry.subject_id], entry.time
        version, role = self.versions[request.version], str(entry.changes["role"])
        persons = self.persons(entry)
        self._assert_live(request, now)
        assert self.holds(entry, role)
        assert role in APPROVALS[request.stage]
        stake = version.makers | {request.requester}
        assert not persons & stake, "an interested person reviewed"
        assert not self.granters(entry, role) <= stake, "a review rests on a role that an interested person granted"
        for identifier, (earlier, _) in request.reviews.items():
            if self.persons(earlier) & persons:
                assert identifier == entry.changes["review_id"], "a person counts twice"
                assert earlier.changes["decision"] == "ask for changes"
        request.reviews[str(entry.changes["review_id"])] = (entry, len(self.log))
        decision, after = entry.changes["decision"], str(entry.changes["state"])
        if decision == "approve":
            decisions = [one.changes["decision"] for one, _ in request.reviews.values()]
            given = {str(one.changes["role"]) for one, _ in request.reviews.values()}
            enough = set(APPROVALS[request.stage]) <= given and set(decisions) == {"approve"}
            assert after == ("approved" if enough or request.state == "approved" else "open")
        else:
            assert after == {"reject": "rejected", "ask for changes": "open"}[str(decision)]
        request.state = after

    def _assert_live(self, request: Request, now: datetime) -> None:
        assert request.state in {"open", "approved"}, "a request that has ended was acted on"
        assert now < request.expires_at, "an expired request was acted on"
        assert request.digest == self.versions[request.version].digest, "a request was acted on for other bytes"

    def _executed(self, entry: Entry) -> None:
        request, now, place = self.requests[entry.subject_id], entry.time, len(self.log)
        self._assert_live(request, now)
        assert request.state == "approved"
        version, executor = self.versions[request.version], self.known[entry.actor]
        assert {"developer", "operations reviewer", "risk officer"} & set(executor.roles)
        for item in ITEMS[request.stage]:
            assert self.met(item, request.version, place, now), f"{item} was not met"
        stake = version.makers | {request.requester}
        approving = [(one, at) for one, at in request.reviews.values() if one.changes["decision"] == "approve"]
        assert len(approving) == len(request.reviews), "somebody waits for changes"
        counted: set[str] = set()
        given = set()
        for one, at in sorted(approving, key=lambda pair: pair[1]):
            role = str(one.changes["role"])
            rests_on_interest = self.granters(one, role) <= stake | {executor.person}
            if self.persons(one) & (counted | stake) or rests_on_interest:
                continue
            counted |= self.persons(one)
            given.add(role)
            for item in ITEMS[request.stage]:
                if self.met(item, request.version, at, one.time):
                    before, after = self.basis(item, request.version, at), self.basis(item, request.version, place)
                    assert before == after, f"{item} rests on other evidence than was approved"
        assert set(APPROVALS[request.stage]) <= given, "approvals are missing"
        request.state = "executed"
        if request.stage == "production":
            self.entered.append((request.version, version.digest))

    def _withdrawn(self, entry: Entry) -> None:
        request = self.requests[entry.subject_id]
        self._assert_live(request, entry.time)
        actor = self.known[entry.actor]
        assert actor.person == request.requester or "risk officer" in actor.roles
        request.state = "withdrawn"

    def _ended(self, entry: Entry) -> None:
        request = self.requests[entry.subject_id]
        assert request.state in {"open", "approved"}
        request.state = entry.action.partition(".")[2]
        if request.state == "expired":
            assert entry.time >= request.expires_at

    def _rolled_back(self, entry: Entry) -> None:
        assert self.holds(entry, "operations reviewer")
        left, back = str(entry.changes["from_version_id"]), str(entry.changes["to_version_id"])
        assert left != back
        assert self.versions[left].stage == "production"
        assert (back, self.versions[back].digest) in self.entered, "a rollback led to what was never in production"
        self.rollbacks[entry.subject_id] = (entry.actor, [self.persons(entry)])

    def _rollback_reviewed(self, entry: Entry) -> None:
        _, persons = self.rollbacks[entry.subject_id]
        assert len(persons) < 3, "a rollback was reviewed after it was done"
        assert not any(self.persons(entry) & others for others in persons), "a person counts twice"
        persons.append(self.persons(entry))
        assert (entry.changes["reviewed_at"] is not None) == (len(persons) == 3)

    # Evidence, as of a place in the log.

    def met(self, item: str, version: str, place: int, now: datetime) -> bool:
        """Whether an item was met or waived."""
        if item in WAIVABLE and any(one.changes["item"] == item for one in self._waivers(version, place, now)):
            return True
        found = self._answer(item, version, place) if item in ATTESTED else self._sign_off(version, place)
        if found is None or found.changes.get("answer") == "no":
            return False
        return now - found.time <= timedelta(days=AGES[item])

    def basis(self, item: str, version: str, place: int) -> Any:
        """What an item rested on."""
        found = self._answer(item, version, place) if item in ATTESTED else self._sign_off(version, place)
        return None if found is None else found.sequence

    def _answer(self, item: str, version: str, place: int) -> Entry | None:
        withdrawn = {one.subject_id for one in self.log[:place] if one.action == "attestation.withdrawn"}
        given = [
            one
            for one in self.log[:place]
            if one.action == "attestation.given"
            and (one.changes["item"], one.changes["version_id"]) == (item, version)
            and one.subject_id not in withdrawn
        ]
        return given[-1] if given else None

    def _sign_off(self, version: str, place: int) -> Entry | None:
        document, signed = None, None
        for one in self.log[:place]:
            if one.changes.get("version_id") == version and one.action == "document.uploaded":
                document, signed = one, None
            if document is not None and one.action == "document.signed-off" and one.subject_id == document.subject_id:
                assert not self.persons(one) & self.persons(document)
                signed = one
        return signed

    def _waivers(self, version: str, place: int, now: datetime) -> list[Entry]:
        live = {}
        for one in self.log[:place]:
            if one.action == "waiver.granted" and one.changes["version_id"] == version:
                live[one.subject_id] = (one, parse_time(str(one.changes["expires_at"])))
            elif one.action == "waiver.revoked" and one.subject_id in live:
                del live[one.subject_id]
        return [one for one, until in live.values() if until > now]
