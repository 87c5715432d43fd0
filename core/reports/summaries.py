"""Counts of messages: by mobile, subscription, template, line, day and campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from functools import lru_cache
from typing import Final

from core.database import Reader
from core.ids import made_at
from core.jalali import day_of, instant_of
from core.reports.names import in_pieces, load_campaigns, load_subscriptions, load_templates
from core.reports.scan import Sent, Text, received_texts, sent_messages
from core.reports.tally import Key, Tally
from core.reports.types import Column, Kind, Values, Wanted
from core.state_groups import GROUPS, PERSIAN, Group

NOTHING: Final = 0
"""The key of messages that have no subscription or no template."""
_FIRST_GROUP: Final = 3
_PLACE_OF: Final = {state: _FIRST_GROUP + list(Group).index(its) for state, its in GROUPS.items()}
_RECEIVED: Final = _FIRST_GROUP + len(Group)
_HALF_HOUR: Final = 1_800_000


def _count(name: str, title: str) -> Column:
    return Column(name, title, Kind.NUMBER)


PRODUCED: Final = (
    _count("produced", "تولید شده"),
    _count("parts", "بخش"),
    _count("sent", "ارسال شده"),
    *(_count(group.value, PERSIAN[group]) for group in Group),
)
RECEIVED: Final = _count("received", "دریافت شده")
COUNTS: Final = (*PRODUCED, RECEIVED)

KeyOf = Callable[[Sent | Text], Key | None]
"""What a message is counted under; None counts it under nothing."""


def counted(database: Reader, wanted: Wanted, key_of: KeyOf, *, texts: bool = True) -> Tally:
    """Count messages, and the texts that came in. Raises ``DatabaseUnavailable``."""
    tally = Tally(len(COUNTS))
    for message in sent_messages(database, wanted):
        key = key_of(message)
        if key is not None:
            counts = tally.of(key)
            counts[0] += 1
            counts[1] += message.parts
            counts[2] += message.is_sent
            counts[_PLACE_OF[message.state]] += 1
    if texts and wanted.state is None:
        for text in received_texts(database, wanted):
            key = key_of(text)
            if key is not None:
                tally.of(key)[_RECEIVED] += 1
    return tally


def mobiles(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """By mobile."""
    with closing(counted(database, wanted, lambda message: message.mobile)) as tally:
        for key, counts in tally.items():
            yield (key, *counts)


def subscriptions(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """By subscription; the first row is of messages that belong to none."""
    tally = counted(database, wanted, lambda message: message.subscriber_id or NOTHING)
    with closing(tally):
        for piece in in_pieces(tally.items()):
            ids = [int(key) for key, _counts in piece]
            known = database.read("report.names", load_subscriptions, ids)
            for key, counts in piece:
                whose = known.get(int(key))
                named = (None, None) if whose is None else (whose.utility, whose.number)
                yield (*named, *counts)


def templates(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """By template; the first row is of answers, which have none. Texts have no template."""

    def key_of(message: Sent | Text) -> Key:
        return (message.template_id if isinstance(message, Sent) else None) or NOTHING

    known = database.read("report.names", load_templates)
    with closing(counted(database, wanted, key_of, texts=False)) as tally:
        for key, counts in tally.items():
            yield (*known.get(int(key), (None, None)), *counts[:_RECEIVED])


def lines(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """By line."""
    with closing(counted(database, wanted, lambda message: message.line)) as tally:
        for key, counts in tally.items():
            yield (key, *counts)


def days(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """By day in Tehran."""
    with closing(counted(database, wanted, lambda message: _day(message.id).toordinal())) as tally:
        for key, counts in tally.items():
            yield (date.fromordinal(int(key)), *counts)


def campaigns(database: Reader, wanted: Wanted) -> Iterator[Values]:
    """By campaign, those begun first first; with what no message was made for."""

    def key_of(message: Sent | Text) -> Key | None:
        return message.run_id if isinstance(message, Sent) else None

    with closing(counted(database, wanted, key_of, texts=False)) as tally:
        for piece in in_pieces(tally.items()):
            ids = [int(key) for key, _counts in piece]
            known = database.read("report.names", load_campaigns, ids)
            for key, counts in piece:
                run = known.get(int(key))
                if run is None:
                    yield (key, *(None,) * 7, *counts[:_RECEIVED])
                    continue
                planned = instant_of(run.planned_for)
                told = (run.utility, run.template, planned, run.state)
                yield (key, *told, run.rows, run.suppressed, run.untold, *counts[:_RECEIVED])


def _day(row_id: int) -> date:
    # Tehran has always been whole half hours away from UTC.
    return _day_of(made_at(row_id) // _HALF_HOUR)


@lru_cache(maxsize=4096)
def _day_of(half_hour: int) -> date:
    return day_of(half_hour * _HALF_HOUR)
