"""Webhooks: what happens is told once and in order, signed, however often it has to be tried."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import insert, select, update
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.server import NOT_DONE_YET, Request

from core.access.audit import Actor, Scribe
from core.database import Database
from core.ids import IdMaker
from core.outbox import STORED, Outgoing, Result, Sent, State
from core.receipts import ReceiptFor, store_receipts
from core.resend import cancel
from core.results import store_results
from core.secrecy import Keys
from core.sending import claim, take_over
from core.tables import audit, inbox, outbox, webhook_calls, webhooks
from core.webhooks.calls import FIRST_PAUSE_MS, MOST_ATTEMPTS, pause_after
from core.webhooks.horizon import LAG_MS
from core.webhooks.news import Whose
from core.webhooks.store import (
    By,
    New,
    WebhookError,
    add_webhook,
    disable_webhook,
    enable_webhook,
    list_webhooks,
    remove_webhook,
)
from core.webhooks.topics import Topics, parse_topics
from gateway.database_doors import Doors
from gateway.signed_posts import Poster
from gateway.webhooks.service import Webhooks
from tests.campaigning import UTILITY
from tests.conftest import Clock
from tests.happening import MOBILE, bill, happen
from tests.listeners import Address
from tests.waiting import until

reactor: Any = _reactor
LINE, OTHER_LINE = "100034122", "100099"
WHOSE = Whose({"ours": UTILITY, "theirs": "other"}, {LINE: UTILITY, OTHER_LINE: "other"})
LATER = LAG_MS / 1000 + 1


def at_once(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
    """A thread that needs no time."""
    return maybeDeferred(function, *arguments)


class Slow(Address):
    """Takes what is posted, and says nothing."""

    def render_POST(self, request: Request) -> Any:  # noqa: N802 - Twisted's
        """Keep it."""
        super().render_POST(request)
        return NOT_DONE_YET


class Rig:
    """A daemon's webhooks on a database, and a receiver."""

    def __init__(self, database: Database, keys: Keys, now_ms: Clock) -> None:
        self.database, self.keys, self.now_ms = database, keys, now_ms
        self.ids = IdMaker(1, now_ms)
        self.address = Address()
        self.secrets: dict[str, str] = {}
        self.is_leader = True
        self.webhooks = self.daemon()

    def daemon(self) -> Webhooks:
        """One that has just been started."""
        return Webhooks(
            Doors(self.database, at_once, at_once, at_once),
            self.keys,
            Poster(reactor, 60, self.now_ms),
            WHOSE,
            new_id=self.ids.one,
            now_ms=self.now_ms,
            may_work=lambda: self.is_leader,
        )

    @property
    def by(self) -> By:
        """Who changes what there is."""
        return By(Scribe(self.ids), Actor("command:test"), self.now_ms())

    def do(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """A change, as a command makes it."""
        return self.database.transact("test", function, self.by, *arguments, **named)

    def add(self, *topics: str, name: str = "crm", utility: str = "", url: str = "") -> None:
        """A webhook."""
        new = New(name, utility, url or self.address.url, parse_topics(topics))
        self.secrets[name] = self.database.transact("add", add_webhook, self.keys, self.by, new)[1]

    def move_to(self, address: Address) -> None:
        """All webhooks go there from now on."""
        moved = update(webhooks).values(url=address.url)
        self.address = address
        self.database.transact("moved", lambda c: c.execute(moved))

    def came(self, *texts: str, profile: str = "ours") -> list[str]:
        """Messages that came in; their ids."""
        rows = [
            {
                "id": self.ids.one(), "received_at": self.now_ms(), "bind": "mci", "line": LINE,
                "profile": profile, "mobile": MOBILE, "text": text, "fingerprint": 0,
                "state": "answered", "operation": "balance", "outcome": "done",
            }
            for text in texts
        ]  # fmt: skip
        self.database.transact("came", lambda c: c.execute(insert(inbox), rows))
        return [str(row["id"]) for row in rows]

    def went(self, *states: str, line: str = LINE) -> int:
        """A message with a part in each of these states; its id."""
        ids = self.ids.take(len(states))
        rows = [
            {
                "id": row_id, "message_id": ids[0], "part": part, "parts": len(states),
                "mobile": MOBILE, "line": line, "text": "x", "priority": 0, "state": state,
                "attempts": 1, "max_attempts": 3, "resend_uncertain": True, "due_at": 0,
                "created_at": self.now_ms(), "changed_at": self.now_ms(),
                "over_at": self.now_ms(), "smsc": "mci", "smsc_id": str(row_id),
            }
            for part, (row_id, state) in enumerate(zip(ids, states, strict=True), 1)
        ]  # fmt: skip
        self.database.transact("went", lambda c: c.execute(insert(outbox), rows))
        return ids[0]

    def becomes(self, row_id: int, state: str) -> None:
        """What a receipt makes of a part, that the operator says is of an hour ago."""
        at = self.now_ms() - 3_600_000
        receipt = ReceiptFor("mci", str(row_id), State(state), "", at)
        self.database.transact("receipt", store_receipts, [receipt], self.now_ms())

    async def look(self, webhooks: Webhooks | None = None, after: float = LATER) -> None:
        """Look a while later, until all is told that can be told now."""
        self.now_ms.advance(after)
        daemon = webhooks or self.webhooks
        await daemon.tick()
        await daemon.settled()

    @property
    def told(self) -> list[dict[str, Any]]:
        """The calls that the receiver has taken."""
        return [json.loads(each.body) for each in self.address.posted]

    @property
    def items(self) -> list[dict[str, Any]]:
        """What it was told in them."""
        return [item for call in self.told for item in call["items"]]


@pytest.fixture
def rig(database: Database, keys: Keys, now_ms: Clock) -> Iterator[Rig]:
    """On SQLite and on PostgreSQL."""
    rig = Rig(database, keys, now_ms)
    yield rig
    rig.address.stop()


@pytest.fixture
def lite(sqlite_database: Database, keys: Keys, now_ms: Clock) -> Iterator[Rig]:
    """On SQLite alone: for what is no matter of the engine."""
    rig = Rig(sqlite_database, keys, now_ms)
    yield rig
    rig.address.stop()


@pytest_twisted.ensureDeferred
async def test_what_happens_is_told_once_and_signed(rig: Rig) -> None:
    """A text, an event and a message's end, from then on when the webhook was added."""
    rig.came("before it was there")
    rig.now_ms.advance(1)
    rig.add("inbound", "event.bill_issued", "message.delivered", utility=UTILITY)
    received = rig.came("قبض")
    rig.came("somebody else's", profile="theirs")
    happen(rig.database, rig.ids, bill("1", rig.now_ms()))
    sent, _failed = rig.went("accepted", "accepted"), rig.went("rejected")
    rig.went("delivered", line=OTHER_LINE)
    rig.becomes(sent, "delivered")
    await rig.look()
    assert [item["type"] for item in rig.items] == ["inbound", "event"]
    rig.becomes(sent + 1, "delivered")
    await rig.look()
    await rig.look()
    assert [item["id"] for item in rig.items if item["type"] == "inbound"] == received
    about = rig.items[-1]
    assert (about["type"], about["id"], about["state"]) == ("message", str(sent), "delivered")
    assert rig.items[1]["facts"]["payable"] == 1000
    assert {item["utility"] for item in rig.items} == {UTILITY}
    assert len(rig.items) == 3
    for posted in rig.address.posted:
        stamp, said = posted.headers["x-peyk-timestamp"], posted.headers["x-peyk-signature"]
        signed = stamp.encode() + b"." + posted.body
        own = hmac.new(rig.secrets["crm"].encode(), signed, hashlib.sha256).hexdigest()
        assert said == f"sha256={own}"
        assert posted.headers["x-peyk-call"] == json.loads(posted.body)["id"]


@pytest_twisted.ensureDeferred
async def test_many_are_told_in_order_in_calls_of_a_bounded_size(rig: Rig) -> None:
    """Also past hundreds of rows that are none of its business."""
    rig.add("inbound", "message.*", utility=UTILITY)
    rig.came(*map(str, range(500)), profile="theirs")
    received = rig.came(*map(str, range(230)))
    sent = [str(rig.went("delivered")) for _ in range(30)]
    await rig.look()
    assert max(len(call["items"]) for call in rig.told) == 100
    told = {"inbound": received, "message": sent}
    for kind, ids in told.items():
        assert [item["id"] for item in rig.items if item["type"] == kind] == ids


@pytest_twisted.ensureDeferred
async def test_every_end_of_a_message_is_told(rig: Rig) -> None:
    """Whoever has brought it about: an operator, a person, a clock, a daemon that died."""
    rig.add("message.*")
    refused, cancelled, expired, lost = (
        rig.went(state) for state in ("sending", "queued", "queued", "sending")
    )

    def end_all(connection: Any) -> None:
        now = rig.now_ms()
        soon = update(outbox).where(outbox.c.id == expired).values(expires_at=now)
        connection.execute(soon)
        no_more = outbox.c.id == lost
        connection.execute(
            update(outbox).where(no_more).values(node=7, lease_until=0, resend_uncertain=False)
        )
        outgoing = select(*(outbox.c[name] for name in STORED)).where(outbox.c.id == refused)
        row = Outgoing(*connection.execute(outgoing).one())
        store_results(connection, [Sent(row, Result.PERMANENT, "mci", "", 11)], now)
        cancel(connection, [cancelled], now)
        claim(connection, 1, [LINE], 10, now)
        take_over(connection, now)

    rig.database.transact("end", end_all)
    await rig.look()
    assert {item["id"]: item["exact_state"] for item in rig.items} == {
        str(refused): "rejected",
        str(cancelled): "cancelled",
        str(expired): "expired",
        str(lost): "uncertain",
    }


@pytest_twisted.ensureDeferred
async def test_what_is_committed_late_is_not_passed_over(rig: Rig) -> None:
    """An id that is smaller than others is seen only after them."""
    rig.add("inbound")
    early = rig.ids.one()
    rig.now_ms.advance(1)
    later = rig.came("later")
    await rig.look(after=0)
    ids, rig.ids = rig.ids, IdMaker(1, rig.now_ms)
    rig.ids.one = lambda: early  # type: ignore[method-assign]
    rig.came("late")
    rig.ids = ids
    await rig.look()
    assert [item["id"] for item in rig.items] == [str(early), *later]


@pytest_twisted.ensureDeferred
async def test_a_transaction_under_way_is_waited_for(
    postgresql_database: Database, keys: Keys, now_ms: Clock
) -> None:
    """Whatever it has made ids for is told after it, and what is behind those as well."""
    rig = Rig(postgresql_database, keys, now_ms)
    with postgresql_database.engine.begin() as other:
        began = other.exec_driver_sql("SELECT extract(epoch FROM now()) * 1000").scalar()
        assert began is not None
        now_ms.ms = round(began)
        rig.add("inbound")
        rig.came("text")
        await rig.look()
        assert rig.items == []
    await rig.look(after=0)
    assert len(rig.items) == 1
    await rig.address.stop()


@pytest_twisted.ensureDeferred
async def test_a_call_is_made_again_until_it_is_taken(lite: Rig) -> None:
    """The same call, after pauses that grow; the others of the house are told meanwhile."""
    other = Address()
    lite.add("inbound")
    lite.add("inbound", name="erp", url=other.url)
    first = lite.came("one")
    lite.address.codes = [500, 301]
    await lite.look()
    second = lite.came("two")
    await lite.look(after=FIRST_PAUSE_MS / 1000 - 1)
    assert len(lite.address.codes) == 1
    assert len(other.posted) == 2
    await lite.look(after=1)
    assert lite.address.codes == []
    failing, fine = lite.webhooks.health
    assert failing.error.endswith("answers 500")
    assert (failing.taken, failing.refused, fine.refused) == (0, 1, 0)
    assert failing.waiting_since == failing.since
    await lite.look(after=FIRST_PAUSE_MS * 2 / 1000)
    assert [[item["id"] for item in call["items"]] for call in lite.told] == [first, second]
    lite.address.codes = [500]
    third = lite.came("three")
    await lite.look()
    assert lite.do(enable_webhook, "crm"), "it is tried at once"
    assert not lite.do(enable_webhook, "erp")
    await lite.look(after=0)
    assert [item["id"] for item in lite.told[-1]["items"]] == third
    assert pause_after(1) < pause_after(2) < pause_after(20) == pause_after(MOST_ATTEMPTS)
    await other.stop()


@pytest_twisted.ensureDeferred
async def test_what_was_not_added_by_command_is_not_told_on_this_machine(lite: Rig) -> None:
    """Whatever its address says: a name may lead anywhere, and is looked at when it is called."""
    url = lite.address.url.replace("127.0.0.1", "localhost")
    lite.add("inbound", url=url)
    lite.add("inbound", name="desk", url=url)
    by_desk = update(webhooks).where(webhooks.c.name == "desk").values(created_by="m.karimi")
    lite.database.transact("by", lambda c: c.execute(by_desk))
    lite.came("one")
    await lite.look()
    await lite.look(after=0)
    assert [call["webhook"] for call in lite.told] == ["crm"]
    assert "own machine" in lite.webhooks.health[1].error


@pytest_twisted.ensureDeferred
async def test_after_a_restart_only_what_was_not_acknowledged_is_told_again(lite: Rig) -> None:
    """By its own id, so that the receiver can drop it."""
    lite.add("inbound")
    lite.came("told")
    await lite.look()
    await lite.address.stop()
    slow = Slow()
    lite.move_to(slow)
    lite.came("in doubt")
    lite.now_ms.advance(LATER)
    await lite.webhooks.tick()
    await until(lambda: slow.posted, "the call is made")
    await lite.webhooks.stop()
    await slow.stop()
    again = Address()
    lite.move_to(again)
    lite.came("after")
    await lite.look(lite.daemon())
    assert [[item["text"] for item in call["items"]] for call in lite.told] == [
        ["in doubt"],
        ["after"],
    ]
    assert lite.told[0]["id"] == json.loads(slow.posted[0].body)["id"]


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_takes_nothing_is_given_up_until_it_is_enabled(lite: Rig) -> None:
    """After about a day of trying; then it is told from where it was."""
    lite.add("inbound")
    lite.came("one")
    lite.address.codes = [503] * MOST_ATTEMPTS
    for attempt in range(1, MOST_ATTEMPTS + 1):
        await lite.look(after=pause_after(attempt) / 1000)
    await lite.look(after=86_400)
    assert lite.address.codes == []
    (health,) = lite.webhooks.health
    assert health.gave_up
    lite.came("two")
    assert lite.do(enable_webhook, "crm")
    await lite.look()
    assert [item["text"] for item in lite.items] == ["one", "two"]


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_is_gone_is_given_up_at_once_and_may_leave_things_out(
    lite: Rig,
) -> None:
    """410 Gone; and whoever enables it may say that what happened meanwhile is not wanted."""
    lite.add("inbound")
    lite.came("one")
    lite.address.codes = [410]
    await lite.look()
    await lite.look()
    assert lite.webhooks.health[0].gave_up
    assert lite.do(enable_webhook, "crm", from_now=True)
    lite.now_ms.advance(1)
    lite.came("two")
    await lite.look()
    assert [item["text"] for item in lite.items] == ["two"]


@pytest_twisted.ensureDeferred
async def test_who_does_not_lead_or_is_paused_tells_nothing(lite: Rig) -> None:
    """And tells it all when its turn comes."""
    lite.add("inbound")
    lite.came("one")
    lite.is_leader = False
    await lite.look()
    assert lite.told == []
    lite.is_leader = True
    await lite.look()
    assert len(lite.items) == 1


@pytest_twisted.ensureDeferred
async def test_two_that_believe_they_lead_tell_nothing_twice(lite: Rig) -> None:
    """For a moment there may be two: the positions move for one of them."""
    lite.add("inbound")
    lite.came("one")
    other = lite.daemon()
    lite.now_ms.advance(LATER)
    await lite.webhooks.tick()
    await other.tick()
    await lite.webhooks.settled()
    await other.settled()
    assert {call["id"] for call in lite.told} == {lite.told[0]["id"]}
    await lite.look()
    assert len({item["id"] for item in lite.items}) == 1


@pytest_twisted.ensureDeferred
async def test_a_test_call_tells_of_nothing(lite: Rig) -> None:
    """Signed as any other; also to one that is disabled."""
    lite.add("inbound")
    lite.do(disable_webhook, "crm")
    assert await lite.webhooks.test({"name": "crm"}) == {"status": 200, "error": ""}
    assert lite.told[0]["items"] == []
    lite.address.codes = [404]
    assert (await lite.webhooks.test({"name": "crm"}))["status"] == 404
    with pytest.raises(WebhookError, match="no webhook"):
        await lite.webhooks.test({"name": "nobody"})


@pytest_twisted.ensureDeferred
async def test_what_a_receiver_has_is_not_kept(lite: Rig) -> None:
    """The words are gone from the database with the acknowledgement; the figures stay."""
    lite.add("inbound")
    lite.came("one")
    await lite.look()
    row = lite.database.read("calls", lambda c: c.execute(select(webhook_calls)).one())
    assert (row.body, row.items, row.attempts, row.status, row.due_at) == ("", 1, 1, 200, None)


def test_changes_are_audited_and_secrets_sealed(lite: Rig) -> None:
    """Whose data it is for decides who finds it."""
    lite.add("inbound", utility=UTILITY)
    with pytest.raises(WebhookError, match="already"):
        lite.add("inbound")
    with pytest.raises(WebhookError, match="lower-case"):
        lite.add("inbound", name="No Name")
    with pytest.raises(WebhookError, match="no webhook"):
        lite.do(remove_webhook, "crm", "other")
    assert lite.do(disable_webhook, "crm", UTILITY)
    assert not lite.do(disable_webhook, "crm")
    (stored,) = lite.database.read("list", list_webhooks)
    assert lite.secrets["crm"] not in stored.sealed
    lite.do(remove_webhook, "crm")
    query = select(audit.c.action, audit.c.details).order_by(audit.c.id)
    lines = lite.database.read("audit", lambda c: c.execute(query).all())
    assert [line.action for line in lines] == ["webhook.add", "webhook.disable", "webhook.remove"]
    assert lite.secrets["crm"] not in lines[0].details


def test_topics_are_checked() -> None:
    """A slip is answered with what was meant."""
    with pytest.raises(ValueError, match=r"did you mean 'message\.delivered'\?"):
        parse_topics(["message.deliverd"])
    with pytest.raises(ValueError, match="say what"):
        parse_topics([])
    assert Topics(["event.*"]).wants_event("of a later version")
