"""A reading that is told at the counter, by the rules that a text goes by, and a bill of it."""

from __future__ import annotations

from typing import Any, Final

from core.access.audit import Entry
from core.access.permissions import Permission
from core.calls import DONE, Argument, Call, Refusal
from core.operations.mid_bill import MID_BILL
from core.operations.reading import SUBMIT_READING
from core.outside_calls import DESK, Outside, Ran, run_call
from core.subscribers import Detail
from core.subscribers.records import newest_reading
from gateway.minds import LineMind
from gateway.web.desk import refusals
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.subscriber_pages import known_for, subscriber_page
from gateway.web.desk.visit import Visit

routes = Routes()
_MOST_FIGURE: Final = 10**9
_TOLD: Final = frozenset(
    {
        Refusal.READING_TOO_LONG,
        Refusal.READING_BELOW_LAST,
        Refusal.CONFIRM_READING,
        Refusal.NO_TARIFF,
        Refusal.NO_BILL,
    }
)
"""What may keep a reading from being taken, each a text ``subscribers.not_taken.…``."""


class _Newer(Exception):
    """Another reading has come since the form was opened."""


@routes.route("POST", "/subscribers/<int:subscriber_id>/readings", Permission.READING_REGISTER)
async def add(visit: Visit, subscriber_id: int) -> bytes:
    """Take what the meter shows; what is implausible, when it is said a second time."""
    detail = await known_for(visit, subscriber_id, Permission.READING_REGISTER)
    visit.check(Permission.SUBSCRIBER_SEE, detail.utility)
    form, means = visit.form, visit.means
    figure = form.number("figure", most=_MOST_FIGURE, required=True)
    mobile = form.mobile("reading_mobile")
    newest = form.row_id("newest", required=True)
    if not form.is_right:
        return await subscriber_page(visit, subscriber_id, form, 422)
    operation = MID_BILL if form.tick("bill") else SUBMIT_READING
    line, mind = _line(visit, detail.utility)
    said = {Argument.NUMBER: detail.number, Argument.READING: str(figure)}
    call = Call(operation.name, said)
    about = (detail.utility, mind.terms, line, mobile or "", call, True, means.now_ms(), DESK)
    told: dict[str, Any] = {"operation": operation.name}

    def work(connection: Any) -> Ran:
        # A second click, or a text meanwhile: it would confirm what nobody has looked at.
        if newest_reading(connection, detail.id) != newest:
            raise _Newer
        ran = run_call(connection, means.keys, means.ids, Outside(*about))
        told["outcome"] = ran.outcome.kind
        return ran

    entry = Entry("reading.register", f"subscriber:{detail.id}", detail.utility, told)
    try:
        ran: Ran = await visit.change(entry, work)
    except _Newer:
        raise refusals.Refusal(409, "subscribers.newer_reading") from None
    if ran.outcome.kind == DONE:
        done = "subscribers.bill_issued" if form.tick("bill") else "subscribers.reading_taken"
        return visit.go(f"/subscribers/{detail.id}", done)
    return await _refused(visit, detail, form, ran)


async def _refused(visit: Visit, detail: Detail, form: Form, ran: Ran) -> bytes:
    kind, facts = ran.outcome.kind, ran.outcome.facts
    if kind not in _TOLD:
        raise NotFound
    numbers = {name: value for name, value in facts.items() if isinstance(value, int)}
    form.wrong("figure", f"subscribers.not_taken.{kind}", **numbers)
    return await subscriber_page(visit, detail.id, form, 422)


def _line(visit: Visit, utility: str) -> tuple[str, LineMind]:
    """The line that later messages about it come from. Raises ``NotFound`` without any."""
    minds = visit.means.minds.items()
    found = next(((line, mind) for line, mind in minds if mind.utility == utility), None)
    if found is None:
        raise NotFound
    return found
