"""The hot path looks rows up: no statement of it reads a table that grows from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text

from core.access import administering
from core.access.audit import Actor, Scribe
from core.access.idempotency import Kept, Key, begin, keep
from core.access.permissions import Permission
from core.access.tokens import NewToken, add_token, find_token
from core.batch import Batch, Desk
from core.bill_sheets import find_sheet
from core.box_filters import InboxFilter, OutboxFilter
from core.browse import find_received, list_inbox, list_outbox
from core.calls import Argument, Call
from core.contact_changes import ContactChange, add_contact, remove_contact
from core.conversations import In, Place, conversation
from core.database import Database, by_index_only
from core.demo import FIRST_NUMBER, code_of, fill
from core.dialogues.limits import Limits
from core.dialogues.types import Event, Input
from core.events.happened import has_new, new_ids
from core.facts import Facts, Wanted
from core.handling import close
from core.ids import IdMaker
from core.inbox import Arrival, Part
from core.making import Maker
from core.manual import HandReply, count_by_hand, store_reply
from core.new_messages import NewMessage, send
from core.nodes import Me, beat, take_over, taken_from
from core.operations import REGISTRY
from core.operations.operation import NAMING
from core.ordered import Asked, Manner, addressees
from core.ordered import place as order_to
from core.outages import EVERYWHERE, NewOutage, cancel
from core.outages.notices import enter
from core.outbox import Result, Sent, State
from core.panels import awaited, has_handed_over, note_seen, seen
from core.policies import store_policy
from core.production import Press, produce
from core.production import run as run_events
from core.readings import ReadingState
from core.readings.control import Decision, decide, foretell
from core.readings.findings import examine
from core.readings.lists import ReadingFilter, count_waiting, find_reading, list_readings
from core.receipts import ReceiptFor
from core.recovery import tidy
from core.requests.box import Reader, Side, count_unseen
from core.requests.kinds import Door
from core.running import run
from core.runs.producing import read_piece, store_piece
from core.runs.settling import finish_sent, settle_piece
from core.runs.states import Move
from core.runs.store import move, show
from core.runs.taking import load_work, look, take_runs
from core.schedules.words import parse_schedule
from core.scheduling import go_round
from core.secrecy import Keys
from core.sending import claim
from core.shelf import Asker
from core.subscribers import SubscriberFilter, find_subscriber, search
from core.subscribers.names import search_by_name
from core.subscribers.records import records_of
from core.suspects import Unconfirmed
from core.tables import outbox, subscribers, templates
from core.templates.in_use import TemplatesInUse
from core.templates.store import list_templates
from core.templates.types import OnOutage, SendPolicy, Version
from core.webhooks.calls import Answer, begin_call, settle_call, standing_of, standings
from core.webhooks.horizon import horizon
from core.webhooks.news import Whose, read_news
from core.webhooks.store import By, New, add_webhook
from core.webhooks.topics import Topics
from gateway.minds import LineMind
from gateway.profiles import load_profile
from gateway.smpp.text import Alphabet
from tests.campaigning import DEFINITION, PlainWords, maker, save, sources, start
from tests.conftest import OTHERS_OUT, Clock
from tests.happening import ON_BILLS, bill, happen, in_use
from tests.saying import SAID
from tests.talkers import CODE, FakeTalker

NOW = 1_790_000_000_000
DAY = 86_400_000
LINE = "100034122"
PROFILE = Path(__file__).parents[2] / "config" / "profiles" / "kerman-water"
GROWING = (
    "subscribers", "contacts", "bill_recipients", "bills", "payments", "readings",
    "code_failures", "inbox", "inbox_parts", "outbox", "corrections", "instalments", "requests",
    "request_history", "orders", "events", "contact_confirmations", "suppressions", "attempts",
    "ussd_sessions", "ussd_steps", "due_events", "outages", "runs", "inbox_handling",
    "manual_replies",
    "panel_marks", "request_messages", "idempotency_keys",
)  # fmt: skip
ALIASES = ("newest", "whole")
"""Names by which statements call a table that they have twice."""

NAMED = {Argument.NUMBER: str(FIRST_NUMBER), Argument.CODE: code_of(FIRST_NUMBER)}
NAMED_BY: tuple[dict[Argument, str], ...] = (
    NAMED,
    {Argument.BILL_ID: SAID[Argument.BILL_ID], Argument.CODE: code_of(FIRST_NUMBER)},
    {Argument.METER_SERIAL: SAID[Argument.METER_SERIAL]},
    {},
)


@pytest.fixture
def desk(database: Database, keys: Keys) -> Desk:
    """A desk with Kerman's profile and a few subscribers."""
    fill(database, keys, subscribers=20, today=date(2026, 9, 21))
    mind = LineMind(load_profile(PROFILE, REGISTRY), Alphabet.GSM7, 8)
    ids = IdMaker(0, lambda: NOW)
    desk = Desk(0, ids, keys, {LINE: mind}, lambda _bind, _parts: "9")
    return replace(desk, talkers={CODE: FakeTalker()}, limits=Limits(sessions=3))


