"""What is no longer kept: put away in pieces, gone on with, and never what is still needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event, insert, select, text, update
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock as ReactorClock

from core import retention
from core.database import Database
from core.ids import first_id_at
from core.resend import resend
from core.retention import DAY_MS, NAMES, put_away, to_put_away, wanted
from core.retention.tasks import Keep
from core.tables import (
    alerts,
    api_tokens,
    attempts,
    code_failures,
    events,
    idempotency_keys,
    inbox,
    inbox_handling,
    orders,
    outbox,
    readings,
    request_documents,
    request_history,
    request_messages,
    requests,
    retention_marks,
    subscribers,
    ussd_steps,
    webhook_calls,
    webhooks,
)
from gateway.retention import Retention
from tests.conftest import NOW_MS
from tests.rows import filled

MOBILE, LINE = "989131234567", "100034122"
OLD, NEW = NOW_MS - 100 * DAY_MS, NOW_MS - 10 * DAY_MS
ALL = Keep(*[30] * len(Keep._fields))


def _rows(at: int) -> Iterator[tuple[Table, dict[str, Any]]]:
    """One of each kind, from then, that may go."""
    key = first_id_at(at)
    about = {"mobile": MOBILE, "line": LINE}
    yield inbox, filled(inbox, id=key, received_at=at, text="my words", **about)
    yield inbox_handling, filled(inbox_handling, inbox_id=key)
    yield outbox, filled(outbox, id=key, text="our words", state="delivered", **about)
    yield attempts, filled(attempts, outbox_id=key)
    yield ussd_steps, filled(ussd_steps, id=key, text="1234567", **about)
    yield events, filled(events, id=key, about="{}", handled_at=at)
    yield code_failures, filled(code_failures, at=at)
    yield alerts, filled(alerts, id=key, trouble=str(at), ended_at=at)
    yield orders, filled(orders, id=key, mobile=MOBILE, state="booked", link=str(at))
    request = filled(requests, id=at % 97, utility="u", tracking=str(at), created_at=at)
    yield requests, request | {"state": "done", "mobile": MOBILE, "text": "x", "fields": "{1}"}
    yield request_history, filled(request_history, request_id=at % 97, note="of somebody")
    yield request_messages, filled(request_messages, request_id=at % 97, text="of somebody")
    yield request_documents, filled(request_documents, request_id=at % 97, content=b"%PDF-")
    yield readings, filled(readings, subscriber_id=1, read_at=at, mobile=MOBILE, reading=77)
    yield idempotency_keys, filled(idempotency_keys, token_id=1, key=str(at), at=at)
    yield webhook_calls, filled(webhook_calls, id=key, webhook_id=1)


def _fill(database: Database) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(insert(subscribers), filled(subscribers, id=1, utility="u", number="1"))
        connection.execute(insert(api_tokens), filled(api_tokens, id=1))
        connection.execute(insert(webhooks), filled(webhooks, id=1))
        for at in (OLD, NEW):
            for table, row in _rows(at):
                connection.execute(insert(table), row)

    database.transact("fill", fill)


@pytest.fixture
def kept(database: Database) -> Database:
    """A subscriber, and of everything something old and something new."""
    _fill(database)
    return database


def _put_away(database: Database, keep: Keep = ALL, now: int = NOW_MS) -> int:
    changed = 0
    for name in wanted(keep):
        while True:
            piece = database.transact("retention", put_away, name, keep, now)
            changed += piece.changed
            if piece.is_last:
                break
    return changed


def _all(database: Database, table: Table) -> Sequence[Any]:
    query = select(table).order_by(*table.primary_key.columns)
    return database.read("test", lambda connection: connection.execute(query).all())


def test_what_is_old_goes_and_what_is_new_stays(kept: Database) -> None:
    """Rows of messages, steps, events … are gone; of what is counted only the persons are."""
    counted = sum(kept.read("count", to_put_away, name, ALL, NOW_MS) for name in NAMES)
    changed = _put_away(kept)
    assert changed
    # Parts, and texts of rows that go altogether, are counted twice.
    assert counted >= changed
    for table in (inbox, inbox_handling, outbox, attempts, ussd_steps, events, code_failures,
                  alerts, idempotency_keys, webhook_calls, request_messages,
                  request_documents):  # fmt: skip
        assert len(_all(kept, table)) == 1, table.name
    assert _all(kept, inbox)[0].text == "my words"
    assert [row.mobile for row in _all(kept, orders)] == [None, MOBILE]
    assert [(row.mobile, row.reading) for row in _all(kept, readings)] == [(None, 77), (MOBILE, 77)]
    told = {row.created_at: (row.mobile, row.text, row.fields) for row in _all(kept, requests)}
    assert told == {OLD: (None, "", "{}"), NEW: (MOBILE, "x", "{1}")}
    assert sorted(row.note for row in _all(kept, request_history)) == ["", "of somebody"]
    assert _put_away(kept) == 0, "a second time there is nothing to do"


def test_words_go_before_rows(kept: Database) -> None:
    """With ``texts`` alone the rows stay for reports; with nothing set everything stays."""
    assert _put_away(kept, Keep()) == 0
    assert _put_away(kept, Keep(texts=30)) == 3
    for table, words in ((inbox, "my words"), (outbox, "our words"), (ussd_steps, "1234567")):
        assert [row.text for row in _all(kept, table)] == ["", words]


def test_what_is_still_needed_is_passed_over_and_goes_later(kept: Database) -> None:
    """A message of a campaign that is held, an open request, an order nobody has paid."""

    def set_states(connection: Connection, held: str, request: str, order: str) -> None:
        connection.execute(update(outbox).where(outbox.c.id < first_id_at(NEW)).values(state=held))
        old = requests.c.created_at == OLD
        connection.execute(update(requests).where(old).values(state=request))
        connection.execute(update(orders).values(state=order))

    kept.transact("test", set_states, "held", "in_review", "unknown")
    _put_away(kept)
    assert [row.text for row in _all(kept, outbox)] == ["our words"] * 2
    assert len(_all(kept, attempts)) == 2
    assert {row.mobile for row in _all(kept, requests)} == {MOBILE}
    assert {row.mobile for row in _all(kept, orders)} == {MOBILE}
    kept.transact("test", set_states, "delivered", "done", "booked")
    _put_away(kept)
    assert [row.id for row in _all(kept, outbox)] == [first_id_at(NEW)]
    assert [row.mobile for row in _all(kept, orders)] == [None, MOBILE]
    assert sorted(str(row.mobile) for row in _all(kept, requests)) == [MOBILE, "None"]


def test_a_round_is_cut_into_pieces_and_gone_on_with(
    kept: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is a transaction; who is interrupted goes on where it was."""
    monkeypatch.setattr(retention, "PIECE", 4)
    first = first_id_at(OLD) + 1
    more = [filled(ussd_steps, id=first + n, mobile=MOBILE, line=LINE) for n in range(9)]
    kept.transact("test", lambda connection: connection.execute(insert(ussd_steps), more))
    reactor = ReactorClock()
    reactor.rightNow = NOW_MS / 1000

    def transact(name: str, function: Any, *args: Any) -> Deferred[Any]:
        return execute(kept.transact, name, function, *args)

    work = Retention(Keep(ussd_steps=30), transact, reactor)
    ended = work.tick()
    assert len(_all(kept, ussd_steps)) == 7
    work.stop()
    reactor.advance(1)
    assert ended.called
    assert len(_all(kept, ussd_steps)) == 7
    again = Retention(Keep(ussd_steps=30), transact, reactor)
    ended = again.tick()
    reactor.pump([0.1] * 5)
    assert ended.called
    assert [row.id for row in _all(kept, ussd_steps)] == [first_id_at(NEW)]
    assert len(_all(kept, retention_marks)) == 1


