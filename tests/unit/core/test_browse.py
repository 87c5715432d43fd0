"""What an operator finds in the inbox and the outbox, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from core.box_filters import InboxFilter, OutboxFilter
from core.browse import Message, list_inbox, list_outbox, show_outbox
from core.database import Database
from core.ids import IdMaker
from core.tables import inbox, outbox, subscribers

NOW = 1_790_000_000_000
HOUR = 3_600_000
MOBILE = "989131234567"
LINE = "100034122"

StatementCounter = Callable[[Database], Any]


class Box:
    """Puts rows where a daemon would have put them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = NOW
        self.ids = IdMaker(0, lambda: self.now)

    def subscriber(self, key: int, number: str, utility: str = "kerman-water") -> int:
        """A subscription."""
        self.connection.execute(
            insert(subscribers).values(id=key, utility=utility, number=number, changed_at=NOW)
        )
        return key

    def sent(self, *states: str, texts: Sequence[str] = (), **values: Any) -> int:
        """A message with a part in each of ``states``; its id."""
        ids = self.ids.take(len(states))
        for place, (row_id, state) in enumerate(zip(ids, states, strict=True)):
            row: dict[str, Any] = {
                "id": row_id,
                "message_id": ids[0],
                "part": place + 1,
                "parts": len(states),
                "mobile": MOBILE,
                "line": LINE,
                "text": texts[place] if texts else f"part {place + 1}.",
                "priority": 0,
                "state": state,
                "attempts": 0,
                "max_attempts": 3,
                "resend_uncertain": False,
                "created_at": self.now,
                "due_at": self.now,
                "changed_at": self.now,
            }
            self.connection.execute(insert(outbox).values(row | values))
        return ids[0]

    def received(self, **values: Any) -> int:
        """A message from a mobile; its id."""
        row: dict[str, Any] = {
            "id": self.ids.one(),
            "received_at": self.now,
            "bind": "mci",
            "line": LINE,
            "profile": "kerman-water",
            "mobile": MOBILE,
            "text": "010*10000001*****",
            "fingerprint": 1,
            "state": "answered",
            "operation": "balance",
            "outcome": "done",
        }
        self.connection.execute(insert(inbox).values(row | values))
        return int((row | values)["id"])


def _fill(database: Database, work: Callable[[Box], Any]) -> Any:
    return database.transact("test.fill", lambda connection: work(Box(connection)))


def _outbox(database: Database, **wanted: Any) -> list[Message]:
    return database.read("test", list_outbox, OutboxFilter(**wanted))


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (("delivered", "delivered"), "delivered"),
        (("delivered", "accepted"), "accepted"),
        (("accepted", "queued"), "queued"),
        (("accepted", "waiting"), "waiting"),
        (("sending", "accepted"), "sending"),
        (("uncertain", "waiting"), "uncertain"),
        (("uncertain", "undeliverable"), "undeliverable"),
        (("delivered", "rejected"), "rejected"),
        (("expired", "delivered"), "expired"),
    ],
)
def test_a_message_is_as_its_parts_are(
    sqlite_database: Database, parts: tuple[str, ...], whole: str
) -> None:
    """The part that matters most gives the state, in lists, when shown, and when searched."""
    message_id = _fill(sqlite_database, lambda box: box.sent(*parts))

    [listed] = _outbox(sqlite_database, state=whole)
    shown = sqlite_database.read("test", show_outbox, message_id)
    others = {"delivered", "accepted", "queued", "uncertain", "rejected"} - {whole}

    assert (listed.id, listed.state) == (message_id, whole)
    assert shown == listed
    assert not [state for state in others if _outbox(sqlite_database, state=state)]


def test_messages_come_newest_first_and_whole(database: Database) -> None:
    """A long message is one entry with its whole text; the limit counts messages."""

    def work(box: Box) -> list[int]:
        return [
            box.sent("queued", texts=["one"]),
            box.sent("queued", "queued"),
            box.sent("sending"),
        ]

    first, second, third = _fill(database, work)

    assert [message.id for message in _outbox(database)] == [third, second, first]
    assert [message.id for message in _outbox(database, limit=2)] == [third, second]
    assert _outbox(database)[1].text == "part 1.part 2."