def everything(desk: Desk, database: Database) -> None:
    """One batch of every kind of message, its results and receipts, a claim, and the rest."""
    number, code = FIRST_NUMBER, code_of(FIRST_NUMBER)
    texts = [
        f"010*{number}*{code}", f"010*{number}*0000", "010", f"110*{number}*{code}*99999",
        f"110*{number}*{code}*99999", f"210*{number}*{code}", "9", "11", "help", "???",
    ]  # fmt: skip
    arrivals = [_arrival(desk, place, said) for place, said in enumerate(texts)]
    part = Part(7, 2, 1, 8, b"\0a")
    arrivals += [_arrival(desk, 90 + n, "", part._replace(number=n)) for n in (1, 2)]
    lost = [Unconfirmed(one.id, "mci", one.fingerprint, NOW) for one in arrivals[:2]]
    done = run(
        database,
        desk,
        Batch(arrivals=arrivals, unconfirmed=lost, marks={"mci": 1}, now=NOW),
    )
    sent = [
        Sent(row, Result.ACCEPTED, "mci", str(row.id), 0)
        for _, rows in done.outgoing
        for row in rows
    ]
    receipts = [ReceiptFor("mci", str(one.row.id), State.DELIVERED, "000", NOW) for one in sent[:2]]
    run(database, desk, Batch(sent=sent, receipts=receipts, confirmed_suspects=[1], now=NOW))
    for step in (Event.BEGIN, Event.ANSWER, Event.ABORT):
        inputs = [_input(desk, place, step) for place in range(5)]
        run(database, desk, Batch(inputs=inputs, now=NOW))
    tell(desk, database)
    through_a_panel(database)
    database.transact("tidy", tidy, desk, NOW)
    beside_another(database)
    looked_after(desk, database)


def looked_after(desk: Desk, database: Database) -> None:
    """A message of the inbox is opened, answered by hand and closed."""

    def work(connection: Connection) -> None:
        place = Place("989130000002", [LINE, CODE], ["kerman-water"])
        items = conversation(connection, place).items
        found = find_received(connection, next(one.id for one in items if isinstance(one, In)))
        assert found is not None
        answers = count_by_hand(connection, found.id)
        store_reply(connection, desk.ids, HandReply(found, ["بله"], "boss", answers), NOW)
        close(connection, found.id, "boss", NOW)
        assert conversation(connection, place).items
        for side in Side:  # on every page of the desk
            count_unseen(connection, Reader(side, ["kerman-water"], "12"))

    database.transact("look after", work)


