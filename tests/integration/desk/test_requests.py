"""Requests at the desk: an office and the utility, each with what is theirs."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import pytest
import pytest_twisted

from core import demo
from core.access.permissions import Permission
from core.demo import number_of
from core.requests.changes import move
from core.requests.counter import Counter
from core.requests.documents import MOST_BYTES
from core.requests.kinds import Door, FieldType, Words
from core.requests.states import RequestState
from core.secrecy import Keys
from core.tables import (
    contacts,
    events,
    request_documents,
    request_history,
    request_messages,
    requests,
    subscribers,
)
from gateway.web.desk import lists
from gateway.web.desk.texts import Texts
from tests.desks import KERMAN, LORESTAN

MOBILE = "09131234567"
CODE = "0499370899"
NEW = f"/requests/new/{LORESTAN}"
SAMPLES = {
    FieldType.TEXT: "خرم‌آباد",
    FieldType.NUMBER: "۲",
    FieldType.NATIONAL_CODE: CODE,
    FieldType.MOBILE: "۰۹۱۳ ۱۲۳ ۴۵۶۷",
    FieldType.SUBSCRIPTION: "20000003",
    FieldType.READING: "1520",
    FieldType.METER_SERIAL: "500001",
    FieldType.BILL_ID: "2050327604613",
    FieldType.DATE: "۱۴۰۴/۵/۳",
}
CANCELLATION = {
    "number": "20000001", "field_bill_id": "2050327604613", "mobile": MOBILE, "text": "دو بار",
}  # fmt: skip


class People:
    """An office, another one, and the utility's staff."""

    def __init__(self, desk: Any) -> None:
        self.office = desk.person("counter", name="khorram", utility=LORESTAN, office="خرم‌آباد ۷")
        self.other = desk.person("counter", name="azna", utility=LORESTAN, office="ازنا")
        self.staff = desk.person("operator", name="staff", utility=LORESTAN)
        self.kerman = desk.person("operator", name="kerman", utility=KERMAN)
        self.viewer = desk.person("viewer", name="viewer")
        self.boss = desk.person("administrator", name="boss", language="en")


@pytest.fixture
def people(desk: Any, keys: Keys) -> People:
    """Lorestan with a few subscribers."""
    demo.fill(desk.database, keys, today=date(2026, 9, 1), utility=LORESTAN, subscribers=6)
    assert number_of(1, LORESTAN) == "20000001"
    return People(desk)


def hidden(page: Any, name: str) -> str:
    """What a hidden field carries."""
    found = [attrs for tag, attrs in page.tags if tag == "input" and attrs.get("name") == name]
    return str(found[0]["value"])


async def registered(desk: Any, who: Any, kind: str, data: Any) -> str:
    """Register something; the path of its page."""
    form = await desk.get(f"{NEW}/{kind}", who)
    done = await desk.post(f"{NEW}/{kind}", who, {**data, "once": hidden(form, "once")})
    assert done.code == 303, done.text
    return str(done.location.removeprefix("/desk"))


