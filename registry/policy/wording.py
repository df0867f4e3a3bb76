"""A policy in words, for pages and the command line. No I/O."""

from collections.abc import Sequence

from registry.policy.policy import AttestationNeeded, CheckNeeded, DocumentNeeded, Item, Policy


def how_shown(policy: Policy, item: Item) -> str:
    """How an item is shown."""
    match item.shown:
        case AttestationNeeded(roles=roles, independent=independent, max_age_days=days, depends_on_risk=depends):
            names = [role.value for role in roles]
            apart = ", who had no part in the version" if independent else ""
            again = ", again when the risk answers change" if depends else ""
            return f"attestation by {_with_article(_or(names))}{apart}{_not_older(days)}{again}"
        case DocumentNeeded(kind=kind, max_age_days=days):
            return f"document: {policy.document_kinds[kind].title}, signed off{_not_older(days)}"
        case CheckNeeded(check=check, parameters=parameters, max_age_days=days, opens_finding=severity):
            given = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in parameters.items())
            opens = "" if severity is None else f"; a failure opens a finding of {severity.value} severity"
            return f"automatic check {check}{f' ({given})' if given else ''}{_not_older(days)}{opens}"


def asked_for_at(policy: Policy, item: Item) -> str:
    """The stages, with their risk tiers, whose gates ask for an item."""
    tiers: dict[str, list[str]] = {}
    for gate in policy.gates:
        if item.id in gate.items:
            tiers.setdefault(gate.target_stage.value, []).extend(gate.tiers)
    return "; ".join(f"{stage} ({', '.join(dict.fromkeys(names))})" for stage, names in tiers.items())


def age(days: int | None) -> str:
    """A number of days, or that there is none."""
    return "no set time" if days is None else f"{days} days"


def _not_older(days: int | None) -> str:
    return "" if days is None else f", not older than {days} days"


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
