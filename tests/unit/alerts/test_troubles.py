"""Each trouble caused: what is wrong is found in the snapshot, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.alerts.book import Book
from gateway.alerts.troubles import OF_ALL, Found, Judge, Kind, Trouble, Window
from gateway.alerts.words import WORDS, told, told_end
from gateway.health import (
    DiskHealth,
    FailedHealth,
    OperatorHealth,
    PanelHealth,
    PeerHealth,
    PlannedHealth,
    SchedulerHealth,
    ServiceHealth,
    ServiceState,
    Snapshot,
    WebhookHealth,
)
from gateway.settings.alerts import AlertSettings
from tests.unit.test_health import BIND, DATABASE, LOST, NOW, QUEUES, WELL

SCHEDULER = SchedulerHealth(
    leads=True,
    paused=False,
    last_round=NOW - 2000,
    planned=(),
    overdue=(),
    missed=0,
    broken=0,
    events=0,
    messages=0,
    put_off=0,
    set_aside=0,
)
MCI = OperatorHealth(smsc="mci", accepted=0, refused=0, delivered=0, undelivered=0)
QUIET = replace(WELL, scheduler=SCHEDULER, operators=(MCI,), disk=DiskHealth(free=10**11, wal=0))
DOWN = replace(LOST, down_since=NOW - 61_000)
UNREAD = FailedHealth(utility="kerman-water", template="bills", error="there is no report 'x'")
LATE = PlannedHealth(utility="kerman-water", template="bills", what="bills", at=NOW - 301_000)


def _found(*snapshots: Snapshot, **settings: Any) -> list[tuple[str, str]]:
    judge = Judge(AlertSettings(**settings))
    judge.look(QUIET)
    found = Found(())
    for snapshot in snapshots:
        found = judge.look(snapshot)
    return [(each.kind.value, each.about) for each in found.troubles]


def _operators(**counts: Any) -> dict[str, Any]:
    return {"operators": (replace(MCI, **counts),)}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"binds": (BIND, DOWN)}, [("bind_down", "irancell")]),
        ({"binds": (BIND, replace(DOWN, down_since=NOW - 59_000))}, []),
        ({"queues": replace(QUEUES, oldest_answer_seconds=301.0)}, [("queue_old", "")]),
        ({"queues": replace(QUEUES, oldest_answer_seconds=299.0)}, []),
        ({"queues": replace(QUEUES, reading_paused=True)}, [("reading_paused", "")]),
        (_operators(accepted=60, refused=40), [("refused", "mci")]),
        (_operators(accepted=20, refused=20), []),
        (_operators(accepted=80, refused=20), []),
        (_operators(accepted=100, delivered=60, undelivered=40), [("undelivered", "mci")]),
        ({"disk": DiskHealth(free=1023 * 2**20, wal=0)}, [("disk", "")]),
        ({"disk": DiskHealth(free=10**11, wal=1025 * 2**20)}, [("wal", "")]),
        ({"set_aside": 2}, [("set_aside", "")]),
        (
            {"scheduler": replace(SCHEDULER, overdue=(LATE,))},
            [("schedule_late", "kerman-water/bills")],
        ),
        ({"scheduler": replace(SCHEDULER, broken=1)}, [("schedule_broken", "")]),
        (
            {"scheduler": replace(SCHEDULER, failed=(UNREAD,))},
            [("campaign_failed", "kerman-water/bills")],
        ),
        ({"scheduler": replace(SCHEDULER, last_round=NOW - 61_000)}, [("scheduler", "")]),
    ],
)
def test_each_trouble_is_found(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    """From the limit on, and not before."""
    assert _found(replace(QUIET, **changes)) == found


def test_a_panel_that_is_down_or_has_no_credit() -> None:
    """The one may be the reason of the other; a panel that never said has no known credit."""
    nothing: dict[str, Any] = dict.fromkeys(PanelHealth.__dataclass_fields__)
    panel = PanelHealth(
        **nothing
        | {"name": "kavenegar", "up": True, "since": NOW - 61_000, "credit": 999.0}
        | {"credit_low": 1000.0, "last_error": "418"}
    )
    assert _found(replace(QUIET, panels=(panel,))) == [("panel_credit", "kavenegar")]
    down = replace(panel, up=False, credit=None)
    assert _found(replace(QUIET, panels=(down,))) == [("panel_down", "kavenegar")]
    paused = ServiceHealth(name="panel:kavenegar", state=ServiceState.PAUSED)
    assert _found(replace(QUIET, panels=(down,), services=(paused,))) == []


def test_a_daemon_that_is_gone_is_found_by_the_one_that_leads() -> None:
    """What concerns all is told by one of them."""
    nothing: dict[str, Any] = dict.fromkeys(PeerHealth.__dataclass_fields__)
    gone = PeerHealth(**nothing | {"node": 2, "host": "b", "version": "1", "alive": False})
    assert _found(replace(QUIET, peers=(gone,))) == [("daemon_gone", "2")]
    following = replace(SCHEDULER, leads=False, overdue=(LATE,))
    old = replace(QUEUES, oldest_answer_seconds=900.0)
    assert _found(replace(QUIET, peers=(gone,), scheduler=following, queues=old)) == []
    judge = Judge(AlertSettings())
    assert judge.look(replace(QUIET, scheduler=following)).unjudged >= OF_ALL


def test_a_webhook_that_is_given_up_or_away_for_long_is_trouble() -> None:
    """Not one that has just failed, and not one that somebody has disabled."""
    well = WebhookHealth(
        name="crm", utility="", enabled=True, gave_up=False, attempts=0, since=None, error=""
    )
    failing = replace(well, attempts=1, since=NOW - 899_000, error="500")
    assert _found(replace(QUIET, webhooks=(well, failing))) == []
    away = replace(failing, since=NOW - 900_000)
    assert _found(replace(QUIET, webhooks=(away,))) == [("webhook", "crm")]
    assert _found(replace(QUIET, webhooks=(replace(away, enabled=False),))) == []
    gave_up = replace(failing, enabled=False, gave_up=True)
    assert _found(replace(QUIET, webhooks=(gave_up,))) == [("webhook", "crm")]


def test_a_database_that_is_away_for_a_while_is_trouble_and_hides_what_it_knows() -> None:
    """Of the queue nothing can be said then, neither that it is well nor that it is not."""
    away = replace(QUIET, database=replace(DATABASE, reachable=False, last_error="gone"))
    later = replace(away, now=NOW + 15_000)
    assert _found(away) == []
    assert _found(away, later) == [("database", "")]
    assert _found(away, QUIET, later) == []
    judge = Judge(AlertSettings())
    assert Kind.QUEUE_OLD in judge.look(away).unjudged


def test_a_bind_that_is_paused_is_no_trouble() -> None:
    """Somebody wanted it so."""
    paused = ServiceHealth(name="bind:irancell", state=ServiceState.PAUSED, paused_by="reza")
    assert _found(replace(QUIET, binds=(BIND, DOWN), services=(paused,))) == []


def test_failures_count_within_their_window_only() -> None:
    """What was refused an hour ago says nothing of now."""
    failed = replace(QUIET, **_operators(refused=100))
    assert _found(failed) == [("refused", "mci")]
    failed = replace(failed, scheduler=None)
    assert _found(failed, replace(failed, now=NOW + 599_000)) == [("refused", "mci")]
    later = [replace(failed, now=NOW + at) for at in (601_000, 3_600_000)]
    assert _found(failed, *later) == []


def test_a_campaign_may_wait_for_hours_as_long_as_it_goes_out() -> None:
    """What does not move for a while is trouble, and stays it until something goes out."""
    judge = Judge(AlertSettings())
    quiet = replace(QUIET, scheduler=replace(SCHEDULER, last_round=NOW + 10**9))

    def look(second: int, accepted: int) -> tuple[bool, bool]:
        queues = replace(QUEUES, oldest_waiting_seconds=3600.0 + second, waiting=1000)
        seen = replace(quiet, now=NOW + second * 1000, queues=queues)
        found = judge.look(replace(seen, **_operators(accepted=accepted)))
        return bool(found.troubles), Kind.QUEUE_OLD in found.unjudged

    assert [look(second, second)[0] for second in range(0, 3600, 5)] == [False] * 720
    assert look(3895, 3595) == (False, True)
    assert look(3900, 3595) == (True, True)
    assert look(3905, 3600) == (False, False)


def test_a_window_counts_what_came_in_it() -> None:
    """From the last sample before it on."""
    window = Window(10)
    for second, count in ((0, 5), (5, 7), (9, 8), (16, 8)):
        window.add(second * 1000, {"x": count})
    assert window.within("x") == 1
    assert window.within("y") == 0


# --- one alert for each trouble ---------------------------------------------------------

TROUBLE = Trouble(Kind.BIND_DOWN, "main", "refused")
WRONG, RIGHT = Found((TROUBLE,)), Found(())


def _book(node: int = 0) -> Book:
    ids = iter(range(1, 1000))
    return Book(node, lambda: next(ids), 100)


def test_a_trouble_is_opened_once_and_ended_once() -> None:
    """However often it is looked at; and it has to be gone for a while."""
    book = _book()
    (opened,) = book.step(0, WRONG).opened
    assert (opened.trouble, opened.english) == ("bind_down:main", "bind main is down: refused")
    assert book.step(5_000, WRONG) == ((), ())
    assert book.step(10_000, RIGHT) == ((), ())
    assert book.step(60_000, WRONG) == ((), ())
    assert book.step(70_000, RIGHT) == ((), ())
    assert book.step(169_000, RIGHT) == ((), ())
    (ended,) = book.step(170_000, RIGHT).ended
    assert (ended.id, ended.ended_at) == (opened.id, 170_000)
    assert book.step(300_000, RIGHT) == ((), ())


def test_a_trouble_that_comes_and_goes_all_day_is_told_of_a_few_times() -> None:
    """Each time it has to be gone for twice as long."""
    book, told_of = _book(), 0
    for second in range(0, 86_400, 30):
        changes = book.step(second * 1000, WRONG if second % 600 < 300 else RIGHT)
        told_of += len(changes.opened)
    assert told_of == 3


def test_what_cannot_be_judged_stays_as_it_was() -> None:
    """A trouble is not over because nobody can look."""
    book = _book()
    book.step(0, Found((Trouble(Kind.QUEUE_OLD, "", "1 h"),)))
    blind = Found((), frozenset({Kind.QUEUE_OLD}))
    assert book.step(500_000, blind) == ((), ())
    assert book.step(1_000_000, RIGHT) == ((), ())
    assert len(book.step(1_100_000, RIGHT).ended) == 1


def test_daemons_keep_apart_what_is_theirs() -> None:
    """A bind of one daemon is not another's; the queue is whose turn it is."""
    first, second = _book(), _book(1)
    (mine,) = first.step(0, WRONG).opened
    (other,) = second.step(0, WRONG).opened
    assert (mine.trouble, other.trouble) == ("bind_down:main", "bind_down:main@1")
    (queue,) = first.step(0, Found((TROUBLE, Trouble(Kind.QUEUE_OLD, "")))).opened
    second.leads(is_leader=False)
    second.adopt([mine, queue])
    assert [each.trouble for each in second.open] == ["bind_down:main@1"]
    second.leads(is_leader=True)
    assert second.adopt([queue]) == [queue]
    first.leads(is_leader=False)
    assert [each.trouble for each in first.open] == ["bind_down:main"]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words_in_both_languages(kind: Kind) -> None:
    """With and without a reason, and for its end; a reason is cut."""
    for words in (*told(kind, "main", "why " * 100), *told_end(kind, "main")):
        assert words.strip()
        assert "{" not in words
        assert len(words) < 300
    assert not told(kind, "main", "")[0].endswith(":")
    assert kind in WORDS
