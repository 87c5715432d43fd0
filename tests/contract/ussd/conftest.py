"""Each test of the suite runs on every network."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from tests.contract.ussd.drivers import Menu, Network
from tests.contract.ussd.networks import NETWORKS


@pytest.fixture
def menu() -> Menu:
    """Our end."""
    return Menu()


@pytest_twisted.async_yield_fixture(params=NETWORKS)
async def network(request: pytest.FixtureRequest, menu: Menu) -> AsyncIterator[Network]:
    """A network of each dialect, with the menu at our end."""
    made = NETWORKS[request.param](menu)
    await made.start()
    yield made
    await made.stop()
