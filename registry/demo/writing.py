"""Which documents the tour writes, who writes each, and who signs it off."""

from dataclasses import dataclass

from registry.access.actor import Role
from registry.demo.documents import data_preparation, model_selection, quality_assurance
from registry.demo.review_documents import (
    data_protection_impact,
    fundamental_rights_impact,
    threat_model,
    validation_report,
)
from registry.demo.training import TrainingOutcome
from registry.demo.validation import validate


@dataclass(frozen=True, slots=True)
class Written:
    """One document."""

    kind: str
    title: str
    author: Role
    signer: Role
    text: str
    """Markdown."""

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{self.kind}.md"


def documents_of(outcome: TrainingOutcome) -> tuple[Written, ...]:
    """All documents that the default policy asks for before production at high risk."""
    developer, validator, ethics = Role.DEVELOPER, Role.VALIDATOR, Role.ETHICS_REVIEWER
    return (
        Written("data-preparation", "Data preparation", developer, validator, data_preparation(outcome)),
        Written("model-selection", "Model selection", developer, validator, model_selection(outcome)),
        Written("qa", "Quality assurance report", developer, validator, quality_assurance(outcome)),
        Written(
            "validation-report",
            "Independent validation report",
            validator,
            Role.RISK_OFFICER,
            validation_report(outcome, validate(outcome)),
        ),
        Written("threat-model", "Threat model", developer, Role.SECURITY_REVIEWER, threat_model()),
        Written(
            "data-protection-impact",
            "Data protection impact assessment",
            developer,
            ethics,
            data_protection_impact(outcome),
        ),
        Written(
            "fundamental-rights-impact",
            "Fundamental rights impact assessment",
            developer,
            ethics,
            fundamental_rights_impact(outcome),
        ),
    )
