"""Three daemons on one PostgreSQL: one is killed, and everything is sent all the same.

What is marked ``soak`` takes minutes: ``make soak``.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

import pytest
import pytest_twisted
from sqlalchemy import Connection, func, select

from core.bulk import insert_rows
from core.database import Database
from core.ids import ids_for_command
from core.tables import outbox
from gateway import control
from gateway.smpp.handsets import Submit
from tests.acceptance.conftest import LINE, WINDOW, Daemon, Daemons, Operator
from tests.acceptance.load import Load
from tests.waiting import DEADLINE, until

MESSAGES = 20_000
RATE = 100
MINUTE = 60.0
LEASE = 5
_COLUMNS = (
    "id", "message_id", "part", "parts", "mobile", "line", "text", "priority", "state",
    "attempts", "max_attempts", "resend_uncertain", "created_at", "due_at", "expires_at",
    "changed_at",
)  # fmt: skip


def queue(url: str, messages: int) -> list[str]:
    """Messages of the utility, each for a mobile of its own; returns the mobiles."""
    now = time.time_ns() // 1_000_000
    mobiles = [f"98992{number:07}" for number in range(messages)]
    ids = ids_for_command(lambda: time.time_ns() // 1_000_000)
    rows = [
        (key, key, 1, 1, mobile, LINE, "قبض", 5, "queued", 0, 3, True, now, now, None, now)
        for key, mobile in ((ids.one(), mobile) for mobile in mobiles)
    ]
    database = Database(url)
    database.transact("queue", insert_rows, outbox, _COLUMNS, rows)
    database.close()
    return mobiles


def states(url: str) -> dict[str, int]:
    """How many messages are in each state."""

    def read(connection: Connection) -> dict[str, int]:
        counted = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        return {row.state: row[1] for row in connection.execute(counted)}

    database = Database(url)
    found = database.read("states", read)
    database.close()
    return found


async def leader_of(several: Sequence[Daemon]) -> Daemon:
    """The one that keeps the schedules; there is never more than one."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = [each for each in several if (await each.health())["scheduler"]["leads"]]
        assert len(found) <= 1
        if found:
            return found[0]
    pytest.fail(f"nobody leads within {DEADLINE:g} s")


