"""Texting a shipped profile: its rules and words over the core, without network or daemon."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from core import demo
from core.batch import Batch, Desk
from core.database import Database
from core.ids import IdMaker
from core.inbox import SET_ASIDE, Arrival
from core.operations import REGISTRY
from core.running import run
from core.secrecy import Keys
from core.tables import inbox, outbox
from gateway.minds import LineMind
from gateway.profiles import Profile, load_profile
from gateway.smpp.text import Alphabet
from tests.conftest import NOW_MS

PROFILES: Final = Path(__file__).parents[1] / "config" / "profiles"
SHIPPED: Final = ("kerman-water", "kohgiluyeh-water", "lorestan-water", "qazvin-gas", "qom-power")
STRANGER: Final = "989131234567"
"""Registered to nobody in the sample data."""
OWNER: Final = "989131111111"
"""Registered to the subscription at place 2 of each sample."""
SUBSCRIBERS: Final = 12
TODAY: Final[date] = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()


@cache
def _profile(name: str) -> Profile:
    return load_profile(PROFILES / name, REGISTRY)


class Talk:
    """A line of one utility with sample subscribers."""

    def __init__(self, database: Database, keys: Keys, name: str) -> None:
        self.database = database
        self.profile = _profile(name)
        self.now = NOW_MS
        self.happened = False
        """Whether the last text has brought an event."""
        demo.fill(database, keys, today=TODAY, utility=name, subscribers=SUBSCRIBERS)
        mind = LineMind(self.profile, Alphabet.GSM7, 8)
        ids = IdMaker(0, lambda: self.now)
        self._desk = Desk(0, ids, keys, {name: mind}, lambda _bind, _parts: "")

    def ask(self, text: str, mobile: str = STRANGER) -> str:
        """Text the line; what comes back. Nothing may have been set aside."""
        return self.ask_together((mobile, text))[0]

    def ask_together(self, *texts: tuple[str, str]) -> list[str]:
        """Text the line from several mobiles in one batch, (mobile, text); what comes back."""
        self.now += 1000
        made = [
            Arrival(
                self._desk.ids.one(), self.now, "b", 1, self.profile.name, self.profile.name,
                mobile, text, hash((text, mobile)) % 2**60, None, None,
            )
            for mobile, text in texts
        ]  # fmt: skip
        done = run(self.database, self._desk, Batch(arrivals=made, now=self.now))
        self.happened = done.happened
        for stored in self.rows(inbox)[-len(made) :]:
            assert stored.state != SET_ASIDE, (texts, stored.error)
        sent = self.rows(outbox)
        return ["".join(row.text for row in sent if row.inbox_id == each.id) for each in made]

    def rows(self, table: Any) -> list[Any]:
        """Everything in a table, the oldest first."""
        return self.database.read(
            "test", lambda c: list(c.execute(select(table).order_by(table.c.id)))
        )

    def number(self, place: int) -> str:
        """The number of the sample subscription at a place, from 1."""
        return demo.number_of(place, self.profile.name)

    def code(self, place: int) -> str:
        """Its secret code."""
        return demo.code_of(int(self.number(place)), self.profile.name)
