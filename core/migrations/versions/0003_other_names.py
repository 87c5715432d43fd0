"""Other names of a subscription: indexes that no lookup by number can be served by.

They begin with the utility as that of the number does, and PostgreSQL takes any of the three
for as good while a table is small.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NAMES = ("meter_serial", "bill_id")


def upgrade() -> None:
    """Index only what has such a name."""
    for name in _NAMES:
        index = op.f(f"ix_subscribers_utility_{name}")
        op.drop_index(index, "subscribers")
        there = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            index, "subscribers", ["utility", name], sqlite_where=there, postgresql_where=there
        )


def downgrade() -> None:
    """Index all again."""
    for name in _NAMES:
        index = op.f(f"ix_subscribers_utility_{name}")
        op.drop_index(index, "subscribers")
        op.create_index(index, "subscribers", ["utility", name])
