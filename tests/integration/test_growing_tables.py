"""What a batch reads does not grow with the tables, even by plans made when they were small.

PostgreSQL keeps the plan of a statement that is executed again and again, and a plan which
goes through a few rows goes through as many as there come to be.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from twisted.internet.task import Clock

from core.bulk import insert_rows
from core.calls import Argument, Call
from core.database import FIRST_PLANS_SECONDS, Database, by_index_only
from core.demo import FIRST_NUMBER, code_of, fill
from core.dialogues.exchange import Exchange
from core.dialogues.limits import Limits, OpenSessions
from core.dialogues.types import Event, Input
from core.dialogues.work import work_on_inputs
from core.facts import Facts, Wanted
from core.ids import IdMaker
from core.operations import REGISTRY
from core.operations.operation import NAMING
from core.outbox import Outgoing, Result, Sent
from core.requests.kinds import Door
from core.results import store_results
from core.secrecy import Keys
from core.shelf import Asker
from core.tables import outbox
from core.terms import Terms
from gateway.profiles import load_profile
from tests.saying import SAID
from tests.talkers import CODE, FakeTalker

NOW = 1_790_000_000_000
UTILITY = "kerman-water"
PROFILE = Path(__file__).parents[2] / "config" / "profiles" / UTILITY
OUTGOING = Outgoing(7, "989131234567", "100034122", "سلام", 1, 1, 7, 5, 0, 3, True, None)  # noqa: FBT003
GROWN = 5_000
FEW = 500
"""Less than one table more, and more than what one batch's own rows come to."""

_EACH = f"FROM generate_series(1000000, {1_000_000 + GROWN - 1}) AS i"
GROW = (
    (
        "INSERT INTO subscribers (id, utility, number, bill_id, meter_serial, changed_at)"
        f" SELECT i, 'kerman-water', 'n' || i, 'b' || i, 'm' || i, 0 {_EACH}"
    ),
    (
        "INSERT INTO bills (subscriber_id, period, amount, payable, bill_id, payment_id, issued_at,"
        f" kind) SELECT i, 'p', 1, 1, 'b' || i, 'p', 0, 'mid_period' {_EACH}"
    ),
    (
        "INSERT INTO payments (utility, subscriber_id, amount, paid_at, channel, reference)"
        f" SELECT 'kerman-water', i, 1, 0, 'bank', 'r' || i {_EACH}"
    ),
    (
        "INSERT INTO readings (subscriber_id, reading, read_at, source, state, meter_state)"
        f" SELECT i, 1, 0, 'import', 'accepted', 'changed' {_EACH}"
    ),
    (
        "INSERT INTO instalments (subscriber_id, plan, number, amount, due_date, bill_id,"
        f" payment_id) SELECT i, 'water', 1, 1, '2026-01-01', 'b' || i, 'i' {_EACH}"
    ),
    (
        "INSERT INTO corrections (subscriber_id, amount, reason, reference, at)"
        f" SELECT i, 1, '', 'r', 0 {_EACH}"
    ),
    (
        "INSERT INTO contacts (utility, mobile, subscriber_id, source, created_at)"
        f" SELECT 'kerman-water', 'c' || i, i, 'import', 0 {_EACH}"
    ),
    (
        "INSERT INTO requests (utility, tracking, kind, state, subscriber_id, mobile, fields,"
        " source, created_at, changed_at) SELECT 'kerman-water', 't' || i, 'leak', 'registered',"
        f" CASE WHEN i % 2 = 0 THEN i END, 'c' || i, '{{}}', 'sms', {NOW}, 0 {_EACH}"
    ),
    (
        "INSERT INTO orders (id, utility, link, mobile, amount, state, created_at, changed_at,"
        f" expires_at) SELECT i, 'kerman-water', 'l' || i, 'c' || i, 1, 'created', {NOW}, 0, {NOW}"
        f" {_EACH}"
    ),
    (
        "INSERT INTO ussd_sessions (mobile, id, door, network_id, line, utility, state, screen,"
        " last_input_id, turn, steps, opened_at, changed_at, expires_at, ended_at, minute_from,"
        " minute_inputs, minute_dials) SELECT 'c' || i, i, 'mci', 'g' || i, '*1522#', 'u', '', '',"
        f" i, '', 1, 0, 0, {NOW} + 1, CASE WHEN i % 2 = 0 THEN 0 END, 0, 1, 1 {_EACH}"
    ),
    (
        "INSERT INTO ussd_steps (id, session_id, received_at, bind, line, mobile, event, text,"
        f" fingerprint) SELECT i, i, 0, 'mci', '*1522#', 'c' || i, 'begin', '', i {_EACH}"
    ),
)


def _grow(connection: Connection) -> None:
    for statement in GROW:
        connection.execute(text(statement))


def _tell(connection: Connection) -> None:
    """Have this connection report, as it ends its transaction, what it has read so far."""
    connection.execute(text("SELECT pg_stat_force_next_flush()"))


