"""Load on a daemon, and what has to be true of its answers afterwards."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from itertools import count
from typing import Any

from sqlalchemy import Connection, Table, func, select
from twisted.internet.task import LoopingCall

from core.database import Database
from core.tables import inbox, outbox
from gateway.smpp.handsets import Submit
from tests.acceptance.conftest import LINE, WINDOW, Operator
from tests.waiting import DEADLINE, until

TEXT = "010*10000001*4321"
AHEAD = 8 * WINDOW
"""So many texts wait at the operator at any time: the daemon is never idle."""


class Load:
    """Texts without end, each from a mobile of its own."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.mobiles: list[str] = []
        self.submits: defaultdict[str, list[Submit]] = defaultdict(list)
        self.by_connection: defaultdict[int, list[Submit]] = defaultdict(list)
        self._numbers = count(1)
        self._loop: Any = LoopingCall(self._feed)
        operator.on_submit = self._submitted

    def _submitted(self, submit: Submit) -> None:
        self.submits[submit.mobile].append(submit)
        self.by_connection[submit.connection].append(submit)

    def _feed(self) -> None:
        for _ in range(AHEAD - self.operator.waiting):
            mobile = f"98992{next(self._numbers):07}"
            self.mobiles.append(mobile)
            self.operator.send_text(mobile, LINE, TEXT)

    def begin(self) -> None:
        """Keep the operator's queue filled."""
        self._loop.start(0.005)

    def end(self) -> None:
        """Send no more."""
        if self._loop.running:
            self._loop.stop()

    async def all_answered(self, seconds: float = DEADLINE) -> None:
        """Wait until the operator has nothing left and every mobile has its answer."""
        await until(lambda: not self.operator.waiting, "all texts are acknowledged", seconds)
        await until(lambda: len(self.submits) == len(self.mobiles), "all are answered", seconds)

    def doubles(self, broken: Collection[int]) -> Counter[int]:
        """How many messages were sent twice, by the connection that broke under the first.

        Asserts that the first submit_sm of each was in flight on a connection in ``broken``
        when that broke: results come in the order of submissions, so that what was not
        settled are the last ones, and at most a window of them.
        """
        found: Counter[int] = Counter()
        in_flight = {
            connection: {submit.order for submit in submits[-WINDOW:]}
            for connection, submits in self.by_connection.items()
            if connection in broken
        }
        for mobile in self.mobiles:
            for submit in self.submits[mobile][:-1]:
                assert submit.connection in in_flight, f"{submit} was on a connection that held"
                assert submit.order in in_flight[submit.connection], f"{submit} was settled"
                found[submit.connection] += 1
        assert all(doubled <= WINDOW for doubled in found.values())
        return found

    def assert_stored_once(self, url: str) -> None:
        """Each text was worked on once and has one answer, however often it was delivered."""
        self._assert_one_row(url, outbox)
        self.assert_worked_on_once(url)

    def assert_worked_on_once(self, url: str) -> None:
        """Each text is stored once."""
        self._assert_one_row(url, inbox)

    def _assert_one_row(self, url: str, table: Table) -> None:
        database = Database(url)
        stored = database.read("test", _per_mobile, table)
        database.close()
        assert stored == dict.fromkeys(self.mobiles, 1)


def _per_mobile(connection: Connection, table: Table) -> dict[str, int]:
    counted = select(table.c.mobile, func.count()).group_by(table.c.mobile)
    return {row.mobile: row[1] for row in connection.execute(counted)}
