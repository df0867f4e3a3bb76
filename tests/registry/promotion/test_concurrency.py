import threading

from sqlalchemy import func, select
from sqlmodel import col

from registry.catalog.facts import Stage
from registry.catalog.service import version_by_id
from registry.catalog.tables import ModelVersion
from registry.database import Database
from registry.errors import ActaError
from registry.policy.attestations import attest
from registry.policy.tables import Answer
from registry.promotion import service, waivers
from registry.promotion.tables import PromotionRequest
from registry.unit import Units
from tests.registry.promotion.test_waivers import grant


def at_once(units, *deeds):
    """Run each deed in a thread and a database connection pool of its own, starting together; what each came to."""
    barrier = threading.Barrier(len(deeds))
    outcomes = [None] * len(deeds)

    def run(place, deed):
        own = Units(Database(units.database.url), units.log)
        barrier.wait()
        try:
            with own.writing() as unit:
                outcomes[place] = deed(unit)
        except ActaError as error:
            outcomes[place] = error
        finally:
            own.database.dispose()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return outcomes


def test_one_request_executed_twice_at_once_moves_the_version_once(governance, registered):
    governance.complete(registered)
    request_id = governance.request(registered)
    governance.approve(request_id)

    def deed(unit):
        return service.execute(unit, governance.people.developer, request_id).state.value

    def taking_back(unit):
        return service.withdraw(unit, governance.people.developer, request_id, "Changed my mind.").state.value

    outcomes = at_once(governance.units, deed, deed, deed, taking_back)
    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(won) == 1
    actions = governance.actions()
    assert actions.count("promotion.executed") == (won == ["executed"])
    assert actions.count("version.stage-changed") == (won == ["executed"])
    assert governance.stage(registered) == ("production" if won == ["executed"] else "none")


def test_two_versions_executed_at_once_leave_one_in_production(governance, registered):
    second = governance.register()
    requests = []
    for found in (registered, second):
        governance.complete(found)
        requests.append(governance.request(found))
        governance.approve(requests[-1])
    deeds = [
        lambda unit, request_id=request_id: service.execute(unit, governance.people.developer, request_id)
        for request_id in requests
    ]
    outcomes = at_once(governance.units, *deeds)
    assert not [outcome for outcome in outcomes if isinstance(outcome, ActaError)]
    assert sorted([governance.stage(registered), governance.stage(second)]) == ["archived", "production"]


def test_waiver_revoked_at_the_moment_of_execution_is_revoked_after_it_or_stops_it(governance, registered):
    governance.complete(registered)
    with governance.units.writing() as unit:
        attest(unit, governance.people.ethics, registered, "human-oversight", Answer.NO, "Nobody watches.", None)
    waiver_id = grant(governance, registered, item="human-oversight")
    request_id = governance.request(registered)
    governance.approve(request_id)
    executed, _ = at_once(
        governance.units,
        lambda unit: service.execute(unit, governance.people.developer, request_id),
        lambda unit: waivers.revoke_waiver(unit, governance.people.risk, waiver_id, "It ends."),
    )
    actions = governance.actions()
    if isinstance(executed, ActaError):
        assert "promotion.executed" not in actions
    else:
        assert actions.index("promotion.executed") < actions.index("waiver.revoked")


def test_requests_opened_at_once_have_numbers_of_their_own(governance, registered):
    others = [governance.register() for _ in range(3)]

    def opening(found):
        return lambda unit: service.request(
            unit,
            governance.people.developer,
            version_by_id(unit, governance.people.developer, found.version.id),
            Stage.STAGING,
            "It is ready.",
        )

    outcomes = at_once(governance.units, *[opening(found) for found in others], opening(others[0]))
    assert len([outcome for outcome in outcomes if isinstance(outcome, ActaError)]) == 1
    with governance.units.reading() as unit:
        numbers = set(unit.session.execute(select(col(PromotionRequest.number))).scalars())
        versions = unit.session.execute(select(func.count()).select_from(ModelVersion)).scalar_one()
    assert numbers == {1, 2, 3}
    assert versions == 4
