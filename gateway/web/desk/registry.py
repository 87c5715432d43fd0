"""Every page of the desk: a page that is not named here is not served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.web.desk import (
    account,
    alerts,
    audit,
    bill_pages,
    campaign_pages,
    campaign_start,
    codes,
    dashboard,
    inbox,
    inbox_answer,
    login,
    optout_pages,
    outage_pages,
    outbox,
    phone,
    reading_file,
    reading_pages,
    report_pages,
    request_acts,
    request_forms,
    request_pages,
    roles,
    services,
    subscriber_contacts,
    subscriber_pages,
    template_editing,
    template_pages,
    users,
)
from gateway.web.desk.routes import Routes

PAGES: Final[Sequence[Routes]] = (
    login.routes,
    dashboard.routes,
    alerts.routes,
    services.routes,
    account.routes,
    users.routes,
    roles.routes,
    inbox.routes,
    inbox_answer.routes,
    outbox.routes,
    phone.routes,
    codes.routes,
    audit.routes,
    bill_pages.routes,
    campaign_pages.routes,
    campaign_start.routes,
    optout_pages.routes,
    outage_pages.routes,
    reading_file.routes,
    reading_pages.routes,
    report_pages.routes,
    request_acts.routes,
    request_forms.routes,
    request_pages.routes,
    subscriber_contacts.routes,
    subscriber_pages.routes,
    template_editing.routes,
    template_pages.routes,
)
