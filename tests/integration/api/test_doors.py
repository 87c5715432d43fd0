"""Other systems do what subscribers and offices do: operations, events, requests, webhooks."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import date
from typing import Any

import pytest
import pytest_twisted
from sqlalchemy import func, select

from core.access.permissions import Permission
from core.demo import FIRST_NUMBER, code_of, fill
from core.production import run
from core.requests.documents import MOST_BYTES
from core.secrecy import Keys
from core.tables import (
    audit,
    code_failures,
    contacts,
    event_keys,
    events,
    readings,
    subscribers,
)
from core.webhooks.store import PURPOSE, list_webhooks
from tests.apis import ApiWorld
from tests.desks import KERMAN, LORESTAN
from tests.happening import in_use, press, texts

P = Permission
NUMBER = str(FIRST_NUMBER)
CODE = code_of(FIRST_NUMBER)
MOBILE = "09139999999"


@pytest.fixture
def people(api: ApiWorld, keys: Keys) -> ApiWorld:
    """Kerman with a few subscribers."""
    fill(api.database, keys, today=date(2026, 9, 1), subscribers=3)
    return api


def _count(api: ApiWorld, table: Any) -> int:
    query = select(func.count()).select_from(table)
    return api.database.read("count", lambda connection: connection.scalar(query)) or 0


def _audited(api: ApiWorld, action: str) -> list[tuple[str, dict[str, Any]]]:
    query = select(audit.c.object, audit.c.details).where(audit.c.action == action)
    rows = api.database.read("audit", lambda c: c.execute(query.order_by(audit.c.id)).all())
    return [(row.object, json.loads(row.details)) for row in rows]


def _id_of(api: ApiWorld) -> int:
    """Of the subscription: what the desk and commands write down too."""
    mine = (subscribers.c.utility == KERMAN) & (subscribers.c.number == NUMBER)
    query = select(subscribers.c.id).where(mine)
    found: int = api.database.read("id", lambda c: c.execute(query).scalar_one())
    return found


async def _run(api: ApiWorld, token: str, name: str, **said: Any) -> Any:
    return await api.send(f"/operations/{name}", token, said)


# --- operations ---------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_an_operation_is_run_for_who_has_a_right_to_it(people: ApiWorld) -> None:
    """By the code, by a registered mobile, or vouched for; the words are the utility's own."""
    api = people
    token = api.token(P.OPERATION_RUN, utility=KERMAN)
    said = (await _run(api, token, "balance", arguments={"number": NUMBER, "code": CODE})).json
    assert (said["outcome"], said["subscription"]) == ("done", NUMBER)
    assert isinstance(said["facts"]["debt"], int)
    assert said["text"]
    without = (await _run(api, token, "balance", arguments={"number": NUMBER})).json
    assert (without["outcome"], without["facts"]) == ("code_needed", {})
    vouched = {"arguments": {"number": NUMBER}, "vouched": True}
    assert (await _run(api, token, "balance", **vouched)).pointers == ["/vouched"]
    trusted = api.token(P.OPERATION_RUN, P.PERSONAL_SEE, utility=KERMAN)
    assert (await _run(api, trusted, "balance", **vouched)).json["facts"] == said["facts"]
    assert _audited(api, "operation.run")[-1] == (
        f"subscriber:{_id_of(api)}",
        {"operation": "balance", "outcome": "done", "vouched": True},
    )
    registered = await _run(
        api, trusted, "register_mobile", mobile=MOBILE,
        arguments={"number": NUMBER, "code": CODE},
    )  # fmt: skip
    if registered.json["outcome"] == "confirm_mobile":
        registered = await _run(
            api, trusted, "register_mobile", mobile=MOBILE,
            arguments={"number": NUMBER, "code": CODE},
        )  # fmt: skip
    assert registered.json["outcome"] == "done"
    source = select(contacts.c.source).where(contacts.c.mobile == "989139999999")
    assert api.database.read("source", lambda c: c.scalar(source)) == "api"
    own = (await _run(api, token, "my_subscriptions", mobile=MOBILE)).json
    assert own["facts"]["rows"] == [{"number": NUMBER}]


