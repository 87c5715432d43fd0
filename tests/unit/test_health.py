"""Health: what counts as trouble, how bad it is, and how it is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.health import (
    BindHealth,
    DatabaseHealth,
    Health,
    PeerHealth,
    PlannedHealth,
    QueueHealth,
    SchedulerHealth,
    Snapshot,
    Status,
    UssdHealth,
    assess,
    in_words,
    not_running,
    to_json,
)

NOW = 1_790_000_000_000
LIMIT = 60.0

BIND = BindHealth(
    name="mci",
    smsc="mci",
    up=True,
    state="bound",
    since=NOW - 5000,
    window=50,
    in_flight=3,
    queued=0,
    rate=100,
    held_seconds=0,
    last_traffic=NOW - 10,
    reconnects=0,
    last_error="",
)
LOST = replace(BIND, name="irancell", up=False, state="waiting", last_error="connection refused")
QUEUES = QueueHealth(
    arrivals=0, reading_paused=False, waiting=0, sending=3, oldest_waiting_seconds=None
)
DATABASE = DatabaseHealth(name="sqlite:///peyk.db", reachable=True, schema_current=True)
WELL = Snapshot(
    version="0.1.0",
    now=NOW,
    started_at=NOW - 3_600_000,
    lines=("100034122",),
    binds=(BIND,),
    queues=QUEUES,
    database=DATABASE,
)


def _assess(**changes: object) -> Health:
    return assess(replace(WELL, **changes), LIMIT)  # type: ignore[arg-type]


def test_all_well_is_healthy() -> None:
    """Nothing wrong: no problem, exit code 0."""
    health = _assess()

    assert (health.status, health.problems, health.status.exit_code) == (Status.HEALTHY, (), 0)


def test_a_daemon_that_is_not_heard_of_is_named() -> None:
    """Somebody should look after it, though its messages are sent by others."""
    alive = PeerHealth(
        node=1,
        host="east",
        version="0.1.0",
        alive=True,
        started_at=NOW - 5000,
        seen_at=NOW - 400,
        taken_over_at=None,
        binds_up=("mci",),
    )
    gone = replace(alive, host="west", alive=False, seen_at=NOW - 90_000, taken_over_at=NOW)
    health = _assess(peers=(alive, gone))
    assert health.status is Status.DEGRADED
    assert health.problems == (
        "the daemon 1 on west has not been heard of for 1 min; others send what it was to send",
    )
    assert _assess(peers=(alive,)).status is Status.HEALTHY
    assert to_json(health)["peers"][1]["seen_at"] == "2026-09-21T14:11:50.000+00:00"


def test_one_of_two_binds_down_is_degraded_and_named() -> None:
    """Messages still flow; the operator is told which bind, since when and why."""
    health = _assess(binds=(BIND, LOST))

    assert health.status is Status.DEGRADED
    assert health.status.exit_code == 1
    assert health.problems == ("bind irancell is down (waiting for 5 s): connection refused",)


def test_every_bind_down_is_down() -> None:
    """Without any bind nobody is answered."""
    health = _assess(binds=(LOST, replace(LOST, name="mci")))

    assert health.status is Status.DOWN
    assert health.status.exit_code == 2
    assert len(health.problems) == 2


def test_as_many_sessions_as_there_may_be_is_degraded() -> None:
    """Somebody's session ends for each that begins."""
    counted = dict.fromkeys(
        (
            "opened",
            "ended",
            "expired",
            "limited",
            "late",
            "unknown",
            "repeated",
            "shown",
            "retried",
            "dropped",
            "uncertain",
        ),
        0,
    )
    full = UssdHealth(open=100, most=100, **counted)

    assert _assess(ussd=full).status is Status.DEGRADED
    assert _assess(ussd=replace(full, open=99)).status is Status.HEALTHY


def test_no_bind_at_all_is_degraded() -> None:
    """A daemon that cannot do anything says so."""
    assert _assess(binds=()).status is Status.DEGRADED


def test_a_throttled_bind_is_degraded() -> None:
    """An SMSC that slows us down is worth knowing."""
    health = _assess(binds=(replace(BIND, held_seconds=4.0, queued=7),))

    assert health.status is Status.DEGRADED
    assert "7 messages wait, sending goes on in 4 s" in health.problems[0]


