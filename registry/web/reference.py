"""The API reference: the OpenAPI schema as a page of our own, since the usual viewers load from other origins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.response import Template

from registry.access.actor import Actor
from registry.http.guards import signed_in
from registry.http.transactions import run_in_reading_unit
from registry.web.frame import Frame, frame_of, framed

_METHODS = ("get", "post", "put", "patch", "delete")
_PAGE_OF = re.compile(r"Page_.*\.(\w+)_")
Schema = Mapping[str, Any]  # JSON of OpenAPI, whose shapes nest without end


@dataclass(frozen=True)
class Field:
    """A parameter, or a member of a body."""

    name: str
    place: str
    """path, query, header; empty for a member of a body."""
    type: str
    required: bool
    description: str


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: str
    description: str
    type: str


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    anchor: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    body_type: str | None
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Group:
    """Operations under one tag."""

    name: str
    operations: tuple[Operation, ...]


class ReferencePage(Controller):
    """The API reference."""

    path = "/api"
    include_in_schema = False

    @get("/", guards=[signed_in])
    async def show(self, request: Request[Any, Any, Any], actor: NamedDependency[Actor]) -> Template:
        """All operations of the API."""
        frame: Frame = await run_in_reading_unit(request.app.state.units, lambda unit: frame_of(unit, actor))
        groups = request.app.state.get("reference")
        if groups is None:
            groups = reference_of(request.app.openapi_schema.to_schema())
            request.app.state.reference = groups
        return framed(frame, "reference.html", {"groups": groups})


def reference_of(schema: Schema) -> tuple[Group, ...]:
    """The operations of an OpenAPI schema by tag; what has no tag and what is no part of the API is left out."""
    components: Schema = schema.get("components", {}).get("schemas", {})
    found: dict[str, list[Operation]] = {}
    for path, item in sorted(schema.get("paths", {}).items()):
        for method in _METHODS:
            operation = item.get(method)
            for tag in (operation or {}).get("tags", [])[:1]:
                found.setdefault(tag, []).append(_operation(path, method, operation, components))
    return tuple(Group(tag, tuple(operations)) for tag, operations in sorted(found.items()))


def _operation(path: str, method: str, operation: Schema, components: Schema) -> Operation:
    body = _content(operation.get("requestBody", {}))
    return Operation(
        anchor=f"{method}{path.replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        summary=operation.get("description") or operation.get("summary") or "",
        parameters=tuple(_parameter(one) for one in operation.get("parameters", [])),
        body_type=None if body is None else _type(body),
        body=() if body is None else _members(body, components),
        answers=tuple(
            Answer(status, one.get("description", ""), _answer_type(status, one))
            for status, one in operation.get("responses", {}).items()
        ),
    )


def _content(part: Schema) -> Schema | None:
    for media in part.get("content", {}).values():
        schema: Schema = media.get("schema", {})
        return schema
    return None


def _parameter(one: Schema) -> Field:
    description = one.get("description", "") or ""
    return Field(one["name"], one["in"], _type(one.get("schema", {})), bool(one.get("required")), description)


def _members(schema: Schema, components: Schema) -> tuple[Field, ...]:
    resolved = components.get(str(schema["$ref"]).rsplit("/", 1)[-1], schema) if "$ref" in schema else schema
    required = set(resolved.get("required", []))
    return tuple(
        Field(name, "", _type(member), name in required, member.get("description", "") or "")
        for name, member in resolved.get("properties", {}).items()
    )


def _answer_type(status: str, response: Schema) -> str:
    content = _content(response)
    if content is None:
        return ""
    # Litestar describes errors as it would present them itself; ours are problem details.
    return "problem details" if status >= "400" else _type(content)


def _name(schema: Schema) -> str:
    name = str(schema["$ref"]).rsplit("/", 1)[-1]
    paged = _PAGE_OF.fullmatch(name)
    return name if paged is None else f"page of {paged[1]}"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return _name(schema)
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(part) for part in schema[key]))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)
