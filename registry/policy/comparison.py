"""What another policy would change, in sentences: items that a gate asks for, approvals, limits, rules. No I/O."""

from collections.abc import Iterable, Sequence

import msgspec

from registry.policy.policy import GateRule, Item, Policy
from registry.policy.risk import RiskRule
from registry.policy.wording import age, how_shown


def differences(old: Policy, new: Policy) -> list[str]:
    """One sentence for each thing that changes from `old` to `new`, what governs first; empty where nothing does."""
    return [
        *_head(old, new),
        *_risk(old, new),
        *_documents(old, new),
        *_items(old, new),
        *_gates(old, new),
        *_assessment(old, new),
        *_rest(old, new),
    ]


def _head(old: Policy, new: Policy) -> list[str]:
    found = []
    if (old.name, old.version) != (new.name, new.version):
        found.append(f"Policy {old.name} {old.version} becomes {new.name} {new.version}.")
    if old.governs != new.governs:
        found.append(f"It governs {new.governs} instead of {old.governs}.")
    if old.applies_to_open_requests != new.applies_to_open_requests:
        keep = "become stale" if new.applies_to_open_requests else "keep the policy under which they were made"
        found.append(f"Requests that are open when it is activated {keep}.")
    return found


def _risk(old: Policy, new: Policy) -> list[str]:
    found = _added_and_removed("Risk tier", old.risk.tiers, new.risk.tiers)
    before, after = [_rule(rule) for rule in old.risk.rules], [_rule(rule) for rule in new.risk.rules]
    found += [f"Risk rule added: {rule}." for rule in after if rule not in before]
    found += [f"Risk rule removed: {rule}." for rule in before if rule not in after]
    if [rule for rule in before if rule in after] != [rule for rule in after if rule in before]:
        found.append("Risk rules are tried in another order.")
    reasons = {_rule(rule): rule.sentence for rule in old.risk.rules}
    found += [
        f"The reason of the rule “{_rule(rule)}” changes to: {rule.sentence}"
        for rule in new.risk.rules
        if reasons.get(_rule(rule), rule.sentence) != rule.sentence
    ]
    return found


def _rule(rule: RiskRule) -> str:
    said = " and ".join(f"{name.replace('_', ' ')} is {_or(answers)}" for name, answers in rule.when.items())
    return f"{rule.tier} where {said}" if said else f"{rule.tier} otherwise"


def _documents(old: Policy, new: Policy) -> list[str]:
    before, after = old.document_kinds, new.document_kinds
    found = _added_and_removed("Kind of document", before, after)
    for kind in [kind for kind in after if kind in before]:
        signers = [sorted(role.value for role in policy[kind].signed_off_by) for policy in (before, after)]
        if signers[0] != signers[1]:
            found.append(f"Documents of the kind {kind}: {_or(signers[1])} signs off instead of {_or(signers[0])}.")
    return found


def _items(old: Policy, new: Policy) -> list[str]:
    found = _added_and_removed("Item", old.items, new.items)
    for item_id in [item for item in new.items if item in old.items]:
        found += _item(old, new, old.items[item_id], new.items[item_id])
    return found


def _item(old: Policy, new: Policy, before: Item, after: Item) -> list[str]:
    found = []
    if before.shown != after.shown:
        found.append(f"Item {after.id} is shown by: {how_shown(new, after)}; before: {how_shown(old, before)}.")
    if before.waiver != after.waiver:
        who = "nobody" if after.waiver is None else f"the {after.waiver.role.value} for {after.waiver.max_days} days"
        found.append(f"Item {after.id} can be waived by {who}.")
    words = ("title", "question", "remedy")
    changed = [word for word in words if getattr(before, word) != getattr(after, word)]
    if changed:
        found.append(f"Item {after.id} has another {', '.join(changed)}.")
    return found


def _gates(old: Policy, new: Policy) -> list[str]:
    before, after = _by_place(old), _by_place(new)
    found = []
    for place in dict.fromkeys([*before, *after]):
        if place not in before:
            found.append(f"{place}: there is a gate now, of {len(after[place].items)} items.")
        elif place not in after:
            found.append(f"{place}: there is no such gate any more.")
        else:
            found += [f"{place}: {change}" for change in _gate(before[place], after[place])]
    return found


