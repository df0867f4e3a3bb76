"""The automatic checks. Each looks at facts and files of one version, and says what it found; it changes nothing."""

from registry.policy.checks.facts import (
    ArtifactFiles,
    Assessed,
    CheckFacts,
    DocumentFacts,
    DocumentFile,
    Edge,
    Files,
    InProduction,
    ModelFacts,
    UnreadableInputError,
    VulnerabilityExport,
)
from registry.policy.checks.installed import ParameterValue, bind, inputs_digest, load_checks, runs_apart
from registry.policy.checks.protocol import ROWS_ONLY, Check, Finding, Reads

__all__ = [
    "ROWS_ONLY",
    "ArtifactFiles",
    "Assessed",
    "Check",
    "CheckFacts",
    "DocumentFacts",
    "DocumentFile",
    "Edge",
    "Files",
    "Finding",
    "InProduction",
    "ModelFacts",
    "ParameterValue",
    "Reads",
    "UnreadableInputError",
    "VulnerabilityExport",
    "bind",
    "inputs_digest",
    "load_checks",
    "runs_apart",
]
