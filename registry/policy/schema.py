"""The JSON Schema of a policy file, made from the structures that read it; editors check against it while one writes.

What a schema cannot say, such as that a gate names items that exist, `acta policy validate` says.
"""

from typing import Any

import msgspec

from registry.policy.policy import Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) as plain values."""
    found = msgspec.json.schema(Policy)
    return {"$schema": DIALECT, "title": "Policy of an Acta installation", **found}


def schema_text() -> str:
    """The schema as it is published: indented JSON with a line end."""
    return msgspec.json.format(msgspec.json.encode(policy_schema(), order="sorted"), indent=2).decode() + "\n"
