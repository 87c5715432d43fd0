"""Rows of a utility's own system: the same as its files, row by row, and only its own."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import insert, select

from core.access.permissions import Permission
from core.database import Database
from core.importing import import_file
from core.secrecy import Keys
from core.tables import (
    audit,
    bills,
    contacts,
    events,
    instalments,
    paused_services,
    payments,
    readings,
    subscribers,
)
from tests.apis import ApiWorld
from tests.conftest import Clock
from tests.desks import KERMAN, LORESTAN

P = Permission
ALL = (
    P.SUBSCRIBER_SEE, P.SUBSCRIBER_EDIT, P.BILL_EDIT, P.READING_REGISTER, P.PERSONAL_SEE,
    P.BILL_SEE, P.PAYMENT_SEE,
)  # fmt: skip
NAMES = ("subscribers", "bills", "payments", "readings", "instalments")
TABLES = (subscribers, contacts, bills, payments, readings, instalments, events)
OURS = frozenset({"id", "changed_at", "created_at", "handled_at", "at"})
"""What differs between two databases that have the same."""
NEW: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "subscribers": [
        {"number": "77001", "code": "1234", "name": "مريم كريمي", "units": 2, "wastewater": False,
         "mobile": ["09131234567", "0912 111 1111"]},
        {"number": "77002", "code": None, "name": "", "units": None, "wastewater": True,
         "mobile": []},
    ],
    "bills": [
        {"number": "77001", "period": "1405/03", "amount": 145_000, "payable": 150_000,
         "due_date": "1405/07/15", "issued_at": "2026-09-20T08:00:00Z"},
        {"number": "77002", "period": "1405/03", "amount": 9_000, "payable": -1_000,
         "due_date": None, "issued_at": "1405/06/29"},
    ],
    "payments": [
        {"number": "77001", "amount": 150_000, "paid_at": "1405/06/30", "reference": "a1"},
    ],
    "readings": [
        {"number": "77001", "reading": 321, "read_at": "1405/06/29", "source": "reader",
         "meter_state": "خراب"},
    ],
    "instalments": [
        {"number": "77001", "plan": "آب", "instalment": 1, "amount": 5_000,
         "due_date": "1405/09/01"},
    ],
}  # fmt: skip


def _rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    def look(connection: Any) -> dict[str, list[dict[str, Any]]]:
        found = {}
        for table in TABLES:
            columns = [column for column in table.c if column.name not in OURS]
            rows = connection.execute(select(*columns)).mappings()
            found[table.name] = sorted(map(dict, rows), key=str)
        return found

    return database.read("rows", look)


def _as_file(folder: Path, name: str) -> Path:
    rows = NEW[name]
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            cells = {key: "" if value is None else value for key, value in row.items()}
            said = {key: "/".join(each) for key, each in cells.items() if isinstance(each, list)}
            writer.writerow(cells | said)
    return path


@pytest_twisted.ensureDeferred
async def test_what_is_sent_is_what_a_file_would_have_brought(
    api: ApiWorld, empty_url: str, keys: Keys, now_ms: Clock, tmp_path: Path
) -> None:
    """The same rows of every table, and the same events; and sent again they change nothing."""
    from core import schema  # noqa: PLC0415 - of one test

    other = Database(empty_url)
    schema.upgrade(other)
    token = api.token(*ALL, utility=KERMAN)
    for name in NAMES:
        report = import_file(
            other, keys, name, _as_file(tmp_path, name), default_utility=KERMAN, now_ms=now_ms
        )
        said = await api.send(f"/{name}", token, {"rows": NEW[name]})
        assert said.code == 200, said.body
        assert said.json["errors"] == []
        assert report.bad == 0
        assert said.json["inserted"] == report.inserted == len(NEW[name])
    assert _rows(api.database) == _rows(other)
    for name in NAMES:
        again = (await api.send(f"/{name}", token, {"rows": NEW[name]})).json
        assert (again["inserted"], again["updated"]) == (0, 0)
    assert _rows(api.database) == _rows(other)
    other.close()


@pytest_twisted.ensureDeferred
async def test_bad_rows_are_told_of_and_the_others_taken(api: ApiWorld) -> None:
    """Each with a pointer, in both languages; with strict none is taken."""
    token = api.token(*ALL, utility=KERMAN)
    await api.send("/subscribers", token, {"rows": NEW["subscribers"]})
    good = {"number": "77001", "period": "1405/04", "amount": 1, "payable": 1,
            "bill_id": None, "issued_at": "1405/06/01"}  # fmt: skip
    rows = [
        good,
        good | {"number": "77001", "bill_id": "1234567"},
        good | {"number": "99999"},
        good | {"period": " "},
        {name: value for name, value in good.items() if name != "bill_id"},
        good | {"used": 3},
    ]
    strict = await api.send("/bills", token, {"rows": rows, "strict": True})
    assert (strict.code, strict.problem) == (422, "invalid")
    said = await api.send("/bills", token, {"rows": rows})
    wrong = [each["pointer"] for each in said.json["errors"]]
    assert wrong == ["/rows/1/bill_id", "/rows/2/number", "/rows/3/period", "/rows/4/bill_id",
                     "/rows/5/used"]  # fmt: skip
    assert strict.pointers == wrong
    assert "شناسه قبض" in said.json["errors"][0]["detail_fa"]
    assert (said.json["inserted"], said.json["bad"]) == (1, 5)
    left_out = [{"number": "77001", "period": "1405/05"}]
    assert (await api.send("/bills", token, {"rows": left_out})).pointers == [
        "/rows/0/amount", "/rows/0/payable",
    ]  # fmt: skip
    typed = await api.send("/bills", token, {"rows": [good | {"amount": "1"}]})
    assert typed.pointers == ["/rows/0/amount"]


@pytest_twisted.ensureDeferred
async def test_a_field_that_is_left_out_stays_as_it_is(api: ApiWorld) -> None:
    """And null empties it."""
    token = api.token(*ALL, utility=KERMAN)
    await api.send("/subscribers", token, {"rows": NEW["subscribers"]})
    await api.send("/subscribers", token, {"rows": [{"number": "77001", "region": "بهارستان"}]})
    shown = (await api.read("/subscribers/77001", token)).json
    assert (shown["name"], shown["region"], shown["units"]) == ("مریم کریمی", "بهارستان", 2)
    await api.send("/subscribers", token, {"rows": [{"number": "77001", "region": None}]})
    assert (await api.read("/subscribers/77001", token)).json["region"] == ""


@pytest_twisted.ensureDeferred
async def test_one_subscription_is_shown_to_who_may_see_it(api: ApiWorld) -> None:
    """Balance, bills, payments; masked without personal.see, another utility's is not there."""
    token = api.token(*ALL, utility=KERMAN)
    for name in NAMES:
        await api.send(f"/{name}", token, {"rows": NEW[name]})
    shown = (await api.read("/subscribers/77001", token, params={"most": "1"})).json
    assert (shown["balance"], len(shown["bills"]), len(shown["payments"])) == (0, 1, 1)
    assert shown["mobiles"] == ["989131234567", "989121111111"]
    assert shown["instalments"][0]["amount"] == 5000
    masked = (await api.read("/subscribers/77001", api.token(P.SUBSCRIBER_SEE))).code
    assert masked == 422  # a token of several utilities says which
    some = api.token(P.SUBSCRIBER_SEE, utility=KERMAN)
    masked = (await api.read("/subscribers/77001", some)).json
    assert (masked["name"], masked["address"], masked["bills"]) == ("م*** ک***", None, None)
    assert "1234567" not in masked["mobiles"][0]
    elsewhere = api.token(*ALL, utility=LORESTAN)
    assert (await api.read("/subscribers/77001", elsewhere)).problem == "not-found"
    theirs = {"rows": NEW["bills"], "utility": KERMAN}
    assert (await api.send("/bills", elsewhere, theirs)).problem == "not-found"
    query = select(audit.c.who).where(audit.c.action == "subscriber.see")
    assert len(api.database.read("audit", lambda c: list(c.scalars(query)))) == 1


