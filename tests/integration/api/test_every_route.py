"""Each route against each permission, and what each must declare: a new one is found by itself."""

from __future__ import annotations

import re
from typing import Any

import pytest
import pytest_twisted

from core.access.permissions import Permission
from core.database import Database
from gateway.web.api.openapi import document
from gateway.web.api.problems import KINDS
from gateway.web.api.registry import RESOURCES
from gateway.web.api.routes import Route
from tests.apis import ApiWorld
from tests.desks import KERMAN

ROUTES = [route for resource in RESOURCES for route in resource]
NAMES = [route.operation for route in ROUTES]


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Who is let in does not differ by engine."""
    return sqlite_database


async def _try(api: ApiWorld, route: Route, token: str) -> Any:
    path = re.sub("<id:[a-z_]+>", "7", route.path)
    path = re.sub("<[a-z_]+>", "x", path)
    if route.body is None:
        return await api.call(route.method, path, token)
    return await api.call(route.method, path, token, json=dict(route.example))


@pytest_twisted.ensureDeferred
async def test_each_route_needs_its_permission(api: ApiWorld) -> None:
    """Its own alone lets in; every other, all together, does not; nor does nothing."""
    for route in ROUTES:
        others = set(Permission) - {route.needs}
        said = await _try(api, route, api.token(route.needs, utility=KERMAN))
        assert said.code not in (401, 403, 500), route
        said = await _try(api, route, api.token(*others))
        assert (said.code, said.problem) == (403, "forbidden"), route
        api.now_ms.advance(60)  # so that wrong tokens are not too many
        assert (await _try(api, route, "")).code == 401, route


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_what_a_route_declares(route: Route) -> None:
    """What changes something is audited under a name; examples are right; problems are known."""
    assert route.summary
    assert not route.summary.endswith(".")
    assert route.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    if route.changes:
        assert route.action, "name what the audit log calls it"
    if route.body is not None:
        assert route.example, "a body needs an example"
        assert set(route.body.model_fields) >= set(route.example)
        route.body.model_validate(route.example)
    else:
        route.query.model_validate(route.example)
    for model in (route.query, route.body):
        assert model is None or model.model_config.get("extra") == "forbid"
    assert set(route.problems) <= KINDS.keys()


def test_the_document_has_every_route() -> None:
    """Under its own name, with its permission, and no reference leads nowhere."""
    made = document(RESOURCES, "https://peyk.example")
    operations = [each for path in made["paths"].values() for each in path.values()]
    assert sorted(each["operationId"] for each in operations) == sorted(NAMES)
    assert len(set(NAMES)) == len(NAMES)
    assert all(each["x-permission"] in set(Permission) for each in operations)
    references = set(re.findall(r"#/components/schemas/([^'\"]+)", str(made)))
    assert references <= made["components"]["schemas"].keys()
