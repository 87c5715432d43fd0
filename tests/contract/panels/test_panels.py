"""What is of panels alone: requests of many messages, doubts, accounts, texts handed over once."""

from __future__ import annotations

import pytest
import pytest_twisted
from sqlalchemy import Connection, update
from twisted.internet.defer import Deferred

from core.policies import store_policy
from core.sending import claim
from core.tables import inbox, outbox
from core.templates.types import SendPolicy
from tests.contract.panels.conftest import PanelOperator, make_operator, numbers, queue, tell, until
from tests.contract.panels.servers import FAKES, Fault
from tests.integration.conftest import LINE, MOBILE, Worlds

SIZES = {"kavenegar": 200, "smsir": 100, "magfa": 100}


@pytest_twisted.ensureDeferred
async def test_requests_are_as_large_as_the_panel_takes(panel: PanelOperator) -> None:
    """And every message has an id of its own."""
    world, size = panel.world, SIZES[panel.kind]
    queue(world, *(f"98913{n:07}" for n in range(size + 10)), claim_them=False)
    rows = world.database.transact("claim", claim, 0, [LINE], 500, world.now())
    panel.service.sender.hand_over(rows)
    panel.service.sender.pump()
    await until(world, lambda: len(panel.taken) == size + 10)
    await until(world, lambda: set(tell(world, "state")) == {"accepted"})
    assert max(panel.fake.sizes) == size
    assert len(set(tell(world, "smsc_id"))) == size + 10


@pytest_twisted.ensureDeferred
async def test_one_bad_number_does_not_take_the_others_with_it(panel: PanelOperator) -> None:
    """The panel refuses the whole request; the one at fault is found and refused alone."""
    world, mobiles = panel.world, numbers(11)
    panel.fake.wrong = {mobiles[6][-10:]}
    panel.block(mobiles[2])
    queue(world, *mobiles)
    await until(world, lambda: set(tell(world, "state")) == {"accepted", "rejected", "suppressed"})
    assert dict(zip(tell(world, "mobile"), tell(world, "state"), strict=True)) == {
        mobile: "rejected" if n == 6 else "suppressed" if n == 2 else "accepted"
        for n, mobile in enumerate(mobiles)
    }
    assert len(panel.taken) == 9


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.GARBAGE, Fault.CRASH, Fault.SHORT])
async def test_doubts_are_cleared_before_anything_is_sent_again(
    panel: PanelOperator, fault: Fault
) -> None:
    """Whatever became of the request: nobody gets it twice, and all get it where we can ask."""
    world, mobiles = panel.world, numbers(4)
    panel.fault(fault)
    queue(world, *mobiles, again=False)
    ends = {"accepted"} if panel.service.panel.knows_local_ids else {"accepted", "uncertain"}
    await until(world, lambda: set(tell(world, "state")) <= ends, step=0.5)
    mobiles_taken = [mobile for mobile, _text in panel.taken]
    assert len(mobiles_taken) == len(set(mobiles_taken))
    if panel.service.panel.knows_local_ids:
        assert sorted(mobiles_taken) == sorted(mobile[-10:] for mobile in mobiles)
    # What is not certain has no id, what is has the panel's.
    assert all((state == "accepted") == bool(key) for state, key in tell(world, "state", "smsc_id"))


@pytest_twisted.ensureDeferred
async def test_a_restart_in_the_middle_sends_nothing_twice(
    panel: PanelOperator, worlds: Worlds
) -> None:
    """The next start asks about what the killed one had sent, where the panel can be asked."""
    panel.fault(Fault.SILENT)
    queue(panel.world, *numbers(3), again=panel.service.panel.knows_local_ids)
    await until(panel.world, lambda: len(panel.taken) == 3, step=0)
    assert set(tell(panel.world, "state")) == {"sending"}
    world = await panel.restart(worlds)
    assert world.recovered[1] == 3
    await panel.start()
    ends = "accepted" if panel.service.panel.knows_local_ids else "uncertain"
    await until(world, lambda: set(tell(world, "state")) == {ends}, step=0.5)
    assert len(panel.taken) == 3
    # Their states are asked for, though another process sent them.
    for place in range(3):
        panel.settle(place, "delivered")
    if ends == "accepted":
        await until(world, lambda: set(tell(world, "state")) == {"delivered"}, step=0.5)