def beside_another(database: Database) -> None:
    """Another daemon, and what it leaves when it is gone."""
    database.transact("join", beat, Me(1, NOW, "1", "there"), {"mci": 0}, NOW)
    done = database.transact("beat", beat, Me(0, NOW, "1", "here"), {"mci": 0}, NOW + DAY)
    (gone,) = done.others
    assert database.transact("take over", take_over, gone, NOW + DAY, NOW) == 0
    assert database.read("taken", taken_from, 0, [1, 2]) == {1, 2}


def through_a_panel(database: Database) -> None:
    """What SMS panels hand over, and what they owe."""
    database.transact("note", note_seen, "panel", [1, 2], NOW)
    database.read("seen", seen, "panel", [1, 2, 3])
    database.read("any", has_handed_over, "panel")
    database.read("owed", awaited, "panel", NOW - DAY, 0)


def tell(desk: Desk, database: Database) -> None:
    """Messages of a template: claimed, refused in every way, tried again after receipts."""

    def queue(connection: Connection) -> None:
        policy = store_policy(connection, SendPolicy((60,), 0, (), frozenset({"undeliverable"})))
        if connection.scalar(select(templates.c.id)) is None:
            about = {"topic": "bills", "required": False, "enabled": True, "changed_by": ""}
            times = {"version": 1, "created_at": 0, "changed_at": 0}
            named = {"id": 1, "utility": "kerman-water", "name": "bill"}
            connection.execute(insert(templates).values(**named, **about, **times))
        for place, key in enumerate(desk.ids.take(12)):
            row = {
                "id": key, "message_id": key, "part": 1, "parts": 1, "line": LINE, "text": "…",
                "mobile": f"98913000{place:04}", "priority": 3, "state": "queued", "attempts": 0,
                "max_attempts": 3, "resend_uncertain": False, "created_at": NOW, "due_at": NOW,
                "changed_at": NOW, "template_id": 1, "policy_id": policy,
            }  # fmt: skip
            connection.execute(insert(outbox).values(row))

    database.transact("queue", queue)
    rows = database.transact("claim", claim, 0, [LINE], 12, NOW)
    refused = (Result.TEMPORARY, Result.BLOCKED, Result.UNCERTAIN, Result.PERMANENT)
    sent = [Sent(row, each, "mci", "", 8) for row, each in zip(rows, refused, strict=False)]
    taken = [Sent(row, Result.ACCEPTED, "mci", str(row.id), 0) for row in rows[len(refused) :]]
    run(database, desk, Batch(sent=sent + taken, now=NOW))
    says = (State.UNDELIVERABLE, State.SUPPRESSED, State.DELIVERED)
    receipts = [
        ReceiptFor("mci", one.smsc_id, state, "027", NOW)
        for one, state in zip(taken, says, strict=False)
    ]
    run(database, desk, Batch(receipts=receipts, now=NOW))


def every_operation(desk: Desk, database: Database, mobile: str) -> None:
    """Each operation there is, the subscription named in each way, with all it can be told."""
    terms = desk.minds[LINE].terms
    kinds = terms.services.kinds.items()
    by_text = next(name for name, kind in kinds if Door.TEXT in kind.doors)
    say = {**SAID, **NAMED, Argument.KIND: by_text}

    def work(connection: Connection) -> None:
        by_index_only(connection)
        wanted = []
        for operation in REGISTRY.values():
            takes = operation.required | operation.optional
            told = {name: say[name] for name in takes - NAMING}
            for names in NAMED_BY:
                message_id = desk.ids.one()
                asker = Asker("kerman-water", mobile, NOW, terms, "sms", message_id, LINE)
                said = told | {name: names[name] for name in names.keys() & takes}
                said |= {name: say[name] for name in operation.required & say.keys() - said.keys()}
                if operation.required - said.keys():
                    continue  # one that is only for who names the subscription so
                wanted.append(Wanted(asker, Call(operation.name, said), operation.needs))
        facts = Facts.load(connection, desk.ids, wanted)
        for asker, call, _needs in wanted:
            REGISTRY[call.operation](desk.keys, asker, call, facts)
        facts.store(connection)

    database.transact("operations", work)