def _by_place(policy: Policy) -> dict[str, GateRule]:
    """Each gate by what it is asked for at, in words."""
    found = {}
    for rule in policy.gates:
        origin = f" from {_or([stage.value for stage in rule.coming_from])}" if rule.coming_from else ""
        for tier in rule.tiers:
            found[f"To {rule.target_stage.value}{origin}, {tier} risk"] = rule
    return found


def _gate(old: GateRule, new: GateRule) -> list[str]:
    found = [f"{item} is asked for." for item in new.items if item not in old.items]
    found += [f"{item} is no longer asked for." for item in old.items if item not in new.items]
    if set(old.approvals) != set(new.approvals):
        found.append(f"approvals by {_approvals(new)} instead of {_approvals(old)}.")
    if old.request_days != new.request_days:
        found.append(f"a request lives {new.request_days} days instead of {old.request_days}.")
    if old.displaced != new.displaced:
        found.append(f"what stood there before is {new.displaced.value} instead of {old.displaced.value}.")
    if set(old.blocking_findings) != set(new.blocking_findings):
        graves = [_or([one.value for one in gate.blocking_findings]) for gate in (new, old)]
        found.append(f"findings of these severities block: {graves[0]} instead of {graves[1]}.")
    if old.review_days != new.review_days:
        found.append(f"a version is reviewed again after {age(new.review_days)} instead of {age(old.review_days)}.")
    if old.after_lapse != new.after_lapse:
        found.append(f"when evidence lapses: {_lapse(new)} instead of {_lapse(old)}.")
    return found


def _approvals(gate: GateRule) -> str:
    return " and ".join(f"{one.count} {one.role.value}{'s' * (one.count > 1)}" for one in gate.approvals) or "nobody"


def _lapse(gate: GateRule) -> str:
    rule = gate.after_lapse
    return "it is flagged and stays" if rule is None else f"{rule.then.value} after {rule.grace_days} days"


def _assessment(old: Policy, new: Policy) -> list[str]:
    before, after = old.assessment, new.assessment
    found = _added_and_removed("Bias limit on", before.thresholds, after.thresholds)
    for metric in [metric for metric in after.thresholds if metric in before.thresholds]:
        was, becomes = before.thresholds[metric], after.thresholds[metric]
        if was.limit != becomes.limit:
            found.append(f"The bias limit on {metric} is {becomes.limit} instead of {was.limit}.")
        if msgspec.structs.replace(was, limit=becomes.limit) != becomes:
            found.append(f"The bias limit on {metric} compares in another way.")
    for field in ("minimum_rows", "confidence", "intersections"):
        values = getattr(before, field), getattr(after, field)
        if values[0] != values[1]:
            found.append(f"In assessments, {field.replace('_', ' ')} is {values[1]} instead of {values[0]}.")
    return found


_TOLD = frozenset(
    {"name", "version", "governs", "applies_to_open_requests", "risk", "documents", "checklists", "gates", "assessment"}
)


def _rest(old: Policy, new: Policy) -> list[str]:
    """Whatever else is another one, so that nothing changes unsaid."""
    found = []
    for field in [name for name in Policy.__struct_fields__ if name not in _TOLD]:
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            found.append(f"{field.replace('_', ' ').capitalize()} becomes: {_shown(after)}")
    if old.risk.sources != new.risk.sources:
        found.append("The sources of the risk rules change.")
    if [one.title for one in old.checklists] != [one.title for one in new.checklists]:
        found.append(f"The checklists are {', '.join(one.title for one in new.checklists)}.")
    return found


def _shown(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _added_and_removed(noun: str, old: Iterable[str], new: Iterable[str]) -> list[str]:
    before, after = list(old), list(new)
    return [f"{noun} {name} is added." for name in after if name not in before] + [
        f"{noun} {name} is removed." for name in before if name not in after
    ]


def _or(names: Sequence[str]) -> str:
    return " or ".join(names) or "none"
