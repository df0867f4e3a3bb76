"""A model's signature in words, for people; the version itself keeps MLflow's JSON."""

import msgspec

MOST_NAMED = 40


class _Tensor(msgspec.Struct):
    dtype: str = "unknown"
    shape: list[int] = []


class _Column(msgspec.Struct, rename={"tensor": "tensor-spec"}):
    name: str | None = None
    type: str = "unknown"
    tensor: _Tensor | None = None


def described_signature(text: str) -> str:
    """Names and types of a signature's inputs and outputs (MLflow's model signature format).

    What is not in that format is shown as it is.
    """
    try:
        sides = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        described = [_side(name, _columns(raw)) for name, raw in sides.items() if name in {"inputs", "outputs"}]
    except msgspec.MsgspecError:
        return text
    return "; ".join(part for part in described if part) or text


def _columns(raw: msgspec.Raw) -> list[_Column]:
    # MLflow writes the lists of columns as JSON text within the JSON; clients may have resolved that.
    found = msgspec.json.decode(raw, type=str | list[_Column] | None)
    if isinstance(found, str):
        found = msgspec.json.decode(found, type=list[_Column])
    return found or []


def _side(name: str, columns: list[_Column]) -> str:
    if not columns:
        return ""
    noun = name.removesuffix("s") if len(columns) == 1 else name
    named = ", ".join(_described(column) for column in columns[:MOST_NAMED])
    more = f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else ""
    return f"{len(columns)} {noun}: {named}{more}"


def _described(column: _Column) -> str:
    kind = column.type
    if column.tensor is not None:
        shape = ", ".join("any" if size < 0 else str(size) for size in column.tensor.shape)
        kind = f"{column.tensor.dtype} tensor of shape ({shape})"
    return kind if column.name is None else f"{column.name} ({kind})"