@pytest_twisted.ensureDeferred
async def test_a_request_is_done_once_by_its_key(api: ApiWorld) -> None:
    """And audited with its figures; nothing while imports are paused."""
    token = api.token(*ALL, utility=KERMAN, name="billing")
    body, key = {"rows": NEW["subscribers"]}, {"Idempotency-Key": "k1"}
    first = await api.send("/subscribers", token, body, headers=key)
    second = await api.send("/subscribers", token, body, headers=key)
    assert first.json == second.json
    assert second.header("idempotent-replayed") == "true"
    query = select(audit.c.who, audit.c.details).where(audit.c.action == "subscribers.put")
    (line,) = api.database.read("audit", lambda c: c.execute(query).all())
    assert line.who == "token:billing"
    assert '"inserted": 2' in line.details
    pause = {"name": "import", "since": 0, "by": "reza", "note": ""}
    api.database.transact("p", lambda c: c.execute(insert(paused_services).values(pause)))
    assert (await api.send("/subscribers", token, body)).problem == "conflict"


@pytest_twisted.ensureDeferred
async def test_mobiles_are_registered_and_taken_off(api: ApiWorld) -> None:
    """With an event for each change, and none for what is so already."""
    token = api.token(*ALL, utility=KERMAN)
    await api.send("/subscribers", token, {"rows": NEW["subscribers"]})
    rows = [
        {"number": "77001", "mobile": "09131234567"},
        {"number": "۷۷٠٠2\u200c ", "mobile": "۰۹۱۳۱۲۳۴۵۶۷"},
        {"number": "77001", "mobile": "09121111111", "registered": False},
        {"number": "5", "mobile": "09131234567"},
    ]
    said = (await api.send("/contacts", token, {"rows": rows})).json
    assert (said["added"], said["removed"]) == (1, 1)
    assert [each["pointer"] for each in said["errors"]] == ["/rows/3/number"]
    query = select(events.c.kind).order_by(events.c.id)
    told = api.database.read("events", lambda c: list(c.scalars(query)))
    assert told == ["mobile_registered", "mobile_removed"]
    shown = (await api.read("/subscribers/77001", token)).json
    assert shown["mobiles"] == ["989131234567"]


@pytest.mark.parametrize("path", ["/subscribers", "/contacts"])
@pytest_twisted.ensureDeferred
async def test_more_rows_than_a_batch_waits_for_are_refused(path: str, api: ApiWorld) -> None:
    """Five hundred in a request."""
    token = api.token(*ALL, utility=KERMAN)
    rows = [{"number": "1", "mobile": []}] * 501
    assert "/rows" in (await api.send(path, token, {"rows": rows})).pointers
