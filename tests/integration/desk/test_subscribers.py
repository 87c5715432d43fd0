"""Subscribers on the desk: found, shown as far as one may, their mobiles, and duplicate bills."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import update

from core.database import Database
from core.demo import fill
from core.secrecy import Keys
from core.subscribers import names as subscriber_names
from core.tables import bills, contacts, events, payments, readings, requests, subscribers, users
from gateway.web.desk import subscriber_pages
from tests.desks import KERMAN, LORESTAN

MOBILE, OTHER = "989131234567", "989131234568"
WHOLE = "۰۹۱۳۱۲۳۴۵۶۷"


@pytest.fixture
def database(sqlite_database: Database, keys: Keys) -> Database:
    """Three subscriptions of each of two utilities; searches are tested on both engines."""
    for utility in (KERMAN, LORESTAN):
        fill(sqlite_database, keys, subscribers=3, today=date(2026, 9, 21), utility=utility)
    return sqlite_database


def first(desk: Any, utility: str = KERMAN) -> Any:
    """A subscription."""
    rows = [row for row in desk.rows(subscribers) if row.utility == utility]
    return min(rows, key=lambda row: row.number)


def named(desk: Any, row: Any, **values: Any) -> None:
    """Give it a name and so on."""
    desk.database.transact(
        "name",
        lambda c: c.execute(update(subscribers).where(subscribers.c.id == row.id).values(**values)),
    )


def register(desk: Any, row: Any, mobile: str = MOBILE) -> None:
    """A mobile of a subscription, and of no other."""
    values = {"utility": row.utility, "mobile": mobile, "subscriber_id": row.id}
    desk.add(contacts, {**values, "source": "import", "created_at": 1})


@pytest_twisted.ensureDeferred
async def test_a_subscriber_is_found_by_whatever_names_it(desk: Any) -> None:
    """Numbers in any digits open it at once; words of a name list it, masked; nobody else's."""
    row, far = first(desk), first(desk, LORESTAN)
    named(desk, row, name="علی‌رضا ۵٪_رضایی", meter_serial="AB-77001")
    named(desk, far, name="علی‌رضا دورافتاده")
    register(desk, row)
    boss = desk.person("operator", name="boss", utility=KERMAN)
    page = f"/desk/subscribers/{row.id}"
    for said in (row.number, "۰" + "۹۱۳۱۲۳۴۵۶۷", "+98 913 123 4567", row.bill_id, "AB-77001"):
        found = await desk.get("/subscribers", boss, params={"q": said})
        assert (found.code, found.location) == (303, page), said
    for said in ("علیرضا", "رضایی", "رضايي علي", "٪_"):
        found = await desk.get("/subscribers", boss, params={"q": said})
        assert page in found.links, said
        assert f"/desk/subscribers/{far.id}" not in found.links
        assert "رضایی" not in found.text.replace(said, "")
    for said in ("%", "ا", "' OR 1=1 --", far.number, "09139999999"):
        found = await desk.get("/subscribers", boss, params={"q": said})
        assert found.code in (200, 422)
        assert not [link for link in found.links if "/subscribers/" in link], said
    assert (await desk.get(f"/subscribers/{far.id}", boss)).code == 404
    assert (await desk.get("/subscribers?q=x&utility=lorestan-water", boss)).code == 422
    assert desk.audited() == []
    asked = {"q": "رضایی", "full": "1"}
    assert "علی‌رضا" in (await desk.get("/subscribers", boss, params=asked)).text
    assert [each.object for each in desk.audited()] == [f"subscriber:{row.id}"]
    viewer = desk.person("viewer")
    assert "علی‌رضا" not in (await desk.get("/subscribers", viewer, params=asked)).text
    assert len(desk.audited()) == 1


@pytest_twisted.ensureDeferred
async def test_a_search_by_name_stops_and_says_how_to_go_on(desk: Any, monkeypatch: Any) -> None:
    """However many subscriptions there are: older ones are looked through when that is asked."""
    row = first(desk)
    named(desk, row, name="علی‌رضا نژاد")
    boss = desk.person("operator", name="boss", utility=KERMAN)
    monkeypatch.setattr(subscriber_names, "PIECE", 1)
    monkeypatch.setattr(subscriber_pages, "MOST", 2)
    page, steps = "/subscribers?q=نژاد", 0
    while True:
        found = await desk.get(page, boss)
        ahead = [link for link in found.links if "before=" in link]
        if f"/desk/subscribers/{row.id}" in found.links:
            break
        assert "شماره اشتراک" in found.text
        assert len(ahead) == 1
        page, steps = ahead[0].removeprefix("/desk"), steps + 1
    assert steps > 0