def everything_told(desk: Desk, database: Database, key: int, outage_id: int) -> None:
    """Bills that are told at once and later, an outage, what is looked for all the time."""
    words = PlainWords()
    ours = Press(Maker(desk.ids, words), TemplatesInUse())
    happen(database, desk.ids, *(bill(str(number), NOW, key) for number in range(3)))
    assert database.read("new", has_new)
    assert run_events(database, ours, NOW).events == 3
    happen(database, desk.ids, bill("4", NOW, key))
    (event_id,) = database.read("new", new_ids, 5)
    database.transact("one", produce, ours, NOW, event_id)
    go_round(database, ours, NOW + DAY)
    database.transact("cancel", cancel, outage_id, NOW + DAY)
    go_round(database, ours, NOW + DAY)


def _arrival(desk: Desk, place: int, said: str, part: Part | None = None) -> Arrival:
    mobile = f"98913000{place:04}"
    return Arrival(
        desk.ids.one(), NOW, "mci", 1, LINE, "kerman-water", mobile, said, place, part, "mci"
    )  # fmt: skip


def _input(desk: Desk, place: int, step: Event) -> Input:
    mobile = "" if step is Event.ANSWER else f"98913000{place:04}"
    key = f"2*{FIRST_NUMBER}*{code_of(FIRST_NUMBER)}" if step is Event.ANSWER else CODE
    number = desk.ids.one()
    return Input(number, NOW, "mci", 1, f"{place}", CODE, mobile, step, key, "", number)


def test_no_table_that_grows_is_scanned(desk: Desk, database: Database) -> None:
    """By the plan of every statement that was executed, or by PostgreSQL's own count."""
    look = _plans if database.is_sqlite else _counted_scans
    with look(database) as scans:
        for _ in range(8):  # after five, PostgreSQL keeps a plan for good
            everything(desk, database)
    assert scans == []


def a_campaign(database: Database, clock: Clock, turn: int) -> None:
    """Rows made into messages, told apart, held, queued again, cancelled, and looked after."""
    if not turn:
        save(database)
    (version,) = database.read("templates", enabled_or_not)
    clock.advance(1)
    key = start(database, version, clock(), run_id=turn + 1, period="1405/03").id
    database.transact("take", take_runs, [key], 0, clock())
    run = database.read("show", show, key)
    assert run is not None
    work = database.read("load", load_work, run, sources(), maker(clock))
    piece = database.read("read", read_piece, work, "", 20, clock())
    assert database.transact("piece", store_piece, piece, 0, clock())
    for wish in (Move.PAUSE, Move.RESUME, Move.CANCEL):
        run = database.transact("move", move, key, wish, clock())
        while database.transact("settle", settle_piece, run, DEFINITION.policy, clock()):
            pass
    found = database.read("look", look)
    database.transact("sent", finish_sent, found.sent, clock())


def enabled_or_not(connection: Connection) -> list[Version]:
    """The templates there are."""
    return [each.newest for each in list_templates(connection)]


def test_no_campaign_scans_a_table(desk: Desk, database: Database, now_ms: Clock) -> None:
    """Whatever is done with it; counting its rows beforehand is all that reads them all."""
    a_campaign(database, now_ms, 0)
    how = _plans if database.is_sqlite else _counted_scans
    with how(database) as scans:
        for turn in range(1, 8):
            a_campaign(database, now_ms, turn)
    assert scans == []


