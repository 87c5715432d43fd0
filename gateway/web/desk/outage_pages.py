"""Planned interruptions of the supply: entered, so that their region is told, and cancelled."""

from __future__ import annotations

from typing import Any, Final

from core import outages
from core.access.audit import Entry
from core.access.permissions import Permission
from core.jalali import DateError, day_interval, milliseconds, parse_instant
from core.outages import EVERYWHERE, NewOutage, Outage, OutageError, OutageFilter
from core.outages.notices import Entered, enter
from core.text import normalise
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
ROWS: Final = 200
_MOST_REASON: Final = 200


@routes.route("GET", "/outages", Permission.TEMPLATE_SEE)
async def show(visit: Visit) -> bytes:
    """Those that are not over, or were not on some day, the next first."""
    return await _page(visit, visit.blank())


@routes.route("POST", "/outages", Permission.EVENT_ADD)
async def add(visit: Visit) -> bytes:
    """Enter one; whoever it concerns is told as the templates for outages say."""
    form, means = visit.form, visit.means
    utility = form.choice("new_utility", visit.utilities(Permission.EVENT_ADD))
    region = normalise(form.text("region", most=100)).strip()
    everywhere = form.tick("everywhere")
    if bool(region) is everywhere:
        form.wrong("region", "outages.region_or_all")
    begins = _instant(form, "begins", required=True)
    ends = _instant(form, "ends", required=False)
    reason = form.text("reason", most=_MOST_REASON)
    now = means.now_ms()
    if begins and ends and ends <= begins:
        form.wrong("ends_day", "outages.order")
    elif begins and (ends or begins + outages.OPEN_MS) <= now:
        form.wrong("begins_day", "outages.over")
    elif begins and begins > now + outages.MOST_AHEAD_MS:
        form.wrong("begins_day", "outages.far")
    if utility and region:
        try:
            region = await visit.read("region", outages.checked_region, utility, region)
        except OutageError:
            form.wrong("region", "outages.no_region")
    if begins is None or not form.is_right:
        return await _page(visit, form, 422)
    new = NewOutage(utility, region or EVERYWHERE, begins, ends, reason, visit.user.name, now)
    about = Entry("outage.add", f"outage:{region or '*'}", utility, {"begins_at": begins})
    try:
        entered: Entered = await visit.change(about, enter, new)
    except OutageError as error:
        raise Refusal(409, "outages.not_entered", problem=str(error)) from None
    means.on_queued()
    key = "outages.entered" if entered.told else "outages.entered_untold"
    return visit.go("/outages", key, count=entered.subscriptions)


@routes.route("POST", "/outages/<int:outage_id>/cancel", Permission.EVENT_ADD)
async def cancel(visit: Visit, outage_id: int) -> bytes:
    """Tell nobody any more; who was told already is told so, where a template says it."""
    found: Outage | None = await visit.read("outage", outages.show, outage_id)
    if found is None:
        raise NotFound
    visit.check(Permission.EVENT_ADD, found.utility)
    about = Entry("outage.cancel", f"outage:{outage_id}", found.utility)
    try:
        await visit.change(about, outages.cancel, outage_id, visit.means.now_ms())
    except OutageError:
        raise Refusal(409, "outages.not_cancelled") from None
    visit.means.on_queued()
    return visit.go("/outages", "outages.cancelled")


# --- help ---------------------------------------------------------------------------------


def _instant(form: Form, field: str, *, required: bool) -> int | None:
    """A day and a time of it, in two fields, as UTC milliseconds."""
    day = form.day(f"{field}_day", required=required)
    time = form.text(f"{field}_time", most=10, required=required or day is not None)
    if day is None or not time:
        return None
    try:
        found = parse_instant(f"{day.isoformat()} {time}")
    except DateError:
        form.wrong(f"{field}_time", "outages.time")
        return None
    return milliseconds(found)


def _state(outage: Outage, now: int) -> str:
    if outage.cancelled_at is not None:
        return "cancelled"
    return "over" if outage.over_at <= now else "now" if outage.begins_at <= now else "planned"


async def _page(visit: Visit, form: Form, code: int = 200) -> bytes:
    asked, now = visit.query, visit.means.now_ms()
    utilities = visit.utilities(Permission.TEMPLATE_SEE)
    day = asked.day("since")
    since = milliseconds(day_interval(day)[0]) if day else now
    wanted = OutageFilter(
        utility=asked.choice("utility", utilities, required=False) or None,
        region=asked.text("region", most=100) or None,
        over_after=since,
        limit=ROWS,
        utilities=visit.scope(Permission.TEMPLATE_SEE),
    )
    found: list[Any] = (
        await visit.read("outages", outages.list_outages, wanted) if asked.is_right else []
    )
    return visit.page(
        "outages.html",
        code=code if asked.is_right else 422,
        form=form,
        asked=asked,
        rows=[(each, _state(each, now)) for each in found],
        utilities=utilities,
        editable=visit.utilities(Permission.EVENT_ADD),
        limit=ROWS,
    )