@pytest_twisted.ensureDeferred
async def test_codes_cannot_be_guessed_through_the_api(people: ApiWorld) -> None:
    """They lock the subscription, whoever asks."""
    token = people.token(P.OPERATION_RUN, utility=KERMAN)
    guess = {"arguments": {"number": NUMBER, "code": "0000"}}
    outcomes = [(await _run(people, token, "balance", **guess)).json["outcome"] for _ in range(6)]
    assert outcomes[0] == "not_recognised"
    assert outcomes[-1] == "locked_out"
    assert _count(people, code_failures) < 6
    right = {"arguments": {"number": NUMBER, "code": CODE}}
    other = people.token(P.OPERATION_RUN, utility=KERMAN)
    assert (await _run(people, other, "balance", **right)).json["outcome"] == "locked_out"


@pytest_twisted.ensureDeferred
async def test_a_reading_is_taken_once_by_its_key(people: ApiWorld) -> None:
    """It is stored as one that came through the API; sent again it is answered the same."""
    token = people.token(P.OPERATION_RUN, utility=KERMAN)
    before = _count(people, readings)
    body = {"mobile": MOBILE, "arguments": {"number": NUMBER, "code": CODE, "reading": "99999"}}
    key = {"Idempotency-Key": "r1"}
    first = await people.send("/operations/submit_reading", token, body, headers=key)
    again = await people.send("/operations/submit_reading", token, body, headers=key)
    assert first.code == 200
    assert first.json == again.json
    assert _count(people, readings) <= before + 1


CANNOT_BE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("submit_reading", {"mobile": MOBILE}, "/arguments/reading"),
    ("submit_reading", {"arguments": {"reading": "12"}}, "/mobile"),
    ("balance", {"arguments": {"number": "۱۲x"}}, "/arguments/number"),
    ("balance", {"arguments": {"bill_id": "1234567"}}, "/arguments/bill_id"),
    ("balance", {"arguments": {"year": "1404"}}, "/arguments/year"),
    ("balance", {"line": "1"}, "/line"),
    ("bill_history", {"arguments": {"number": "1", "year": "999"}}, "/arguments/year"),
    (
        "register_request",
        {"mobile": MOBILE, "arguments": {"kind": "nothing", "text": "x"}},
        "/arguments/kind",
    ),
)


@pytest_twisted.ensureDeferred
async def test_what_an_operation_cannot_take_is_pointed_at(api: ApiWorld) -> None:
    """Before anything is looked up."""
    token = api.token(P.OPERATION_RUN, utility=KERMAN)
    for name, said, pointer in CANNOT_BE:
        refused = await _run(api, token, name, **said)
        assert (refused.code, refused.pointers) == (422, [pointer]), said


@pytest_twisted.ensureDeferred
async def test_operations_are_those_of_the_token_s_utility(people: ApiWorld) -> None:
    """The list says what there is; what is not there is not found."""
    token = people.token(P.OPERATION_RUN, utility=LORESTAN)
    known = {each["name"]: each for each in (await people.read("/operations", token)).json["items"]}
    assert known["submit_reading"]["required"] == ["reading"]
    assert known["opt_out"]["needs_mobile"]
    assert (await _run(people, token, "nothing")).problem == "not-found"
    theirs = {"utility": KERMAN, "arguments": {"number": NUMBER, "code": CODE}}
    assert (await _run(people, token, "balance", **theirs)).problem == "not-found"


