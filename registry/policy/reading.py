"""Reads YAML from strangers into plain values: no tags, no aliases, no duplicate keys, bounded size and depth.

Only `true` and `false` are Booleans here (YAML 1.2), so that the answers `yes` and `no` stay text.
"""

import re
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent

from registry.policy.errors import PolicyError

LARGEST_BYTES = 2**20
DEEPEST = 20
"""Levels of nesting."""

_WHOLE = "(the file)"


class _Loader(yaml.CSafeLoader):
    """Safe construction, without YAML 1.1's many spellings of truth, and with duplicate keys refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001 (PyYAML's signature)
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise PolicyError(f"line {line}", f"the key {key!r} stands there twice.", "Keep one of them.")
        return super().construct_mapping(node, deep=True)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read_yaml(text: str) -> object:
    """The one document in `text`, as dicts, lists, text, numbers and Booleans.

    Raises:
        PolicyError: over 1 MiB, nested too deeply, an alias, anchor or tag, a duplicate key, or not YAML.
    """
    if len(text.encode(errors="surrogatepass")) > LARGEST_BYTES:
        raise PolicyError(_WHOLE, f"a policy has at most {LARGEST_BYTES:,} bytes.")
    try:
        _refuse_hostile(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = _WHOLE if mark is None else f"line {mark.line + 1}"
        problem = getattr(error, "problem", None) or str(error) or type(error).__name__
        raise PolicyError(where, f"this is not YAML: {problem}.") from None


def _refuse_hostile(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = "(the file)" if event.start_mark is None else f"line {event.start_mark.line + 1}"
        if isinstance(event, AliasEvent):
            raise PolicyError(line, "aliases are not allowed in a policy.", "Write the value out.")
        if isinstance(event, NodeEvent) and event.anchor is not None:
            raise PolicyError(line, "anchors are not allowed in a policy.", "Write the value out.")
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
            raise PolicyError(line, "tags are not allowed in a policy.", "Remove the word after the '!'.")
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise PolicyError(line, f"a policy is nested at most {DEEPEST} levels deep.")
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
