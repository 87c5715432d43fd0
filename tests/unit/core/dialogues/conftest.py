"""A menu small enough to see through, and handsets that dial it on a real database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Table, select

from core.batch import Batch, Desk, Done
from core.calls import Argument, Call
from core.database import Database
from core.demo import FIRST_NUMBER, code_of, fill
from core.dialogues.limits import Limits
from core.dialogues.types import Ending, Event, Heard, Input, Said
from core.ids import IdMaker
from core.recovery import tidy
from core.running import run
from core.secrecy import Keys
from core.tables import ussd_sessions, ussd_steps
from core.terms import Terms
from tests.conftest import NOW_MS, Clock

CODE, MOBILE = "*1522#", "989160000001"
NUMBER = str(FIRST_NUMBER)
SECRET = code_of(FIRST_NUMBER)
TIMEOUT_MS, RESUME_MS = 120_000, 300_000
MENU, OVER = "menu", "over"


class FakeTalker:
    """Implements ``Talker``: each key of its one menu is something that menus do."""

    utility = "kerman-water"
    terms = Terms()
    sms_line = "100034122"
    timeout_ms = TIMEOUT_MS
    resume_ms = RESUME_MS

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def last_words(self, why: Ending) -> str:
        """The reason itself."""
        return why.value

    def step(self, state: str, heard: Heard) -> Said:  # noqa: C901, PLR0911 - a table of keys
        """Go on."""
        self.heard.append(heard)
        told: dict[str, Any] = json.loads(state) if state else {"shown": [], "after": ""}
        shown = tuple(told["shown"])
        if heard.event is Event.OUTCOME:
            assert heard.outcome is not None
            return self._heard_of(told, heard)
        if heard.event is Event.BEGIN and heard.text == CODE:
            return Said(state or json.dumps(told), screen=f"cut {heard.cut}" if heard.cut else MENU)
        if heard.event is Event.OPEN:
            return Said(json.dumps(told), screen=heard.text, ends=heard.text == "notice")
        key = heard.text if heard.event is Event.ANSWER else heard.text.split("*")[-1].strip("#")
        match key.split("*"):
            case ["1"]:
                return self._call(told, "balance", {})
            case ["2", number, code]:
                said = {Argument.NUMBER: number, Argument.CODE: code}
                return self._call(told, "sign_in", said)._replace(masked=f"2*{number}*****")
            case ["3", reading]:
                said = {Argument.READING: reading, Argument.NUMBER: NUMBER}
                return self._call(told, "submit_reading", said)
            case ["circle"]:
                return self._call({**told, "after": "circle"}, "help", {})
            case ["two"]:
                return self._call({**told, "after": "balance"}, "help", {})
            case ["poison"]:
                return self._call(told, "no such operation", {})
            case ["text"]:
                return Said(json.dumps(told), screen="sent", ends=True, notes=(("a", "b"),))
            case ["bye"]:
                return Said(json.dumps(told), ends=True)
            case _:
                return Said(json.dumps(told), shown=shown, screen=MENU)

    @staticmethod
    def _call(told: dict[str, Any], operation: str, said: dict[Argument, str]) -> Said:
        return Said(json.dumps(told), Call(operation, said), tuple(told["shown"]))

    def _heard_of(self, told: dict[str, Any], heard: Heard) -> Said:
        assert heard.outcome is not None
        operation, kind, facts = heard.outcome
        if told["after"]:
            again = told["after"] if told["after"] != "circle" else "help"
            after = "circle" if told["after"] == "circle" else ""
            return self._call({**told, "after": after}, again, {})
        if operation == "sign_in" and kind == "done":
            told = {**told, "shown": [*told["shown"], facts["number"]]}
            return Said(json.dumps(told), screen="signed in")
        return Said(json.dumps(told), screen=f"{operation} {kind}", ends=operation == "balance")


class Handsets:
    """Mobiles that dial a desk."""

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
