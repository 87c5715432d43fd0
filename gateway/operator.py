"""The simulated operator as a process of its own: what ``peyk smsc`` runs."""

from __future__ import annotations

from typing import Any

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError

from gateway.settings import SmscSettings
from gateway.settings.ussd import BindUssd
from gateway.smpp import handsets
from gateway.smpp.smsc import SimulatedSmsc
from gateway.smpp.smsc_door import open_door

log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """The operator cannot run, in words for the person who started it."""


def run(settings: SmscSettings) -> None:
    """Be the operator until a signal or ``peyk smsc --stop``; for a process's main thread.

    Raises ``CannotStart`` when its port is taken or its door cannot be opened.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - installs itself when imported

    loop: Any = reactor
    smsc = SimulatedSmsc(as_operator(settings), loop)
    endpoint = TCP4ServerEndpoint(loop, settings.port, interface=settings.host)
    # The port comes first: only one process can have it, while anyone can take the door.
    _now(smsc.listen(endpoint), f"cannot listen on {settings.host}:{settings.port}")
    settings.control.parent.mkdir(parents=True, exist_ok=True)
    door = _now(
        open_door(smsc, str(settings.control), loop.stop, loop),
        f"cannot open the socket {settings.control}",
    )
    loop.addSystemEventTrigger("before", "shutdown", smsc.stop)
    loop.addSystemEventTrigger("before", "shutdown", door.stopListening)
    log.info("smsc.started", host=settings.host, port=settings.port)
    loop.run()
    log.info("smsc.stopped")


def as_operator(settings: SmscSettings) -> handsets.SmscSettings:
    """What the settings file says of the operator, in the operator's own words."""
    return handsets.SmscSettings(
        system_id=settings.system_id,
        password=settings.password.get_secret_value(),
        alphabet=settings.alphabet,
        receipt_delay=settings.receipt_delay,
        ussd=(settings.ussd or BindUssd()).for_smpp(),
        ussd_timeout=settings.ussd_timeout,
    )


def _now(opening: Deferred[Any], failed: str) -> Any:
    """The result of what happens at once, although it is a Deferred."""
    results: list[Any] = []
    errors: list[Exception] = []
    opening.addCallbacks(results.append, lambda failure: errors.append(failure.value))
    if errors:
        error = errors[0]
        why = error.socketError if isinstance(error, CannotListenError) else error
        raise CannotStart(f"the simulated operator {failed}: {why}")
    return results[0]
