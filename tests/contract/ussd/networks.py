"""All networks there are, by their dialects."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gateway.messages import BindListener
from tests.contract.ussd.drivers import Network
from tests.contract.ussd.over_http import SIDES, HttpNetwork
from tests.contract.ussd.over_smpp import DIALECTS, SmppNetwork

NETWORKS: dict[str, Callable[[BindListener], Network]] = {
    **{name: partial(SmppNetwork, dialect=dialect) for name, dialect in DIALECTS.items()},
    **{dialect.value: partial(HttpNetwork, dialect=dialect) for dialect in SIDES},
}
"""What makes each of them, with our end given to it."""