def test_filters_of_the_outbox(database: Database) -> None:
    """Mobile, line, subscription and period each narrow the list, alone and together."""

    def work(box: Box) -> dict[str, int]:
        box.subscriber(5, "10000005")
        made = {"old": box.sent("accepted", created_at=NOW)}
        box.now += HOUR
        made["other mobile"] = box.sent("accepted", mobile="989120000000")
        made["other line"] = box.sent("accepted", line="1522")
        made["theirs"] = box.sent("accepted", "accepted", subscriber_id=5)
        return made

    made = _fill(database, work)

    def found(**wanted: Any) -> set[str]:
        by_id = {value: key for key, value in made.items()}
        return {by_id[message.id] for message in _outbox(database, **wanted)}

    assert found(mobile="989120000000") == {"other mobile"}
    assert found(line="1522") == {"other line"}
    assert found(subscription="10000005") == {"theirs"}
    assert found(subscription="10000006") == set()
    assert found(until=NOW + HOUR) == {"old"}
    assert found(since=NOW + 1) == set(made) - {"old"}
    assert found(since=NOW + 1, mobile=MOBILE, line=LINE) == {"theirs"}
    assert found(mobile=MOBILE, limit=None) == {"old", "other line", "theirs"}


def test_a_message_names_its_subscription_and_its_last_attempt(database: Database) -> None:
    """Whoever looks sees whom it was about, and what each part went through."""

    def work(box: Box) -> int:
        box.subscriber(5, "10000005")
        return box.sent("waiting", subscriber_id=5, attempts=2, code=0x58, error="throttled")

    message_id = _fill(database, work)

    shown = database.read("test", show_outbox, message_id)
    assert shown is not None
    assert (shown.utility, shown.subscription, shown.attempts) == ("kerman-water", "10000005", 2)
    assert (shown.parts[0].code, shown.parts[0].error) == (0x58, "throttled")


def test_a_part_leads_to_its_message(database: Database) -> None:
    """The id of any part, as a log may give it, shows the message; another one nothing."""
    message_id = _fill(database, lambda box: box.sent("queued", "queued"))

    shown = database.read("test", show_outbox, message_id + 1)

    assert shown is not None
    assert shown.id == message_id
    assert database.read("test", show_outbox, message_id + 2) is None


def test_the_inbox_shows_what_was_answered(database: Database) -> None:
    """A received message comes with its operation, its reply and what became of that."""

    def work(box: Box) -> int:
        box.subscriber(5, "10000005")
        reply = box.sent("delivered", "delivered", texts=["بدهی ", "۱۰۰"])
        return box.received(subscriber_id=5, reply_id=reply)

    message_id = _fill(database, work)

    [found] = database.read("test", list_inbox, InboxFilter())
    assert (found.id, found.operation, found.subscription) == (message_id, "balance", "10000005")
    assert (found.reply, found.reply_state) == ("بدهی ۱۰۰", "delivered")


def test_filters_of_the_inbox(database: Database) -> None:
    """State, mobile and period narrow the inbox too, the newest first."""

    def work(box: Box) -> list[int]:
        ids = [box.received()]
        box.now += HOUR
        ids.append(box.received(state="set_aside", error="poison", operation="", outcome=""))
        ids.append(box.received(mobile="989120000000"))
        return ids

    old, aside, other = _fill(database, work)

    def found(**wanted: Any) -> list[int]:
        return [row.id for row in database.read("test", list_inbox, InboxFilter(**wanted))]

    assert found() == [other, aside, old]
    assert found(state="set_aside") == [aside]
    assert found(mobile=MOBILE, since=NOW + HOUR) == [aside]
    assert found(until=NOW + HOUR, limit=1) == [old]


def test_looking_takes_the_same_statements_however_many(
    database: Database, count_statements: StatementCounter
) -> None:
    """A long list costs no query for each of its messages."""
    _fill(database, lambda box: [box.sent("queued", "queued") for _ in range(30)])

    counts = []
    for limit in (1, 30):
        with count_statements(database) as counted:
            assert len(_outbox(database, limit=limit)) == limit
        counts.append(counted.total)

    assert counts[0] == counts[1]


def test_looking_does_not_wait_for_who_writes(sqlite_database: Database) -> None:
    """On SQLite a list is given while the daemon holds the write lock."""
    _fill(sqlite_database, lambda box: box.sent("queued"))

    def while_writing(connection: Connection) -> int:
        box = Box(connection)
        box.now += 1
        box.sent("queued")
        return len(_outbox(sqlite_database))

    assert sqlite_database.transact("test.write", while_writing) == 1
