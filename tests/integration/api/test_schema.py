"""Every route asked with what its schema allows, and with what it does not, by schemathesis.

Each answer must be one that the OpenAPI document declares, in the shape that it declares, and
what does not fit the schema must be refused. `make fuzz-api` does the same for minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from twisted.internet.threads import deferToThread

from core.access.permissions import Permission
from core.tables import inbox
from tests.apis import ApiWorld
from tests.campaigning import save
from tests.desks import KERMAN
from tests.happening import subscriber

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LONG = int(os.environ.get("PEYK_API_EXAMPLES", "300"))
"""Of each route, with what it allows and with what it does not."""
FEW = 120
"""Of all routes together: what there is time for."""
EVERYTHING = 100_000


async def _prepare(api: ApiWorld) -> str:
    """A token for everything, and something of each kind to be shown."""
    token = api.token(*Permission, per_minute=EVERYTHING)
    subscriber(api.database, "10000001", "989131234567")
    save(api.database)
    message = {"mobile": "09131234567", "text": "سلام"}
    await api.send("/messages", token, {"utility": KERMAN, "messages": [message]})
    row = {"received_at": api.now_ms(), "bind": "b", "profile": "p", "mobile": "989131234567"}
    row |= {"fingerprint": 0, "state": "answered", "line": "100034122", "text": "010*10000001"}
    api.add(inbox, {**row, "id": api.means.ids.one()})
    return token


def _operations(document: dict[str, Any]) -> Iterator[Any]:
    every: Any = schemathesis.openapi.from_dict(document).get_all_operations()
    for found in every:
        yield found.ok()


class _Asker:
    """Asks on a thread: the site is on the reactor's."""

    def __init__(self, api: ApiWorld, token: str, examples: int, *, same: bool) -> None:
        self._base = f"{api.address}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._settings = settings(
            max_examples=examples,
            derandomize=same,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        self.asked = 0

    def ask_all(self, document: dict[str, Any]) -> None:
        """Each operation, with what it allows and what it does not."""
        with requests.Session() as self._session:
            for operation in _operations(document):
                for mode in GenerationMode:
                    self._ask(operation, mode)

    def _ask(self, operation: Any, mode: GenerationMode) -> None:
        refused = [negative_data_rejection] if mode is GenerationMode.NEGATIVE else []

        @self._settings
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask_one(case: Any) -> None:
            self.asked += 1
            response = case.call(self._base, session=self._session, headers=self._headers)
            case.validate_response(response, checks=[*CHECKS, *refused])

        ask_one()


async def _run(api: ApiWorld, examples: int, *, same: bool) -> None:
    token = await _prepare(api)
    document = (await api.read("/openapi.json")).json
    asker = _Asker(api, token, examples, same=same)
    await deferToThread(asker.ask_all, document)
    assert asker.asked >= 2 * len(api.api.routes)


@pytest_twisted.ensureDeferred
async def test_answers_are_what_the_document_says(api: ApiWorld) -> None:
    """The same few requests each time."""
    await _run(api, max(2, min(6, FEW // len(api.api.routes))), same=True)


@pytest.mark.soak
@pytest_twisted.ensureDeferred
async def test_answers_are_what_the_document_says_at_length(api: ApiWorld) -> None:
    """Others each time."""
    await _run(api, LONG, same=False)
