"""How far what is no longer kept has been put away."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from core.tables.base import Instant, metadata

retention_marks = Table(
    "retention_marks",
    metadata,
    Column("name", Text, primary_key=True, comment="a task of core.retention"),
    Column("position", BigInteger, nullable=False, comment="rows up to this id were looked at"),
    Column("passed_over", BigInteger, comment="before the first of them that could not go yet"),
    Column("changed_at", Instant, nullable=False),
    comment="how far what is no longer kept has been put away",
)