@pytest_twisted.ensureDeferred
async def test_an_office_and_the_utility_work_on_a_request(desk: Any, people: People) -> None:
    """Registered once, written about, decided; each act is told of, and in the audit log."""
    form = await desk.get(f"{NEW}/bill_cancellation", people.office)
    sent = {**CANCELLATION, "once": hidden(form, "once")}
    paths = {
        (await desk.post(f"{NEW}/bill_cancellation", people.office, sent)).location
        for _ in range(2)
    }
    assert len(paths) == 1
    path = paths.pop().removeprefix("/desk")
    (row,) = desk.rows(requests)
    assert (row.office, row.mobile, row.source) == ("خرم‌آباد ۷", "989131234567", "counter")
    page = await desk.get(path, people.staff)
    say = {"message": "اصل قبض را بفرستید.", "after": hidden(page, "after")}
    assert (await desk.post(f"{path}/message", people.staff, say)).code == 303
    assert (await desk.post(f"{path}/message", people.staff, say)).code == 303
    assert len(desk.rows(request_messages)) == 1
    # It waits for its office alone, on every page, until that opens it.
    for who, waits in ((people.office, 1), (people.other, 0), (people.staff, 0)):
        nav = await desk.get("/account", who)
        assert ("خوانده نشده" in nav.text) is bool(waits)
        assert ("اصل قبض" in (await desk.get("/box", who)).text) is bool(waits)
    late = {"message": "نه", "after": "0"}
    refused = await desk.post(f"{path}/message", people.office, late)
    assert refused.code == 422
    assert "پیام دیگری رسیده" in refused.text
    assert "خوانده نشده" not in (await desk.get("/account", people.office)).text
    page = await desk.get(path, people.office)
    assert "اصل قبض را بفرستید" in page.text
    answer = {"message": "پیوست شد", "after": hidden(page, "after")}
    assert (await desk.post(f"{path}/message", people.office, answer)).code == 303
    assert "پیوست شد" in (await desk.get("/box", people.staff)).text
    page = await desk.get(path, people.staff)
    decided = {"state": "done", "note": "قبض باطل شد", "as_of": hidden(page, "as_of")}
    assert (await desk.post(f"{path}/state", people.staff, decided)).code == 303
    again = await desk.post(f"{path}/state", people.staff, {**decided, "state": "rejected"})
    assert again.code == 422  # nothing follows
    assert [row.kind for row in desk.rows(events)] == ["request_registered", "request_changed"]
    acts = [each.action for each in desk.audited() if each.action != "request.see"]
    assert acts == ["request.register", "request.message", "request.message",
                    "request.message", "request.decide"]  # fmt: skip
    receipt = await desk.get(f"{path}/print", people.office)
    assert "انجام شده" in receipt.text
    assert "پیگیری" in receipt.text


@pytest_twisted.ensureDeferred
async def test_whose_request_it_is(desk: Any, people: People) -> None:
    """Another office and another utility find nothing; a viewer sees masks and changes nothing."""
    path = await registered(desk, people.office, "bill_cancellation", CANCELLATION)
    (row,) = desk.rows(requests)
    for who in (people.other, people.kerman):
        for page in (path, f"{path}/print", f"{path}/edit"):
            assert (await desk.get(page, who)).code == 404
        for act in ("edit", "cancel", "state", "fee", "message"):
            data = {"message": "x", "state": "done", "amount": "1000", "act": "voucher"}
            assert (await desk.post(f"{path}/{act}", who, data)).code in {403, 404}, act
        listed = await desk.get(f"/requests?tracking={row.tracking}", who)
        assert path not in " ".join(listed.links)
    assert (await desk.get(f"{NEW}/bill_cancellation", people.kerman)).code == 404
    assert (await desk.get(f"{NEW}/mid_bill", people.office)).code == 404  # answered at once
    assert path in " ".join((await desk.get("/requests?office=ازنا&", people.office)).links)
    page = await desk.get(path, people.viewer)
    assert "۲۰۰۰۰۰۰۱" not in page.text
    assert "۴۵۶۷" in page.text
    assert "۱۲۳۴۵۶۷" not in page.text
    assert [
        tag for tag, attrs in page.tags if attrs.get("action", "").startswith(f"/desk{path}")
    ] == []
    page = await desk.get(path, people.office)
    assert "۲۰۰۰۰۰۰۱" in page.text
    looks = [each for each in desk.audited() if each.action == "request.see"]
    assert [(each.who, each.object) for each in looks] == [("khorram", f"request:{row.tracking}")]
    user = people.other.user
    moved = {
        "title": user.title, "language": "fa", "office": "خرم‌آباد  7",
        "held": f"{user.held[0].role_id}:{LORESTAN}",
    }  # fmt: skip
    assert (await desk.post(f"/users/{user.id}", people.boss, moved)).code == 303
    assert (await desk.get(path, people.other)).code == 200
    blind = desk.person(name="blind", permissions={Permission.REQUEST_SEE, Permission.REQUEST_EDIT})
    assert (await desk.get(f"{path}/edit", blind)).code == 403


