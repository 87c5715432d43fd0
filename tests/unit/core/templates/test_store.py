"""Templates: saved as versions, read back as they were, and never half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core.database import Database
from core.schedules.windows import parse_windows
from core.schedules.words import parse_schedule
from core.tables import send_policies, template_versions, templates
from core.templates import store
from core.templates.checks import DefinitionError, check
from core.templates.codec import StoredTemplateError, read_definition, write_definition
from core.templates.in_use import InUse, TemplatesInUse
from core.templates.store import Draft, TemplateError, TemplateFilter
from core.templates.types import (
    Audience,
    Definition,
    Missed,
    OnEvents,
    OnOutage,
    OnReport,
    Receivers,
    SendPolicy,
    Trigger,
    Uncertain,
)
from tests.conftest import CountStatements

POLICY = SendPolicy(
    pauses=(60, 600),
    growth_percent=100,
    hours=parse_windows("sat-wed 08:00-21:00; thu 08:00-13:00"),
    retry_on=frozenset({"expired", "undeliverable"}),
)
BILL = Definition(
    line="100066133",
    audience=Audience.SERVICE,
    topic="bills",
    required=False,
    language="fa",
    trigger=OnEvents(("bill_issued",), {"kind": "period"}),
    receivers=Receivers.CONTACTS,
    produce=None,
    missed=Missed.ONCE,
    starts=date(2026, 3, 21),
    ends=None,
    attempts=5,
    validity=172_800,
    priority=5,
    uncertain=Uncertain.LEAVE,
    policy=POLICY,
)
REPORT = replace(
    BILL,
    trigger=OnReport("overdue", {"days": 30, "since": date(2026, 3, 21), "region": "خرم‌آباد"}),
    produce=parse_schedule("days 1,15,last 08:00"),
    ends=date(2027, 3, 20),
)
OUTAGE = replace(BILL, trigger=OnOutage(1440), topic="outages", required=True)
CANCELLED = replace(OUTAGE, trigger=OnOutage(0, cancelled=True))


def draft(name: str = "bill", definition: Definition = BILL, **others: Any) -> Draft:
    """What Sara wants saved."""
    body, now = others.get("body", "قبض {{ number }}"), others.get("now", 1_000)
    return Draft("lorestan-water", name, definition, body, others.get("by", "sara"), now)


@pytest.mark.parametrize("definition", [BILL, REPORT, OUTAGE, CANCELLED])
def test_settings_are_read_as_they_were_written(definition: Definition) -> None:
    """Every kind of trigger; twice the same settings are twice the same text."""
    written = write_definition(definition)
    assert read_definition(written, definition.policy) == definition
    assert write_definition(read_definition(written, POLICY)) == written


def test_settings_that_nobody_knows_are_refused() -> None:
    """A newer version's form, or a key too many, is not read as something else."""
    written = write_definition(BILL)
    for changed in (
        written.replace('"form":1', '"form":2'),
        written.replace('"form":1', '"form":1,"colour":"red"'),
        written.replace('"where"', '"wherever"'),
        "{",
    ):
        with pytest.raises(StoredTemplateError):
            read_definition(changed, POLICY)


def test_a_template_has_versions(database: Database) -> None:
    """Each is kept as it was, with who saved it; equal policies are one row."""
    with database.engine.begin() as connection:
        first = store.add(connection, draft())
        other = store.add(connection, draft("overdue", REPORT))
        second = store.edit(
            connection, first, draft(body="بدهی {{ payable }}", now=2_000, by="ali")
        )
        assert store.edit(connection, second, draft(body=second.body, now=3_000)) == second

    with database.engine.begin() as connection:
        found = store.named(connection, "lorestan-water", "bill")
        assert (found.newest, found.changed_at, found.changed_by) == (second, 2_000, "ali")
        saved = store.versions(connection, first.template_id)
        assert [(each.version, each.saved_by) for each in saved] == [
            (second, "ali"),
            (first, "sara"),
        ]
        keys = [(first.template_id, 1), (other.template_id, 1), (other.template_id, 9)]
        loaded = store.load_versions(connection, keys)
        assert loaded == {keys[0]: first, keys[1]: other}
        assert connection.scalar(select(func.count()).select_from(send_policies)) == 1


def test_two_people_who_edit_at_once(database: Database) -> None:
    """The second is told, and nothing of what it wanted is saved."""
    with database.engine.begin() as connection:
        first = store.add(connection, draft())
        store.edit(connection, first, draft(body="یک"))
    with pytest.raises(TemplateError, match="somebody else"), database.engine.begin() as connection:
        store.edit(connection, first, draft(body="دو"))
    with database.engine.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(template_versions)) == 2