def test_nothing_that_is_sent_by_itself_scans_a_table(desk: Desk, database: Database) -> None:
    """Old events, outages and runs cost nothing, however many there are."""
    later = parse_schedule("every day 08:00")
    in_use(database)
    in_use(database, replace(ON_BILLS, produce=later), "later")
    in_use(database, replace(ON_BILLS, trigger=OnOutage(60)), "outage")
    in_use(database, replace(ON_BILLS, trigger=OnOutage(0, cancelled=True)), "cancelled")
    new = NewOutage("kerman-water", EVERYWHERE, NOW + DAY, None, "", "test", NOW)
    planned = [database.transact("outage", enter, new).outage.id for _ in range(8)]
    key = database.read("one", lambda connection: connection.scalar(select(subscribers.c.id)))
    how = _plans if database.is_sqlite else _counted_scans
    with how(database) as scans:
        for outage_id in planned:
            everything_told(desk, database, key or 0, outage_id)
    assert scans == []


def told_to_others(desk: Desk, database: Database, webhook_id: int) -> None:
    """A call of a webhook: what there is to tell, made, settled."""
    standing = database.read("standing", standing_of, webhook_id)
    assert standing is not None
    webhook = standing.webhook
    database.transact("horizon", horizon, NOW)
    whose = Whose({"kerman-water": "kerman-water"}, {LINE: "kerman-water"})
    news = database.read("news", read_news, webhook, whose, NOW + 1)
    assert {item["type"] for item in news.items} == {"inbound", "message", "event"}
    assert database.transact("begin", begin_call, webhook, news, desk.ids.one(), NOW)
    (standing,) = database.read("standings", standings)
    assert standing.call is not None
    answer = Answer(200, "")
    database.transact("settle", settle_call, webhook_id, standing.call, answer, NOW)


def test_no_webhook_scans_a_table(desk: Desk, database: Database) -> None:
    """What was told before costs nothing, however much there is."""
    by = By(Scribe(desk.ids), Actor("test"), NOW - DAY)
    new = New("crm", "", "https://example.ir", Topics(["inbound", "message.*", "event.*"]))
    webhook, _secret = database.transact("add", add_webhook, desk.keys, by, new)
    how = _plans if database.is_sqlite else _counted_scans
    with how(database) as scans:
        for turn in range(7):
            text_ = Batch(arrivals=[_arrival(desk, turn, "1")], now=NOW)
            run(database, desk, text_)
            tell(desk, database)
            happen(database, desk.ids, bill(str(turn), NOW))
            told_to_others(desk, database, webhook.id)
    assert scans == []


def test_no_operation_scans_a_table(desk: Desk, database: Database) -> None:
    """Whatever it is told, and however the subscription is named."""
    look = _plans if database.is_sqlite else _counted_scans
    with look(database) as scans:
        for turn in range(8):
            every_operation(desk, database, f"98913333{turn:04}")
    assert scans == []


def at_the_counter(desk: Desk, database: Database, turn: int) -> None:
    """Whatever the desk's pages about readings, subscribers, bills and new messages read and do."""
    read, mobile = database.read, f"98913444{turn:04}"
    words: Any = lambda *_: None  # noqa: E731 - nobody is told
    for state in (ReadingState.DOUBTFUL, None):
        for number in (None, str(FIRST_NUMBER)):
            wanted = ReadingFilter(utilities=["kerman-water"], state=state, number=number)
            listed = read("readings", list_readings, wanted)
            read("next", list_readings, replace(wanted, before=listed[-1].id if listed else 1))
    read("waiting", count_waiting, frozenset({"kerman-water"}))
    known = read("reading", find_reading, listed[0].id)
    assert known is not None
    read("examined", examine, known, desk.minds[LINE].terms.policy)
    verdict = (ReadingState.REJECTED, ReadingState.ACCEPTED)[turn % 2]
    decision = Decision(known.reading.id, verdict, "zahra", "", NOW)
    read("foretold", foretell, decision, words)
    database.transact("decide", decide, desk.ids, decision, words)
    for said in (str(FIRST_NUMBER), mobile, "AB-7"):
        read("found", search, SubscriberFilter(utilities=["kerman-water"], said=said))
    search_by_name(
        database, SubscriberFilter(utilities=["kerman-water"], said="رضایی", before=9), 9
    )
    detail = read("subscriber", find_subscriber, known.subscriber_id)
    assert detail is not None

    def page(connection: Connection) -> int:
        records = records_of(connection, detail, 12)
        list_inbox(connection, InboxFilter(subscriber=detail.id, lines=[LINE], limit=6))
        list_outbox(connection, OutboxFilter(subscriber=detail.id, lines=[LINE], limit=6))
        return records.bills[0].id

    read("bill", find_sheet, read("page", page))
    change = ContactChange(detail.id, mobile, NOW)
    for act in (lambda c: add_contact(c, desk.ids, change, confirmed=True),
                lambda c: remove_contact(c, desk.ids, change)):  # fmt: skip
        database.transact("contact", act)
    about = ("kerman-water", LINE, [mobile], ["a", "b"], detail.id, "zahra", f"f{turn}", NOW)
    database.transact("send", send, desk.ids, NewMessage(*about))