@contextmanager
def _scanned(database: Database) -> Iterator[list[str]]:
    """What a plan says of tables that are read from end to end."""
    found: list[str] = []

    def explain(connection: Connection, *about: Any) -> None:
        _cursor, statement, parameters, _context, _many = about
        if not statement.startswith(("SELECT", "UPDATE", "DELETE")) or "set_config" in statement:
            return
        how = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (FORMAT JSON) "
        plan = connection.connection.cursor()
        plan.execute(how + statement, parameters)
        told = plan.fetchall()
        if database.is_sqlite:
            lines = [row[-1] for row in told]
            found.extend(line for line in lines if line.startswith("SCAN "))
        else:
            found.extend(_sequential(told[0][0][0]["Plan"]))

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def _sequential(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield json.dumps(plan)
    for each in plan.get("Plans", ()):
        yield from _sequential(each)


def test_no_piece_reads_a_table_from_end_to_end(kept: Database) -> None:
    """However much there is, a piece is as long as its rows: templates alone are few."""
    with _scanned(kept) as scans:
        _put_away(kept)
        _put_away(kept, now=NOW_MS + 60 * DAY_MS)
    assert [scan for scan in scans if "templates" not in scan] == []


def test_what_has_no_words_any_more_is_not_sent_again(kept: Database) -> None:
    """A failed campaign of last year is sent again by a filter: nobody gets an empty message."""
    kept.transact("test", lambda c: c.execute(update(outbox).values(state="rejected", parts=1,
                  part=1, message_id=outbox.c.id)))  # fmt: skip
    _put_away(kept, Keep(texts=30))
    old, new = (row.id for row in _all(kept, outbox))
    acted = kept.transact("test", resend, [old, new], NOW_MS)
    assert acted.done == (new,)
    assert acted.refused == {old: "its words are no longer kept"}


PARTITIONED = ("inbox", "outbox", "ussd_steps", "events", "webhook_calls")


def test_tables_may_be_partitioned_by_id(
    postgresql_database: Database,
) -> None:
    """As docs/privacy.md has it: what there is becomes the first partition, and all goes on."""
    kept = postgresql_database
    border = first_id_at(NOW_MS - DAY_MS)
    with kept.engine.begin() as connection:
        for name in PARTITIONED:
            before, after = f"(MINVALUE) TO ({border})", f"({border}) TO (MAXVALUE)"
            for statement in (
                f"ALTER TABLE {name} RENAME TO {name}_old",
                f"CREATE TABLE {name} (LIKE {name}_old INCLUDING ALL) PARTITION BY RANGE (id)",
                f"ALTER TABLE {name} ATTACH PARTITION {name}_old FOR VALUES FROM {before}",
                f"CREATE TABLE {name}_next PARTITION OF {name} FOR VALUES FROM {after}",
            ):
                connection.execute(text(statement))
    _fill(kept)
    with kept.engine.begin() as connection:
        for table, row in _rows(NOW_MS):
            connection.execute(insert(table), row)
    assert _put_away(kept)
    for table in (inbox, outbox, ussd_steps, events, webhook_calls):
        assert [row.id for row in _all(kept, table)] == [first_id_at(NEW), first_id_at(NOW_MS)]
    with kept.engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM outbox_next"))
    assert count == 1