# --- events -------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_an_event_is_taken_once_by_its_key(people: ApiWorld) -> None:
    """With its facts as our own events have them; known ones are told to be."""
    token = people.token(P.EVENT_ADD, utility=KERMAN)
    paid = {
        "kind": "payment_booked", "key": "b-1", "number": NUMBER, "mobile": MOBILE,
        "facts": {"amount": 145_000, "paid_at": "2026-09-21T08:00:00+03:30"},
    }  # fmt: skip
    first = await people.send("/events", token, {"events": [paid, paid]})
    assert first.code == 202
    assert [each["new"] for each in first.json["items"]] == [True, False]
    again = await people.send("/events", token, {"events": [{**paid, "facts": {}}]})
    assert again.json["items"] == [first.json["items"][1]]
    assert (_count(people, events), _count(people, event_keys)) == (1, 1)
    row = people.database.read("event", lambda c: c.execute(select(events)).one())
    assert (row.mobile, row.subscriber_id is not None) == ("989139999999", True)
    about = json.loads(row.about)
    assert (about["number"], about["amount"], about["reference"]) == (NUMBER, 145_000, "")
    kinds = (await people.read("/events/kinds", token)).json["items"]
    assert {each["kind"]: each for each in kinds}["payment_booked"]["facts"]["amount"] == "number"


@pytest_twisted.ensureDeferred
async def test_templates_make_their_messages_of_events_told(people: ApiWorld) -> None:
    """As of our own: whom the event names is told."""
    token = people.token(P.EVENT_ADD, utility=KERMAN)
    in_use(people.database)
    facts = {"number": "7", "kind": "period", "payable": 5000}
    issued = {"kind": "bill_issued", "key": "1", "mobile": MOBILE, "facts": facts}
    await people.send("/events", token, {"events": [issued]})
    assert run(people.database, press(people.now_ms), people.now_ms()).events == 1
    assert texts(people.database) == ["7: 5000 1"]


@pytest_twisted.ensureDeferred
async def test_events_with_a_mistake_are_refused_together(people: ApiWorld) -> None:
    """Each mistake is pointed at, and nothing is stored; nor for another utility."""
    token = people.token(P.EVENT_ADD, utility=KERMAN)
    good = {"kind": "bill_issued", "key": "1", "number": NUMBER}
    wrong = [
        good,
        {**good, "facts": {"payabel": 1}},
        {**good, "facts": {"payable": "much", "due": "soon"}},
        {**good, "facts": {"number": True}},
        {**good, "at": "2027-01-01T00:00:00Z"},
        {"kind": "bill_issued", "key": "2"},
        {**good, "facts": {"payable": 10**16}},
        {**good, "facts": {"payable/due": 1}},
    ]
    refused = await people.send("/events", token, {"events": wrong})
    assert refused.pointers == [
        "/events/1/facts/payabel", "/events/2/facts/payable", "/events/3/facts/number",
        "/events/4/at", "/events/5/number", "/events/6/facts/payable",
        "/events/7/facts/payable~1due",
    ]  # fmt: skip
    assert "did you mean 'payable'?" in refused.json["errors"][0]["detail"]
    unknown = await people.send("/events", token, {"events": [good, {**good, "number": "5"}]})
    assert unknown.pointers == ["/events/1/number"]
    theirs = people.token(P.EVENT_ADD, utility=LORESTAN)
    assert (await people.send("/events", theirs, {"events": [good]})).pointers == [
        "/events/0/number"
    ]
    assert (_count(people, events), _count(people, event_keys)) == (0, 0)


