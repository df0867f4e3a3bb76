"""Facts and charts for the tests of the card, built here: no record of a real decision."""

from datetime import UTC, date, datetime
from pathlib import Path

from reports.charts import Band, ChartRow, ChartTable, GroupState
from reports.facts import (
    Approval,
    Assessment,
    AssessmentVerdict,
    CardFacts,
    Checklist,
    ChecklistItem,
    Dataset,
    DigestState,
    Document,
    Gate,
    GateVerdict,
    Identity,
    ItemState,
    LogRecord,
    Origin,
    Risk,
    Use,
    Waiver,
)

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
FONTS = TEMPLATES / "static" / "fonts"
NOW = datetime(2026, 11, 27, 10, 14, tzinfo=UTC)

RECORD = LogRecord(
    entry=48240,
    proof=(
        "c2sp.org/tlog-proof@v1\nindex 48239\n"
        "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\n"
        "registry.bank.example/log\n48241\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n"
        "\N{EM DASH} registry.bank.example/log AAAAAAAA\n"
    ),
)


def _items(prefix: str, titles: list[str], states: dict[int, ItemState]) -> tuple[ChecklistItem, ...]:
    return tuple(
        ChecklistItem(
            id=f"{prefix}-{index}",
            title=title,
            state=states.get(index, ItemState.PASSED),
            reason="Two groups are too few to decide." if index in states else None,
            evidence="assessment 3, 9 000 rows" if index % 2 else None,
            answered_by=f"ethics reviewer\N{NO-BREAK SPACE}E-0{index % 9}, 19 Nov 2026",
            entry=48_000 + index,
        )
        for index, title in enumerate(titles)
    )


CHECKLISTS = (
    Checklist(
        title="Ethics",
        items=_items(
            "ethics",
            [
                "Machine learning is right for this decision",
                "Lawful basis for personal data",
                "Affected clients can object",
                "Human oversight is described",
                "No unethical bias on the declared features",
                "Assessment uses the declared test set",
                "Accuracy equals the run’s",
            ],
            {4: ItemState.WAIVED},
        ),
    ),
    Checklist(
        title="Documentation",
        items=_items(
            "documentation",
            [
                "Model selection, five candidates compared",
                "Data preparation",
                "Quality assurance report",
                "Data set digests declared",
                "Environment locked, seed recorded",
            ],
            {},
        ),
    ),
    Checklist(
        title="Security",
        items=_items(
            "security",
            [
                "Authentication and rate limits reviewed",
                "Artifact equals its digest",
                "No known vulnerability in the environment lock",
                "Artifact safe to load",
                "Threat model",
            ],
            {2: ItemState.WAIVED},
        ),
    ),
    Checklist(
        title="Monitoring",
        items=_items(
            "monitoring",
            ["Monitoring plan complete", "Label delay stated", "Rollback rehearsed", "Drift thresholds set"],
            {2: ItemState.NOT_APPLICABLE},
        ),
    ),
)

