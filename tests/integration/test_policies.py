"""The utility's own messages on their way: tried again by policy, within hours, if wanted."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update
from twisted.internet.defer import Deferred, succeed

from core.browse import show_outbox
from core.calls import Argument, Call
from core.outbox import Result, Sent
from core.policies import store_policy
from core.resend import resend
from core.results import store_results
from core.schedules import Window
from core.sending import claim
from core.tables import attempts, outbox, suppressions, templates
from core.templates.types import SendPolicy
from core.told import show_with_history
from gateway.claims import Claims
from gateway.messages import DeliveryState, SendStatus
from tests.conftest import CountStatements
from tests.integration.conftest import LINE, MOBILE, FakeConnection, World, Worlds

ANY_HOUR = SendPolicy((60, 600), 100, (), frozenset({"undeliverable"}))
BY_DAY = SendPolicy((60,), 0, (Window(480, 1260),), frozenset())
BILLS, NOTICES, REQUIRED = 1, 2, 3
TO_MORNING = 14 * 3600 + 1000
"""Seconds from the tests' instant (17:43:20 in Tehran) to eight o'clock and a bit."""
TO_NIGHT = 4 * 3600


def prepare(connection: Connection) -> None:
    """Three templates: of two topics, and one that the law requires."""
    for key, name, topic, required in (
        (BILLS, "bill", "bills", False),
        (NOTICES, "notice", "notices", False),
        (REQUIRED, "shutting off", "bills", True),
    ):
        values = {"utility": "water", "version": 1, "enabled": True, "changed_by": ""}
        values |= {"created_at": 0, "changed_at": 0, "topic": topic, "required": required}
        connection.execute(insert(templates).values(id=key, name=name, **values))


@pytest.fixture
def world(worlds: Worlds) -> World:
    """A daemon with one bind, and templates."""
    made = worlds()
    made.database.transact("prepare", prepare)
    return made


def queue(world: World, template: int = BILLS, policy: SendPolicy = ANY_HOUR, **values: Any) -> int:
    """A message of a template; its id."""

    def work(connection: Connection) -> int:
        key = world.desk.ids.one()
        row: dict[str, Any] = {
            "id": key, "message_id": key, "part": 1, "parts": 1, "mobile": MOBILE, "line": LINE,
            "text": "…", "priority": 3, "state": "queued", "attempts": 0, "max_attempts": 3,
            "resend_uncertain": False, "created_at": world.now(), "due_at": world.now(),
            "changed_at": world.now(), "expires_at": world.now() + 5 * 86_400_000,
            "template_id": template, "policy_id": store_policy(connection, policy),
        }  # fmt: skip
        connection.execute(insert(outbox).values(row | values))
        return key

    queued: int = world.database.transact("queue", work)
    return queued


def history(world: World, key: int) -> list[str]:
    """What happened to a message."""
    found = world.database.read("test", show_with_history, key)
    assert found is not None
    return [attempt.result for _part, attempt in found[1]]


def test_attempts_go_as_the_policy_says(world: World) -> None:
    """After its pauses, as often as the template says; then it has failed for good."""
    key = queue(world)
    connection = world.bind()
    world.respond(connection, status=SendStatus.TEMPORARY, code=8)
    world.pass_time(59)
    assert (world.states, len(connection.submitted)) == (["waiting"], 1)
    world.pass_time(1)
    world.respond(connection, status=SendStatus.TEMPORARY, code=0x64)
    world.clock.advance(600)
    world.claim()
    assert len(connection.submitted) == 3
    world.respond(connection, status=SendStatus.TEMPORARY, code=8)
    assert world.states == ["undeliverable"]
    assert history(world, key) == ["temporary"] * 3
    assert [row.code for row in world.rows(attempts)] == [8, 0x64, 8]


def test_a_message_that_was_not_delivered_goes_again(world: World) -> None:
    """Its history tells of both attempts; a first one that succeeds is not written twice."""
    key = queue(world)
    connection = world.bind()
    world.respond(connection)
    assert (world.states, world.rows(attempts)) == (["accepted"], [])
    world.receipt(connection, f"id{key}", DeliveryState.UNDELIVERABLE, "027")
    assert world.states == ["waiting"]
    world.pass_time(61)
    assert len(connection.submitted) == 2
    world.respond(connection)
    [row] = world.rows(outbox)
    assert (row.state, row.error, row.accepted_at) == ("accepted", None, world.now())
    world.receipt(connection, f"id{key}", DeliveryState.DELIVERED)
    assert world.states == ["delivered"]
    assert history(world, key) == ["accepted", "undeliverable", "accepted", "delivered"]


def test_what_was_delivered_after_all_is_not_sent_again(world: World) -> None:
    """A second receipt says so while the message waits for its next attempt."""
    key = queue(world)
    connection = world.bind()
    world.respond(connection)
    world.receipt(connection, f"id{key}", DeliveryState.UNDELIVERABLE)
    world.receipt(connection, f"id{key}", DeliveryState.DELIVERED)
    world.clock.advance(3600)
    world.claim()
    assert (world.states, len(connection.submitted)) == (["delivered"], 1)


def test_a_receipt_before_its_response_is_tried_again_too(world: World) -> None:
    """It waits for the response, and is judged as it would have been."""
    key = queue(world)
    connection = world.bind()
    world.receipt(connection, f"id{key}", DeliveryState.UNDELIVERABLE)
    world.respond(connection)
    assert world.states == ["waiting"]
    assert history(world, key) == ["accepted", "undeliverable"]


def test_nobody_is_woken_at_night(world: World) -> None:
    """What is due outside its hours waits for the morning, and is not in the way of others."""
    by_day = [queue(world, policy=BY_DAY) for _ in range(3)]
    world.clock.advance(TO_NIGHT)
    other = queue(world, priority=9)
    connection = world.bind()
    world.claim()
    assert [sms.id for sms in connection.submitted] == [other]
    assert [row.due_at > world.now() for row in world.rows(outbox)] == [True, True, True, False]
    world.clock.advance(TO_MORNING - TO_NIGHT)
    world.claim()
    assert [sms.id for sms in connection.submitted] == [other, *by_day]


def test_what_waits_for_the_rate_when_its_hours_end_is_given_back(worlds: Worlds) -> None:
    """Claimed in time, but the bind is slow: nothing of it goes out a minute too late."""
    world = worlds(window=1)
    world.database.transact("prepare", prepare)
    for _ in range(3):
        queue(world, policy=BY_DAY)
    answers = [queue(world, template=REQUIRED) for _ in range(2)]
    world.clock.advance(TO_NIGHT - 3600)
    claims = Claims(0, world.router, world.inbound, partial(transact, world), world.now)
    connection = FakeConnection("main")
    world.senders["main"].bound(connection)
    claims.claim()
    assert len(connection.submitted) == 1
    world.clock.advance(3600)
    claims.claim()
    assert world.states == ["sending", "queued", "queued", "sending", "sending"]
    world.respond(connection)
    assert [sms.id for sms in connection.submitted[1:]] == answers[:1]


def transact(world: World, *work: Any) -> Deferred[Any]:
    """What the daemon's database thread does, at once."""
    return succeed(world.database.transact(*work))


