"""What a person or a token may be allowed: one permission for each operation of each form.

Permissions are a closed set. A role is a choice of them; the built-in roles are written here,
so that a permission that an upgrade brings comes to them by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Permission(StrEnum):
    """One operation of one form; the part before the dot is the form."""

    DASHBOARD_SEE = "dashboard.see"
    INBOX_SEE = "inbox.see"
    INBOX_REPLY = "inbox.reply"
    INBOX_REDO = "inbox.redo"
    INBOX_ASSIGN = "inbox.assign"
    OUTBOX_SEE = "outbox.see"
    OUTBOX_RESEND = "outbox.resend"
    OUTBOX_CANCEL = "outbox.cancel"
    MESSAGE_SEND = "message.send"
    OPERATION_RUN = "operation.run"
    TEMPLATE_SEE = "template.see"
    TEMPLATE_EDIT = "template.edit"
    TEMPLATE_ENABLE = "template.enable"
    TEMPLATE_TEST = "template.test"
    CAMPAIGN_SEE = "campaign.see"
    CAMPAIGN_START = "campaign.start"
    CAMPAIGN_PAUSE = "campaign.pause"
    CAMPAIGN_CANCEL = "campaign.cancel"
    CAMPAIGN_APPROVE = "campaign.approve"
    OPTOUT_SEE = "optout.see"
    OPTOUT_EDIT = "optout.edit"
    REPORT_SEE = "report.see"
    REPORT_DOWNLOAD = "report.download"
    REQUEST_SEE = "request.see"
    REQUEST_REGISTER = "request.register"
    REQUEST_EDIT = "request.edit"
    REQUEST_DECIDE = "request.decide"
    REQUEST_MESSAGE = "request.message"
    READING_SEE = "reading.see"
    READING_REGISTER = "reading.register"
    READING_DECIDE = "reading.decide"
    SUBSCRIBER_SEE = "subscriber.see"
    SUBSCRIBER_EDIT = "subscriber.edit"
    BILL_SEE = "bill.see"
    BILL_EDIT = "bill.edit"
    PAYMENT_SEE = "payment.see"
    EVENT_ADD = "event.add"
    SERVICE_SEE = "service.see"
    SERVICE_PAUSE = "service.pause"
    USSD_SEE = "ussd.see"
    USSD_TRY = "ussd.try"
    PERSONAL_SEE = "personal.see"
    USER_SEE = "user.see"
    USER_EDIT = "user.edit"
    ROLE_EDIT = "role.edit"
    AUDIT_SEE = "audit.see"
    TOKEN_EDIT = "token.edit"  # noqa: S105 - a name
    WEBHOOK_EDIT = "webhook.edit"


P = Permission

TITLES: Final[Mapping[Permission, tuple[str, str]]] = {
    P.DASHBOARD_SEE: ("دیدن پیشخوان", "see the dashboard"),
    P.INBOX_SEE: ("دیدن پیام‌های رسیده", "see messages that came in"),
    P.INBOX_REPLY: ("پاسخ دستی به پیام", "reply to a message by hand"),
    P.INBOX_REDO: ("انجام دوبارهٔ عملیات پیام", "redo the operation of a message"),
    P.INBOX_ASSIGN: ("ارجاع و بستن پیام", "assign and close messages"),
    P.OUTBOX_SEE: ("دیدن پیام‌های ارسالی", "see messages that go out"),
    P.OUTBOX_RESEND: ("ارسال دوباره", "send again"),
    P.OUTBOX_CANCEL: ("لغو ارسال", "cancel messages"),
    P.MESSAGE_SEND: ("ارسال پیام تازه", "send a new message"),
    P.OPERATION_RUN: ("اجرای عملیات به جای مشترک", "run an operation for a subscriber"),
    P.TEMPLATE_SEE: ("دیدن الگوها", "see templates"),
    P.TEMPLATE_EDIT: ("تعریف و ویرایش الگو", "define and edit templates"),
    P.TEMPLATE_ENABLE: ("فعال و غیرفعال کردن الگو", "enable and disable templates"),
    P.TEMPLATE_TEST: ("ارسال آزمایشی الگو", "send a template as a test"),
    P.CAMPAIGN_SEE: ("دیدن ارسال‌های انبوه", "see campaigns"),
    P.CAMPAIGN_START: ("آغاز ارسال انبوه", "start a campaign"),
    P.CAMPAIGN_PAUSE: ("توقف و ادامهٔ ارسال انبوه", "pause and resume a campaign"),
    P.CAMPAIGN_CANCEL: ("لغو ارسال انبوه", "cancel a campaign"),
    P.CAMPAIGN_APPROVE: ("تأیید ارسال انبوه", "approve a campaign"),
    P.OPTOUT_SEE: ("دیدن لغو اشتراک‌ها", "see who opted out"),
    P.OPTOUT_EDIT: ("ویرایش لغو اشتراک‌ها", "edit who opted out"),
    P.REPORT_SEE: ("دیدن گزارش‌ها", "see reports"),
    P.REPORT_DOWNLOAD: ("دریافت فایل گزارش", "download reports"),
    P.REQUEST_SEE: ("دیدن درخواست‌ها", "see requests"),
    P.REQUEST_REGISTER: ("ثبت درخواست", "register requests"),
    P.REQUEST_EDIT: ("ویرایش درخواست", "edit requests"),
    P.REQUEST_DECIDE: ("تصمیم دربارهٔ درخواست", "decide on requests"),
    P.REQUEST_MESSAGE: ("نامه‌نگاری دربارهٔ درخواست", "write about requests"),
    P.READING_SEE: ("دیدن قرائت‌ها", "see readings"),
    P.READING_REGISTER: ("ثبت قرائت", "register readings"),
    P.READING_DECIDE: ("تصمیم دربارهٔ قرائت", "decide on readings"),
    P.SUBSCRIBER_SEE: ("دیدن مشترکین", "see subscribers"),
    P.SUBSCRIBER_EDIT: ("ویرایش مشترکین", "edit subscribers"),
    P.BILL_SEE: ("دیدن قبض‌ها", "see bills"),
    P.BILL_EDIT: ("ثبت و ویرایش قبض‌ها", "add and edit bills"),
    P.PAYMENT_SEE: ("دیدن پرداخت‌ها", "see payments"),
    P.EVENT_ADD: ("ثبت رویداد", "add events"),
    P.SERVICE_SEE: ("دیدن سرویس‌ها", "see services"),
    P.SERVICE_PAUSE: ("توقف و ادامهٔ سرویس‌ها", "pause and resume services"),
    P.USSD_SEE: ("دیدن منوها و کدها", "see menus and codes"),
    P.USSD_TRY: ("آزمودن منوها و کدها", "try menus and codes"),
    P.PERSONAL_SEE: ("دیدن اطلاعات شخصی", "see personal data"),
    P.USER_SEE: ("دیدن کاربران", "see users"),
    P.USER_EDIT: ("مدیریت کاربران", "manage users"),
    P.ROLE_EDIT: ("مدیریت نقش‌ها", "manage roles"),
    P.AUDIT_SEE: ("دیدن رویدادنگار", "see the audit log"),
    P.TOKEN_EDIT: ("مدیریت کلیدهای دسترسی", "manage API tokens"),
    P.WEBHOOK_EDIT: ("مدیریت وب‌هوک‌ها", "manage webhooks"),
}
"""In Persian and in English."""

_OVER_USERS: Final = frozenset(
    {P.USER_SEE, P.USER_EDIT, P.ROLE_EDIT, P.AUDIT_SEE, P.TOKEN_EDIT, P.WEBHOOK_EDIT}
)
_SEEING: Final = frozenset(p for p in Permission if p.endswith(".see"))


class BuiltIn(NamedTuple):
    """A role that is always there and stays as it is."""

    title: str
    english: str
    permissions: frozenset[Permission]


ADMINISTRATOR: Final = "administrator"
BUILT_IN: Final[Mapping[str, BuiltIn]] = {
    ADMINISTRATOR: BuiltIn("مدیر سامانه", "administrator", frozenset(Permission)),
    "operator": BuiltIn("کاربر سامانه", "operator", frozenset(Permission) - _OVER_USERS),
    "viewer": BuiltIn("بیننده", "viewer", _SEEING - _OVER_USERS - {P.PERSONAL_SEE}),
    "counter": BuiltIn(
        "دفتر پیشخوان",
        "counter office",
        frozenset(
            {
                P.REQUEST_SEE,
                P.REQUEST_REGISTER,
                P.REQUEST_EDIT,
                P.REQUEST_MESSAGE,
                P.READING_SEE,
                P.READING_REGISTER,
                P.SUBSCRIBER_SEE,
                P.BILL_SEE,
                P.PERSONAL_SEE,
            }
        ),
    ),
}
EVERY_UTILITY: Final = ""
"""The scope of a role that is for the data of every utility."""


class Grants:
    """What somebody may do, and with whose data. Immutable."""

    __slots__ = ("_by_utility",)

    def __init__(self, by_utility: Mapping[str, frozenset[Permission]]) -> None:
        """``by_utility``: the key of a utility's data, or ``EVERY_UTILITY``."""
        self._by_utility = dict(by_utility)

    def may(self, permission: Permission, utility: str | None = None) -> bool:
        """Whether it is allowed for the data of ``utility``; None: for anybody's at all."""
        if utility is None:
            return any(permission in each for each in self._by_utility.values())
        asked = (EVERY_UTILITY, utility)
        return any(permission in self._by_utility.get(each, ()) for each in asked)

    def scope(self, permission: Permission) -> frozenset[str] | None:
        """The utilities that it is allowed for; None: every one."""
        found = {name for name, each in self._by_utility.items() if permission in each}
        return None if EVERY_UTILITY in found else frozenset(found)

    def covers(self, other: Grants) -> bool:
        """Whether everything that ``other`` allows is allowed here too."""
        return all(
            self.may(permission, utility)
            for utility, permissions in other._by_utility.items()
            for permission in permissions
        )


NOTHING: Final = Grants({})
