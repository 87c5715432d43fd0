"""Runs: every row once, whatever comes in between; paused, gone on with, cancelled, ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from core.calls import Fact, Scalar
from core.database import Database
from core.demo import fill
from core.making import Order, make
from core.outbox import State
from core.receivers import Row
from core.reporting.reading import FIRST
from core.runs.producing import (
    LEAST_ROWS,
    MOST_ROWS,
    Piece,
    fail,
    next_rows,
    read_piece,
    store_piece,
)
from core.runs.settling import finish_sent, settle_piece
from core.runs.states import ENDED, Move, RunState, after, refusal
from core.runs.store import (
    Beginning,
    RunError,
    RunFilter,
    RunSource,
    begin,
    list_runs,
    move,
    parts_by_state,
    show,
)
from core.runs.taking import LEASE_MS, Work, is_free, load_work, look, take_runs
from core.schedules import Window
from core.secrecy import Keys
from core.tables import bills, contacts, outbox, paused_services, suppressions
from core.templates.types import Receivers
from tests.campaigning import DEFINITION, UTILITY, PlainWords, maker, save, sources, start
from tests.conftest import Clock, CountStatements

TODAY = date(2026, 9, 21)
NODE = 0


@pytest.fixture
def filled(database: Database, keys: Keys) -> Database:
    """Sixty sample subscribers with two bills each."""
    fill(database, keys, today=TODAY, subscribers=60, bills_each=2)
    return database


def period(database: Database) -> str:
    """The last one that is billed."""
    with database.engine.connect() as connection:
        return str(connection.scalar(select(func.max(bills.c.period))))


def expected(database: Database) -> Counter[tuple[int, str]]:
    """(subscriber, mobile) of everybody who has a bill of that period and a mobile."""
    with database.engine.connect() as connection:
        rows = connection.execute(
            select(bills.c.subscriber_id, contacts.c.mobile)
            .join(contacts, contacts.c.subscriber_id == bills.c.subscriber_id)
            .where(bills.c.period == period(database))
        )
        return Counter((key, mobile) for key, mobile in rows)


def made(database: Database) -> Counter[tuple[int, str]]:
    """(subscriber, mobile) of each message in the outbox."""
    with database.engine.connect() as connection:
        rows = connection.execute(
            select(outbox.c.subscriber_id, outbox.c.mobile).where(outbox.c.part == 1)
        )
        return Counter((key, mobile) for key, mobile in rows)


def load(database: Database, now_ms: Clock, run_id: int = 1, words: Any = None) -> Work:
    """What a daemon that has just started knows of a run, when it has taken it."""
    database.transact("take", take_runs, [run_id], NODE, now_ms())
    run = database.read("show", show, run_id)
    assert run is not None
    return database.read("load", load_work, run, sources(), maker(now_ms, words))


def piece_of(database: Database, work: Work, position: str, rows: int = 7) -> Piece:
    """The next piece."""
    return database.read("read", read_piece, work, position, rows, work.run.created_at)


def produce(database: Database, work: Work, pieces: int = 1000, rows: int = 7) -> bool:
    """Go on with a run for so many pieces; whether it came to its end."""
    position = work.run.position
    for _ in range(pieces):
        piece = piece_of(database, work, position, rows)
        assert database.transact("piece", store_piece, piece, NODE, work.run.created_at)
        position = piece.behind
        if piece.is_last:
            return True
    return False


def test_every_row_becomes_its_messages_once(filled: Database, now_ms: Clock) -> None:
    """And the run says what became of its rows."""
    with filled.engine.begin() as connection:
        connection.execute(
            insert(suppressions).values(
                mobile="989131111111", utility=UTILITY, topic="bills", reason="asked", note="",
                since=0,
            )
        )  # fmt: skip
        credit = select(contacts.c.subscriber_id).where(contacts.c.mobile == "989133333333")
        connection.execute(update(bills).where(bills.c.subscriber_id.in_(credit)).values(payable=0))
    version = save(filled)
    start(filled, version, now_ms(), period=period(filled))
    assert produce(filled, load(filled, now_ms, words=PlainWords(parts=2)))
    wanted = expected(filled)
    gone = {key for key in wanted if key[1] in ("989131111111", "989133333333")}
    assert made(filled) == Counter(key for key in wanted if key not in gone)
    run = filled.read("show", show, 1)
    assert run is not None
    messages = len(wanted) - 2
    counts = (run.rows_read, run.made, run.parts, run.suppressed, run.unwritten)
    assert counts == (60, messages, 2 * messages, 1, 1)
    assert run.passed_over == 60 - len({key for key, _mobile in wanted})
    assert (run.state, run.template) == (RunState.SENDING, "bills")
    with filled.engine.connect() as connection:
        row = connection.execute(select(outbox).where(outbox.c.part == 2).limit(1)).one()
    told = row.run_id, row.template_id, row.policy_id, row.priority, row.max_attempts
    assert told == (1, version.template_id, version.policy_id, 5, 3)
    assert (row.message_id, row.parts, row.state) == (row.id - 1, 2, State.QUEUED)
    assert row.expires_at == now_ms() + DEFINITION.validity * 1000
    assert not row.resend_uncertain


def test_a_killed_daemon_goes_on_where_it_stopped(filled: Database, now_ms: Clock) -> None:
    """What it had read and not queued is read again; what it had queued is not."""
    start(filled, save(filled), now_ms(), period=period(filled))
    work = load(filled, now_ms)
    assert not produce(filled, work, pieces=3)
    lost = load(filled, now_ms)
    unstored = piece_of(filled, lost, lost.run.position)
    again = load(filled, now_ms)
    assert again.run.rows_read == 21
    assert produce(filled, again)
    assert made(filled) == expected(filled)
    # A commit whose answer was lost, and a daemon that comes back to what it had in hand.
    assert not filled.transact("piece", store_piece, unstored, NODE, now_ms())
    assert made(filled) == expected(filled)


def test_one_daemon_at_a_time_produces_a_run(filled: Database, now_ms: Clock) -> None:
    """Another one takes it when its lease has lapsed, and then the first stores nothing."""
    start(filled, save(filled), now_ms(), period=period(filled))
    work = load(filled, now_ms)
    held = piece_of(filled, work, FIRST)
    filled.transact("take", take_runs, [1], 1, now_ms())
    assert filled.read("look", look).runs[0].node == NODE
    now_ms.advance(LEASE_MS / 1000 + 1)
    (run,) = filled.read("look", look).runs
    assert is_free(run, 1, now_ms())
    filled.transact("take", take_runs, [1], 1, now_ms())
    assert filled.read("look", look).runs[0].node == 1
    assert not filled.transact("piece", store_piece, held, NODE, now_ms())
    assert not made(filled)


def states_of(database: Database) -> dict[str, int]:
    """How many parts are in each state."""
    return database.read("states", parts_by_state, 1)


def settle(database: Database, now_ms: Clock) -> RunState:
    """Do what a pause, going on or a cancellation leaves to do; the state after it."""
    run = database.read("show", show, 1)
    assert run is not None
    while database.transact("settle", settle_piece, run, DEFINITION.policy, now_ms()):
        pass
    return RunState(database.read("show", show, 1).state)  # type: ignore[union-attr]


def test_a_pause_holds_what_is_queued_until_it_goes_on(filled: Database, now_ms: Clock) -> None:
    """Nothing more is made meanwhile, and nothing is lost."""
    start(filled, save(filled), now_ms(), period=period(filled))
    work = load(filled, now_ms)
    produce(filled, work, pieces=3)
    late = piece_of(filled, work, "21")
    count = sum(made(filled).values())
    filled.transact("pause", move, 1, Move.PAUSE, now_ms())
    assert not filled.transact("piece", store_piece, late, NODE, now_ms())
    assert settle(filled, now_ms) is RunState.PAUSED
    assert states_of(filled) == {State.HELD: count}
    with pytest.raises(RunError, match="paused already"):
        filled.transact("pause", move, 1, Move.PAUSE, now_ms())
    filled.transact("resume", move, 1, Move.RESUME, now_ms())
    assert settle(filled, now_ms) is RunState.PRODUCING
    assert states_of(filled) == {State.QUEUED: count}
    assert produce(filled, load(filled, now_ms))
    assert made(filled) == expected(filled)


def test_what_was_under_way_is_caught_by_a_pause_and_a_cancellation(
    filled: Database, now_ms: Clock
) -> None:
    """A submission that has to be tried again does not slip through."""
    start(filled, save(filled), now_ms(), period=period(filled))
    produce(filled, load(filled, now_ms))

    def let_one(state: State, to: State) -> None:
        one = select(outbox.c.id).where(outbox.c.state == state.value).limit(1).scalar_subquery()
        with filled.engine.begin() as connection:
            connection.execute(update(outbox).where(outbox.c.id == one).values(state=to.value))

    let_one(State.QUEUED, State.SENDING)
    filled.transact("cancel", move, 1, Move.CANCEL, now_ms())
    assert settle(filled, now_ms) is RunState.CANCELLING
    let_one(State.SENDING, State.WAITING)
    assert settle(filled, now_ms) is RunState.CANCELLED
    assert set(states_of(filled)) == {State.CANCELLED}
    with pytest.raises(RunError, match="it is cancelled"):
        filled.transact("resume", move, 1, Move.RESUME, now_ms())


def test_a_run_ends_when_nothing_waits(filled: Database, now_ms: Clock) -> None:
    """It is looked at no more then; a failed one says why, and can be gone on with."""
    version = save(filled)
    start(filled, version, now_ms(), period=period(filled))
    produce(filled, load(filled, now_ms))
    assert filled.read("look", look).sent == []
    with filled.engine.begin() as connection:
        connection.execute(update(outbox).values(state=State.ACCEPTED.value))
    filled.transact("sent", finish_sent, filled.read("look", look).sent, now_ms())
    assert filled.read("look", look).runs == []
    now_ms.advance(1)
    start(filled, version, now_ms(), run_id=2, period=period(filled))
    filled.transact("take", take_runs, [2], NODE, now_ms())
    filled.transact("fail", fail, 2, NODE, "no such column", now_ms())
    (failed,) = filled.read("list", list_runs, RunFilter(state="failed"))
    assert (failed.id, failed.error) == (2, "no such column")
    filled.transact("resume", move, 2, Move.RESUME, now_ms())
    assert filled.read("look", look).runs[0].state is RunState.RESUMING


def test_paused_campaigns_produce_nothing(filled: Database, now_ms: Clock) -> None:
    """A pause of the service stops the run at its next piece."""
    start(filled, save(filled), now_ms(), period=period(filled))
    piece = piece_of(filled, load(filled, now_ms), FIRST)
    with filled.engine.begin() as connection:
        connection.execute(
            insert(paused_services).values(name="campaigns", since=0, by="x", note="")
        )
    assert filled.read("look", look).is_paused
    assert not filled.transact("piece", store_piece, piece, NODE, now_ms())


def test_a_template_has_one_run_for_each_instant(filled: Database, now_ms: Clock) -> None:
    """Whichever daemon begins it."""
    version = save(filled)
    run = start(filled, version, now_ms(), period="1404/01")
    again = (2, UTILITY, version.template_id, 1, now_ms(), run.source, "test", now_ms(), None)
    assert not filled.transact("begin", begin, Beginning(*again))
    with pytest.raises(RunError, match="there is no campaign 77"):
        filled.transact("pause", move, 77, Move.PAUSE, now_ms())


def test_the_same_statements_for_one_row_and_for_many(
    filled: Database, now_ms: Clock, count_statements: CountStatements
) -> None:
    """Of an event as of a report."""
    order = Order(save(filled), now_ms())
    with filled.engine.connect() as connection:
        ids = connection.scalars(select(contacts.c.subscriber_id)).all()
    assert len(ids) > 20
    rows = [Row(str(key), {"number": key, "payable": 1}, key, None) for key in ids]
    counts = []
    for some in (rows[:1], rows):
        with count_statements(filled) as counted:
            filled.transact("make", make, maker(now_ms), order, some)
        counts.append(counted.total)
    assert counts == [3, 3]


def test_who_is_told_of_a_row(filled: Database, now_ms: Clock) -> None:
    """As the template says: all contacts, the first, or whom the row names."""
    with filled.engine.begin() as connection:
        key = connection.scalar(
            select(contacts.c.subscriber_id).where(contacts.c.mobile == "989131111111")
        )
        connection.execute(
            insert(contacts).values(
                utility=UTILITY, mobile="989120000000", subscriber_id=key, source="desk",
                created_at=2**52,
            )
        )  # fmt: skip
    about: dict[str, Fact] = {"number": "1", "payable": 1}
    rows = [Row("1", about, key, "989190000000"), Row("2", about, None, "989190000001")]
    told = {}
    for place, receivers in enumerate(Receivers):
        definition = replace(
            DEFINITION,
            receivers=receivers,
            policy=replace(DEFINITION.policy, hours=(Window(0, 60),)),
        )
        version = save(filled, definition, f"t{place}")
        filled.transact("make", make, maker(now_ms), Order(version, now_ms()), rows)
        with filled.engine.connect() as connection:
            mine = outbox.c.template_id == version.template_id
            told[receivers] = set(connection.scalars(select(outbox.c.mobile).where(mine)))
            due = set(connection.scalars(select(outbox.c.due_at).where(mine)))
            assert all(at > now_ms() for at in due), "its hours are over for today"
    assert told == {
        Receivers.CONTACTS: {"989131111111", "989120000000", "989190000001"},
        Receivers.FIRST_CONTACT: {"989131111111", "989190000001"},
        Receivers.RECIPIENTS: set(),
        Receivers.ROW: {"989190000000", "989190000001"},
    }


def test_states_lead_somewhere_and_are_refused_in_words() -> None:
    """Every state that is no end has a way out; what cannot be done says why."""
    for state in RunState:
        moves = {move for move in Move if after(state, move, is_produced=False)}
        assert bool(moves) == (state not in ENDED or state is RunState.FAILED)
        assert all(refusal(state, wish) for wish in Move)
    assert after(RunState.RESUMING, Move.SETTLED, is_produced=True) is RunState.SENDING


def test_pieces_are_as_large_as_their_time_allows() -> None:
    """Slow ones shrink, quick ones grow, neither by leaps."""
    assert next_rows(1000, 0.02) < 1000 < next_rows(1000, 0.002)
    assert next_rows(LEAST_ROWS, 10.0) == LEAST_ROWS
    assert next_rows(MOST_ROWS, 0.0) == MOST_ROWS


def test_what_a_run_is_made_of_is_stored_as_it_was() -> None:
    """Days and instants among it."""
    facts: dict[str, Scalar] = {
        "begins_at": datetime(2026, 1, 1, tzinfo=UTC),
        "day": TODAY,
        "region": "جوپار",
    }
    source = RunSource("subscribers_of_region", {"region": "جوپار", "n": 3}, facts)
    assert RunSource.of_json(source.as_json()) == source
