"""The vocabulary as JSON Schema, and as a page for people."""

from collections.abc import Mapping
from typing import Any

import msgspec

from registry.actions.fields import Field, Kind, pattern_of
from registry.actions.vocabulary import ACTIONS, Action

Schema = dict[str, Any]
_COMMITMENT: Schema = {
    "type": "object",
    "properties": {"commitment": {"type": "string", "pattern": f"^{pattern_of(Kind.DIGEST)}$"}},
    "required": ["commitment"],
    "additionalProperties": False,
}
_SAID: Mapping[Kind, str] = {
    Kind.IDENTIFIER: "identifier (UUID)",
    Kind.INSTANT: "instant (RFC 3339, UTC, microseconds)",
    Kind.DIGEST: "SHA-256 (64 hexadecimal digits)",
    Kind.NUMBER: "whole number",
    Kind.TRUTH: "true or false",
    Kind.WORD: "word, in clear",
    Kind.TEXT: "text, as a salted hash; erasable",
    Kind.IDENTIFIERS: "list of identifiers",
    Kind.WORDS: "list of words",
    Kind.MAPPING: "object of words and numbers",
    Kind.REFERENCES: "list of objects with `kind` and `id`",
}


def schema_of(action: Action) -> Schema:
    """JSON Schema of the `changes` of an action."""
    return {
        "description": action.meaning,
        "type": "object",
        "properties": {name: _field_schema(field) for name, field in action.fields.items()},
        "required": [name for name, field in action.fields.items() if not field.optional],
        "additionalProperties": False,
    }


def vocabulary_schema() -> bytes:
    """JSON Schema (2020-12) of the leaf of an entry: `docs/audit-actions.schema.json`."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An entry of Acta's audit log (acta-entry/1)",
        "type": "object",
        "properties": {
            "action": {"enum": list(ACTIONS)},
            "actor": {"type": "string"},
            "changes": {"type": "object"},
            "format": {"const": "acta-entry/1"},
            "request": {"type": "string"},
            "sequence": {"type": "integer", "minimum": 0},
            "subject": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "kind": {"type": "string"}},
                "required": ["id", "kind"],
                "additionalProperties": False,
            },
            "time": {"type": "string", "pattern": f"^{pattern_of(Kind.INSTANT)}$"},
        },
        "required": ["action", "actor", "changes", "format", "sequence", "subject", "time"],
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"action": {"const": name}}},
                "then": {"properties": {"changes": schema_of(action)}},
            }
            for name, action in ACTIONS.items()
        ],
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def vocabulary_page() -> str:
    """The vocabulary as Markdown, as published in `docs/audit-actions.md`."""
    parts = [_HEAD.format(count=len(ACTIONS))]
    for name, action in ACTIONS.items():
        parts.append(f"## {name}\n\n{action.meaning}\n")
        rows = [f"| `{field.name}` | {_said(field)} |" for field in action.fields.values()]
        parts.append("\n".join(["| Field | Holds |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


_HEAD = """# What the audit log holds

Each entry of the log names one of {count} actions; there are no others. Its `changes` hold the fields below, and
nothing else. The subject's kind is the first word of the action, its `id` names which. `actor` is the identifier of
the person or machine, or `acta` where nobody asked for it. The same as JSON Schema, of a whole leaf:
[audit-actions.schema.json](audit-actions.schema.json). Both are made from `registry/actions/vocabulary.py` by
`acta audit actions`; a test compares them.
"""


def _said(field: Field) -> str:
    return _SAID[field.kind] + ", or null" * field.nullable + "; may be missing" * field.optional


def _field_schema(field: Field) -> Schema:
    one = _kind_schema(field.kind)
    return {"anyOf": [one, {"type": "null"}]} if field.nullable else one


def _kind_schema(kind: Kind) -> Schema:
    match kind:
        case Kind.IDENTIFIER | Kind.INSTANT | Kind.DIGEST:
            return {"type": "string", "pattern": f"^{pattern_of(kind)}$"}
        case Kind.NUMBER:
            return {"type": "integer"}
        case Kind.TRUTH:
            return {"type": "boolean"}
        case Kind.WORD:
            return {"type": "string"}
        case Kind.TEXT:
            return _COMMITMENT
        case Kind.IDENTIFIERS:
            return {"type": "array", "items": _kind_schema(Kind.IDENTIFIER)}
        case Kind.WORDS:
            return {"type": "array", "items": {"type": "string"}}
        case Kind.MAPPING:
            return {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}}
        case Kind.REFERENCES:
            properties = {"kind": {"type": "string"}, "id": _kind_schema(Kind.IDENTIFIER)}
            one: Schema = {"type": "object", "properties": properties, "required": ["kind", "id"]}
            return {"type": "array", "items": one | {"additionalProperties": False}}
