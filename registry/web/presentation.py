"""How pages write values: numbers, times, digests, states. Filters of the templates."""

import shlex
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

THIN_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class StateMark(NamedTuple):
    """How a state looks: the stylesheet's class, the word, and the name of the shape."""

    css: str
    word: str
    shape: str


_STATES = {
    "passed": StateMark("passed", "Passed", "passed"),
    "failed": StateMark("failed", "Failed", "failed"),
    "inconclusive": StateMark("unsure", "Inconclusive", "inconclusive"),
    "error": StateMark("error", "Error", "error"),
    "waived": StateMark("waived", "Waived", "waived"),
    "open": StateMark("open", "Not yet answered", "open"),
    "not applicable": StateMark("none", "Not applicable", "not-applicable"),
    # Of an assessment and its groups.
    "pass": StateMark("passed", "Passed", "passed"),
    "fail": StateMark("failed", "Failed", "failed"),
    "too few": StateMark("open", "Too few", "open"),
    "waiting": StateMark("due", "Running", "due"),
    # Of a promotion request.
    "executed": StateMark("passed", "Executed", "passed"),
    "approved": StateMark("passed", "Approved", "passed"),
    "rejected": StateMark("failed", "Rejected", "failed"),
    "withdrawn": StateMark("none", "Withdrawn", "not-applicable"),
    "expired": StateMark("none", "Expired", "not-applicable"),
    "stale": StateMark("none", "Stale", "not-applicable"),
    # Of a review.
    "approve": StateMark("passed", "Approved", "passed"),
    "reject": StateMark("failed", "Rejected", "failed"),
    "ask for changes": StateMark("unsure", "Asked for changes", "inconclusive"),
    # Of a content digest.
    "verified": StateMark("passed", "Verified", "passed"),
    "stated": StateMark("open", "Stated only", "open"),
    "mismatch": StateMark("failed", "Mismatch", "failed"),
    # Of a finding: how grave it is, and how far.
    "critical": StateMark("failed", "Critical", "failed"),
    "high": StateMark("error", "High", "error"),
    "medium": StateMark("unsure", "Medium", "inconclusive"),
    "low": StateMark("open", "Low", "open"),
    "remediated": StateMark("unsure", "Remediated", "inconclusive"),
    "closed": StateMark("passed", "Closed", "passed"),
    # Of a delivery.
    "queued": StateMark("due", "On its way", "due"),
    "delivered": StateMark("passed", "Delivered", "passed"),
    "dead": StateMark("failed", "Given up", "failed"),
    # Of a card.
    "ready": StateMark("passed", "Ready", "passed"),
}


def state_mark(state: str) -> StateMark:
    """How a state looks; one that nobody described looks open and bears its own name."""
    return _STATES.get(state) or StateMark("open", state.capitalize(), "open")


def grouped(number: int) -> str:
    """A count with a narrow no-break space between thousands."""
    return f"{number:,}".replace(",", THIN_SPACE)


def counted(number: int, singular: str, plural: str) -> str:
    """A count in words where a reader expects them: "two items", "48 213 entries"."""
    shown = _WORDS[number] if 0 <= number < len(_WORDS) else grouped(number)
    return f"{shown} {singular if number == 1 else plural}"


def opened(sentence: str) -> str:
    """A sentence with a capital letter at its start; names further on keep theirs."""
    return sentence[:1].upper() + sentence[1:]


def joined(parts: Iterable[str], last: str = "and") -> str:
    """Parts as people list them: "a, b and c"."""
    *before, end = list(parts) or [""]
    return f"{', '.join(before)} {last} {end}" if before else end


def with_article(noun: str) -> str:
    """A noun with its article: "an ethics reviewer", and so on."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def day(time: datetime) -> str:
    """24 Nov 2026."""
    return f"{time.day}{NO_BREAK_SPACE}{time:%b}{NO_BREAK_SPACE}{time:%Y}"


def long_day(time: datetime) -> str:
    """Tuesday, 24 November 2026."""
    return f"{time:%A}, {time.day} {time:%B} {time:%Y}"


def minute(time: datetime) -> str:
    """24 Nov 2026, 14:02 UTC."""
    return f"{day(time)}, {time:%H:%M} UTC"


def moment(time: datetime) -> str:
    """24 November 2026 at 14:02:11 UTC."""
    return f"{time.day} {time:%B} {time:%Y} at {time:%H:%M:%S} UTC"


def short_moment(time: datetime) -> str:
    """24 Nov, 14:02."""
    return f"{time.day}{NO_BREAK_SPACE}{time:%b}, {time:%H:%M}"


def stamp(time: datetime) -> str:
    """2026-11-24T14:02:11Z, for machines."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def lasting(seconds: float) -> str:
    """A span in its largest unit: "3 days"."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number}{NO_BREAK_SPACE}{name}{'s' if number > 1 else ''}"
    return f"less than a{NO_BREAK_SPACE}minute"


def short_digest(digest_hex: str) -> str:
    """The two ends of a digest: "9b41d2c0…0c4f"."""
    return digest_hex if len(digest_hex) <= 13 else f"{digest_hex[:8]}…{digest_hex[-4:]}"


def sized(size_bytes: int) -> str:
    """Bytes as people read them: "14.2 kB"."""
    size, unit = float(size_bytes), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f}{NO_BREAK_SPACE}B" if unit == "B" else f"{size:.1f}{NO_BREAK_SPACE}{unit}"


def shell(text: object) -> str:
    """A word of a command line, quoted where a shell needs it."""
    return shlex.quote(str(text))


FILTERS = {
    "grouped": grouped,
    "opened": opened,
    "joined": joined,
    "with_article": with_article,
    "day": day,
    "long_day": long_day,
    "minute": minute,
    "moment": moment,
    "short_moment": short_moment,
    "stamp": stamp,
    "lasting": lasting,
    "short_digest": short_digest,
    "sized": sized,
    "shell": shell,
    "state_mark": state_mark,
}
