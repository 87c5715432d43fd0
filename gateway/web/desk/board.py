"""The blocks of the dashboard: what each shows of a beat, for the page and for its stream."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from core import jalali as calendar
from gateway.health import Problem
from gateway.pulse import Beat, Span
from gateway.web.desk.charts import chart
from gateway.web.desk.rendering import Renderer, in_digits, in_threes
from gateway.web.desk.spoken import bind_state, concerns, lasting, spoken
from gateway.web.desk.texts import Texts

BLOCKS: Final = ("health", "figures", "charts", "ways", "planned")
_HOUR_LABELS: Final = 15
_DAY_LABELS: Final = 6


class View(NamedTuple):
    """For whom it is: the same for all who have these in common."""

    language: str
    scope: frozenset[str] | None
    """The utilities whose schedules are shown; None: every one's."""


class Board:
    """Makes blocks, beside the reactor's thread; holds nothing of a visitor."""

    def __init__(self, texts: Texts, renderer: Renderer) -> None:
        self._texts = texts
        self._renderer = renderer
        self._last: tuple[Beat | None, dict[View, dict[str, Markup]]] = None, {}

    def blocks(self, beat: Beat, view: View, utilities: dict[str, str]) -> dict[str, Markup]:
        """Each block's inner HTML by its name; made once of a beat for all of a view."""
        if self._last[0] is not beat:
            self._last = beat, {}
        _, made = self._last
        if view not in made:
            values = self._values(beat, view) | {"utilities": utilities}
            made[view] = {name: self._block(name, values) for name in BLOCKS}
        return made[view]

    def _block(self, name: str, values: Mapping[str, Any]) -> Markup:
        made = self._renderer.draw(f"board_{name}.html", **values)
        return Markup(made.decode())  # noqa: S704 - a template of ours has escaped it

    def _values(self, beat: Beat, view: View) -> dict[str, Any]:
        say = partial(self._texts.say, view.language)
        snapshot = beat.snapshot
        planned = snapshot.scheduler.planned if snapshot.scheduler else ()
        return {
            "t": say,
            "language": view.language,
            "beat": beat,
            "snapshot": snapshot,
            "hour": beat.last_hour,
            "day": beat.last_day,
            "share": _share(beat.last_hour.share_delivered, view.language),
            "problems": [spoken(say, each) for each in visible(beat.health.found, view.scope)],
            "alerts": [each for each in beat.alerts if concerns(each, view.scope)],
            "lasting": partial(lasting, say),
            "bind_state": partial(bind_state, say),
            "planned": [
                each for each in planned if view.scope is None or each.utility in view.scope
            ],
            "hour_chart": self._chart(beat.hour, "hour", say, view.language, _clock),
            "day_chart": self._chart(beat.day, "day", say, view.language, _day),
            "clock": partial(_clock_words, view.language),
            "whole": partial(_whole_words, view.language),
        }

    def _chart(
        self,
        spans: Sequence[Span],
        key: str,
        say: Callable[..., str],
        language: str,
        label: Callable[[int], str],
    ) -> Any:
        return chart(
            spans,
            key=f"chart-{key}",
            title=say(f"dashboard.chart.{key}"),
            label=lambda at: in_digits(language, label(at)),
            number=lambda value: in_threes(language, value),
        )


def visible(problems: Collection[Problem], scope: frozenset[str] | None) -> list[Problem]:
    """Those that concern everybody, or a utility of ``scope`` (None: every one)."""
    return [each for each in problems if scope is None or not each.utility or each.utility in scope]


def _share(share: float | None, language: str) -> str | None:
    if share is None:
        return None
    # Not all is not 100 %.
    percent = int(share * 1000) / 10
    text = f"{percent:g}"
    if language == "fa":
        return f"{in_digits(language, text.replace('.', '٫'))}٪"
    return f"{text}%"


def _here(at: int) -> datetime:
    return calendar.local(datetime.fromtimestamp(at / 1000, UTC))


def _clock_words(language: str, at: int) -> str:
    return in_digits(language, f"{_here(at):%H:%M}")


def _whole_words(language: str, at: int) -> str:
    here = _here(at)
    return in_digits(language, f"{calendar.jalali(here.date())} {here:%H:%M}")


def _clock(at: int) -> str:
    """Every quarter of an hour."""
    here = _here(at)
    return f"{here:%H:%M}" if here.minute % _HOUR_LABELS == 0 else ""


def _day(at: int) -> str:
    """Every six hours; the day by its Jalali date where it begins."""
    here = _here(at)
    if here.hour % _DAY_LABELS:
        return ""
    return f"{here:%H:%M}" if here.hour else calendar.jalali(here.date())[5:]
