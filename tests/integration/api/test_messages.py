"""Messages over the API: sent by words or by a template, and looked at; what came in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest_twisted
from sqlalchemy import update

from core.access.permissions import Permission
from core.outbox import State
from core.tables import inbox, outbox, suppressions
from core.templates.store import Draft, add, set_enabled
from core.templates.types import OnEvents
from tests.apis import ApiWorld
from tests.campaigning import DEFINITION
from tests.desks import KERMAN, LORESTAN
from tests.happening import subscriber

SEND, SEE, WHOLE = Permission.MESSAGE_SEND, Permission.OUTBOX_SEE, Permission.PERSONAL_SEE
ALI, SARA, REZA = "989131234567", "989131234568", "989131234569"
WORDS = "{{ number }}: {{ amount|rial }} تا {{ due|jalali }}"


def template(api: ApiWorld, *, enabled: bool = True, name: str = "bill") -> None:
    """Of Kerman, about bills."""
    definition = replace(DEFINITION, trigger=OnEvents(("bill_issued",), {}))
    draft = Draft(KERMAN, name, definition, WORDS, "somebody", api.now_ms())

    def save(connection: Any) -> None:
        made = add(connection, draft)
        set_enabled(connection, made.template_id, enabled=enabled, by="somebody", now=api.now_ms())

    api.database.transact("template", save)


def opt_out(api: ApiWorld, mobile: str, topic: str) -> None:
    """Somebody wants none of a topic."""
    row: dict[str, Any] = {"mobile": mobile, "utility": KERMAN, "topic": topic, "reason": "asked"}
    row |= {"note": "", "since": 0}
    api.add(suppressions, row)


@pytest_twisted.ensureDeferred
async def test_texts_go_out_to_who_wants_them(api: ApiWorld) -> None:
    """To a mobile or a subscription's; each has an answer of its own."""
    subscriber(api.database, "10000001", REZA)
    subscriber(api.database, "10000002")
    opt_out(api, SARA, "notices")
    token = api.token(SEND, SEE, utility=KERMAN, name="billing")
    long = "الف" * 100
    asked = [
        {"mobile": "0913 123 4567", "text": long},
        {"mobile": SARA, "text": "سلام"},
        {"subscription": "10000001", "text": "سلام رضا"},
        {"subscription": "10000002", "text": "سلام"},
    ]
    said = await api.send("/messages", token, {"messages": asked})
    assert said.code == 202, said.body
    found = said.json["messages"]
    assert [(each["state"], each["parts"]) for each in found] == [
        ("pending", 5),
        ("suppressed", 0),
        ("pending", 1),
        ("unreachable", 0),
    ]
    rows = api.rows(outbox)
    assert "".join(row.text for row in rows if row.mobile == ALI) == long
    assert {(row.line, row.mobile) for row in rows} == {("100034122", ALI), ("100034122", REZA)}
    assert str(rows[0].id) == found[0]["id"]
    assert api.queued == 1
    (entry,) = [each for each in api.audited() if each.action == "message.send"]
    assert (entry.who, entry.utility, entry.object) == (
        "token:billing",
        KERMAN,
        f"outbox:{found[0]['id']}",
    )
    assert "سلام" not in str(entry)
    # Who has opted out gets what was asked for all the same.
    one = [{"mobile": SARA, "text": "رمز شما"}]
    said = await api.send("/messages", token, {"messages": one, "required": True})
    assert said.json["messages"][0]["state"] == "pending"
    # The state of each, masked: this token does not see whose they are.
    shown = (await api.read(f"/messages/{found[2]['id']}", token)).json
    assert (shown["state"], shown["is_final"], shown["line"]) == ("pending", False, "100034122")
    assert (shown["mobile"], shown["subscription"]) == ("98913***4569", "10***01")
    listed = (await api.read("/messages", token, params={"ids": f"{found[2]['id']},7"})).json
    assert [each["id"] for each in listed["items"]] == [found[2]["id"]]


@pytest_twisted.ensureDeferred
async def test_what_became_of_messages(api: ApiWorld) -> None:
    """Found by state, page by page; whoever sees whose they are is written down."""
    token = api.token(SEND, SEE, WHOLE, utility=KERMAN, name="billing")
    asked = [{"mobile": ALI, "text": str(number)} for number in range(5)]
    sent = (await api.send("/messages", token, {"messages": asked})).json["messages"]
    failed = [int(sent[n]["id"]) for n in (0, 2, 4)]
    values = {"state": State.UNDELIVERABLE.value, "error": "005"}
    statement = update(outbox).where(outbox.c.id.in_(failed)).values(values)
    api.database.transact("fail", lambda c: c.execute(statement))
    found: list[Any] = []
    asked_for: dict[str, str] = {"state": "failed", "limit": "2"}
    while True:
        page = (await api.read("/messages", token, params=asked_for)).json
        found += page["items"]
        if page["next"] is None:
            break
        asked_for["cursor"] = page["next"]
    assert [int(each["id"]) for each in found] == failed[::-1]
    assert {(each["mobile"], each["is_final"]) for each in found} == {(ALI, True)}
    assert found[0]["parts"][0]["error"] == "005"
    looks = [each for each in api.audited() if each.action == "outbox.see"]
    assert [each.details["shown"] for each in looks] == [2, 1]
    assert (await api.read("/messages?since=2026-01-01", token)).pointers == ["since"]
    assert (await api.read("/messages?since=9999-12-31T00:00:00Z", token)).pointers == ["since"]
    for other in (api.token(SEE, utility=LORESTAN), api.token(SEE, utility="nobody")):
        assert (await api.read(f"/messages/{failed[0]}", other)).problem == "not-found"
        assert (await api.read("/messages", other)).json["items"] == []
        listed = await api.read("/messages", other, params={"ids": sent[0]["id"]})
        assert listed.json["items"] == []


