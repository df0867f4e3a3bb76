"""How dates, numbers and digests are written on a card (English)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

_GROUP = "\u202f"  # narrow no-break space between groups of three digits
_SHORT_DIGEST = 8


def long_date(day: date) -> str:
    """27 November 2026."""
    return f"{day.day}\N{NO-BREAK SPACE}{day:%B} {day.year}"


def short_date(day: date) -> str:
    """27 Nov 2026, on one line."""
    return f"{day.day}\N{NO-BREAK SPACE}{day:%b}\N{NO-BREAK SPACE}{day.year}"


def moment(instant: datetime) -> str:
    """27 November 2026, 10:12 UTC."""
    instant = instant.astimezone(UTC)
    return f"{long_date(instant)}, {instant:%H:%M}\N{NO-BREAK SPACE}UTC"


def whole(number: int) -> str:
    """48 240: digits in groups of three, from five digits on."""
    if abs(number) < 10_000:
        return str(number)
    return f"{number:,}".replace(",", _GROUP)


def measured(value: str) -> str:
    """A measured value to four significant digits, as people read it; `facts.json` has all of them."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or number == number.to_integral_value():
        return value
    return f"{number:.4g}" if abs(number) < 10_000 else f"{number:.1f}"


def cite(entry: int) -> str:
    """№ 48 240, the log entry on which a statement rests."""
    return f"№\u2005{whole(entry)}"


def short_digest(digest_hex: str) -> str:
    """9b41e0aa…0c4f, to recognise and never to compare."""
    if len(digest_hex) <= _SHORT_DIGEST * 2:
        return digest_hex
    return f"{digest_hex[:_SHORT_DIGEST]}…{digest_hex[-4:]}"


def counted(number: int, singular: str, plural: str) -> str:
    """2 waivers; 1 waiver."""
    return f"{whole(number)} {singular if number == 1 else plural}"


def shortened(text: str, limit: int) -> str:
    """`text` cut at a word within `limit` characters, with an ellipsis where something is left out."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    cut = head.rfind(" ")
    return f"{head[: cut if cut > limit // 2 else limit].rstrip(' ,;:')}…"
