"""Which section of the card answers which duty, as looked up in November 2026.

Sources: EU AI Act (Regulation 2024/1689) Annex IV; SR 26-2 / OCC 2026-13, which replaced SR 11-7
in April 2026; ISO/IEC 42001 Annex A; NIST AI RMF 1.0. The card says beside it: check the official
text.
"""

from __future__ import annotations

CROSS_REFERENCE: tuple[tuple[str, str, str, str, str], ...] = (
    ("use", "1, 3", "Purpose, use, materiality", "A.5.2–A.5.5, A.9.4", "MAP 1.1, 5.1"),
    ("performance", "2(g), 3, 4", "Outcomes analysis", "A.6.2.4", "MEASURE 1.1, 2.3"),
    ("bias", "2(g), 3", "Outcomes analysis", "A.5.4, A.6.2.4", "MEASURE 2.11"),
    ("gate", "2(g), 5", "Validation, effective challenge", "A.6.2.4", "MANAGE 1.1, MEASURE 2.1"),
    ("approvals", "2(e), 5", "Governance, overrides", "A.6.2.4", "MANAGE 1.1, GOVERN 2.1"),
    ("documents", "2(a–d), 2(g)", "Documentation", "A.6.2.7, A.7.6", "MEASURE 2.1"),
    ("data", "2(d)", "Data", "A.7.2–A.7.5", "MEASURE 2.1"),
    ("identity", "1, 2(b, c), 6", "Inventory, change log", "A.6.2.3, A.6.2.7", "GOVERN 1.6"),
    ("monitoring", "9", "Ongoing monitoring", "A.6.2.6", "MEASURE 2.4, MANAGE 4.1"),
    ("limits", "3", "Assumptions and limits", "A.8.2", "MAP 2.2, MANAGE 1.4"),
    ("record", "Article 12", "Documentation", "A.6.2.8", "GOVERN 1.6"),
)
"""Section of the card, then what it serves in each of the four texts."""