def test_what_would_be_too_late_in_the_morning_is_over(world: World) -> None:
    """There is nothing to wait for."""
    queue(world, policy=BY_DAY, expires_at=world.now() + 6 * 3_600_000)
    world.clock.advance(TO_NIGHT)
    world.bind()
    assert world.states == ["expired"]


def test_a_blocked_mobile_gets_no_more_of_the_kind(world: World) -> None:
    """The operator's code is kept; another kind may go out from a line that is not blocked."""
    queue(world)
    connection = world.bind()
    world.respond(connection, status=SendStatus.PERMANENT, code=0x401)
    assert world.states == ["suppressed"]
    [row] = world.rows(suppressions)
    told = (row.mobile, row.utility, row.topic, row.reason, row.note)
    assert told == (MOBILE, "water", "bills", "blocked", "1025")
    queue(world)
    notice = queue(world, NOTICES)
    world.claim()
    assert world.states == ["suppressed", "suppressed", "sending"]
    assert connection.submitted[-1].id == notice
    world.respond(connection)
    world.receipt(connection, f"id{notice}", DeliveryState.REJECTED, "77")
    assert world.states[-1] == "suppressed"
    assert [row.topic for row in world.rows(suppressions)] == ["bills", "notices"]


def test_other_refusals_block_nobody(world: World) -> None:
    """Nor do answers to people, who asked for them."""
    queue(world)
    connection = world.bind()
    world.respond(connection, status=SendStatus.PERMANENT, code=0x0B)
    world.deliver(connection, "help")
    world.respond(connection, status=SendStatus.PERMANENT, code=0x401)
    assert world.states == ["rejected", "suppressed"]
    assert world.rows(suppressions) == []


