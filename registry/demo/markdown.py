"""Pieces of the tour's Markdown documents."""


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table, one line a row."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def columns(names: tuple[str, ...]) -> str:
    """Names of columns, as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def percent(share: float) -> str:
    """A share from 0 to 1 as a percentage with one decimal."""
    return f"{100 * share:.1f} %"


def passed(ok: bool) -> str:  # noqa: FBT001 - the value is what is shown
    """The result of a check; a failure stands out."""
    return "passed" if ok else "**failed**"