def test_a_bind_that_is_slowed_down_is_degraded_while_messages_wait() -> None:
    """It is said how fast it goes for now; with nothing to send nothing is amiss."""
    slowed = replace(BIND, slowed_to=12.4)

    assert _assess(binds=(slowed,)).status is Status.HEALTHY
    health = _assess(binds=(replace(slowed, queued=7),))
    assert health.status is Status.DEGRADED
    assert "7 messages wait, 12 go each second for now" in health.problems[0]


def test_an_unreachable_database_is_down_with_the_reason() -> None:
    """Nothing can be taken without the database, whatever the binds say."""
    database = replace(DATABASE, reachable=False, last_error="connection timed out")

    health = _assess(database=database, binds=(BIND, LOST))

    assert health.status is Status.DOWN
    assert health.problems[0].endswith("cannot be reached: connection timed out")
    assert "irancell" in health.problems[1]


def test_an_old_schema_is_down_with_what_to_do() -> None:
    """A database that was not upgraded names the command that does it."""
    health = _assess(database=replace(DATABASE, schema_current=False))

    assert health.status is Status.DOWN
    assert "peyk init" in health.problems[0]


@pytest.mark.parametrize(
    ("oldest", "status"),
    [(None, Status.HEALTHY), (60.0, Status.HEALTHY), (60.1, Status.DEGRADED)],
)
def test_an_answer_may_wait_as_long_as_was_set(oldest: float | None, status: Status) -> None:
    """The limit itself is still well; a moment longer is not."""
    queues = replace(QUEUES, oldest_waiting_seconds=oldest, oldest_answer_seconds=oldest)

    assert _assess(queues=queues).status is status


@pytest.mark.parametrize(("sending", "status"), [(3, Status.HEALTHY), (0, Status.DEGRADED)])
def test_a_campaign_may_wait_while_it_goes_out(sending: int, status: Status) -> None:
    """A million bills are due at once; it is a trouble when none of them is going out."""
    queues = replace(QUEUES, waiting=900_000, sending=sending, oldest_waiting_seconds=3600.0)

    assert _assess(queues=queues).status is status


def test_paused_reading_is_degraded() -> None:
    """Arrivals piling up before the database are told with their number."""
    health = _assess(queues=replace(QUEUES, reading_paused=True, arrivals=10_000))

    assert health.status is Status.DEGRADED
    assert "10000 arrivals" in health.problems[0]


def test_json_has_iso_instants_and_the_uptime() -> None:
    """Machines get UTC in ISO 8601 and durations in seconds."""
    found = json.loads(json.dumps(to_json(_assess())))

    assert (found["status"], found["problems"], found["uptime_seconds"]) == ("healthy", [], 3600)
    assert found["now"] == "2026-09-21T14:13:20.000+00:00"
    assert found["binds"][0]["since"] == "2026-09-21T14:13:15.000+00:00"
    assert found["binds"][0]["next_attempt"] is None
    assert found["queues"]["sending"] == 3


def test_a_daemon_that_does_not_answer_is_down() -> None:
    """Even then there is JSON with a status and a reason."""
    found = to_json(not_running("nothing is running at run/peyk.sock"))

    assert found["status"] == "down"
    assert "run/peyk.sock" in found["problems"][0]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"),
     (100_000, "1 d 3 h")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    """Two units at most, the larger first."""
    assert in_words(seconds) == words


def test_a_schedule_that_did_not_run_is_said() -> None:
    """Which template, and since when; a daemon that follows another is well."""
    well = SchedulerHealth(
        leads=True, paused=False, last_round=NOW - 2000, planned=(), overdue=(), missed=0, broken=0,
        events=0, messages=0, put_off=0, set_aside=0,
    )  # fmt: skip
    assert _assess(scheduler=well).problems == ()
    late = PlannedHealth(utility="qom", template="reminder", what="overdue", at=NOW - 300_000)
    (said,) = _assess(scheduler=replace(well, overdue=(late,))).problems
    assert said.startswith("the template reminder of qom was to be made 5 min ago")
    silent = replace(well, last_round=NOW - 120_000)
    assert _assess(scheduler=silent).status is Status.DEGRADED
    assert _assess(scheduler=replace(silent, paused=True)).problems == ()
    assert _assess(scheduler=replace(silent, leads=False)).problems == ()
    assert "+00:00" in to_json(_assess(scheduler=well))["scheduler"]["last_round"]