def test_nothing_at_the_counter_scans_a_table(desk: Desk, database: Database) -> None:
    """But for a search by name, which reads every subscription of a utility."""
    how = _plans if database.is_sqlite else _counted_scans
    with how(database) as scans:
        for turn in range(8):
            at_the_counter(desk, database, turn)
    assert scans == []


def test_no_message_of_another_system_scans_a_table(desk: Desk, database: Database) -> None:
    """Ordered under a key, by a token, to a mobile and to a subscription's."""
    by = administering.By(Scribe(desk.ids), Actor("test"), NOW)
    new = NewToken("billing", [Permission.MESSAGE_SEND])
    secret = database.transact("token", add_token, by, new)
    how = _plans if database.is_sqlite else _counted_scans
    manner = Manner("kerman-water", LINE, "notices", required=False)
    asked = [Asked("989131234567", None), Asked(None, str(FIRST_NUMBER))]

    def order(connection: Connection, key: Key) -> None:
        assert begin(connection, key) is None
        whom = addressees(connection, "kerman-water", asked)
        order_to(connection, desk.ids, manner, [(each, ["a", "b"]) for each in whom], NOW)
        keep(connection, key, Kept(202, "{}"), NOW)

    with how(database) as scans:
        for turn in range(8):
            token = database.read("token", find_token, secret, NOW)
            assert token is not None
            key = Key(token.id, f"k{turn}", "same")
            database.transact("order", order, key)
            assert database.transact("again", begin, key) == Kept(202, "{}")
    assert scans == []


@contextmanager
def _plans(database: Database) -> Iterator[list[str]]:
    scans: list[str] = []
    seen: set[str] = set()

    def explain(connection: Connection, *about: Any) -> None:
        _cursor, statement, parameters, _context, _many = about
        if statement in seen or not statement.startswith(("SELECT", "UPDATE", "DELETE")):
            return
        seen.add(statement)
        plan = connection.connection.cursor()
        for row in plan.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall():
            words = row[3].split()
            if words[0] == "SCAN" and words[1] in (*GROWING, *ALIASES) and "INDEX" not in words:
                scans.append(f"{row[3]}: {statement}")

    event.listen(database.engine, "before_cursor_execute", explain)
    yield scans
    event.remove(database.engine, "before_cursor_execute", explain)


@contextmanager
def _counted_scans(database: Database) -> Iterator[list[str]]:
    def counts(connection: Connection) -> dict[str, int]:
        # What a connection counted is told when it has ended, which takes its process a moment.
        ended = connection.execute(text(OTHERS_OUT)).scalars().all()
        assert all(ended)
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        rows = connection.execute(text("SELECT relname, seq_scan FROM pg_stat_user_tables"))
        return {name: scans for name, scans in rows if name in GROWING}

    scans: list[str] = []
    database.close()
    before = database.transact("before", counts)
    yield scans
    database.close()
    after = database.transact("after", counts)
    scans += [
        f"{name}: {after[name] - before[name]} scans"
        for name in GROWING
        if after[name] != before[name]
    ]
