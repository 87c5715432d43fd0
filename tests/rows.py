"""Rows for tests that fill many tables and look at few of the columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table


def filled(table: Table, **known: Any) -> dict[str, Any]:
    """A row with a value in each column that must have one."""
    row = {
        column.name: 1 if column.type.python_type is int else column.type.python_type()
        for column in table.columns
        if not (column.nullable or column.server_default or column.primary_key)
    }
    return row | known