def test_who_opts_out_gets_nothing_that_is_queued_or_in_hand(worlds: Worlds) -> None:
    """But for what has left, what the law requires, and the answer."""
    world = worlds(window=1)
    world.database.transact("prepare", prepare)
    world.mind.calls["stop"] = Call("opt_out", {Argument.TOPIC: "bills"})
    left, in_hand = queue(world), queue(world)
    connection = world.bind()
    assert [sms.id for sms in connection.submitted] == [left]
    waiting = queue(world, due_at=world.now() + 5_000, state="waiting")
    held = queue(world, state="held")
    two = [queue(world, parts=2), queue(world, parts=2, part=2, message_id=held + 1)]
    assert two == [held + 1, held + 2]
    kept = [queue(world, REQUIRED), queue(world, NOTICES), queue(world, mobile="989120000000")]
    world.deliver(connection, "stop")
    for _ in range(8):
        world.respond(connection)
        world.claim()
    world.pass_time(6)
    states = dict(zip((row.id for row in world.rows(outbox)), world.states, strict=True))
    assert states[left] == "accepted"
    assert [states[key] for key in (in_hand, waiting, held, *two)] == ["suppressed"] * 5
    assert [states[key] for key in kept] == ["accepted"] * 3
    assert len(connection.submitted) == 5


LAST_WORDS = (
    (["bills out"], [False, True]),
    (["all out"], [False, False]),
    (["bills out", "all in"], [True, True]),
    (["all out", "bills in"], [True, False]),
    (["all out", "bills in", "bills out"], [False, False]),
    (["all out", "bills in", "all out"], [False, False]),
    (["all out", "bills in", "all in"], [True, True]),
    (["bills in"], [True, True]),
)


def test_the_last_word_counts(world: World) -> None:
    """Of one text after the other, and of all in one batch."""
    connection = world.bind()
    expected: dict[int, bool] = {}
    for place, (said, sent) in enumerate(LAST_WORDS):
        for text in said:
            topic, verb = text.split()
            about = {} if topic == "all" else {Argument.TOPIC: topic}
            world.mind.calls[text] = Call(f"opt_{verb}", about)
        slow, fast = f"98912111000{place}", f"98912222000{place}"
        for text in said:
            world.deliver(connection, text, mobile=slow)
        world.deliver(connection, *said, mobile=fast)
        for mobile in (slow, fast):
            keys = [queue(world, each, mobile=mobile) for each in (BILLS, NOTICES)]
            expected |= dict(zip(keys, sent, strict=True))
        world.claim()
        world.respond(connection)
    gone = {sms.id for sms in connection.submitted}
    assert {key: key in gone for key in expected} == expected


def test_what_a_dead_daemon_had_is_in_the_history(worlds: Worlds) -> None:
    """It may have gone out; what becomes of it is what the template says."""
    killed = worlds()
    killed.database.transact("prepare", prepare)
    left, again = queue(killed), queue(killed, resend_uncertain=True)
    killed.bind()
    world = worlds(clock=killed.clock)
    assert world.states == ["uncertain", "queued"]
    assert (history(world, left), history(world, again)) == (["uncertain"], ["uncertain"])


def test_resending_keeps_what_became_of_it_before(world: World) -> None:
    """The operator's first answer and its receipt stay to be seen."""
    key = queue(world, max_attempts=1)
    connection = world.bind()
    world.respond(connection)
    world.receipt(connection, f"id{key}", DeliveryState.UNDELIVERABLE, "001")
    assert world.states == ["undeliverable"]
    world.database.transact("resend", resend, [key], world.now())
    world.claim()
    world.respond(connection, status=SendStatus.PERMANENT, code=0x45)
    assert history(world, key) == ["accepted", "undeliverable", "permanent"]
    shown = world.database.read("test", show_outbox, key)
    assert shown is not None
    assert (shown.state, shown.template, shown.utility) == ("rejected", "bill", "water")


def test_the_number_of_statements_does_not_grow(
    world: World, count_statements: CountStatements
) -> None:
    """Claiming, results and receipts: one message or fifty."""

    def work(count: int) -> int:
        for place in range(count):
            queue(world, mobile=f"98912{place:07}")
        with count_statements(world.database) as counted:
            rows = world.database.transact("claim", claim, 0, [LINE], 200, world.now())
            half = len(rows) // 2
            sent = [Sent(row, Result.TEMPORARY, "mci", "", 8) for row in rows[:half]]
            sent += [Sent(row, Result.ACCEPTED, "mci", str(row.id), 0) for row in rows[half:]]
            world.database.transact("results", store_results, sent, world.now())
        world.database.transact("end", lambda c: c.execute(update(outbox).values(state="held")))
        return counted.total

    work(2)  # the policy is read once
    assert work(2) == work(50)
