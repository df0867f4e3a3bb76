"""What people say about a promotion request."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from registry.access.actor import PARTICIPANTS, Actor
from registry.names import checked_text
from registry.promotion.cases import find_case
from registry.promotion.tables import PromotionComment
from registry.unit import Committed, Unit, Value


def comment(unit: Unit, actor: Actor, request_id: UUID, text: str) -> PromotionComment:
    """Say something about a request, live or ended, that the actor may read; an auditor reads only.

    Raises:
        RefusedError: the actor has no role there but auditor.
        NotFoundError: there is no such request, or the actor may not see its model.
        InvalidInputError: the text is empty or too long.
    """
    checked_text("text", text)
    case = find_case(unit, actor, request_id)
    actor.capacity(*PARTICIPANTS, place=case.found.place)
    row = PromotionComment(request_id=request_id, text=text, written_by=actor.id, written_at=unit.now)
    unit.session.add(row)
    unit.session.flush()
    changes: dict[str, Value] = {"comment_id": row.id, "text": Committed(text), "written_at": row.written_at}
    unit.record(actor, "promotion.commented", request_id, changes)
    return row


def comments_on(unit: Unit, request_id: UUID) -> list[PromotionComment]:
    """The comments on a request that the caller has found, oldest first."""
    query = (
        select(PromotionComment)
        .where(col(PromotionComment.request_id) == request_id)
        .order_by(col(PromotionComment.written_at), col(PromotionComment.id))
    )
    return list(unit.session.execute(query).scalars())