def test_names_are_taken_once_by_each_utility(database: Database) -> None:
    """In whatever spelling; another utility may have the same."""
    with database.engine.begin() as connection:
        store.add(connection, draft("قبض-۱"))
        store.add(connection, draft("قبض-۱")._replace(utility="kerman-water"))
        with pytest.raises(TemplateError, match="already"):
            store.add(connection, draft("قبض-1"))
        with pytest.raises(TemplateError, match="did you mean 'قبض-1'"):
            store.named(connection, "lorestan-water", "قبض-2")
        with pytest.raises(TemplateError, match=r"no template '<b>'"):
            store.named(connection, "lorestan-water", "<b>")
        with pytest.raises(DefinitionError, match="a name is letters"):
            store.add(connection, draft("a b"))


def test_enabling_and_what_was_missed(database: Database) -> None:
    """What a schedule named while its template was disabled, or had another, is past."""

    def until() -> Mapping[str, Any]:
        return {
            row.name: row.scheduled_until for row in connection.execute(select(templates)).all()
        }

    with database.engine.begin() as connection:
        first = store.add(connection, draft("overdue", REPORT))
        assert until() == {"overdue": 1_000}
        for now, is_change in ((2_000, True), (3_000, False)):
            changed = store.set_enabled(
                connection, first.template_id, enabled=True, by="ali", now=now
            )
            assert changed is is_change
        assert until() == {"overdue": 2_000}
        connection.execute(update(templates).values(scheduled_until=2_500))
        second = store.edit(connection, first, draft(definition=REPORT, body="نو", now=4_000))
        assert until() == {"overdue": 2_500}
        rescheduled = replace(REPORT, produce=parse_schedule("every day 08:00"))
        store.edit(connection, second, draft(definition=rescheduled, now=5_000))
        assert until() == {"overdue": 5_000}


def test_lists(database: Database) -> None:
    """By whether they are in use, by topic, by event."""
    with database.engine.begin() as connection:
        store.add(connection, draft("bill"), enabled=True)
        store.add(connection, draft("overdue", REPORT))
        store.add(connection, draft("outage", OUTAGE))

        def names(**wanted: Any) -> list[str]:
            found = store.list_templates(connection, TemplateFilter(**wanted))
            return [each.newest.name for each in found]

        assert names() == ["bill", "outage", "overdue"]
        assert names(enabled=False) == ["outage", "overdue"]
        assert names(topic="outages", utility="lorestan-water") == ["outage"]
        assert names(event="bill_issued") == ["bill"]
        assert names(utility="qazvin-gas") == []
        assert names(enabled=True) == ["bill"]


def test_those_in_use_are_known_as_they_change(
    database: Database, count_statements: CountStatements
) -> None:
    """Each version is read once; one that cannot be read is left out, and the others go on."""
    known = TemplatesInUse()

    def look() -> list[InUse]:
        return database.read("look", known.look)

    bill = database.transact("add", partial(store.add, enabled=True), draft("bill"))
    other = database.transact("add", partial(store.add, enabled=True), draft("other"))
    database.transact("add", store.add, draft("disabled"))
    spoil = update(template_versions).values(settings="{}")
    spoil = spoil.where(template_versions.c.template_id == other.template_id)
    database.transact("spoil", lambda connection: connection.execute(spoil))
    assert [used.version for used in look()] == [bill]
    with count_statements(database) as counted:
        assert look()[0].version is look()[0].version
    assert counted.total == 2
    newer = database.transact("edit", store.edit, bill, draft("bill", body="{{ bill_id }}"))
    assert [used.version for used in look()] == [newer]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"attempts": 0}, "attempts: 0 is not between 1 and 50"),
        ({"validity": 10}, "validity: is not between a minute"),
        ({"priority": 0}, "priority: 0 is not between 1 and 9"),
        ({"topic": " "}, "topic: is empty"),
        ({"language": "de"}, "language: there is no language 'de'"),
        ({"ends": date(2020, 1, 1)}, "ends: is before it starts"),
        ({"policy": replace(POLICY, pauses=())}, "pauses: are missing"),
        ({"policy": replace(POLICY, retry_on=frozenset({"expire"}))}, "did you mean 'expired'"),
        ({"trigger": OnEvents(("bil_issued",), {})}, "on: there is no event 'bil_issued'; did you"),
        ({"trigger": OnEvents((), {})}, "on: names no event; known here: bill_issued"),
        (
            {"trigger": OnEvents(("bill_issued",), {"kid": 1})},
            "have no 'kid'; did you mean",
        ),
        ({"trigger": OnEvents(("bill_issued",), {"amount": "1"})}, "but it is a number"),
        ({"trigger": OnOutage(-1)}, "outage_before: -1"),
    ],
)
def test_what_is_wrong_with_settings(changed: dict[str, Any], said: str) -> None:
    """The setting is named, and what it may be."""
    with pytest.raises(DefinitionError) as error:
        check(replace(BILL, **changed))
    assert said in str(error.value)


def test_facts_of_two_kinds_of_events() -> None:
    """A condition is on what both have."""
    both: Trigger = OnEvents(("request_registered", "request_changed"), {"state_key": "done"})
    check(replace(BILL, trigger=both))
    both = OnEvents(("bill_issued", "payment_booked"), {"period": "1405/06"})
    with pytest.raises(DefinitionError, match="period"):
        check(replace(BILL, trigger=both))
