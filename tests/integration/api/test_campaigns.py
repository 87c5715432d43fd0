"""Campaigns over the API: begun or asked for, followed, stopped; never another utility's."""

from __future__ import annotations

import pytest_twisted

from core.access.permissions import Permission
from core.runs.states import RunState
from core.tables import runs
from core.templates.store import set_enabled
from tests.apis import ApiWorld
from tests.campaigning import save
from tests.desks import KERMAN, LORESTAN

START, SEE = Permission.CAMPAIGN_START, Permission.CAMPAIGN_SEE
APPROVE, PAUSE, CANCEL = (
    Permission.CAMPAIGN_APPROVE,
    Permission.CAMPAIGN_PAUSE,
    Permission.CAMPAIGN_CANCEL,
)


def enable(api: ApiWorld, template_id: int) -> None:
    """Let it be sent."""
    api.database.transact(
        "enable",
        lambda c: set_enabled(c, template_id, enabled=True, by="test", now=api.now_ms()),
    )


@pytest_twisted.ensureDeferred
async def test_a_campaign_is_begun_followed_and_stopped(api: ApiWorld) -> None:
    """By a token that may approve; by another it is asked for."""
    template = save(api.database)
    token = api.token(START, SEE, APPROVE, PAUSE, CANCEL, utility=KERMAN, name="billing")
    wish = {"template": "bills", "parameters": {"period": "1405/03"}}
    said = await api.send("/campaigns", token, wish)
    assert said.problem == "conflict"  # it is disabled
    enable(api, template.template_id)
    for wrong, pointer in (
        ({"template": "bils"}, "/template"),
        ({"template": "bills", "report": "nothing"}, "/report"),
        ({"template": "bills", "parameters": {"weeks": 1}}, "/report"),
        ({"template": "bills", "utility": LORESTAN}, "/utility"),
    ):
        assert (await api.send("/campaigns", token, wrong)).pointers == [pointer]
    said = await api.send("/campaigns", token, wish)
    assert said.code == 201, said.body
    begun = said.json
    assert (begun["state"], begun["asked_by"]) == ("producing", "token:billing")
    assert api.queued == 1
    api.now_ms.advance(1)
    said = await api.send("/campaigns", token, wish)
    assert (said.problem, begun["id"] in said.json["detail"]) == ("conflict", True)
    for act, state in (("pause", "pausing"), ("resume", "resuming"), ("cancel", "cancelling")):
        said = await api.send(f"/campaigns/{begun['id']}/{act}", token)
        assert (said.code, said.json["state"]) == (200, state), said.body
    assert (await api.send(f"/campaigns/{begun['id']}/resume", token)).problem == "conflict"
    shown = (await api.read(f"/campaigns/{begun['id']}", token)).json
    assert (shown["state"], shown["outcomes"], shown["messages"]) == ("cancelling", {}, 0)
    api.now_ms.advance(1)
    asked = await api.send("/campaigns", api.token(START, utility=KERMAN), wish)
    assert asked.json["state"] == RunState.ASKED
    page = (await api.read("/campaigns?limit=1", token)).json
    assert [each["id"] for each in page["items"]] == [asked.json["id"]]
    page = (await api.read("/campaigns", token, params={"cursor": page["next"]})).json
    assert [each["id"] for each in page["items"]] == [begun["id"]]
    done = [each.action for each in api.audited() if each.object == f"campaign:{begun['id']}"]
    assert done == ["campaign.start", "campaign.pause", "campaign.resume", "campaign.cancel"]
    other = api.token(SEE, CANCEL, utility=LORESTAN)
    assert (await api.read("/campaigns", other)).json["items"] == []
    assert (await api.read(f"/campaigns/{begun['id']}", other)).code == 404
    assert (await api.send(f"/campaigns/{asked.json['id']}/cancel", other)).code == 404
    assert len(api.rows(runs)) == 2
