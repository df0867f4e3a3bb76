"""Any sequence of looks, by a clock that is set forward and back, on both databases."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlmodel import col

from registry.catalog.service import version_by_id
from registry.catalog.tables import ModelVersion
from registry.lapses.jobs import look
from registry.lapses.service import judge, lapses_of
from registry.lapses.tables import LapseRow

DAY = timedelta(days=1)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_each_lapse_is_flagged_once_and_the_version_moved_once_and_never_before_the_grace(
    governance, in_production, data
):
    with governance.units.writing() as unit:
        unit.session.execute(delete(LapseRow))
        unit.session.execute(
            update(ModelVersion).where(col(ModelVersion.id) == in_production.version.id).values(stage="production")
        )
        found = version_by_id(unit, governance.people.auditor, in_production.version.id)
        judged = judge(unit, found)
    entries = len(governance.entries())
    now = datetime.now(UTC)
    days = data.draw(st.lists(st.integers(min_value=-2, max_value=420), min_size=2, max_size=8))
    newest = now
    for number in days:
        at = now + number * DAY
        look(governance.units, lambda at=at: at)
        newest = max(newest, at)
        with governance.units.reading() as unit:
            rows = lapses_of(unit, in_production.version.id)
        names = [row.requirement for row in rows]
        assert len(names) == len(set(names))
        for row in rows:
            assert row.since <= row.flagged_at
            if row.ended_as == "moved":
                assert row.ended_at >= min(other.move_at for other in rows)
            assert row.move_at - row.flagged_at == judged.rule.after_lapse.grace_days * DAY
    logged = [entry for entry in governance.entries()[entries:] if entry.action == "version.stage-changed"]
    assert len(logged) == int(any(row.ended_as == "moved" for row in rows))
    assert governance.stage(in_production) == ("staging" if logged else "production")
    lacking = {missing.id for missing in judged.standing.evaluate(newest).lacking}
    if not logged:
        review = {"periodic-review"} if judged.standing.review_due_at <= newest else set()
        assert {row.requirement for row in rows} == lacking | review