# --- requests -----------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_an_office_s_system_registers_and_follows_a_request(people: ApiWorld) -> None:
    """Registered, edited, written about, decided; each act audited; 409 for who saw it before."""
    api = people
    rights = (
        P.REQUEST_SEE, P.REQUEST_REGISTER, P.REQUEST_EDIT, P.REQUEST_DECIDE, P.REQUEST_MESSAGE,
        P.PERSONAL_SEE,
    )  # fmt: skip
    token = api.token(*rights, utility=KERMAN)
    kinds = (await api.read("/requests/kinds", token)).json["items"]
    assert "illegal_connection" in {each["kind"] for each in kinds}
    new = {
        "kind": "illegal_connection", "number": NUMBER, "mobile": MOBILE, "text": "کوچهٔ ۵",
        "office": "دفتر ۱",
    }  # fmt: skip
    made = await api.send("/requests", token, new)
    assert made.code == 201, made.body
    path = f"/requests/{made.json['tracking']}"
    assert (made.json["state"], made.json["source"]) == ("registered", "counter")
    api.now_ms.advance(1)
    edited = await api.call(
        "PATCH", path, token, json={"text": "کوچهٔ ۶", "as_of": made.json["version"]}
    )
    assert edited.json["text"] == "کوچهٔ ۶"
    stale = {"state": "in_review", "as_of": made.json["version"]}
    assert (await api.send(f"{path}/state", token, stale)).problem == "conflict"
    assert (await api.send(f"{path}/state", token, {"state": "paid"})).problem == "conflict"
    decided = await api.send(f"{path}/state", token, {"state": "in_review", "note": "بازدید"})
    assert decided.json["state"] == "in_review"
    written = await api.send(f"{path}/messages", token, {"side": "office", "text": "چه شد؟"})
    assert written.code == 201
    whole = (await api.read(path, token)).json
    assert [step["state"] for step in whole["history"]][-1] == "in_review"
    assert [each["text"] for each in whole["messages"]] == ["چه شد؟"]
    assert {step["by"] for step in whole["history"]} == {"token:t1"}
    listed = (await api.read("/requests", token, params={"office": "دفتر ۱"})).json
    assert [each["tracking"] for each in listed["items"]] == [made.json["tracking"]]
    acts = ["request.register", "request.edit", "request.decide", "request.message"]
    assert [len(_audited(api, act)) for act in acts] == [1, 1, 1, 1]


@pytest_twisted.ensureDeferred
async def test_requests_are_masked_kept_apart_and_checked(people: ApiWorld) -> None:
    """Mistakes are pointed at in both languages."""
    api = people
    token = api.token(P.REQUEST_REGISTER, utility=KERMAN)
    new = {"kind": "illegal_connection", "text": "کوچهٔ ۵", "mobile": MOBILE}
    made = (await api.send("/requests", token, new)).json
    assert (made["source"], made["text"], made["fields"]) == ("api", None, None)
    assert "9999999" not in made["mobile"]
    assert (await api.send("/requests", token, {"kind": "nothing"})).pointers == ["/kind"]
    wordless = await api.send("/requests", token, {"kind": "illegal_connection"})
    assert wordless.pointers == ["/text"]
    assert wordless.json["errors"][0]["detail_fa"] == "این خانه را پر کنید."
    other = api.token(P.REQUEST_SEE, P.REQUEST_DECIDE, utility=LORESTAN)
    path = f"/requests/{made['tracking']}"
    assert (await api.read(path, other)).problem == "not-found"
    assert (await api.send(f"{path}/state", other, {"state": "done"})).problem == "not-found"
    assert (await api.read("/requests", other)).json["items"] == []
    assert (await api.read("/requests/12", other)).problem == "not-found"


