"""A key that names which look alike share, so that no two models have such names."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LONGEST = 250
SEPARATOR = "\x1f"
"""Names hold no control character and fold to none: a key with an id cannot be the key of another name."""


def name_key(name: str) -> str:
    """Compatibility caseless matching: the Unicode Standard, section 3.13, definition D146; composed at the end."""
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", folded).casefold())


def upgrade() -> None:
    # With a default and an index, because SQLite can add neither a constraint to a table nor a column without default.
    op.add_column(
        "acta_registered_model", sa.Column("name_key", sa.String(length=LONGEST), nullable=False, server_default="")
    )
    _fill()
    op.create_index(op.f("ix_acta_registered_model_name_key"), "acta_registered_model", ["name_key"], unique=True)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("acta_registered_model", "name_key", server_default=None)


def _fill() -> None:
    """The oldest of names that look alike keeps the key; the later ones get theirs with their id behind it."""
    model = sa.table(
        "acta_registered_model",
        sa.column("id", sa.Uuid()),
        sa.column("name", sa.String()),
        sa.column("name_key", sa.String()),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    taken = set()
    oldest_first = sa.select(model.c.id, model.c.name).order_by(model.c.created_at, model.c.id)
    for row in op.get_bind().execute(oldest_first).all():
        key = name_key(row.name)
        if key in taken or len(key) > LONGEST:
            behind = f"{SEPARATOR}{row.id}"
            key = key[: LONGEST - len(behind)] + behind
        taken.add(key)
        op.get_bind().execute(sa.update(model).where(model.c.id == row.id).values(name_key=key))


def downgrade() -> None:
    op.drop_index(op.f("ix_acta_registered_model_name_key"), table_name="acta_registered_model")
    op.drop_column("acta_registered_model", "name_key")