def _read(connection: Connection) -> dict[str, int]:
    """How many rows were ever read from each table, and how many entries of each index."""
    rows = connection.execute(
        text(
            "SELECT relname, seq_tup_read FROM pg_stat_user_tables UNION ALL"
            " SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes"
        )
    )
    return {row[0]: row[1] for row in rows}


def _calls(terms: Terms) -> list[Call]:
    """Each operation there is, with all it can be told."""
    kinds = terms.services.kinds.items()
    by_text = next(name for name, kind in kinds if Door.TEXT in kind.doors)
    names = {Argument.NUMBER: str(FIRST_NUMBER), Argument.CODE: code_of(FIRST_NUMBER)}
    say = {**SAID, **names, Argument.KIND: by_text}
    made = []
    for operation in REGISTRY.values():
        takes = operation.required | operation.optional
        said = {name: say[name] for name in (takes - NAMING) | operation.required}
        made.append(Call(operation.name, said | {n: names[n] for n in names.keys() & takes}))
    return made


def _input(ids: IdMaker, event: Event, mobile: str = "989133330000") -> Input:
    heard = CODE if event is Event.BEGIN else "1"
    return Input(ids.one(), NOW, "mci", 1, "s", CODE, mobile, event, heard, "", ids.one())


@pytest.fixture
def batch(postgresql_database: Database, keys: Keys) -> Callable[[], None]:
    """Run every operation once, as a batch of a few messages does."""
    fill(postgresql_database, keys, subscribers=1, today=date(2026, 9, 21))
    terms = load_profile(PROFILE, REGISTRY).terms
    ids = IdMaker(0, lambda: NOW)

    talkers = {CODE: FakeTalker()}
    exchange = Exchange(0, ids, keys, talkers, Limits(), OpenSessions())
    answers = [_input(ids, Event.ANSWER, mobile=mobile) for mobile in ("989133330000", "")]

    def work(connection: Connection) -> None:
        by_index_only(connection)
        wanted = []
        for call in _calls(terms):
            asker = Asker(UTILITY, "989133330000", NOW, terms, "sms", ids.one(), "100034122")
            wanted.append(Wanted(asker, call, REGISTRY[call.operation].needs))
        facts = Facts.load(connection, ids, wanted)
        for asker, call, _needs in wanted:
            REGISTRY[call.operation](keys, asker, call, facts)
        work_on_inputs(connection, exchange, [_input(ids, Event.BEGIN), *answers], {})
        # What is stored would be read by the next batch, and is not what has grown.
        connection.rollback()

    return lambda: postgresql_database.transact("batch", work)


def test_a_batch_reads_no_more_of_tables_that_have_grown(
    postgresql_database: Database, batch: Callable[[], None]
) -> None:
    """The same batch again, with thousands of rows more in every table."""
    for _ in range(8):  # after five, the driver has its statements prepared
        batch()
    small = _reading(postgresql_database, batch)
    postgresql_database.transact("grow", _grow)
    large = _reading(postgresql_database, batch)
    assert {name: (small[name], n) for name, n in large.items() if n - small[name] > FEW} == {}
    assert sum(small.values()) > 0


def test_plans_of_an_empty_outbox_are_not_kept(postgresql_database: Database) -> None:
    """A campaign fills an outbox that was empty when the daemon began; nobody waits for that."""
    clock = Clock()
    url = postgresql_database.url.render_as_string(hide_password=False)
    daemon = Database(url, clock.seconds)
    with postgresql_database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM outbox"))
    sent = [Sent(OUTGOING._replace(id=i), Result.ACCEPTED, "mci", f"s{i}", 0) for i in range(100)]

    def store(connection: Connection) -> None:
        by_index_only(connection)
        store_results(connection, sent, NOW, node=1)

    def batch() -> None:
        daemon.transact("batch", store)

    for _ in range(8):
        batch()
    postgresql_database.transact("campaign", _fill_outbox)
    clock.advance(FIRST_PLANS_SECONDS)
    read = _reading(daemon, batch)
    daemon.close()
    assert {name: n for name, n in read.items() if n > FEW} == {}


def _fill_outbox(connection: Connection) -> None:
    columns = {**OUTGOING._asdict(), "state": "queued", "due_at": NOW, "created_at": NOW}
    columns["changed_at"] = NOW
    columns = {name: columns[name] for name in columns.keys() - {"id", "operation"}}
    rows = [(i, *columns.values()) for i in range(1_000, 1_000 + GROWN)]
    insert_rows(connection, outbox, ("id", *columns), rows)


def _reading(database: Database, batch: Callable[[], None]) -> dict[str, int]:
    """How many rows a batch reads from each table, and entries from each index."""

    def read() -> dict[str, int]:
        database.transact("tell", _tell)
        return database.transact("read", _read)

    before = read()
    batch()
    after = read()
    return {name: after[name] - before[name] for name in after}
