"""How results find their rows: by their ids, however much else is on its way."""

from __future__ import annotations

import re

from sqlalchemy import Connection, Update, insert, text

from core.bulk import as_rows
from core.database import Database, by_index_only
from core.outbox import State
from core.results import _ACCEPT_OWN, _SETTLE_OWN
from core.tables import outbox
from tests.rows import filled


def test_a_result_goes_to_its_row_and_not_through_all_in_hand(database: Database) -> None:
    """Both engines know an index of what a daemon has in hand: for this it would be a detour.

    A window of two hundred has as much in hand, and a batch has results for half of it.
    """
    database.transact("send", _send, 200)

    def plan(connection: Connection, statement: Update) -> list[str]:
        by_index_only(connection)
        results = [("mci", f"s{i}", i, 1) for i in range(100)]
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        prepared = statement.compile(dialect=connection.dialect)
        values = {**prepared.params, **as_rows(results), "owner": 1, "now": 0}
        order = prepared.positiontup
        given = values if order is None else tuple(values[name] for name in order)
        found = connection.exec_driver_sql(f"{explain} {prepared}", given)
        return [row[-1] for row in found]

    for statement in (_SETTLE_OWN, _ACCEPT_OWN):
        steps = "\n".join(database.transact("plan", plan, statement))
        assert re.search(r"SEARCH outbox USING INDEX \S+ \(id=\?\)|Scan using pk_outbox", steps)
        assert "ix_outbox_sending" not in steps


def _send(connection: Connection, number: int) -> None:
    """So many messages in hand, and what an engine knows of it after a while."""
    rows = [filled(outbox, id=i, state=State.SENDING.value, node=1) for i in range(number)]
    connection.execute(insert(outbox), rows)
    connection.execute(text("ANALYZE outbox"))
