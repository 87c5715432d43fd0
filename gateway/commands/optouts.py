"""``peyk optout``: who wants none of the utility's own messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from core.database import Database
from core.identifiers import MobileError
from core.identifiers import mobile as normal_mobile
from core.optouts import (
    OptOut,
    OptOutFilter,
    Removal,
    add_optouts,
    list_optouts,
    remove_optouts,
    topics_of,
)
from core.suppressions import COMMON_TOPICS, EVERYTHING, Reason
from core.text import nearest_hint
from gateway.commands.clicking import Group, as_json, by, limit, misuse, options, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.commands.utilities import profile_of

PERSIAN: Final = {
    Reason.ASKED: "به درخواست مشترک",
    Reason.BLOCKED: "در فهرست مسدودی اپراتور",
    Reason.DESK: "ثبت کارکنان",
    Reason.WANTED: "استثنا: می‌خواهد",
}
"""Why, in the words that staff tell subscribers."""

_MOBILES = click.argument("mobiles", metavar="MOBILE...", nargs=-1, required=True)
_UTILITY = click.option("--utility", metavar="NAME", help="Where lines serve several.")
_TOPIC = click.option("--topic", metavar="NAME", help="Only this kind of message, such as bills.")
_NOTE = click.option("--note", default="", metavar="TEXT", help="Why, to be kept with it.")
_CHANGE = options(_MOBILES, _UTILITY, _TOPIC, _NOTE, by)


@click.group(cls=Group, epilog="peyk optout list --mobile 09131234567")
def optout() -> None:
    """Mobiles that want none of the utility's own messages: list, add, remove."""


@optout.command("list", epilog="peyk optout list --reason blocked --limit 1000 --json")
@click.option("--mobile", metavar="NUMBER", help="Only this mobile, in any form.")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@_TOPIC
@click.option(
    "--reason",
    type=click.Choice([each.value for each in Reason]),
    help="Only for this reason; wanted: exceptions of who wants nothing else.",
)
@limit(50)
@as_json
@pass_context
def optout_list(
    context: Context, /, *, mobile: str | None, as_json: bool, **which: str | None
) -> None:
    """List who wants none of what, the newest first."""
    number = _mobiles([mobile])[0] if mobile else None
    with context.database() as database:
        rows = database.read("cli.optouts", list_optouts, OptOutFilter(number, **which))  # type: ignore[arg-type]
    if as_json:
        print_json([_as_json(row) for row in rows])
        return
    columns = ("mobile", "utility", "topic", "reason", "دلیل", "note", "since")
    print_table(columns, (_row(row) for row in rows), texts=("note",))
    if not rows:
        click.echo("nobody", err=True)


@optout.command("add", epilog="peyk optout add 09131234567 --topic bills --note 'by telephone'")
@_CHANGE
@pass_context
def optout_add(  # noqa: PLR0913 - what staff may say
    context: Context,
    *,
    mobiles: tuple[str, ...],
    utility: str | None,
    topic: str | None,
    note: str,
    by: str,
) -> None:
    """Send mobiles no more messages: those that are queued for them are not sent either."""
    numbers, name = _mobiles(mobiles), profile_of(context, utility).utility
    with context.database() as database:
        _check_topic(database, name, topic)
        new = [
            OptOut(each, name, topic or EVERYTHING, Reason.DESK.value, _said(by, note), now_ms())
            for each in numbers
        ]
        added = database.transact("cli.optout_add", add_optouts, new)
    click.echo(f"{len(new)} mobile(s) opted out; {added.suppressed} queued part(s) suppressed")
    if added.in_hand:
        click.echo(f"{added.in_hand} part(s) are being sent at this moment", err=True)


@optout.command("remove", epilog="peyk optout remove 09131234567 --topic bills")
@_CHANGE
@pass_context
def optout_remove(  # noqa: PLR0913 - what staff may say
    context: Context,
    *,
    mobiles: tuple[str, ...],
    utility: str | None,
    topic: str | None,
    note: str,
    by: str,
) -> None:
    """Send mobiles messages again: of every kind, or of one topic."""
    numbers, name = _mobiles(mobiles), profile_of(context, utility).utility
    with context.database() as database:
        _check_topic(database, name, topic)
        removal = Removal(numbers, name, topic, _said(by, note), now_ms())
        done = database.transact("cli.optout_remove", remove_optouts, removal)
    click.echo(f"{len(done)} mobile(s) get messages again")
    others = [each for each in numbers if each not in done]
    if others:
        raise CommandError(f"had not opted out: {', '.join(others)}")


def _mobiles(said: Sequence[str]) -> list[str]:
    with misuse():
        try:
            return list(dict.fromkeys(normal_mobile(each) for each in said))
        except MobileError as error:
            raise ValueError(str(error)) from None


def _check_topic(database: Database, utility: str, topic: str | None) -> None:
    """A topic that nothing has would stop nothing, and nobody would notice."""
    if topic is None:
        return
    known = {*COMMON_TOPICS, *database.read("cli.topics", topics_of, utility)}
    if topic not in known:
        with misuse():
            raise ValueError(f"no message has the topic {topic!r}; {nearest_hint(topic, known)}")


def _said(by: str, note: str) -> str:
    return f"{by}: {note}" if note else by


def _row(row: OptOut) -> tuple[object, ...]:
    return (
        row.mobile,
        row.utility,
        row.topic or "all",
        row.reason,
        PERSIAN[Reason(row.reason)],
        row.note or None,
        for_people(row.since),
    )


def _as_json(row: OptOut) -> dict[str, object]:
    return {
        **row._asdict(),
        "persian": PERSIAN[Reason(row.reason)],
        "since": for_programs(row.since),
    }