@pytest_twisted.ensureDeferred
async def test_states_of_before_a_restart_are_asked_for(
    panel: PanelOperator, worlds: Worlds
) -> None:
    """The panel owes them still."""
    queue(panel.world, MOBILE)
    await until(panel.world, lambda: tell(panel.world, "state") == ["accepted"])
    world = await panel.restart(worlds)
    panel.settle(0, "delivered")
    await panel.start()
    await until(world, lambda: tell(world, "state") == ["delivered"])


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("fault", [Fault.NO_CREDIT, Fault.ACCOUNT])
async def test_an_account_that_is_at_fault_uses_up_no_attempts(
    panel: PanelOperator, fault: Fault
) -> None:
    """Messages wait until somebody pays or mends it; health says what is wrong."""
    world = panel.world
    panel.fault(fault)
    panel.fake.credit = 0.0 if fault is Fault.NO_CREDIT else 1000.0
    queue(world, MOBILE)
    await until(world, lambda: not panel.service.sender.is_up)
    await until(world, lambda: tell(world, "state", "attempts") == [("queued", 0)])
    status = panel.service.status()
    assert not status.up
    assert str(panel.fake.codes[fault.name.lower()]) in status.last_error
    world.clock.advance(30)
    assert not panel.service.sender.is_up
    panel.fake.credit = 500.0
    await until(world, lambda: tell(world, "state") == ["accepted"], step=0.5)
    assert panel.service.status().credit == 500.0


@pytest_twisted.ensureDeferred
async def test_a_panel_that_is_away_hands_its_messages_to_the_next(
    panel: PanelOperator, worlds: Worlds
) -> None:
    """And takes them again once it answers."""
    world = panel.world
    port = panel.fake.port.getHost().port
    await panel.fake.port.stopListening()
    await panel.service._around.close()
    queue(world, *numbers(2))
    await until(world, lambda: not panel.service.sender.is_up)
    await until(world, lambda: tell(world, "state", "attempts") == [("queued", 0)] * 2)
    panel.fake.listen(port)
    await until(world, lambda: set(tell(world, "state")) == {"accepted"}, step=0.5)
    assert len(panel.taken) == 2


@pytest_twisted.ensureDeferred
async def test_the_rate_is_kept(kind: str, worlds: Worlds) -> None:
    """A second never carries more than it."""
    operator = make_operator(kind, worlds, rate=5)
    await operator.start()
    try:
        world = operator.world
        since = world.clock.seconds()
        queue(world, *numbers(30))
        await until(world, lambda: len(operator.taken) == 30)
        assert world.clock.seconds() - since >= 29 / 5 - 0.5
    finally:
        await operator.stop()


@pytest_twisted.ensureDeferred
async def test_answers_go_before_what_was_queued_earlier(kind: str, worlds: Worlds) -> None:
    """Somebody is waiting for them."""
    operator = make_operator(kind, worlds, rate=5, poll=0.5)
    await operator.start()
    try:
        world = operator.world
        queue(world, *numbers(20))
        operator.text("989139999999", "راهنما")
        await until(world, lambda: _is_answered(operator))
        assert len(operator.taken) < 20, "the answer came last"
    finally:
        await operator.stop()


def _is_answered(operator: PanelOperator) -> bool:
    return any(mobile == "9139999999" for mobile, _text in operator.taken)


@pytest_twisted.ensureDeferred
async def test_texts_wait_while_the_database_is_away(panel: PanelOperator) -> None:
    """What the panel gave already waits here, and the rest there; each is answered once."""
    world = panel.world
    world.database.fails_before = True
    panel.text(MOBILE, "یک")
    await until(world, lambda: not panel.fake.texts, step=0.2)
    panel.text(MOBILE, "دو")
    before = world.clock.seconds()
    await until(world, lambda: world.clock.seconds() > before + 60, step=0.5)
    assert panel.fake.texts, "it was asked for more than could be stored"
    world.database.fails_before = False
    await until(world, lambda: world.received == ["answered"] * 2, step=0.5)
    assert [row.text for row in world.rows(inbox)] == ["یک", "دو"]