FACTS = CardFacts(
    organisation="Example Bank",
    issued_at=NOW,
    identity=Identity(
        name="credit-default",
        version="7",
        content_digest_hex="9b41" + "ab12cd34" * 7 + "0c4f",
        digest_state=DigestState.VERIFIED,
        stage="production",
        framework="scikit-learn 1.7.2",
        signature="23 double columns -> long",
        source_uri="mlflow-artifacts:/1/models/m-7f3a/artifacts",
        previous_version="6",
        change_since_previous="Trained on two more quarters; AUC 0.781 to 0.788.",
    ),
    use=Use(
        purpose="Estimates whether a card client will default next month, to prepare a person’s decision on the limit.",
        intended_users="Credit officers of the retail bank.",
        affected_persons="Card clients, 21 to 79 years old.",
        out_of_scope="Deciding without a person; clients of other products; collections.",
        owner="Retail credit, O-03",
        contact=None,
    ),
    risk=Risk(tier="high", reasons=("Decides on access to credit (Annex III, 5 b).", "Uses personal data.")),
    gate=Gate(
        policy="bank-default",
        policy_version="4.2",
        target_stage="production",
        request="118",
        verdict=GateVerdict.APPROVED,
        headline="Approved, on two waivers",
        sentence=(
            "All 21 items are met or waived under the policy for high risk. Fairness is inconclusive for two of "
            "fourteen groups; a person reviews every refusal in these groups until the waiver ends."
        ),
        scope="card clients of the retail bank; limits up to 30 000 a client",
        decided_at=datetime(2026, 11, 27, 10, 12, tzinfo=UTC),
        executed_at=datetime(2026, 11, 27, 10, 13, tzinfo=UTC),
        review_due_on=date(2027, 5, 27),
    ),
    checklists=CHECKLISTS,
    waivers=(
        Waiver(
            item="No known vulnerability in the environment lock",
            reason="The fix is in the next release of the library.",
            compensating_measure="Service has no network; fixed release in version 8",
            approver="risk officer R-02",
            until=datetime(2026, 12, 11, tzinfo=UTC),
            entry=48219,
        ),
        Waiver(
            item="No unethical bias on the declared features",
            reason="Two groups are too few to decide.",
            compensating_measure="A person reviews every refusal in two groups",
            approver="risk officer R-02",
            until=datetime(2027, 2, 22, tzinfo=UTC),
            entry=48206,
        ),
    ),
    approvals=(
        Approval(
            role="risk officer",
            actor="R-02",
            decision="approved",
            at=datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
            entry=48210,
            reason="Benefit outweighs what remains.",
        ),
        Approval(
            role="validator", actor="V-05", decision="approved", at=datetime(2026, 11, 27, tzinfo=UTC), entry=48238
        ),
    ),
    datasets=(
        Dataset(
            role="training", name="credit-default-train", uri="file:data/train.parquet", digest="aa" * 32, rows=21000
        ),
        Dataset(role="test", name="credit-default-test", uri="file:data/test.parquet", digest="bb" * 32, rows=9000),
    ),
    origin=Origin(
        code_repository="https://git.bank.example/credit",
        code_commit="6f2c1e9a" * 5,
        environment_digest_hex="cc" * 32,
        run_id="0f" * 16,
    ),
    documents=tuple(
        Document(
            kind=kind,
            title=title,
            sha256_hex=f"{index}d" * 32,
            author="D-11",
            entry=48060 + index,
            signed_off_by="validator V-05",
            signed_off_at=datetime(2026, 11, 18, tzinfo=UTC),
        )
        for index, (kind, title) in enumerate(
            [
                ("data-preparation", "Data preparation"),
                ("model-selection", "Model selection"),
                ("qa", "Quality assurance report"),
            ]
        )
    ),
    metrics={"test_auc": "0.788", "test_brier": "0.132", "test_recall": "0.489", "test_precision": "0.602"},
    parameters={"learning_rate": "0.08", "max_iter": "220", "max_leaf_nodes": "31", "random_state": "7"},
    assessment=Assessment(
        verdict=AssessmentVerdict.INCONCLUSIVE,
        summary="False refusals differ by at most 5 points; two groups are too few to decide.",
        findings=(
            "Of 100 clients with high-school education who repaid, 12 would have been refused; overall, 9.",
            "The limit allows 4 points above overall. About 16 000 such clients would decide it; there are 1 080.",
        ),
        origin="Recomputed by Acta from model and data",
        assessed_at=datetime(2026, 11, 22, tzinfo=UTC),
        data_digest_hex="bb" * 32,
        rows=9000,
        entry=48187,
    ),
    monitoring_plan="Every night: schema, drift of six features, share of refusals.\n\nLabels arrive after 35 days.",
    limits="Trained on clients of one country in one year. Unknown for clients under 21.",
    verification_url="https://registry.bank.example/verify/48240",
)


def row_svg(low: float, point: float, high: float, colour: str = "#0a5c8f") -> str:
    """A row's drawing: interval and point on a scale of 0 to 192."""
    return (
        '<svg viewBox="0 0 192 20.8" width="192" height="20.8"><line x1="104" x2="104" y1="0" y2="20.8" '
        f'stroke="#17212b" stroke-width="1.2"/><line x1="{low}" x2="{high}" y1="10.4" y2="10.4" stroke="#a9c6d9" '
        f'stroke-width="4.5"/><circle cx="{point}" cy="10.4" r="3.6" fill="{colour}"/></svg>'
    )


def chart(bands: dict[str, list[str]]) -> ChartTable:
    """A chart table with one row a label."""
    states = [GroupState.PASSED, GroupState.PASSED, GroupState.INCONCLUSIVE, GroupState.TOO_FEW]
    return ChartTable(
        caption="Refused among clients who repaid (false-positive rate), 9 000 clients, 95 % intervals",
        base_label="Repaid",
        rate_label="Rate",
        head_svg=(
            '<svg viewBox="0 0 192 20.8" width="192" height="20.8"><g font-family="IBM Plex Sans" font-size="9.3" '
            'fill="#4e5a66"><text x="104" y="17" fill="#17212b" font-weight="500">limit 13.2 %</text></g></svg>'
        ),
        bands=tuple(
            Band(
                title=title,
                rows=tuple(
                    ChartRow(
                        label=label,
                        base="2 646",
                        rate="10.3 %",
                        interval="8.7 to 12.2",
                        state=states[index % 4],
                        svg=row_svg(60 + 3 * index % 40, 80 + 2 * index % 30, 100 + index % 50),
                    )
                    for index, label in enumerate(labels)
                ),
            )
            for title, labels in bands.items()
        ),
    )


CHARTS = (
    chart(
        {
            "Sex": ["female", "male"],
            "Education": ["graduate school", "university", "high school", "other"],
            "Marriage": ["married", "single", "other"],
            "Age": ["under 30", "30–39", "40–49", "50–59", "60 and over"],
        }
    ),
)
