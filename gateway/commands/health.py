"""``peyk health``: ask the daemon how it is."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from core.jalali import milliseconds
from gateway import control
from gateway.commands.clicking import Command, as_json, pass_context
from gateway.commands.context import Context
from gateway.commands.output import for_people, print_facts, print_json, print_table
from gateway.control import ControlError, DaemonNotRunning
from gateway.health import Status, in_words, not_running, to_json

COLOURS = {Status.HEALTHY: "green", Status.DEGRADED: "yellow", Status.DOWN: "red"}


@click.command(cls=Command, epilog="peyk health --json")
@as_json
@pass_context
def health(context: Context, *, as_json: bool) -> None:
    """Say how the daemon is: binds, queues, database.

    Exits with 0 when healthy, 1 when degraded, 2 when down.
    """
    sys.exit(show_health(context, as_json=as_json))


def show_health(context: Context, *, as_json: bool) -> int:
    """Print the daemon's health; returns the exit code: 0 healthy, 1 degraded, 2 down."""
    try:
        found = control.call(context.settings.daemon.control, "health", timeout=10)
    except DaemonNotRunning as error:
        found = to_json(not_running(f"{error}; start it with `peyk run`"))
    except ControlError as error:
        found = to_json(not_running(str(error)))
    status = Status(found["status"])
    if as_json:
        print_json(found)
    else:
        click.secho(status.value, fg=COLOURS[status], bold=True)
        for problem in found["problems"]:
            click.echo(f"- {problem}")
        if "binds" in found:
            _print_details(found)
    return status.exit_code


def _print_details(found: dict[str, Any]) -> None:
    database, queues = found["database"], found["queues"]
    oldest = queues["oldest_waiting_seconds"]
    facts = [
        ("version", found["version"]),
        ("daemon", found["node"] if found.get("peers") else None),
        ("up for", in_words(found["uptime_seconds"])),
        ("lines", ", ".join(found["lines"]) or None),
        ("database", f"{database['name']}{'' if database['reachable'] else ' (unreachable)'}"),
        ("arrivals waiting", queues["arrivals"]),
        ("messages waiting", queues["waiting"]),
        ("messages sending", queues["sending"]),
        ("oldest due for", None if oldest is None else in_words(oldest)),
    ]
    click.echo()
    print_facts([*facts, *_ussd_facts(found["ussd"]), *_scheduler_facts(found.get("scheduler"))])
    click.echo()
    columns = (
        "bind",
        "state",
        "since",
        "window",
        "rate",
        "queued",
        "last traffic",
        "lost",
        "last error",
    )
    print_table(columns, (_bind_row(bind) for bind in found["binds"]), texts=("last error",))
    if found.get("peers"):
        click.echo()
        print_table(PEER_COLUMNS, (_peer_row(peer) for peer in found["peers"]))
    if found["panels"]:
        click.echo()
        print_table(PANEL_COLUMNS, map(_panel_row, found["panels"]), texts=("last error",))
    if found["doors"]:
        click.echo()
        print_table(DOOR_COLUMNS, (_door_row(door) for door in found["doors"]))


def _ussd_facts(ussd: dict[str, Any] | None) -> list[tuple[str, object]]:
    if ussd is None:
        return []
    sessions = ("opened", "ended", "expired", "late", "limited", "repeated", "unknown")
    screens = ("shown", "retried", "dropped", "uncertain")
    return [
        ("USSD sessions", f"{ussd['open']} open of {ussd['most']} at most"),
        ("… since the start", ", ".join(f"{ussd[name]} {name}" for name in sessions)),
        ("USSD screens", ", ".join(f"{ussd[name]} {name}" for name in screens)),
    ]


def _scheduler_facts(scheduler: dict[str, Any] | None) -> list[tuple[str, object]]:
    if scheduler is None:
        return []
    counted = ("events", "messages", "put_off", "set_aside", "missed")
    said = "paused" if scheduler["paused"] else "here" if scheduler["leads"] else "another daemon"
    planned = (
        f"{_moment(each['at'])} {each['template']} ({each['what']})"
        for each in scheduler["planned"]
    )
    return [
        ("scheduler", said),
        ("… since the start", ", ".join(f"{scheduler[name]} {name}" for name in counted)),
        ("… next", next(planned, "nothing is planned")),
        *(("", each) for each in planned),
    ]


PANEL_COLUMNS = (
    "panel",
    "kind",
    "state",
    "since",
    "rate",
    "queued",
    "in doubt",
    "owed",
    "credit",
    "texts",
    "last error",
)


def _panel_row(panel: dict[str, Any]) -> tuple[object, ...]:
    return (
        panel["name"],
        panel["kind"],
        "up" if panel["up"] else "down",
        _moment(panel["since"]),
        f"{panel['rate']:g}/s" if panel["rate"] else "–",
        panel["queued"],
        panel["in_doubt"],
        panel["owed"],
        None if panel["credit"] is None else f"{panel['credit']:,.0f}",
        panel["texts"],
        panel["last_error"] or None,
    )


DOOR_COLUMNS = (
    "door",
    "dialect",
    "path",
    "waiting",
    "requests",
    "screens",
    "refused",
    "late",
    "gone",
    "rejected",
    "forbidden",
)


def _door_row(door: dict[str, Any]) -> tuple[object, ...]:
    return (door["name"], *(door[column] for column in DOOR_COLUMNS[1:]))


PEER_COLUMNS = ("other daemon", "host", "version", "state", "since", "last heard of", "binds up")


def _peer_row(peer: dict[str, Any]) -> tuple[object, ...]:
    return (
        peer["node"],
        peer["host"],
        peer["version"],
        "up" if peer["alive"] else "taken over" if peer["taken_over_at"] else "silent",
        _moment(peer["started_at"]),
        _moment(peer["seen_at"]),
        ", ".join(peer["binds_up"]) or None,
    )


def _bind_row(bind: dict[str, Any]) -> tuple[object, ...]:
    rate = f"{bind['rate']:g}/s" if bind["rate"] else "–"
    if bind["rate"] and bind.get("share", 1) < 1:
        rate += f", {bind['share']:.0%} here"
    return (
        bind["name"],
        bind["state"],
        _moment(bind["since"]),
        f"{bind['in_flight']}/{bind['window']}",
        f"{rate}, throttled" if bind["held_seconds"] or bind["slowed_to"] else rate,
        bind["queued"],
        _moment(bind["last_traffic"]),
        bind["reconnects"],
        bind["last_error"] or None,
    )


def _moment(iso: str | None) -> str | None:
    if iso is None:
        return None
    return for_people(milliseconds(datetime.fromisoformat(iso)))
