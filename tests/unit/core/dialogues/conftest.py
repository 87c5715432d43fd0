"""Handsets that dial a small menu on a real database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Table, select

from core.batch import Batch, Desk, Done
from core.database import Database
from core.demo import fill
from core.dialogues.limits import Limits
from core.dialogues.types import Event, Input
from core.ids import IdMaker
from core.recovery import tidy
from core.running import run
from core.secrecy import Keys
from core.tables import ussd_sessions, ussd_steps
from tests.conftest import NOW_MS, Clock
from tests.talkers import CODE, MOBILE, FakeTalker


class Handsets:
    """Mobiles that dial a desk."""

    no_limits = Limits(10**6, 10**6, 10**6)

    def __init__(self, database: Database, keys: Keys, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.talker = FakeTalker()
        self.desk = Desk(
            0,
            IdMaker(0, clock),
            keys,
            {},
            lambda _bind, _parts: "",
            talkers={CODE: self.talker},
            limits=Limits(sessions=1000, dials_per_minute=5, inputs_per_minute=12),
        )

    def make(  # noqa: PLR0913 - a test says only what it is about
        self,
        event: Event,
        text: str,
        *,
        mobile: str = MOBILE,
        session: str = "s1",
        turn: str = "",
        line: str = CODE,
    ) -> Input:
        """An input as the gateway makes it."""
        fingerprint = hash((event, text, mobile, session, turn)) >> 2
        number = self.desk.ids.one()
        return Input(
            number, self.clock(), "mci", 1, session, line, mobile, event, text, turn, fingerprint
        )  # fmt: skip

    def run(self, *inputs: Input, **batch: Any) -> Done:
        """One batch."""
        return run(self.database, self.desk, Batch(inputs=list(inputs), now=self.clock(), **batch))

    def dial(self, text: str = CODE, **about: Any) -> list[str]:
        """Dial; returns what is shown."""
        return screens(self.run(self.make(Event.BEGIN, text, **about)))

    def type(self, text: str, **about: Any) -> list[str]:
        """Type something."""
        return screens(self.run(self.make(Event.ANSWER, text, **about)))

    def tidy(self) -> Done:
        """What the daemon does each minute."""
        return self.database.transact("tidy", tidy, self.desk, self.clock())

    def rows(self, table: Table) -> Sequence[Any]:
        """All rows."""
        query = select(table).order_by(*table.primary_key.columns)
        return self.database.read("test", lambda connection: connection.execute(query).all())

    @property
    def session(self) -> Any:
        """The one session that there is."""
        (row,) = self.rows(ussd_sessions)
        return row

    @property
    def sessions(self) -> Sequence[Any]:
        """Every mobile's."""
        return self.rows(ussd_sessions)

    @property
    def steps(self) -> Sequence[Any]:
        """All that was heard."""
        return self.rows(ussd_steps)


def screens(done: Done) -> list[str]:
    """What is shown; a last screen ends with a full stop."""
    return [shown.text + "." * shown.ends for shown in done.screens]


@pytest.fixture
def handsets(database: Database, keys: Keys, now_ms: Clock) -> Handsets:
    """Handsets of a database with sample subscribers."""
    fill(database, keys, subscribers=5, today=date(2026, 9, 21))
    assert now_ms() == NOW_MS
    return Handsets(database, keys, now_ms)
