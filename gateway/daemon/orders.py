"""What the control door may ask of the daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from core.webhooks.store import WebhookError
from gateway.alerts.watch import Watch
from gateway.control import ControlError
from gateway.control_server import Handler
from gateway.pauses import Pauses
from gateway.payment_service import PaymentService
from gateway.production import Production
from gateway.pushes import Pushes
from gateway.scheduler import Scheduler
from gateway.vitals import Vitals
from gateway.webhooks.service import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The commands of the control door, and those who carry them out."""

    vitals: Vitals
    pauses: Pauses
    scheduler: Scheduler
    production: Production
    pushes: Pushes
    payments: PaymentService | None
    watch: Watch
    webhooks: Webhooks
    claim: Callable[[], None]
    new_id: Callable[[], int]
    now_ms: Callable[[], int]
    reactor: Any

    @property
    def by_name(self) -> dict[str, Handler]:
        """As the control door wants them."""
        return {
            "health": self._health,
            "wake": self._wake,
            "stop": self._stop,
            "reconcile_payments": self._reconcile_payments,
            "push_ussd": self.pushes.push,
            "test_alerts": self._test_alerts,
            "test_webhook": self._test_webhook,
        }

    def _health(self, _arguments: Mapping[str, Any]) -> Deferred[Mapping[str, Any]]:
        return self.vitals.look()

    def _wake(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.pauses.tick()
        self.claim()
        self.scheduler.happened()
        self.scheduler.tick()
        self.production.tick()
        self.webhooks.tick()
        return {}

    def _stop(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.reactor.callLater(0.05, self.reactor.stop)
        return {}

    def _reconcile_payments(self, _arguments: Mapping[str, Any]) -> Deferred[Mapping[str, Any]]:
        if self.payments is None:
            raise ControlError("this daemon takes no payments: its settings have no [web] table")
        return self.payments.reconcile_now()

    def _test_webhook(self, arguments: Mapping[str, Any]) -> Deferred[Mapping[str, Any]]:
        done: Deferred[Any] = self.webhooks.test(arguments)
        return done.addErrback(_as_control_error)

    def _test_alerts(self, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"ways": self.watch.test(self.now_ms(), self.new_id())}


def _as_control_error(failure: Failure) -> Any:
    failure.trap(WebhookError)
    raise ControlError(failure.getErrorMessage()) from None
