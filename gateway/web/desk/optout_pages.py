"""Who wants none of the utility's own messages: looked up, entered, taken back."""

from __future__ import annotations

from typing import Any, Final

from core.access.audit import Entry
from core.access.permissions import Permission
from core.identifiers import masked_mobile
from core.optouts import (
    Listed,
    OptOut,
    OptOutFilter,
    Removal,
    add_optouts,
    list_with_ids,
    remove_optouts,
    topics_of,
)
from core.suppressions import COMMON_TOPICS, EVERYTHING, Reason
from gateway.web.desk.forms import Form
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
_MOST_NOTE: Final = 200


@routes.route("GET", "/optouts", Permission.OPTOUT_SEE)
async def show(visit: Visit) -> bytes:
    """The newest first."""
    return await _page(visit, visit.blank())


@routes.route("POST", "/optouts", Permission.OPTOUT_EDIT)
async def add(visit: Visit) -> bytes:
    """Send a mobile no more messages: those that are queued for it are not sent either."""
    form, means = visit.form, visit.means
    mobile = form.mobile("new_mobile", required=True)
    utility = form.choice("new_utility", visit.utilities(Permission.OPTOUT_EDIT))
    topics = await _topics(visit, utility) if utility else []
    topic = form.choice("new_topic", topics, required=False)
    note = form.text("note", most=_MOST_NOTE)
    if mobile is None or not form.is_right:
        return await _page(visit, form, 422)
    said = f"{visit.user.name}: {note}" if note else visit.user.name
    new = OptOut(mobile, utility, topic, Reason.DESK.value, said, means.now_ms())
    await visit.change(_entry("optout.add", new), add_optouts, [new])
    return visit.go("/optouts", "optouts.added")


@routes.route("POST", "/optouts/<int:row_id>/remove", Permission.OPTOUT_EDIT)
async def remove(visit: Visit, row_id: int) -> bytes:
    """Send messages again to whom a row is about."""
    wanted = OptOutFilter(id=row_id)
    found: list[Listed] = await visit.read("optout", list_with_ids, wanted)
    if not found:
        raise NotFound
    row = found[0].optout
    visit.check(Permission.OPTOUT_EDIT, row.utility)
    now = visit.means.now_ms()
    removal = Removal([row.mobile], row.utility, row.topic, visit.user.name, now)
    await visit.change(_entry("optout.remove", row), remove_optouts, removal)
    return visit.go("/optouts", "optouts.removed")


# --- help ---------------------------------------------------------------------------------


def _entry(action: str, row: OptOut) -> Entry:
    details: dict[str, Any] = {"topic": row.topic or "*"}
    return Entry(action, f"mobile:{masked_mobile(row.mobile)}", row.utility, details)


async def _topics(visit: Visit, utility: str) -> list[str]:
    own: list[str] = await visit.read("topics", topics_of, utility)
    return list(dict.fromkeys((*COMMON_TOPICS, *own)))


async def _page(visit: Visit, form: Form, code: int = 200) -> bytes:
    asked = visit.query
    utilities = visit.utilities(Permission.OPTOUT_SEE)
    wanted = OptOutFilter(
        mobile=asked.mobile("mobile"),
        utility=asked.choice("utility", utilities, required=False) or None,
        topic=asked.text("topic", most=60) or None,
        reason=asked.choice("reason", [each.value for each in Reason], required=False) or None,
        limit=LIMIT,
        utilities=visit.scope(Permission.OPTOUT_SEE),
        before=asked.row_id("before"),
    )
    rows = await visit.read("optouts", list_with_ids, wanted) if asked.is_right else []
    topics = {topic: None for key in utilities for topic in await _topics(visit, key)}
    return visit.page(
        "optouts.html",
        code=code if asked.is_right else 422,
        form=form,
        asked=asked,
        utilities=utilities,
        editable=visit.utilities(Permission.OPTOUT_EDIT),
        topics=list(topics),
        reasons=[each.value for each in Reason],
        everything=EVERYTHING,
        wanted=Reason.WANTED.value,
        **paged(rows),
    )