@pytest_twisted.ensureDeferred
async def test_what_is_wrong_stands_beside_its_field(desk: Any, people: People) -> None:
    """In both languages; nothing is stored; what was typed is there still."""
    right = {
        "field_national_code": CODE, "field_mobile": MOBILE, "field_neighbour": "20000003",
        "field_property": "یک خانه", "agreed": "1",
    }  # fmt: skip
    for wrong, field in (
        ({"field_national_code": "0499370898"}, "field_national_code"),
        ({"field_mobile": "123"}, "field_mobile"),
        ({"field_neighbour": "29999999"}, "field_neighbour"),
        ({"field_neighbour": "x"}, "field_neighbour"),
        ({"field_property": ""}, "field_property"),
        ({"field_units": "0"}, "field_units"),
        ({"agreed": ""}, "agreed"),
    ):
        page = await desk.post(f"{NEW}/water_connection", people.office, {**right, **wrong})
        assert page.code == 422
        assert f'id="{field}-error"'.encode() in page.body, (wrong, page.text)
        assert "یک خانه" in page.body.decode() or field == "field_property"
    for wrong, field in (
        ({"number": "29999999"}, "number"),
        ({"number": ""}, "number"),
        ({"text": ""}, "text"),
        ({"mobile": "09"}, "mobile"),
    ):
        page = await desk.post(f"{NEW}/bill_cancellation", people.boss, {**CANCELLATION, **wrong})
        assert page.code == 422
        assert f'id="{field}-error"'.encode() in page.body, (wrong, page.text)
    assert desk.rows(requests) == []
    for question in ("tracking=123", "state=x", "kind=x", "mobile=1", "since=1", "before=x"):
        assert (await desk.get(f"/requests?{question}", people.boss)).code == 422, question


@pytest_twisted.ensureDeferred
async def test_an_english_page_has_english_titles(desk: Any, people: People) -> None:
    """Of kinds and of what they ask for, wherever they stand; Persian ones stay as printed."""
    path = await registered(desk, people.staff, "bill_cancellation", CANCELLATION)
    pages = (NEW.removesuffix(f"/{LORESTAN}"), f"{NEW}/bill_cancellation", "/requests", path)
    for page in (*pages, f"{path}/print", f"{path}/edit"):
        english = (await desk.get(page, people.boss)).text
        assert "Cancellation of a bill" in english, page
        assert "ابطال صورتحساب" not in english, page
        assert "ابطال صورتحساب" in (await desk.get(page, people.staff)).text, page
    assert "Bill ID" in (await desk.get(path, people.boss)).text


@pytest_twisted.ensureDeferred
async def test_an_applicant_is_looked_up_before_anything_is_registered(
    desk: Any, people: People, keys: Keys
) -> None:
    """By whatever names the subscription; each look audited; the rest of the form stays."""
    demo.fill(desk.database, keys, today=date(2026, 9, 1), utility=KERMAN, subscribers=1)
    mine, next_one = desk.rows(subscribers)[:2]
    assert mine.number == "20000001"
    path = f"{NEW}/bill_cancellation"
    desk.database.transact("bare", lambda connection: connection.execute(contacts.delete()))
    whose = {"utility": LORESTAN, "mobile": "989131234567", "source": "import", "created_at": 1}
    desk.add(contacts, {**whose, "subscriber_id": mine.id})
    for said in ("۲۰۰۰۰۰۰۱", mine.bill_id, "0913 123 4567"):
        typed = {"number": said, "text": "دو بار", "do": "look"}
        page = await desk.post(path, people.office, typed)
        assert page.code == 200
        assert mine.name in page.text
        assert mine.address in page.text
        assert "دو بار" in page.text
        assert [hidden(page, name) for name in ("number", "mobile")] == [mine.number, MOBILE]
    seen = [each for each in desk.audited() if each.action == "subscriber.see"]
    assert {each.object for each in seen} == {f"subscriber:{mine.id}"}
    assert len(seen) == 3
    assert mine.name in (await desk.get(f"{path}?number=20000001", people.office)).text
    desk.add(contacts, {**whose, "subscriber_id": next_one.id})
    page = await desk.post(path, people.office, {"number": MOBILE, "do": "look"})
    assert page.code == 422
    assert "۲۰۰۰۰۰۰۲" in page.text
    for said in ("", "29999999", str(number_of(1, KERMAN)), mine.name):
        page = await desk.post(path, people.office, {"number": said, "do": "look"})
        assert page.code == 422
        assert b'id="number-error"' in page.body
    may = {Permission.REQUEST_REGISTER, Permission.SUBSCRIBER_SEE}
    blind = desk.person(name="blind", permissions=may)
    page = await desk.post(path, blind, {"number": mine.number, "do": "look"})
    assert page.code == 200
    assert mine.name not in page.text
    assert (await desk.post(path, blind, {"number": mine.bill_id, "do": "look"})).code == 422
    nobody = desk.person(name="nobody", permissions={Permission.REQUEST_REGISTER})
    assert (await desk.post(path, nobody, {"number": mine.number, "do": "look"})).code == 404
    assert b'value="look"' not in (await desk.get(path, nobody)).body
    assert desk.rows(requests) == []