async def told_of_loss(daemon: Daemon) -> str:
    """What ``peyk health`` says once one of the others is no longer taken for alive."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        said = (await daemon.peyk("health", "--json")).stdout
        if sorted(peer["alive"] for peer in json.loads(said)["peers"]) == [False, True]:
            return said
    pytest.fail(f"nobody is missed within {DEADLINE:g} s")


@pytest_twisted.ensureDeferred
async def test_one_of_three_is_killed_and_all_is_sent(
    operator: Operator, daemons: Daemons, postgresql_filled: str
) -> None:
    """None twice but what was in flight at the kill; nobody has to start it again."""
    submits: defaultdict[str, list[Submit]] = defaultdict(list)
    by_connection: defaultdict[int, list[Submit]] = defaultdict(list)

    def submitted(submit: Submit) -> None:
        submits[submit.mobile].append(submit)
        by_connection[submit.connection].append(submit)

    operator.on_submit = submitted
    several = [
        daemons(
            operator.port,
            url=postgresql_filled,
            daemon=f"lease = {LEASE}",
            more="receipts = false",
        )
        for _ in range(3)
    ]
    for daemon in several:
        daemon.start()
    await until(lambda: len(operator.bound) == len(several), "all are bound")
    killed = await leader_of(several)
    mobiles = queue(postgresql_filled, MESSAGES)
    # All are woken: one of them alone may have sent half of it before the others look again.
    for daemon in several:
        control.call(daemon.control, "wake")
    await until(lambda: len(by_connection) == len(several), "all take part")
    await until(lambda: len(submits) >= MESSAGES // 2, "half of it is sent")
    assert len(submits) < MESSAGES
    killed.kill()
    began = time.monotonic()
    await until(lambda: len(operator.bound) == 2, "the operator sees the loss")
    await until(lambda: len(submits) == MESSAGES, "all is sent")
    took = time.monotonic() - began
    await until(lambda: states(postgresql_filled) == {"accepted": MESSAGES}, "all is settled")

    assert set(submits) == set(mobiles)
    [broken] = by_connection.keys() - {bound.connection for bound in operator.bound}
    in_flight = {submit.order for submit in by_connection[broken][-WINDOW:]}
    again = [of_one[:-1] for of_one in submits.values() if len(of_one) > 1]
    for earlier in again:
        assert [submit.order in in_flight for submit in earlier] == [True]
    print(  # noqa: T201 - what the run was like
        f"{MESSAGES} messages, {len(again)} sent twice of at most {WINDOW} in flight; "
        f"the last one {took:.1f} s after the kill"
    )

    living = [daemon for daemon in several if daemon is not killed]
    leader = await leader_of(living)
    said = await told_of_loss(leader)
    assert "has not been heard of for" in said
    assert any("peers.taken_over" in daemon.said() for daemon in living)
    assert not [line for daemon in living for line in daemon.complaints()]


@pytest_twisted.ensureDeferred
async def test_texts_are_answered_once_by_those_that_are_left(
    operator: Operator, daemons: Daemons, postgresql_filled: str
) -> None:
    """What the killed one did not acknowledge comes to another at once, and it knows."""
    several = [daemons(operator.port, url=postgresql_filled) for _ in range(2)]
    for daemon in several:
        daemon.start()
    await until(lambda: len(operator.bound) == len(several), "both are bound")
    await leader_of(several)
    load = Load(operator)
    load.begin()
    await until(lambda: len(load.submits) >= 1_500, "many are answered")
    several[0].kill()
    await until(lambda: len(operator.bound) == 1, "the operator sees the loss")
    [living] = operator.bound
    before = len(load.by_connection[living.connection])
    await until(
        lambda: len(load.by_connection[living.connection]) >= before + 1_000, "the other goes on"
    )
    load.end()
    # What the killed one was to send is sent when its lease is over, and not in this test.
    await until(lambda: not operator.waiting, "all texts are acknowledged")
    broken = set(load.by_connection) - {living.connection}
    load.doubles(broken)
    assert operator.totals.redelivered
    load.assert_worked_on_once(several[0].url)
    assert not several[1].complaints()


class Minutes:
    """When each submit_sm came."""

    def __init__(self, operator: Operator) -> None:
        self.at: list[float] = []
        operator.on_submit = lambda _submit: self.at.append(time.monotonic())

    def most(self) -> int:
        """The most that came within any minute."""
        return max(bisect_left(self.at, at + MINUTE) - place for place, at in enumerate(self.at))


def at_a_rate(operator: Operator, daemons: Daemons, url: str, count: int) -> list[Daemon]:
    """Daemons whose bind has a rate, on a database that has more to send than they can."""
    queue(url, 12_000)
    more = f"receipts = false\nrate = {RATE}"
    return [daemons(operator.port, url=url, more=more) for _ in range(count)]


@pytest.mark.soak
@pytest.mark.parametrize("count", [1, 3])
@pytest_twisted.ensureDeferred
async def test_a_minute_sends_the_rate(
    count: int, operator: Operator, daemons: Daemons, postgresql_filled: str
) -> None:
    """Within one percent, by one daemon and by three."""
    minutes = Minutes(operator)
    for daemon in at_a_rate(operator, daemons, postgresql_filled, count):
        daemon.start()
    await until(lambda: len(operator.bound) == count, "all are bound")
    await until(
        lambda: len({submit.connection for submit in operator.submits}) == count, "all send"
    )
    began = len(minutes.at) + 2 * RATE
    await until(lambda: len(minutes.at) > began, "each has its share")
    start = minutes.at[began]
    await until(lambda: minutes.at[-1] > start + MINUTE, "a minute is over", MINUTE + 10)
    sent = bisect_left(minutes.at, start + MINUTE) - began
    print(f"{count} daemons: {sent} in a minute, {minutes.most()} in any at most")  # noqa: T201
    assert sent >= 0.99 * RATE * MINUTE
    assert minutes.most() <= 1.01 * RATE * MINUTE


@pytest.mark.soak
@pytest_twisted.ensureDeferred
async def test_no_minute_has_more_than_the_rate_whoever_comes_and_goes(
    operator: Operator, daemons: Daemons, postgresql_filled: str
) -> None:
    """Two join the first, one is killed and started again."""
    minutes = Minutes(operator)
    several = at_a_rate(operator, daemons, postgresql_filled, 3)
    several[0].start()
    await until(lambda: len(minutes.at) > 10 * RATE, "one sends", MINUTE)
    several[1].start()
    several[2].start()
    await until(lambda: len(minutes.at) > 30 * RATE, "all send", MINUTE)
    several[1].kill()
    await until(lambda: not several[1].is_running, "it is dead")
    await until(lambda: len(minutes.at) > 45 * RATE, "two send", MINUTE)
    several[1].start()
    await until(lambda: len(minutes.at) > 70 * RATE, "all send again", MINUTE)
    took = minutes.at[-1] - minutes.at[0]
    print(f"{minutes.most()} in any minute at most, {len(minutes.at) / took:.1f}/s")  # noqa: T201
    assert minutes.most() <= 1.01 * RATE * MINUTE
