"""Which alerts are open: one for each trouble, however often it is looked at. Pure.

A trouble has to be gone for a while before that is told, and for longer each time that it has
come back within a day: a bind that flaps all day is told of a few times, not a thousand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from core.alerts import Alert
from gateway.alerts.troubles import OF_ALL, Found, Kind, Trouble
from gateway.alerts.words import told

DAY_MS: Final = 86_400_000
_MOST_DOUBLINGS: Final = 5


class Changes(NamedTuple):
    """What a look has changed."""

    opened: tuple[Alert, ...] = ()
    ended: tuple[Alert, ...] = ()


@dataclass(slots=True)
class _Open:
    alert: Alert
    gone_since: int | None = None


class Book:
    """The open alerts of one daemon."""

    def __init__(self, node: int, new_id: Callable[[], int], calm_seconds: float) -> None:
        self._suffix = f"@{node}" if node else ""
        self._new_id = new_id
        self._calm = calm_seconds * 1000
        self._open: dict[str, _Open] = {}
        self._leads = True
        self._opened: dict[str, deque[int]] = {}
        """When each trouble was told of within the last day."""

    @property
    def open(self) -> list[Alert]:
        """The alerts that are open."""
        return [each.alert for each in self._open.values()]

    def leads(self, is_leader: bool) -> None:  # noqa: FBT001 - it is what is said
        """Whether this daemon judges for all; if not, it knows nothing of what is theirs."""
        if not is_leader:
            for key in [key for key in self._open if kind_of(key) in OF_ALL]:
                del self._open[key]
        self._leads = is_leader

    def adopt(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Take alerts that are open in the database; returns new ones nobody was told of."""
        untold = []
        for alert in alerts:
            if self.is_mine(alert.trouble) and alert.trouble not in self._open:
                self._open[alert.trouble] = _Open(alert)
                if alert.told_at is None:
                    untold.append(alert)
        return untold

    def replace(self, refused: Iterable[Alert], stored: Iterable[Alert]) -> None:
        """Take those that are ``stored`` in the place of ones that were not."""
        by_key = {alert.trouble: alert for alert in stored}
        for alert in refused:
            if alert.trouble in by_key:
                self.keep(by_key[alert.trouble])

    def by_id(self, alert_id: int) -> Alert | None:
        """An alert that is open."""
        return next((a for a in self.open if a.id == alert_id), None)

    def keep(self, alert: Alert) -> None:
        """An alert as it is now, where it is still open."""
        if alert.trouble in self._open and alert.ended_at is None:
            self._open[alert.trouble].alert = alert

    def step(self, now: int, found: Found) -> Changes:
        """What is new and what is over, after a look at ``now``."""
        troubles = {self._key(each): each for each in found.troubles}
        opened = [self._begin(key, each, now) for key, each in troubles.items()]
        ended = []
        for key, each in list(self._open.items()):
            kind = kind_of(key)
            if key in troubles or kind is None or kind in found.unjudged:
                each.gone_since = None
                continue
            if each.gone_since is None:
                each.gone_since = now
            if now - each.gone_since >= self._calm_of(key, now):
                del self._open[key]
                ended.append(each.alert._replace(ended_at=now))
        return Changes(tuple(one for one in opened if one is not None), tuple(ended))

    def _begin(self, key: str, trouble: Trouble, now: int) -> Alert | None:
        if key in self._open:
            return None
        self._opened.setdefault(key, deque(maxlen=_MOST_DOUBLINGS + 1)).append(now)
        english, persian = told(trouble.kind, trouble.about, trouble.detail)
        alert = Alert(self._new_id(), key, english, persian, now, None, None, None)
        self._open[key] = _Open(alert)
        return alert

    def _calm_of(self, key: str, now: int) -> float:
        times = [at for at in self._opened.get(key, ()) if at > now - DAY_MS]
        return self._calm * (1 << max(0, len(times) - 1))

    def _key(self, trouble: Trouble) -> str:
        of = f":{trouble.about}" if trouble.about else ""
        return f"{trouble.kind}{of}{'' if trouble.kind in OF_ALL else self._suffix}"

    def is_mine(self, key: str) -> bool:
        """Whether this daemon is the one to judge it."""
        kind = kind_of(key)
        if kind is None or kind in OF_ALL:
            return kind is not None and self._leads
        _rest, _at, node = key.rpartition("@")
        return f"@{node}" == self._suffix if "@" in key else not self._suffix


def kind_of(key: str) -> Kind | None:
    """The kind of trouble that an alert is about; None for one of another version."""
    word = key.partition(":")[0].partition("@")[0]
    return Kind(word) if word in set(Kind) else None


def about_of(key: str) -> str:
    """What an alert is about: the bind, the operator, the template."""
    return key.partition(":")[2].partition("@")[0]