@pytest_twisted.ensureDeferred
async def test_a_request_is_edited_until_the_company_is_at_work_on_it(
    desk: Any, people: People
) -> None:
    """By its office; two who edit at once do not write over each other; then it is closed."""
    path = await registered(desk, people.office, "bill_cancellation", CANCELLATION)
    page = await desk.get(f"{path}/edit", people.office)
    sent = {**CANCELLATION, "as_of": hidden(page, "as_of")}
    assert (await desk.post(f"{path}/edit", people.office, sent)).code == 303  # nothing new
    assert len(desk.rows(request_history)) == 1
    sent["text"] = "سه بار"
    assert (await desk.post(f"{path}/edit", people.office, {**sent, "text": ""})).code == 422
    desk.now_ms.advance(1)
    assert (await desk.post(f"{path}/edit", people.office, sent)).code == 303
    assert (await desk.post(f"{path}/edit", people.staff, {**sent, "text": "x"})).code == 409
    (row,) = desk.rows(requests)
    assert (row.text, row.mobile) == ("سه بار", "989131234567")
    (entry,) = [each for each in desk.audited() if each.action == "request.edit"]
    assert entry.details == {"fields": ["text"]}
    page = await desk.get("/requests?editable=1", people.office)
    assert path in " ".join(page.links)
    profile = desk.means.profiles[LORESTAN]
    counter = Counter(LORESTAN, profile.terms.services, desk.means.ids, "x", desk.now_ms())
    desk.database.transact("move", move, counter, row.tracking, RequestState.OPERATIONAL)
    assert (await desk.get(f"{path}/edit", people.office)).code == 409
    stale = {"as_of": str(counter.now), "cancel_note": "پشیمان شد"}
    assert (await desk.post(f"{path}/cancel", people.office, stale)).code == 422
    assert path not in " ".join((await desk.get("/requests?editable=1", people.office)).links)


@pytest_twisted.ensureDeferred
async def test_a_fee_is_told_its_voucher_issued_and_the_request_given_up(
    desk: Any, people: People
) -> None:
    """The voucher is on the receipt; once it is given up it is paid no more."""
    asked = {"number": "20000002", "mobile": MOBILE, "text": "نام مالک"}
    path = await registered(desk, people.office, "contract_correction", asked)
    for wrong, field in (("2500001", "amount"), ("", "amount"), ("۹" * 12 + "000", "amount")):
        data = {"amount": wrong, "act": "voucher"}
        page = await desk.post(f"{path}/fee", people.staff, data)
        assert page.code == 422
        assert f'id="{field}-error"'.encode() in page.body
    for act in ("announce", "voucher"):
        data = {"amount": "۲٬۵۰۰٬۰۰۰", "act": act}
        assert (await desk.post(f"{path}/fee", people.staff, data)).code == 303
    (row,) = desk.rows(requests)
    assert (row.state, row.fee, row.account) == (
        "voucher_issued", 2_500_000, "IR120170000000100034122001",
    )  # fmt: skip
    page = await desk.get(f"{path}/print", people.office)
    for figure in ("2500000", row.bill_id, row.payment_id):
        assert figure in re.sub("٬", "", desk_digits(page.text))
    as_of = hidden(await desk.get(path, people.office), "as_of")
    given_up = {"cancel_note": "پشیمان شد", "as_of": as_of}
    assert (await desk.post(f"{path}/cancel", people.office, given_up)).code == 303
    (row,) = desk.rows(requests)
    assert (row.state, row.payment_id) == ("cancelled", None)
    assert "پشیمان شد" in (await desk.get(path, people.staff)).text


def desk_digits(text: str) -> str:
    """A page's text with ASCII digits."""
    return text.translate({ord("۰") + place: str(place) for place in range(10)})


