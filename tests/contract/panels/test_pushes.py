"""What panels post to us: texts and states, over HTTP, once however often they are posted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_twisted
import treq
from twisted.internet import reactor as _reactor

from core.tables import inbox
from gateway.panels.making import push_page
from gateway.web.root import Root
from gateway.web.site import make_site
from tests.contract.panels.conftest import FILE, PanelOperator, make_operator, queue, tell, until
from tests.contract.panels.servers import THEIR_LINE
from tests.integration.conftest import MOBILE, Worlds

reactor: Any = _reactor
SECRET = "a-secret-of-enough-letters"
POSTED: dict[str, dict[str, Any]] = {
    "kavenegar": {"from": MOBILE, "to": THEIR_LINE, "message": "راهنما", "messageid": "77"},
    "smsir": {
        "mobile": MOBILE, "number": THEIR_LINE, "messageText": "راهنما", "receivedDateTime": "1",
    },
    "magfa": {"from": MOBILE, "to": THEIR_LINE, "message": "راهنما", "date": "2026-09-21 10:00:00"},
}  # fmt: skip
STATES = {
    "kavenegar": ("messageid", "status"),
    "smsir": ("messageId", "deliveryState"),
    "magfa": ("mid", "status"),
}


class Posting:
    """A panel that posts."""

    def __init__(self, operator: PanelOperator) -> None:
        self.operator = operator
        page = push_page(FILE, operator.service, behind_proxy=False)
        self._port = reactor.listenTCP(
            0, make_site(Root(None, doors={"/panels/it": page}), reactor), interface="127.0.0.1"
        )
        self._url = f"http://127.0.0.1:{self._port.getHost().port}/panels/it"

    async def post(self, given: Any, *, secret: str = SECRET, how: str = "form") -> int:
        """Post, as one of the three ways there are; returns the HTTP status."""
        url = f"{self._url}/{secret}" if secret else self._url
        options: dict[str, Any] = {"persistent": False}
        if how == "query":
            response = await treq.get(f"{url}?{urlencode(given)}", **options)
        elif how == "json":
            response = await treq.post(url, json=given, **options)
        else:
            response = await treq.post(url, data=given, **options)
        await response.content()
        return int(response.code)

    async def stop(self) -> None:
        """The end."""
        await self._port.stopListening()


@pytest_twisted.async_yield_fixture
async def posting(kind: str, worlds: Worlds) -> AsyncIterator[Posting]:
    """A panel that posts, and that is asked for nothing but what did not come."""
    operator = make_operator(
        kind, worlds, push_path="/panels/it", push_secret=SECRET, texts="push", states="push"
    )
    await operator.start()
    made = Posting(operator)
    yield made
    await made.stop()
    await operator.stop()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("how", ["form", "query", "json"])
async def test_a_text_that_is_posted_twice_is_answered_once(posting: Posting, how: str) -> None:
    """200 says that it is stored; also of one that was stored before."""
    operator, given = posting.operator, POSTED[posting.operator.kind]
    world = operator.world
    assert await posting.post(given, how=how) == 200
    assert world.received == ["answered"]
    assert await posting.post(given, how=how) == 200
    other = {
        key: f"{value}0" if value not in (MOBILE, THEIR_LINE) else value
        for key, value in given.items()
    }
    assert await posting.post(other, how=how) == 200
    assert [row.mobile for row in world.rows(inbox)] == [MOBILE] * 2
    await until(world, lambda: len(operator.taken) == 2)


@pytest_twisted.ensureDeferred
async def test_a_state_that_is_posted_settles_its_message(posting: Posting) -> None:
    """Also in a list; and the panel is not asked for it before long."""
    operator = posting.operator
    world, (key, state) = operator.world, STATES[operator.kind]
    queue(world, MOBILE)
    await until(world, lambda: tell(world, "state") == ["accepted"])
    asked = operator.fake.asked.count("states")
    told = {key: tell(world, "smsc_id")[0], state: operator.fake.codes["delivered"]}
    assert await posting.post([told], how="json") == 200
    assert tell(world, "state") == ["delivered"]
    assert operator.fake.asked.count("states") == asked


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_stored_is_to_be_posted_again(posting: Posting) -> None:
    """503, and nothing of it has happened."""
    world, given = posting.operator.world, POSTED[posting.operator.kind]
    world.database.fails_before = True
    assert await posting.post(given) == 503
    world.database.fails_before = False
    world.clock.advance(2)
    assert await posting.post(given) == 200
    assert world.received == ["answered"]


@pytest_twisted.ensureDeferred
async def test_nobody_else_posts(posting: Posting) -> None:
    """Without the secret nothing is taken, and what is not understood is said so."""
    given = POSTED[posting.operator.kind]
    assert await posting.post(given, secret="") == 403
    assert await posting.post(given, secret="not-the-right-secret") == 403
    assert await posting.post({"what": "ever"}) == 400
    assert await posting.post(json.loads("[[]]"), how="json") == 400
    assert posting.operator.world.received == []
