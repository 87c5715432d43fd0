"""How results find their rows: by their ids, however much else is on its way."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Update

from core import schema
from core.database import Database
from core.results import _ACCEPT_OWN, _SETTLE_OWN


def test_a_result_goes_to_its_row_and_not_through_all_in_hand(tmp_path: Path) -> None:
    """SQLite knows an index of what a daemon has in hand: for this it would be a detour."""
    database = Database(f"sqlite:///{tmp_path}/peyk.db")
    schema.upgrade(database)

    def plan(connection: Connection, update: Update) -> list[str]:
        statement = update.compile(dialect=connection.dialect)
        values = {**statement.params, "rows": "[]", "owner": 0, "now": 0}
        positions = tuple(values[name] for name in statement.positiontup or ())
        found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", positions)
        return [row[3] for row in found]

    plans = [database.transact("plan", plan, each) for each in (_SETTLE_OWN, _ACCEPT_OWN)]
    database.close()

    for steps in plans:
        assert any(step.startswith("SEARCH outbox") and "(id=?)" in step for step in steps)