@pytest_twisted.ensureDeferred
async def test_every_kind_of_a_counter_has_a_form_that_registers_it(
    desk: Any, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of Lorestan's, filled in as its fields say; the list goes on page by page."""
    desk.frame._limiter._most = 1_000_000
    services = desk.means.profiles[LORESTAN].terms.services
    offered = [each for each in services.kinds.values() if Door.COUNTER in each.doors]
    chosen = await desk.get("/requests/new", people.office)
    for kind in offered:
        assert f"/desk{NEW}/{kind.key}" in chosen.links
        data = {
            f"field_{field.name}": field.choices[0] if field.choices else SAMPLES[field.type]
            for field in kind.fields
        }
        if kind.about != "none":
            data["number"] = "20000001"
        if kind.words is not Words.NONE:
            data["text"] = "شرح آن"
        path = await registered(desk, people.office, kind.key, {**data, "agreed": "1"})
        page = await desk.get(f"{path}/edit", people.office)
        assert page.code == 200
        for field in kind.fields:
            if field.type is FieldType.DATE:
                assert 'value="1404/05/03"' in page.body.decode()
    assert len(desk.rows(requests)) == len(offered)
    monkeypatch.setattr(lists, "ROWS", 10)
    seen, address = [], "/requests"
    while address:
        page = await desk.get(address, people.boss)
        seen += [each for each in page.links if re.fullmatch(r"/desk/requests/\d+", each)]
        more = [each for each in page.links if "before=" in each]
        address = more[-1].removeprefix("/desk") if more else ""
    assert len(seen) == len(set(seen)) == len(offered)


@pytest_twisted.ensureDeferred
async def test_papers_are_kept_with_a_request_and_handed_out(desk: Any, people: People) -> None:
    """By what they begin with; once; as files alone; while the request may be edited."""
    path = await registered(desk, people.office, "bill_cancellation", CANCELLATION)
    files = path.replace("/requests/", "/request-files/")
    picture = b"\x89PNG\r\n\x1a\n" + bytes(70_000)

    async def send(who: Any, name: str, content: bytes) -> Any:
        sent = {"file": (name, io.BytesIO(content))}
        return await desk.post(files, who, files=sent)

    for content in (b"<html><script>alert(1)</script>", b"", b"%PDF-" + bytes(MOST_BYTES)):
        page = await send(people.office, "a.png", content)
        assert page.code == 422
        assert b'id="file-error"' in page.body
    assert (await desk.post(files, people.office)).code == 422
    assert (await send(people.other, "a.png", picture)).code == 404
    assert (await send(people.viewer, "a.png", picture)).code == 403
    for _ in range(2):
        evil = '../../"<script>\r\nX-Evil: سند.png'
        assert (await send(people.office, evil, picture)).code == 303
    (row,) = desk.rows(request_documents)
    assert (row.kind, row.size, row.by) == ("image/png", len(picture), "khorram")
    assert not set(row.name) & set('/<>"\r\n')
    own = f"{files}/{row.id}"
    for who in (people.office, people.staff):
        page = await desk.get(own, who)
        assert (page.code, page.body) == (200, picture)
        assert page.header("content-disposition").startswith("attachment;")
        assert page.header("x-evil") == ""
        assert own in " ".join((await desk.get(path, who)).links)
    assert "request.file" in {each.action for each in desk.audited()}
    for who, code in ((people.other, 404), (people.kerman, 404), (people.viewer, 403)):
        assert (await desk.get(own, who)).code == code
    assert own not in " ".join((await desk.get(path, people.viewer)).links)
    assert (await desk.post(f"{own}/remove", people.office)).code == 303
    assert (await desk.post(f"{own}/remove", people.office)).code == 409
    decided = {"state": "done", "as_of": hidden(await desk.get(path, people.staff), "as_of")}
    assert (await desk.post(f"{path}/state", people.staff, decided)).code == 303
    assert (await send(people.office, "a.png", picture)).code == 409
    assert desk.rows(request_documents) == []


def test_every_mistake_has_words() -> None:
    """Whatever a field's check calls its mistake."""
    texts = Texts()
    for kind in FieldType:
        assert texts.has(f"requests.wrong.{kind}")
    for state in RequestState:
        assert texts.has(f"requests.state_is.{state}")