@pytest_twisted.ensureDeferred
async def test_a_template_has_the_words(api: ApiWorld) -> None:
    """With its line, topic, attempts and priority; facts are what its source declares."""
    template(api)
    template(api, enabled=False, name="old")
    opt_out(api, SARA, "bills")
    token = api.token(SEND, utility=KERMAN)
    facts = {"number": "10000001", "amount": 125_000, "due": "2026-10-01"}
    both = [{"mobile": ALI, "facts": facts}, {"mobile": SARA, "facts": facts}]
    said = await api.send("/messages", token, {"template": "bill", "messages": both})
    assert said.code == 202, said.body
    assert [each["state"] for each in said.json["messages"]] == ["pending", "suppressed"]
    (row,) = api.rows(outbox)
    assert row.text == "10000001: ۱۲۵٬۰۰۰ تا ۱۴۰۵/۰۷/۰۹"
    assert (row.priority, row.max_attempts, row.template_id) == (5, 3, 1)
    assert row.policy_id is not None
    for body, pointers, problem in (
        ({"template": "bil", "messages": both}, ["/template"], "invalid"),
        ({"template": "old", "messages": both}, [], "conflict"),
        ({"template": "bill", "line": "100034122", "messages": both}, ["/line"], "invalid"),
        (
            {"template": "bill", "messages": [{"mobile": ALI, "facts": {"number": "1", "x": 1}}]},
            ["/messages/0/facts/amount", "/messages/0/facts/due", "/messages/0/facts/x"],
            "invalid",
        ),
        (
            {"template": "bill", "messages": [{"mobile": ALI, "facts": {**facts, "due": "soon"}}]},
            ["/messages/0/facts/due"],
            "invalid",
        ),
        (
            {"template": "bill", "messages": [{"mobile": ALI, "facts": {**facts, "amount": 1.5}}]},
            ["/messages/0/facts/amount"],
            "invalid",
        ),
        (
            {"template": "bill", "messages": [both[0], {"mobile": ALI, "text": "سلام"}]},
            ["/messages/1/text"],
            "invalid",
        ),
    ):
        said = await api.send("/messages", token, body)
        assert said.problem == problem, said.body
        assert said.pointers == pointers
    assert len(api.rows(outbox)) == 1


@pytest_twisted.ensureDeferred
async def test_a_mistake_in_one_refuses_all(api: ApiWorld) -> None:
    """Nothing is sent, and each mistake has its place."""
    token = api.token(SEND, utility=KERMAN)
    good = {"mobile": ALI, "text": "سلام"}
    for more, pointers in (
        ({"messages": [good, {"mobile": "021", "text": "x"}]}, ["/messages/1/mobile"]),
        ({"messages": [good, {"text": "x"}]}, ["/messages/1"]),
        ({"messages": [good, {"mobile": ALI}]}, ["/messages/1/text"]),
        ({"messages": [good, {"subscription": "9", "text": "x"}]}, ["/messages/1/subscription"]),
        ({"messages": [good, {"mobile": ALI, "text": "الف" * 250}]}, ["/messages/1/text"]),
        ({"messages": [good, {"mobile": ALI, "text": " \u200c\a"}]}, ["/messages/1/text"]),
        ({"messages": []}, ["/messages"]),
        ({"messages": [good] * 201}, ["/messages"]),
        ({"messages": [good], "line": "100066133"}, ["/line"]),
        ({"messages": [good], "utility": LORESTAN}, ["/utility"]),
    ):
        said = await api.send("/messages", token, more)
        assert said.code in (404, 422), said.body
        assert said.pointers == pointers
    assert api.rows(outbox) == []


@pytest_twisted.ensureDeferred
async def test_what_came_in(api: ApiWorld) -> None:
    """Of the token's utility alone; figures and names are hidden from who may not see them."""
    one = subscriber(api.database, "10000001", ALI)
    about = {
        "received_at": api.now_ms(),
        "bind": "b",
        "profile": "p",
        "mobile": ALI,
        "fingerprint": 0,
        "state": "answered",
        "operation": "balance",
        "outcome": "done",
    }
    ids = [api.means.ids.one() for _ in range(3)]
    api.add(
        inbox,
        {
            **about,
            "id": ids[0],
            "line": "100034122",
            "text": "010*10000001*****",
            "subscriber_id": one,
        },
        {**about, "id": ids[1], "line": "100066133", "text": "سلام", "subscriber_id": None},
        {**about, "id": ids[2], "line": "100034122", "text": "۱۰", "subscriber_id": None},
    )
    see = Permission.INBOX_SEE
    masked, whole = api.token(see, utility=KERMAN), api.token(see, WHOLE, utility=KERMAN)
    found = (await api.read("/inbound", masked)).json["items"]
    assert [int(each["id"]) for each in found] == [ids[2], ids[0]]
    assert (found[1]["mobile"], found[1]["text"]) == ("98913***4567", "010" + "*" * 9)
    found = (await api.read(f"/inbound/{ids[0]}", whole)).json
    assert (found["mobile"], found["text"], found["operation"]) == (
        ALI,
        "010*10000001*****",
        "balance",
    )
    assert (await api.read(f"/inbound/{ids[1]}", whole)).problem == "not-found"
    page = (await api.read("/inbound?limit=1", whole)).json
    page = (await api.read("/inbound", whole, params={"limit": 1, "cursor": page["next"]})).json
    assert ([int(each["id"]) for each in page["items"]], page["next"]) == ([ids[0]], None)
    assert [each.action for each in api.audited()].count("inbox.see") == 3
