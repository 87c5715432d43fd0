"""What the pages about messages share: whose they are, who sees all of them, filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.operations import REGISTRY
from core.state_groups import Group
from core.text import ascii_digits
from gateway.minds import LineMind
from gateway.web.desk.forms import Form
from gateway.web.desk.periods import period
from gateway.web.desk.visit import Visit

DAY_MS: Final = 86_400_000
MOST_DAYS: Final = 31
"""A search that goes by nobody looks through so many days, unless it says since when."""


def lines_of(visit: Visit, permission: Permission) -> frozenset[str] | None:
    """The lines, dialled ones too, whose messages the visitor may do that with; None: every."""
    return visit.means.lines_of(visit.scope(permission))


def texted_lines(visit: Visit, permission: Permission) -> list[str]:
    """The lines that are texted, of those that the visitor may know of."""
    lines = lines_of(visit, permission)
    return [line for line in visit.means.minds if lines is None or line in lines]


async def sees_whole(visit: Visit, action: str, what: str, utility: str | None) -> bool:
    """Whether the visitor sees personal data of this; a look is written down."""
    if utility is None and visit.scope(Permission.PERSONAL_SEE) is not None:
        return False
    return await visit.sees_personal(Entry(action, what, utility or ""))


# --- what is searched by -------------------------------------------------------------------


class Asked(NamedTuple):
    """What both boxes are searched by, as a filter's fields."""

    fields: dict[str, Any]
    recent: bool
    """Whether only the last days are looked through."""


def asked_of(visit: Visit, form: Form, permission: Permission) -> Asked:
    """Read the fields that both boxes have; what is wrong stands in the form."""
    mobile = form.mobile("mobile")
    subscription = ascii_digits(form.text("subscription", most=40)) or None
    line = form.choice("line", texted_lines(visit, permission), required=False) or None
    since, until = period(form)
    recent = since is None and mobile is None and subscription is None
    if recent:
        since = (until or visit.means.now_ms()) - MOST_DAYS * DAY_MS
    fields = {
        "mobile": mobile,
        "subscription": subscription,
        "line": line,
        "since": since,
        "until": until,
        "lines": lines_of(visit, permission),
    }
    return Asked(fields, recent)


def operations() -> Sequence[str]:
    """Every operation, and what stands for a text that names none."""
    return [*sorted(REGISTRY), "misread"]


def states() -> Sequence[str]:
    """The groups that outbox messages are in."""
    return [group.value for group in Group]


# --- parts and cost ------------------------------------------------------------------------


class Counted(NamedTuple):
    """What a text would come to."""

    letters: int
    parts: int
    rial: int
    """0: nobody says what a part costs."""


def counted(visit: Visit, line: str, mind: LineMind, text: str) -> Counted:
    """The parts of a text from a line, and what they cost."""
    parts = mind.count(text)
    price = next((each.price for each in visit.means.settings.lines if each.number == line), 0)
    return Counted(len(text), parts, round(parts * price))
