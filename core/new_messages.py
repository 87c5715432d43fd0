"""Messages that staff send of their own accord: to a mobile, or to a subscription's mobiles.

Nobody asked for them, so that who opted out of notices gets none. Each form sends once, however
often it is sent: ``manual_replies.form`` is unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from core.bulk import insert_rows
from core.database import by_index_only
from core.ids import IdMaker
from core.outbox import Notice, store_notices
from core.suppressions import Receiver, suppressed
from core.tables import manual_replies
from core.templates.types import Version

TOPIC: Final = "notices"
"""What they are to whoever wants none of it."""


class NewMessage(NamedTuple):
    """A message as somebody has written it."""

    utility: str
    line: str
    mobiles: Sequence[str]
    """E.164 digits."""
    texts: Sequence[str]
    """Cut into the parts of a message."""
    subscriber_id: int | None
    """Whom it is about, where it goes to a subscription's mobiles."""
    by: str
    form: str
    """What its form is known by."""
    now: int
    """UTC milliseconds."""


class AlreadySent(Exception):
    """The form was sent before; ``outbox_id`` is the message that it made."""

    def __init__(self, outbox_id: int) -> None:
        super().__init__(f"sent as message {outbox_id}")
        self.outbox_id = outbox_id


class NobodyWantsIt(Exception):
    """Whoever it is for opted out of such messages."""


def unwanted(
    connection: Connection, utility: str, mobiles: Sequence[str], topic: str = TOPIC
) -> frozenset[str]:
    """Those of the mobiles that want no such messages of a utility."""
    by_index_only(connection)
    receivers = [Receiver(at, mobile, utility, topic) for at, mobile in enumerate(mobiles)]
    return frozenset(mobiles[at] for at in suppressed(connection, receivers))


def try_out(connection: Connection, version: Version, notice: Notice) -> None:
    """Queue one message of a template, to see how it arrives.

    Raises ``NobodyWantsIt`` where the mobile has opted out of what the template is about.
    """
    about = version.utility, [notice.mobile], version.definition.topic
    if not version.definition.required and unwanted(connection, *about):
        raise NobodyWantsIt
    store_notices(connection, [notice])


def send(connection: Connection, ids: IdMaker, new: NewMessage) -> list[int]:
    """Queue it; the ids of the messages, one for each mobile that wants it.

    Raises ``AlreadySent`` and ``NobodyWantsIt``.
    """
    no = unwanted(connection, new.utility, new.mobiles)
    wanted = [mobile for mobile in dict.fromkeys(new.mobiles) if mobile not in no]
    if not wanted:
        raise NobodyWantsIt
    parts = [ids.take(len(new.texts)) for _ in wanted]
    # The first tells of the form: whoever comes second finds it there.
    rows = [
        (each[0], None, new.by, new.now, new.form if place == 0 else None)
        for place, each in enumerate(parts)
    ]
    insert_rows(connection, manual_replies, _COLUMNS, rows, or_ignore=True)
    row = manual_replies.c
    by_form = connection.execute(select(row.outbox_id).where(row.form == new.form)).scalar_one()
    if by_form != parts[0][0]:
        raise AlreadySent(by_form)
    notices = [
        Notice(each, mobile, new.line, new.texts, new.subscriber_id, new.now)
        for each, mobile in zip(parts, wanted, strict=True)
    ]
    store_notices(connection, notices)
    return [each[0] for each in parts]


_COLUMNS = ("outbox_id", "inbox_id", "by", "at", "form")