@pytest_twisted.ensureDeferred
async def test_an_answer_with_texts_that_is_lost_is_asked_for_again(panel: PanelOperator) -> None:
    """Where the panel can give them a second time; nothing is answered twice."""
    world = panel.world
    panel.text(numbers(2)[0], "راهنما")
    await until(world, lambda: len(panel.taken) == 1, step=0.2)
    panel.fake.loses_texts = 1
    panel.text(numbers(2)[1], "راهنما")
    await until(world, lambda: not panel.fake.texts, step=0.2)
    expected = 2 if panel.service.panel.hands_over_again else 1
    await until(world, lambda: len(world.received) == expected, step=0.2)
    before = world.clock.seconds()
    await until(world, lambda: world.clock.seconds() > before + 60, step=0.5)
    assert world.received == ["answered"] * expected


@pytest.mark.parametrize("kind", sorted(FAKES.keys() - {"magfa"}))  # it gives nothing twice
@pytest_twisted.ensureDeferred
async def test_a_text_that_was_stored_when_the_daemon_died_is_answered_once(
    panel: PanelOperator, worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mark was not: the panel hands it over again, and the daemon knows it."""
    assert panel.service.panel.hands_over_again
    panel.text(numbers(2)[0], "راهنما")
    await until(panel.world, lambda: len(panel.world.received) == 1, step=0.2)
    # The marks of the next one are never stored.
    never: Deferred[None] = Deferred()
    monkeypatch.setattr(panel.service._around.books, "note", lambda _marks: never)
    panel.text(numbers(2)[1], "راهنما")
    await until(panel.world, lambda: len(panel.world.received) == 2, step=0.2)
    world = await panel.restart(worlds)
    await panel.start()
    await until(world, lambda: "again" in panel.fake.asked)
    before = world.clock.seconds()
    await until(world, lambda: world.clock.seconds() > before + 60, step=0.5)
    assert world.received == ["answered"] * 2
    assert sorted(mobile for mobile, _ in panel.taken) == [m[-10:] for m in numbers(2)]


@pytest_twisted.ensureDeferred
async def test_a_message_of_which_a_part_went_elsewhere(panel: PanelOperator) -> None:
    """What is left of it goes as a text of its own; its parts have the one id."""
    world = panel.world
    queue(world, MOBILE, parts=["یک", "دو", "سه"], claim_them=False)
    first = update(outbox).where(outbox.c.part == 1).values(state="accepted", smsc="other")
    world.database.transact("elsewhere", lambda connection: connection.execute(first))
    world.claim()
    await until(world, lambda: set(tell(world, "state")) == {"accepted"})
    assert panel.taken == [(MOBILE[-10:], "دوسه")]
    assert len(set(tell(world, "smsc_id")[1:])) == 1


@pytest_twisted.ensureDeferred
async def test_what_could_not_be_delivered_is_sent_again_where_that_is_wanted(
    panel: PanelOperator,
) -> None:
    """The panel knows the attempt before, and says that it failed: this one is no doubling."""
    world = panel.world
    queue(world, MOBILE, claim_them=False)

    def with_policy(connection: Connection) -> None:
        key = store_policy(connection, SendPolicy((60,), 0, (), frozenset({"undeliverable"})))
        connection.execute(update(outbox).values(policy_id=key, max_attempts=2))

    world.database.transact("policy", with_policy)
    world.claim()
    await until(world, lambda: panel.taken)
    panel.settle(0, "failed")
    await until(world, lambda: tell(world, "state") == ["waiting"])
    await until(world, lambda: len(panel.taken) == 2, step=0.5)
    panel.settle(1, "delivered")
    await until(world, lambda: tell(world, "state", "attempts") == [("delivered", 2)], step=0.5)