@pytest_twisted.ensureDeferred
async def test_papers_come_and_go_in_base64(people: ApiWorld) -> None:
    """The checks of the desk; another utility's request is not found; each act audited."""
    api = people
    rights = P.REQUEST_SEE, P.REQUEST_REGISTER, P.REQUEST_EDIT, P.REQUEST_DECIDE
    token = api.token(*rights, P.PERSONAL_SEE, utility=KERMAN)
    new = {"kind": "illegal_connection", "text": "کوچهٔ ۵", "mobile": MOBILE}
    made = (await api.send("/requests", token, new)).json
    path = f"/request-files/{made['tracking']}"
    content = b"%PDF-1.7 " + bytes(MOST_BYTES - 9)

    async def send(file: bytes | str, name: str = "../کارت.pdf", who: str = token) -> Any:
        text = file if isinstance(file, str) else b64encode(file).decode()
        return await api.send(path, who, {"name": name, "file": text})

    kept = [await send(content) for _ in range(2)]
    assert [(each.code, each.json["size"]) for each in kept] == [(201, MOST_BYTES)] * 2
    assert kept[0].json["id"] == kept[1].json["id"]
    assert (kept[0].json["name"], kept[0].json["by"]) == ("کارت.pdf", "token:t1")
    for wrong in ("<html>", b"<html>", b"", content + b"x"):
        said = await send(wrong)
        assert (said.problem, said.pointers) == ("invalid", ["/file"]), said.body
    assert (await send(content + bytes(30_000))).code == 413
    listed = (await api.read(path, token)).json["items"]
    assert listed == [kept[0].json]
    own = f"{path}/{listed[0]['id']}"
    assert b64decode((await api.read(own, token)).json["file"]) == content
    assert (await api.read(f"{path}/999", token)).problem == "not-found"
    blind, other = api.token(*rights, utility=KERMAN), api.token(*P, utility=LORESTAN)
    masked = (await api.read(path, blind)).json["items"]
    assert masked == [{**listed[0], "name": None}]
    assert (await api.read(own, blind)).problem == "forbidden"
    for who in (other, api.token(P.PERSONAL_SEE, utility=KERMAN)):
        assert (await api.read(own, who)).problem == "not-found"
    assert (await api.read(path, other)).problem == "not-found"
    assert (await send(content, who=other)).problem == "not-found"
    state = {"state": "operational"}
    assert (await api.send(f"/requests/{made['tracking']}/state", token, state)).code == 200
    assert (await send(content)).problem == "conflict"
    assert [len(_audited(api, act)) for act in ("request.file_add", "request.file")] == [2, 1]


# --- webhooks -----------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_webhook_is_added_by_who_may_see_personal_data(api: ApiWorld) -> None:
    """Its secret is shown once; another utility's is not found."""
    new = {"name": "crm", "url": "https://crm.example.ir/peyk", "topics": ["inbound", "event.*"]}
    some = api.token(P.WEBHOOK_EDIT, utility=KERMAN)
    assert (await api.send("/webhooks", some, new)).pointers == ["/utility"]
    token = api.token(P.WEBHOOK_EDIT, P.PERSONAL_SEE, utility=KERMAN)
    for change, pointer in (
        ({"url": "http://crm.example.ir"}, "/url"),
        ({"url": "http://127.0.0.1:9464/"}, "/url"),
        ({"url": "https://localhost/"}, "/url"),
        ({"topics": ["inbuond"]}, "/topics"),
        ({"name": "CRM"}, "/name"),
    ):
        assert (await api.send("/webhooks", token, {**new, **change})).pointers == [pointer]
    made = await api.send("/webhooks", token, new)
    assert made.code == 201
    (stored,) = api.database.read("webhooks", list_webhooks)
    assert stored.utility == KERMAN
    assert api.means.keys.unseal(PURPOSE, stored.sealed) == made.json["secret"]
    assert (await api.send("/webhooks", token, new)).pointers == ["/name"]
    listed = await api.read("/webhooks", token)
    assert made.json["secret"] not in listed.body.decode()
    other = api.token(P.WEBHOOK_EDIT, P.PERSONAL_SEE, utility=LORESTAN)
    assert (await api.read("/webhooks", other)).json["items"] == []
    assert (await api.call("DELETE", "/webhooks/crm", other)).problem == "not-found"
    assert (await api.send("/webhooks/crm/disable", token)).json == {"changed": True}
    assert not (await api.read("/webhooks", token)).json["items"][0]["enabled"]
    enabled = await api.send("/webhooks/crm/enable", token, {"from_now": True})
    assert enabled.json == {"changed": True}
    assert (await api.read("/webhooks/crm/calls", token)).json["items"] == []
    assert (await api.call("DELETE", "/webhooks/crm", token)).json == {"changed": True}
    whole = api.token(P.WEBHOOK_EDIT, P.PERSONAL_SEE)
    assert (await api.send("/webhooks", whole, new)).json["utility"] is None
    acts = ["webhook.add", "webhook.disable", "webhook.enable", "webhook.remove"]
    assert [len(_audited(api, act)) for act in acts] == [2, 1, 1, 1]