@pytest_twisted.ensureDeferred
async def test_one_is_shown_as_far_as_the_visitor_may(desk: Any) -> None:
    """What is personal by permission, each look audited; records by the permission for each."""
    row = first(desk)
    named(desk, row, name="زهرا کرمانی", address="خیابان شریعتی ۱۲ <script>x</script>")
    register(desk, row)
    paid = {"utility": KERMAN, "subscriber_id": row.id, "amount": 77_000, "channel": "atm"}
    desk.add(payments, {**paid, "paid_at": desk.now_ms(), "reference": "r-1"})
    boss, viewer = desk.person("operator", name="boss"), desk.person("viewer")
    page = await desk.get(f"/subscribers/{row.id}", boss)
    for words in (
        "زهرا کرمانی",
        "خیابان شریعتی",
        WHOLE,
        "مانده بدهی",
        "۷۷٬۰۰۰",
        "خودپرداز",
        "المثنی",
    ):
        assert words in page.text, words
    assert b"<script>" not in page.body
    page = await desk.get(f"/subscribers/{row.id}", viewer)
    assert page.code == 200
    for words in ("زهرا", "شریعتی", WHOLE):
        assert words not in page.text, words
    assert row.number not in page.body.decode()
    assert "/contacts" not in page.body.decode()
    counter = desk.person("counter")
    page = await desk.get(f"/subscribers/{row.id}", counter)
    assert "زهرا کرمانی" in page.text
    assert "۷۷٬۰۰۰" not in page.text  # payments are not for counter offices
    assert (await desk.get("/subscribers/999999", boss)).code == 404
    seen = [(each.who, each.action, each.object) for each in desk.audited()]
    assert seen == [(who, "subscriber.see", f"subscriber:{row.id}") for who in ("boss", "counter")]


@pytest_twisted.ensureDeferred
async def test_mobiles_are_registered_by_the_rules_of_texting(desk: Any) -> None:
    """Once; beside another when it is said again, of this very mobile; each is an event."""
    row = first(desk)
    desk.database.transact(
        "none", lambda c: c.execute(contacts.delete().where(contacts.c.subscriber_id == row.id))
    )
    boss, counter = desk.person("operator", name="boss"), desk.person("counter")
    path = f"/subscribers/{row.id}/contacts"

    def mobiles() -> list[str]:
        return [each.mobile for each in desk.rows(contacts) if each.subscriber_id == row.id]

    assert (await desk.post(path, counter, {"mobile": MOBILE})).code == 403
    page = await desk.post(path, boss, {"mobile": "12"})
    assert page.code == 422
    assert "شماره همراه را مانند" in page.text
    assert (await desk.post(path, boss, {"mobile": WHOLE})).code == 303
    page = await desk.post(path, boss, {"mobile": MOBILE})
    assert page.code == 422
    assert "برای همین اشتراک ثبت است" in page.text
    page = await desk.post(path, boss, {"mobile": OTHER})
    assert "۱ همراه دیگر" in page.text
    assert mobiles() == [MOBILE]
    (confirmed,) = (attrs["value"] for tag, attrs in page.tags if attrs.get("name") == "confirmed")
    changed = {"mobile": "09131234569", "confirmed": confirmed}
    assert "همراه دیگر" in (await desk.post(path, boss, changed)).text
    fields = {"mobile": OTHER, "confirmed": confirmed}
    assert (await desk.post(path, boss, fields)).code == 303
    assert mobiles() == [MOBILE, OTHER]
    key = next(each.id for each in desk.rows(contacts) if each.mobile == OTHER)
    far = first(desk, LORESTAN)
    assert (await desk.post(f"/subscribers/{far.id}/contacts/{key}/remove", boss)).code == 404
    assert (await desk.post(f"{path}/{key}/remove", boss)).code == 303
    assert (await desk.post(f"{path}/{key}/remove", boss)).code == 404
    assert mobiles() == [MOBILE]
    happened = [each.kind for each in desk.rows(events) if each.subscriber_id == row.id]
    assert happened == ["mobile_registered", "mobile_registered", "mobile_removed"]
    acts = [each for each in desk.audited() if each.action != "subscriber.see"]
    assert [each.action.split(".")[1] for each in acts] == [
        "contact_add", "contact_add", "contact_remove"
    ]  # fmt: skip
    assert MOBILE[-7:] not in str(acts)


