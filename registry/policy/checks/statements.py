"""Checks of what is stated and written about a version: use and limits, signature, validation, impact on people."""

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec

from registry.catalog.facts import LegalDomain
from registry.policy.checks.facts import CheckFacts, DocumentFacts, Files
from registry.policy.checks.protocol import ROWS_ONLY, Finding, Reads
from registry.policy.checks.wording import hex_of, listed
from registry.policy.outcomes import Outcome

Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]


class IntendedUseStated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model's purpose, its intended users, what it is not for and its limits are stated, each in a sentence."""

    name: ClassVar[str] = "intended-use-stated"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    minimum_characters: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    """Shorter than this is no statement, but `n/a` or the like."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return tuple(text or "" for text in self._texts(facts).values())

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        texts = self._texts(facts)
        missing = [name for name, text in texts.items() if text is None or len(text.strip()) < self.minimum_characters]
        evidence = {name: text for name, text in texts.items() if text}
        if missing:
            reason = f"Not stated, or in fewer than {self.minimum_characters} characters: {listed(missing)}."
            return Finding(Outcome.FAILED, reason, evidence)
        return Finding(Outcome.PASSED, "Purpose, users, what it is not for and limits are stated.", evidence)

    def _texts(self, facts: CheckFacts) -> dict[str, str | None]:
        model = facts.model
        return {
            "purpose": model.purpose,
            "intended users": model.intended_users,
            "what it is not for": model.out_of_scope,
            "limits": model.limitations,
        }


class _Column(msgspec.Struct):
    """A column or tensor of MLflow's signature; what else it says is of no interest here."""

    type: str | None = None
    name: str | None = None


class _Signature(msgspec.Struct):
    inputs: str | None = None
    outputs: str | None = None


class SignatureTyped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version has a signature whose inputs and outputs each have a type, so that a server can refuse wrong data."""

    name: ClassVar[str] = "signature-typed"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return (facts.signature or "none",)

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        if facts.signature is None:
            return Finding(Outcome.FAILED, "The version has no signature of its inputs and outputs.")
        try:
            signature = msgspec.json.decode(facts.signature, type=_Signature)
            sides = {
                side: msgspec.json.decode(text, type=list[_Column]) if text else []
                for side, text in (("inputs", signature.inputs), ("outputs", signature.outputs))
            }
        except msgspec.DecodeError as error:
            return Finding(Outcome.ERROR, f"The signature cannot be read: {error}.")
        empty = [side for side, columns in sides.items() if not columns]
        if empty:
            return Finding(Outcome.FAILED, f"The signature names no {listed(empty)}.")
        untyped = [
            f"{side}: {column.name or 'unnamed'}"
            for side, columns in sides.items()
            for column in columns
            if not column.type or column.type == "any"
        ]
        if untyped:
            return Finding(Outcome.FAILED, f"The signature gives no type for {listed(untyped)}.")
        evidence = {
            side: ", ".join(f"{column.name or 'unnamed'} {column.type}" for column in columns)
            for side, columns in sides.items()
        }
        return Finding(Outcome.PASSED, "All inputs and outputs have a type.", evidence)


class ValidatedIndependently(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is a validation report, written by somebody who neither trained nor registered the version, and signed off
    by a third person who did not either.
    """

    name: ClassVar[str] = "validated-independently"
    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    kind: Kind = "validation-report"
    """The kind of document that holds the report."""

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        return (*sorted(map(str, facts.makers)), *_document_inputs(facts.document(self.kind)))

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        report = facts.document(self.kind)
        if report is None:
            return Finding(Outcome.FAILED, f"There is no document of the kind {self.kind}.")
        evidence = {"report": report.title, "SHA-256": hex_of(report.digest)}
        if report.uploaded_by in facts.makers:
            return Finding(Outcome.FAILED, "The validation report comes from whoever made the version.", evidence)
        if report.signed_off_by is None:
            return Finding(Outcome.FAILED, "The validation report is not signed off.", evidence)
        if report.signed_off_by in facts.makers:
            reason = "The validation report is signed off by whoever made the version."
            return Finding(Outcome.FAILED, reason, evidence)
        return Finding(Outcome.PASSED, "Somebody who did not make the version validated it.", evidence)


class ImpactAssessed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where personal data are used there is a signed data protection impact assessment (GDPR, Article 35), and in the
    legal domains that the policy names a signed fundamental rights impact assessment (EU AI Act, Article 27).
    """

    name: ClassVar[str] = "impact-assessed"
    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[Reads]] = ROWS_ONLY

    data_protection: Kind = "data-protection-impact"
    fundamental_rights: Kind = "fundamental-rights-impact"
    fundamental_rights_in: tuple[LegalDomain, ...] = (
        LegalDomain.CREDITWORTHINESS,
        LegalDomain.LIFE_AND_HEALTH_INSURANCE,
    )
    """The legal domains that need the second one. Article 27(1) asks it of everybody in these two (Annex III, points
    5(b) and 5(c)), and of public bodies and providers of public services in all but critical infrastructure.
    """

    def inputs(self, facts: CheckFacts, now: datetime) -> tuple[str, ...]:
        documents = (_document_inputs(facts.document(kind)) for kind in self._needed(facts))
        return (facts.model.personal_data, facts.model.legal_domain, *(word for words in documents for word in words))

    def examine(self, facts: CheckFacts, now: datetime, files: Files) -> Finding:
        needed = self._needed(facts)
        evidence = {"personal data": facts.model.personal_data, "legal domain": facts.model.legal_domain}
        if not needed:
            return Finding(
                Outcome.NOT_APPLICABLE, "Neither its data nor its legal domain ask for an assessment.", evidence
            )
        faults = []
        for kind in needed:
            document = facts.document(kind)
            if document is None:
                faults.append(f"there is no document of the kind {kind}")
            elif document.signed_off_by is None:
                faults.append(f"{kind} is not signed off")
            else:
                evidence[kind] = hex_of(document.digest)
        if faults:
            return Finding(Outcome.FAILED, f"The impact on people is not assessed: {listed(faults)}.", evidence)
        return Finding(Outcome.PASSED, "The impact on people is assessed and signed off.", evidence)

    def _needed(self, facts: CheckFacts) -> list[str]:
        needed = [] if facts.model.personal_data == "none" else [self.data_protection]
        return needed + ([self.fundamental_rights] if facts.model.legal_domain in self.fundamental_rights_in else [])


def _document_inputs(document: DocumentFacts | None) -> tuple[str, ...]:
    if document is None:
        return ("none",)
    return (document.kind, hex_of(document.digest), str(document.uploaded_by), str(document.signed_off_by))
