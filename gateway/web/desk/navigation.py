"""Where the desk's pages are: what a visitor may open is shown, in this order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from core.access.permissions import Grants, Permission


class Item(NamedTuple):
    """A page in the navigation; its words are the text ``nav.KEY``."""

    key: str
    path: str
    needs: Permission


class Group(NamedTuple):
    """Pages that belong together, under the text ``nav.KEY``."""

    key: str
    items: Sequence[Item]


P = Permission
GROUPS: Final = (
    Group(
        "overview",
        (
            Item("dashboard", "/dashboard", P.DASHBOARD_SEE),
            Item("alerts", "/alerts", P.DASHBOARD_SEE),
            Item("services", "/services", P.SERVICE_SEE),
        ),
    ),
    Group(
        "messages",
        (
            Item("inbox", "/inbox", P.INBOX_SEE),
            Item("outbox", "/outbox", P.OUTBOX_SEE),
            Item("compose", "/messages/new", P.MESSAGE_SEND),
            Item("phone", "/phone", P.USSD_TRY),
            Item("codes", "/codes", P.USSD_SEE),
        ),
    ),
    Group(
        "sending",
        (
            Item("templates", "/templates", P.TEMPLATE_SEE),
            Item("campaigns", "/campaigns", P.CAMPAIGN_SEE),
            Item("outages", "/outages", P.TEMPLATE_SEE),
            Item("optouts", "/optouts", P.OPTOUT_SEE),
            Item("reports", "/reports", P.REPORT_SEE),
        ),
    ),
    Group(
        "counter",
        (
            Item("requests", "/requests", P.REQUEST_SEE),
            Item("box", "/box", P.REQUEST_MESSAGE),
            Item("readings", "/readings", P.READING_SEE),
            Item("subscribers", "/subscribers", P.SUBSCRIBER_SEE),
            Item("bills", "/bills", P.BILL_SEE),
            Item("payments", "/payments", P.PAYMENT_SEE),
        ),
    ),
    Group(
        "access",
        (
            Item("users", "/users", P.USER_SEE),
            Item("roles", "/roles", P.USER_SEE),
            Item("tokens", "/tokens", P.TOKEN_EDIT),
            Item("webhooks", "/webhooks", P.WEBHOOK_EDIT),
            Item("audit", "/audit", P.AUDIT_SEE),
        ),
    ),
)


def navigation(grants: Grants, served: Collection[str]) -> list[Group]:
    """The groups and pages that somebody may open, of those that are served."""
    found = (
        group._replace(
            items=[each for each in group.items if each.path in served and grants.may(each.needs)]
        )
        for group in GROUPS
    )
    return [group for group in found if group.items]