@pytest_twisted.ensureDeferred
async def test_a_duplicate_bill_says_how_it_is_paid(desk: Any) -> None:
    """Both IDs and the digits of the barcode; what became of it since; masked for a viewer."""
    row = first(desk)
    own = sorted(
        (each for each in desk.rows(bills) if each.subscriber_id == row.id),
        key=lambda each: each.issued_at,
    )
    old, last = own[-2], own[-1]
    boss, viewer = desk.person("counter", name="boss"), desk.person("viewer")
    page = await desk.get(f"/bills/{last.id}", boss)
    assert last.bill_id.zfill(13) + last.payment_id.zfill(13) in page.text
    assert 'class="bars"' in page.body.decode()
    assert "مبلغ این دوره" in page.text
    assert "قبض دیگری صادر شده" not in page.text
    assert "قبض دیگری صادر شده" in (await desk.get(f"/bills/{old.id}", boss)).text
    page = await desk.get(f"/bills/{last.id}", viewer)
    assert page.code == 200
    assert last.bill_id not in page.body.decode()
    assert 'class="bars"' not in page.body.decode(), "a bar code says what is masked"
    far = desk.person("operator", name="far", utility=LORESTAN)
    assert (await desk.get(f"/bills/{last.id}", far)).code == 404
    paid = {"utility": KERMAN, "subscriber_id": row.id, "amount": 10**12, "channel": "atm"}
    desk.add(payments, {**paid, "paid_at": desk.now_ms(), "reference": "r-1"})
    assert "بستانکار" in (await desk.get(f"/bills/{last.id}", boss)).text
    assert {each.object for each in desk.audited()} == {f"bill:{old.id}", f"bill:{last.id}"}


@pytest_twisted.ensureDeferred
async def test_a_reading_is_registered_by_the_rules_of_texting(desk: Any) -> None:
    """Below the last one never, far too much when it is said again, and with a bill if wanted."""
    row = first(desk)
    counter = desk.person("counter")
    path = f"/subscribers/{row.id}/readings"

    def newest() -> Any:
        mine = (each for each in desk.rows(readings) if each.subscriber_id == row.id)
        return max(mine, key=lambda each: each.read_at)

    last = newest()
    desk.now_ms.ms = last.read_at + 30 * 86_400_000
    for figure, words in (
        (last.reading - 1, "از رقم پیشین"),
        (123456, "رقم دارد"),
        ("x", "عدد بنویسید"),
        ("", "این خانه را پر کنید"),
    ):
        page = await desk.post(path, counter, {"figure": figure, "newest": last.id})
        assert page.code == 422, figure
        assert words in page.text, figure
    much = {"figure": last.reading + 5_000, "newest": last.id, "reading_mobile": "09131234567"}
    page = await desk.post(path, counter, much)
    assert "بسیار بیش از معمول" in page.text
    assert (newest().state, newest().source) == ("unconfirmed", "desk")
    assert (await desk.post(path, counter, much)).code == 409
    assert newest().state == "unconfirmed"
    desk.now_ms.advance(60)
    again = {**much, "newest": newest().id}
    assert (await desk.post(path, counter, again)).code == 303
    assert (newest().state, newest().mobile) == ("doubtful", MOBILE)
    desk.now_ms.advance(60)
    fields = {"figure": last.reading + 20, "newest": newest().id, "bill": "1"}
    assert (await desk.post(path, counter, fields)).code == 303
    assert (newest().reading, newest().state, newest().mobile) == (
        last.reading + 20, "accepted", None
    )  # fmt: skip
    (made,) = (each for each in desk.rows(bills) if each.kind == "mid_period")
    assert made.subscriber_id == row.id
    assert (await desk.get(f"/bills/{made.id}", counter)).text.count("آبونمان") >= 1
    assert (await desk.post(path, desk.person("viewer"), fields)).code == 403
    far = desk.person("operator", name="far", utility=LORESTAN)
    assert (await desk.post(path, far, fields)).code == 404
    acts = [each.details for each in desk.audited() if each.action == "reading.register"]
    assert [each["outcome"] for each in acts][-3:] == ["confirm_reading", "done", "done"]


@pytest_twisted.ensureDeferred
async def test_an_office_sees_its_own_requests_alone(desk: Any) -> None:
    """As on the pages about requests."""
    row = first(desk)
    for place, office in enumerate(("dez", "kuh"), 1):
        asked = {
            "id": place, "utility": KERMAN, "tracking": f"77{place}77", "kind": "other",
            "state": "registered", "subscriber_id": row.id, "fields": "{}", "source": "counter",
            "office": office, "created_at": place, "changed_at": place,
        }  # fmt: skip
        desk.add(requests, asked)
    counter = desk.person("counter")
    for office, seen in (("", {"۷۷۱۷۷", "۷۷۲۷۷"}), ("dez", {"۷۷۱۷۷"})):
        mine = users.c.id == counter.user.id
        desk.database.transact(
            "office", lambda c, o=office, m=mine: c.execute(update(users).where(m).values(office=o))
        )
        page = await desk.get(f"/subscribers/{row.id}", counter)
        assert {each for each in ("۷۷۱۷۷", "۷۷۲۷۷") if each in page.text} == seen
